"""Copy every row of one database into another, and compare the two."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, TypeAlias

import attrs

from memrepo.connection.contract import Driver
from memrepo.domain.checks import HIGHEST_ID, LOWEST_ID
from memrepo.domain.codec import Row
from memrepo.domain.plain import PlainModel
from memrepo.errors import ConflictError, ConstraintError, InvalidInputError, UsageError
from memrepo.queries import copying as queries
from memrepo.queries.statement import BoundStatement
from memrepo.transfer.rows import insertions

__all__ = [
    "CopiedTable",
    "CopyProgress",
    "CopyReport",
    "OnProgress",
    "copy_rows",
    "require_another",
]

#: Most rows of a page, and the bytes after which it ends: low enough for a server's limits even if the
#: last row is of the largest size.
_PAGE_ROWS: Final = 1_000
_PAGE_BYTES: Final = 1_000_000


@attrs.frozen(kw_only=True)
class CopyProgress:
    """The progress of a copy, which `Store.copy_to` gives to *on_progress* after each page."""

    #: ``copy``, then ``compare`` once all tables are copied.
    step: Literal["copy", "compare"]
    #: The table's name.
    table: str
    #: Rows of the table that are done, including those that the target already had.
    n_done: int
    #: Rows that the table had when the copy began.
    n_rows: int


@attrs.frozen(kw_only=True)
class CopiedTable(PlainModel):
    """The outcome of copying one table."""

    #: The table's name.
    table: str
    #: Rows of the source that were compared at the end.
    n_rows: int
    #: Rows that this call copied.
    n_copied: int
    #: Rows that the target already had.
    n_present: int
    #: Rows of the source that were missing or different in the target at the end, because one of the
    #: two was written during the copy.
    n_different: int
    #: Rows of the target that the source did not have at the end.
    n_extra: int


@attrs.frozen(kw_only=True)
class CopyReport(PlainModel):
    """The outcome of a copy, and how the two databases compared at the end."""

    #: ``memory_entries``, ``sessions`` and ``daily_logs``, in this order.
    tables: tuple[CopiedTable, ...]

    @property
    def is_identical(self) -> bool:
        """Whether the target had exactly the rows of the source at the end."""
        return not any(its.n_different or its.n_extra for its in self.tables)


#: Called with the progress of a copy. An exception from it ends the copy.
OnProgress: TypeAlias = Callable[[CopyProgress], None]


@attrs.frozen
class _Plan:
    """The rows of one table to copy: those that it had when the copy began."""

    table: str
    last_id: int
    n_rows: int


@attrs.frozen
class _Match:
    """What the target has of a page of the source."""

    same: frozenset[int]
    different: frozenset[int]
    n_extra: int


async def require_another(source: Driver, target: Driver) -> None:
    """
    Refuse to copy a database into itself.

    Raises:
        InvalidInputError: Both are one store, one file or one URL.
    """
    if source is not target:
        mine, theirs = await source.info(), await target.info()
        if mine.url is None and theirs.url is None:
            if mine.path is None or theirs.path is None:
                return
            if not await asyncio.to_thread(_is_same_file, mine.path, theirs.path):
                return
        elif mine.url != theirs.url:
            return
    raise InvalidInputError("other", "is the same database")


def _is_same_file(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


async def copy_rows(source: Driver, target: Driver, on_progress: OnProgress | None) -> CopyReport:
    """Copy every row that the source has now, then compare; see `Store.copy_to`."""
    await _require_utf8(source, target)
    tell = on_progress or _say_nothing
    plans = await _plans(source)
    await _keep_numbers(source, target)
    copied = [await _copy_table(source, target, plan, tell) for plan in plans]
    tables = [
        await _compare_table(source, target, plan, n_copied, n_present, tell)
        for plan, (n_copied, n_present) in zip(plans, copied, strict=True)
    ]
    return CopyReport(tables=tuple(tables))


def _say_nothing(_progress: CopyProgress) -> None:
    pass


async def _require_utf8(*connections: Driver) -> None:
    for connection in connections:
        if await connection.read(queries.ENCODING.bind()) != [("UTF-8",)]:
            raise UsageError("only databases whose text is UTF-8 can be copied")


async def _plans(source: Driver) -> list[_Plan]:
    ((*bounds,),) = await source.read(queries.BOUNDS.bind())
    return [
        _Plan(table, LOWEST_ID if last_id is None else last_id, n_rows)
        for table, last_id, n_rows in zip(queries.TABLES, bounds[::2], bounds[1::2], strict=True)
    ]


async def _keep_numbers(source: Driver, target: Driver) -> None:
    """Keep the target from giving a new row an id that the source has ever used."""
    for connection in (source, target):
        if await connection.read(queries.HAS_NUMBERS.bind()) != [(1,)]:
            return
    unit: list[BoundStatement] = []
    for name, seq in await source.read(queries.NUMBERS.bind()):
        if name in queries.TABLES:
            unit += [
                queries.RAISE_NUMBER.bind(name=name, seq=seq),
                queries.ADD_NUMBER.bind(name=name, seq=seq),
            ]
    if unit:
        await target.write(tuple(unit))


# --- tables ------------------------------------------------------------------------------------


async def _copy_table(
    source: Driver, target: Driver, plan: _Plan, tell: OnProgress
) -> tuple[int, int]:
    """Copy the rows that the target lacks; return how many were copied, and how many it already had."""
    first, n_copied, n_done = LOWEST_ID, 0, 0
    while page := await _read(source, plan.table, first, plan.last_id):
        match = await _match(target, plan.table, page, first)
        if match.different:
            raise _conflict(
                plan.table, min(match.different), "the target has another row with this id"
            )
        n_copied += await _insert(
            target, plan.table, [row for row in page if row[0] not in match.same]
        )
        n_done += len(page)
        first = page[-1][0] + 1
        tell(CopyProgress(step="copy", table=plan.table, n_done=n_done, n_rows=plan.n_rows))
    return n_copied, n_done - n_copied


async def _compare_table(
    source: Driver,
    target: Driver,
    plan: _Plan,
    n_copied: int,
    n_present: int,
    tell: OnProgress,
) -> CopiedTable:
    """Read both sides again, row by row."""
    first, n_rows, n_different, n_extra = LOWEST_ID, 0, 0, 0
    while page := await _read(source, plan.table, first, plan.last_id):
        match = await _match(target, plan.table, page, first)
        n_rows += len(page)
        n_different += len(page) - len(match.same)
        n_extra += match.n_extra
        first = page[-1][0] + 1
        tell(CopyProgress(step="compare", table=plan.table, n_done=n_rows, n_rows=plan.n_rows))
    if first <= HIGHEST_ID:
        ((n_beyond,),) = await target.read(queries.count_from(plan.table).bind(first=first))
        n_extra += n_beyond
    return CopiedTable(
        table=plan.table,
        n_rows=n_rows,
        n_copied=n_copied,
        n_present=n_present,
        n_different=n_different,
        n_extra=n_extra,
    )


# --- pages -------------------------------------------------------------------------------------


async def _read(connection: Driver, table: str, first: int, last: int) -> list[Row]:
    if first > last:
        return []
    statement = queries.read(table)
    return await connection.read(
        statement.bind(first=first, last=last, limit=_PAGE_ROWS, size=_PAGE_BYTES)
    )


async def _match(target: Driver, table: str, rows: list[Row], first: int) -> _Match:
    """Look for *rows* among those of the target with ids from *first* to the last of *rows*."""
    wanted = {row[0]: row for row in rows}
    same: set[int] = set()
    different: set[int] = set()
    n_extra, last = 0, rows[-1][0]
    while found := await _read(target, table, first, last):
        for row in found:
            if (mine := wanted.get(row[0])) is None:
                n_extra += 1
            else:
                (same if row == mine else different).add(row[0])
        first = found[-1][0] + 1
    return _Match(frozenset(same), frozenset(different), n_extra)


async def _insert(target: Driver, table: str, rows: list[Row]) -> int:
    """
    Insert *rows*, and return how many of them were new.

    Raises:
        ConflictError: The target cannot take one of them.
    """
    if not rows:
        return 0
    try:
        results = await target.write(tuple(insertions(table, rows)))
    except ConstraintError as error:
        if len(rows) > 1:
            return sum([await _insert(target, table, [row]) for row in rows])
        raise _conflict(table, rows[0][0], f"the target refuses it ({error.kind})") from error
    inserted = {number for result in results for (number,) in result.rows}
    # A row that was skipped has been copied meanwhile, or another row has its id, hash or key.
    if passed_over := [row for row in rows if row[0] not in inserted]:
        match = await _match(target, table, passed_over, passed_over[0][0])
        for row in passed_over:
            if row[0] not in match.same:
                raise _conflict(table, row[0], "another row of the target has its id, hash or key")
    return len(inserted)


def _conflict(table: str, number: int, reason: str) -> ConflictError:
    return ConflictError(f"{table} {number} was not copied: {reason}")
