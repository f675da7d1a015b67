"""Is configured anew again and again, with root at DEBUG, while events are pending."""

from __future__ import annotations

import logging
import logging.config

from snowplow_logging import SnowplowHandler
from tests.faults.application import Application


def main() -> None:
    """Runs the program."""
    application = Application()
    settings = application.settings
    handler = {
        "class": "snowplow_logging.SnowplowHandler",
        "endpoint": settings.endpoint,
        **settings.options,
    }
    for number in range(1 + settings.more["times"]):
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "handlers": {"snowplow": handler},
                "root": {"level": "DEBUG", "handlers": ["snowplow"]},
            }
        )
        (made,) = [each for each in logging.root.handlers if isinstance(each, SnowplowHandler)]
        application.handlers.append(made)
        application.log_all(f"configuration {number}")
    application.done()


if __name__ == "__main__":
    main()
