"""
Google's Agent Development Kit: a memory service that keeps its memories in memrepo. Needs ``pip install memrepo[adk]``.

`memrepo` does not import it: ``from memrepo.contrib.adk import MemrepoMemoryService``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from typing import Final, cast

from memrepo.domain.checks import MAX_NAME_LENGTH, check_name
from memrepo.domain.hashing import normalize_content
from memrepo.domain.jsontext import JsonValue
from memrepo.domain.memories import MemoryEntry as Fact, MemoryNew, Remembered
from memrepo.domain.recall import Ranking, check_ranking
from memrepo.errors import InvalidInputError, NotFoundError
from memrepo.repositories.scopes import ScopedStore

try:
    from google.adk.events import Event
    from google.adk.memory.base_memory_service import BaseMemoryService, SearchMemoryResponse
    from google.adk.memory.memory_entry import MemoryEntry
    from google.adk.sessions import Session
    from google.genai.types import Content, Part
except ImportError as error:
    raise ImportError("memrepo.contrib.adk needs google-adk: pip install memrepo[adk]") from error

__all__ = ["MemrepoMemoryService"]

#: Most memories of an answer, as many as ADK's own service gives: `preload_memory` puts all of them into the prompt.
_MOST: Final = 10
#: No bound but their number: recall shows nothing after the first fact that does not fit, which may be a long reply.
_ANY_TOKENS: Final = 2**62
#: Characters. A fact of more than four times as many is found by no question: so much does it say beside what is asked.
_PIECE: Final = 1_000
_RANKING: Final = Ranking()
#: The key of a content's role in a fact's metadata, which may have a ``role`` of the caller's own.
_ROLE: Final = "adk_role"
_is_id = re.compile(r"\d{1,19}", re.ASCII).fullmatch
_between_sentences = re.compile(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f])\s*|\n+")
#: A sentence, or of a longer one as many words as fit; a longer word stays whole.
_stretches = re.compile(rf"\S.{{0,{_PIECE - 1}}}(?!\S)|\S+", re.DOTALL).findall
#: What separates the parts of a scope's name, and so must not stand in one of them.
_ESCAPES: Final = str.maketrans({"%": "%25", ":": "%3A", "/": "%2F"})


class MemrepoMemoryService(BaseMemoryService):
    """
    The long-term memory of ADK's agents, kept in a store of memrepo.

    Pass it to ``Runner(memory_service=MemrepoMemoryService(store), ...)``. What is said in a session becomes facts, each
    stored once however often its session is added; a search is a `MemoryRepo.recall` of the question. Each user of each
    app has a scope, and nothing of one is found, deleted or restored from another.

    Only the text of events and memories is kept, without what a model has only thought. Its own time is kept, too, and
    its author is the fact's source. A text of more than a thousand characters is kept as several memories, which a search finds.

    The store is the caller's, who opens and closes it.
    """

    def __init__(self, store: ScopedStore, *, ranking: Ranking = _RANKING) -> None:
        """
        Keep memories in *store*.

        Args:
            store: An open store. If it is bound to a scope, as to a tenant, its users are apart from those of others.
            ranking: How relevant a memory must be to be found, and what else counts.

        Raises:
            InvalidInputError: An argument is not accepted.
        """
        if not isinstance(store, ScopedStore):
            raise InvalidInputError("store", f"must be an open store, not {type(store).__name__}")
        check_ranking(ranking)
        self._store = store
        self._ranking = ranking

    def memory_of(self, *, app_name: str, user_id: str) -> ScopedStore:
        """
        Return the memory of one user of one app: ``memory_of(...).erase(confirm=True)`` leaves nothing of it.

        Raises:
            InvalidInputError: A name is no text, or together they have more than about 240 characters.
        """
        app = check_name("app_name", app_name).translate(_ESCAPES)
        user = check_name("user_id", user_id).translate(_ESCAPES)
        below = f"{self._store.scope}/" if self._store.scope else ""
        scope = f"{below}adk:{app}:{user}"
        if len(scope) > MAX_NAME_LENGTH:
            raise InvalidInputError("user_id", "is too long, together with app_name, for a scope")
        return self._store.scoped(scope)

    async def add_session_to_memory(self, session: Session) -> None:
        """
        Remember what was said in a session. Adding it again, when more was said, stores nothing twice.

        Raises:
            InvalidInputError: A text is not accepted, as one of more than 4,000,000 bytes; nothing is stored.
        """
        app, user, events = session.app_name, session.user_id, session.events
        await self.add_events_to_memory(
            app_name=app, user_id=user, events=events, session_id=session.id
        )

    async def add_events_to_memory(
        self,
        *,
        app_name: str,
        user_id: str,
        events: Sequence[Event],
        session_id: str | None = None,
        custom_metadata: Mapping[str, object] | None = None,
    ) -> None:
        """
        Remember what was said in some events, all of it or nothing. Events without text are passed over.

        What was deleted stays so, unless the user has said it again since.

        Args:
            app_name: The app.
            user_id: The user.
            events: The events.
            session_id: Their session, which is kept with them.
            custom_metadata: Kept with each of them, and found in `MemoryEntry.custom_metadata`, beside the ``event_id``
                and the ``session_id`` if there is one; JSON, without the key ``adk_role``, which is memrepo's own.

        Raises:
            InvalidInputError: An argument or a text is not accepted; nothing is stored.
        """
        memory = self.memory_of(app_name=app_name, user_id=user_id)
        of_session = {} if session_id is None else {"session_id": session_id}
        facts = [
            _to_fact(
                text,
                event.content,
                author=event.author,
                said_at=_instant(event.timestamp),
                custom={**(custom_metadata or {}), **of_session, "event_id": event.id},
            )
            for event in events
            for text in _pieces_of(event.content)
        ]
        await _remember(memory, facts)

    async def add_memory(
        self,
        *,
        app_name: str,
        user_id: str,
        memories: Sequence[MemoryEntry],
        custom_metadata: Mapping[str, object] | None = None,
    ) -> None:
        """
        Remember some memories as they are, all of them or none. Those without text are passed over.

        Args:
            app_name: The app.
            user_id: The user.
            memories: The memories. One without an author counts as said by the user now, and so comes back if it was
                deleted. An id that one may have is not kept: each gets a new one.
            custom_metadata: Kept with each of them, beside its own. Neither has the key ``adk_role``, which is memrepo's
                own.

        Raises:
            InvalidInputError: An argument, a text or a timestamp is not accepted; nothing is stored.
        """
        memory = self.memory_of(app_name=app_name, user_id=user_id)
        facts = [
            _to_fact(
                text,
                entry.content,
                author=entry.author,
                said_at=None if entry.timestamp is None else _instant(entry.timestamp),
                custom={**(custom_metadata or {}), **entry.custom_metadata},
            )
            for entry in memories
            for text in _pieces_of(entry.content)
        ]
        await _remember(memory, facts)

    async def search_memory(
        self, *, app_name: str, user_id: str, query: str
    ) -> SearchMemoryResponse:
        """
        Return what answers a question, or what is relevant to what was just said.

        Args:
            app_name: The app.
            user_id: The user.
            query: Any text.

        Returns:
            At most ten memories: those that are pinned, and then the most relevant first. None if nothing is relevant
            enough, or the query is blank.
        """
        memory = self.memory_of(app_name=app_name, user_id=user_id)
        if not query.strip():
            return SearchMemoryResponse()
        context = await memory.memories.recall(
            query, max_entries=_MOST, max_tokens=_ANY_TOKENS, ranking=self._ranking
        )
        return SearchMemoryResponse(memories=[_to_entry(its.entry) for its in context.entries])

    async def delete_memory(
        self, *, app_name: str, user_id: str, memory_id: str | None = None
    ) -> None:
        """
        Forget a memory, by the id that a search has given; without an id, or with one that is not there, do nothing.

        It is found no more, and adding its session again does not bring it back. `MemoryRepo.purge` deletes its text for
        good, and `MemoryRepo.restore` undoes it.
        """
        memory = self.memory_of(app_name=app_name, user_id=user_id)
        if memory_id is not None and _is_id(memory_id):
            with suppress(InvalidInputError, NotFoundError):
                await memory.memories.forget(int(memory_id))


async def _remember(memory: ScopedStore, facts: Sequence[MemoryNew]) -> None:
    if not facts:
        return
    async with memory.transaction() as tx:
        known = await tx.memories.remember_many(facts)
        for fact, its in zip(facts, known, strict=True):
            if _is_said_again(fact, its):
                await tx.memories.restore(its.id)


def _is_said_again(fact: MemoryNew, known: Remembered) -> bool:
    """Tell whether the user has said what was forgotten after it was, and not before."""
    forgotten_at = known.entry.deleted_at
    return (
        known.outcome == "forgotten"
        and fact.source == "user"
        and fact.created_at is not None
        and forgotten_at is not None
        and fact.created_at > forgotten_at
    )


def _pieces_of(content: Content | None) -> list[str]:
    """Return the text of a content that can be remembered, without thoughts; a long one sentences at a time."""
    parts: Iterable[Part] = (content and content.parts) or ()
    text = " ".join(part.text.strip() for part in parts if part.text and not part.thought)
    # Neither can be stored.
    text = text.replace("\0", " ").encode(errors="replace").decode().strip()
    sentences = [text] if len(text) <= _PIECE else _between_sentences.split(text)
    pieces = [""]
    for stretch in chain.from_iterable(map(_stretches, sentences)):
        if pieces[-1] and len(pieces[-1]) + len(stretch) >= _PIECE:
            pieces.append("")
        pieces[-1] = f"{pieces[-1]} {stretch}".strip()
    return [piece for piece in pieces if normalize_content(piece)]


def _to_fact(
    text: str,
    content: Content | None,
    *,
    author: str | None,
    said_at: datetime | None,
    custom: Mapping[str, object],
) -> MemoryNew:
    if _ROLE in custom:
        raise InvalidInputError("custom_metadata", f"must not have {_ROLE}, a key of memrepo's own")
    metadata = {**custom, _ROLE: content.role if content else None}
    return MemoryNew(
        content=text,
        category="conversation",
        source=author or "user_explicit",
        metadata=cast("Mapping[str, JsonValue]", metadata),
        created_at=said_at,
    )


def _to_entry(fact: Fact) -> MemoryEntry:
    custom = dict(fact.metadata or {})
    role = custom.pop(_ROLE, None)
    return MemoryEntry(
        id=str(fact.id),
        content=Content(parts=[Part(text=fact.content)], role=None if role is None else str(role)),
        author=None if fact.source == "user_explicit" else fact.source,
        timestamp=fact.created_at.isoformat(),
        custom_metadata=custom,
    )


def _instant(timestamp: float | str) -> datetime:
    """Read a time; a text without a time zone is local time, as ADK writes it."""
    try:
        if isinstance(timestamp, str):
            return datetime.fromisoformat(timestamp).astimezone(UTC)
        return datetime.fromtimestamp(timestamp, UTC)
    except (OverflowError, OSError, ValueError):
        raise InvalidInputError("timestamp", "is no time, or not in ISO 8601") from None
