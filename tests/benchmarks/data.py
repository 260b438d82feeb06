"""What is written and read: the same events and facts for every contender, made from a seed."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, NamedTuple

#: The categories that facts are spread over; the design names them.
CATEGORIES: Final = (
    "preference",
    "fact",
    "pattern",
    "schedule",
    "person",
    "work",
    "health",
    "other",
)
SOURCE: Final = "user_explicit"
EVENT_TYPE: Final = "tool_invocation"
#: The session that every freshly made file holds.
SESSION_ID: Final = 1

_SEED: Final = 20260202
_VERBS: Final = (
    "prefers",
    "avoids",
    "remembers",
    "plans",
    "likes",
    "moved",
    "postponed",
    "finished",
)
_THINGS: Final = ("the morning run", "tea without sugar", "the dentist", "therapy on Thursdays")
_collapse = re.compile(r"\s+").sub


class Event(NamedTuple):
    """One thing that happened, before anything is encoded."""

    session_id: int
    event_type: str
    data: dict[str, str | int | bool]


class Fact(NamedTuple):
    """One thing to remember, before it is normalized and hashed."""

    content: str
    category: str


def event(number: int, session_id: int = SESSION_ID) -> Event:
    """Make the event *number*: a tool call with a handful of fields, about 100 bytes as JSON."""
    payload: dict[str, str | int | bool] = {
        "tool": "calendar",
        "ok": number % 7 != 0,
        "call": number,
        "summary": f"Looked up the appointments of week {number % 53}",
    }
    return Event(session_id, EVENT_TYPE, payload)


def events(count: int, start: int = 0) -> list[Event]:
    """Make *count* events of the one session of a fresh file."""
    return [event(number) for number in range(start, start + count)]


def fact(number: int) -> Fact:
    """Make the fact *number*, about 50 characters, different from every other number's."""
    verb = _VERBS[number // 7 % len(_VERBS)]
    thing = _THINGS[number % len(_THINGS)]
    return Fact(f"Person {number} {verb} {thing}, note {number}.", CATEGORIES[number % 8])


def facts(count: int, start: int = 0) -> list[Fact]:
    """Make *count* different facts."""
    return [fact(number) for number in range(start, start + count)]


def half_duplicates(count: int) -> list[Fact]:
    """Make *count* facts of which every second statement repeats another, in a shuffled order."""
    stated = facts(count // 2) * 2
    random.Random(_SEED).shuffle(stated)
    return stated


def picks(count: int, below: int) -> list[int]:
    """Pick *count* numbers from 0 up to *below*, the same ones in every run."""
    chooser = random.Random(_SEED)
    return [chooser.randrange(below) for _ in range(count)]


def encode(data: dict[str, str | int | bool]) -> str:
    """Write event data as the JSON text that every contender on memrepo's tables stores."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def content_hash(content: str) -> str:
    """Hash a fact as memrepo does, so that raw and the peers pay for the same deduplication."""
    text = unicodedata.normalize("NFC", content).strip().lower()
    return sha256(_collapse(" ", text).rstrip(".,;:!?").encode()).hexdigest()


def now() -> str:
    """Write the present instant as memrepo stores it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instants(count: int) -> Iterator[str]:
    """Yield *count* rising instants one second apart, for rows that were written long ago."""
    first = 1_700_000_000
    for second in range(first, first + count):
        instant = datetime.fromtimestamp(second, UTC)
        yield instant.strftime("%Y-%m-%dT%H:%M:%S.000Z")
