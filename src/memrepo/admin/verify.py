"""Check that a database is sound: the file, the references between rows, and the text of facts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final, Literal, TypeAlias

import attrs

from memrepo.connection.contract import Driver
from memrepo.connection.waiting import list_in_slices
from memrepo.domain.checks import HIGHEST_ID, LOWEST_ID
from memrepo.domain.hashing import SameFact, hash_stored
from memrepo.domain.paging import last_id
from memrepo.domain.plain import PlainModel
from memrepo.domain.values import Row, unreadable
from memrepo.errors import CorruptDatabaseError, DatabaseError
from memrepo.queries import copying, maintenance as queries
from memrepo.queries.repair import SPARE_HOLDERS

__all__ = [
    "Problem",
    "ProblemKind",
    "changed_facts",
    "find_damage",
    "find_damage_of",
    "find_problems",
    "is_of_an_index",
]

#: Rows read at a time, and the bytes of a page after which it ends.
_BATCH: Final = 1_000
_PAGE_BYTES: Final = 1_000_000
#: Rows checked before other tasks have their turn: a quarter of a millisecond.
_SLICE: Final = 25
#: What SQLite says of an index that does not fit its table, which can be built anew from that.
_OF_AN_INDEX: Final = ("missing from index", "wrong # of entries in index", "non-unique entry")

#: What `Store.verify` looks for.
ProblemKind: TypeAlias = Literal[
    "integrity", "foreign key", "content hash", "slot", "value", "search index", "not checked"
]


@attrs.frozen(kw_only=True)
class Problem(PlainModel):
    """Something that `Store.verify` found."""

    #: What is wrong: the file, a reference, a fact whose text is not the one that was hashed, a fact in a slot
    #: that a newer one fills, a value that cannot be read (``is_broken``), or the search index; or that a table
    #: could not be checked.
    kind: ProblemKind
    #: The table, or ``""`` where SQLite does not name it.
    table: str
    #: The row's id, or ``None`` where SQLite does not name it.
    id: int | None
    #: What SQLite says, which table a reference goes to, or which column it is; never stored text.
    detail: str


async def find_problems(
    connection: Driver, same_fact: SameFact, now: str
) -> AsyncIterator[Problem]:
    """Yield what is wrong with the file, then with references, the text of facts, slots at *now*, values."""
    is_damaged = False
    async for problem in find_damage(connection):
        is_damaged |= problem.kind == "integrity"
        yield problem
    values = (_odd_values(connection, table) for table in copying.TABLES)
    # Table by table, so that a damaged one does not hide the others.
    tables = await connection.read(queries.TABLES.bind())
    for problems in (
        *(_broken_references(connection, table) for (table,) in tables),
        _changed_texts(connection, same_fact),
        _spare_holders(connection, now),
        *values,
    ):
        try:
            async for problem in problems:
                yield problem
        except CorruptDatabaseError:
            if not is_damaged:
                raise


async def _broken_references(connection: Driver, table: str) -> AsyncIterator[Problem]:
    for number, parent in await connection.read_aside(queries.FOREIGN_KEYS.bind(table=table)):
        yield Problem(kind="foreign key", table=table, id=number, detail=parent)


async def _changed_texts(connection: Driver, same_fact: SameFact) -> AsyncIterator[Problem]:
    async for number in changed_facts(connection, same_fact):
        detail = "the content is not the text that was hashed"
        yield Problem(kind="content hash", table="memory_entries", id=number, detail=detail)


async def _spare_holders(connection: Driver, now: str) -> AsyncIterator[Problem]:
    for number, holder in await connection.read_aside(SPARE_HOLDERS.bind(now=now)):
        detail = f"fact {holder} fills its slot"
        yield Problem(kind="slot", table="memory_entries", id=number, detail=detail)


async def _odd_values(connection: Driver, table: str) -> AsyncIterator[Problem]:
    async for number, reason in _unreadable(connection, table):
        yield Problem(kind="value", table=table, id=number, detail=reason)


async def changed_facts(connection: Driver, same_fact: SameFact) -> AsyncIterator[int]:
    """Yield the id of each fact whose content is not the text that was hashed."""
    after_id = LOWEST_ID
    while rows := await connection.read(queries.HASHES.bind(after_id=after_id, limit=_BATCH)):
        hashing = (hash_stored(row[2], row[1], same_fact) for row in rows)
        own = await list_in_slices(hashing, size=_SLICE)
        for (number, *_, digest), expected in zip(rows, own, strict=True):
            if digest != expected:
                yield number
        after_id = last_id(rows, after_id)


async def _unreadable(connection: Driver, table: str) -> AsyncIterator[tuple[int, str]]:
    """Yield the id and the reason of each value of a table for which its row has ``is_broken``."""
    page = copying.read(table)
    bounds = {"last": HIGHEST_ID, "limit": _BATCH, "size": _PAGE_BYTES}
    first = LOWEST_ID
    while first <= HIGHEST_ID and (rows := await connection.read(page.bind(first=first, **bounds))):
        checking = (list(_unreadable_in(table, row)) for row in rows)
        for problems in await list_in_slices(checking, size=_SLICE):
            for problem in problems:
                yield problem
        first = last_id(rows, first - 1) + 1


def _unreadable_in(table: str, row: Row) -> Iterator[tuple[int, str]]:
    number, *values, kinds = row
    blobs = iter(kinds)
    for column, value in zip(copying.TABLES[table][1:], values, strict=True):
        if column in copying.INTEGERS:
            reason = "" if isinstance(value, int | None) else "is no number"
        else:
            reason = "is a blob" if next(blobs) == "1" else unreadable(column, value)
        if reason:
            yield number, f"{column} {reason}"


async def find_damage(connection: Driver) -> AsyncIterator[Problem]:
    """
    Check the whole file, or table by table.

    That is where something in the schema is unknown to this SQLite, or a page is so damaged that the check
    does not come to its end.
    """
    try:
        rows = await connection.read_aside(queries.INTEGRITY.bind())
    except DatabaseError as error:
        if type(error) not in (DatabaseError, CorruptDatabaseError):
            raise
    else:
        for problem in _damage("", rows):
            yield problem
        return
    for (table,) in await connection.read(queries.TABLES.bind()):
        async for problem in find_damage_of(connection, table):
            yield problem


async def find_damage_of(connection: Driver, table: str) -> AsyncIterator[Problem]:
    """Check a table and its indexes."""
    try:
        rows = await connection.read_aside(queries.INTEGRITY_OF.bind(table=table))
    except CorruptDatabaseError:
        detail = "a page of it or of one of its indexes is damaged"
        yield Problem(kind="integrity", table=table, id=None, detail=detail)
    except DatabaseError as error:
        if type(error) is not DatabaseError:
            raise
        detail = "its schema needs a function or a collation that this SQLite does not have"
        yield Problem(kind="not checked", table=table, id=None, detail=detail)
    else:
        for problem in _damage(table, rows):
            yield problem


def is_of_an_index(problem: Problem) -> bool:
    """Tell whether a problem is that an index does not fit its table."""
    return problem.kind == "integrity" and any(text in problem.detail for text in _OF_AN_INDEX)


def _damage(table: str, rows: list[Row]) -> Iterator[Problem]:
    for (message,) in rows:
        if message != "ok":
            yield Problem(kind="integrity", table=table, id=None, detail=message)
