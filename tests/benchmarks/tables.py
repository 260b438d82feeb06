"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: str = "--:") -> str:
    """Write a table, whose columns but the first are aligned as *numbers* says."""
    lines = [head, ["---"] + [numbers] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
