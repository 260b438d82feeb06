"""What a run found, as Markdown and as plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from tests.benchmarks.retrieval.scores import DEPTHS, Figures, Run

__all__ = ["Runs", "conversations", "curve", "in_vain", "recalls", "to_json"]

#: By the contender and by what a row is.
Runs: TypeAlias = Mapping[str, Mapping[str, Run]]

#: Where contenders are compared that say nothing in the same way: each keeps so much of its R@10.
_KEPT: Final = 0.9
_AT_10: Final = DEPTHS.index(10)


def recalls(runs: Runs) -> Iterator[str]:
    """Yield R@k, and how much R@10 differs with any one conversation left out."""
    ks = " / ".join(map(str, DEPTHS))
    yield from _table(runs, f"R@{ks}; in brackets R@10 with any one conversation left out", _recall)


def in_vain(runs: Runs) -> Iterator[str]:
    """Yield what is found in vain: as each contender is, and where it keeps nine tenths of its R@10."""
    yield from _table(
        runs,
        "as it is: R@10, precision of the first ten, share of category 5 answered with nothing; "
        f"then the same with the least relevance that leaves {_KEPT} of its R@10",
        lambda found: f"{_vain(found.figures())}; {_vain(found.keeping(_KEPT))}",
    )


def curve(found: Mapping[str, Run], thresholds: tuple[float, ...]) -> Iterator[str]:
    """Yield what each threshold leaves of the evidence, and for how many questions without an answer nothing."""
    yield "R@10, precision, share of category 5 answered with nothing\n"
    yield f"| min_relevance | {' | '.join(found)} |\n|---|{'---|' * len(found)}"
    for least in thresholds:
        cells = (_vain(each.figures(least=least)) for each in found.values())
        yield f"| {least:.2f} | {' | '.join(cells)} |"
    yield ""


def conversations(ours: Mapping[str, Run], plain: Mapping[str, Run]) -> Iterator[str]:
    """Yield each conversation, beside plain full-text search."""
    yield "| conversation | R@5 | R@10 | plain FTS5, R@5 | R@10 |\n|---|---|---|---|---|"
    for kind, found in ours.items():
        for name in found.conversations:
            both = (found.figures(only=name), plain[kind].figures(only=name))
            cells = (f"{recall:.3f}" for figures in both for recall in figures.recall[1:3])
            yield f"| {kind}, {name} | {' | '.join(cells)} |"
    yield ""


def to_json(runs: Runs) -> dict[str, Any]:
    """Return the figures, for `plot` and for whoever compares runs."""
    return {
        name: {
            kind: {
                "recall": found.curve(),
                "spread": found.spread(10),
                "as it is": _plain(found.figures()),
                f"at {_KEPT} of R@10": _plain(found.keeping(_KEPT)),
            }
            for kind, found in kinds.items()
        }
        for name, kinds in runs.items()
    }


def _table(runs: Runs, title: str, cell: Callable[[Run], str]) -> Iterator[str]:
    kinds = [*next(iter(runs.values()))]
    yield f"{title}\n"
    yield f"| | {' | '.join(kinds)} |\n|---|{'---|' * len(kinds)}"
    for name, found in runs.items():
        yield f"| {name} | {' | '.join(map(cell, found.values()))} |"
    yield ""


def _recall(found: Run) -> str:
    low, high = found.spread(10)
    figures = " / ".join(f"{recall:.3f}" for recall in found.figures().recall)
    return f"{figures} ({low:.3f} to {high:.3f})"


def _vain(figures: Figures) -> str:
    return f"{figures.recall[_AT_10]:.3f}, {figures.precision:.3f}, {figures.empty or 0:.2f}"


def _plain(figures: Figures) -> dict[str, Any]:
    return {
        "R@10": figures.recall[_AT_10],
        "precision": figures.precision,
        "category 5 empty": figures.empty,
    }
