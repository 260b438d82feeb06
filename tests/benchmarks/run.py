"""The runner: every contender in every round, so that all of them see the same noise."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.benchmarks import (
    doors,
    files,
    growth,
    long_reads,
    peers,
    readers,
    searching,
    startup,
    stores,
)
from tests.benchmarks.contender import Contender, Durability
from tests.benchmarks.raw import Raw, count_rows
from tests.benchmarks.report import to_markdown
from tests.benchmarks.results import Cell, Results, Subject
from tests.benchmarks.workloads import COMPARED, Workload

#: Seconds after which a contender's round counts as failed.
_TIMEOUT_S: Final = 300
_QUICK_ROUNDS: Final = 2
#: In W8 and W11, the contenders beside which ours says something.
_NEAREST: Final = ("raw sqlite3", "memrepo", "aiosqlite, one hop", "aiosqlite, careful")
_IN_ONE_LOOP: Final = ("memrepo", "aiosqlite, one hop")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that the command line asks for; write the table and the raw figures."""
    options = _parser().parse_args(arguments)
    n_rounds = options.rounds or (_QUICK_ROUNDS if options.quick else 5)
    files.prepare_folder()
    contenders, missing = _contenders(options.beside.split(","), with_peers=options.peers)
    results = Results(
        command=_command(options),
        machine=_machine(),
        n_rounds=n_rounds,
        is_quick=options.quick,
        subjects=[Subject(c.name, c.versions(), c.usage) for c in contenders]
        + [Subject(name, missing=reason) for name, reason in missing],
    )
    template = files.make_template()
    # What was imported stays: a collection during a measure need not look at it.
    gc.collect()
    gc.freeze()
    only = [name.strip().upper() for name in options.only.split(",")] if options.only else []
    for workload in COMPARED:
        if not only or workload.key.split("-")[0].upper() in only:
            chosen = workload.quick() if options.quick else workload
            _compare(chosen, contenders, template, results, options.durability.split(","))
    nearest = [kind for kind in contenders if kind.name in _NEAREST]
    if not only or "W7" in only:
        _say("W7 searches")
        results.searching = searching.measure(template, n_rounds, is_quick=options.quick)
    if not only or "W8" in only:
        _say("W8 reads beside a writer")
        results.waiting = readers.measure(nearest, template, n_rounds, is_quick=options.quick)
    if not only or "W8B" in only:
        _say("W8b reads beside long reads")
        results.long_reads = long_reads.measure(n_rounds, is_quick=options.quick)
    if not only or "W9" in only:
        _say("W9 start")
        results.startup = startup.measure(contenders, max(n_rounds, 3))
    if not only or "W10" in only:
        _say("W10 growth")
        results.growth = growth.measure(contenders[:2], n_rounds, is_quick=options.quick)
    if not only or "W11" in only:
        _say("W11 many stores in one event loop")
        in_one_loop = [kind for kind in contenders if kind.name in _IN_ONE_LOOP]
        results.stores = stores.measure(in_one_loop, template, n_rounds, is_quick=options.quick)
    if (not only or "W12" in only) and options.peers:
        results.doors = doors.measure(n_rounds, _say, is_quick=options.quick)
    _write(results, options.json, options.table)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="W1,W2", default="", help="run these rows of bench.md")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds (default 5; quick: 2)")
    parser.add_argument("--quick", action="store_true", help="small counts, to try it out")
    parser.add_argument("--durability", default="normal,full", help="normal, full or both")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument(
        "--beside", metavar="NAMES", default="", help="these peers only, each by a part of its name"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round as JSON")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the Markdown tables")
    return parser


