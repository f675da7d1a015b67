"""``python -m tests.bench``: measures, and shows the tables."""

from tests.bench.command import main

if __name__ == "__main__":
    raise SystemExit(main())
