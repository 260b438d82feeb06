"""What the tools answer, as the models from which clients are told its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ANSWERS"]


class Answer(BaseModel):
    """What a tool answers. A client is told the names and the texts of these classes, too."""

    # An answer that has more than it says is a mistake of ours.
    model_config = ConfigDict(extra="forbid")


class Fact(Answer):
    """A fact about the user."""

    id: int
    content: str
    category: str
    source: str = Field(description="Who said so: user_explicit is the user")
    slot: str | None = Field(description="What it tells, if only one answer holds at a time")
    created_at: str = Field(description="When it was first remembered, UTC")


class RecalledFact(Fact):
    """A fact to have in mind."""

    age: str = Field(description="How long ago it was first remembered")


class Remembered(Answer):
    """What became of a fact."""

    outcome: str = Field(
        description="created, duplicate, restored, replaced or approved; or it was not stored: "
        "proposed, kept, forgotten or superseded"
    )
    fact: Fact
    replaced: Fact | None = Field(description="The fact that filled the slot before")


class Recalled(Answer):
    """What to have in mind."""

    notice: str
    facts: list[RecalledFact]
    has_more: bool = Field(description="Whether there are other facts, which were not looked at")


class Result(Answer):
    """A fact that was found."""

    id: str
    title: str
    url: str


class Results(Answer):
    """What was found, the most relevant first."""

    results: list[Result]


class Fetched(Result):
    """The whole text of what was found."""

    text: str
    metadata: dict[str, str | None]


class Page(Answer):
    """A page of facts."""

    notice: str
    facts: list[Fact]
    next_cursor: str | None


class Forgotten(Answer):
    """What was forgotten, or what may be meant."""

    notice: str
    forgotten: Fact | None
    candidates: list[Fact] = Field(description="What may be meant, if nothing was forgotten")


class Restored(Answer):
    """What was brought back."""

    notice: str
    fact: Fact


class AllForgotten(Answer):
    """What was forgotten, or would be."""

    n_facts: int = Field(description="How many facts there are now")
    n_forgotten: int
    token: str | None = Field(description="For the second call, if nothing was forgotten")
    notice: str


class Logged(Answer):
    """What became of an event."""

    outcome: str = Field(description="created or duplicate")
    event_id: int
    session_id: int | None


class Digest(Answer):
    """What happened on a day."""

    notice: str
    day: str
    timezone: str
    markdown: str


class SessionStarted(Answer):
    """The conversation that has begun, or goes on."""

    notice: str
    session_id: int
    is_new: bool
    last_conversation: str = Field(description="What the last one was about; empty if none was")


class SessionEnded(Answer):
    """The conversation that has ended."""

    session_id: int
    ended_now: bool


#: The model of each tool's answer, by the tool's name.
ANSWERS: Final[Mapping[str, type[BaseModel]]] = {
    "remember": Remembered,
    "recall": Recalled,
    "search": Results,
    "fetch": Fetched,
    "list_facts": Page,
    "forget": Forgotten,
    "restore": Restored,
    "forget_all": AllForgotten,
    "log_event": Logged,
    "day_digest": Digest,
    "session_start": SessionStarted,
    "session_end": SessionEnded,
}