def _command(options: argparse.Namespace) -> str:
    """Write the command again, without where its output goes on this machine."""
    parts = [f"taskset -c {min(_cores())}"] * (len(_cores()) == 1 < (os.cpu_count() or 1))
    parts += ["python -m tests.benchmarks"]
    parts += [f"--only {options.only}"] * bool(options.only)
    parts += [f"--rounds {options.rounds}"] * bool(options.rounds)
    parts += [f"--durability {options.durability}"] * (options.durability != "normal,full")
    parts += [f'--beside "{options.beside}"'] * bool(options.beside)
    parts += ["--quick"] * options.quick + ["--no-peers"] * (not options.peers)
    return " ".join(parts)


def _contenders(
    beside: Sequence[str], *, with_peers: bool
) -> tuple[list[type[Contender]], list[peers.Missing]]:
    # After the parser: --help needs nothing.
    from tests.benchmarks.ours import BroughtBack, Corrections, Ours, Slots  # noqa: PLC0415

    found, missing = peers.load() if with_peers else ([], [])
    for name, reason in missing:
        _say(f"WITHOUT {name}: {reason}")
    # An empty name is a part of every name.
    others: list[type[Contender]] = [Slots, Corrections, BroughtBack, *found] if with_peers else []
    chosen = [kind for kind in others if any(name in kind.name for name in beside)]
    return [Raw, Ours, *chosen], missing


def _compare(
    workload: Workload,
    contenders: Sequence[type[Contender]],
    template: Path,
    results: Results,
    durabilities: Sequence[Durability],
) -> None:
    taking_part = [kind for kind in contenders if workload.key in kind.does]
    for durability in (d for d in workload.durabilities if d in durabilities):
        cells = {kind: Cell() for kind in taking_part}
        for number in range(results.n_rounds):
            _say(f"{workload.title}, {durability}, round {number + 1} of {results.n_rounds}")
            for kind, cell in cells.items():
                _measure(kind, workload, durability, template, cell)
        for kind, cell in cells.items():
            results.cells[workload.key, durability, kind.name] = cell


def _measure(
    kind: type[Contender], workload: Workload, durability: Durability, template: Path, cell: Cell
) -> None:
    """Let one contender run one round on a file of its own; a failure ends its part in the row."""
    if cell.error:
        return
    if workload.n_rows:
        path = files.big(workload.n_rows).path
    else:
        path = files.fresh("round", template if kind.uses_our_tables else None)
    try:
        work = kind().measure(workload, path, durability)
        cell.rounds.append(asyncio.run(asyncio.wait_for(work, _TIMEOUT_S)))
        _check_rows(kind, workload, path)
    except Exception as error:  # noqa: BLE001 - one contender's failure is a finding, not the end
        cell.error = f"{type(error).__name__}: {error}".splitlines()[0]
        _say(f"  {kind.name} failed: {cell.error}")
    if not workload.n_rows:
        files.remove(path)


def _check_rows(kind: type[Contender], workload: Workload, path: Path) -> None:
    """Fail a contender that did not write what it was asked to."""
    if workload.writes:
        table = kind.event_table if workload.writes == "events" else kind.fact_table
        expected = workload.rows_left(kind.n_warm, is_repeated=kind.repeats)
        found = count_rows(path, table)
        if found != expected:
            raise AssertionError(f"left {found} rows, not {expected}")


def _machine() -> list[tuple[str, str]]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        ("date", datetime.now(UTC).date().isoformat()),
        ("processor", f"{_processor()}, {len(_cores())} of {os.cpu_count()} cores"),
        ("memory", f"{memory:.0f} GiB"),
        ("system", f"{platform.system()} {platform.release()}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("SQLite", sqlite3.sqlite_version),
    ]


def _cores() -> set[int]:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _write(results: Results, as_json: Path | None, as_table: Path | None) -> None:
    table = to_markdown(results)
    if as_json is not None:
        as_json.parent.mkdir(parents=True, exist_ok=True)
        as_json.write_text(json.dumps(results.to_json(), indent=1) + "\n")
    if as_table is not None:
        as_table.parent.mkdir(parents=True, exist_ok=True)
        as_table.write_text(table)
    print(table)


if __name__ == "__main__":
    raise SystemExit(main())
