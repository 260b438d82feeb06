"""Check that a database is sound: the file, the references between rows, and the text of facts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final, Literal, TypeAlias

import attrs

from memrepo.connection.contract import Driver
from memrepo.domain.codec import Row, unreadable
from memrepo.domain.hashing import SameFact, hash_stored
from memrepo.domain.plain import PlainModel
from memrepo.errors import DatabaseError
from memrepo.queries import copying, maintenance as queries

__all__ = ["Problem", "ProblemKind", "changed_facts", "find_damage", "find_problems"]

#: Rows read at a time, and the bytes of a page after which it ends.
_BATCH: Final = 1_000
_PAGE_BYTES: Final = 1_000_000
_HIGHEST_ID: Final = 2**63 - 1

#: What `Store.verify` looks for.
ProblemKind: TypeAlias = Literal["integrity", "foreign key", "content hash", "value", "not checked"]


@attrs.frozen(kw_only=True)
class Problem(PlainModel):
    """Something that `Store.verify` found."""

    #: What is wrong: the file, a reference, a fact whose text is not the one that was hashed, or a value
    #: that cannot be read (``is_broken``); or that a table could not be checked.
    kind: ProblemKind
    #: The table, or ``""`` where SQLite does not name it.
    table: str
    #: The row's id, or ``None`` where SQLite does not name it.
    id: int | None
    #: What SQLite says, which table a reference goes to, or which column it is; never stored text.
    detail: str


async def find_problems(connection: Driver, same_fact: SameFact) -> AsyncIterator[Problem]:
    """Yield what is wrong with the file, then with references, with the text of facts, with values."""
    async for problem in find_damage(connection):
        yield problem
    for table, number, parent, _ in await connection.read_aside(queries.FOREIGN_KEYS.bind()):
        yield Problem(kind="foreign key", table=table, id=number, detail=parent)
    async for number in changed_facts(connection, same_fact):
        detail = "the content is not the text that was hashed"
        yield Problem(kind="content hash", table="memory_entries", id=number, detail=detail)
    for table in copying.TABLES:
        async for number, reason in _unreadable(connection, table):
            yield Problem(kind="value", table=table, id=number, detail=reason)


async def changed_facts(connection: Driver, same_fact: SameFact) -> AsyncIterator[int]:
    """Yield the id of each fact whose content is not the text that was hashed."""
    after_id = 0
    while rows := await connection.read(queries.HASHES.bind(after_id=after_id, limit=_BATCH)):
        for number, scope, content, digest in rows:
            if hash_stored(content, scope, same_fact) != digest:
                yield number
        after_id = rows[-1][0]


async def _unreadable(connection: Driver, table: str) -> AsyncIterator[tuple[int, str]]:
    """Yield the id and the reason of each value of a table for which its row has ``is_broken``."""
    page = copying.read(table)
    bounds = {"last": _HIGHEST_ID, "limit": _BATCH, "size": _PAGE_BYTES}
    first = -_HIGHEST_ID
    while rows := await connection.read(page.bind(first=first, **bounds)):
        for number, *values, kinds in rows:
            blobs = iter(kinds)
            for column, value in zip(copying.TABLES[table][1:], values, strict=True):
                if column in copying.INTEGERS:
                    reason = "" if isinstance(value, int | None) else "is no number"
                else:
                    reason = "is a blob" if next(blobs) == "1" else unreadable(column, value)
                if reason:
                    yield number, f"{column} {reason}"
        first = rows[-1][0] + 1


async def find_damage(connection: Driver) -> AsyncIterator[Problem]:
    """Check the whole file, or table by table where something in the schema is unknown to this SQLite."""
    try:
        rows = await connection.read_aside(queries.INTEGRITY.bind())
    except DatabaseError as error:
        if type(error) is not DatabaseError:
            raise
    else:
        for problem in _damage("", rows):
            yield problem
        return
    for (table,) in await connection.read(queries.TABLES.bind()):
        try:
            rows = await connection.read_aside(queries.INTEGRITY_OF.bind(table=table))
        except DatabaseError as error:
            if type(error) is not DatabaseError:
                raise
            detail = "its schema needs a function or a collation that this SQLite does not have"
            yield Problem(kind="not checked", table=table, id=None, detail=detail)
        else:
            for problem in _damage(table, rows):
                yield problem


def _damage(table: str, rows: list[Row]) -> Iterator[Problem]:
    for (message,) in rows:
        if message != "ok":
            yield Problem(kind="integrity", table=table, id=None, detail=message)
