"""What a slot costs: `remember` with one beside a plain one, in the same round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from tests.benchmarks.results import Results
from tests.benchmarks.stats import Spread, ratios, short, with_ends
from tests.benchmarks.tables import table
from tests.benchmarks.workloads import W3, W3_TASKS

_PLAIN: Final = "memrepo"
_REACHING: Final = ("memrepo, with slots", "memrepo, corrections")
#: What takes a second unit, as without a slot.
_BROUGHT_BACK: Final = "memrepo, brought back"
_REACH: Final = 1.5


def slots(results: Results) -> str:
    """Write the section; nothing if it was not measured."""
    rows = [[where, name, with_ends(ratio)] for where, name, ratio in _by_plain(results)]
    if not rows:
        return ""
    head = ["", "", f"by a plain `remember`, to reach ≤ {_REACH}"]
    return "## W3: what a slot costs\n\n" + table(head, rows)


def slots_verdicts(results: Results) -> Iterable[list[str]]:
    """Yield what does not reach its figure."""
    for where, name, ratio in _by_plain(results):
        if name in _REACHING and ratio.median > _REACH:
            yield [f"{where}, {name}: {short(ratio.median)} of a plain one, to reach {_REACH}"]


def _by_plain(results: Results) -> Iterator[tuple[str, str, Spread]]:
    for workload in (W3, W3_TASKS):
        for durability in workload.durabilities:
            plain = results.cell(workload.key, durability, _PLAIN).seconds
            title = (workload.quick() if results.is_quick else workload).title
            for name in (*_REACHING, _BROUGHT_BACK):
                its = results.cell(workload.key, durability, name).seconds
                if plain and len(its) == len(plain):
                    yield f"{title}, {durability.upper()}", name, ratios(its, plain)
