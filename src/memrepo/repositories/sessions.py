"""`SessionRepo`: conversations with a beginning and an end, one active at a time."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Final, Literal

from memrepo.connection.contract import Connection
from memrepo.connection.waiting import finish, list_in_slices
from memrepo.domain.arguments import check_ids
from memrepo.domain.checks import (
    check_duration,
    check_flag,
    check_id,
    check_name,
    check_text,
    check_tz,
)
from memrepo.domain.clock import Clock, utc_now
from memrepo.domain.codec import SESSION_COLUMNS, Row, Value, to_session
from memrepo.domain.conditions import session_conditions
from memrepo.domain.days import start_of_this_day
from memrepo.domain.instants import encode_bound, encode_instant
from memrepo.domain.jsontext import to_compact_json
from memrepo.domain.paging import DEFAULT_LIMIT, ITERATE_LIMIT, Page, page_parameters, to_page, walk
from memrepo.domain.sessions import IDLE_AFTER, Session, SessionEnd, SessionFilter
from memrepo.errors import (
    ConflictError,
    ConstraintError,
    DatabaseError,
    InvalidInputError,
    MemrepoError,
)
from memrepo.queries import sessions as queries
from memrepo.queries.statement import BoundStatement
from memrepo.repositories.references import find_references, still_referred
from memrepo.repositories.repository import Repository, found, not_found

__all__ = ["SessionRepo"]

_logger = logging.getLogger(__name__)

_ALL: Final = SessionFilter()
#: What may become of the events of a session that is deleted.
_EVENTS: Final = {"delete": queries.DELETE_EVENTS, "keep": queries.RELEASE_EVENTS}
_STARTED_AT: Final = SESSION_COLUMNS.index("started_at")
#: Sorts before every instant: no day boundary.
_NO_DAY: Final = ""


class SessionRepo(Repository):
    """
    The sessions of one scope. At most one is active.

    A session's last activity is its latest event, or its start. One that has been idle for
    ``idle_after`` is abandoned: it is no longer active, and the next `start` or `get_or_start` ends
    it, with the trigger ``timeout``, at its last activity. None ends before its start, whatever the clock
    says: if it was ahead at the start, or has gone back, the session ends at its start.

    Source: ``sessions`` (schema/0001_initial.sql, schema/0002_add_scopes_and_lifecycle.sql).
    """

    def __init__(
        self,
        connection: Connection,
        *,
        scope: str = "",
        clock: Clock = utc_now,
        idle_after: timedelta = IDLE_AFTER,
    ) -> None:
        """
        Bind a repository to one owner's sessions; see `Repository`.

        Args:
            connection: The ``connection`` of a store or of a transaction.
            scope: Whose sessions.
            clock: Returns the current instant.
            idle_after: How long a session may be idle before it is abandoned; 30 minutes by default.
        """
        super().__init__(connection, scope=scope, clock=clock)
        self._idle_after = check_duration("idle_after", idle_after)

    async def start(self, *, end_active: bool = False) -> Session:
        """
        Start a session, and return it.

        Args:
            end_active: End the active session first, with the trigger ``explicit``.

        Raises:
            ConflictError: A session is active, and *end_active* is not given.
        """
        end_first = check_flag("end_active", end_active)
        now = self.now()
        instant = encode_instant(now)
        unit = [self._time_out(now, self._idle_after, _NO_DAY)]
        if end_first:
            unit.append(queries.END_OPEN.bind(scope=self.scope, now=instant))
        unit.append(queries.START.bind(scope=self.scope, now=instant))
        unit.append(queries.NEWEST_OPEN.bind(scope=self.scope))
        *_, started, newest = await self.connection.write(tuple(unit))
        session = self._decode_one(newest.rows, now, self._idle_after)
        if not started.rows:
            raise ConflictError(f"session {session.id} is active: end it, or pass end_active=True")
        return session

    async def get_or_start(
        self, *, idle_after: timedelta | None = None, day_boundary: tzinfo | None = None
    ) -> Session:
        """
        Return the active session; if there is none, start one, and end the abandoned one first.

        Atomic: tasks and processes that call it at once all get the same session.

        Args:
            idle_after: Maximum idle time; the repository's by default (30 minutes). The
                returned status uses it, too.
            day_boundary: A time zone whose midnight also ends sessions, as ``zoneinfo.ZoneInfo("Asia/Tokyo")``
                (zones of pytz are refused, because their days are minutes off); ``None`` for none.
        """
        now = self.now()
        idle = self._idle_after if idle_after is None else check_duration("idle_after", idle_after)
        day_start = _NO_DAY
        if day_boundary is not None:
            tz = check_tz("day_boundary", day_boundary)
            midnight = start_of_this_day("day_boundary", now, tz)
            day_start = encode_bound("day_boundary", midnight)
        *_, newest = await self.connection.write(
            (
                self._time_out(now, idle, day_start),
                queries.START.bind(scope=self.scope, now=encode_instant(now)),
                queries.NEWEST_OPEN.bind(scope=self.scope),
            )
        )
        return self._decode_one(newest.rows, now, idle)

    async def end(
        self, id: int, *, trigger: str = "explicit", summary: str | None = None
    ) -> SessionEnd:
        """
        End a session. Idempotent: if several callers end it, the first one does.

        Args:
            id: The session.
            trigger: Why it ended: ``explicit``, ``timeout``, ``browser_close``, or any text of 1 to 255
                characters.
            summary: A summary of the session; ``None`` keeps the existing one.

        Returns:
            Whether this call ended it, and the session. A session that had ended before is unchanged.

        Raises:
            NotFoundError: No session with this id in this scope.
        """
        place: dict[str, Value] = {"id": check_id("id", id), "scope": self.scope}
        text = None if summary is None else check_text("summary", summary)
        now = self.now()
        ended, after = await self.connection.write(
            (
                queries.END.bind(
                    now=encode_instant(now),
                    end_trigger=check_name("trigger", trigger),
                    summary=text,
                    **place,
                ),
                queries.GET.bind(**place),
            )
        )
        return SessionEnd(
            ended_now=bool(ended.rows), session=found(self._decode(after.rows, now), "session", id)
        )

    @asynccontextmanager
    async def session(self, *, end_active: bool = False) -> AsyncGenerator[Session, None]:
        """
        Start a session for an ``async with`` block, yield it, and end it with the block.

        Its trigger says how the block ended: ``explicit``, ``error`` (an exception) or ``cancelled``.
        A session that the block has ended itself stays as it is. If the block raised and the session
        cannot be ended, because another program holds the lock for too long, the block's exception is
        raised all the same; the session stays open until it is abandoned, and a warning is logged.

        Raises:
            ConflictError: A session is active, and *end_active* is not given.
        """
        session = await self.start(end_active=end_active)
        try:
            yield session
        except BaseException as error:
            trigger = "cancelled" if isinstance(error, CancelledError) else "error"
            try:
                await finish(self.end(session.id, trigger=trigger))
            except MemrepoError as failure:
                _logger.warning("session %d could not be ended: %s", session.id, failure)
            raise
        await finish(self.end(session.id))

    async def summarize(self, id: int, summary: str | None) -> Session:
        """
        Set a session's summary, whether it has ended or not, and return the session.

        Args:
            id: The session.
            summary: What it was about; ``None`` removes the summary that it has.

        Raises:
            NotFoundError: No session with this id in this scope.
        """
        place: dict[str, Value] = {"id": check_id("id", id), "scope": self.scope}
        text = None if summary is None else check_text("summary", summary)
        _, after = await self.connection.write(
            (queries.SUMMARIZE.bind(summary=text, **place), queries.GET.bind(**place))
        )
        return found(self._decode(after.rows, self.now()), "session", id)

    async def delete(self, id: int, *, events: Literal["delete", "keep"] = "delete") -> int:
        """
        Delete a session for good, whatever its status, as one atomic unit.

        Args:
            id: The session.
            events: ``"delete"`` deletes its events, too. ``"keep"`` keeps them, without a session.

        Returns:
            How many events were deleted with it, or kept.

        Raises:
            ConflictError: Rows of another table, or events of another scope, refer to it, or to one of its
                events, by a foreign key; the message names the tables. Nothing was deleted.
            NotFoundError: No session with this id in this scope.
        """
        if not isinstance(events, str) or events not in _EVENTS:
            raise InvalidInputError("events", 'must be "delete" or "keep"')
        number = check_id("id", id)
        place: dict[str, Value] = {"id": number, "scope": self.scope}
        try:
            changed, deleted = await self.connection.write(
                (_EVENTS[events].bind(**place), queries.DELETE.bind(**place))
            )
        except ConstraintError as error:
            if error.kind != "foreign key":
                raise
            tables = await find_references(self.connection, self.scope, number)
            raise still_referred(f"session {id}", tables) from error
        if not deleted.rows:
            raise not_found("session", id)
        return changed.changes

    async def get(self, id: int) -> Session:
        """
        Return the session with this id.

        Raises:
            NotFoundError: No session with this id in this scope.
        """
        return found(await self.find(id), "session", id)

    async def find(self, id: int) -> Session | None:
        """Return the session with this id, or ``None``."""
        return await self._read_one(queries.GET.bind(id=check_id("id", id), scope=self.scope))

    async def get_many(self, ids: Iterable[int]) -> list[Session | None]:
        """
        Return the sessions with these ids, read by one statement.

        Args:
            ids: Any number of ids, in any order; one may occur several times.

        Returns:
            One item for each id, in the order given: the session, or ``None`` where `find` returns
            ``None``. An empty list for no ids.

        Raises:
            InvalidInputError: An id is not accepted; the error's field names it, as in ``ids[3]``.

        Source:
            The primary key.
        """
        wanted = await list_in_slices(check_ids(ids))
        if not wanted:
            return []
        distinct = to_compact_json([*dict.fromkeys(wanted)])
        now = self.now()
        bound = queries.GET_MANY.bind(ids=distinct, scope=self.scope)
        rows = await self.connection.read(bound)
        sessions = await list_in_slices(to_session(row, now, self._idle_after) for row in rows)
        by_id = {session.id: session for session in sessions}
        return [by_id.get(number) for number in wanted]

    async def active(self) -> Session | None:
        """Return the active session, or ``None``. An abandoned session is not active."""
        session = await self._read_one(queries.NEWEST_OPEN.bind(scope=self.scope))
        return session if session is not None and session.status == "active" else None

    async def find_many(
        self, where: SessionFilter = _ALL, *, limit: int = DEFAULT_LIMIT, after: str | None = None
    ) -> Page[Session]:
        """
        Return a page of sessions, the latest started first, ties by the higher id.

        For all sessions, however many there are, use `iterate`: a page ends at *limit*.

        Args:
            where: Which sessions; by default all.
            limit: Most sessions wanted, 1 to 10,000.
            after: The ``next_cursor`` of the page before.

        Returns:
            At most *limit* sessions; an empty page when nothing matches.

        Source:
            The index on (scope, started_at).
        """
        names, parameters = session_conditions(where)
        statement = queries.find_many(names, after=after is not None)
        paging = page_parameters(limit, after)
        bound = statement.bind(scope=self.scope, **parameters, **paging)
        now = self.now()
        rows = await self.connection.read(bound)
        decode = partial(to_session, now=now, idle_after=self._idle_after)
        return to_page(rows, limit, decode, instant=_STARTED_AT)

    def iterate(self, where: SessionFilter = _ALL) -> AsyncIterator[Session]:
        """Yield all sessions of a filter in the order of `find_many`, reading a page at a time."""
        session_conditions(where)
        return walk(lambda after: self.find_many(where, limit=ITERATE_LIMIT, after=after))

    def _time_out(self, now: datetime, idle_after: timedelta, day_start: str) -> BoundStatement:
        try:
            idle_since = encode_instant(now - idle_after)
        except OverflowError:
            raise InvalidInputError("idle_after", "reaches back before the year 1") from None
        return queries.TIME_OUT.bind(scope=self.scope, idle_since=idle_since, day_start=day_start)

    async def _read_one(self, statement: BoundStatement) -> Session | None:
        now = self.now()
        return self._decode(await self.connection.read(statement), now)

    def _decode(self, rows: list[Row], now: datetime) -> Session | None:
        return to_session(rows[0], now, self._idle_after) if rows else None

    def _decode_one(self, rows: list[Row], now: datetime, idle_after: timedelta) -> Session:
        if not rows:
            raise DatabaseError("the database did not start a session")
        return to_session(rows[0], now, idle_after)
