"""Copy every row of one database into another, and compare the two."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

import attrs

from memrepo.connection.contract import Driver
from memrepo.domain.checks import HIGHEST_ID, LOWEST_ID
from memrepo.domain.paging import last_id
from memrepo.domain.plain import PlainModel
from memrepo.errors import ConflictError, InvalidInputError, UsageError
from memrepo.queries import copying as queries
from memrepo.queries.statement import BoundStatement
from memrepo.transfer.pages import count_rows, insert_page, match_page, read_page
from memrepo.transfer.slots import taken_slot

__all__ = [
    "CopiedTable",
    "CopyProgress",
    "CopyReport",
    "OnProgress",
    "copy_rows",
    "require_another",
    "require_utf8",
    "say_nothing",
]


@attrs.frozen(kw_only=True)
class CopyProgress:
    """The progress of a copy, an export or an import, which is given to *on_progress* after each page."""

    #: ``copy``, then ``compare`` once all tables are copied; or ``export`` or ``import``.
    step: Literal["copy", "compare", "export", "import"]
    #: The table's name.
    table: str
    #: Rows of the table that are done, including those that the target already had, or that were exported before.
    n_done: int
    #: Rows that the table had when the copy or the export began.
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

    #: ``sessions``, ``memory_entries`` and ``daily_logs``, in this order.
    tables: tuple[CopiedTable, ...]

    @property
    def is_identical(self) -> bool:
        """Whether the target had exactly the rows of the source at the end."""
        return not any(its.n_different or its.n_extra for its in self.tables)


#: Called with the progress. An exception from it ends what is going on.
OnProgress: TypeAlias = Callable[[CopyProgress], None]


@attrs.frozen
class _Plan:
    """The rows of one table to copy: those that it had when the copy began."""

    table: str
    last_id: int
    n_rows: int


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


async def copy_rows(
    source: Driver, target: Driver, on_progress: OnProgress | None, now: str
) -> CopyReport:
    """Copy every row that the source has now, then compare; see `Store.copy_to`."""
    await require_utf8(source, target)
    if (clash := await taken_slot(source, target, now)) is not None:
        raise _conflict("memory_entries", clash.mine, f"fact {clash.theirs} fills its slot there")
    tell = on_progress or say_nothing
    plans = await _plans(source)
    await _keep_numbers(source, target)
    copied = [await _copy_table(source, target, plan, tell) for plan in plans]
    tables = [
        await _compare_table(source, target, plan, n_copied, n_present, tell)
        for plan, (n_copied, n_present) in zip(plans, copied, strict=True)
    ]
    return CopyReport(tables=tuple(tables))


def say_nothing(_progress: CopyProgress) -> None:
    """Do nothing, where nobody asks for progress."""


async def require_utf8(*connections: Driver) -> None:
    """
    Refuse databases with another encoding.

    Raises:
        UsageError: One has one.
    """
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
    refuse = partial(_conflict, plan.table)
    first, n_copied, n_done = LOWEST_ID, 0, 0
    while page := await read_page(source, plan.table, first, plan.last_id):
        match = await match_page(target, plan.table, page, first)
        if match.different:
            raise refuse(min(match.different), "the target has another row with this id")
        missing = [row for row in page if row[0] not in match.same]
        inserted = await insert_page(target, plan.table, missing, refuse)
        if inserted.refused:
            raise refuse(inserted.refused[0], "another row of the target has its id, hash or key")
        n_copied += inserted.n_new
        n_done += len(page)
        first = last_id(page, first - 1) + 1
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
    while page := await read_page(source, plan.table, first, plan.last_id):
        match = await match_page(target, plan.table, page, first)
        n_rows += len(page)
        n_different += len(page) - len(match.same)
        n_extra += match.n_extra
        first = last_id(page, first - 1) + 1
        tell(CopyProgress(step="compare", table=plan.table, n_done=n_rows, n_rows=plan.n_rows))
    if first <= HIGHEST_ID:
        n_extra += await count_rows(target, plan.table, first, HIGHEST_ID)
    return CopiedTable(
        table=plan.table,
        n_rows=n_rows,
        n_copied=n_copied,
        n_present=n_present,
        n_different=n_different,
        n_extra=n_extra,
    )


def _conflict(table: str, number: int, reason: str) -> ConflictError:
    """Return the error of a row that the target cannot take."""
    return ConflictError(f"{table} {number} was not copied: {reason}")
