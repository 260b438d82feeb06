"""`Repository`: the connection, scope and clock that every repository has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

from memrepo.connection.contract import Connection
from memrepo.connection.waiting import list_in_slices
from memrepo.domain.arguments import check_ids
from memrepo.domain.checks import check_instant, check_scope
from memrepo.domain.clock import Clock, utc_now
from memrepo.domain.codec import Row, Value
from memrepo.domain.jsontext import to_compact_json
from memrepo.domain.paging import Page, is_large, to_page
from memrepo.errors import ConstraintError, NotFoundError
from memrepo.queries.statement import Statement

__all__ = ["Repository", "decode_page", "found", "not_found", "read_by_ids", "refuse_session"]

T = TypeVar("T")


class Repository:
    """
    The base class of the three repositories, and of your own: rows of one kind in one scope.

    A method binds values to a `Statement`, runs the `BoundStatement` on `connection`, and decodes each
    row that comes back into a model.
    """

    def __init__(self, connection: Connection, *, scope: str = "", clock: Clock = utc_now) -> None:
        """
        Bind a repository to one owner's rows.

        Args:
            connection: The ``connection`` of a store or of a transaction. Several repositories may
                share it.
            scope: Whose rows; ``""`` is the default scope. At most 255 characters.
            clock: Returns the current instant, with its time zone.

        Raises:
            InvalidInputError: *scope* is not accepted.
        """
        #: What its statements run on.
        self.connection: Connection = connection
        #: Whose rows they are; each statement must be restricted to it.
        self.scope: str = check_scope(scope)
        self._clock = clock

    def now(self) -> datetime:
        """Return the clock's instant, in UTC."""
        instant = self._clock()
        if type(instant) is datetime and instant.tzinfo is UTC:
            return instant
        return check_instant("clock", instant)


async def decode_page(
    rows: list[Row], limit: int, decode: Callable[[Row], T], *, instant: int
) -> Page[T]:
    """Decode the first *limit* of *rows* into a page, a large one in slices; see `to_page`."""
    items = map(decode, rows[:limit])
    return to_page(
        rows, await list_in_slices(items) if is_large(limit) else items, limit, instant=instant
    )


async def read_by_ids(
    connection: Connection,
    get_many: Callable[..., Statement],
    ids: Iterable[int],
    decode: Callable[[Row], T],
    **parameters: Value,
) -> list[T | None]:
    """Read the rows with *ids* by one statement; return a model or ``None`` for each id, in their order."""
    wanted = await list_in_slices(check_ids(ids))
    if not wanted:
        return []
    statement = get_many(is_large=is_large(len(wanted)))
    distinct = to_compact_json([*dict.fromkeys(wanted)])
    rows = await connection.read(statement.bind(ids=distinct, **parameters))
    models = await list_in_slices(map(decode, rows))
    by_id = {row[0]: model for row, model in zip(rows, models, strict=True)}
    return [by_id.get(number) for number in wanted]


def not_found(kind: str, id: int, *, also: str = "") -> NotFoundError:
    """Return the error for an id without a row of this *kind*; *also* adds other possible reasons."""
    return NotFoundError(f"no {kind} with id {id} in this scope{also}")


def found(row: T | None, kind: str, id: int, *, also: str = "") -> T:
    """Return *row*, or raise `not_found`."""
    if row is None:
        raise not_found(kind, id, also=also)
    return row


def refuse_session(error: ConstraintError, kind: str, *sessions: int | None) -> NoReturn:
    """Raise `not_found` for one of *sessions*, if *error* is of the *kind* by which its absence shows; else *error*."""
    ids = {its for its in sessions if its is not None}
    if error.kind != kind or not ids:
        raise error
    if len(ids) > 1:  # the database does not say which
        raise NotFoundError("no session with one of the given ids in this scope") from error
    raise not_found("session", *ids) from error
