"""What options take: types whose messages never repeat what was given, because it may be a token or a fact."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import click

from memrepo.cli.local import LOCAL
from memrepo.domain.checks import HIGHEST_ID

__all__ = [
    "AHEAD",
    "BEFORE",
    "DAY",
    "ID",
    "LOCAL",
    "METADATA",
    "NUMBER",
    "TO_COME",
    "WHOLE",
    "ZONE",
    "Refused",
]

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_is_duration: Final = re.compile(r"(\d{1,6})([mhdw])").fullmatch


class Refused(click.BadParameter):
    """A value that an option does not take; the message does not hold it."""


class _Type(click.ParamType):  # type: ignore[type-arg] # not generic in older versions
    """A type with a sentence that says what it takes."""

    takes = ""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """Read what was given; a default is taken as it is."""
        if not isinstance(value, str):
            return value
        try:
            return self.read(value)
        except (ValueError, OverflowError, OSError, KeyError, RecursionError):
            raise Refused(f"must be {self.takes}", ctx=ctx, param=param) from None

    def read(self, text: str) -> object:
        """Read *text*; raises ValueError for what is not accepted."""
        raise NotImplementedError


class _Whole(_Type):
    name = "number"
    takes = "a whole number"

    def read(self, text: str) -> int:
        return int(text)


class _Id(_Type):
    name = "id"
    takes = "an id: a whole number from 1 to 2**63 - 1"

    def read(self, text: str) -> int:
        number = int(text)
        if not 1 <= number <= HIGHEST_ID:
            raise ValueError
        return number


class _Number(_Type):
    name = "number"
    takes = "a number"

    def read(self, text: str) -> float:
        return float(text)


class _Day(_Type):
    name = "day"
    takes = "a day as 2026-02-28, today or yesterday"

    def read(self, text: str) -> date | int:
        """Return the day, or how many days before today it is, which depends on the time zone."""
        days_ago = {"today": 0, "yesterday": 1}.get(text)
        return date.fromisoformat(text) if days_ago is None else days_ago


class _Zone(_Type):
    name = "zone"
    takes = "a time zone as Europe/London"

    def read(self, text: str) -> ZoneInfo:
        return ZoneInfo(text)


class _Instant(_Type):
    """An instant, or how far it is from now."""

    name = "when"

    def __init__(self, sign: int, word: str, *, is_to_come: bool = False) -> None:
        self._sign = sign
        self._is_to_come = is_to_come
        self.takes = f"{'to come: ' if is_to_come else ''}2026-02-28, 2026-02-28T14:30 (local time), or as 30d {word}: m, h, d or w"

    def read(self, text: str) -> datetime:
        instant = self._instant(text)
        if self._is_to_come and instant <= datetime.now(UTC):
            raise ValueError
        return instant

    def _instant(self, text: str) -> datetime:
        if found := _is_duration(text):
            return datetime.now(UTC) + self._sign * timedelta(**{_UNITS[found[2]]: int(found[1])})
        return datetime.fromisoformat(text).astimezone(UTC)


class _Metadata(_Type):
    name = "json"
    takes = "a JSON object"

    def read(self, text: str) -> dict[str, Any]:
        value = json.loads(text)
        if not isinstance(value, dict):
            raise ValueError  # noqa: TRY004 - what `convert` takes for a refusal
        return cast("dict[str, Any]", value)


ID: Final = _Id()
WHOLE: Final = _Whole()
NUMBER: Final = _Number()
DAY: Final = _Day()
ZONE: Final = _Zone()
METADATA: Final = _Metadata()
#: An instant to come.
AHEAD: Final = _Instant(1, "from now")
#: One that must not be past.
TO_COME: Final = _Instant(1, "from now", is_to_come=True)
#: An instant that is past.
BEFORE: Final = _Instant(-1, "ago")
