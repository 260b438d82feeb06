"""Facts, as they go in and come out: frozen, slotted, keyword-only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias

import attrs

from memrepo.domain.jsontext import JsonValue, decode_json
from memrepo.domain.plain import PlainModel

__all__ = [
    "DEFAULT_CATEGORY",
    "EXPLICIT_SOURCE",
    "INFERRED_SOURCES",
    "MemoryEntry",
    "MemoryFilter",
    "MemoryNew",
    "RememberOutcome",
    "Remembered",
]

#: What `MemoryRepo.remember` did with a fact.
RememberOutcome: TypeAlias = Literal[
    "created",
    "duplicate",
    "restored",
    "replaced",
    "approved",
    "proposed",
    "kept",
    "forgotten",
    "superseded",
]

#: Sources that what the user says outranks: ours, and the original system's.
INFERRED_SOURCES: Final = ("inferred", "jarvis_inferred")
#: The source of what the user says.
EXPLICIT_SOURCE: Final = "user_explicit"
#: The category of a new fact for which none is given.
DEFAULT_CATEGORY: Final = "fact"


@attrs.frozen(kw_only=True, weakref_slot=False)
class MemoryEntry(PlainModel):
    """A fact: one row of ``memory_entries``."""

    #: The row's number; never used again after a purge.
    id: int
    #: Whose memory it is; ``""`` is the default scope.
    scope: str
    #: The text as it was given.
    content: str
    #: See `content_hash`; ``None`` where another program wrote the row and it is not adopted yet.
    content_hash: str | None
    #: ``preference``, ``fact``, ``pattern``, ... ; any text.
    category: str
    #: ``user_explicit``, ``inferred``, or what another program wrote.
    source: str
    #: When it was first remembered, UTC.
    created_at: datetime
    #: When it was last remembered or touched, UTC; ``None`` where another program wrote the row without.
    last_accessed: datetime | None
    #: Expiry time, UTC; ``None`` for never.
    expires_at: datetime | None
    #: When it was forgotten, UTC; ``None`` if it is not.
    deleted_at: datetime | None
    #: The id of the fact that replaced it; ``None`` while it is current.
    superseded_by: int | None
    #: `metadata` as it is stored: JSON text, or ``None``.
    raw_metadata: str | None
    #: The session that it was learnt in; ``None`` if none was given, or it was deleted.
    session_id: int | None
    #: What it tells, in the caller's words, as ``home_city``: one current fact of a scope fills a slot.
    slot: str | None = None
    #: When it was proposed, UTC; ``None`` unless it waits for approval.
    proposed_at: datetime | None = None
    #: When it was pinned, UTC; ``None`` if it is not.
    pinned_at: datetime | None = None
    #: When it is to be brought up, UTC; ``None`` if never.
    due_at: datetime | None = None
    #: When it was brought up, UTC; ``None`` while it was not.
    surfaced_at: datetime | None = None
    _is_mended: bool = attrs.field(default=False, repr=False)

    @property
    def is_broken(self) -> bool:
        """
        Whether a stored value cannot be read, as another program may have left it.

        A text that is a blob or not UTF-8 is shown with U+FFFD for the bytes that are no UTF-8, an instant
        that is none as 1970-01-01, a number that is none as ``None``. `Store.verify` names the column.
        """
        return self._is_mended

    @property
    def metadata(self) -> Mapping[str, JsonValue] | None:
        """
        `raw_metadata`, decoded anew each time; ``None`` if there is none.

        Also ``None`` if it is not a JSON object, as another program may have stored it.
        """
        value = None if self.raw_metadata is None else decode_json(self.raw_metadata)[0]
        return value if isinstance(value, Mapping) else None


@attrs.frozen(kw_only=True)
class MemoryNew:
    """A fact to remember: the arguments of `MemoryRepo.remember`, and when it was first known."""

    #: The text; see `MemoryRepo.remember`.
    content: str
    #: What kind of fact it is; ``fact`` for a new one if ``None``.
    category: str | None = None
    #: Who says so.
    source: str = "user_explicit"
    #: A JSON object that belongs to it.
    metadata: Mapping[str, JsonValue] | None = None
    #: Expiry time; ``None`` for never.
    expires_at: datetime | None = None
    #: When it was first remembered, as an import knows it; now if ``None``. A new fact counts as last accessed
    #: then. A known fact keeps its own, and is accessed now.
    created_at: datetime | None = None
    #: The session that it was learnt in. A known fact keeps its own.
    session_id: int | None = None
    #: When it is to be brought up; ``None`` leaves a known fact its own.
    due_at: datetime | None = None
    #: The slot that it fills; none if ``None``.
    slot: str | None = None
    #: Whether it replaces what fills the slot, even if it is only inferred and the user said that.
    overrule: bool = False
    #: Whether it only is a proposal.
    proposed: bool = False


@attrs.frozen(kw_only=True)
class MemoryFilter:
    """Which facts to read; conditions that are given must all hold. Ranges are half-open."""

    #: Only this category.
    category: str | None = None
    #: Only this source.
    source: str | None = None
    #: Only those that were learnt in this session.
    session_id: int | None = None
    #: Only those of this slot: the one that fills it, and with *include_superseded* those that did.
    slot: str | None = None
    #: Only those created at this instant or later.
    created_from: datetime | None = None
    #: Only those created before this instant.
    created_before: datetime | None = None
    #: Only those last accessed at this instant or later.
    accessed_from: datetime | None = None
    #: Only those last accessed before this instant.
    accessed_before: datetime | None = None
    #: Only those that are due at this instant or later.
    due_from: datetime | None = None
    #: Only those that are due before this instant.
    due_before: datetime | None = None
    #: Only those whose metadata has all of these keys, each with this text, number, bool or ``None``:
    #: ``{"project": "garden"}``. No keys are no condition.
    metadata: Mapping[str, str | float | bool | None] | None = None
    #: Only those whose content contains this text, literally, but for the case of its letters and their
    #: Unicode form (NFC or NFD).
    contains: str | None = None
    #: Also the forgotten ones.
    include_forgotten: bool = False
    #: Also the expired ones.
    include_expired: bool = False
    #: Also the superseded ones.
    include_superseded: bool = False


@attrs.frozen(kw_only=True, weakref_slot=False)
class Remembered(PlainModel):
    """The outcome of `MemoryRepo.remember`."""

    #: ``created``; ``duplicate`` (already known, refreshed); ``restored`` (it was forgotten, expired
    #: or superseded, and is back under its old id); ``approved`` (it was a proposal); ``replaced`` (any of
    #: these, and it took the place of the fact that filled its slot). Or nothing became of it: ``proposed`` (it
    #: waits for approval); ``kept`` (the slot keeps what the user said, and nothing was stored); ``forgotten`` or
    #: ``superseded`` (it stays so, because the user has not said it again: nothing was stored).
    outcome: RememberOutcome
    #: The fact as it is stored now. A forgotten one has its ``deleted_at``, a superseded one the id of its
    #: successor, a proposal its ``proposed_at``. If the slot was ``kept``, the fact that fills it.
    entry: MemoryEntry
    #: What was given but is not stored, because the fact was known: ``content`` (in another spelling),
    #: ``metadata``, ``category`` and ``slot``, in this order. Empty if all of these that were given are stored.
    ignored: tuple[str, ...] = ()
    #: The fact that filled the slot before, and is superseded now; ``None`` if there was none.
    replaced: MemoryEntry | None = None

    @property
    def id(self) -> int:
        """The fact's id."""
        return self.entry.id
