"""Check single arguments; each check returns the value as the database takes it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, cast

from memrepo.domain.jsontext import JsonValue, encode_json
from memrepo.errors import InvalidInputError

__all__ = [
    "check_cursor",
    "check_date",
    "check_duration",
    "check_flag",
    "check_function",
    "check_id",
    "check_instant",
    "check_json",
    "check_limit",
    "check_name",
    "check_names",
    "check_object",
    "check_pairs",
    "check_scope",
    "check_seconds",
    "check_share",
    "check_text",
    "check_thread",
    "check_tz",
    "check_version_table",
]

#: Most bytes of a text in UTF-8; a libSQL server takes 5,000,000 for a whole row.
MAX_TEXT_BYTES: Final = 4_000_000
#: Most characters of a category, a source, a key, a scope and other names.
MAX_NAME_LENGTH: Final = 255
#: Most rows of one page.
MAX_LIMIT: Final = 10_000

#: The lowest and the highest id that SQLite keeps: other programs may have given any. (What goes through the
#: rows after an id leaves out the lowest one itself.)
LOWEST_ID: Final = -(2**63)
HIGHEST_ID: Final = 2**63 - 1

_SOME_INSTANT: Final = datetime(2000, 1, 1, tzinfo=UTC)

_is_number: Final = re.compile(r"-?[0-9]{1,19}").fullmatch
_is_table_name: Final = re.compile(r"[a-z][a-z0-9_]{0,62}").fullmatch
#: Names that a program's own version table cannot have.
_OUR_TABLES: Final = frozenset({"memory_entries", "sessions", "daily_logs"})
_RESERVED: Final = ("memrepo_", "sqlite_", "libsql_")


def check_text(field: str, value: object, *, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """Accept a str that is not blank, has no NUL and fits UTF-8; a subclass becomes a plain str."""
    if not isinstance(value, str):
        raise InvalidInputError(field, f"must be a str, not {type(value).__name__}")
    text = value if type(value) is str else value[:]
    if not text or text.isspace():
        raise InvalidInputError(field, "must not be empty or blank")
    if "\0" in text:
        raise InvalidInputError(field, "must not contain a NUL character")
    if len(text) > max_bytes or (len(text) * 4 > max_bytes and _size(field, text) > max_bytes):
        raise InvalidInputError(field, f"must not be longer than {max_bytes:,} bytes")
    if not text.isascii():
        _size(field, text)
    return text


def check_name(field: str, value: object) -> str:
    """Accept a text of at most 255 characters."""
    if type(value) is str and value.isidentifier() and len(value) <= MAX_NAME_LENGTH:
        return value  # the usual case: an identifier passes every check below
    text = check_text(field, value)
    if len(text) > MAX_NAME_LENGTH:
        raise InvalidInputError(field, f"must not be longer than {MAX_NAME_LENGTH} characters")
    return text


def check_scope(value: object) -> str:
    """Accept a name, or ``""`` for the default scope."""
    return _name_or_empty("scope", value)


def check_thread(value: object) -> str:
    """Accept a name, or ``""`` for the default thread."""
    return _name_or_empty("thread", value)


def _name_or_empty(field: str, value: object) -> str:
    return "" if value == "" and isinstance(value, str) else check_name(field, value)


def check_id(field: str, value: object) -> int:
    """Accept a row's id: an int from 1 to 2**63 - 1."""
    if type(value) is not int:
        raise InvalidInputError(field, f"must be an int, not {type(value).__name__}")
    if not 1 <= value <= HIGHEST_ID:
        raise InvalidInputError(field, "must be from 1 to 2**63 - 1")
    return value


def check_limit(value: object, field: str = "limit", *, most: int = MAX_LIMIT) -> int:
    """Accept the length of a page, or of another list: an int from 1 to *most*."""
    if type(value) is not int:
        raise InvalidInputError(field, f"must be an int, not {type(value).__name__}")
    if not 1 <= value <= most:
        raise InvalidInputError(field, f"must be from 1 to {most:,}")
    return value


