"""`DailyLogRepo`: an append-only log of events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, date, datetime, tzinfo
from typing import Final

import attrs

from memrepo.connection.contract import Result
from memrepo.connection.waiting import list_in_slices
from memrepo.domain.activity import activity_until
from memrepo.domain.arguments import (
    TAKEN_AT_ONCE,
    Event,
    batches,
    encode_each,
    encode_event,
    encode_new_event,
    event_rows,
)
from memrepo.domain.checks import (
    check_date,
    check_flag,
    check_id,
    check_instant,
    check_limit,
    check_name,
    check_tz,
)
from memrepo.domain.codec import (
    DAILY_LOG_COLUMNS,
    Value,
    to_appended,
    to_daily_log,
    to_named_counts,
    to_number,
)
from memrepo.domain.conditions import Conditions, daily_log_conditions
from memrepo.domain.daily_logs import Appended, DailyLog, DailyLogFilter, DailyLogNew
from memrepo.domain.days import day_range, days_around
from memrepo.domain.digest_rows import LENGTHS, to_digest, to_item
from memrepo.domain.digests import DIGEST_LIMIT, Digest
from memrepo.domain.instants import encode_bound, encode_instant, read_dates
from memrepo.domain.jsontext import JsonValue, to_compact_json
from memrepo.domain.paging import (
    DEFAULT_LIMIT,
    ITERATE_LIMIT,
    Page,
    is_large,
    page_parameters,
    walk,
)
from memrepo.domain.search import DEFAULT_HITS, Hit
from memrepo.errors import ConstraintError, DatabaseError, InvalidInputError
from memrepo.queries import daily_logs as queries, digests
from memrepo.repositories.repository import decode_page, found, read_by_ids, refuse_session
from memrepo.repositories.searchable import SearchableRepository
from memrepo.repositories.sources import EVENTS
from memrepo.repositories.spelling import prepare_purge

__all__ = ["DailyLogRepo"]

_ALL: Final = DailyLogFilter()
_TOOL_INVOCATIONS: Final = DailyLogFilter(event_type="tool_invocation")
_TIMESTAMP: Final = DAILY_LOG_COLUMNS.index("timestamp")
_KEY: Final = DAILY_LOG_COLUMNS.index("idempotency_key")


class DailyLogRepo(SearchableRepository):
    """
    The events of one scope. They are appended and deleted, never changed.

    Source: ``daily_logs`` (schema/0001_initial.sql, schema/0002_add_scopes_and_lifecycle.sql).
    """

    async def append(
        self,
        session_id: int | None,
        event_type: str,
        event_data: JsonValue = None,
        *,
        key: str | None = None,
    ) -> Appended:
        """
        Append an event, with the clock's current instant as its timestamp.

        Args:
            session_id: The session it belongs to, or ``None``.
            event_type: What kind of event: 1 to 255 characters.
            event_data: What happened, as JSON: at most 4,000,000 bytes and 500 levels. A str is
                stored as a JSON string, even if its text is JSON; ``None`` stores nothing.
            key: An idempotency key of 1 to 255 characters, unique in the scope.

        Returns:
            The event, and whether it was created. If *key* was used before, it is a duplicate: the event
            that was stored then. It is also one if a server stored it and memrepo had to send it again.

        Raises:
            InvalidInputError: An argument is not accepted.
            NotFoundError: No session with this id in this scope.
        """
        if self._guard is not None:
            event_type, event_data = self._guard.event(event_type, event_data)
            key = None if key is None else self._guard.text("key", key)
        session_id, event_type, data, key = encode_event(session_id, event_type, event_data, key)
        now = encode_instant(self.now())
        new = queries.APPEND if key is None else queries.APPEND_ONCE
        bound = new.bind(
            scope=self.scope,
            session_id=session_id,
            event_type=event_type,
            event_data=data,
            now=now,
            key=key,
        )
        try:
            if key is None:
                (stored,) = await self.connection.write((bound,))
                number = to_number(stored.rows)
                row = (number, session_id, event_type, data, now, self.scope, None)
                return to_appended("created", row)
            by_key = queries.GET_BY_KEY.bind(scope=self.scope, key=key)
            stored, again = await self.connection.write((bound, by_key))
        except ConstraintError as error:
            refuse_session(error, "foreign key", session_id)
        for row in stored.rows:
            return to_appended("created", row)
        for row in again.rows:
            return to_appended("duplicate", row)
        raise DatabaseError("the database did not store the event")

    async def append_many(self, events: Iterable[DailyLogNew]) -> list[Appended]:
        """
        Append any number of events as one atomic unit.

        Those without a timestamp of their own all get the clock's current instant. The values are taken
        when the call takes its first step, of the first 1,000 events in one go; the rest follow while other
        tasks run: do not change them meanwhile.

        Returns:
            One item for each event, in order, as `append` would return it. An empty list for no events.

        Raises:
            InvalidInputError: An item is not accepted; nothing is stored.
            NotFoundError: An event's session is not in this scope; nothing is stored.
        """
        each = encode_each("events", events, DailyLogNew, self._encode)
        encoded = await list_in_slices(each, first=TAKEN_AT_ONCE)
        if not encoded:
            return []
        now = encode_instant(self.now())
        rows = await list_in_slices(event_rows(encoded))
        unit = [
            queries.APPEND_MANY.bind(batch=batch, scope=self.scope, now=now)
            for batch in batches(rows)
        ]
        keys = dict.fromkeys(key for _, _, _, key, _ in encoded if key is not None)
        lookups = [
            queries.GET_BY_KEYS.bind(keys=batch, scope=self.scope)
            for batch in batches(to_compact_json((key,)) for key in keys)
        ]
        try:
            results = await self.connection.write((*unit, *lookups))
        except ConstraintError as error:
            refuse_session(error, "foreign key", *(session_id for session_id, *_ in encoded))
        appended, found = results[: len(unit)], results[len(unit) :]
        stored = _one_each(encoded, appended, found, now=now, scope=self.scope)
        return await list_in_slices(stored)

    async def get(self, id: int) -> DailyLog:
        """
        Return the event with this id.

        Raises:
            NotFoundError: No event with this id in this scope.
        """
        return found(await self.find(id), "event", id)

    async def find(self, id: int) -> DailyLog | None:
        """Return the event with this id, or ``None``."""
        bound = queries.GET.bind(id=check_id("id", id), scope=self.scope)
        rows = await self.connection.read(bound)
        return to_daily_log(rows[0]) if rows else None

    async def find_by_key(self, key: str) -> DailyLog | None:
        """
        Return the event with this idempotency key, or ``None``.

        Source:
            The unique index on (scope, idempotency_key).
        """
        name = check_name("key", key if self._guard is None else self._guard.text("key", key))
        bound = queries.GET_BY_KEY.bind(key=name, scope=self.scope)
        rows = await self.connection.read(bound)
        return to_daily_log(rows[0]) if rows else None

    async def get_many(self, ids: Iterable[int]) -> list[DailyLog | None]:
        """
        Return the events with these ids, read by one statement.

        Args:
            ids: Any number of ids, in any order; one may occur several times.

        Returns:
            One item for each id, in the order given: the event, or ``None`` where `find` returns ``None``.
            An empty list for no ids.

        Raises:
            InvalidInputError: An id is not accepted; the error's field names it, as in ``ids[3]``.

        Source:
            The primary key.
        """
        return await read_by_ids(
            self.connection, queries.get_many, ids, to_daily_log, scope=self.scope
        )

    async def find_many(
        self,
        where: DailyLogFilter = _ALL,
        *,
        limit: int = DEFAULT_LIMIT,
        after: str | None = None,
        newest_first: bool = False,
    ) -> Page[DailyLog]:
        """
        Return a page of events in the order in which they happened, ties by id.

        For all events, however many there are, use `iterate`: a page ends at *limit*.

        Args:
            where: Which events; by default all.
            limit: Most events wanted, 1 to 10,000.
            after: The ``next_cursor`` of the page before, read in the same order.
            newest_first: Return the latest events first instead.

        Returns:
            At most *limit* events; an empty page when nothing matches. An event whose data is not JSON,
            as another program may have stored it, is included and has ``is_broken`` set.

        Source:
            The indexes on (scope, timestamp) and (session_id, timestamp).
        """
        names, parameters = self._conditions(where)
        paging = page_parameters(limit, after)
        statement = queries.find_many(
            names,
            after=after is not None,
            newest_first=check_flag("newest_first", newest_first),
            is_large=is_large(limit),
        )
        bound = statement.bind(scope=self.scope, **parameters, **paging)
        rows = await self.connection.read(bound)
        return await decode_page(rows, limit, to_daily_log, instant=_TIMESTAMP)

    def iterate(
        self, where: DailyLogFilter = _ALL, *, newest_first: bool = False
    ) -> AsyncIterator[DailyLog]:
        """Yield all events of a filter in the order of `find_many`, reading a page at a time."""
        self._conditions(where)
        check_flag("newest_first", newest_first)
        return walk(
            lambda after: self.find_many(
                where, limit=ITERATE_LIMIT, after=after, newest_first=newest_first
            )
        )

    async def recent_tool_invocations(self, *, limit: int = 10) -> list[DailyLog]:
        """
        Return the latest events of the type ``tool_invocation``: what the agent did.

        Args:
            limit: Most events wanted, 1 to 10,000.

        Returns:
            The latest first; an empty list if there are none.
        """
        page = await self.find_many(_TOOL_INVOCATIONS, limit=limit, newest_first=True)
        return list(page)

    async def pop_last(self, where: DailyLogFilter = _ALL) -> DailyLog | None:
        """
        Delete the newest event of a filter, as to undo the last turn, and return it; ``None`` if there is none.

        Newest is what `find_many` returns first with *newest_first*. Of several calls at once, each gets an
        event of its own. The event's session stays as active as it was, and its idempotency key, if it has
        one, can be used again.
        """
        names, parameters = self._conditions(where)
        bound: dict[str, Value] = {"scope": self.scope, **parameters}
        latest = activity_until(self.now())
        keep = queries.keep_before_pop(names).bind(latest=latest, **bound)
        _, popped = await self.connection.write((keep, queries.pop_last(names).bind(**bound)))
        return to_daily_log(popped.rows[0]) if popped.rows else None

    async def count(self, where: DailyLogFilter = _ALL) -> int:
        """Return how many events a filter has; by default, how many there are."""
        names, parameters = self._conditions(where)
        bound = queries.count(names).bind(scope=self.scope, **parameters)
        return to_number(await self.connection.read(bound))

    async def count_by_type(self, where: DailyLogFilter = _ALL) -> dict[str, int]:
        """
        Return how many events of a filter each type has, the most frequent first, ties by name.

        Returns:
            Only types that have events; empty if there are none.
        """
        names, parameters = self._conditions(where)
        bound = queries.count_by_type(names).bind(scope=self.scope, **parameters)
        return to_named_counts(await self.connection.read(bound))

    async def for_day(self, day: date, tz: tzinfo = UTC) -> list[DailyLog]:
        """
        Return all events of a calendar day, in the order in which they happened.

        Args:
            day: The day.
            tz: The time zone of the day. A day on which clocks change has 23 or 25 hours. Zones of pytz are
                refused, because their days are minutes off: use ``zoneinfo.ZoneInfo``.

        Returns:
            However many there are; an empty list if there are none.
        """
        where = DailyLogFilter(day=check_date("day", day), tz=check_tz("tz", tz))
        return [event async for event in self.iterate(where)]

    async def digest(self, day: date, tz: tzinfo = UTC, *, limit: int = DIGEST_LIMIT) -> Digest:
        """
        Return the arc of a calendar day: its sessions, new facts, topics, failures, tools and user states.

        What is not JSON, or has no such data as the type of an event should have, is counted, and told as far as it
        can be. Texts are cut after 2,000 characters; of an event whose data is longer, only its time is told.

        Args:
            day: The day.
            tz: Its time zone, as in `for_day`.
            limit: Most items of each kind, 1 to 10,000; the latest are taken, and all are counted.

        Returns:
            Data, which `Digest.to_markdown` writes as text. A session is of the day if it started or had an event
            on it, a fact if it was first remembered on it. Of facts that are forgotten, expired or superseded
            by now, only the number is told.

        Source:
            The indexes on (scope, timestamp), (scope, started_at), (scope, created_at) and (scope, deleted_at),
            by one statement. 10,000 events take about 0.1 s, during which other calls go on.
        """
        zone = check_tz("tz", tz)
        start, end = day_range(check_date("day", day), zone)
        now = self.now()
        bound = digests.day().bind(
            scope=self.scope,
            start=encode_bound("day", start),
            end=encode_bound("day", end),
            now=encode_instant(now),
            latest=activity_until(now),
            limit=check_limit(limit),
            **LENGTHS,
        )
        rows = await self.connection.read(bound)
        items = await list_in_slices(to_item(row, now) for row in rows)
        return to_digest(items, scope=self.scope, day=day, tz=zone)

    async def search(
        self, text: str, *, where: DailyLogFilter = _ALL, limit: int = DEFAULT_HITS
    ) -> list[Hit[DailyLog]]:
        """
        Return the events whose data is most relevant to a question, or to some words.

        The text of an event is all texts in its data, without the keys. An event is relevant as a fact is
        for `MemoryRepo.search`; events of the same session stand beside each other.

        Args:
            text: Any text; of the words in its first 4,000 characters, the first 50 that say something.
            where: Which events.
            limit: Most hits wanted, 1 to 1,000.

        Returns:
            The most relevant first, in a stable order; an empty list if no event has any of the words.
        """
        conditions = self._conditions(where)
        return await self._search(EVENTS, text, conditions, limit, self.now()).hits()

    async def count_by_day(self, tz: tzinfo = UTC) -> dict[date, int]:
        """
        Return how many events each calendar day of *tz* has, the earliest day first.

        Returns:
            Only days that have events, without the first and the last day of the calendar, 0001-01-01 and
            9999-12-31; empty if there are none.
        """
        zone = check_tz("tz", tz)
        rows = await self.connection.read(queries.DAYS.bind(scope=self.scope))
        days = days_around(read_dates(row[0] for row in rows))
        ranges = [[encode_bound("day", end) for end in day_range(day, zone)] for day in days]
        bound = queries.COUNT_BY_DAY.bind(scope=self.scope, days=json.dumps(ranges))
        counts = [row[0] for row in await self.connection.read(bound)]
        return {day: count for day, count in zip(days, counts, strict=True) if count}

    async def delete(self, id: int) -> DailyLog:
        """
        Delete an event for good, and return it as it was.

        Its idempotency key, if it has one, can be used again.

        Raises:
            ConstraintError: A row of another table refers to it by a foreign key.
            NotFoundError: No event with this id in this scope.
        """
        bound: dict[str, Value] = {"id": check_id("id", id), "scope": self.scope}
        keep = queries.KEEP_BEFORE_DELETE.bind(latest=activity_until(self.now()), **bound)
        _, result = await self.connection.write((keep, queries.DELETE.bind(**bound)))
        return found(to_daily_log(result.rows[0]) if result.rows else None, "event", id)

    async def delete_many(self, where: DailyLogFilter, *, dry_run: bool = False) -> int:
        """
        Delete for good the events of a filter, as one atomic unit.

        By a range or a day, an event with an instant that cannot be read stays; other programs' instants get memrepo's
        spelling first, by a dry run, too, unless the store is read-only.

        Args:
            where: Which events; at least one condition. For all of a scope there is `ScopedStore.erase`.
            dry_run: Only count them.

        Returns:
            How many events were deleted, or with *dry_run* would be.

        Raises:
            ConstraintError: A row of another table refers to one of them by a foreign key.
            InvalidInputError: The filter has no condition, or one that is not accepted.
        """
        names, parameters = self._conditions(where)
        if not names:
            raise InvalidInputError("where", "must have a condition: it would delete every event")
        check_flag("dry_run", dry_run)
        if names & queries.BY_TIME:
            await prepare_purge(self.connection, "daily_logs", dry_run=dry_run)
        if dry_run:
            counting = queries.count_deletable(names).bind(scope=self.scope, **parameters)
            return to_number(await self.connection.read(counting))
        bound: dict[str, Value] = {"scope": self.scope, **parameters}
        latest = activity_until(self.now())
        keep = queries.keep_before_delete_many(names).bind(latest=latest, **bound)
        # One unit, so that no event is deleted that was not there when the activity of its session was kept.
        _, deleted = await self.connection.write((keep, queries.delete_many(names).bind(**bound)))
        return deleted.changes

    async def purge(self, before: datetime, *, dry_run: bool = False) -> int:
        """
        Delete for good the events of this scope that happened before an instant.

        A session that is open goes by the activity that it had, even if its events are gone: it does not
        become abandoned. An event with an instant that cannot be read stays. Other programs' instants get memrepo's spelling
        first, by a dry run, too, unless the store is read-only.

        Returns:
            How many events were deleted, or with *dry_run* would be.
        """
        bound: dict[str, Value] = {
            "scope": self.scope,
            "before": encode_bound("before", check_instant("before", before)),
        }
        await prepare_purge(self.connection, "daily_logs", dry_run=check_flag("dry_run", dry_run))
        if dry_run:
            return to_number(await self.connection.read(queries.COUNT_PURGEABLE.bind(**bound)))
        keep = queries.KEEP_BEFORE_PURGE.bind(latest=activity_until(self.now()), **bound)
        _, purged = await self.connection.write((keep, queries.PURGE.bind(**bound)))
        return purged.changes

    def _conditions(self, where: DailyLogFilter) -> Conditions:
        conditions = daily_log_conditions(where)
        if where.thread is not None:
            conditions.parameters["thread"] = self._thread(where.thread)
        return conditions

    def _encode(self, new: DailyLogNew) -> Event:
        if self._guard is not None:
            event_type, event_data = self._guard.event(new.event_type, new.event_data)
            key = None if new.key is None else self._guard.text("key", new.key)
            new = attrs.evolve(new, event_type=event_type, event_data=event_data, key=key)
        return encode_new_event(new)


def _one_each(
    events: Iterable[Event],
    appended: Iterable[Result],
    found: Iterable[Result],
    *,
    now: str,
    scope: str,
) -> Iterator[Appended]:
    new = [row for result in appended for row in result.rows]
    new_keys = {key for _, key in new}
    # Ids grow in the order of the events, but SQLite returns rows in any order.
    new_ids = iter(sorted(number for number, key in new if key is None))
    by_key = {row[_KEY]: row for result in found for row in result.rows}
    for session_id, event_type, data, key, time in events:
        if key is None:
            new_row = (next(new_ids), session_id, event_type, data, time or now, scope, None)
            yield to_appended("created", new_row)
        else:
            is_new = key in new_keys
            new_keys.discard(key)
            yield to_appended("created" if is_new else "duplicate", by_key[key])
