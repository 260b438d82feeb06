"""Whose is each row that a merged statement returned? Rows of a result may come in any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from memrepo.domain.codec import MEMORY_COLUMNS, Row, Value
from memrepo.queries.statement import BoundStatement

__all__ = ["rows_by_hash", "rows_by_number", "rows_in_order"]

_HASH: Final = MEMORY_COLUMNS.index("content_hash")
_LAST_ACCESSED: Final = MEMORY_COLUMNS.index("last_accessed")


def rows_by_number(bound: Sequence[BoundStatement], rows: list[Row]) -> list[list[Row]]:
    """Split rows that begin with the number of the statement they are for."""
    found: list[list[Row]] = [[] for _ in bound]
    for row in rows:
        found[row[0]].append(row[1:])
    return found


def rows_in_order(_bound: Sequence[BoundStatement], rows: list[Row]) -> list[list[Row]]:
    """Split rows of nothing but a new id, one a statement: ids grow in the statements' order."""
    return [[row] for row in sorted(rows)]


def rows_by_hash(bound: Sequence[BoundStatement], rows: list[Row]) -> list[list[Row]]:
    """
    Split facts by their hash; a statement may have none.

    Of those that state the same new fact, the first gets the row without ``last_accessed``.
    """
    hashes = [one.parameters["content_hash"] for one in bound]
    one_each = {row[_HASH]: [row] for row in rows}
    if len(one_each) == len(bound):  # as nearly always: no fact is stated twice, and none was gone
        return [one_each[content_hash] for content_hash in hashes]
    found: dict[Value, list[Row]] = {}
    for row in sorted(rows, key=_is_known, reverse=True):
        found.setdefault(row[_HASH], []).append(row)
    mine = map(found.get, hashes)
    return [[same.pop()] if same else [] for same in mine]


def _is_known(row: Row) -> bool:
    return row[_LAST_ACCESSED] is not None
