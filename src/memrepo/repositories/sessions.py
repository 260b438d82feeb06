"""`SessionRepo`: conversations with a beginning and an end, one active in each thread."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Final, Literal

from memrepo.connection.contract import Connection
from memrepo.connection.waiting import finish, list_in_slices
from memrepo.domain.activity import activity_until, activity_window
from memrepo.domain.carry_over import (
    NOTHING,
    CarryOver,
    CarryOverDraft,
    CountTokens,
    estimate_tokens,
)
from memrepo.domain.checks import (
    check_duration,
    check_flag,
    check_function,
    check_id,
    check_limit,
    check_name,
    check_text,
    check_tz,
)
from memrepo.domain.clock import Clock, utc_now
from memrepo.domain.codec import SESSION_COLUMNS, Row, Value, to_number, to_session
from memrepo.domain.conditions import Conditions, session_conditions
from memrepo.domain.daily_logs import DailyLogFilter
from memrepo.domain.days import start_of_this_day
from memrepo.domain.digest_rows import LENGTHS, to_digest, to_item
from memrepo.domain.digests import DIGEST_LIMIT, Digest
from memrepo.domain.guard import OnRemember
from memrepo.domain.instants import NO_INSTANT, encode_bound, encode_instant, parse_instant
from memrepo.domain.paging import (
    DEFAULT_LIMIT,
    ITERATE_LIMIT,
    Page,
    is_large,
    page_parameters,
    walk,
)
from memrepo.domain.search import DEFAULT_HITS, Hit
from memrepo.domain.sessions import IDLE_AFTER, Session, SessionEnd, SessionFilter
from memrepo.domain.threads import ThreadInfo, to_thread
from memrepo.errors import (
    ConflictError,
    ConstraintError,
    DatabaseError,
    InvalidInputError,
    MemrepoError,
    NotFoundError,
)
from memrepo.index.index import SearchIndex
from memrepo.queries import digests, sessions as queries, threads
from memrepo.repositories.daily_logs import DailyLogRepo
from memrepo.repositories.references import find_references, still_referred
from memrepo.repositories.repository import decode_page, found, not_found, read_by_ids
from memrepo.repositories.searchable import SearchableRepository
from memrepo.repositories.sources import summaries

__all__ = ["SessionRepo"]

_logger = logging.getLogger(__name__)

_ALL: Final = SessionFilter()
#: What may become of the events of a session that is deleted.
_EVENTS: Final = {"delete": queries.DELETE_EVENTS, "keep": queries.RELEASE_EVENTS}
_STARTED_AT: Final = SESSION_COLUMNS.index("started_at")
#: Sessions that are ended in one unit.
_BATCH: Final = 500
#: Events that are read at a time, until no more fit into what is carried over.
_CARRIED_PAGE: Final = 50


class SessionRepo(SearchableRepository):
    """
    The sessions of one scope. At most one is active in each thread.

    A thread is the caller's own name for a conversation that goes on from session to session, such as the id
    that a web client has for it: 1 to 255 characters, or ``""``, the default thread.

    A session's last activity is its latest event, its resumption or its start, whichever is the latest. One
    that has been idle for ``idle_after`` is abandoned: it is no longer active, and the next `start` or
    `get_or_start` of its thread ends it, with the trigger ``timeout``, at its last activity. None ends
    before its start, whatever the clock says: if it was ahead at the start, or has gone back, the session
    ends at its start. Activity more than a minute ahead of the clock is not counted.

    Source: ``sessions`` (schema/0001_initial.sql, schema/0002_add_scopes_and_lifecycle.sql,
    schema/0005_add_threads.sql).
    """

    def __init__(
        self,
        connection: Connection,
        *,
        scope: str = "",
        clock: Clock = utc_now,
        idle_after: timedelta = IDLE_AFTER,
        index: SearchIndex | None = None,
        on_remember: OnRemember | None = None,
    ) -> None:
        """
        Bind a repository to one owner's sessions; see `Repository`.

        Args:
            connection: The ``connection`` of a store or of a transaction.
            scope: Whose sessions.
            clock: Returns the current instant.
            idle_after: How long a session may be idle before it is abandoned; 30 minutes by default.
            index: As in `MemoryRepo`.
            on_remember: The guard; see `connect`.
        """
        super().__init__(connection, scope=scope, clock=clock, index=index, on_remember=on_remember)
        self._idle_after = check_duration("idle_after", idle_after)

    async def start(self, thread: str = "", *, end_active: bool = False) -> Session:
        """
        Start a session, and return it.

        Args:
            thread: The conversation that it belongs to.
            end_active: End the thread's active session first, with the trigger ``explicit``.

        Raises:
            ConflictError: A session is active in the thread, and *end_active* is not given.
        """
        place = self._place(thread)
        end_first = check_flag("end_active", end_active)
        now = self.now()
        instant = encode_instant(now)
        window = activity_window(now, self._idle_after)
        unit = [queries.TIME_OUT.bind(**place, **window)]
        if end_first:
            unit.append(queries.END_OPEN.bind(**place, now=instant))
        unit.append(queries.START.bind(**place, now=instant))
        unit.append(queries.NEWEST_OPEN.bind(**place, latest=window["latest"]))
        *_, started, newest = await self.connection.write(tuple(unit))
        session = self._decode_one(newest.rows, now, self._idle_after)
        if not started.rows:
            raise ConflictError(f"session {session.id} is active: end it, or pass end_active=True")
        return session

    async def get_or_start(
        self,
        thread: str = "",
        *,
        idle_after: timedelta | None = None,
        day_boundary: tzinfo | None = None,
    ) -> Session:
        """
        Return a thread's active session; if there is none, start one, and end the abandoned one first.

        Atomic: tasks and processes that call it at once for one thread all get the same session.

        Args:
            thread: The conversation.
            idle_after: Maximum idle time; the repository's by default (30 minutes). The
                returned status uses it, too.
            day_boundary: A time zone whose midnight also ends sessions, as ``zoneinfo.ZoneInfo("Asia/Tokyo")``
                (zones of pytz are refused, because their days are minutes off); ``None`` for none.
        """
        place = self._place(thread)
        now = self.now()
        idle = self._idle(idle_after)
        window = activity_window(now, idle)
        if day_boundary is not None:
            tz = check_tz("day_boundary", day_boundary)
            midnight = start_of_this_day("day_boundary", now, tz)
            day_start = encode_bound("day_boundary", midnight)
            window["active_from"] = max(window["active_from"], day_start)
        *_, newest = await self.connection.write(
            (
                queries.TIME_OUT.bind(**place, **window),
                queries.START.bind(**place, now=encode_instant(now)),
                queries.NEWEST_OPEN.bind(**place, latest=window["latest"]),
            )
        )
        return self._decode_one(newest.rows, now, idle)

    async def end(
        self, id: int, *, trigger: str = "explicit", summary: str | None = None
    ) -> SessionEnd:
        """
        End a session. Idempotent: if several callers end it, the first one does.

        It ends now; with the trigger ``timeout``, it ends at its last activity.

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
        if self._guard is not None:
            trigger = self._guard.text("trigger", trigger)
        text = self._summary(summary)
        now = self.now()
        latest = activity_until(now)
        said: dict[str, Value] = {"end_trigger": check_name("trigger", trigger), "summary": text}
        if trigger == "timeout":
            end = queries.END_AT_LAST_ACTIVITY.bind(latest=latest, **said, **place)
        else:
            end = queries.END.bind(now=encode_instant(now), **said, **place)
        ended, after = await self.connection.write((end, queries.GET.bind(latest=latest, **place)))
        return SessionEnd(
            ended_now=bool(ended.rows), session=found(self._decode(after.rows, now), "session", id)
        )

    async def end_abandoned(self, *, idle_after: timedelta | None = None) -> int:
        """
        End the abandoned sessions of all threads, with the trigger ``timeout``, at their last activity.

        500 at a time, each time atomically: an interrupted call has ended some of them, and the next one
        ends the rest. Nothing needs it: abandoned sessions are not active either way.

        Args:
            idle_after: How long a session must have been idle; the repository's by default (30 minutes).

        Returns:
            How many sessions were ended. `unsummarized` says which of them need a summary.
        """
        window = activity_window(self.now(), self._idle(idle_after))
        bound = queries.END_ABANDONED.bind(scope=self.scope, limit=_BATCH, **window)
        n_ended = 0
        while True:
            (result,) = await self.connection.write((bound,))
            n_ended += result.changes
            if result.changes < _BATCH:
                return n_ended

    async def resume(self, id: int) -> Session:
        """
        Open a session again, so that its conversation goes on, and return it, active.

        When and why it had ended is removed. Its summary stays until another one is set, although it says nothing
        of what follows: give a new one when the session ends again. A session that has not ended stays open, and
        is active from now on, even if it was abandoned.

        Raises:
            NotFoundError: No session with this id in this scope.
            ConflictError: Another session of its thread is active, which the message names.
        """
        place: dict[str, Value] = {"id": check_id("id", id), "scope": self.scope}
        now = self.now()
        window = activity_window(now, self._idle_after)
        _, resumed, after, beside = await self.connection.write(
            (
                queries.TIME_OUT_BESIDE.bind(**place, **window),
                queries.RESUME.bind(**place, now=encode_instant(now)),
                queries.GET.bind(**place, latest=window["latest"]),
                queries.OPEN_BESIDE.bind(**place),
            )
        )
        session = found(self._decode(after.rows, now), "session", id)
        if not resumed.rows:
            raise ConflictError(
                f"session {beside.rows[0][0]} is active in its thread: end it first"
            )
        return session

    @asynccontextmanager
    async def session(
        self, thread: str = "", *, end_active: bool = False
    ) -> AsyncGenerator[Session, None]:
        """
        Start a session for an ``async with`` block, yield it, and end it with the block.

        Its trigger says how the block ended: ``explicit``, ``error`` (an exception) or ``cancelled``.
        A session that the block has ended itself stays as it is, and one that it has deleted stays deleted. If
        the block raised and the session cannot be ended, because another program holds the lock for too long, the
        block's exception is raised all the same; the session stays open until it is abandoned, and a warning is
        logged.

        Args:
            thread: The conversation that it belongs to.
            end_active: End the thread's active session first, with the trigger ``explicit``.

        Raises:
            ConflictError: A session is active in the thread, and *end_active* is not given.
        """
        session = await self.start(thread, end_active=end_active)
        try:
            yield session
        except BaseException as error:
            trigger = "cancelled" if isinstance(error, CancelledError) else "error"
            try:
                await self._end_with_its_block(session.id, trigger)
            except MemrepoError as failure:
                _logger.warning("session %d could not be ended: %s", session.id, failure)
            raise
        await self._end_with_its_block(session.id, "explicit")

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
        text = self._summary(summary)
        now = self.now()
        get = queries.GET.bind(latest=activity_until(now), **place)
        _, after = await self.connection.write((queries.SUMMARIZE.bind(summary=text, **place), get))
        return found(self._decode(after.rows, now), "session", id)

    async def delete(self, id: int, *, events: Literal["delete", "keep"] = "delete") -> int:
        """
        Delete a session for good, whatever its status, as one atomic unit.

        Facts that were learnt in it stay, and have no session then.

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
        number = check_id("id", id)
        now = self.now()
        bound = queries.GET.bind(id=number, scope=self.scope, latest=activity_until(now))
        return self._decode(await self.connection.read(bound), now)

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
        now = self.now()
        decode = partial(to_session, now=now, idle_after=self._idle_after)
        place: dict[str, Value] = {"scope": self.scope, "latest": activity_until(now)}
        return await read_by_ids(self.connection, queries.get_many, ids, decode, **place)

    async def active(self, thread: str = "") -> Session | None:
        """Return the active session of a thread, or ``None``. An abandoned session is not active."""
        now = self.now()
        bound = queries.ACTIVE.bind(**self._place(thread), **activity_window(now, self._idle_after))
        return self._decode(await self.connection.read(bound), now)

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
            The index on (scope, started_at), or one of its kind for a thread, for open sessions, or for those
            without a summary.
        """
        now = self.now()
        return await self._page(self._conditions(where, now), now, limit=limit, after=after)

    def iterate(self, where: SessionFilter = _ALL) -> AsyncIterator[Session]:
        """Yield all sessions of a filter in the order of `find_many`, reading a page at a time."""
        self._conditions(where, self.now())
        return walk(lambda after: self.find_many(where, limit=ITERATE_LIMIT, after=after))

    async def count(self, where: SessionFilter = _ALL) -> int:
        """Return how many sessions `find_many` would give without a limit."""
        names, parameters = self._conditions(where, self.now())
        bound = queries.count(names).bind(scope=self.scope, **parameters)
        return to_number(await self.connection.read(bound))

    async def threads(
        self, *, limit: int = DEFAULT_LIMIT, after: str | None = None
    ) -> Page[ThreadInfo]:
        """
        Return a page of the threads that have a session, as a list of an owner's conversations shows them.

        For all threads, however many there are, use `iterate_threads`.

        Args:
            limit: Most threads wanted, 1 to 10,000.
            after: The ``next_cursor`` of the page before.

        Returns:
            At most *limit* threads, first the one in which a session was started last; an empty page if there is
            no session.

        Source:
            The indexes on (scope, started_at) and (scope, thread, started_at). A page reads the sessions that were
            started since the last of its threads' last ones.
        """
        now = self.now()
        statement = threads.page(after=after is not None)
        parameters = page_parameters(limit, after)
        bound = statement.bind(scope=self.scope, latest=activity_until(now), **parameters)
        rows = await self.connection.read(bound)
        decode = partial(to_thread, now=now, idle_after=self._idle_after)
        return await decode_page(rows, limit, decode, instant=_STARTED_AT)

    def iterate_threads(self) -> AsyncIterator[ThreadInfo]:
        """Yield all threads in the order of `threads`, reading a page at a time."""
        return walk(lambda after: self.threads(limit=ITERATE_LIMIT, after=after))

    async def search(
        self, text: str, *, where: SessionFilter = _ALL, limit: int = DEFAULT_HITS
    ) -> list[Hit[Session]]:
        """
        Return the sessions whose summary is most relevant to a question, or to some words.

        Args:
            text: Any text; of the words in its first 4,000 characters, the first 50 that say something.
            where: Which sessions.
            limit: Most hits wanted, 1 to 1,000.

        Returns:
            The most relevant first, in a stable order; an empty list if no summary has any of the words.
        """
        now = self.now()
        source = summaries(now, self._idle_after)
        return await self._search(source, text, self._conditions(where, now), limit, now).hits()

    async def unsummarized(
        self, min_events: int = 15, *, limit: int = DEFAULT_LIMIT, after: str | None = None
    ) -> Page[Session]:
        """
        Return a page of the sessions that need a summary, in the order of `find_many`.

        Those that have ended or are abandoned, without a summary, in all threads. Have a model read their
        events, and give what it says to `summarize`.

        Args:
            min_events: How many events a session must have; a shorter one needs no summary.
            limit: Most sessions wanted, 1 to 10,000.
            after: The ``next_cursor`` of the page before. It stays valid while sessions are summarized.

        Returns:
            At most *limit* sessions; an empty page when there are none.

        Source:
            The partial index on (scope, started_at) of sessions without a summary.
        """
        n_skipped = check_id("min_events", min_events) - 1
        now = self.now()
        names = frozenset({"not_summarized", "over", "min_events"})
        window = activity_window(now, self._idle_after)
        conditions = Conditions(names, {"n_skipped": n_skipped, **window})
        return await self._page(conditions, now, limit=limit, after=after)

    async def carry_over(
        self,
        thread: str = "",
        *,
        max_tokens: int = 2_000,
        count_tokens: CountTokens | None = None,
    ) -> CarryOver:
        """
        Return what the next conversation of a thread should know of the last one, as data and as text.

        The last one is the session that was started or resumed last, has ended or is abandoned, and has a
        summary or an event. What there is of it is its summary; without one, or if it does not fit, the last
        of its events; if it was resumed, and got no summary since, both the one that it had and the events since.

        The text is the same each time, and needs no model: the summary as it is, and a line for each event, with
        its instant, its type and its data as JSON, the latest last. Only whole events are in it, the latest
        that fit; of one that alone is longer than *max_tokens*, only its instant and its type, and that it is too
        long. It holds what users and tools have said: tell your model so.

        Args:
            thread: The conversation.
            max_tokens: Most tokens of the text.
            count_tokens: Returns how many tokens a text has. It is called with one line at a time, on the
                event loop, so it must be quick. ``None`` takes four characters for a token.

        Returns:
            What fits; if there was no last conversation, ``session`` is ``None`` and ``text`` is ``""``.

        Raises:
            InvalidInputError: An argument is not accepted, or *count_tokens* returned something else than a
                number of tokens.
        """
        place = self._place(thread)
        check_id("max_tokens", max_tokens)
        count = estimate_tokens if count_tokens is None else count_tokens
        check_function("count_tokens", count)
        now = self.now()
        bound = queries.LAST.bind(**place, **activity_window(now, self._idle_after))
        rows = await self.connection.read(bound)
        if not rows:
            return NOTHING
        *row, summarized_until = rows[0]
        session = to_session(tuple(row), now, self._idle_after)
        draft = CarryOverDraft(session, max_tokens, count)
        since = None
        if has_summary := draft.take_summary():
            with suppress(*NO_INSTANT):
                since = parse_instant(summarized_until)
        if since is not None or not has_summary:
            where = DailyLogFilter(session_id=session.id, timestamp_from=since)
            await self._take_events(draft, where)
        return draft.finish()

    async def digest(self, id: int, tz: tzinfo = UTC, *, limit: int = DIGEST_LIMIT) -> Digest:
        """
        Return the arc of a session, as `DailyLogRepo.digest` does that of a day.

        Its facts are those that were first remembered, in its scope, from its start to its end: also those of a
        session of another thread at the same time. While it has no end, they are those until now, or until its
        last activity if it is abandoned.

        Args:
            id: The session.
            tz: The time zone of the times in `Digest.to_markdown`.
            limit: Most items of each kind, 1 to 10,000; the latest are taken, and all are counted.

        Raises:
            NotFoundError: No session with this id in this scope.

        Source:
            The indexes on (session_id, timestamp), (scope, created_at) and (scope, deleted_at), by one statement.
        """
        zone = check_tz("tz", tz)
        now = self.now()
        bound = digests.session().bind(
            id=check_id("id", id),
            scope=self.scope,
            now=encode_instant(now),
            limit=check_limit(limit),
            **activity_window(now, self._idle_after),
            **LENGTHS,
        )
        rows = await self.connection.read(bound)
        items = await list_in_slices(to_item(row, now) for row in rows)
        digest = to_digest(items, scope=self.scope, day=None, tz=zone)
        if not digest.sessions:
            raise not_found("session", id)
        return digest

    async def _end_with_its_block(self, id: int, trigger: str) -> None:
        # It may have been deleted, also together with everything of its owner.
        with suppress(NotFoundError):
            await finish(self.end(id, trigger=trigger))

    async def _take_events(self, draft: CarryOverDraft, where: DailyLogFilter) -> None:
        logs = DailyLogRepo(self.connection, scope=self.scope, clock=self._clock)
        after = None
        while True:
            page = await logs.find_many(where, limit=_CARRIED_PAGE, after=after, newest_first=True)
            if not all(map(draft.take_event, page)) or page.next_cursor is None:
                return
            after = page.next_cursor

    async def _page(
        self, conditions: Conditions, now: datetime, *, limit: int, after: str | None
    ) -> Page[Session]:
        values = conditions.parameters | page_parameters(limit, after)
        names, has_cursor = conditions.names, after is not None
        statement = queries.find_many(names, after=has_cursor, is_large=is_large(limit))
        bound = statement.bind(scope=self.scope, **values | {"latest": activity_until(now)})
        rows = await self.connection.read(bound)
        decode = partial(to_session, now=now, idle_after=self._idle_after)
        return await decode_page(rows, limit, decode, instant=_STARTED_AT)

    def _summary(self, summary: str | None) -> str | None:
        if summary is None:
            return None
        text = summary if self._guard is None else self._guard.text("summary", summary)
        return check_text("summary", text)

    def _conditions(self, where: SessionFilter, now: datetime) -> Conditions:
        conditions = session_conditions(where, now, self._idle_after)
        if where.thread is not None:
            conditions.parameters["thread"] = self._thread(where.thread)
        return conditions

    def _place(self, thread: str) -> dict[str, Value]:
        return {"scope": self.scope, "thread": self._thread(thread)}

    def _idle(self, idle_after: timedelta | None) -> timedelta:
        return self._idle_after if idle_after is None else check_duration("idle_after", idle_after)

    def _decode(self, rows: list[Row], now: datetime) -> Session | None:
        return to_session(rows[0], now, self._idle_after) if rows else None

    def _decode_one(self, rows: list[Row], now: datetime, idle_after: timedelta) -> Session:
        if not rows:
            raise DatabaseError("the database did not start a session")
        return to_session(rows[0], now, idle_after)
