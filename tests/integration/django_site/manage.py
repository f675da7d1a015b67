"""The project's command line, as ``startproject`` makes it."""
# Django has no types.
# mypy: ignore-errors
# pyright: basic

import os
import signal
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    # Who is started in the background of a shell inherits that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    execute_from_command_line(sys.argv)
