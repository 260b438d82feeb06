"""The three repositories against a model in plain Python, driven by random calls (Hypothesis)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

import memrepo
from memrepo import (
    IDLE_AFTER,
    UNSET,
    ConflictError,
    DailyLogFilter,
    EraseReport,
    MemoryEntry,
    MemoryFilter,
    MemoryNew,
    NotFoundError,
    Remembered,
    Session,
    normalize_content,
)
from tests.conftest import Clock

T = TypeVar("T")

ALL = MemoryFilter(include_forgotten=True, include_expired=True, include_superseded=True)
#: Mostly the default one, so that calls meet what others left.
SCOPES = st.sampled_from(["", "", "", "user:1"])
CONTENTS = st.sampled_from(
    ["Likes tea", "likes TEA.", "Likes  coffee", "Likes coffee!", "C", "C++"]
)
SOURCES = st.sampled_from(["user_explicit", "inferred", "import"])
CATEGORIES = st.sampled_from(["fact", "preference"])
SLOTS = st.sampled_from([None, None, "drink", "language"])
HOURS = st.none() | st.integers(-1, 3)
THREADS = st.sampled_from(["", "", "phone"])
KEYS = st.none() | st.sampled_from(["k1", "k2", "k3"])
INFERRED = "inferred"
EXPLICIT = "user_explicit"


@attrs.define
class Fact:
    """What the model knows of a fact."""

    id: int
    content: str
    category: str
    source: str
    created_at: datetime
    last_accessed: datetime | None
    expires_at: datetime | None
    deleted_at: datetime | None = None
    superseded_by: int | None = None
    session_id: int | None = None
    pinned_at: datetime | None = None
    due_at: datetime | None = None
    surfaced_at: datetime | None = None

    def set_due(self, due_at: datetime | None) -> None:
        """Set a date; with another one, it is brought up anew."""
        if due_at is None or due_at != self.due_at:
            self.surfaced_at = None
        self.due_at = due_at

    def take_over(self, replaced: Fact | None) -> None:
        """Take over the pin and the date of a fact that this one replaces, unless it has its own."""
        if replaced is None or replaced is self:
            return
        self.pinned_at = self.pinned_at or replaced.pinned_at
        has_same_date = self.due_at == replaced.due_at and self.surfaced_at is None
        if replaced.due_at is not None and (self.due_at is None or has_same_date):
            self.due_at, self.surfaced_at = replaced.due_at, replaced.surfaced_at

    slot: str | None = None
    proposed_at: datetime | None = None


@attrs.define
class Talk:
    """What the model knows of a session."""

    id: int
    thread: str
    started_at: datetime
    last_activity_at: datetime
    ended_at: datetime | None = None
    end_trigger: str | None = None
    summary: str | None = None


@attrs.define
class Event:
    """What the model knows of an event."""

    id: int
    session_id: int | None
    event_type: str
    event_data: object
    timestamp: datetime
    key: str | None


@attrs.define
class Scope:
    """What one owner has."""

    facts: dict[int, Fact] = attrs.Factory(dict)
    talks: dict[int, Talk] = attrs.Factory(dict)
    events: dict[int, Event] = attrs.Factory(dict)
    #: When a session was active of which no event tells: it was resumed, or its events were purged.
    resumed_at: dict[int, datetime] = attrs.Factory(dict)


def as_fact(entry: MemoryEntry) -> Fact:
    return Fact(**{field.name: getattr(entry, field.name) for field in attrs.fields(Fact)})


def as_talk(session: Session) -> Talk:
    return Talk(**{field.name: getattr(session, field.name) for field in attrs.fields(Talk)})


def as_event(event: memrepo.DailyLog) -> Event:
    return Event(**{field.name: getattr(event, field.name) for field in attrs.fields(Event)})


class Machine(RuleBasedStateMachine):
    """Does everything twice, and compares."""

    is_file = False
    same_fact: memrepo.SameFact = "folded"

    ids = Bundle("ids")
    session_ids = Bundle("session_ids")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.scopes = {"": Scope(), "user:1": Scope()}
        self.folder = Path(tempfile.mkdtemp()) if self.is_file else None
        self.url = ":memory:" if self.folder is None else str(self.folder / "agent.db")
        self.runner = asyncio.Runner()
        self.store = self.run(self._connect())

    async def _connect(self) -> memrepo.Store:
        return await memrepo.connect(self.url, clock=self.clock, same_fact=self.same_fact)

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(call)

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()
        if self.folder is not None:
            shutil.rmtree(self.folder)

    # --- the model -----------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.clock.now

    def after(self, hours: int | None) -> datetime | None:
        return None if hours is None else self.now() + timedelta(hours=hours)

    def is_unexpired(self, fact: Fact) -> bool:
        return fact.expires_at is None or fact.expires_at > self.now()

    def is_there(self, fact: Fact) -> bool:
        return fact.deleted_at is None and self.is_unexpired(fact)

    def is_current(self, fact: Fact) -> bool:
        return self.is_there(fact) and fact.superseded_by is None

    def find(self, scope: str, number: int) -> Fact | None:
        fact = self.scopes[scope].facts.get(number)
        return fact if fact is not None and self.is_there(fact) else None

    def form(self, content: str) -> str:
        return normalize_content(content, same_fact=self.same_fact)

    def holder(self, scope: str, content: str) -> Fact | None:
        form = self.form(content)
        facts = self.scopes[scope].facts.values()
        return next((fact for fact in facts if self.form(fact.content) == form), None)

    def in_slot(self, scope: str, slot: str | None) -> Fact | None:
        """The fact that fills a slot; no two do."""
        facts = self.scopes[scope].facts.values()
        filled = [fact for fact in facts if slot and fact.slot == slot and self.is_current(fact)]
        assert len(filled) <= 1
        return filled[0] if filled else None

    def take(self, scope: str, fact: Fact) -> Fact | None:
        """Have what else fills the slot of a current fact superseded by it, and return that."""
        others = self.others(scope, fact)
        assert len(others) <= 1
        return self.take_all(scope, fact)

    def take_all(self, scope: str, fact: Fact) -> Fact | None:
        """The same, where a list has brought back several facts to one slot; return the newest of them."""
        others = self.others(scope, fact)
        for its in others:
            its.superseded_by = fact.id
        return max(others, key=lambda its: its.id, default=None)

    def others(self, scope: str, fact: Fact) -> list[Fact]:
        """What else fills the slot of a fact, if that is current."""
        if fact.slot is None or not self.is_current(fact):
            return []
        facts = self.scopes[scope].facts.values()
        filled = (its for its in facts if its.slot == fact.slot and self.is_current(its))
        return [its for its in filled if its is not fact]

    def is_held_back(self, scope: str, content: str, *, is_said: bool) -> bool:
        """Whether a fact that is gone stays so, because the user does not say it again."""
        fact = self.holder(scope, content)
        is_hidden = fact is not None and (fact.deleted_at or fact.superseded_by) is not None
        return is_hidden and not is_said

    def remembered(
        self,
        scope: str,
        new: MemoryNew,
        actual: Remembered,
        *,
        is_said: bool | None = None,
        replaced: Fact | None = None,
    ) -> None:
        """Do in the model what `remember` did, and compare the outcome."""
        is_said = new.source == EXPLICIT if is_said is None else is_said
        if replaced is None:
            known = self.holder(scope, new.content)
            is_current = known is not None and self.is_current(known)
            own = None if known is None or is_current else known.slot
            comes_back = is_said or own not in self.slots_of_the_user(scope)
            takes_slot = is_current or new.expires_at is None or new.expires_at > self.now()
            slot = new.slot or (own if comes_back else None)
            replaced = self.in_slot(scope, slot if takes_slot else None)
        outcome, fact = self.stated(scope, new, actual.id, is_said=is_said, replaced=replaced)
        assert as_fact(actual.entry) == fact
        self.told(outcome, self.take(scope, fact), actual)

    def told(self, outcome: str, replaced: Fact | None, actual: Remembered) -> None:
        assert actual.outcome == (outcome if replaced is None else "replaced")
        assert (None if actual.replaced is None else as_fact(actual.replaced)) == replaced

    def stated(
        self,
        scope: str,
        new: MemoryNew,
        number: int,
        *,
        is_said: bool,
        users: set[str | None] | None = None,
        replaced: Fact | None = None,
    ) -> tuple[str, Fact]:
        """
        Do in the model what stating a fact does to it; return the outcome and the fact.

        *users* are the slots that what the user said fills; by default those now. *replaced* hands on its pin.
        """
        fact = self.holder(scope, new.content)
        if fact is None:
            assert all(number not in owner.facts for owner in self.scopes.values())
            fact = Fact(
                number,
                new.content,
                new.category or "fact",
                new.source,
                new.created_at or self.now(),
                new.created_at or self.now(),
                new.expires_at,
                session_id=new.session_id,
                slot=new.slot,
            )
            fact.take_over(replaced)
            if new.due_at is not None and self.is_current(fact):
                fact.set_due(new.due_at)
            self.scopes[scope].facts[fact.id] = fact
            return "created", fact
        if self.is_held_back(scope, new.content, is_said=is_said):
            if fact.proposed_at is not None and not self.is_unexpired(fact):
                # It waits again.
                fact.last_accessed, fact.expires_at = self.now(), new.expires_at
            return self.why_gone(fact), fact
        outcome = "duplicate"
        if self.is_current(fact):
            expiries = [fact.expires_at, new.expires_at]
            known = [expiry for expiry in expiries if expiry is not None]
            fact.expires_at = max(known) if len(known) == 2 else None
            fact.slot = fact.slot or new.slot
        else:
            outcome = "restored" if fact.proposed_at is None else "approved"
            users = self.slots_of_the_user(scope) if users is None else users
            own_slot = None if not is_said and fact.slot in users else fact.slot
            fact.slot = new.slot or own_slot
            fact.deleted_at = fact.superseded_by = fact.proposed_at = None
            fact.expires_at = new.expires_at
        fact.last_accessed = self.now()
        if is_said and fact.source == INFERRED:
            fact.source = EXPLICIT
        fact.take_over(replaced)
        if new.due_at is not None and self.is_current(fact):
            fact.set_due(new.due_at)
        return outcome, fact

    def slots_of_the_user(self, scope: str) -> set[str | None]:
        facts = self.scopes[scope].facts.values()
        return {
            fact.slot
            for fact in facts
            if fact.slot is not None and fact.source != INFERRED and self.is_current(fact)
        }

    def why_gone(self, fact: Fact) -> str:
        if fact.proposed_at is not None:
            return "proposed"
        return "forgotten" if fact.deleted_at is not None else "superseded"

    def is_kept(self, scope: str, new: MemoryNew) -> bool:
        """Whether inferred text would replace what the user said."""
        filled = self.in_slot(scope, new.slot)
        return (
            filled is not None
            and filled is not self.holder(scope, new.content)
            and new.source != EXPLICIT
            and not new.overrule
            and filled.source != INFERRED
        )

    def is_taken(self, scope: str, new: MemoryNew) -> bool:
        """Whether a current fact would have to leave its slot."""
        fact = self.holder(scope, new.content)
        own = fact.slot if fact is not None and self.is_current(fact) else None
        return new.slot is not None and own not in (None, new.slot)

    def proposed(self, scope: str, new: MemoryNew, actual: Remembered) -> None:
        """Do in the model what `remember` did with a proposal, and compare the outcome."""
        fact = self.holder(scope, new.content)
        expected = "proposed"
        if fact is None:
            fact = Fact(
                actual.id,
                new.content,
                new.category or "fact",
                new.source,
                self.now(),
                self.now(),
                new.expires_at,
                self.now(),
                slot=new.slot,
                proposed_at=self.now(),
            )
            self.scopes[scope].facts[fact.id] = fact
        elif self.is_current(fact) or fact.proposed_at is not None:
            known = [its for its in (fact.expires_at, new.expires_at) if its is not None]
            fact.expires_at = max(known) if len(known) == 2 else None
            fact.last_accessed = self.now()
            if fact.proposed_at is None:
                expected = "duplicate"
            else:
                fact.slot = fact.slot or new.slot
        elif fact.deleted_at is not None or fact.superseded_by is not None:
            expected = self.why_gone(fact)
        else:
            fact.deleted_at = fact.proposed_at = fact.last_accessed = self.now()
            fact.expires_at, fact.slot = new.expires_at, new.slot or fact.slot
        if new.due_at is not None and (self.is_current(fact) or fact.proposed_at is not None):
            fact.set_due(new.due_at)
        assert (actual.outcome, as_fact(actual.entry)) == (expected, fact)

    def open_talk(self, scope: str, thread: str) -> Talk | None:
        talks = self.scopes[scope].talks.values()
        open_ones = (talk for talk in talks if talk.ended_at is None and talk.thread == thread)
        return next(open_ones, None)

    def time_out(
        self, scope: str, thread: str, idle_after: timedelta, day_start: datetime | None
    ) -> None:
        talk = self.open_talk(scope, thread)
        if talk is None:
            return
        is_idle = self.now() - talk.last_activity_at >= idle_after
        if is_idle or (day_start is not None and talk.last_activity_at < day_start):
            talk.ended_at = talk.last_activity_at
            talk.end_trigger = "timeout"

    def started(self, scope: str, thread: str, session: Session) -> None:
        talk = self.open_talk(scope, thread)
        if talk is None:
            assert all(session.id not in owner.talks for owner in self.scopes.values())
            talk = Talk(session.id, thread, self.now(), self.now())
            self.scopes[scope].talks[session.id] = talk
        assert as_talk(session) == talk

    # --- time ----------------------------------------------------------------------------------

    @rule(minutes=st.sampled_from([0.001, 10, 29, 30, 60, 600]))
    def advance(self, minutes: float) -> None:
        self.clock.advance(minutes=minutes)

    @initialize(target=ids)
    def some_id(self) -> int:
        return 1

    @initialize(target=session_ids)
    def some_session_id(self) -> int:
        return 1

    # --- facts ---------------------------------------------------------------------------------

    @rule(
        target=ids,
        scope=SCOPES,
        content=CONTENTS,
        source=SOURCES,
        hours=HOURS,
        due=HOURS,
        session_id=st.none() | session_ids,
        slot=SLOTS,
        overrule=st.booleans(),
    )
    def remember(
        self,
        scope: str,
        content: str,
        source: str,
        hours: int | None,
        due: int | None,
        session_id: int | None,
        slot: str | None,
        *,
        overrule: bool,
    ) -> Any:
        given: dict[str, Any] = {
            "source": source,
            "due_at": self.after(due),
            "expires_at": self.after(hours),
            "session_id": session_id,
            "slot": slot,
            "overrule": overrule and slot is not None,
        }
        call = self.store.scoped(scope).memories.remember(content, **given)
        if session_id is not None and session_id not in self.scopes[scope].talks:
            with pytest.raises(NotFoundError):
                self.run(call)
            return multiple()
        new = MemoryNew(content=content, **given)
        is_held_back = self.is_held_back(scope, content, is_said=source == EXPLICIT)
        if self.is_kept(scope, new) and not is_held_back:
            kept = self.run(call)
            assert (kept.outcome, as_fact(kept.entry)) == ("kept", self.in_slot(scope, slot))
            return multiple()
        if self.is_taken(scope, new):
            with pytest.raises(ConflictError):
                self.run(call)
            return multiple()
        actual = self.run(call)
        self.remembered(scope, new, actual)
        return actual.id

    @rule(target=ids, scope=SCOPES, content=CONTENTS, source=SOURCES, hours=HOURS, slot=SLOTS)
    def propose(
        self, scope: str, content: str, source: str, hours: int | None, slot: str | None
    ) -> int:
        given: dict[str, Any] = {
            "source": source,
            "expires_at": self.after(hours),
            "slot": slot,
            "proposed": True,
        }
        actual = self.run(self.store.scoped(scope).memories.remember(content, **given))
        self.proposed(scope, MemoryNew(content=content, **given), actual)
        return actual.id

    @rule(scope=SCOPES, number=ids, approve=st.booleans(), source=st.none() | st.just(EXPLICIT))
    def answer(self, scope: str, number: int, *, approve: bool, source: str | None) -> None:
        memories = self.store.scoped(scope).memories
        call: Coroutine[Any, Any, MemoryEntry | Remembered]
        call = memories.approve(number, source=source) if approve else memories.reject(number)
        offer = self.unexpired(scope, number, proposed=True)
        if offer is None:
            with pytest.raises(NotFoundError):
                self.run(call)
            return
        actual = self.run(call)
        offer.proposed_at = None
        offer.deleted_at = None if approve else self.now()
        if approve:
            offer.last_accessed = self.now()
            offer.source = source or offer.source
            replaced = self.take(scope, offer)
            offer.take_over(replaced)
            assert isinstance(actual, Remembered)
            self.told("approved", replaced, actual)
            actual = actual.entry
        assert isinstance(actual, MemoryEntry)
        assert as_fact(actual) == offer

    @rule(scope=SCOPES, slot=st.sampled_from(["drink", "language"]))
    def revert(self, scope: str, slot: str) -> None:
        wrong = self.in_slot(scope, slot)
        call = self.store.scoped(scope).memories.revert(slot)
        facts = self.scopes[scope].facts.values()
        before = [
            fact
            for fact in facts
            if wrong is not None
            and (fact.superseded_by, fact.slot) == (wrong.id, slot)
            and self.is_there(fact)
        ]
        if wrong is None or not before:
            with pytest.raises(NotFoundError):
                self.run(call)
            return
        right = max(before, key=lambda fact: fact.id)
        wrong.deleted_at, right.superseded_by = self.now(), None
        right.take_over(wrong)
        assert as_fact(self.run(call)) == right

    @rule(
        target=ids,
        scope=SCOPES,
        facts=st.lists(st.tuples(CONTENTS, SOURCES, CATEGORIES), max_size=5),
    )
    def remember_many(self, scope: str, facts: list[tuple[str, str, str]]) -> Any:
        batch = [MemoryNew(content=c, source=s, category=k) for c, s, k in facts]
        results = self.run(self.store.scoped(scope).memories.remember_many(batch))
        assert len(results) == len(batch)
        first: dict[str, list[MemoryNew]] = {}
        for new in batch:
            first.setdefault(self.form(new.content), []).append(new)
        users = self.slots_of_the_user(scope)
        outcomes: dict[str, tuple[str, Fact]] = {}
        for new, actual in zip(batch, results, strict=True):
            if (form := self.form(new.content)) in outcomes:
                continue
            sources = [other.source for other in first[form]]
            is_said = EXPLICIT in sources
            known = self.holder(scope, new.content)
            is_upgrade = is_said and INFERRED in (sources[0], known and known.source)
            merged = attrs.evolve(new, source=EXPLICIT if is_upgrade else new.source)
            outcomes[form] = self.stated(scope, merged, actual.id, is_said=is_said, users=users)
        # Of the facts that the list has stated, the newest of each slot supersedes what else is there.
        here = sorted((its for _, its in outcomes.values()), key=lambda fact: fact.id)
        newest = {fact.slot: fact for fact in here if fact.slot and self.is_current(fact)}
        replaced = {fact.id: self.take_all(scope, fact) for fact in newest.values()}
        for fact in newest.values():
            fact.take_over(replaced[fact.id])
        mentioned: set[str] = set()
        for new, actual in zip(batch, results, strict=True):
            outcome, fact = outcomes[form := self.form(new.content)]
            assert as_fact(actual.entry) == fact
            if form in mentioned and outcome not in ("forgotten", "superseded", "proposed"):
                self.told("duplicate", None, actual)
            else:
                self.told(outcome, replaced.get(fact.id), actual)
            mentioned.add(form)
        return multiple(*{result.id for result in results})

    @rule(scope=SCOPES, number=ids)
    def get(self, scope: str, number: int) -> None:
        expected = self.find(scope, number)
        actual = self.run(self.store.scoped(scope).memories.find(number))
        assert (None if actual is None else as_fact(actual)) == expected

    @rule(scope=SCOPES, content=CONTENTS)
    def find_by_content(self, scope: str, content: str) -> None:
        fact = self.holder(scope, content)
        actual = self.run(self.store.scoped(scope).memories.find_by_content(content))
        expected = fact if fact is not None and self.is_current(fact) else None
        assert (None if actual is None else as_fact(actual)) == expected

    @rule(scope=SCOPES, number=ids)
    def touch(self, scope: str, number: int) -> None:
        fact = self.find(scope, number)
        self.changed(fact, self.store.scoped(scope).memories.touch(number))
        if fact is not None:
            fact.last_accessed = self.now()

    @rule(scope=SCOPES, number=ids)
    def pin(self, scope: str, number: int) -> None:
        fact = self.find(scope, number)
        self.changed(fact, self.store.scoped(scope).memories.pin(number))
        if fact is not None:
            fact.pinned_at = fact.pinned_at or self.now()

    @rule(scope=SCOPES, number=ids)
    def unpin(self, scope: str, number: int) -> None:
        fact = self.find(scope, number)
        self.changed(fact, self.store.scoped(scope).memories.unpin(number))
        if fact is not None:
            fact.pinned_at = None

    @rule(scope=SCOPES)
    def recall(self, scope: str) -> None:
        """What is pinned comes first, the oldest pin first."""
        shown = self.run(self.store.scoped(scope).memories.recall()).entries
        facts = [fact for fact in self.scopes[scope].facts.values() if self.is_current(fact)]
        pinned = [(fact.pinned_at, fact.id) for fact in facts if fact.pinned_at is not None]
        first = [number for _, number in sorted(pinned)[:5]]
        assert [its.entry.id for its in shown][: len(first)] == first
        # Those that say the same in other cases are joined, also where they are two facts.
        texts = {normalize_content(its.entry.content) for its in shown}
        assert texts == {normalize_content(fact.content) for fact in facts}

    @rule(scope=SCOPES)
    def surface(self, scope: str) -> None:
        """What is due is brought up once."""
        memories = self.store.scoped(scope).memories
        facts = [fact for fact in self.scopes[scope].facts.values() if self.is_current(fact)]
        due = sorted(
            (fact.due_at, fact.id)
            for fact in facts
            if fact.due_at is not None and fact.due_at <= self.now() and fact.surfaced_at is None
        )
        surfacing = self.run(memories.surface())
        assert [its.entry.id for its in surfacing.due] == [number for _, number in due]
        marked = self.run(memories.surfaced(*surfacing.ids))
        assert [fact.id for fact in marked] == surfacing.ids
        for number in surfacing.ids:
            self.scopes[scope].facts[number].surfaced_at = self.now()
        assert self.run(memories.surface()).ids == []

    @rule(scope=SCOPES, number=ids, due=HOURS)
    def move(self, scope: str, number: int, due: int | None) -> None:
        fact = self.find(scope, number)
        due_at = self.after(due)
        self.changed(fact, self.store.scoped(scope).memories.update(number, due_at=due_at))
        if fact is not None:
            fact.set_due(due_at)

    @rule(
        scope=SCOPES,
        number=ids,
        category=st.none() | CATEGORIES,
        hours=HOURS,
        slot=st.just(UNSET) | SLOTS,
    )
    def update(
        self, scope: str, number: int, category: str | None, hours: int | None, slot: Any
    ) -> None:
        fact = self.find(scope, number)
        self.changed(
            fact,
            self.store.scoped(scope).memories.update(
                number,
                category=UNSET if category is None else category,
                expires_at=self.after(hours),
                slot=slot,
            ),
        )
        if fact is not None:
            fact.category = category or fact.category
            fact.expires_at = self.after(hours)
        if fact is not None and slot is not UNSET:
            fact.slot = slot
            fact.take_over(self.take(scope, fact))

    @rule(target=ids, scope=SCOPES, number=ids, content=CONTENTS, source=SOURCES, hours=HOURS)
    def supersede(
        self, scope: str, number: int, content: str, source: str, hours: int | None
    ) -> Any:
        old = self.find(scope, number)
        expires_at = self.after(hours)
        call = self.store.scoped(scope).memories.supersede(
            number, content, source=source, expires_at=expires_at
        )
        if old is None:
            with pytest.raises(NotFoundError):
                self.run(call)
            return multiple()
        if old.superseded_by is not None or self.holder(scope, content) is old:
            with pytest.raises(ConflictError):
                self.run(call)
            return multiple()
        new = MemoryNew(
            content=content,
            source=source,
            expires_at=expires_at,
            category=old.category,
            slot=old.slot,
        )
        if self.is_taken(scope, new):
            with pytest.raises(ConflictError):
                self.run(call)
            return multiple()
        actual = self.run(call)
        is_held_back = self.is_held_back(scope, content, is_said=source == EXPLICIT)
        if not is_held_back:
            old.superseded_by = actual.id
        self.remembered(scope, new, actual, replaced=old)
        return actual.id

    @rule(scope=SCOPES, number=ids)
    def history(self, scope: str, number: int) -> None:
        call = self.store.scoped(scope).memories.history(number)
        if self.find(scope, number) is None:
            with pytest.raises(NotFoundError):
                self.run(call)
            return
        chain = self.chains(scope, [number])
        expected = [fact for fact in chain if self.is_there(fact) and fact.id != number]
        expected.sort(key=lambda fact: (fact.created_at, fact.id))
        assert [as_fact(entry) for entry in self.run(call)] == expected

    @rule(scope=SCOPES, number=ids)
    def forget(self, scope: str, number: int) -> None:
        head = self.unexpired(scope, number)
        self.changed(head, self.store.scoped(scope).memories.forget(number))
        if head is not None:
            instant = head.deleted_at or self.now()
            for fact in self.chains(scope, [number]):
                fact.deleted_at = fact.deleted_at or instant

    @rule(scope=SCOPES, number=ids)
    def restore(self, scope: str, number: int) -> None:
        head = self.unexpired(scope, number)
        self.changed(head, self.store.scoped(scope).memories.restore(number))
        if head is not None:
            instant = head.deleted_at
            for fact in self.chains(scope, [number]):
                if fact.deleted_at == instant:
                    fact.deleted_at = None
            head.take_over(self.take(scope, head))

    def chains(self, scope: str, heads: Iterable[int]) -> list[Fact]:
        """The facts with these ids, what they superseded, what that superseded, and so on."""
        facts = self.scopes[scope].facts
        members = {number: facts[number] for number in heads}
        to_visit = list(members)
        while to_visit:
            successor = to_visit.pop()
            for fact in facts.values():
                if fact.superseded_by == successor and fact.id not in members:
                    members[fact.id] = fact
                    to_visit.append(fact.id)
        return list(members.values())

    def unexpired(self, scope: str, number: int, *, proposed: bool = False) -> Fact | None:
        fact = self.scopes[scope].facts.get(number)
        if fact is None or not self.is_unexpired(fact):
            return None
        return fact if (fact.proposed_at is not None) is proposed else None

    def changed(self, fact: Fact | None, call: Coroutine[Any, Any, MemoryEntry]) -> None:
        """Make a call that changes a fact; `matches_the_model` compares what became of it."""
        if fact is None:
            with pytest.raises(NotFoundError):
                self.run(call)
        else:
            assert self.run(call).id == fact.id

    @rule(scope=SCOPES)
    def forget_all(self, scope: str) -> None:
        everything = self.scopes[scope].facts.values()
        facts = [fact for fact in everything if fact.deleted_at is None or fact.proposed_at]
        assert self.run(self.store.scoped(scope).memories.forget_all(confirm=True)) == len(facts)
        for fact in facts:
            fact.deleted_at, fact.proposed_at = self.now(), None

    @rule(scope=SCOPES, hours=st.none() | st.integers(0, 2))
    def forgotten(self, scope: str, hours: int | None) -> None:
        within = None if hours is None else timedelta(hours=hours, milliseconds=1)
        facts = self.scopes[scope].facts
        together = {
            fact.id
            for fact in facts.values()
            if (successor := facts.get(fact.superseded_by or 0)) is not None
            and successor.deleted_at == fact.deleted_at
        }
        found = [
            (fact.deleted_at, fact.id)
            for fact in facts.values()
            if fact.id not in together
            and fact.proposed_at is None
            and fact.deleted_at is not None
            and (within is None or fact.deleted_at >= self.now() - within)
            and self.is_unexpired(fact)
        ]
        page = self.run(self.store.scoped(scope).memories.forgotten(within=within))
        assert [(e.deleted_at, e.id) for e in page] == sorted(found, reverse=True)

    @rule(scope=SCOPES, hours=st.integers(-2, 1))
    def purge(self, scope: str, hours: int) -> None:
        before = self.now() + timedelta(hours=hours)
        facts = self.scopes[scope].facts
        old = [
            fact.id
            for fact in facts.values()
            if (fact.deleted_at and fact.deleted_at < before and not fact.proposed_at)
            or (fact.expires_at and fact.expires_at < before and fact.expires_at <= self.now())
        ]
        gone = [fact.id for fact in self.chains(scope, old)]
        memories = self.store.scoped(scope).memories
        assert self.run(memories.purge(before, dry_run=True)) == len(gone)
        assert self.run(memories.purge(before)) == len(gone)
        for number in gone:
            del facts[number]

    # --- sessions ------------------------------------------------------------------------------

    @rule(target=session_ids, scope=SCOPES, thread=THREADS, end_active=st.booleans())
    def start(self, scope: str, thread: str, *, end_active: bool) -> Any:
        self.time_out(scope, thread, IDLE_AFTER, None)
        talk = self.open_talk(scope, thread)
        call = self.store.scoped(scope).sessions.start(thread, end_active=end_active)
        if talk is not None and not end_active:
            with pytest.raises(ConflictError):
                self.run(call)
            return multiple()
        if talk is not None:
            talk.ended_at, talk.end_trigger = self.now(), "explicit"
        session = self.run(call)
        self.started(scope, thread, session)
        return session.id

    @rule(
        target=session_ids,
        scope=SCOPES,
        thread=THREADS,
        minutes=st.none() | st.sampled_from([10, 30, 120]),
        by_day=st.booleans(),
    )
    def get_or_start(self, scope: str, thread: str, minutes: int | None, *, by_day: bool) -> int:
        idle_after = None if minutes is None else timedelta(minutes=minutes)
        midnight = self.now().replace(hour=0, minute=0, second=0, microsecond=0)
        self.time_out(scope, thread, idle_after or IDLE_AFTER, midnight if by_day else None)
        session = self.run(
            self.store.scoped(scope).sessions.get_or_start(
                thread, idle_after=idle_after, day_boundary=UTC if by_day else None
            )
        )
        self.started(scope, thread, session)
        return session.id

    @rule(scope=SCOPES, number=session_ids)
    def resume(self, scope: str, number: int) -> None:
        talk = self.scopes[scope].talks.get(number)
        call = self.store.scoped(scope).sessions.resume(number)
        if talk is None:
            with pytest.raises(NotFoundError):
                self.run(call)
            return
        active = self.open_talk(scope, talk.thread)
        if active is not talk:
            # An abandoned one ends; and where there is a conflict, nothing does.
            self.time_out(scope, talk.thread, IDLE_AFTER, None)
            active = self.open_talk(scope, talk.thread)
        if active is not None and active is not talk:
            with pytest.raises(ConflictError):
                self.run(call)
            return
        talk.ended_at = talk.end_trigger = None
        talk.last_activity_at = self.scopes[scope].resumed_at[number] = self.now()
        assert as_talk(self.run(call)) == talk

    @rule(scope=SCOPES)
    def end_abandoned(self, scope: str) -> None:
        idle = [
            talk
            for talk in self.scopes[scope].talks.values()
            if talk.ended_at is None and self.now() - talk.last_activity_at >= IDLE_AFTER
        ]
        assert self.run(self.store.scoped(scope).sessions.end_abandoned()) == len(idle)
        for talk in idle:
            talk.ended_at, talk.end_trigger = talk.last_activity_at, "timeout"

    @rule(
        scope=SCOPES,
        number=session_ids,
        trigger=st.sampled_from(["error", "timeout"]),
        summary=st.none() | st.just("done"),
    )
    def end(self, scope: str, number: int, trigger: str, summary: str | None) -> None:
        talk = self.scopes[scope].talks.get(number)
        call = self.store.scoped(scope).sessions.end(number, trigger=trigger, summary=summary)
        if talk is None:
            with pytest.raises(NotFoundError):
                self.run(call)
            return
        end = self.run(call)
        assert end.ended_now is (talk.ended_at is None)
        if end.ended_now:
            talk.ended_at = self.now() if trigger == "error" else talk.last_activity_at
            talk.end_trigger = trigger
            talk.summary = summary or talk.summary
        assert as_talk(end.session) == talk

    @rule(scope=SCOPES, number=session_ids)
    def summarize(self, scope: str, number: int) -> None:
        talk = self.scopes[scope].talks.get(number)
        call = self.store.scoped(scope).sessions.summarize(number, f"at {self.now()}")
        if talk is None:
            with pytest.raises(NotFoundError):
                self.run(call)
        else:
            talk.summary = f"at {self.now()}"
            assert as_talk(self.run(call)) == talk

    @rule(scope=SCOPES, number=session_ids, keep=st.booleans())
    def delete(self, scope: str, number: int, *, keep: bool) -> None:
        owner = self.scopes[scope]
        sessions = self.store.scoped(scope).sessions
        call = sessions.delete(number, events="keep" if keep else "delete")
        if number not in owner.talks:
            with pytest.raises(NotFoundError):
                self.run(call)
            return
        events = [event for event in owner.events.values() if event.session_id == number]
        assert self.run(call) == len(events)
        for event in events:
            if keep:
                event.session_id = None
            else:
                del owner.events[event.id]
        for fact in owner.facts.values():
            if fact.session_id == number:
                fact.session_id = None
        del owner.talks[number]

    @rule(scope=SCOPES, thread=THREADS)
    def active(self, scope: str, thread: str) -> None:
        talk = self.open_talk(scope, thread)
        is_active = talk is not None and self.now() - talk.last_activity_at < IDLE_AFTER
        actual = self.run(self.store.scoped(scope).sessions.active(thread))
        assert (None if actual is None else as_talk(actual)) == (talk if is_active else None)

    # --- events --------------------------------------------------------------------------------

    @rule(scope=SCOPES, number=st.none() | session_ids, key=KEYS, data=st.integers(0, 3))
    def append(self, scope: str, number: int | None, key: str | None, data: int) -> None:
        owner = self.scopes[scope]
        known = next((e for e in owner.events.values() if key and e.key == key), None)
        call = self.store.scoped(scope).daily_logs.append(number, "x", data, key=key)
        if known is None and number is not None and number not in owner.talks:
            with pytest.raises(NotFoundError):
                self.run(call)
            return
        if known is not None and number is not None and number not in owner.talks:
            # The key decides, or the session does: either way nothing is stored.
            with contextlib.suppress(NotFoundError):
                assert as_event(self.run(call).event) == known
            return
        actual = self.run(call)
        self.logged(scope, known or Event(actual.id, number, "x", data, self.now(), key))
        assert as_event(actual.event) == owner.events[actual.id]

    def logged(self, scope: str, event: Event) -> None:
        owner = self.scopes[scope]
        if event.id not in owner.events:
            assert all(event.id not in other.events for other in self.scopes.values())
            owner.events[event.id] = event
            if event.session_id is not None:
                self.recount(scope, event.session_id)

    def recount(self, scope: str, session_id: int) -> None:
        owner = self.scopes[scope]
        talk = owner.talks[session_id]
        times = [e.timestamp for e in owner.events.values() if e.session_id == session_id]
        talk.last_activity_at = max([*times, owner.resumed_at.get(session_id, talk.started_at)])

    @rule(scope=SCOPES, keys=st.lists(KEYS, max_size=5))
    def append_many(self, scope: str, keys: list[str | None]) -> None:
        owner = self.scopes[scope]
        batch = [
            memrepo.DailyLogNew(event_type="y", event_data=n, key=k) for n, k in enumerate(keys)
        ]
        events = self.run(self.store.scoped(scope).daily_logs.append_many(batch))
        assert len(events) == len(batch)
        for new, actual in zip(batch, events, strict=True):
            known = next((e for e in owner.events.values() if new.key and e.key == new.key), None)
            event = Event(actual.id, None, "y", new.event_data, self.now(), new.key)
            self.logged(scope, known or event)
            assert as_event(actual.event) == owner.events[actual.id]

    @rule(scope=SCOPES, hours=st.integers(-2, 1))
    def purge_events(self, scope: str, hours: int) -> None:
        owner = self.scopes[scope]
        before = self.now() + timedelta(hours=hours)
        gone = [event.id for event in owner.events.values() if event.timestamp < before]
        daily_logs = self.store.scoped(scope).daily_logs
        assert self.run(daily_logs.purge(before, dry_run=True)) == len(gone)
        assert self.run(daily_logs.purge(before)) == len(gone)
        self.drop(scope, gone)

    def drop(self, scope: str, gone: list[int]) -> None:
        """Delete events, after which open sessions are as active as they were."""
        owner = self.scopes[scope]
        for event in map(owner.events.pop, gone):
            talk = owner.talks.get(event.session_id or 0)
            if talk and talk.ended_at is None and event.timestamp == talk.last_activity_at:
                owner.resumed_at[talk.id] = event.timestamp
        for number in owner.talks:
            self.recount(scope, number)

    @rule(scope=SCOPES, event_type=st.sampled_from("xy"), number=session_ids)
    def delete_events(self, scope: str, event_type: str, number: int) -> None:
        owner = self.scopes[scope]
        where = DailyLogFilter(event_type=event_type, session_id=number)
        gone = [
            event.id
            for event in owner.events.values()
            if event.event_type == event_type and event.session_id == number
        ]
        daily_logs = self.store.scoped(scope).daily_logs
        assert self.run(daily_logs.delete_many(where)) == len(gone)
        self.drop(scope, gone)

    @rule(scope=st.just("user:1"))
    def erase(self, scope: str) -> None:
        owner, self.scopes[scope] = self.scopes[scope], Scope()
        assert self.run(self.store.scoped(scope).erase(confirm=True)) == EraseReport(
            n_facts=len(owner.facts), n_sessions=len(owner.talks), n_events=len(owner.events)
        )

    # --- the whole -----------------------------------------------------------------------------

    @rule()
    def reopen(self) -> None:
        """What is in a file is there again."""
        if self.folder is not None:
            self.run(self.store.close())
            self.store = self.run(self._connect())

    @rule(scope=SCOPES, content=CONTENTS)
    def roll_back(self, scope: str, content: str) -> None:
        """What is rolled back never was."""

        async def block() -> None:
            async with self.store.scoped(scope).transaction() as tx:
                await tx.memories.remember(content)
                await tx.memories.forget_all(confirm=True)
                await tx.sessions.start(end_active=True)
                await tx.daily_logs.append(None, "x", key="k1")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            self.run(block())

    @invariant()
    def matches_the_model(self) -> None:
        """Every row of every scope is what the model says, in order."""
        self.run(self._compare())

    async def _compare(self) -> None:
        await asyncio.gather(*(self._compare_scope(name) for name in self.scopes))

    async def _compare_scope(self, name: str) -> None:
        owner, repos = self.scopes[name], self.store.scoped(name)
        offers, filled = await asyncio.gather(repos.memories.proposals(), repos.memories.slots())
        entries, current, n_current, sessions, logs = await asyncio.gather(
            repos.memories.find_many(ALL),
            repos.memories.find_many(),
            repos.memories.count(),
            repos.sessions.find_many(limit=10_000),
            repos.daily_logs.find_many(limit=10_000),
        )
        everything = sorted(owner.facts.values(), key=lambda f: (f.created_at, f.id), reverse=True)
        facts = [fact for fact in everything if fact.proposed_at is None]
        assert [as_fact(entry) for entry in entries] == facts
        waiting = [fact for fact in everything if fact.proposed_at and self.is_unexpired(fact)]
        waiting.sort(key=lambda fact: (fact.proposed_at, fact.id))
        assert [as_fact(entry) for entry in offers] == waiting
        slots = sorted({fact.slot for fact in facts if fact.slot and self.is_current(fact)})
        assert [as_fact(entry) for entry in filled] == [self.in_slot(name, slot) for slot in slots]
        expected = [fact for fact in facts if self.is_current(fact)]
        assert [as_fact(entry) for entry in current] == expected
        assert n_current == len(expected)
        talks = sorted(owner.talks.values(), key=lambda t: (t.started_at, t.id), reverse=True)
        assert [as_talk(session) for session in sessions] == talks
        events = sorted(owner.events.values(), key=lambda event: (event.timestamp, event.id))
        assert [as_event(event) for event in logs] == events


class FileMachine(Machine):
    """The same on a file, closed and opened in between."""

    is_file = True


class ExactMachine(Machine):
    """The same by the rule that tells more texts apart."""

    same_fact = "exact"


@pytest.mark.parametrize(
    "machine",
    [
        pytest.param(Machine, id="memory"),
        pytest.param(FileMachine, id="file", marks=pytest.mark.slow),
        pytest.param(ExactMachine, id="exact", marks=pytest.mark.slow),
    ],
)
def test_model(machine: type[Machine]) -> None:
    """Whatever is called in whatever order, every answer and every row is what the model says."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=100 if os.environ.get("MEMREPO_CONTRACT") == "full" else 25,
            stateful_step_count=50,
            # Shrinking takes minutes: for that, add Phase.shrink and run it without a timeout.
            phases=[Phase.generate],
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
