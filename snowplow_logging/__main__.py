"""``python -m snowplow_logging`` is the ``snowplow-logging`` command."""

import sys

from snowplow_logging.cli import main

if __name__ == "__main__":
    sys.exit(main())
