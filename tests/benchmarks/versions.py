"""
Two checkouts of memrepo beside each other, each with its own code and its own benchmarks.

``python -m tests.benchmarks.versions --old FOLDER`` compares this checkout with another, for instance one
that ``git worktree add FOLDER COMMIT`` made; any commit that has ``python -m tests.benchmarks --json`` will
do. Every row of every round is two processes, one a checkout, one right after the other, and which goes
first alternates. Each measures raw sqlite3 and memrepo in turn. ``--quick --rounds 30`` has small counts and
many rounds: better at seeing 10 % on a machine that is not quite quiet. ``taskset -c 0`` binds them all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple, TypeAlias

from tests.benchmarks import files
from tests.benchmarks.stats import Spread, ratios

_ROWS: Final = "W1,W2,W3,W4,W5,W6"

#: A row of the table: the workload and the durability.
_Row: TypeAlias = tuple[str, str]


class Measured(NamedTuple):
    """The seconds that one operation took in one process."""

    ours: float
    raw: float


class Pair(NamedTuple):
    """The two checkouts in one round."""

    old: Measured
    new: Measured


class Checkout(NamedTuple):
    """A folder, and the environment that its processes run in."""

    folder: Path
    environment: Mapping[str, str]


_Found: TypeAlias = dict[_Row, list[Pair]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a Markdown table after the last round."""
    options = _parser().parse_args(arguments)
    folders = {"old": options.old.resolve(), "new": options.new.resolve()}
    found: _Found = {}
    with ExitStack() as stack:
        checkouts = {
            side: Checkout(folder, stack.enter_context(_prepared(folder)))
            for side, folder in folders.items()
        }
        for number in range(options.rounds):
            sides = ("old", "new") if number % 2 == 0 else ("new", "old")
            for key in options.only.split(","):
                _say(f"round {number + 1} of {options.rounds}, {' then '.join(sides)}: {key}")
                measured = {side: _run(checkouts[side], key, options) for side in sides}
                _pair(found, measured["old"], measured["new"])
            if options.json is not None:
                options.json.write_text(json.dumps(_to_json(folders, found), indent=1) + "\n")
    print(to_markdown(found))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.versions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--old", type=Path, metavar="FOLDER", required=True)
    parser.add_argument("--new", type=Path, metavar="FOLDER", default=files.ROOT)
    parser.add_argument("--only", metavar="W1,W2", default=_ROWS, help="W1 to W6 (default: all)")
    parser.add_argument("--rounds", type=int, metavar="N", default=9, help="rounds (default 9)")
    parser.add_argument("--durability", default="normal,full", help="normal, full or both")
    parser.add_argument("--quick", action="store_true", help="small counts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round as JSON")
    return parser


# --- running -----------------------------------------------------------------------------------


@contextmanager
def _prepared(folder: Path) -> Iterator[Mapping[str, str]]:
    """Give a checkout the folder of big files; yield the environment that its processes run in."""
    bench, link = _bench_of(folder).resolve(), folder / ".bench"
    bench.mkdir(parents=True, exist_ok=True)
    # For commits that do not know the variable. One with a folder of its own keeps to that.
    is_missing = folder != files.ROOT and not link.exists()
    if is_missing:
        link.symlink_to(bench, target_is_directory=True)
    path = os.pathsep.join((str(folder / "src"), str(folder)))
    try:
        yield os.environ | {"PYTHONPATH": path, files.BENCH_VARIABLE: str(bench)}
    finally:
        if is_missing:
            link.unlink()


def _bench_of(folder: Path) -> Path:
    """Return where its big files are: shared unless schemas differ, for each would delete the other's."""
    key = _schema_key(folder)
    return files.BENCH if key == _schema_key(files.ROOT) else files.BENCH / "versions" / key


def _schema_key(folder: Path) -> str:
    parts = [part.read_bytes() for part in sorted((folder / "schema").glob("*.sql"))]
    return sha256(b"".join(parts)).hexdigest()[:12]


def _run(checkout: Checkout, key: str, options: argparse.Namespace) -> dict[_Row, Measured]:
    """Run one row in a new process of a checkout."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "results.json"
        command = [sys.executable, "-m", "tests.benchmarks", "--no-peers", "--rounds", "1"]
        command += ["--only", key, "--durability", options.durability, "--json", str(report)]
        command += ["--quick"] * options.quick
        run = subprocess.run(
            command,
            cwd=checkout.folder,
            env=checkout.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise SystemExit(f"{checkout.folder}: {' '.join(command)} failed\n{run.stderr}")
        return to_measured(json.loads(report.read_text()))


def to_measured(report: Mapping[str, Any]) -> dict[_Row, Measured]:
    """Take from a process's JSON what raw and memrepo took; a row in which either failed is left out."""
    seconds: dict[_Row, dict[str, float]] = {}
    for cell in report["cells"]:
        if cell["error"]:
            _say(f"{cell['contender']}, {cell['workload']}: {cell['error']}")
        for measure in cell["rounds"]:
            row = seconds.setdefault((cell["workload"], cell["durability"]), {})
            row[cell["contender"]] = measure["seconds"]
    return {
        row: Measured(its["memrepo"], its["raw sqlite3"])
        for row, its in seconds.items()
        if len(its) == len(Measured._fields)
    }


# --- what it comes to --------------------------------------------------------------------------


def _pair(found: _Found, old: Mapping[_Row, Measured], new: Mapping[_Row, Measured]) -> None:
    for row in old:
        if row in new:
            found.setdefault(row, []).append(Pair(old[row], new[row]))


def to_markdown(found: Mapping[_Row, Sequence[Pair]]) -> str:
    """Write a line for each row: new by old round by round, and both by raw."""
    lines = [
        "| row | durability | new / old, median (lowest to highest) | old / raw | new / raw | rounds |",
        "| --- | --- | --: | --: | --: | --: |",
    ]
    for (workload, durability), pairs in found.items():
        change = new_by_old(pairs)
        old, new = (median(its.ours / its.raw for its in side) for side in zip(*pairs, strict=True))
        lines.append(
            f"| {workload} | {durability} | {change.median:.2f} ({change.low:.2f} to {change.high:.2f})"
            f" | {old:.2f} | {new:.2f} | {len(pairs)} |"
        )
    return "\n".join(lines)


def new_by_old(pairs: Sequence[Pair]) -> Spread:
    """Summarize the new checkout's time by the old one's of the same round."""
    return ratios([pair.new.ours for pair in pairs], [pair.old.ours for pair in pairs])


def _to_json(folders: Mapping[str, Path], found: _Found) -> dict[str, Any]:
    rows = [
        {
            "workload": workload,
            "durability": durability,
            "rounds": [
                {side: its._asdict() for side, its in pair._asdict().items()} for pair in its
            ],
        }
        for (workload, durability), its in found.items()
    ]
    return {**{side: str(folder) for side, folder in folders.items()}, "rows": rows}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
