"""Arguments of tools: what each means and may be, as JSON schema and as a check."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Final, Protocol, cast

import attrs

from memrepo.domain.jsontext import JsonValue, encode_json
from memrepo.errors import InvalidInputError

__all__ = ["Argument", "Flag", "Number", "Object", "Text"]

_FLAGS: Final[Mapping[str, bool]] = {"true": True, "false": False}
_is_integer: Final = re.compile(r"-?\d{1,19}", re.ASCII).fullmatch
_is_decimal: Final = re.compile(r"-?\d{1,19}\.\d{1,19}", re.ASCII).fullmatch


class Argument(Protocol):
    """One argument of a tool, which stands in the annotation of a parameter."""

    @property
    def schema(self) -> dict[str, JsonValue]:
        """Its JSON schema."""
        ...

    def check(self, field: str, value: object) -> object:
        """Return the value as the tool takes it, or raise InvalidInputError."""
        ...


@attrs.frozen
class Text:
    """A text of limited length, or one of a few."""

    #: What it means, for a model.
    description: str
    #: Most characters.
    most: int = attrs.field(default=255, kw_only=True)
    #: All that it may be; anything if there are none.
    choices: tuple[str, ...] = attrs.field(default=(), kw_only=True)

    @property
    def schema(self) -> dict[str, JsonValue]:
        """Its JSON schema."""
        bounds: dict[str, JsonValue] = (
            {"enum": [*self.choices]} if self.choices else {"minLength": 1, "maxLength": self.most}
        )
        return {"type": "string", "description": self.description, **bounds}

    def check(self, field: str, value: object) -> str:
        """Accept a str within the bounds."""
        if not isinstance(value, str):
            raise InvalidInputError(field, f"must be a str, not {type(value).__name__}")
        if self.choices and value not in self.choices:
            raise InvalidInputError(field, f"must be one of {', '.join(self.choices)}")
        if not 1 <= len(value) <= self.most:
            raise InvalidInputError(field, f"must have 1 to {self.most:,} characters")
        return value


@attrs.frozen
class Number:
    """A number within bounds: a whole one, unless its bounds are not."""

    #: What it means, for a model.
    description: str
    #: The lowest.
    least: float = attrs.field(default=1, kw_only=True)
    #: The highest.
    most: float = attrs.field(default=2**53, kw_only=True)  # what every JSON parser keeps exactly

    @property
    def schema(self) -> dict[str, JsonValue]:
        """Its JSON schema."""
        kind = "integer" if self._is_whole else "number"
        bounds: dict[str, JsonValue] = {"minimum": self.least, "maximum": self.most}
        return {"type": kind, "description": self.description, **bounds}

    def check(self, field: str, value: object) -> float:
        """Accept a number within the bounds, also as the text that some models make of it."""
        number = _to_number(value)
        if number is None or (self._is_whole and number != int(number)):
            raise InvalidInputError(field, f"must be a{' whole' if self._is_whole else ''} number")
        if not self.least <= number <= self.most:
            raise InvalidInputError(field, f"must be from {self.least:,} to {self.most:,}")
        return int(number) if self._is_whole else number

    @property
    def _is_whole(self) -> bool:
        return isinstance(self.least, int)


@attrs.frozen
class Flag:
    """A choice between yes and no."""

    #: What it means, for a model.
    description: str

    @property
    def schema(self) -> dict[str, JsonValue]:
        """Its JSON schema."""
        return {"type": "boolean", "description": self.description}

    def check(self, field: str, value: object) -> bool:
        """Accept a bool, also as the text that some models make of it."""
        flag = _FLAGS.get(value) if isinstance(value, str) else value
        if not isinstance(flag, bool):
            raise InvalidInputError(field, f"must be a bool, not {type(value).__name__}")
        return flag


@attrs.frozen
class Object:
    """A JSON object of limited length."""

    #: What it means, for a model.
    description: str
    #: Most characters of its JSON text.
    most: int = attrs.field(default=100_000, kw_only=True)

    @property
    def schema(self) -> dict[str, JsonValue]:
        """Its JSON schema."""
        return {"type": "object", "description": self.description}

    def check(self, field: str, value: object) -> Mapping[str, JsonValue]:
        """Accept a mapping whose JSON text is short enough, also as the text that some models make of it."""
        mapping = _from_json(value) if isinstance(value, str) else value
        if not isinstance(mapping, Mapping):
            raise InvalidInputError(field, f"must be an object, not {type(value).__name__}")
        given = cast("Mapping[str, JsonValue]", mapping)
        if len(encode_json(field, given)) > self.most:
            raise InvalidInputError(field, f"must have at most {self.most:,} characters as JSON")
        return given


def _from_json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _to_number(value: object) -> float | None:
    if isinstance(value, str):
        return int(value) if _is_integer(value) else float(value) if _is_decimal(value) else None
    if isinstance(value, int):  # of more than 300 digits, it fits into no float
        return None if isinstance(value, bool) else value
    return value if isinstance(value, float) and math.isfinite(value) else None
