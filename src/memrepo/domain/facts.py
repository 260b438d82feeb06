"""Facts as they are given, checked and encoded as their statements bind them. Nothing is sent before that."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from memrepo.domain.checks import (
    check_flag,
    check_id,
    check_instant,
    check_name,
    check_object,
    check_text,
)
from memrepo.domain.codec import Value
from memrepo.domain.hashing import hash_normalized, normalize_content
from memrepo.domain.instants import encode_instant
from memrepo.domain.jsontext import JsonValue, decode_json
from memrepo.domain.memories import DEFAULT_CATEGORY, INFERRED_SOURCES, MemoryEntry, MemoryNew
from memrepo.domain.rules import FactRules
from memrepo.errors import InvalidInputError

__all__ = [
    "Fact",
    "due_dates",
    "encode_due",
    "encode_expiry",
    "encode_fact",
    "encode_new_fact",
    "ignored",
    "merge_facts",
]


class Fact(NamedTuple):
    """A fact, as `queries.remembering` binds it."""

    content: str
    content_hash: str
    #: ``None`` if none was given.
    category: str | None
    source: str
    metadata: str | None
    expires_at: str | None
    #: The source, if it speaks for the user.
    said_source: str | None
    #: ``None`` for now.
    created_at: str | None = None
    session_id: int | None = None
    due_at: str | None = None
    #: The slot that it is to fill.
    slot: str | None = None
    #: Whether it replaces what the user said there.
    overrules: bool = False
    is_proposed: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the statements for many facts can take it in."""
        return self.slot is None and not self.is_proposed

    @property
    def keeps(self) -> bool:
        """Whether it leaves what the user said."""
        return self.said_source is None and not self.overrules

    @property
    def kept_slot(self) -> str | None:
        """The slot that it only fills if what the user said does not."""
        return self.slot if self.keeps else None


#: How many of a fact's fields the statements for many facts take.
_ROW_LENGTH: Final = Fact._fields.index("session_id") + 1


def encode_new_fact(new: MemoryNew, scope: str, rules: FactRules) -> Fact:
    """Check a fact and hash it for *scope*."""
    fact = encode_fact(
        scope,
        rules,
        new.content,
        new.category,
        new.source,
        new.metadata,
        new.expires_at,
        new.session_id,
        new.due_at,
        new.slot,
        overrule=new.overrule,
        proposed=new.proposed,
    )
    if (time := new.created_at) is None:
        return fact
    return fact._replace(created_at=encode_instant(check_instant("created_at", time)))


def encode_fact(
    scope: str,
    rules: FactRules,
    content: str,
    category: str | None,
    source: str,
    metadata: Mapping[str, JsonValue] | None,
    expires_at: datetime | None,
    session_id: int | None = None,
    due_at: datetime | None = None,
    slot: str | None = None,
    *,
    overrule: bool = False,
    proposed: bool = False,
) -> Fact:
    """Check the arguments of `MemoryRepo.remember` and hash the content for *scope*."""
    content = check_text("content", content)
    normalized = normalize_content(content, same_fact=rules.same_fact)
    if not normalized:
        also = "" if rules.same_fact == "exact" else " and punctuation"
        raise InvalidInputError("content", f"must be more than white space{also}")
    overrules = overrule is not False and check_flag("overrule", overrule)
    if overrules and slot is None:
        raise InvalidInputError("overrule", "needs a slot")
    is_proposed = proposed is not False and check_flag("proposed", proposed)
    return Fact(
        content,
        hash_normalized(normalized, scope, rules.same_fact),
        None if category is None else check_name("category", category),
        check_name("source", source),
        None if metadata is None else check_object("metadata", metadata),
        None if expires_at is None else encode_expiry(expires_at),
        source if source in rules.explicit_sources else None,
        session_id=None if session_id is None else check_id("session_id", session_id),
        due_at=None if due_at is None else encode_due(due_at),
        slot=None if slot is None else check_name("slot", slot),
        overrules=overrules,
        is_proposed=is_proposed or source in rules.propose,
    )


def encode_expiry(expires_at: datetime | None) -> str | None:
    """Check and encode when a fact expires; ``None`` for never."""
    return None if expires_at is None else encode_instant(check_instant("expires_at", expires_at))


def encode_due(due_at: datetime | None) -> str | None:
    """Check and encode when a fact is to be brought up; ``None`` for never."""
    return None if due_at is None else encode_instant(check_instant("due_at", due_at))


def due_dates(facts: Iterable[Fact]) -> dict[str, str]:
    """Return when facts are due, by their hash; of several mentions of one, the last that says it counts."""
    return {fact.content_hash: fact.due_at for fact in facts if fact.due_at is not None}


def merge_facts(facts: Iterable[Fact]) -> Iterator[tuple[Value, ...]]:
    """
    Yield a row for each different fact, in order of first mention, for `queries.remembering`.

    Several mentions count as one statement, which the user said if any of them was: that one's source is
    the last column, and outranks an inferred one. The latest expiry holds.
    """
    first: dict[str, Fact] = {}
    others: dict[str, list[Fact]] = {}
    for fact in facts:
        if first.setdefault(fact.content_hash, fact) is not fact:
            others.setdefault(fact.content_hash, []).append(fact)
    for content_hash, fact in first.items():
        if (same := others.get(content_hash)) is None:
            yield (*fact[:2], fact.category or DEFAULT_CATEGORY, *fact[3:_ROW_LENGTH])
        else:
            yield _merge(fact, *same)[:_ROW_LENGTH]


def _merge(first: Fact, *others: Fact) -> Fact:
    mentions = (first, *others)
    said_source = next((fact.said_source for fact in mentions if fact.said_source), None)
    expiries = [fact.expires_at for fact in mentions]
    return first._replace(
        category=first.category or DEFAULT_CATEGORY,
        source=said_source if said_source and first.source in INFERRED_SOURCES else first.source,
        expires_at=None if None in expiries else max(filter(None, expiries)),
        said_source=said_source,
    )


def ignored(fact: Fact, entry: MemoryEntry) -> tuple[str, ...]:
    """Return the names of what was given with *fact*, and is not what *entry* has."""
    names: tuple[str, ...] = ()
    if fact.content != entry.content:
        names += ("content",)
    if fact.metadata is not None and _is_other_json(fact.metadata, entry.raw_metadata):
        names += ("metadata",)
    if fact.category is not None and fact.category != entry.category:
        names += ("category",)
    if fact.slot is not None and fact.slot != entry.slot:
        names += ("slot",)
    return names


def _is_other_json(given: str, stored: str | None) -> bool:
    if given == stored:
        return False
    return stored is None or _sorted_json(given) != _sorted_json(stored)


def _sorted_json(text: str) -> str:
    # As text, because 1, 1.0 and True are equal in Python and three values in JSON.
    return json.dumps(decode_json(text)[0], sort_keys=True)
