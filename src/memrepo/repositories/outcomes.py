"""What became of a fact that was stated, by the rows that its statements returned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, Final

import attrs

from memrepo.connection.contract import Result
from memrepo.domain.codec import Row, to_memory
from memrepo.domain.facts import Fact, ignored
from memrepo.domain.memories import MemoryEntry, Remembered, RememberOutcome
from memrepo.errors import ConflictError, DatabaseError

__all__ = [
    "HELD_BACK",
    "came_back",
    "filled",
    "held_back",
    "is_proposal",
    "latest",
    "not_stored",
    "outcome_of",
    "proposed",
    "remembered",
    "replacing",
    "settle",
    "settle_latest",
    "slot_conflict",
    "superseded",
    "why_held_back",
]

#: What becomes of a fact that stays gone.
HELD_BACK: Final = ("forgotten", "superseded", "proposed")


def filled(fact: Fact, results: Sequence[Result]) -> Remembered | None:
    """Return what `stating.fill` did; ``None`` if that was not enough."""
    new, taken, *dates = results
    for row in new.rows:
        told = replacing(_stored(fact, row), taken.rows) if taken.rows else _stored(fact, row)
        return _with_latest(told, dates) if dates else told
    return None


def outcome_of(fact: Fact, results: Sequence[Result]) -> Remembered:
    """Return what the statements of `stating.unit_of` did."""
    if fact.due_at is not None:
        *results, dates = results
        return _with_latest(outcome_of(fact._replace(due_at=None), results), (dates,))
    if not fact.is_proposed and fact.said_source is None:
        _, *results = results  # of `proposals.RENEW`
    before, *stated = results
    known = to_memory(before.rows[0]) if before.rows else None
    if fact.is_proposed:
        return proposed(fact, known, stated)
    new, revived, taken, holder, _ = stated
    told = [_stored(fact, row) for row in new.rows]
    told += [remembered(came_back(known), fact, row) for row in revived.rows]
    for result in told:
        return replacing(result, taken.rows)
    if known is not None and _is_hidden(known):
        return held_back(fact, known)
    for row in holder.rows:
        return Remembered(outcome="kept", entry=to_memory(row))
    raise not_stored()


def proposed(fact: Fact, known: MemoryEntry | None, results: Iterable[Result]) -> Remembered:
    """Return what became of a proposal, by what was known before, and by what stored or refreshed it."""
    for result in results:
        for row in result.rows:
            entry = to_memory(row)
            outcome: RememberOutcome = "proposed" if is_proposal(entry) else "duplicate"
            passed_over = () if known is None else ignored(fact, entry)
            return Remembered(outcome=outcome, entry=entry, ignored=passed_over)
    if known is not None and _is_hidden(known):
        return held_back(fact, known)
    raise not_stored()


def superseded(
    fact: Fact, old: MemoryEntry, before: Result, results: Sequence[Result]
) -> Remembered:
    """
    Return what became of a fact that was to replace *old*, by what its statements returned.

    Raises:
        ConflictError: *old* was superseded, or it is the same fact, or the fact fills another slot.
    """
    known = to_memory(before.rows[0]) if before.rows else None
    if fact.is_proposed and any(result.rows for result in results):
        return proposed(fact, known, results)
    if not fact.is_proposed:
        *stated, link, taken = results
        if link.rows:
            return replacing(_first_outcome(fact, known, stated), taken.rows)
    if old.superseded_by is not None:
        raise ConflictError(f"fact {old.id} is already superseded", old.superseded_by)
    if old.content_hash == fact.content_hash:
        raise ConflictError(f"the content is the same fact as fact {old.id}")
    if known is not None and _is_hidden(known):
        return held_back(fact, known)
    raise not_stored() if known is None else slot_conflict(known)


def _first_outcome(fact: Fact, known: MemoryEntry | None, results: Iterable[Result]) -> Remembered:
    outcomes: tuple[RememberOutcome, ...] = (came_back(known), "duplicate", "created")
    for outcome, result in zip(outcomes, results, strict=True):
        if result.rows:
            return remembered(outcome, fact, result.rows[0])
    # INSERT OR IGNORE skips a row for other reasons, too: a fact that was not stored is no duplicate.
    raise not_stored()


def came_back(known: MemoryEntry | None) -> RememberOutcome:
    """Return what it means that a fact is current which was *known*, but was not current."""
    return "approved" if known is not None and is_proposal(known) else "restored"


def remembered(outcome: RememberOutcome, fact: Fact, row: Row) -> Remembered:
    """Return what became of a fact, and what of it was passed over."""
    entry = to_memory(row)
    passed_over = () if outcome == "created" else ignored(fact, entry)
    return Remembered(outcome=outcome, entry=entry, ignored=passed_over)


def replacing(result: Remembered, taken: Iterable[Row]) -> Remembered:
    """Add the fact whose slot the stated one has taken, if there is one, and what that has handed on."""
    entry, replaced = result.entry, None
    for row in sorted(taken, key=itemgetter(0)):
        its = to_memory(row)
        entry, replaced = (its, replaced) if its.id == entry.id else (entry, its)
    if replaced is None:
        return result
    return attrs.evolve(result, outcome="replaced", entry=entry, replaced=replaced)


def settle(
    stored: dict[str, Remembered], approved: Iterable[Row], taken: Iterable[Row]
) -> dict[str, Remembered]:
    """Say of facts that many statements returned which were proposals, and which took whose slot."""
    proposals = {number for (number,) in approved}
    losers = {row[0]: to_memory(row) for row in sorted(taken, key=itemgetter(0))}
    replaced = {entry.superseded_by: entry for entry in losers.values()}
    if not proposals and not losers:
        return stored
    settled: dict[str, Remembered] = {}
    for content_hash, result in stored.items():
        changes: dict[str, Any] = {"entry": losers.get(result.id, result.entry)}
        if result.id in proposals:
            changes["outcome"] = "approved"
        if result.id in replaced:
            changes |= {"outcome": "replaced", "replaced": replaced[result.id]}
        settled[content_hash] = attrs.evolve(result, **changes)
    return settled


def latest(entry: MemoryEntry, changes: Iterable[Result]) -> MemoryEntry:
    """Return a fact as the statements after the one that stated it left it; the latest of them comes first."""
    rows = (row for result in changes for row in result.rows if row[0] == entry.id)
    return next(map(to_memory, rows), entry)


def _with_latest(result: Remembered, changes: Iterable[Result]) -> Remembered:
    entry = latest(result.entry, changes)
    return result if entry is result.entry else attrs.evolve(result, entry=entry)


def settle_latest(stored: dict[str, Remembered], rows: Iterable[Row]) -> dict[str, Remembered]:
    """Return facts as later statements, the last one last, left them."""
    entries = {entry.content_hash or "": entry for entry in map(to_memory, rows)}
    if not entries:
        return stored
    return {
        content_hash: attrs.evolve(result, entry=entries.get(content_hash, result.entry))
        for content_hash, result in stored.items()
    }


def held_back(fact: Fact, entry: MemoryEntry) -> Remembered:
    """Return that a fact stays gone."""
    outcome = why_held_back(entry)
    return Remembered(outcome=outcome, entry=entry, ignored=ignored(fact, entry))


def why_held_back(entry: MemoryEntry) -> RememberOutcome:
    """Return how a fact that is not current is gone."""
    if is_proposal(entry):
        return "proposed"
    return "superseded" if entry.deleted_at is None else "forgotten"


def slot_conflict(known: MemoryEntry | None) -> ConflictError:
    """Return the error for a fact that would fill two slots; ``None`` for one that is not stored."""
    reason = "and a fact fills only one: say in the text what it is about"
    if known is None:
        return ConflictError(f"the fact fills another slot, {reason}")
    return ConflictError(f"fact {known.id} fills the slot {known.slot!r}, {reason}", known.id)


def not_stored() -> DatabaseError:
    """Return the error for a fact that the database passed over."""
    return DatabaseError("the database did not store the fact")


def _stored(fact: Fact, row: Row) -> Remembered:
    # A fact that was never restated is new.
    return remembered("created" if row[-1] == 0 else "duplicate", fact, row[:-1])


def is_proposal(entry: MemoryEntry) -> bool:
    """Tell whether a row waits for approval, as `queries.facts.proposal` does."""
    return entry.proposed_at is not None and entry.deleted_at == entry.proposed_at


def _is_hidden(entry: MemoryEntry) -> bool:
    return entry.deleted_at is not None or entry.superseded_by is not None
