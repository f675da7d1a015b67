"""``python -m tests.faults``: lets the faults happen and shows the table."""

from tests.faults.command import main

if __name__ == "__main__":
    raise SystemExit(main())
