"""Lets ``python -m tests.benchmarks`` start the runner."""

from tests.benchmarks.run import main

if __name__ == "__main__":
    raise SystemExit(main())
