"""A guard: the program's own function that sees what is about to be written, changes it, or refuses it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias, cast

import attrs

from memrepo.domain.checks import check_function, check_json, check_name, check_object, check_text
from memrepo.domain.jsontext import JsonValue, decode_json
from memrepo.domain.unset import UNSET, Unset
from memrepo.errors import InvalidInputError, RefusedError

__all__ = ["Draft", "DraftKind", "Guard", "OnRemember", "check_guard"]

#: What is a text alone: a fact's slot, a session's summary, why it ends, an event's idempotency key, a
#: conversation's thread.
TextKind: TypeAlias = Literal["slot", "summary", "trigger", "key", "thread"]
#: What a guard sees.
DraftKind: TypeAlias = Literal["fact", "event", TextKind]


@attrs.frozen(kw_only=True)
class Draft:
    """What is about to be written. A guard returns it, or with other fields: ``attrs.evolve(draft, text=...)``."""

    #: ``fact``, ``slot``, ``event``, ``summary``, ``trigger``, ``key`` or ``thread``. It cannot be changed.
    kind: DraftKind
    #: Whose memory it is; ``""`` is the default scope. It cannot be changed.
    scope: str
    #: The content of a fact, the type of an event, or the slot, summary, trigger, key or thread itself. ``None`` where
    #: `MemoryRepo.update` leaves the content as it is, and for `MemoryRepo.approve`.
    text: str | None = None
    #: The metadata of a fact or the data of an event, as a copy in plain dicts and lists; ``None`` without any.
    data: JsonValue = None
    #: The category of a fact, if one was given.
    category: str | None = None
    #: The source of a fact; ``None`` for `MemoryRepo.update`, which leaves it as it is.
    source: str | None = None


#: Returns what is to be written, or ``None`` to refuse it. Called on the event loop, so it must be quick.
OnRemember: TypeAlias = Callable[[Draft], Draft | None]


def check_guard(value: object) -> None:
    """Accept a function that is not async, or ``None``."""
    if value is None:
        return
    check_function("on_remember", value)
    if inspect.iscoroutinefunction(value):
        raise InvalidInputError("on_remember", "must not be async")


@attrs.frozen
class Guard:
    """
    Shows what is about to be written in one scope to a function, and returns what is to be written instead.

    Each argument is checked before, so that the function sees no wrong types.
    """

    on_remember: OnRemember
    scope: str

    def fact(
        self,
        content: str,
        category: str | None,
        source: str,
        metadata: Mapping[str, JsonValue] | None,
    ) -> tuple[str, str | None, str, Mapping[str, JsonValue] | None]:
        """Return the content, category, source and metadata of a fact to store."""
        text, category, said_by, metadata = self._ask_fact(
            check_text("content", content), category, check_name("source", source), metadata
        )
        return check_text("content", text), category, check_name("source", said_by), metadata

    def change(
        self,
        content: str | Unset,
        category: str | Unset,
        metadata: Mapping[str, JsonValue] | Unset | None,
    ) -> tuple[str | Unset, str | Unset, Mapping[str, JsonValue] | Unset | None]:
        """Return the content, category and metadata to give a fact. What is not given stays so."""
        text = None if content is UNSET else check_text("content", content)
        label = None if category is UNSET else category
        data = None if metadata is UNSET else metadata
        if text is None and label is None and data is None:
            return content, category, metadata
        text, label, _, data = self._ask_fact(text, label, None, data)
        return (
            UNSET if content is UNSET else check_text("content", text),
            UNSET if category is UNSET else check_name("category", label),
            UNSET if metadata is UNSET else data,
        )

    def content(self, content: str) -> str:
        """Return the content that a fact is to have."""
        text, _, _, _ = self._ask_fact(check_text("content", content), None, None, None)
        return check_text("content", text)

    def source(self, source: str) -> str:
        """Return who is to say a fact from now on."""
        draft = Draft(kind="fact", scope=self.scope, source=check_name("source", source))
        return check_name("source", self._ask(draft, "source").source)

    def event(self, event_type: str, event_data: JsonValue) -> tuple[str, JsonValue]:
        """Return the type and the data of an event to append."""
        text = check_name("event_type", event_type)
        data = _copy(check_json("event_data", event_data))
        draft = Draft(kind="event", scope=self.scope, text=text, data=data)
        answer = self._ask(draft, "event_data")
        return check_name("event_type", answer.text), answer.data

    def observation(self, pattern: str, evidence: str | None) -> tuple[str, str | None]:
        """Return the pattern and the evidence of an event that tells of an observation."""
        data: dict[str, JsonValue] = {"pattern": check_name("pattern", pattern)}
        if evidence is not None:
            data["evidence"] = check_text("evidence", evidence)
        _, answer = self.event("pattern_observed", data)
        if not isinstance(answer, dict):
            raise InvalidInputError("on_remember", "must not change the form of an observation")
        said = answer.get("evidence")
        return (
            check_name("pattern", answer.get("pattern")),
            None if said is None else check_text("evidence", said),
        )

    def text(self, kind: TextKind, text: str) -> str:
        """Return the slot, summary, trigger, key or thread to store."""
        check = check_text if kind == "summary" else check_name
        draft = Draft(kind=kind, scope=self.scope, text=check(kind, text))
        return check(kind, self._ask(draft, kind).text)

    def _ask_fact(
        self,
        content: str | None,
        category: str | None,
        source: str | None,
        metadata: Mapping[str, JsonValue] | None,
    ) -> tuple[str | None, str | None, str | None, Mapping[str, JsonValue] | None]:
        draft = Draft(
            kind="fact",
            scope=self.scope,
            text=content,
            category=None if category is None else check_name("category", category),
            source=source,
            data=_copy(check_object("metadata", metadata)),
        )
        answer = self._ask(draft, "metadata" if content is None else "content")
        # Whether it is an object is checked where it is encoded, as for what the caller gives.
        data = cast("Mapping[str, JsonValue] | None", answer.data)
        return answer.text, answer.category, answer.source, data

    def _ask(self, draft: Draft, field: str) -> Draft:
        answer: object = self.on_remember(draft)
        if answer is None:
            raise RefusedError(field, "refused by the guard")
        if not isinstance(answer, Draft):
            if inspect.iscoroutine(answer):
                answer.close()  # or Python warns that nobody awaits it
            found = type(answer).__name__
            raise InvalidInputError("on_remember", f"must return a Draft or None, not {found}")
        if (answer.kind, answer.scope) != (draft.kind, draft.scope):
            raise InvalidInputError("on_remember", "must not change the kind or the scope")
        return answer


def _copy(text: str | None) -> JsonValue:
    return None if text is None else decode_json(text)[0]
