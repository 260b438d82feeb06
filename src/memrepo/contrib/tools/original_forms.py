"""The forms of the original's tools: lists of ids as one text, and rows with its names of fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast

import attrs

from memrepo.contrib.tools.tool import Answer
from memrepo.domain.checks import check_id
from memrepo.domain.daily_logs import DailyLog
from memrepo.domain.jsontext import JsonValue
from memrepo.domain.memories import MemoryEntry
from memrepo.errors import InvalidInputError

__all__ = ["Ids", "data_of", "part_of", "to_action", "to_entry"]

_MOST_CHARACTERS: Final = 1_000
_are_ids: Final = re.compile(r"\d{1,19}(?: *, *\d{1,19})*", re.ASCII).fullmatch


@attrs.frozen
class Ids:
    """Ids with commas between them."""

    #: What they mean, for a model.
    description: str

    @property
    def schema(self) -> dict[str, JsonValue]:
        """Its JSON schema."""
        return {
            "type": "string",
            "description": self.description,
            "minLength": 1,
            "maxLength": _MOST_CHARACTERS,
        }

    def check(self, field: str, value: object) -> list[int]:
        """Accept ids as one text, or as the number or the list that some models make of it; return each once."""
        items = cast("list[object]", value) if isinstance(value, list) else [value]
        text = ",".join(map(str, items)).removeprefix("[").removesuffix("]")
        if len(text) > _MOST_CHARACTERS or not _are_ids(text):
            raise InvalidInputError(field, "must be ids, as 1,2,3")
        return [check_id(field, number) for number in dict.fromkeys(map(int, text.split(",")))]


def to_entry(entry: MemoryEntry) -> Answer:
    """Return a fact as most answers have it."""
    return part_of(entry, "id", "content", "category", "createdAt")


def part_of(entry: MemoryEntry, *names: str) -> Answer:
    """Return some fields of a fact."""
    row = entry.to_dict()
    row |= {"createdAt": row["created_at"], "deletedAt": row["deleted_at"]}
    return {name: row[name] for name in names}


def to_action(event: DailyLog) -> str:
    """Return the call of a tool in a line: when, what, and whether it succeeded."""
    data = data_of(event)
    name = data.get("toolName") or data.get("tool") or "unknown tool"
    what = data.get("context") or data.get("error")
    status = "failed" if data.get("success") is False else "succeeded"
    return f"{event.timestamp:%H:%M}: {name}{f': {what}' if what else ''} ({status})"


def data_of(event: DailyLog) -> Mapping[str, JsonValue]:
    """Return an event's data if it is an object; else an empty one."""
    return event.event_data if isinstance(event.event_data, Mapping) else {}
