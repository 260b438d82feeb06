"""Compare the search index with the tables, and build it anew where it does not fit them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from memrepo.admin.repair import Repair
from memrepo.admin.verify import Problem, ProblemKind
from memrepo.connection.contract import Driver
from memrepo.domain.indexing import Tokenizer
from memrepo.errors import CorruptDatabaseError
from memrepo.index.index import OnCaughtUp, SearchIndex
from memrepo.queries import drift as queries
from memrepo.queries.indexing import PARTS

__all__ = ["find_drift", "repair_index"]

#: What the numbers of `queries.COUNT` count.
_KINDS: Final = (
    "the search index lacks {} of its rows",
    "the search index has {} of its rows with another text",
    "the search index has {} rows that it should not have",
)


async def find_drift(connection: Driver, index: SearchIndex) -> AsyncIterator[Problem]:
    """Yield, for each table, in how many rows the index and the table differ; what is pending does not count."""
    if index.tokenizer is None and not await index.is_ready():
        return
    if not await index.has_fts5():
        yield _problem(
            "", "this SQLite has no FTS5, which the search index needs", kind="not checked"
        )
        return
    try:
        rows = await connection.read_aside(queries.COUNT.bind())
        if not connection.is_read_only:  # it changes nothing, but counts as a write
            await connection.write(
                tuple(queries.check_words(table).bind(rank=0) for table in PARTS)
            )
    except CorruptDatabaseError:
        yield _problem("", "the search index is damaged")
        return
    for table, *counts in rows:
        for count, sentence in zip(counts, _KINDS, strict=True):
            if count:
                yield _problem(table, sentence.format(count))


def _problem(table: str, detail: str, *, kind: ProblemKind = "search index") -> Problem:
    return Problem(kind=kind, table=table, id=None, detail=detail)


async def repair_index(
    connection: Driver,
    index: SearchIndex,
    tokenizer: Tokenizer | None,
    on_progress: OnCaughtUp | None,
) -> list[Repair]:
    """Build the index anew, if it does not fit the tables or another *tokenizer* is wanted, and have it catch up."""
    if not await index.is_ready() and (tokenizer is None or not await index.has_fts5()):
        return []
    wanted = tokenizer or index.tokenizer
    problems = [problem async for problem in find_drift(connection, index)]
    if wanted is None or (wanted == index.tokenizer and not problems):
        return []
    await index.make(wanted, anew=True)
    await index.catch_up(on_progress=on_progress)
    tables = dict.fromkeys(problem.table for problem in problems) or [""]
    detail = "the search index was built anew"
    return [Repair(kind="search index", table=table, id=None, detail=detail) for table in tables]
