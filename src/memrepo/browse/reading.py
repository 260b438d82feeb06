"""What the pages read beside what the repositories give: facts in any state, and how much there is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import attrs

from memrepo.domain.checks import check_cursor, check_id, check_name
from memrepo.domain.codec import Row, Value, to_memory, to_named_counts
from memrepo.domain.instants import NO_INSTANT, encode_instant, parse_instant
from memrepo.domain.jsontext import to_compact_json
from memrepo.domain.memories import MemoryEntry
from memrepo.errors import InvalidInputError
from memrepo.queries import amounts, browsing
from memrepo.queries.browsing import State
from memrepo.queries.statement import BoundStatement, Statement
from memrepo.repositories.repository import Repository

__all__ = ["Amount", "Browsed", "FactPage", "ScopeAmounts"]

#: Facts that a page looks at, in search of those that are wanted.
WINDOW: Final = 2_000
#: What is counted up to.
MOST: Final = 1_000
_MOST_STEPS: Final = 50
_MOST_NAMES: Final = 50


@attrs.frozen
class Amount:
    """A number of rows, which may be only how far it was counted."""

    n: int

    def __str__(self) -> str:
        """Return ``12``, or ``more than 1,000``."""
        return f"more than {MOST:,}" if self.n > MOST else f"{self.n:,}"

    @property
    def short(self) -> str:
        """The same, as ``1,000+``."""
        return f"{MOST:,}+" if self.n > MOST else f"{self.n:,}"


@attrs.frozen
class FactPage:
    """A page of a list of facts."""

    facts: tuple[MemoryEntry, ...]
    #: Where the next page begins; ``None`` on the last.
    next: str | None
    #: Whether there may be more because it looked only so far, and not because it is full.
    has_looked_so_far: bool


@attrs.frozen
class ScopeAmounts:
    """A scope, and how much it has."""

    scope: str
    n_facts: Amount
    n_sessions: Amount
    n_events: Amount


def _bind(statement: Statement, values: dict[str, Value]) -> BoundStatement:
    return statement.bind(**{name: values[name] for name in statement.names})


def _cursor(row: Row, column: int) -> str | None:
    """Return where a page begins after a row; ``None`` for a value that no cursor can hold."""
    value = row[column]
    return f"{row[0]}~{value}" if isinstance(value, str | int) else None


class Browsed(Repository):
    """The rows of a scope, as the pages list them. It only reads."""

    # --- facts ---------------------------------------------------------------------------------

    async def facts(
        self,
        state: State,
        *,
        category: str | None = None,
        source: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> FactPage:
        """
        Return a page of the facts in a state: the latest first; what waits, is pinned, due or expires, the first first.

        Raises:
            InvalidInputError: An argument is not accepted.
        """
        filters = {"category": category, "source": source}
        given = {name: check_name(name, text) for name, text in filters.items() if text is not None}
        values: dict[str, Value] = {**given, **self._place(), "window": WINDOW, "limit": limit + 1}
        is_after = after is not None
        if after is not None:
            values |= self._position("after", state, after)
        names = frozenset(given)
        edges = await self._read(browsing.edge(state, names, after=is_after), values)
        if edges:
            values |= {"until": edges[0][0], "until_id": edges[0][1]}
        statement = browsing.page(state, names, after=is_after, until=bool(edges))
        rows = await self._read(statement, values)
        column = browsing.order_of(state)
        return _fact_page(rows, limit, edges, column)

    def _position(self, name: str, state: State, cursor: str) -> dict[str, Value]:
        instant, number = check_cursor(cursor)
        if browsing.order_of(state) != browsing.SUCCESSOR:
            return {name: instant, f"{name}_id": number}
        if not instant.isdecimal():
            raise InvalidInputError("after", "must be the next_cursor of a page")
        return {name: check_id("after", int(instant)), f"{name}_id": number}

    async def fact(self, id: int) -> MemoryEntry | None:
        """Return the fact with this id, whatever its state; ``None`` if there is none."""
        rows = await self._read(browsing.FACT, {**self._place(), "id": check_id("id", id)})
        return to_memory(rows[0]) if rows else None

    async def chain(self, id: int) -> tuple[list[MemoryEntry], list[MemoryEntry]]:
        """Return what a fact superseded, and what superseded it, oldest first, at most 50 each."""
        values: dict[str, Value] = {**self._place(), "id": id, "most": _MOST_STEPS}
        before = await self._read(browsing.PREDECESSORS, values)
        after = await self._read(browsing.SUCCESSORS, values)
        return [*map(to_memory, before)], [*map(to_memory, after)]

    async def amounts(self) -> dict[State, Amount]:
        """Return how many facts the lists have that few facts are in, as a rule."""
        rows = await self._read(browsing.few(), {**self._place(), "most": MOST + 1})
        return {state: Amount(n) for state, n in zip(browsing.COUNTED, rows[0], strict=True)}

    async def categories(self) -> list[str]:
        """Return the categories of the scope, by name, at most 50."""
        return await self._names(amounts.CATEGORIES)

    async def sources(self) -> list[str]:
        """Return the sources of the latest facts of the scope, by name."""
        return await self._names(amounts.SOURCES)

    async def _names(self, statement: Statement) -> list[str]:
        values: dict[str, Value] = {**self._place(), "limit": _MOST_NAMES, "window": MOST}
        rows = await self._read(statement, values)
        return [name for (name,) in rows if isinstance(name, str)]

    # --- sessions and scopes -------------------------------------------------------------------

    async def of_sessions(self, ids: Sequence[int]) -> dict[int, tuple[Amount, Amount]]:
        """Return how many events and facts each of these sessions has."""
        values = {**self._place(), "ids": to_compact_json([*ids]), "most": MOST + 1}
        rows = await self._read(amounts.COUNTS_BY_SESSION, values)
        return {number: (Amount(events), Amount(facts)) for number, events, facts in rows}

    async def scopes(
        self, *, limit: int, after: str | None = None
    ) -> tuple[list[ScopeAmounts], str | None]:
        """Return a page of the scopes of the database, in the order of their texts, and where the next begins."""
        values: dict[str, Value] = {"limit": limit + 1, "most": MOST + 1, "after": after}
        rows = await self._read(amounts.scopes(after=after is not None), values)
        scopes = [ScopeAmounts(name, *map(Amount, counts)) for name, *counts in rows[:limit]]
        return scopes, scopes[-1].scope if len(rows) > limit else None

    # --- how it grew ---------------------------------------------------------------------------

    async def ends(self, what: str) -> tuple[datetime, datetime] | None:
        """Return when the first and the last fact or event of the scope was; ``None`` if none can be read."""
        rows = await self._read(amounts.FIRST_AND_LAST[what], self._place())
        try:
            first, last = map(parse_instant, rows[0])
        except NO_INSTANT:
            return None
        return first, last

    async def n_in_ranges(
        self, what: str, ranges: Sequence[tuple[datetime, datetime]]
    ) -> list[int]:
        """Return how many facts or events of the scope are in each range of instants."""
        bounds = [[encode_instant(first), encode_instant(last)] for first, last in ranges]
        values: dict[str, Value] = {**self._place(), "ranges": to_compact_json(bounds)}
        rows = await self._read(amounts.IN_RANGES[what], values)
        return [n for _, n in sorted(rows)]

    async def by_category(self) -> dict[str, int]:
        """Return how many facts each category has, whatever their state, the most frequent first."""
        counts = []
        for name in await self.categories():
            rows = await self._read(amounts.OF_CATEGORY, {**self._place(), "category": name})
            counts.append((name, rows[0][0]))
        return to_named_counts(counts)

    async def n_rows(self) -> dict[str, int]:
        """Return how many rows each table has, of all scopes."""
        each = {name: await self._read(statement, {}) for name, statement in amounts.ROWS.items()}
        return {name: rows[0][0] for name, rows in each.items()}

    def _place(self) -> dict[str, Value]:
        return {"scope": self.scope, "now": encode_instant(self.now())}

    async def _read(self, statement: Statement, values: dict[str, Value]) -> list[Row]:
        return await self.connection.read(_bind(statement, values))


def _fact_page(rows: list[Row], limit: int, edges: list[Row], column: int) -> FactPage:
    facts = tuple(map(to_memory, rows[:limit]))
    if len(rows) > limit:
        return FactPage(facts, _cursor(rows[limit - 1], column), has_looked_so_far=False)
    if edges:
        instant, number = edges[0]
        is_text = isinstance(instant, str | int)
        return FactPage(
            facts, f"{number}~{instant}" if is_text else None, has_looked_so_far=is_text
        )
    return FactPage(facts, None, has_looked_so_far=False)
