"""`MemoryRepo`, one call at a time."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import attrs

from memrepo import (
    UNSET,
    ConflictError,
    InvalidInputError,
    MemoryEntry,
    MemoryFilter,
    MemoryNew,
    NotFoundError,
    Observed,
    Page,
    PendingInference,
    Remembered,
    RememberOutcome,
    content_hash,
)

from .patterns import Patterns
from .state import Draft, page_of

__all__ = ["Memories"]

_ALL = MemoryFilter()
_HELD_BACK = ("forgotten", "superseded", "proposed")
_LIMIT = 50
#: Nine tenths of an inferred fact have faded after this.
_FADED_AFTER = timedelta(days=30) * math.log2(10)
_NEVER = datetime.min.replace(tzinfo=UTC)


class Memories:
    """
    The facts of one scope at one instant.

    Of sources it knows ``inferred`` and ``user_explicit``, which is the better and the greater one.
    """

    def __init__(self, draft: Draft, scope: str, now: datetime) -> None:
        self._facts = draft.facts
        self._draft = draft
        self._scope = scope
        self._now = now
        self._patterns = Patterns(draft, scope, now)

    # --- taking in -----------------------------------------------------------------------------

    def remember(self, content: str, **others: Any) -> Remembered:
        new = MemoryNew(content=content, **others)
        self._check_sessions([new])
        return self._remember(new)

    def remember_many(self, facts: Iterable[MemoryNew]) -> list[Remembered]:
        batch = list(facts)
        self._check_sessions(batch)
        alone = {self._hash(new.content) for new in batch if new.slot is not None or new.proposed}
        mentions: dict[str, list[MemoryNew]] = {}
        for new in batch:
            if (form := self._hash(new.content)) not in alone:
                mentions.setdefault(form, []).append(new)
        taken = self._slots_of_the_user()
        merged = {form: _merged(same) for form, same in mentions.items()}
        firsts = {
            form: self._state(attrs.evolve(its, due_at=None), taken) for form, its in merged.items()
        }
        self._settle(firsts)
        for form, its in firsts.items():
            if self._is_current(its.entry):
                entry = self._set_due(self._facts[its.id], merged[form].due_at)
                firsts[form] = attrs.evolve(its, entry=entry)
        results = []
        for new in batch:
            form = self._hash(new.content)
            if form in alone:
                results.append(self._remember(new))
                continue
            its = firsts[form]
            if mentions[form][0] is not new and its.outcome not in _HELD_BACK:
                its = attrs.evolve(its, outcome="duplicate", replaced=None)
            results.append(_remembered(its.outcome, its.entry, new, its.replaced))
        return results

    def _settle(self, stated: dict[str, Remembered]) -> None:
        """
        Of the facts that a list has stated, the newest of each slot supersedes all else there.

        What the user said comes before what is only inferred. It takes over from the newest of that.
        """
        here = [fact for form in stated if (fact := self._holder(form)) and self._is_current(fact)]
        here.sort(key=lambda fact: (fact.source == "user_explicit", fact.id))
        newest = {fact.slot: fact for fact in here if fact.slot}
        replaced = {fact.id: self._take(fact) for fact in newest.values()}
        for fact in newest.values():
            self._take_over(fact, replaced[fact.id])
        for form, its in stated.items():
            its = attrs.evolve(its, entry=self._facts[its.id])  # noqa: PLW2901
            if (other := replaced.get(its.id)) is not None:
                its = attrs.evolve(its, outcome="replaced", replaced=other)  # noqa: PLW2901
            stated[form] = its

    def supersede(
        self,
        id: int,
        content: str,
        *,
        category: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> Remembered:
        old = self.get(id)
        if old.superseded_by is not None or old.content_hash == (form := self._hash(content)):
            raise ConflictError("superseded before, or the same fact")
        self._check_slot(self._holder(form), old.slot)
        given = MemoryNew(content=content, category=category, metadata=metadata, **others)
        self._check_sessions([given])
        kept = attrs.evolve(
            given,
            category=old.category if category is None else category,
            metadata=old.metadata if metadata is None else metadata,
            slot=old.slot,
        )
        result = self._state(kept, self._slots_of_the_user(), old)
        if result.outcome in _HELD_BACK:
            return _remembered(result.outcome, result.entry, given)
        self._change(old, superseded_by=result.id)
        replaced = self._take(result.entry)
        return _remembered(result.outcome, result.entry, given, replaced)

    def _remember(self, new: MemoryNew) -> Remembered:
        """Do what `remember` does, with a slot, too."""
        known = self._holder(self._hash(new.content))
        is_said = new.source == "user_explicit"
        if new.proposed:
            return self._propose(new, known)
        if known is not None and _is_hidden(known) and not is_said:
            return self._hold_back(known, new)
        filled = None if new.slot is None else self.in_slot(new.slot)
        gives_way = is_said or new.overrule or filled is None or filled == known
        if not gives_way and filled is not None and filled.source == "user_explicit":
            return Remembered(outcome="kept", entry=filled)
        self._check_slot(known, new.slot)
        users = self._slots_of_the_user()
        own = None if known is None or self._is_current(known) else known.slot
        slot = new.slot or (own if is_said or own not in users else None)
        is_current = known is not None and self._is_current(known)
        takes_slot = is_current or new.expires_at is None or new.expires_at > self._now
        replaced = self.in_slot(slot) if slot is not None and takes_slot else None
        result = self._state(new, users, replaced)
        return _remembered(result.outcome, result.entry, new, self._take(result.entry))

    def _check_slot(self, known: MemoryEntry | None, slot: str | None) -> None:
        """A current fact that fills a slot cannot be put into another."""
        own = None if known is None or not self._is_current(known) else known.slot
        if slot is not None and own not in (None, slot):
            raise ConflictError("it fills another slot")

    def _state(
        self, new: MemoryNew, taken: set[str | None], replaced: MemoryEntry | None = None
    ) -> Remembered:
        """
        Create, refresh or bring back a fact.

        *taken* are the slots that inferred text does not take back; *replaced* hands on its pin and its date.
        """
        form = self._hash(new.content)
        known = self._holder(form)
        if known is None:
            created = self._take_over(self._create(new, form), replaced)
            return _remembered("created", self._set_due(created, new.due_at), new)
        source = max(known.source, new.source)
        if self._is_current(known):
            expires_at = _later([known.expires_at, new.expires_at])
            changed = self._change(
                known,
                last_accessed=self._now,
                source=source,
                expires_at=expires_at,
                slot=known.slot or new.slot,
            )
            changed = self._set_due(self._take_over(changed, replaced), new.due_at)
            return _remembered("duplicate", changed, new)
        is_said = new.source == "user_explicit"
        if not is_said and _is_hidden(known):
            return self._hold_back(known, new)
        own_slot = None if not is_said and known.slot in taken else known.slot
        changed = self._change(
            known,
            last_accessed=self._now,
            source=source,
            expires_at=new.expires_at,
            deleted_at=None,
            superseded_by=None,
            proposed_at=None,
            slot=new.slot or own_slot,
        )
        changed = self._set_due(self._take_over(changed, replaced), new.due_at)
        return _remembered("approved" if _is_proposal(known) else "restored", changed, new)

    def _take_over(self, fact: MemoryEntry, replaced: MemoryEntry | None) -> MemoryEntry:
        if replaced is None or replaced.id == fact.id:
            return fact
        has_same_date = fact.due_at == replaced.due_at and fact.surfaced_at is None
        takes_date = replaced.due_at is not None and (fact.due_at is None or has_same_date)
        its = replaced if takes_date else fact
        return self._change(
            fact,
            pinned_at=fact.pinned_at or replaced.pinned_at,
            due_at=its.due_at,
            surfaced_at=its.surfaced_at,
        )

    def _hold_back(self, known: MemoryEntry, new: MemoryNew) -> Remembered:
        """What is only inferred stays gone; a proposal that has expired waits again."""
        if _is_proposal(known) and not self._is_unexpired(known):
            known = self._change(known, last_accessed=self._now, expires_at=new.expires_at)
        return _remembered(_why_held_back(known), known, new)

    def _set_due(self, fact: MemoryEntry, due_at: datetime | None) -> MemoryEntry:
        if due_at in (None, fact.due_at) or not (self._is_current(fact) or _is_proposal(fact)):
            return fact
        return self._change(fact, due_at=due_at, surfaced_at=None)

    def _propose(self, new: MemoryNew, known: MemoryEntry | None) -> Remembered:
        if known is None:
            entry = self._create(new, self._hash(new.content))
            offer = self._change(entry, deleted_at=self._now, proposed_at=self._now)
            # A proposal has its date even if it has expired, unlike a new fact.
            return Remembered(outcome="proposed", entry=self._set_due(offer, new.due_at))
        changes: dict[str, Any] = {"last_accessed": self._now}
        if self._is_current(known) or _is_proposal(known):
            changes["expires_at"] = _later([known.expires_at, new.expires_at])
            if _is_proposal(known):
                changes["slot"] = known.slot or new.slot
        elif _is_hidden(known):
            return _remembered(_why_held_back(known), known, new)
        else:
            changes |= {"deleted_at": self._now, "proposed_at": self._now}
            changes |= {"expires_at": new.expires_at, "slot": new.slot or known.slot}
        entry = self._set_due(self._change(known, **changes), new.due_at)
        return _remembered("proposed" if _is_proposal(entry) else "duplicate", entry, new)

    def _slots_of_the_user(self) -> set[str | None]:
        """The slots that what the user said fills."""
        said = (fact for fact in self._mine() if fact.source == "user_explicit")
        return {fact.slot for fact in said if fact.slot and self._is_current(fact)}

    def _take(self, fact: MemoryEntry) -> MemoryEntry | None:
        """Have what else fills the slot of a current fact superseded by it; return the newest of that."""
        if fact.slot is None or not self._is_current(fact):
            return None
        others = [its for its in self._in_slot(fact.slot) if its.id != fact.id]
        changed = [self._change(its, superseded_by=fact.id) for its in others]
        return max(changed, key=lambda its: its.id, default=None)

    def _create(self, new: MemoryNew, form: str) -> MemoryEntry:
        entry = MemoryEntry(
            id=self._draft.next_id("facts", self._now, form),
            scope=self._scope,
            content=new.content,
            content_hash=form,
            category=new.category or "fact",
            source=new.source,
            created_at=new.created_at or self._now,
            last_accessed=new.created_at or self._now,
            expires_at=new.expires_at,
            deleted_at=None,
            superseded_by=None,
            raw_metadata=_encode(new.metadata),
            session_id=new.session_id,
            slot=new.slot,
        )
        self._facts[entry.id] = entry
        return entry

    # --- patterns ------------------------------------------------------------------------------

    def observe(
        self,
        pattern: str,
        evidence: str | None = None,
        *,
        content: str | None = None,
        times: int = 3,
        metadata: Mapping[str, Any] | None = None,
    ) -> Observed:
        n = self._patterns.count(pattern) + 1
        seen = (
            {"pattern": pattern} if evidence is None else {"pattern": pattern, "evidence": evidence}
        )
        event = self._patterns.append("pattern_observed", {**seen, "n": n})
        if n < times:
            return Observed(n=n, inferred=None, event=event)
        given = MemoryNew(
            content=content or pattern, category="preference", source="inferred", metadata=metadata
        )
        evidence_of = {"pattern": pattern, "evidence": self._patterns.evidence(pattern)}
        told = self._remember(attrs.evolve(given, metadata={**(metadata or {}), **evidence_of}))
        self._patterns.append("pattern_inferred", {"pattern": pattern})
        return Observed(n=n, inferred=_remembered(told.outcome, told.entry, given), event=event)

    def would_infer(self, pattern: str, *, times: int = 3) -> bool:
        return self._patterns.count(pattern) + 1 >= times

    def pending_inferences(self) -> list[PendingInference]:
        return self._patterns.pending()

    # --- one fact ------------------------------------------------------------------------------

    def get(self, id: int) -> MemoryEntry:
        return _found(self.find(id))

    def find(self, id: int) -> MemoryEntry | None:
        fact = self._unexpired(id)
        return fact if fact is not None and fact.deleted_at is None else None

    def get_many(self, ids: Iterable[int]) -> list[MemoryEntry | None]:
        return [self.find(number) for number in ids]

    def find_by_content(self, content: str) -> MemoryEntry | None:
        fact = self._holder(self._hash(content))
        return fact if fact is not None and self._is_current(fact) else None

    def pin(self, id: int) -> MemoryEntry:
        fact = self.get(id)
        return self._change(fact, pinned_at=fact.pinned_at or self._now)

    def unpin(self, id: int) -> MemoryEntry:
        return self._change(self.get(id), pinned_at=None)

    def surfaced(self, *ids: int) -> list[MemoryEntry]:
        facts = [self._facts.get(number) for number in dict.fromkeys(ids)]
        return [
            self._change(fact, surfaced_at=self._now)
            for fact in facts
            if fact is not None
            and fact.scope == self._scope
            and self._is_current(fact)
            and fact.surfaced_at is None
        ]

    def touch(self, id: int) -> MemoryEntry:
        return self._change(self.get(id), last_accessed=self._now)

    def update(
        self, id: int, *, metadata: Mapping[str, Any] | Any = UNSET, **values: Any
    ) -> MemoryEntry:
        if metadata is not UNSET:
            values["raw_metadata"] = _encode(metadata)
        fact = self.get(id)
        if "due_at" in values and values["due_at"] != fact.due_at:
            values["surfaced_at"] = None
        if "content" in values:
            values["content_hash"] = self._hash(values["content"])
            if self._holder(values["content_hash"]) not in (None, fact):
                raise ConflictError("another fact states the same")
        changed = self._change(fact, **values)
        return self._take_over(changed, self._take(changed)) if "slot" in values else changed

    def merge(self, keep: int, drop: int, content: str | None = None) -> MemoryEntry:
        if keep == drop:
            raise InvalidInputError("drop", "the same id")
        kept, dropped = self.get(keep), self.get(drop)
        if kept.superseded_by is not None or dropped.superseded_by is not None:
            raise ConflictError("superseded before")
        if None not in (kept.slot, dropped.slot) and kept.slot != dropped.slot:
            raise ConflictError("two slots")
        texts = {}
        if content is not None:
            texts = {"content": content, "content_hash": self._hash(content)}
            if self._holder(texts["content_hash"]) not in (None, kept):
                raise ConflictError("another fact states the same")
        self._change(dropped, superseded_by=keep)
        is_open = dropped.due_at is not None and dropped.surfaced_at is None
        is_only = kept.due_at is None and dropped.due_at is not None
        is_done = kept.surfaced_at is not None and is_open
        dated = dropped if is_only or is_done else kept
        return self._change(
            kept,
            source=max(kept.source, dropped.source),
            expires_at=_later([kept.expires_at, dropped.expires_at]),
            last_accessed=max(kept.last_accessed or _NEVER, dropped.last_accessed or _NEVER),
            slot=kept.slot or dropped.slot,
            pinned_at=kept.pinned_at or dropped.pinned_at,
            due_at=dated.due_at,
            surfaced_at=dated.surfaced_at,
            **texts,
        )

    def forget(self, id: int) -> MemoryEntry:
        head = _found(self._answered(id))
        instant = head.deleted_at or self._now
        for fact in self._chains([head]):
            if fact.deleted_at is None:
                self._change(fact, deleted_at=instant)
        return self._facts[id]

    def restore(self, id: int) -> MemoryEntry:
        head = _found(self._answered(id))
        for fact in self._chains([head]):
            if fact.deleted_at == head.deleted_at:
                self._change(fact, deleted_at=None)
        restored = self._facts[id]
        return self._take_over(restored, self._take(restored))

    def history(self, id: int) -> list[MemoryEntry]:
        before = self._chains([self.get(id)])
        return sorted((its for its in before if self._is_there(its) and its.id != id), key=_age)

    # --- slots and proposals -------------------------------------------------------------------

    def in_slot(self, slot: str) -> MemoryEntry | None:
        return max(self._in_slot(slot), key=lambda fact: fact.id, default=None)

    def slots(self, *, limit: int = _LIMIT, after: str | None = None) -> Page[MemoryEntry]:
        names = {fact.slot for fact in self._mine() if fact.slot and self._is_current(fact)}
        ordered = sorted(name for name in names if name and name > (after or "~")[1:])
        shown = tuple(_found(self.in_slot(name)) for name in ordered[:limit])
        cursor = f"~{shown[-1].slot}" if len(ordered) > limit else None
        return Page(items=shown, next_cursor=cursor)

    def revert(self, slot: str) -> MemoryEntry:
        wrong = _found(self.in_slot(slot))
        before = [
            fact
            for fact in self._mine()
            if fact.superseded_by == wrong.id and fact.slot == slot and self._is_there(fact)
        ]
        right = _found(max(before, key=_statement_age, default=None))
        self._change(wrong, deleted_at=self._now)
        return self._take_over(self._change(right, superseded_by=None), wrong)

    def proposals(self, *, limit: int = _LIMIT, after: str | None = None) -> Page[MemoryEntry]:
        rows = [fact for fact in self._mine() if _is_proposal(fact) and self._is_unexpired(fact)]
        return page_of(
            rows,
            lambda fact: fact.proposed_at or _NEVER,
            limit=limit,
            after=after,
            newest_first=False,
        )

    def iterate_proposals(self) -> list[MemoryEntry]:
        return list(self.proposals(limit=10_000))

    def approve(self, id: int, *, source: str | None = None) -> Remembered:
        offer = self._offer(id)
        approved = self._change(
            offer,
            deleted_at=None,
            proposed_at=None,
            superseded_by=None,
            last_accessed=self._now,
            source=source or offer.source,
        )
        replaced = self._take(approved)
        approved = self._take_over(approved, replaced)
        outcome: RememberOutcome = "approved" if replaced is None else "replaced"
        return Remembered(outcome=outcome, entry=approved, replaced=replaced)

    def reject(self, id: int) -> MemoryEntry:
        return self._change(self._offer(id), deleted_at=self._now, proposed_at=None)

    # --- many facts ----------------------------------------------------------------------------

    def find_many(
        self, where: MemoryFilter = _ALL, *, limit: int = _LIMIT, after: str | None = None
    ) -> Page[MemoryEntry]:
        rows = [fact for fact in self._mine() if self._matches(fact, where)]
        return page_of(rows, lambda fact: fact.created_at, limit=limit, after=after)

    def iterate(self, where: MemoryFilter = _ALL) -> list[MemoryEntry]:
        return list(self.find_many(where, limit=10_000))

    def fading(self) -> list[MemoryEntry]:
        until = self._now - _FADED_AFTER
        faded = [
            fact
            for fact in self.iterate()
            if fact.source == "inferred"
            and (fact.last_accessed or fact.created_at) <= until
            and fact.pinned_at is None
            and (fact.due_at is None or fact.surfaced_at is not None)
        ]
        return sorted(
            faded,
            key=lambda fact: (
                fact.last_accessed is not None,
                fact.last_accessed or fact.created_at,
                fact.id,
            ),
        )

    def forget_faded(self, *, dry_run: bool = False) -> int:
        faded = self.fading()
        for fact in faded:
            if not dry_run:
                self.forget(fact.id)
        return len(faded)

    def count(self, where: MemoryFilter = _ALL) -> int:
        return len(self.find_many(where, limit=10_000))

    def count_by(
        self, field: Literal["category", "source"], where: MemoryFilter = _ALL
    ) -> dict[str, int]:
        counts = Counter(getattr(fact, field) for fact in self.iterate(where))
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def forgotten(
        self,
        *,
        within: timedelta | None = None,
        limit: int = _LIMIT,
        after: str | None = None,
    ) -> Page[MemoryEntry]:
        rows = [
            fact
            for fact in self._mine()
            if self._is_unexpired(fact)
            and not _is_proposal(fact)
            and fact.deleted_at is not None
            and (within is None or fact.deleted_at >= self._now - within)
            and not self._was_forgotten_with_its_successor(fact)
        ]
        return page_of(rows, lambda fact: fact.deleted_at or _NEVER, limit=limit, after=after)

    def forget_all(self, *, confirm: bool) -> int:
        left = [fact for fact in self._mine() if fact.deleted_at is None or _is_proposal(fact)]
        for fact in left:
            self._change(fact, deleted_at=self._now, proposed_at=None)
        return len(left)

    def purge(self, before: datetime, *, dry_run: bool = False) -> int:
        gone = self._chains(
            fact
            for fact in self._mine()
            if (fact.deleted_at and fact.deleted_at < before and not _is_proposal(fact))
            or (fact.expires_at and fact.expires_at < before and fact.expires_at <= self._now)
        )
        if not dry_run:
            for fact in gone:
                del self._facts[fact.id]
        return len(gone)

    # --- inside --------------------------------------------------------------------------------

    def _mine(self) -> list[MemoryEntry]:
        return [fact for fact in self._facts.values() if fact.scope == self._scope]

    def _hash(self, content: str) -> str:
        return content_hash(content, scope=self._scope, same_fact=self._draft.same_fact)

    def _check_sessions(self, facts: Iterable[MemoryNew]) -> None:
        mine = {its.id for its in self._draft.sessions.values() if its.scope == self._scope}
        if not {its.session_id for its in facts} <= {None, *mine}:
            raise NotFoundError("no such session")

    def _holder(self, form: str) -> MemoryEntry | None:
        return next((fact for fact in self._mine() if fact.content_hash == form), None)

    def _chains(self, heads: Iterable[MemoryEntry]) -> list[MemoryEntry]:
        """The heads, what they superseded, what that superseded, and so on."""
        members = {fact.id: fact for fact in heads}
        to_visit = list(members)
        while to_visit:
            successor = to_visit.pop()
            for fact in self._mine():
                if fact.superseded_by == successor and fact.id not in members:
                    members[fact.id] = fact
                    to_visit.append(fact.id)
        return list(members.values())

    def _was_forgotten_with_its_successor(self, fact: MemoryEntry) -> bool:
        successor = self._facts.get(fact.superseded_by or 0)
        return successor is not None and successor.deleted_at == fact.deleted_at

    def _in_slot(self, slot: str) -> list[MemoryEntry]:
        return [fact for fact in self._mine() if fact.slot == slot and self._is_current(fact)]

    def _offer(self, id: int) -> MemoryEntry:
        offer = _found(self._unexpired(id))
        return _found(offer if _is_proposal(offer) else None)

    def _answered(self, id: int) -> MemoryEntry | None:
        fact = self._unexpired(id)
        return None if fact is None or _is_proposal(fact) else fact

    def _unexpired(self, id: int) -> MemoryEntry | None:
        fact = self._facts.get(id)
        is_mine = fact is not None and fact.scope == self._scope
        return fact if fact is not None and is_mine and self._is_unexpired(fact) else None

    def _is_unexpired(self, fact: MemoryEntry) -> bool:
        return fact.expires_at is None or fact.expires_at > self._now

    def _is_there(self, fact: MemoryEntry) -> bool:
        return fact.deleted_at is None and self._is_unexpired(fact)

    def _is_current(self, fact: MemoryEntry) -> bool:
        return self._is_there(fact) and fact.superseded_by is None

    def _matches(self, fact: MemoryEntry, where: MemoryFilter) -> bool:
        return (
            (where.category is None or fact.category == where.category)
            and (where.source is None or fact.source == where.source)
            and (where.session_id in (None, fact.session_id))
            and (where.due_before is None or _is_before(fact.due_at, where.due_before))
            and (where.slot in (None, fact.slot))
            and not _is_proposal(fact)
            and (where.contains is None or where.contains.lower() in fact.content.lower())
            and (where.include_forgotten or fact.deleted_at is None)
            and (where.include_expired or self._is_unexpired(fact))
            and (where.include_superseded or fact.superseded_by is None)
        )

    def _change(self, fact: MemoryEntry, **values: Any) -> MemoryEntry:
        changed = attrs.evolve(fact, **values)
        self._facts[fact.id] = changed
        return changed


def _is_before(date: datetime | None, bound: datetime) -> bool:
    return date is not None and date < bound


def _found(fact: MemoryEntry | None) -> MemoryEntry:
    if fact is None:
        raise NotFoundError("no such fact")
    return fact


def _age(fact: MemoryEntry) -> tuple[datetime, int]:
    return fact.created_at, fact.id


def _statement_age(fact: MemoryEntry) -> tuple[datetime, int]:
    return fact.last_accessed or fact.created_at, fact.id


def _later(expiries: Iterable[datetime | None]) -> datetime | None:
    """Return the latest expiry; ``None``, which is never, comes after all others."""
    dates = list(expiries)
    return None if None in dates else max(filter(None, dates))


def _merged(same: list[MemoryNew]) -> MemoryNew:
    """Return what several mentions of one new fact come to."""
    source = max(new.source for new in same)
    due_at = next((new.due_at for new in reversed(same) if new.due_at is not None), None)
    expires_at = _later(new.expires_at for new in same)
    return attrs.evolve(same[0], source=source, expires_at=expires_at, due_at=due_at)


def _is_proposal(fact: MemoryEntry) -> bool:
    return fact.proposed_at is not None


def _is_hidden(fact: MemoryEntry) -> bool:
    return fact.deleted_at is not None or fact.superseded_by is not None


def _why_held_back(fact: MemoryEntry) -> RememberOutcome:
    if _is_proposal(fact):
        return "proposed"
    return "superseded" if fact.deleted_at is None else "forgotten"


def _remembered(
    outcome: RememberOutcome,
    entry: MemoryEntry,
    given: MemoryNew,
    replaced: MemoryEntry | None = None,
) -> Remembered:
    differs = {
        "content": given.content != entry.content,
        "metadata": given.metadata not in (None, entry.metadata),
        "category": given.category not in (None, entry.category),
        "slot": given.slot not in (None, entry.slot),
    }
    ignored = () if outcome == "created" else tuple(name for name in differs if differs[name])
    if replaced is not None:
        outcome = "replaced"
    return Remembered(outcome=outcome, entry=entry, ignored=ignored, replaced=replaced)


def _encode(metadata: Mapping[str, Any] | None) -> str | None:
    return None if metadata is None else json.dumps(dict(metadata), separators=(",", ":"))
