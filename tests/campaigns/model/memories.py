"""`MemoryRepo`, one call at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import attrs

from memrepo import (
    UNSET,
    ConflictError,
    MemoryEntry,
    MemoryFilter,
    MemoryNew,
    NotFoundError,
    Page,
    Remembered,
    RememberOutcome,
    content_hash,
)

from .state import Draft, page_of

__all__ = ["Memories"]

_ALL = MemoryFilter()
_HELD_BACK = ("forgotten", "superseded")
_LIMIT = 50
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

    # --- taking in -----------------------------------------------------------------------------

    def remember(self, content: str, **others: Any) -> Remembered:
        return self._remember(MemoryNew(content=content, **others))

    def remember_many(self, facts: Iterable[MemoryNew]) -> list[Remembered]:
        batch = list(facts)
        mentions: dict[str, list[MemoryNew]] = {}
        for new in batch:
            mentions.setdefault(self._hash(new.content), []).append(new)
        firsts = {form: self._remember(_merged(same)) for form, same in mentions.items()}
        results = []
        for new in batch:
            first, *_ = mentions[form := self._hash(new.content)]
            outcome = firsts[form].outcome
            if first is not new and outcome not in _HELD_BACK:
                outcome = "duplicate"
            results.append(_remembered(outcome, firsts[form].entry, new))
        return results

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
        if old.superseded_by is not None or old.content_hash == self._hash(content):
            raise ConflictError("superseded before, or the same fact")
        given = MemoryNew(content=content, category=category, metadata=metadata, **others)
        kept = attrs.evolve(
            given,
            category=old.category if category is None else category,
            metadata=old.metadata if metadata is None else metadata,
        )
        result = self._remember(kept)
        if result.outcome not in _HELD_BACK:
            self._change(old, superseded_by=result.id)
        return _remembered(result.outcome, result.entry, given)

    def _remember(self, new: MemoryNew) -> Remembered:
        form = self._hash(new.content)
        known = self._holder(form)
        if known is None:
            return _remembered("created", self._create(new, form), new)
        source = max(known.source, new.source)
        if self._is_current(known):
            expires_at = _later([known.expires_at, new.expires_at])
            changed = self._change(
                known, last_accessed=self._now, source=source, expires_at=expires_at
            )
            return _remembered("duplicate", changed, new)
        if new.source != "user_explicit":
            if known.deleted_at is not None:
                return _remembered("forgotten", known, new)
            if known.superseded_by is not None:
                return _remembered("superseded", known, new)
        changed = self._change(
            known,
            last_accessed=self._now,
            source=source,
            expires_at=new.expires_at,
            deleted_at=None,
            superseded_by=None,
        )
        return _remembered("restored", changed, new)

    def _create(self, new: MemoryNew, form: str) -> MemoryEntry:
        entry = MemoryEntry(
            id=self._draft.next_id("facts", self._now, form),
            scope=self._scope,
            content=new.content,
            content_hash=form,
            category=new.category or "fact",
            source=new.source,
            created_at=self._now,
            last_accessed=self._now,
            expires_at=new.expires_at,
            deleted_at=None,
            superseded_by=None,
            raw_metadata=_encode(new.metadata),
        )
        self._facts[entry.id] = entry
        return entry

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

    def touch(self, id: int) -> MemoryEntry:
        return self._change(self.get(id), last_accessed=self._now)

    def update(
        self, id: int, *, metadata: Mapping[str, Any] | Any = UNSET, **values: Any
    ) -> MemoryEntry:
        if metadata is not UNSET:
            values["raw_metadata"] = _encode(metadata)
        fact = self.get(id)
        if "content" in values:
            values["content_hash"] = self._hash(values["content"])
            if self._holder(values["content_hash"]) not in (None, fact):
                raise ConflictError("another fact states the same")
        return self._change(fact, **values)

    def forget(self, id: int) -> MemoryEntry:
        head = _found(self._unexpired(id))
        instant = head.deleted_at or self._now
        for fact in self._chains([head]):
            if fact.deleted_at is None:
                self._change(fact, deleted_at=instant)
        return self._facts[id]

    def restore(self, id: int) -> MemoryEntry:
        head = _found(self._unexpired(id))
        for fact in self._chains([head]):
            if fact.deleted_at == head.deleted_at:
                self._change(fact, deleted_at=None)
        return self._facts[id]

    def history(self, id: int) -> list[MemoryEntry]:
        before = self._chains([self.get(id)])
        return sorted((its for its in before if self._is_there(its) and its.id != id), key=_age)

    # --- many facts ----------------------------------------------------------------------------

    def find_many(
        self, where: MemoryFilter = _ALL, *, limit: int = _LIMIT, after: str | None = None
    ) -> Page[MemoryEntry]:
        rows = [fact for fact in self._mine() if self._matches(fact, where)]
        return page_of(rows, lambda fact: fact.created_at, limit=limit, after=after)

    def iterate(self, where: MemoryFilter = _ALL) -> list[MemoryEntry]:
        return list(self.find_many(where, limit=10_000))

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
            and fact.deleted_at is not None
            and (within is None or fact.deleted_at >= self._now - within)
            and not self._was_forgotten_with_its_successor(fact)
        ]
        return page_of(rows, lambda fact: fact.deleted_at or _NEVER, limit=limit, after=after)

    def forget_all(self, *, confirm: bool) -> int:
        left = [fact for fact in self._mine() if fact.deleted_at is None]
        for fact in left:
            self._change(fact, deleted_at=self._now)
        return len(left)

    def purge(self, before: datetime, *, dry_run: bool = False) -> int:
        gone = self._chains(
            fact
            for fact in self._mine()
            if any(
                date is not None and date < before for date in (fact.deleted_at, fact.expires_at)
            )
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
            and (where.contains is None or where.contains.lower() in fact.content.lower())
            and (where.include_forgotten or fact.deleted_at is None)
            and (where.include_expired or self._is_unexpired(fact))
            and (where.include_superseded or fact.superseded_by is None)
        )

    def _change(self, fact: MemoryEntry, **values: Any) -> MemoryEntry:
        changed = attrs.evolve(fact, **values)
        self._facts[fact.id] = changed
        return changed


def _found(fact: MemoryEntry | None) -> MemoryEntry:
    if fact is None:
        raise NotFoundError("no such fact")
    return fact


def _age(fact: MemoryEntry) -> tuple[datetime, int]:
    return fact.created_at, fact.id


def _later(expiries: Iterable[datetime | None]) -> datetime | None:
    """Return the latest expiry; ``None``, which is never, comes after all others."""
    dates = list(expiries)
    return None if None in dates else max(filter(None, dates))


def _merged(same: list[MemoryNew]) -> MemoryNew:
    """Return what several mentions of one new fact come to."""
    source = max(new.source for new in same)
    return attrs.evolve(same[0], source=source, expires_at=_later(new.expires_at for new in same))


def _remembered(outcome: RememberOutcome, entry: MemoryEntry, given: MemoryNew) -> Remembered:
    differs = {
        "content": given.content != entry.content,
        "metadata": given.metadata not in (None, entry.metadata),
        "category": given.category not in (None, entry.category),
    }
    ignored = () if outcome == "created" else tuple(name for name in differs if differs[name])
    return Remembered(outcome=outcome, entry=entry, ignored=ignored)


def _encode(metadata: Mapping[str, Any] | None) -> str | None:
    return None if metadata is None else json.dumps(dict(metadata), separators=(",", ":"))
