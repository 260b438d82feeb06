"""Tools about sessions and the daily log."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, tzinfo
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from memrepo.contrib.tools.arguments import Number, Object, Text
from memrepo.contrib.tools.facts import DATA_NOTICE
from memrepo.contrib.tools.tool import TOOL_INVOCATION, Answer, ToolCall, tool
from memrepo.domain.clock import Clock
from memrepo.domain.jsontext import JsonValue
from memrepo.domain.patterns import PATTERN_INFERRED, PATTERN_OBSERVED
from memrepo.errors import InvalidInputError, NotFoundError

__all__ = ["day_digest", "log_event", "session_end", "session_start"]

#: The types of events that say what happened in memrepo: `MemoryRepo.observe` counts the last two.
_BY_THEMSELVES: Final = (TOOL_INVOCATION, PATTERN_OBSERVED, PATTERN_INFERRED)
#: What the types and the keys of events begin with that `contrib.openai` and `contrib.pydantic_ai` read back as messages.
_OF_ADAPTERS: Final = ("openai_", "pydantic_ai_")


@tool()
async def log_event(
    call: ToolCall,
    event_type: Annotated[str, Text("What kind of event, such as topic_change or user_state.")],
    data: Annotated[Mapping[str, JsonValue] | None, Object("What happened.")] = None,
    key: Annotated[
        str | None, Text("An event that is logged again with its key is not stored twice.")
    ] = None,
) -> Answer:
    """
    Append an event to the daily log.

    Use it for what happened, as {"topic": "travel"} for a topic_change or {"sentiment": "tired"} for a user_state;
    use `remember` for what stays true.
    """
    if event_type in _BY_THEMSELVES:
        raise InvalidInputError(
            "event_type", "must be another one: calls and observations are logged by themselves"
        )
    for field, name in (("event_type", event_type), ("key", key or "")):
        if name.startswith(_OF_ADAPTERS):
            raise InvalidInputError(field, "must be another one: conversations are kept under it")
    async with call.writing() as writing:
        logged = await writing.memory.daily_logs.append(
            writing.session_id, event_type, None if data is None else dict(data), key=key
        )
        writing.context = f"event {logged.id}: {logged.outcome}"
    return {"outcome": logged.outcome, "event_id": logged.id, "session_id": logged.event.session_id}


@tool(reads=True)
async def day_digest(
    call: ToolCall,
    day: Annotated[str, Text("The day, as 2026-02-28, or today.", most=10)] = "today",
    timezone: Annotated[str, Text("Its time zone, such as Europe/London.")] = "UTC",
    max_tokens: Annotated[int, Number("Most tokens of the digest.", most=20_000)] = 2_000,
) -> Answer:
    """Tell what happened on a day: conversations, new facts, topics, failures and tools, as Markdown."""
    zone = await _to_zone(timezone)
    on = _to_day(day, zone, call.memory.daily_logs.now)
    digest = await call.memory.daily_logs.digest(on, zone)
    markdown = digest.to_markdown(max_tokens=max_tokens)
    return {
        "notice": DATA_NOTICE,
        "day": on.isoformat(),
        "timezone": timezone,
        "markdown": markdown,
    }


@tool(idempotent=True)
async def session_start(
    call: ToolCall,
    max_tokens: Annotated[
        int, Number("Most tokens about the last conversation.", most=20_000)
    ] = 2_000,
) -> Answer:
    """
    Begin a conversation, and learn what the last one was about.

    Call it once, first of all. A conversation that is still active goes on.
    """
    async with call.writing() as writing:
        sessions = writing.memory.sessions
        if call.session_id is None:
            session = await sessions.get_or_start()
        else:  # the program has begun it
            session = await sessions.get(call.session_id)
        is_new = session.id != writing.session_id
        writing.session_id = session.id
        writing.context = f"session {session.id} {'started' if is_new else 'continued'}"
        carried = await sessions.carry_over(session.thread, max_tokens=max_tokens)
    return {
        "notice": DATA_NOTICE,
        "session_id": session.id,
        "is_new": is_new,
        "last_conversation": carried.text,
    }


@tool(idempotent=True)
async def session_end(
    call: ToolCall,
    summary: Annotated[
        str | None, Text("What it was about, for the next conversation to know.", most=20_000)
    ] = None,
) -> Answer:
    """End the active conversation, as when the user says goodbye, with a summary of a few sentences."""
    async with call.writing() as writing:
        if writing.session_id is None:
            raise NotFoundError("no session is active in this thread")
        # Before the event of this call, which is the last of the session.
        end = await writing.memory.sessions.end(writing.session_id, summary=summary)
        writing.context = f"session {end.session.id} ended"
    return {"session_id": end.session.id, "ended_now": end.ended_now}


def _to_day(text: str, zone: tzinfo, now: Clock) -> date:
    if text == "today":
        return now().astimezone(zone).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInputError("day", "must be a day, as 2026-02-28, or today") from None


async def _to_zone(name: str) -> tzinfo:
    if name == "UTC":  # there is this one also where the system has no time zones
        return UTC
    try:
        return await asyncio.to_thread(ZoneInfo, name)  # which reads a file
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise InvalidInputError(
            "timezone", "must be the name of a time zone, such as Europe/London"
        ) from None
