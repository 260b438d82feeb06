"""The Markdown page of a run: ratios, what they were measured with, and where we are not ahead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from tests.benchmarks.contender import Durability
from tests.benchmarks.doors_report import doors, doors_verdicts
from tests.benchmarks.growth import Growth
from tests.benchmarks.readers import Waiting
from tests.benchmarks.results import Results
from tests.benchmarks.searching_report import searching, searching_verdicts
from tests.benchmarks.slots_report import slots, slots_verdicts
from tests.benchmarks.startup import Startup
from tests.benchmarks.stats import Spread, ratios, short, spread, with_ends
from tests.benchmarks.stores import N_STORES, N_TASKS, Stores
from tests.benchmarks.tables import table
from tests.benchmarks.workloads import COMPARED, W6, W6_SMALL, Workload

_RAW: Final = "raw sqlite3"
_OURS: Final = "memrepo"
#: What bench.md asks for where it is not a ratio to raw.
_REACH_W6_GROWTH: Final = 1.3
_REACH_W8: Final = 3.0
_BESIDE_A_WRITER: Final = (
    "## W8: point reads while a writer saturates the file (synchronous=NORMAL)\n\n"
    "One task reads one fact after another. *Another process* is raw `sqlite3` committing row by"
    " row; the other writers are tasks of the same process on the same store or connection, which"
    " also compete with the reader for the event loop."
)
_BESIDE_LONG_READS: Final = (
    "## W8b: point reads while others read through all facts\n\n"
    "One task reads one fact after another, out of 1,000,000; other tasks read through all of them, over"
    " and over, by the same store. A *scan* is `count` with a text that is nowhere."
)
_BESIDE_SEARCHES: Final = (
    "### W7: reads beside searches\n\n"
    "One task reads, one call after another; other tasks search the same scope, over and over, by the same store."
)
_REACH_IMPORT_MS: Final = 60.0
_REACH_COLD_MS: Final = 50.0
_REACH_W10: Final = 2.0
_REACH_W11_MS: Final = 60.0


def to_markdown(results: Results) -> str:
    """Write the page."""
    parts = [_head(results)]
    for durability in ("normal", "full"):
        parts += _comparison(results, durability)
    parts += [
        slots(results),
        _context_growth(results),
        searching(results.searching) if results.searching else "",
        _waiting(_BESIDE_SEARCHES, "who searches", results.searching.reads)
        if results.searching
        else "",
        _waiting(_BESIDE_A_WRITER, "who writes", results.waiting),
        _waiting(_BESIDE_LONG_READS, "who reads", results.long_reads),
        _startup(results.startup) if results.startup else "",
        _growth(results.growth) if results.growth else "",
        _stores(results.stores) if results.stores else "",
        doors(results.doors),
        _verdicts(results),
        _subjects(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(results: Results) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in results.machine)
    warning = (
        "\n\n**A quick run with small counts: to try the benchmark out, not to quote.**"
        if results.is_quick
        else ""
    )
    return (
        "# Benchmarks\n\n"
        f"Medians of {results.n_rounds} rounds. In each round every contender runs once, one after"
        " another, each on a file of its own; a ratio divides the time of one operation by raw's of the"
        " same round, and the parentheses hold the lowest and the highest round. **raw** is the"
        " standard library's `sqlite3` in a tight synchronous loop on the same tables, one commit per"
        " write: the physical limit for one writer that does not group.\n\n"
        f"Measured on: {machine}. To repeat it: `make bench`, or `{results.command.strip()}`."
        f"{warning}"
    )


# --- W1 to W6 ----------------------------------------------------------------------------------


def _shown(results: Results) -> list[Workload]:
    """Return the workloads of the matrices, with the counts that this run used."""
    chosen = [workload for workload in COMPARED if workload is not W6_SMALL]
    return [workload.quick() for workload in chosen] if results.is_quick else chosen


def _comparison(results: Results, durability: Durability) -> list[str]:
    shown = [w for w in _shown(results) if _ratio(results, w, durability, _RAW) is not None]
    if not shown:
        return []
    level = durability.upper()
    parts = [f"## Ratios to raw, WAL, synchronous={level}"]
    for part in (shown[:6], shown[6:]) if len(shown) > 6 else (shown,):
        rows = [
            ["raw, µs each", *(_micros(results, w, durability, _RAW) for w in part)],
            ["to reach", *(_reach(w, durability) for w in part)],
        ]
        rows += [_row(results, subject.name, part, durability) for subject in results.subjects[1:]]
        parts.append(table(["", *(w.title for w in part)], [row for row in rows if any(row[1:])]))
    return parts


def _row(
    results: Results, name: str, workloads: Sequence[Workload], durability: Durability
) -> list[str]:
    is_missing = any(s.name == name and s.missing for s in results.subjects)
    label = f"**{name}**" if name == _OURS else name
    cells = [
        "not installed" if is_missing else _cell(results, w, durability, name) for w in workloads
    ]
    return [label, *cells]


def _cell(results: Results, workload: Workload, durability: Durability, name: str) -> str:
    if error := results.cell(workload.key, durability, name).error:
        return f"failed: {error[:60]}"
    ratio = _ratio(results, workload, durability, name)
    if ratio is None:
        return ""
    text = with_ends(ratio)
    return f"**{text}**" if name == _OURS else text


def _ratio(
    results: Results, workload: Workload, durability: Durability, name: str
) -> Spread | None:
    cell = results.cell(workload.key, durability, name)
    raw = results.cell(workload.key, durability, _RAW)
    return (
        None
        if cell.error or not cell.rounds or not raw.rounds
        else ratios(cell.seconds, raw.seconds)
    )


def _micros(results: Results, workload: Workload, durability: Durability, name: str) -> str:
    seconds = results.cell(workload.key, durability, name).seconds
    return short(median(seconds) * 1e6) if seconds else ""


def _reach(workload: Workload, durability: Durability) -> str:
    return f"≤ {workload.reach[durability]}" if durability in workload.reach else ""


def _context_growth(results: Results) -> str:
    if results.is_quick:
        # Both ran on the small file.
        return ""
    rows = []
    for subject in results.subjects:
        big = results.cell(W6.key, "normal", subject.name).seconds
        small = results.cell(W6_SMALL.key, "normal", subject.name).seconds
        if big and small:
            rows.append(
                [
                    subject.name,
                    short(median(small) * 1e6),
                    short(median(big) * 1e6),
                    with_ends(ratios(big, small)),
                ]
            )
    if not rows:
        return ""
    head = ["", "µs at 10,000 rows", "µs at 1,000,000", f"growth, to reach ≤ {_REACH_W6_GROWTH}"]
    return "## W6: does the context get slower as the file grows?\n\n" + table(head, rows)


# --- W8 to W11 ---------------------------------------------------------------------------------


def _waiting(title: str, who: str, found: Sequence[Waiting]) -> str:
    if not found:
        return ""
    rows = []
    for waiting in found:
        growth = _growth_of_p99(found, waiting)
        rows.append(
            [
                waiting.contender,
                waiting.situation,
                short(median(waiting.p50) * 1e6),
                short(median(waiting.p99) * 1e6),
                "" if waiting.situation == "idle" else with_ends(growth),
                f"{median(waiting.n_reads):,.0f}",
            ]
        )
    head = [
        "",
        who,
        "p50, µs",
        "p99, µs",
        f"p99 by idle p99, to reach ≤ {_REACH_W8}",
        "reads",
    ]
    return f"{title}\n\n{table(head, rows)}"


def _growth_of_p99(found: Sequence[Waiting], waiting: Waiting) -> Spread:
    idle = next(w for w in found if w.contender == waiting.contender and w.situation == "idle")
    return ratios(waiting.p99, idle.p99)


def _startup(found: Startup) -> str:
    imports = [
        [name, short(median(seconds) * 1e3), with_ends(_more_than_aiosqlite(found, name))]
        for name, seconds in sorted(found.import_s.items(), key=lambda item: median(item[1]))
    ]
    starts = [
        [
            name,
            with_ends(spread([second * 1e3 for second in seconds])),
            f"{median(found.resident_bytes[name]) / 2**20:.1f}",
        ]
        for name, seconds in found.first_write_s.items()
    ]
    return (
        "## W9: import, first write, memory\n\n"
        "Each in a process of its own. To reach: the import at most"
        f" {_REACH_IMPORT_MS:.0f} ms more than `import aiosqlite`; from `connect()` to the first"
        f" committed write (synchronous=FULL) on an existing file at most {_REACH_COLD_MS:.0f} ms.\n\n"
        + table(["", "import, ms", "more than aiosqlite, ms"], imports)
        + "\n\n"
        + table(["", "first write, ms", "resident memory afterwards, MiB"], starts)
    )


def _more_than_aiosqlite(found: Startup, name: str) -> Spread:
    base = next((s for n, s in found.import_s.items() if n.startswith("aiosqlite")), [])
    own = found.import_s[name]
    pairs = zip(own, base or [0.0] * len(own), strict=True)
    return spread([max(0.0, a - b) * 1e3 for a, b in pairs])


def _growth(found: Sequence[Growth]) -> str:
    names = list(found[0].append_s)
    head = ["rows of each kind"]
    for kind in ("event", "fact"):
        head += [f"{name}: {kind}, µs" for name in names] + [f"{_OURS}: {kind}, by the smallest"]
    head += ["bytes per event", "bytes per fact"]
    rows = []
    for growth in found:
        row = [f"{growth.n_rows:,}"]
        for kind in ("append_s", "remember_s"):
            times = getattr(growth, kind)
            row += [short(median(times[name]) * 1e6) for name in names]
            row.append(with_ends(ratios(times[_OURS], getattr(found[0], kind)[_OURS])))
        rows.append([*row, f"{growth.event_bytes:.0f}", f"{growth.fact_bytes:.0f}"])
    return (
        "## W10: one insert as the file grows (synchronous=NORMAL)\n\n"
        f"To reach: flat within {_REACH_W10:.0f} times. A row's bytes include its indexes.\n\n"
        + table(head, rows)
    )


def _stores(found: Sequence[Stores]) -> str:
    rows = [
        [
            its.contender,
            with_ends(spread(its.calls_per_s)),
            with_ends(spread([pause * 1e3 for pause in its.worst_pause_s])),
        ]
        for its in found
    ]
    head = ["", "calls per second", f"worst pause, ms, to reach ≤ {_REACH_W11_MS:.0f}"]
    return (
        f"## W11: {N_STORES} stores x {N_TASKS} tasks in one event loop (synchronous=NORMAL)\n\n"
        "Each store has a file of its own, and each of its tasks appends, gets, gets, appends and"
        " remembers, over and over. The pause is how much longer a sleep of 1 ms took than that, the"
        " worst one of a round.\n\n" + table(head, rows)
    )


# --- what it comes to --------------------------------------------------------------------------


def _verdicts(results: Results) -> str:
    lines = [line for verdict in _all_verdicts(results) for line in verdict]
    missed = [f"- {line}" for line in lines]
    text = "\n".join(missed) or "Nowhere in this run."
    return "## Where memrepo is not ahead, or does not reach its figure\n\n" + text


def _all_verdicts(results: Results) -> Iterable[list[str]]:
    for workload in _shown(results):
        for durability in workload.durabilities:
            ours = _ratio(results, workload, durability, _OURS)
            error = results.cell(workload.key, durability, _OURS).error
            where = f"{workload.title}, {durability.upper()}"
            if error:
                yield [f"{where}: memrepo failed: {error}"]
            if ours is not None:
                yield _missed(where, ours.median, workload.reach.get(durability))
                yield _overtaken(results, workload, durability, where)
    yield from slots_verdicts(results)
    if results.searching:
        yield from searching_verdicts(results.searching)
        reads = results.searching.reads
        for waiting in reads:
            where = f"W7 {waiting.contender} p99, {waiting.situation}"
            yield _missed(where, _growth_of_p99(reads, waiting).median, _REACH_W8)
    yield from _other_verdicts(results)
    yield from doors_verdicts(results.doors)


def _other_verdicts(results: Results) -> Iterable[list[str]]:
    big, small = (results.cell(w.key, "normal", _OURS).seconds for w in (W6, W6_SMALL))
    if big and small and not results.is_quick:
        yield _missed("W6 growth to 1,000,000 rows", ratios(big, small).median, _REACH_W6_GROWTH)
    for row, found in (("W8", results.waiting), ("W8b", results.long_reads)):
        for waiting in found:
            if waiting.contender == _OURS:
                ratio = _growth_of_p99(found, waiting).median
                yield _missed(f"{row} read p99, {waiting.situation}", ratio, _REACH_W8)
    if results.startup and _OURS in results.startup.import_s:
        more = _more_than_aiosqlite(results.startup, _OURS).median
        yield _missed("W9 import, ms more than aiosqlite", more, _REACH_IMPORT_MS)
        first = median(results.startup.first_write_s[_OURS]) * 1e3
        yield _missed("W9 first committed write, ms", first, _REACH_COLD_MS)
    for growth in results.growth[1:]:
        for kind in ("append_s", "remember_s"):
            first_size = getattr(results.growth[0], kind)[_OURS]
            ratio = ratios(getattr(growth, kind)[_OURS], first_size).median
            name = "an event" if kind == "append_s" else "a fact"
            yield _missed(f"W10 {name} at {growth.n_rows:,} rows", ratio, _REACH_W10)
    for its in results.stores:
        if its.contender == _OURS:
            # Of all rounds: a promise about the worst pause is not kept by the median.
            yield _missed("W11 worst pause, ms", max(its.worst_pause_s) * 1e3, _REACH_W11_MS)


def _missed(where: str, found: float, reach: float | None) -> list[str]:
    if reach is None or found <= reach:
        return []
    return [f"{where}: {short(found)}, to reach {reach}"]


def _overtaken(
    results: Results, workload: Workload, durability: Durability, where: str
) -> list[str]:
    ours = results.cell(workload.key, durability, _OURS).seconds
    lines = []
    for subject in results.subjects:
        theirs = results.cell(workload.key, durability, subject.name)
        if subject.name in (_RAW, _OURS) or theirs.error or not theirs.rounds:
            continue
        ratio = ratios(theirs.seconds, ours)
        if ratio.median < 1:
            lines.append(f"{where}: {subject.name} takes {with_ends(ratio)} of our time")
    return lines


def _subjects(results: Results) -> str:
    rows = [
        [
            s.name,
            s.missing or s.versions,
            *_settings(results, s.name),
            _retries(results, s.name),
            s.usage,
        ]
        for s in results.subjects
    ]
    head = ["", "versions", "read back at NORMAL", "read back at FULL", "retries", "how it is used"]
    return (
        "## Contenders and their settings\n\n"
        "`journal_mode` and `synchronous` as each contender's own connection answers after its timed"
        " work. A retry is a write that the library refused, because of a lock or a race of two tasks,"
        " and the benchmark repeated.\n\n" + table(head, rows, "---")
    )


def _settings(results: Results, name: str) -> list[str]:
    answers: list[str] = []
    for wanted in ("normal", "full"):
        found = {
            f"{measure.settings.journal_mode}, {measure.settings.synchronous}"
            for (_, durability, contender), cell in results.cells.items()
            if contender == name and durability == wanted
            for measure in cell.rounds
        }
        answers.append(" / ".join(sorted(found)))
    return answers


def _retries(results: Results, name: str) -> str:
    cells = [cell for (_, _, contender), cell in results.cells.items() if contender == name]
    total = sum(measure.n_retries for cell in cells for measure in cell.rounds)
    return f"{total:,}" if total else ""