def check_share(field: str, value: object) -> float:
    """Accept a number above 0 and below 1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInputError(field, f"must be a number, not {type(value).__name__}")
    if not 0 < value < 1:
        raise InvalidInputError(field, "must be above 0 and below 1")
    return float(value)


def check_flag(field: str, value: object) -> bool:
    """Accept True or False, and no other truthy or falsy value."""
    if type(value) is not bool:
        raise InvalidInputError(field, f"must be a bool, not {type(value).__name__}")
    return value


def check_function(field: str, value: object) -> None:
    """Accept what can be called."""
    if not callable(value):
        raise InvalidInputError(field, f"must be a function, not {type(value).__name__}")


def check_instant(field: str, value: object) -> datetime:
    """Accept a datetime that knows its time zone; return it in UTC."""
    if type(value) is datetime and value.tzinfo is UTC:
        return value
    if not isinstance(value, datetime):
        raise InvalidInputError(field, f"must be a datetime, not {type(value).__name__}")
    try:
        if value.utcoffset() is None:
            raise InvalidInputError(field, "must have a time zone, as in datetime.now(UTC)")
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidInputError(field, "is outside the years 1 to 9999 in UTC") from None


def check_duration(field: str, value: object) -> timedelta:
    """Accept a timedelta above zero."""
    if not isinstance(value, timedelta):
        raise InvalidInputError(field, f"must be a timedelta, not {type(value).__name__}")
    if value <= timedelta(0):
        raise InvalidInputError(field, "must be longer than zero")
    return value


def check_seconds(field: str, value: object) -> float:
    """Accept a finite number of seconds above zero."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInputError(field, f"must be a number, not {type(value).__name__}")
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not 0 < seconds < math.inf:
        raise InvalidInputError(field, "must be above zero and finite")
    return seconds


def check_date(field: str, value: object) -> date:
    """Accept a date that is not a datetime."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise InvalidInputError(field, f"must be a date, not {type(value).__name__}")
    return value


def check_tz(field: str, value: object) -> tzinfo:
    """Accept a tzinfo such as ``zoneinfo.ZoneInfo("Europe/Berlin")``, which knows its offset at any time."""
    if not isinstance(value, tzinfo):
        raise InvalidInputError(field, f"must be a tzinfo, not {type(value).__name__}")
    # pytz's zones with changing offsets give local time before 1900, minutes off, where they are not asked
    # by methods of their own; those with one offset do not.
    if hasattr(value, "localize") and value.utcoffset(None) is None:
        raise InvalidInputError(field, "is a zone of pytz: use zoneinfo.ZoneInfo of the same name")
    try:
        _SOME_INSTANT.astimezone(value)
    except (NotImplementedError, TypeError, ValueError):
        raise InvalidInputError(field, "does not know its offset from UTC") from None
    return value


def check_version_table(value: object) -> str:
    """Accept the name of a table for a program's own migrations: lower-case letters, digits and _."""
    if not isinstance(value, str):
        raise InvalidInputError("version_table", f"must be a str, not {type(value).__name__}")
    if not _is_table_name(value):
        raise InvalidInputError(
            "version_table", "must be a name of at most 63 lower-case letters, digits and _"
        )
    if value in _OUR_TABLES or value.startswith(_RESERVED):
        raise InvalidInputError("version_table", "is a name that memrepo or the database reserves")
    return value


def check_cursor(value: object) -> tuple[str, int]:
    """Accept a page's ``next_cursor``; return the position it stands for."""
    text = check_name("after", value)
    number, mark, instant = text.partition("~")
    # Other programs may have given a row any id.
    if not (mark and instant and _is_number(number) and LOWEST_ID <= int(number) <= HIGHEST_ID):
        raise InvalidInputError("after", "must be the next_cursor of a page")
    return instant, int(number)


def check_json(field: str, value: JsonValue) -> str | None:
    """Accept a JSON value; return its text, or None for None."""
    if value is None:
        return None
    text = encode_json(field, value)
    if len(text) * 4 > MAX_TEXT_BYTES and len(text.encode()) > MAX_TEXT_BYTES:
        raise InvalidInputError(field, f"must not be longer than {MAX_TEXT_BYTES:,} bytes as JSON")
    return text


def check_object(field: str, value: Mapping[str, JsonValue] | None) -> str | None:
    """Accept a JSON object or None; return its text."""
    return None if value is None else check_json(field, _check_mapping(field, value))


def check_pairs(field: str, value: Mapping[str, JsonValue]) -> str:
    """Accept an object whose values are no objects or arrays, and without NULs; return its text."""
    pairs = dict(_check_mapping(field, value))
    text = encode_json(field, pairs)
    for key, item in pairs.items():
        if item is not None and not isinstance(item, str | int | float):
            raise InvalidInputError(f"{field}.{key}", "must be text, a number, a bool or None")
        # SQLite's JSON functions take it for the end of the text.
        if "\0" in key or (isinstance(item, str) and "\0" in item):
            raise InvalidInputError(f"{field}.{key}", "must not contain a NUL character")
    return text


def check_names(field: str, values: Iterable[str]) -> list[str]:
    """Accept any number of names."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidInputError(field, "must be a list of str")
    return [check_name(f"{field}[{index}]", value) for index, value in enumerate(tuple(values))]


def _check_mapping(field: str, value: object) -> Mapping[str, JsonValue]:
    if type(value) is not dict and not isinstance(value, Mapping):
        raise InvalidInputError(field, f"must be a mapping, not {type(value).__name__}")
    return cast("Mapping[str, JsonValue]", value)


def _size(field: str, text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise InvalidInputError(
            field, "must not contain a lone surrogate, which UTF-8 cannot hold"
        ) from None
