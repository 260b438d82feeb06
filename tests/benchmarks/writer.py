"""The writer of W8: a process that commits one event after another until it is told to stop."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from tests.benchmarks import sql
from tests.benchmarks.data import event
from tests.benchmarks.raw import connect


def main() -> None:
    """Write to the file named on the command line; say so after the first hundred rows."""
    db = connect(Path(sys.argv[1]), "normal")
    for number in count():
        db.execute(sql.APPEND, sql.append_values(event(number)))
        if number == 100:
            print("writing", flush=True)


if __name__ == "__main__":
    main()
