"""`MemoryRepo`: facts, each stored once."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

import attrs

from memrepo.connection.contract import Connection, Result
from memrepo.connection.waiting import list_in_slices
from memrepo.domain.arguments import TAKEN_AT_ONCE, batches, check_ids, encode_each
from memrepo.domain.carry_over import CountTokens, estimate_tokens
from memrepo.domain.checks import (
    check_duration,
    check_flag,
    check_function,
    check_id,
    check_instant,
    check_limit,
    check_name,
    check_names,
    check_object as check_metadata,
)
from memrepo.domain.clock import Clock, utc_now
from memrepo.domain.codec import (
    MEMORY_COLUMNS,
    Row,
    Value,
    to_daily_log,
    to_memory,
    to_named_counts,
    to_number,
)
from memrepo.domain.conditions import memory_conditions
from memrepo.domain.facts import (
    Fact,
    due_dates,
    encode_due,
    encode_expiry,
    encode_fact,
    encode_new_fact,
    ignored,
    merge_facts,
)
from memrepo.domain.guard import OnRemember
from memrepo.domain.hashing import normalize_content
from memrepo.domain.instants import encode_bound, encode_instant
from memrepo.domain.jsontext import JsonValue, to_compact_json
from memrepo.domain.memories import (
    DEFAULT_CATEGORY,
    INFERRED_SOURCES,
    MemoryEntry,
    MemoryFilter,
    MemoryNew,
    Remembered,
    RememberOutcome,
)
from memrepo.domain.near_duplicates import SIMILAR, NearDuplicates, check_threshold
from memrepo.domain.paging import (
    DEFAULT_LIMIT,
    ITERATE_LIMIT,
    Page,
    is_large,
    name_parameters,
    page_parameters,
    to_page_by_name,
    walk,
)
from memrepo.domain.patterns import OBSERVED_WITHIN, Observed, PendingInference
from memrepo.domain.recall import (
    HALF_LIFE,
    MemoryContext,
    Ranking,
    check_points,
    check_ranking,
)
from memrepo.domain.rules import ORIGINAL_RULES, FactRules
from memrepo.domain.search import DEFAULT_HITS, MOST_HITS, Hit, check_question
from memrepo.domain.surfacing import ACTION_WORDS, Surfacing
from memrepo.domain.unset import UNSET, Unset
from memrepo.errors import (
    ConflictError,
    ConstraintError,
    InvalidInputError,
    MemrepoError,
    NotFoundError,
)
from memrepo.index.index import SearchIndex
from memrepo.queries import (
    chains,
    due,
    memories as queries,
    merging,
    pinning,
    proposals,
    recalling,
    remembering,
    remembering_many,
    slots,
    superseding,
)
from memrepo.queries.statement import BoundStatement, Statement
from memrepo.ranking.choosing import Budget, choose
from memrepo.ranking.scoring import relevant_scores, score_of, unasked_score_of
from memrepo.ranking.surfacing import SurfacingRule, surface
from memrepo.repositories import outcomes, stating
from memrepo.repositories.fading import Fading
from memrepo.repositories.near_duplicates import NearDuplicateSearch
from memrepo.repositories.observing import MOST_TIMES, Observing
from memrepo.repositories.repository import (
    decode_page,
    found,
    not_found,
    read_by_ids,
    refuse_session,
)
from memrepo.repositories.searchable import SearchableRepository
from memrepo.repositories.sources import FACTS
from memrepo.repositories.spelling import prepare_purge

__all__ = ["MemoryRepo"]

_ALL: Final = MemoryFilter()
_RANKING: Final = Ranking()
#: Facts that `recall` looks at, as the original does; and `find_to_forget`.
_CANDIDATES: Final = 100
#: The conditions of every filter that `MemoryRepo.search` takes.
_CURRENT: Final = frozenset({"now", "not_forgotten", "not_superseded"})
#: Why a fact may not be found, beside its id.
_GONE: Final = ", or it is forgotten, expired or only proposed"
_EXPIRED: Final = ", or it is expired or only proposed"
_ANSWERED: Final = ", or it is answered or expired"
_CREATED_AT: Final = MEMORY_COLUMNS.index("created_at")
_DELETED_AT: Final = MEMORY_COLUMNS.index("deleted_at")
_PROPOSED_AT: Final = MEMORY_COLUMNS.index("proposed_at")
_SLOT: Final = MEMORY_COLUMNS.index("slot")
_HASH: Final = MEMORY_COLUMNS.index("content_hash")
#: Sorts before every stored instant.
_ALWAYS: Final = ""
#: What happened to a fact that the first, second or third statement of a batch of `remember_many` returned.
_OUTCOMES: Final[tuple[RememberOutcome, ...]] = ("restored", "duplicate", "created")
#: The fields of a new fact that supersedes another.
_SUPERSEDING: Final = (
    "content",
    "content_hash",
    "category",
    "source",
    "metadata",
    "expires_at",
    "session_id",
)


class MemoryRepo(SearchableRepository):
    """
    The facts of one scope. No fact is stored twice.

    A fact is *current* unless it is forgotten, expired or superseded. An expired fact is never
    returned, except by a filter that includes expired facts. No cleanup job is needed.

    Source: ``memory_entries`` (schema/0001_initial.sql, schema/0002_add_scopes_and_lifecycle.sql).
    """

    def __init__(
        self,
        connection: Connection,
        *,
        scope: str = "",
        clock: Clock = utc_now,
        rules: FactRules = ORIGINAL_RULES,
        index: SearchIndex | None = None,
        on_remember: OnRemember | None = None,
    ) -> None:
        """
        Bind a repository to one owner's facts.

        Args:
            connection: As in `Repository`.
            scope: As in `Repository`.
            clock: As in `Repository`.
            rules: Those of the store.
            index: That of the store; without one, a search reads facts instead.
            on_remember: The guard; see `connect`.

        Raises:
            InvalidInputError: *scope* is not accepted.
        """
        super().__init__(connection, scope=scope, clock=clock, index=index, on_remember=on_remember)
        self._rules = rules

    # --- remembering -------------------------------------------------------------------------

    async def remember(
        self,
        content: str,
        *,
        category: str | None = None,
        source: str = "user_explicit",
        metadata: Mapping[str, JsonValue] | None = None,
        expires_at: datetime | None = None,
        session_id: int | None = None,
        due_at: datetime | None = None,
        slot: str | None = None,
        overrule: bool = False,
        proposed: bool = False,
    ) -> Remembered:
        """
        Store a new fact, refresh a known one, or bring back one that was gone.

        Two texts are the same fact when `normalize_content` makes them equal. A known fact keeps its
        id, text, category and metadata: ``ignored`` names those of them that were given in vain, and
        `update` changes them. It keeps the session that it was learnt in, too. Its ``last_accessed`` becomes now; its source becomes ``user_explicit`` if
        it was inferred and the user now says it; its expiry can only move later.

        A fact that was forgotten or superseded comes back only if the user says it, that is if *source*
        is ``user_explicit`` or one of the store's ``explicit_sources``. Otherwise it stays as it is, and
        nothing is stored. An expired fact always comes back. It takes the expiry given here.

        At most one current fact of a scope fills a *slot*. A text that is given one supersedes what fills it,
        as `supersede` does, unless it is only inferred, and the user said that. (A fact counts as said unless
        its source is ``inferred`` or ``jarvis_inferred``: an extractor with a source of its own cannot correct itself.)
        A fact that comes back takes its own slot back in the same way; but one that was only inferred leaves what the
        user said, and comes back without. What fills a slot takes over the pin and the due date of what it replaces, unless it has its own.

        A proposal waits: nothing but `proposals` returns it until `approve`, or until the user says it. It takes
        its slot then. A proposal of what is current is a duplicate, one of what is gone is held back.

        Args:
            content: The text: not blank, no NUL, at most 4,000,000 bytes of UTF-8.
            category: What kind of fact: 1 to 255 characters; ``fact`` for a new one if ``None``.
            source: Who says so: 1 to 255 characters.
            metadata: A JSON object that belongs to it.
            expires_at: Expiry time, kept to the millisecond; never by default.
            session_id: The session that a new fact is learnt in, of this scope.
            due_at: When it is to be brought up (see `surface`), kept to the millisecond. A known fact gets it, too,
                and with another date than before is brought up anew; without one, it keeps its own.
            slot: What it tells, as ``home_city``: 1 to 255 characters. ``None`` leaves a known fact the slot
                that it fills.
            overrule: Have an inferred text replace what the user said, too.
            proposed: Store it as a proposal; so are all of the store's ``propose`` sources.

        Returns:
            The fact as it is stored now, what became of it, the fact that it replaced in its slot, and what
            of the arguments was ignored because it was known. See `Remembered.outcome`.

        Raises:
            ConflictError: The text is a current fact that fills another slot; its id is ``other_id``. Nothing
                was stored.
            InvalidInputError: An argument is not accepted.
            NotFoundError: No session with this id in this scope; nothing was stored, whether the fact was known
                or not.

        Source:
            The unique index on ``content_hash``; https://sqlite.org/lang_upsert.html
        """
        if self._guard is not None:
            content, category, source, metadata = self._guard.fact(
                content, category, source, metadata
            )
            slot = None if slot is None else self._slot(slot)
        fact = encode_fact(
            self.scope,
            self._rules,
            content,
            category,
            source,
            metadata,
            expires_at,
            session_id,
            due_at,
            slot,
            overrule=overrule,
            proposed=proposed,
        )
        now = encode_instant(self.now())
        if fact.slot is not None or fact.is_proposed:
            return await self._remember_apart(fact, now)
        statement = remembering.REMEMBER if fact.said_source else remembering.REMEMBER_INFERRED
        remember = statement.bind(
            scope=self.scope,
            content=fact.content,
            content_hash=fact.content_hash,
            category=fact.category or DEFAULT_CATEGORY,
            source=fact.source,
            metadata=fact.metadata,
            expires_at=fact.expires_at,
            created_at=now,
            session_id=fact.session_id,
        )
        try:
            set_due = () if fact.due_at is None else stating.set_due(fact, self.scope, now)
            result, *dated = await self.connection.write((remember, *set_due))
            if not result.rows:
                # The statement above leaves a fact that is gone as it is: bring it back, if that is allowed.
                return await self._state(fact, now)
        except ConstraintError as error:
            refuse_session(error, "not null", session_id)
        (row,) = result.rows
        stored = to_memory(row[:-1])
        if dated:
            stored = outcomes.latest(stored, dated)
        if row[-1] == 0:
            return Remembered(outcome="created", entry=stored)
        return Remembered(outcome="duplicate", entry=stored, ignored=ignored(fact, stored))

    async def _remember_apart(self, fact: Fact, now: str) -> Remembered:
        """Remember a fact with a slot, or a proposal."""
        try:
            if not fact.is_proposed:
                results = await self.connection.write(stating.fill(fact, self.scope, now))
                if (told := outcomes.filled(fact, results)) is not None:
                    return told
            return await self._state(fact, now)
        except ConstraintError as error:
            refuse_session(error, "not null", fact.session_id)

    async def _state(self, fact: Fact, now: str) -> Remembered:
        """State a fact in whatever state it is."""
        sessions = () if fact.session_id is None else (fact.session_id,)
        try:
            unit = stating.unit_of(fact, self.scope, now)
            results = await self._write_in_sessions(unit, sessions)
        except ConstraintError as error:
            if error.kind != "unique":
                raise
            raise await self._slot_conflict((fact,)) from error
        return outcomes.outcome_of(fact, results)

    async def remember_many(self, facts: Iterable[MemoryNew]) -> list[Remembered]:
        """
        Remember any number of facts as one atomic unit.

        The values are taken when the call takes its first step, of the first 1,000 facts in one go; the rest
        follow while other tasks run: do not change them meanwhile.

        Returns:
            One outcome for each item, in order. Several mentions of a fact count as one statement, which
            the user made if any of them says so; the second is a duplicate, unless the fact stays forgotten
            or superseded. Facts with a slot, and proposals, come after all others, one after the other, as if
            each was remembered by itself; so do all mentions of their texts. Of several others that a list brings
            back to one slot, the newest fills it, and one that the user said before one that was only inferred. An
            empty list for no facts.

        Raises:
            ConflictError: An item's text is a current fact that fills another slot; nothing is stored.
            InvalidInputError: An item is not accepted; nothing is stored.
            NotFoundError: A fact's session is not in this scope; nothing is stored.
        """
        each = encode_each("facts", facts, MemoryNew, self._encode)
        encoded = await list_in_slices(each, first=TAKEN_AT_ONCE)
        if not encoded:
            return []
        now = encode_instant(self.now())
        alone = {fact.content_hash for fact in encoded if not fact.is_plain}
        together = [fact for fact in encoded if fact.content_hash not in alone]
        rows = await list_in_slices(map(to_compact_json, merge_facts(together)))
        many = self._many(list(batches(rows)), now, together)
        own = await list_in_slices(
            (fact, stating.unit_of(fact, self.scope, now))
            for fact in encoded
            if fact.content_hash in alone
        )
        unit = [*itertools.chain(*many), *itertools.chain.from_iterable(its for _, its in own)]
        sessions = dict.fromkeys(its.session_id for its in encoded if its.session_id is not None)
        try:
            results = iter(await self._write_in_sessions(unit, sessions))
        except ConstraintError as error:
            if error.kind != "unique":
                raise
            raise await self._slot_conflict(fact for fact, _ in own) from error
        approved, stated, held, taken_over, taken, dated = (
            [*itertools.islice(results, len(its))] for its in many
        )
        returned = await list_in_slices(_returned(stated, held))
        # The first statement to return a fact says what happened to it.
        stored = outcomes.settle(dict(reversed(returned)), _rows(approved), _rows(taken))
        told_alone = await list_in_slices(
            outcomes.outcome_of(fact, [*itertools.islice(results, len(its))]) for fact, its in own
        )
        stored = outcomes.settle_latest(stored, _rows([*taken_over, *dated]))
        told = iter(await list_in_slices(_one_each(together, stored)))
        if not own:
            return [*told]
        each_alone = iter(told_alone)
        return [next(each_alone if its.content_hash in alone else told) for its in encoded]

    def _many(
        self, texts: Sequence[str], now: str, facts: Collection[Fact]
    ) -> tuple[list[BoundStatement], ...]:
        """Return the statements that approve, state, tell what is held back, take slots over, and set dates."""
        place: dict[str, Value] = {"scope": self.scope, "now": now}
        state = (
            remembering_many.REVIVE_MANY,
            remembering_many.REFRESH_MANY,
            remembering_many.INSERT_MANY,
        )
        hold_back = remembering_many.HELD_BACK_MANY
        is_all_said = all(fact.said_source is not None for fact in facts)
        dates = batches(map(to_compact_json, due_dates(facts).items()))
        return (
            [proposals.APPROVE_MANY.bind(batch=its, scope=self.scope) for its in texts]
            + [proposals.RENEW_MANY.bind(batch=its, **place) for its in texts if not is_all_said],
            [statement.bind(batch=its, **place) for its in texts for statement in state],
            [hold_back.bind(batch=its, scope=self.scope) for its in texts if not is_all_said],
            [slots.TAKE_OVER_MANY.bind(batch=its, **place) for its in texts],
            [slots.TAKE_MANY.bind(batch=its, **place) for its in texts],
            [due.SET_DUE_MANY.bind(batch=its, **place) for its in dates],
        )

    async def _slot_conflict(self, facts: Iterable[Fact]) -> ConflictError:
        """Return the error for one of *facts* that fills another slot than it was to fill."""
        for fact in facts:
            known = remembering.KNOWN.bind(scope=self.scope, content_hash=fact.content_hash)
            for row in await self.connection.read(known):
                entry = to_memory(row)
                if fact.slot is not None and entry.slot not in (None, fact.slot):
                    return outcomes.slot_conflict(entry)
        return outcomes.slot_conflict(None)

    async def supersede(
        self,
        id: int,
        content: str,
        *,
        category: str | None = None,
        source: str = "user_explicit",
        metadata: Mapping[str, JsonValue] | None = None,
        expires_at: datetime | None = None,
        session_id: int | None = None,
    ) -> Remembered:
        """
        Remember *content* and link the fact *id* to it, as one atomic unit.

        The old fact is no longer current; `get` and `history` still return it. The new one takes over its pin and its due
        date, unless it has its own.

        Args:
            id: The fact that no longer holds.
            content: What holds instead, as in `remember`.
            category: The old fact's if ``None``.
            source: As in `remember`.
            metadata: The old fact's if ``None``.
            expires_at: As in `remember`.
            session_id: As in `remember`; not the old fact's if ``None``.

        Returns:
            What became of the new fact, as in `remember`. If it stays forgotten or superseded, or is only a
            proposal, it replaces nothing: the fact *id* is still current. The new fact fills the old one's
            slot; a proposal will when it is approved.

        Raises:
            ConflictError: The fact is already superseded, or *content* is the same fact, or a current fact that
                fills another slot.
            NotFoundError: No fact with this id in this scope, or it is forgotten, expired or only proposed; or no
                session with *session_id*.
        """
        number = check_id("id", id)
        fact = self._encode(
            MemoryNew(
                content=content,
                category=category,
                source=source,
                metadata=metadata,
                expires_at=expires_at,
                session_id=session_id,
            )
        )
        now = encode_instant(self.now())
        place: dict[str, Value] = {"id": number, "scope": self.scope, "now": now}
        refreshed = {**self._refreshed(fact, now), **place}
        new: dict[str, Value] = {name: getattr(fact, name) for name in _SUPERSEDING}
        known = remembering.KNOWN.bind(scope=self.scope, content_hash=fact.content_hash)
        expired = {**place, "content_hash": fact.content_hash, "expires_at": fact.expires_at}
        renew = superseding.SUPERSEDE_RENEW.bind(**expired)
        if fact.is_proposed:
            state: tuple[BoundStatement, ...] = (
                superseding.SUPERSEDE_PROPOSE.bind(**new, **place),
                superseding.SUPERSEDE_PROPOSE_EXPIRED.bind(**expired),
            )
        else:
            state = (
                superseding.SUPERSEDE_REVIVE.bind(**refreshed),
                superseding.SUPERSEDE_REFRESH.bind(**refreshed),
                superseding.SUPERSEDE_INSERT.bind(**new, **place),
                superseding.SUPERSEDE_LINK.bind(content_hash=fact.content_hash, **place),
                slots.TAKE_BY_HASH.bind(
                    scope=self.scope, now=now, content_hash=fact.content_hash, keeps=0
                ),
            )
        _, before, *stated, after = await self._write_in_sessions(
            (renew, known, *state, queries.GET.bind(**place)),
            () if fact.session_id is None else (fact.session_id,),
        )
        old = _found(to_memory(after.rows[0]) if after.rows else None, id)
        return outcomes.superseded(fact, old, before, stated)

    # --- patterns ----------------------------------------------------------------------------

    async def observe(
        self,
        pattern: str,
        evidence: str | None = None,
        *,
        content: str | None = None,
        category: str = "preference",
        times: int = 3,
        within: timedelta = OBSERVED_WITHIN,
        session_id: int | None = None,
        metadata: Mapping[str, JsonValue] | None = None,
    ) -> Observed:
        """
        Note that a pattern was observed, and infer a fact when it was observed often enough.

        It appends an event ``pattern_observed`` to the daily log. If that makes *times* of them *within* a time, it
        remembers the fact with the source ``inferred``, and appends an event ``pattern_inferred``, from which on
        the count starts anew: all in one unit, so that of any number of tasks and programs one infers.

        Args:
            pattern: What is observed again and again, as ``short_answers``: 1 to 255 characters.
            evidence: How it showed this time, in a few words: at most 10,000 bytes.
            content: The text of the fact; the pattern itself if ``None``. Only that of the last observation counts,
                as do the other arguments about the fact.
            category: What kind of fact.
            times: How many observations it takes, 1 to 100.
            within: How long an observation counts.
            session_id: The session that it was observed in, of this scope; and in which the fact is learnt.
            metadata: A JSON object that belongs to a new fact, which also gets ``pattern``, ``evidence`` (a
                list of texts) and ``events`` (the ids of the observations) there.

        Returns:
            How many observations count, and what became of the fact, as in `remember`: one that is known is
            refreshed, and one that was forgotten or superseded stays so.

        Raises:
            InvalidInputError: An argument is not accepted; nothing is stored.
            NotFoundError: No session with this id in this scope; nothing is stored.

        Source:
            The index on (scope, timestamp): it goes through the events of the scope *within* the time.
        """
        source = INFERRED_SOURCES[0]
        if self._guard is not None:
            pattern, evidence = self._guard.observation(pattern, evidence)
        name = check_name("pattern", pattern)
        text = name if content is None else content
        fact = self._encode(
            MemoryNew(
                content=text,
                category=category,
                source=source,
                metadata=metadata,
                session_id=session_id,
            )
        )
        observing = Observing.of(self.connection, self.scope, self.now(), within)
        event, _, *stated, told, known, taken = await observing.observe(name, evidence, fact, times)
        (row,) = event.rows
        inferred = _inferred(fact, stated, known) if told.rows else None
        return Observed(
            n=to_number([(row[-1],)]),
            inferred=inferred and outcomes.replacing(inferred, taken.rows),
            event=to_daily_log(row[:-1]),
        )

    async def would_infer(
        self, pattern: str, *, times: int = 3, within: timedelta = OBSERVED_WITHIN
    ) -> bool:
        """
        Return whether one more observation of a pattern would infer the fact.

        Args:
            pattern: As in `observe`.
            times: As in `observe`.
            within: As in `observe`.

        Raises:
            InvalidInputError: An argument is not accepted.
        """
        check_limit(times, "times", most=MOST_TIMES)
        if self._guard is not None:
            pattern, _ = self._guard.observation(pattern, None)
        observing = Observing.of(self.connection, self.scope, self.now(), within)
        return await observing.count(pattern) + 1 >= times

    async def pending_inferences(
        self, *, within: timedelta = OBSERVED_WITHIN
    ) -> list[PendingInference]:
        """
        Return the patterns that were observed, and how often, since each was last inferred.

        Args:
            within: As in `observe`.

        Returns:
            The one that was observed most often first, ties by name; an empty list if none was observed.

        Raises:
            InvalidInputError: The time is not accepted.
        """
        observing = Observing.of(self.connection, self.scope, self.now(), within)
        return await observing.pending()

    # --- reading, changing, forgetting -------------------------------------------------------

    async def get(self, id: int) -> MemoryEntry:
        """
        Return the fact with this id, even if it is superseded.

        Raises:
            NotFoundError: No fact with this id in this scope, or it is forgotten, expired or only proposed.
        """
        rows = await self.connection.read(self._get(id))
        return _found(to_memory(rows[0]) if rows else None, id)

    async def find(self, id: int) -> MemoryEntry | None:
        """Return the fact with this id, or ``None`` where `get` would raise."""
        rows = await self.connection.read(self._get(id))
        return to_memory(rows[0]) if rows else None

    async def get_many(self, ids: Iterable[int]) -> list[MemoryEntry | None]:
        """
        Return the facts with these ids, read by one statement.

        Args:
            ids: Any number of ids, in any order; one may occur several times.

        Returns:
            One item for each id, in the order given: the fact, or ``None`` where `find` returns ``None``.
            An empty list for no ids.

        Raises:
            InvalidInputError: An id is not accepted; the error's field names it, as in ``ids[3]``.

        Source:
            The primary key.
        """
        place: dict[str, Value] = {"scope": self.scope, "now": encode_instant(self.now())}
        return await read_by_ids(self.connection, queries.get_many, ids, to_memory, **place)

    async def find_by_content(self, content: str) -> MemoryEntry | None:
        """Return the current fact that is the same as *content*; ``None`` if there is none."""
        fact = self._encode(MemoryNew(content=content))
        now = encode_instant(self.now())
        bound = queries.GET_BY_HASH.bind(content_hash=fact.content_hash, scope=self.scope, now=now)
        rows = await self.connection.read(bound)
        return to_memory(rows[0]) if rows else None

    async def find_many(
        self, where: MemoryFilter = _ALL, *, limit: int = DEFAULT_LIMIT, after: str | None = None
    ) -> Page[MemoryEntry]:
        """
        Return a page of current facts, newest first, ties by the higher id.

        For all facts, however many there are, use `iterate`: a page ends at *limit*.

        Args:
            where: Which facts; by default all that are current.
            limit: Most facts wanted, 1 to 10,000.
            after: The ``next_cursor`` of the page before.

        Returns:
            At most *limit* facts; an empty page when nothing matches.

        Raises:
            InvalidInputError: An argument is not accepted.

        Source:
            The indexes on (scope, created_at), (scope, category, created_at) and (session_id, created_at).
        """
        names, parameters = memory_conditions(where, encode_instant(self.now()))
        paging = page_parameters(limit, after)
        statement = queries.find_many(names, after=after is not None, is_large=is_large(limit))
        bound = statement.bind(scope=self.scope, **parameters, **paging)
        rows = await self.connection.read(bound)
        return await decode_page(rows, limit, to_memory, instant=_CREATED_AT)

    def iterate(self, where: MemoryFilter = _ALL) -> AsyncIterator[MemoryEntry]:
        """
        Yield all facts of a filter in the order of `find_many`, reading a page at a time.

        Facts that are added or removed meanwhile never make it skip or repeat another.
        """
        memory_conditions(where, "")
        return walk(lambda after: self.find_many(where, limit=ITERATE_LIMIT, after=after))

    async def search(
        self, text: str, *, where: MemoryFilter = _ALL, limit: int = DEFAULT_HITS
    ) -> list[Hit[MemoryEntry]]:
        """
        Return the current facts that are most relevant to a question, or to some words.

        A fact is relevant by the words that it has, rare ones more than common ones, and by the words of the
        facts that were remembered just before and after it: what was learnt together is found together.

        Args:
            text: Any text; of the words in its first 4,000 characters, the first 50 that say something.
            where: Which facts; it cannot include those that are not current.
            limit: Most hits wanted, 1 to 1,000.

        Returns:
            The most relevant first, in a stable order; an empty list if no fact has any of the words.

        Raises:
            InvalidInputError: An argument is not accepted.

        Source:
            The search index (docs/explanation/search-index.md), which is made by the first search unless
            `connect` has made it. Where it cannot be had, as without FTS5 or in a store that only reads, the
            newest 10,000 facts are read.
        """
        now = self.now()
        conditions = memory_conditions(where, encode_instant(now))
        if not conditions.names >= _CURRENT:
            raise InvalidInputError("where", "cannot include facts that are not current")
        return await self._search(FACTS, text, conditions, limit, now).hits()

    async def search_as_you_type(
        self, prefix: str, *, limit: int = DEFAULT_HITS
    ) -> list[MemoryEntry]:
        """
        Return the latest current facts that have all words of a text, of which the last may not be complete.

        Args:
            prefix: What has been typed so far; any text.
            limit: Most facts wanted, 1 to 1,000.

        Returns:
            The latest first; an empty list for a text without words.
        """
        now = self.now()
        conditions = memory_conditions(_ALL, encode_instant(now))
        return await self._search(FACTS, prefix, conditions, limit, now).completions()

    async def find_to_forget(self, description: str, *, limit: int = 5) -> list[Hit[MemoryEntry]]:
        """
        Return the facts that a description may mean, for someone to choose which of them to `forget`.

        Args:
            description: As "my therapy", by the one who wants it forgotten.
            limit: Most facts wanted, 1 to 1,000.

        Returns:
            As `search`, but facts that have the description itself, in any case, come first, and none that has
            no word of it. One word is enough: below a `Hit.relevance` of 0.25, a fact is hardly what was meant.
        """
        phrase = normalize_content(check_question("description", description))
        n_hits = max(_CANDIDATES, check_limit(limit, most=MOST_HITS))
        found = await self.search(description, limit=n_hits)
        hits = [hit for hit in found if hit.highlights]
        hits.sort(key=lambda hit: phrase not in normalize_content(hit.entry.content))
        return hits[:limit]

    async def count(self, where: MemoryFilter = _ALL) -> int:
        """Return how many facts match a filter; by default, how many are current."""
        names, parameters = memory_conditions(where, encode_instant(self.now()))
        return await self._count(queries.count(names), **parameters)

    async def count_by(
        self, field: Literal["category", "source"], where: MemoryFilter = _ALL
    ) -> dict[str, int]:
        """
        Return how many facts of a filter each category or source has, the most frequent first, ties by name.

        Returns:
            Only those that have facts; empty if there are none.

        Raises:
            InvalidInputError: An argument is not accepted.
        """
        if field not in ("category", "source"):
            raise InvalidInputError("field", "must be 'category' or 'source'")
        names, parameters = memory_conditions(where, encode_instant(self.now()))
        bound = queries.count_by(field, names).bind(scope=self.scope, **parameters)
        return to_named_counts(await self.connection.read(bound))

    # --- slots -------------------------------------------------------------------------------

    async def in_slot(self, slot: str) -> MemoryEntry | None:
        """
        Return the current fact that fills a slot; ``None`` if there is none.

        Where another program has restored one beside it, the one with the higher id counts.

        Source:
            The index on (scope, slot).
        """
        now = encode_instant(self.now())
        bound = slots.IN_SLOT.bind(scope=self.scope, slot=self._slot(slot), now=now)
        rows = await self.connection.read(bound)
        return to_memory(rows[0]) if rows else None

    async def slots(
        self, *, limit: int = DEFAULT_LIMIT, after: str | None = None
    ) -> Page[MemoryEntry]:
        """
        Return a page of the facts that fill slots, in the order of the slots' names.

        Args:
            limit: Most facts wanted, 1 to 10,000.
            after: The ``next_cursor`` of the page before.

        Returns:
            At most *limit* facts, one of each slot; an empty page when no slot is filled.

        Source:
            The index on (scope, slot).
        """
        paging = name_parameters(limit, after)
        statement = slots.page(after=after is not None, is_large=is_large(limit))
        now = encode_instant(self.now())
        rows = await self.connection.read(statement.bind(scope=self.scope, now=now, **paging))
        items = await list_in_slices(map(to_memory, rows[:limit]))
        return to_page_by_name(rows, items, limit, name=_SLOT)

    async def revert(self, slot: str) -> MemoryEntry:
        """
        Undo the last correction of a slot: the fact that it superseded fills the slot again.

        The wrong one is forgotten, so that it stays away when it is inferred again; `restore` undoes that. Called
        again, it goes further back. If the wrong one had filled the slot several times, and so has superseded several,
        the one with the latest access counts as the last: to `touch` another of them makes it that.

        Returns:
            The fact that fills the slot now.

        Raises:
            NotFoundError: Nothing fills the slot, or nothing filled it before that is neither forgotten nor
                expired. Nothing was changed.
        """
        bound = slots.REVERT.bind(
            scope=self.scope, slot=self._slot(slot), now=encode_instant(self.now())
        )
        (result,) = await self.connection.write((bound,))
        for entry in map(to_memory, result.rows):
            if entry.deleted_at is None:
                return entry
        raise NotFoundError("no fact of this scope fills the slot, or it has replaced none there")

    # --- proposals ---------------------------------------------------------------------------

    async def proposals(
        self, *, limit: int = DEFAULT_LIMIT, after: str | None = None
    ) -> Page[MemoryEntry]:
        """
        Return a page of what was proposed and not answered, oldest first, without what has expired.

        Args:
            limit: Most proposals wanted, 1 to 10,000.
            after: The ``next_cursor`` of the page before.

        Returns:
            At most *limit* proposals, each with its ``proposed_at``; an empty page when there are none.

        Source:
            The index on (scope, proposed_at).
        """
        paging = page_parameters(limit, after)
        statement = proposals.page(after=after is not None, is_large=is_large(limit))
        now = encode_instant(self.now())
        rows = await self.connection.read(statement.bind(scope=self.scope, now=now, **paging))
        return await decode_page(rows, limit, to_memory, instant=_PROPOSED_AT)

    def iterate_proposals(self) -> AsyncIterator[MemoryEntry]:
        """
        Yield all proposals in the order of `proposals`, reading a page at a time.

        Those that are answered or added meanwhile never make it skip or repeat another.
        """
        return walk(lambda after: self.proposals(limit=ITERATE_LIMIT, after=after))

    async def approve(self, id: int, *, source: str | None = None) -> Remembered:
        """
        Make a proposal a fact. It takes its slot, and supersedes what fills it. Its ``last_accessed`` becomes now.

        Args:
            id: The proposal.
            source: Who says so from now on: ``user_explicit`` where the user approved it, so that it does not fade,
                and what is inferred later leaves it its slot. ``None`` leaves the source that it has.

        Returns:
            The fact, ``approved``, or ``replaced`` with the one that it superseded.

        Raises:
            NotFoundError: No proposal with this id in this scope, or it is answered or expired.
        """
        place = self._place(id)
        if source is not None:
            source = check_name("source", source)
            source = source if self._guard is None else self._guard.source(source)
        approve = proposals.APPROVE.bind(source=source, **place)
        take = slots.TAKE_BY_ID.bind(**place)
        approved, taken = await self.connection.write((approve, take))
        for row in approved.rows:
            result = Remembered(outcome="approved", entry=to_memory(row))
            return outcomes.replacing(result, taken.rows)
        raise not_found("proposal", id, also=_ANSWERED)

    async def reject(self, id: int) -> MemoryEntry:
        """
        Make a proposal a forgotten fact, and return it.

        What is proposed or inferred again is held back then: its outcome is ``forgotten``. Only the user's word or
        `restore` brings it back.

        Raises:
            NotFoundError: No proposal with this id in this scope, or it is answered or expired.
        """
        (result,) = await self.connection.write((proposals.REJECT.bind(**self._place(id)),))
        for row in result.rows:
            return to_memory(row)
        raise not_found("proposal", id, also=_ANSWERED)

    # --- recalling ---------------------------------------------------------------------------

    async def recall(
        self,
        query: str | None = None,
        *,
        max_tokens: int = 1_000,
        max_entries: int = 10,
        count_tokens: CountTokens | None = None,
        count_lines: bool = False,
        ranking: Ranking = _RANKING,
        now: datetime | None = None,
        touch: bool = False,
    ) -> MemoryContext:
        """
        Return what to have in mind: the current facts that are pinned, and those with the highest scores.

        What is pinned comes first, the oldest pin first, within ``Ranking.pinned_share`` of *max_tokens* and of
        *max_entries*, whether it answers a *query* or not. What does not fit there has the place of its score.

        With a *query*, those that answer it: what `search` finds, and what is relevant enough. Nothing may be, and then
        the context is empty. Without one, it looks at the 100 that were accessed last, or *max_entries* if that is more. Scores, order and budget
        are those of the original, so that both choose the same facts: the highest score first, ties by the
        later access, then by the higher id, until there are *max_entries* or one does not fit.

        Unlike the original, it shows facts that say the same only once, as the first of them, which has the ids of the
        others. They have the same words but for some like ``a``, ``the`` and ``is``, in the same order or with
        the beginning at the end.

        Args:
            query: What is asked, or what is talked of; any text. ``None`` if nothing is.
            max_tokens: Most tokens of all contents together. The lines of `MemoryContext.to_prompt` have about
                twelve more each: see *count_lines*.
            max_entries: Most facts, 1 to 10,000.
            count_tokens: Returns how many tokens a text has. It is called with one text at a time, on the event
                loop, so it must be quick. ``None`` takes four characters for a token.
            count_lines: Count the lines of the prompt, its heading too, and not only the contents: the
                prompt then has at most *max_tokens*.
            ranking: The points, and how facts fade.
            now: When; the clock's instant if ``None``.
            touch: Set the ``last_accessed`` of what is shown to *now*, in one unit. The facts are returned as
                they were before.

        Returns:
            The facts, pinned ones first, then best first, each with its score and its age in words; how many tokens they have; and what
            was left out, and why. Without any fact, `to_prompt` of it returns ``""``.

        Raises:
            InvalidInputError: An argument is not accepted, or *count_tokens* returned something else than a
                number of tokens.

        Source:
            The indexes on (scope, pinned_at) and (scope, last_accessed), or the search index.
        """
        if query is not None:
            check_question("query", query)
        budget = Budget(
            max_entries=check_limit(max_entries, "max_entries"),
            max_tokens=check_id("max_tokens", max_tokens),
            count_tokens=estimate_tokens if count_tokens is None else count_tokens,
            counts_lines=check_flag("count_lines", count_lines),
        )
        check_function("count_tokens", budget.count_tokens)
        check_ranking(ranking)
        check_flag("touch", touch)
        at = self.now() if now is None else check_instant("now", now)
        n_candidates = max(_CANDIDATES, max_entries)
        sources = self._rules.explicit_sources
        pinned, more_pinned = await self._some(pinning.PINNED, n_candidates, at)
        if query is None:
            facts, has_more = await self._some(recalling.CANDIDATES, n_candidates, at)
            scored = [(fact, score_of(fact, at, ranking, sources)) for fact in facts]
            score_pinned = score_of
        else:
            n_hits = min(n_candidates, MOST_HITS)
            conditions = memory_conditions(_ALL, encode_instant(at))
            search = self._search(FACTS, query, conditions, n_hits, at)
            hits = await search.hits(highlighted=False)
            has_more = len(hits) == n_hits
            scores = relevant_scores(hits, at, ranking, sources)
            scored = [*zip((hit.entry for hit in hits), scores, strict=True)]
            score_pinned = unasked_score_of
        looked_at = {fact.id for fact, _ in scored}
        others = (fact for fact in pinned if fact.id not in looked_at)
        scored += [(fact, score_pinned(fact, at, ranking, sources)) for fact in others]
        has_more = has_more or more_pinned
        context = choose(scored, at, budget, ranking, sources, has_more=has_more)
        if touch and context.entries:
            ids = to_compact_json([shown.entry.id for shown in context.entries])
            place: dict[str, Value] = {"scope": self.scope, "now": encode_instant(at)}
            await self.connection.write((recalling.TOUCH_MANY.bind(ids=ids, **place),))
        return context

    async def _some(
        self, statement: Statement, n_facts: int, at: datetime
    ) -> tuple[list[MemoryEntry], bool]:
        """Return the first facts that a statement reads, and whether there are more."""
        place: dict[str, Value] = {"scope": self.scope, "now": encode_instant(at)}
        rows = await self.connection.read(statement.bind(limit=n_facts + 1, **place))
        return await list_in_slices(map(to_memory, rows[:n_facts])), len(rows) > n_facts

    async def pin(self, id: int) -> MemoryEntry:
        """
        Have a fact come first in every `recall`, and return it. Idempotent: what is pinned keeps its place.

        A pinned fact does not fade. What supersedes it, or replaces it in its slot, takes over the pin. If
        the old text is stated again, it comes back with the pin that it had.

        Raises:
            NotFoundError: No fact with this id in this scope, or it is forgotten, expired or only proposed.
        """
        return await self._write_one(pinning.PIN, id)

    async def unpin(self, id: int) -> MemoryEntry:
        """
        Undo `pin`, and return the fact. Does nothing if it is not pinned.

        Raises:
            NotFoundError: No fact with this id in this scope, or it is forgotten, expired or only proposed.
        """
        return await self._write_one(pinning.UNPIN, id)

    async def surface(
        self,
        *,
        now: datetime | None = None,
        action_words: Collection[str] = ACTION_WORDS,
        max_pending: int = 5,
        max_contextual: int = 3,
        within: timedelta = timedelta(days=3),
        least_score: float = 50,
        ranking: Ranking = _RANKING,
    ) -> Surfacing:
        """
        Return what to bring up unasked: what is due, what is pending, and what may matter now.

        Due are the facts whose ``due_at`` has come. Pending and contextual are two lists of the original, of the facts
        without one, among the 100 that were accessed last: those with a word of action that were accessed lately, and
        others with a high score. What was brought up (`surfaced`) is in none of them.

        Args:
            now: When; the clock's instant if ``None``. A later one looks ahead.
            action_words: What a fact says that somebody wants done, in any case, also inside words.
            max_pending: Most pending facts, 1 to 10,000.
            max_contextual: Most contextual facts, 1 to 10,000.
            within: A pending fact was accessed this recently, in whole days.
            least_score: The score of `recall` that a contextual fact has at least.
            ranking: The points of the scores.

        Returns:
            At most 100 due facts, the earliest first; later ones follow once these were marked with `surfaced`. The
            others by their scores, the highest first. Empty lists if there are none.

        Raises:
            InvalidInputError: An argument is not accepted.

        Source:
            The indexes on (scope, due_at) and (scope, last_accessed).
        """
        rule = SurfacingRule(
            action_words=[word.lower() for word in check_names("action_words", action_words)],
            max_pending=check_limit(max_pending, "max_pending"),
            max_contextual=check_limit(max_contextual, "max_contextual"),
            within=check_duration("within", within),
            least_score=check_points("least_score", least_score),
        )
        check_ranking(ranking)
        at = self.now() if now is None else check_instant("now", now)
        dated, _ = await self._some(due.DUE, _CANDIDATES, at)
        others, _ = await self._some(recalling.CANDIDATES, _CANDIDATES, at)
        return surface(dated, others, at, rule, ranking, self._rules.explicit_sources)

    async def surfaced(self, *ids: int) -> list[MemoryEntry]:
        """
        Mark facts as brought up, so that `surface` does not return them again, and return those marked now.

        Of several tasks and programs that mark the same fact, one gets it back: who brings up only what it got,
        says nothing twice. A fact with another ``due_at`` is brought up anew.

        Args:
            ids: Any number of ids.

        Returns:
            In the order given, without those that were marked before and those that are not current. An empty list
            for no ids.

        Raises:
            InvalidInputError: An id is not accepted.
        """
        numbers = dict.fromkeys(check_ids(ids))
        if not numbers:
            return []
        bound = due.SURFACED.bind(
            ids=to_compact_json([*numbers]), scope=self.scope, now=encode_instant(self.now())
        )
        (result,) = await self.connection.write((bound,))
        marked = {row[0]: to_memory(row) for row in result.rows}
        return [marked[number] for number in numbers if number in marked]

    async def fading(
        self,
        threshold: float = 0.9,
        *,
        half_life: timedelta = HALF_LIFE,
        sources: Collection[str] = INFERRED_SOURCES,
        limit: int = DEFAULT_LIMIT,
    ) -> list[MemoryEntry]:
        """
        Return current facts that have faded: what `forget_faded` would forget.

        A fact loses half of what is left of it in each half-life since its last access, or since its creation if
        it has none: with the defaults, 0.9 has faded after 100 days. Who states it again, or touches it, brings
        all of it back.

        Args:
            threshold: How much of a fact must have faded, above 0 and below 1.
            half_life: In this time, half of a fact fades.
            sources: The sources whose facts fade; by default those of what was only inferred.
            limit: Most facts wanted, 1 to 10,000.

        Returns:
            At most *limit* facts: those that were never accessed, the oldest first, then those that were, the
            longest ago first. An empty list if none has faded.

        Raises:
            InvalidInputError: An argument is not accepted.

        Source:
            The index on (scope, last_accessed).
        """
        faded = self._fading(threshold, half_life, sources)
        rows = await faded.find(check_limit(limit))
        return await list_in_slices(map(to_memory, rows))

    async def forget_faded(
        self,
        threshold: float = 0.9,
        *,
        half_life: timedelta = HALF_LIFE,
        sources: Collection[str] = INFERRED_SOURCES,
        dry_run: bool = False,
    ) -> int:
        """
        Forget the facts that have faded, as `forget` does: each with what it superseded. `restore` undoes it.

        It forgets 500 at a time, each time as one unit, so that others can write in between. After an interruption,
        what was forgotten stays so, and a repetition finds the rest.

        Args:
            threshold: As in `fading`.
            half_life: As in `fading`.
            sources: As in `fading`.
            dry_run: Only count them.

        Returns:
            How many facts were forgotten, or with *dry_run* would be, without what they superseded.

        Raises:
            InvalidInputError: An argument is not accepted.
        """
        faded = self._fading(threshold, half_life, sources)
        return await (faded.count() if check_flag("dry_run", dry_run) else faded.forget())

    async def touch(self, id: int) -> MemoryEntry:
        """
        Set a fact's ``last_accessed`` to now, and return it.

        Raises:
            NotFoundError: No fact with this id in this scope, or it is forgotten, expired or only proposed.
        """
        return await self._write_one(queries.TOUCH, id)

    async def update(
        self,
        id: int,
        *,
        content: str | Unset = UNSET,
        category: str | Unset = UNSET,
        metadata: Mapping[str, JsonValue] | Unset | None = UNSET,
        expires_at: datetime | Unset | None = UNSET,
        due_at: datetime | Unset | None = UNSET,
        slot: str | Unset | None = UNSET,
    ) -> MemoryEntry:
        """
        Change a fact's text, category, metadata, expiry, due date or slot, and return the fact. What is not given stays.

        A new *content* is for correcting a text under its id, also in what makes no other fact, such as
        its case. If the old text was true until now, `supersede` keeps it as history. With another *due_at*, it is
        brought up anew; see `surface`. A current fact that is given a *slot* supersedes what fills it; ``None`` takes the
        fact out of its own.

        Raises:
            ConflictError: Another fact of this scope states *content*; its id is ``other_id``. It may be
                forgotten, expired or superseded. Nothing was changed.
            InvalidInputError: No field is given, or one is not accepted.
            NotFoundError: No fact with this id in this scope, or it is forgotten, expired or only proposed.
        """
        if self._guard is not None:
            content, category, metadata = self._guard.change(content, category, metadata)
        values: dict[str, Value] = {}
        if content is not UNSET:
            fact = encode_new_fact(MemoryNew(content=content), self.scope, self._rules)
            values["content"], values["content_hash"] = fact.content, fact.content_hash
        if category is not UNSET:
            values["category"] = check_name("category", category)
        if metadata is not UNSET:
            values["metadata"] = check_metadata("metadata", metadata)
        if expires_at is not UNSET:
            values["expires_at"] = encode_expiry(expires_at)
        if due_at is not UNSET:
            values["due_at"] = encode_due(due_at)
        if slot is not UNSET:
            values["slot"] = None if slot is None else self._slot(slot)
        if not values:
            raise InvalidInputError(
                "update", "needs content, category, metadata, expires_at, due_at or slot"
            )
        statement = queries.update(frozenset(values))
        if content is not UNSET:
            return await self._correct(statement, id, values)
        return await self._write_one(statement, id, **values)

    async def near_duplicates(
        self, threshold: float = SIMILAR, *, limit: int = DEFAULT_LIMIT, after: str | None = None
    ) -> Page[NearDuplicates]:
        """
        Return a page of pairs of current facts that say nearly the same, for someone to choose which to `merge`.

        Two facts are as similar as the share of their words that both have, in any form and order, a rare word counting
        for more than a common one. Words like ``she`` and ``now`` do not count. Facts are no pair if only one is
        negated, or if their signs differ, as in ``C`` and ``C++``. It knows words, not what they mean: "Ada pays Bob" and "Bob
        pays Ada" are a pair.

        A page looks at 100 facts, each beside at most 20 that were stored before it. So it may have few
        pairs, or none, although more follow: only `next_cursor` tells. `iterate_near_duplicates` reads them all.

        Args:
            threshold: How similar they must be, 0.5 to 1.
            limit: Most pairs wanted, 1 to 10,000.
            after: The ``next_cursor`` of the page before.

        Returns:
            At most *limit* pairs, each pair once, ordered by the creation of its newer fact.

        Raises:
            InvalidInputError: An argument is not accepted.

        Source:
            The search index, as for `search`; where it cannot be had, the newest 10,000 facts. Facts of more than
            2,000 characters are in no pair, and words that more than 100 facts have lead to one only together.
        """
        place: dict[str, Value] = {"scope": self.scope, "now": encode_instant(self.now())}
        near = NearDuplicateSearch(
            self.connection, self._index, place, self.scope, check_threshold(threshold)
        )
        return await near.page(check_limit(limit), after)

    def iterate_near_duplicates(self, threshold: float = SIMILAR) -> AsyncIterator[NearDuplicates]:
        """Yield all pairs in the order of `near_duplicates`, reading a page at a time."""
        check_threshold(threshold)
        return walk(lambda after: self.near_duplicates(threshold, limit=ITERATE_LIMIT, after=after))

    async def merge(self, keep: int, drop: int, content: str | None = None) -> MemoryEntry:
        """
        Make one fact of two that say the same, as one atomic unit: *drop* is superseded by *keep*.

        *keep* keeps its id, and takes what only *drop* has: its slot, pin or due date, a later expiry, a later access,
        and the source if that of *keep* is only inferred. A due date that was brought up gives way to one that was not.
        Category and metadata stay. `history` returns *drop*, whose text only becomes a fact again when the user says it.

        Args:
            keep: The fact that stays current.
            drop: The fact that says the same.
            content: A new text for *keep*, as for `update`; ``None`` leaves the one that it has.

        Returns:
            The fact *keep*, as it is now.

        Raises:
            ConflictError: One of them is already superseded, they fill different slots, or another fact states
                *content*, which may be *drop* itself: keep that one instead. Nothing was changed.
            InvalidInputError: An argument is not accepted, or both ids are the same.
            NotFoundError: No such fact in this scope, or it is forgotten, expired or only proposed.
        """
        place: dict[str, Value] = {"scope": self.scope, "now": encode_instant(self.now())}
        ids: dict[str, Value] = {"keep": check_id("keep", keep), "drop": check_id("drop", drop)}
        if keep == drop:
            raise InvalidInputError("drop", "must be another fact than keep")
        text: dict[str, Value] = {}
        hashed: dict[str, Value] = {}
        if content is not None:
            seen = content if self._guard is None else self._guard.content(content)
            fact = encode_new_fact(MemoryNew(content=seen), self.scope, self._rules)
            text, hashed = {"content": fact.content}, {"content_hash": fact.content_hash}
        has_text = bool(text)
        kept, linked, *before, other = await self.connection.write(
            (
                merging.keep(content=has_text).bind(**ids, **place, **text, **hashed),
                merging.link(content=has_text).bind(**ids, **place, **hashed),
                queries.GET.bind(id=keep, **place),
                queries.GET.bind(id=drop, **place),
                queries.HOLDER.bind(
                    id=keep, scope=self.scope, content_hash=hashed.get("content_hash")
                ),
            )
        )
        if kept.rows and linked.rows:
            return to_memory(kept.rows[0])
        facts = [
            _found(to_memory(its.rows[0]) if its.rows else None, number)
            for its, number in zip(before, (keep, drop), strict=True)
        ]
        raise _unmerged(facts, [row[0] for row in other.rows])

    async def history(self, id: int) -> list[MemoryEntry]:
        """
        Return the facts that this one superseded, directly or not, oldest first.

        Returns:
            Superseded facts only, without the fact itself, and without those that are forgotten or
            expired; an empty list if it replaced none.

        Raises:
            NotFoundError: No fact with this id in this scope, or it is forgotten, expired or only proposed.

        Source:
            The index on superseded_by; https://sqlite.org/lang_with.html
        """
        number = check_id("id", id)
        now = encode_instant(self.now())
        rows = await self.connection.read(chains.HISTORY.bind(id=number, scope=self.scope, now=now))
        chain = await list_in_slices(map(to_memory, rows))
        before = [entry for entry in chain if entry.id != number]
        if len(before) == len(chain):
            raise not_found("fact", id, also=_GONE)
        return before

    async def forget(self, id: int) -> MemoryEntry:
        """
        Forget a fact, and all that it superseded, so that they are no longer returned. Idempotent.

        All get the same ``deleted_at``, by which `restore` brings them back. Works on a superseded fact,
        too; its successors stay. What had been forgotten before stays as it was.

        Returns:
            The fact; its ``deleted_at`` is when it was first forgotten.

        Raises:
            NotFoundError: No fact with this id in this scope, or it is expired or only proposed.

        Source:
            The index on superseded_by; https://sqlite.org/lang_with.html
        """
        return await self._write_chain(chains.FORGET, id)

    async def restore(self, id: int) -> MemoryEntry:
        """
        Undo `forget`, and return the fact. Does nothing if the fact is not forgotten.

        What was forgotten at the same instant of what it superseded comes back with it. A superseded
        fact comes back as one: `remember` its text to make it current. A current one takes its slot back, and
        supersedes what fills it.

        Raises:
            NotFoundError: No fact with this id in this scope, or it is expired or only proposed.
        """
        return await self._write_chain(chains.RESTORE, id)

    async def forgotten(
        self,
        *,
        within: timedelta | None = None,
        limit: int = DEFAULT_LIMIT,
        after: str | None = None,
    ) -> Page[MemoryEntry]:
        """
        Return a page of forgotten facts, latest first, without expired ones.

        A fact that was forgotten together with its successor is not listed beside it: `restore` of the
        successor brings back both.

        Args:
            within: Only facts forgotten this recently; all if ``None``.
            limit: Most facts wanted, 1 to 10,000.
            after: The ``next_cursor`` of the page before.

        Returns:
            At most *limit* facts; an empty page when none was forgotten.
        """
        now = self.now()
        paging = page_parameters(limit, after)
        bound = queries.forgotten(after=after is not None, is_large=is_large(limit)).bind(
            scope=self.scope,
            deleted_from=_ALWAYS if within is None else _before(now, within),
            now=encode_instant(now),
            **paging,
        )
        rows = await self.connection.read(bound)
        return await decode_page(rows, limit, to_memory, instant=_DELETED_AT)

    async def forget_all(self, *, confirm: bool) -> int:
        """
        Mark every fact of this scope as forgotten, whether it is current or not, and reject every proposal.

        The facts stay in the database until `purge`; `ScopedStore.erase` deletes them.

        Args:
            confirm: Must be ``True``.

        Returns:
            How many facts were forgotten now, rejected proposals among them.

        Raises:
            InvalidInputError: *confirm* is not ``True``.
        """
        if not check_flag("confirm", confirm):
            raise InvalidInputError("confirm", "must be True to forget every fact")
        statement = queries.FORGET_ALL.bind(scope=self.scope, now=encode_instant(self.now()))
        (result,) = await self.connection.write((statement,))
        return result.changes

    async def purge(self, before: datetime, *, dry_run: bool = False) -> int:
        """
        Delete for good this scope's forgotten and expired facts of before an instant, and what they superseded.

        A superseded fact stays as long as its successor, unless it was itself forgotten, or has expired. One whose
        successor is no longer there is deleted, too, if it was created before the instant. Proposals stay, however
        old they are, unless they have expired.

        A fact with an instant that cannot be read stays. Other programs' instants get memrepo's spelling
        first, by a dry run, too, unless the store is read-only.

        Given an instant to come, it deletes what is forgotten or has expired by now, and no current fact.

        Returns:
            How many facts were deleted, or with *dry_run* would be.
        """
        bound = encode_bound("before", check_instant("before", before))
        now = encode_instant(self.now())
        await prepare_purge(
            self.connection, "memory_entries", dry_run=check_flag("dry_run", dry_run)
        )
        if dry_run:
            return await self._count(chains.COUNT_PURGEABLE, before=bound, now=now)
        statement = chains.PURGE.bind(scope=self.scope, before=bound, now=now)
        (result,) = await self.connection.write((statement,))
        return result.changes

    def _encode(self, new: MemoryNew) -> Fact:
        if self._guard is not None:
            content, category, source, metadata = self._guard.fact(
                new.content, new.category, new.source, new.metadata
            )
            new = attrs.evolve(
                new,
                content=content,
                category=category,
                source=source,
                metadata=metadata,
                slot=None if new.slot is None else self._slot(new.slot),
            )
        return encode_new_fact(new, self.scope, self._rules)

    def _slot(self, slot: str) -> str:
        """Return the name of a slot as the guard has it."""
        return check_name("slot", slot) if self._guard is None else self._guard.text("slot", slot)

    def _fading(self, threshold: float, half_life: timedelta, sources: Collection[str]) -> Fading:
        return Fading.of(
            self.connection,
            self.scope,
            self.now(),
            threshold=threshold,
            half_life=half_life,
            sources=sources,
        )

    def _place(self, id: int) -> dict[str, Value]:
        now = encode_instant(self.now())
        return {"id": check_id("id", id), "scope": self.scope, "now": now}

    def _get(self, id: int) -> BoundStatement:
        now = encode_instant(self.now())
        return queries.GET.bind(id=check_id("id", id), scope=self.scope, now=now)

    async def _write_in_sessions(
        self, statements: Iterable[BoundStatement], sessions: Collection[int]
    ) -> Sequence[Result]:
        """Write a unit whose new facts are learnt in *sessions*, each of which must be in this scope."""
        if not sessions:
            return await self.connection.write(tuple(statements))
        ids = to_compact_json([*sessions])
        require = remembering_many.REQUIRE_SESSIONS.bind(scope=self.scope, sessions=ids)
        try:
            _, *results = await self.connection.write((require, *statements))
        except ConstraintError as error:
            refuse_session(error, "not null", *sessions)
        return results

    async def _write_one(self, statement: Statement, id: int, **values: Value) -> MemoryEntry:
        now = encode_instant(self.now())
        place: dict[str, Value] = {"id": check_id("id", id), "scope": self.scope, "now": now}
        take = (slots.TAKE_BY_ID.bind(**place),) if "slot" in values else ()
        changed, *taken = await self.connection.write((statement.bind(**place, **values), *take))
        entry = _found(to_memory(changed.rows[0]) if changed.rows else None, id)
        return outcomes.latest(entry, taken)

    async def _write_chain(self, statement: Statement, id: int) -> MemoryEntry:
        place: dict[str, Value] = {
            "id": check_id("id", id),
            "scope": self.scope,
            "now": encode_instant(self.now()),
        }
        # What comes back takes its slot; what was forgotten takes none.
        take = slots.TAKE_BY_ID.bind(**place)
        *_, after = await self.connection.write(
            (statement.bind(**place), take, queries.GET_UNEXPIRED.bind(**place))
        )
        entry = to_memory(after.rows[0]) if after.rows else None
        return found(entry, "fact", id, also=_EXPIRED)

    async def _correct(
        self, statement: Statement, id: int, values: dict[str, Value]
    ) -> MemoryEntry:
        now = encode_instant(self.now())
        place: dict[str, Value] = {"id": check_id("id", id), "scope": self.scope, "now": now}
        changed, before, other, *taken = await self.connection.write(
            (
                statement.bind(**place, **values),
                queries.GET.bind(**place),
                queries.HOLDER.bind(id=id, scope=self.scope, content_hash=values["content_hash"]),
                *((slots.TAKE_BY_ID.bind(**place),) if "slot" in values else ()),
            )
        )
        for row in changed.rows:
            return outcomes.latest(to_memory(row), taken)
        _found(to_memory(before.rows[0]) if before.rows else None, id)
        for (other_id,) in other.rows:
            raise ConflictError(f"fact {other_id} states what fact {id} would", other_id)
        raise outcomes.not_stored()

    async def _count(self, statement: Statement, **parameters: Value) -> int:
        rows = await self.connection.read(statement.bind(scope=self.scope, **parameters))
        return to_number(rows)

    def _refreshed(self, fact: Fact, now: str) -> dict[str, Value]:
        return {
            "scope": self.scope,
            "now": now,
            "content_hash": fact.content_hash,
            "said_source": fact.said_source,
            "expires_at": fact.expires_at,
        }


def _found(entry: MemoryEntry | None, id: int) -> MemoryEntry:
    """Return *entry*, or say that there is no fact with this id."""
    return found(entry, "fact", id, also=_GONE)


def _unmerged(facts: Sequence[MemoryEntry], others: Sequence[int]) -> MemrepoError:
    """Return why of two facts the second was not merged into the first."""
    for fact in facts:
        if fact.superseded_by is not None:
            return ConflictError(f"fact {fact.id} is already superseded", fact.superseded_by)
    keep, drop = facts
    if keep.slot is not None and drop.slot is not None and keep.slot != drop.slot:
        return ConflictError(f"fact {drop.id} fills another slot than fact {keep.id}", drop.id)
    for number in others:
        return ConflictError(f"fact {number} states what fact {keep.id} would", number)
    return outcomes.not_stored()


def _before(now: datetime, within: timedelta) -> str:
    try:
        return encode_instant(now - check_duration("within", within))
    except OverflowError:
        raise InvalidInputError("within", "reaches back before the year 1") from None


def _returned(stated: Iterable[Result], held: Iterable[Result]) -> Iterator[tuple[str, Remembered]]:
    for index, result in enumerate(stated):
        outcome = _OUTCOMES[index % len(_OUTCOMES)]
        for row in result.rows:
            yield row[_HASH], Remembered(outcome=outcome, entry=to_memory(row))
    for row in _rows(held):
        entry = to_memory(row)
        yield row[_HASH], Remembered(outcome=outcomes.why_held_back(entry), entry=entry)


def _inferred(fact: Fact, stated: Sequence[Result], known: Result) -> Remembered:
    """Return what became of a fact that was inferred: what was stated of it, or what it is if nothing was."""
    back, again, new = ([to_memory(row) for row in result.rows] for result in stated)
    for entry in new:
        return Remembered(outcome="proposed" if fact.is_proposed else "created", entry=entry)
    for entry in (*back, *again):
        outcome: RememberOutcome = "restored" if back else "duplicate"
        if outcomes.is_proposal(entry):
            outcome = "proposed"
        return Remembered(outcome=outcome, entry=entry, ignored=ignored(fact, entry))
    for row in known.rows:
        return outcomes.held_back(fact, to_memory(row))
    raise outcomes.not_stored()


def _rows(results: Iterable[Result]) -> Iterable[Row]:
    return itertools.chain.from_iterable(result.rows for result in results)


def _one_each(facts: Iterable[Fact], stored: dict[str, Remembered]) -> Iterator[Remembered]:
    mentioned: set[str] = set()
    for fact in facts:
        first = stored.get(fact.content_hash)
        if first is None:
            raise outcomes.not_stored()
        is_repeated = fact.content_hash in mentioned
        if first.outcome == "created" and not is_repeated:
            yield first
        else:
            is_again = is_repeated and first.outcome not in outcomes.HELD_BACK
            yield Remembered(
                outcome="duplicate" if is_again else first.outcome,
                entry=first.entry,
                ignored=ignored(fact, first.entry),
                replaced=None if is_again else first.replaced,
            )
        mentioned.add(fact.content_hash)
