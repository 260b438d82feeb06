"""`ThreadItems`: the data of a thread's events of one type, as a list that grows and shrinks at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final, cast

from memrepo.connection.waiting import list_in_slices
from memrepo.domain.activity import activity_window
from memrepo.domain.arguments import BATCH_LENGTH, TAKEN_AT_ONCE, batches
from memrepo.domain.checks import MAX_LIMIT, check_json, check_name
from memrepo.domain.codec import Row, Value
from memrepo.domain.daily_logs import DailyLogFilter
from memrepo.domain.guard import Guard
from memrepo.domain.instants import NO_INSTANT, encode_instant, parse_instant
from memrepo.domain.jsontext import JsonValue, decode_many, encode_json, to_compact_json
from memrepo.domain.paging import is_large, page_parameters, to_page
from memrepo.errors import InvalidInputError
from memrepo.queries import sessions, thread_items as queries
from memrepo.repositories.scopes import Repositories
from memrepo.repositories.searchable import SearchableRepository

__all__ = ["ThreadItems"]

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_DATA, _TIMESTAMP = 1, 2
#: Items that are decoded before other tasks run, which takes a fifth of a millisecond.
_SLICE: Final = 500


class ThreadItems(SearchableRepository):
    """
    The items of a thread: objects, each of them the data of an event of one type.

    For what keeps a conversation as a list. It makes no models, so that it reads and adds in half of the time.
    """

    def __init__(self, store: Repositories, thread: str, event_type: str) -> None:
        """
        Bind it to a thread of a store, or of a transaction.

        Raises:
            InvalidInputError: *thread* or *event_type* is no text of 1 to 255 characters.
        """
        settings = store._settings  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001 - of this package
        super().__init__(
            store.connection,
            scope=store.scope,
            clock=settings.clock,
            on_remember=settings.on_remember,
        )
        self._idle_after = settings.idle_after
        self._log = store.daily_logs
        self._name = check_name("thread", thread)
        self._type = check_name("event_type", event_type)
        self._where = DailyLogFilter(thread=thread, event_type=event_type)
        #: The time of the latest item that was read or added here.
        self._latest = _LONG_AGO

    async def read(self, most: int | None = None) -> list[dict[str, JsonValue]]:
        """
        Return the items in the order in which they were added; an empty list if there are none.

        Data that is no object, as another program may have stored it, is left out.

        Args:
            most: Only the latest, this many at most; ``None`` for all.

        Source:
            The index on (session_id, timestamp), by one read unless the thread has none, or more than 10,000 events.
        """
        if most is None and (items := await self._read_all()):
            return items
        found: list[dict[str, JsonValue]] = []
        cursor: str | None = None
        while most is None or len(found) < most:
            n_left = MAX_LIMIT if most is None else min(most - len(found), MAX_LIMIT)
            rows = await self._read_page(n_left, cursor)
            found += await _objects([row[_DATA] for row in rows[:n_left]])
            cursor = to_page(rows, (), n_left, instant=_TIMESTAMP).next_cursor
            if cursor is None:
                break
        return found[::-1]

    async def _read_all(self) -> list[dict[str, JsonValue]]:
        """Return all items, in their order; none if they may be more than a page."""
        rows = await self.connection.read(queries.ALL.bind(most=MAX_LIMIT, **self._place()))
        for _, timestamp in rows[-1:]:
            self._note(timestamp)
        return await _objects([data for data, _ in rows])

    async def _read_page(self, limit: int, after: str | None) -> list[Row]:
        statement = queries.latest(after=after is not None, is_large=is_large(limit))
        bound = statement.bind(**self._place(), **page_parameters(limit, after))
        rows = await self.connection.read(bound)
        for row in rows[:1]:
            self._note(row[_TIMESTAMP])
        return rows

    def _note(self, timestamp: Value) -> None:
        """Take note of the time of an item, after which those will be that are added here."""
        with suppress(*NO_INSTANT):
            self._latest = max(self._latest, parse_instant(timestamp))

    async def add(self, items: Sequence[object]) -> None:
        """
        Add items to the end, all of them or none, to the thread's active session; one is started if there is none.

        They come after all that was read or added here before, whatever the clock says.

        Raises:
            InvalidInputError: An item is not accepted, which the error names as in ``items[3]``; nothing is stored.
        """
        if not items:
            return
        batches = await list_in_slices(self._batches(tuple(items)), size=1)
        now = self.now()
        # If the clock was set back, the items would stand before those that they answer.
        self._latest = max(self._latest, now)
        place = self._place()
        thread = {name: place[name] for name in ("scope", "thread")}
        timestamp = encode_instant(self._latest)
        await self.connection.write(
            (
                sessions.TIME_OUT.bind(**thread, **activity_window(now, self._idle_after)),
                sessions.START.bind(**thread, now=encode_instant(now)),
                *(queries.ADD.bind(batch=batch, timestamp=timestamp, **place) for batch in batches),
            )
        )

    async def pop(self) -> dict[str, JsonValue] | None:
        """
        Delete the latest item for good, and return it; ``None`` if there is none.

        Data after it that is no object is deleted, too. Of several calls at once, each gets an item of its own.
        """
        while (event := await self._log.pop_last(self._where)) is not None:
            if isinstance(item := event.event_data, dict):
                return item
        return None

    async def clear(self) -> None:
        """Delete all items for good."""
        await self._log.delete_many(self._where)

    def _place(self) -> dict[str, Value]:
        return {
            "scope": self.scope,
            "thread": self._thread(self._name),
            "event_type": self._type,
        }

    def _batches(self, items: Sequence[object]) -> Iterator[str]:
        """Check and encode items, as JSON arrays that are small enough for one statement each."""
        for start in range(0, len(items), TAKEN_AT_ONCE):
            part = items[start : start + TAKEN_AT_ONCE]
            yield from self._at_once(part) or self._one_by_one(part, start)

    def _at_once(self, items: Sequence[object]) -> list[str]:
        """Encode items as one array, in a third of the time; nothing if each has to be looked at by itself."""
        if self._guard is None and all(isinstance(item, dict) for item in items):
            with suppress(InvalidInputError):
                text = encode_json("items", cast("JsonValue", items))
                return [text] if len(text) <= BATCH_LENGTH else []
        return []

    def _one_by_one(self, items: Sequence[object], start: int) -> Iterator[str]:
        texts = (self._encode(f"items[{n}]", item) for n, item in enumerate(items, start))
        return batches(map(to_compact_json, texts))

    def _encode(self, field: str, item: object) -> str | None:
        if not isinstance(item, dict):
            raise InvalidInputError(field, f"must be a dict, not {type(item).__name__}")
        data = cast("JsonValue", item)
        if self._guard is not None:
            data = self._guarded(self._guard, field, data)
        return check_json(field, data)

    def _guarded(self, guard: Guard, field: str, item: JsonValue) -> JsonValue:
        try:
            event_type, data = guard.event(self._type, item)
        except InvalidInputError as error:
            place = error.field.replace("event_data", field, 1)
            raise type(error)(place, error.reason) from None
        if event_type != self._type:
            raise InvalidInputError("on_remember", "must not change the type of an item")
        return data


async def _objects(texts: Sequence[Any]) -> list[dict[str, JsonValue]]:
    parts = (texts[at : at + _SLICE] for at in range(0, len(texts), _SLICE))
    decoded = map(decode_many, parts)
    items = chain.from_iterable(await list_in_slices(decoded, size=1))
    return [item for item in items if isinstance(item, dict)]
