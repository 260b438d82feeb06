"""
The format of an export: JSON Lines.

The first line says what it is. Then comes a line for each row: sessions, facts, events, each in the order of their
ids. The last line says that nothing is missing. A row's line has the name of its table as ``table``, and its columns
as they are stored: those that are NULL are left out. What JSON has no exact form for is an object of one pair:
``{"text": BASE64}`` for text that is not UTF-8, ``{"blob": BASE64}``, ``{"real": "inf"}``.
"""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast, get_args

import attrs

from memrepo.domain.checks import HIGHEST_ID, LOWEST_ID
from memrepo.domain.codec import Row, Value
from memrepo.domain.hashing import SameFact
from memrepo.domain.jsontext import to_compact_json
from memrepo.errors import InvalidInputError
from memrepo.queries.copying import INTEGERS, REQUIRED, TABLES, texts

__all__ = ["BEGINNING", "END", "FORMAT", "Header", "bad_line", "read_line", "to_line", "to_row"]

#: The version of this format.
FORMAT: Final = 1
#: How the first line begins.
BEGINNING: Final = b'{"memrepo":"export",'
#: The last line.
END: Final = b'{"memrepo":"end"}\n'


@attrs.frozen(kw_only=True)
class Header:
    """The first line of an export."""

    #: Its own name, by which an import knows it again.
    id: str
    #: When it began, as an instant is stored.
    exported_at: str
    schema_version: int
    same_fact: SameFact
    #: The scope that it is of; ``None`` for all.
    scope: str | None
    #: Of each table, how many rows there were when it began.
    n_rows: Mapping[str, int]
    #: Of each table, the highest id that was ever used then; ``None`` if none was.
    last_ids: Mapping[str, int | None]

    def to_line(self) -> bytes:
        """Return it as a line."""
        return _line({"memrepo": "export", "format": FORMAT, **attrs.asdict(self)})

    @classmethod
    def read(cls, line: bytes) -> Header:
        """
        Read a line.

        Raises:
            InvalidInputError: It is not the first line of an export that this memrepo can read.
        """
        values = read_line(line, 1)
        if values.pop("memrepo", None) != "export":
            raise bad_line(1, "is not the beginning of an export")
        if values.pop("format", None) != FORMAT:
            raise bad_line(1, f"has another format than {FORMAT}")
        try:
            header = cls(**values)
            header._check()
        except (TypeError, ValueError, AttributeError):
            raise bad_line(1, "is not the beginning of an export") from None
        return header

    def _check(self) -> None:
        """Raise one of the above for a value that a line of another program may have."""
        datetime.fromisoformat(self.exported_at)
        numbers = (*self.n_rows.values(), *self.last_ids.values())
        if not (
            isinstance(self.id, str)
            and type(self.schema_version) is int
            and self.same_fact in get_args(SameFact)
            and isinstance(self.scope, str | None)
            and self.n_rows.keys() == self.last_ids.keys() == TABLES.keys()
            and None not in self.n_rows.values()
            and all(n is None or type(n) is int for n in numbers)
            and all(LOWEST_ID <= n <= HIGHEST_ID for n in numbers if n is not None)
        ):
            raise ValueError


# --- rows --------------------------------------------------------------------------------------


def to_line(table: str, row: Row) -> bytes:
    """Return a row of `queries.copying.read` as a line."""
    *values, kinds = row
    blobs = dict(zip(texts(table), kinds, strict=True)) if "1" in kinds else {}
    shown: dict[str, object] = {"table": table}
    for column, value in zip(TABLES[table], values, strict=True):
        if type(value) is int:
            shown[column] = value
        elif isinstance(value, bytes) and (column in INTEGERS or blobs.get(column) == "1"):
            shown[column] = {"blob": b64encode(value).decode()}
        elif value is not None:
            shown[column] = _to_json(value)
    return _line(shown)


def _to_json(value: Value) -> object:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"text": b64encode(value).decode()}
    if isinstance(value, float) and value - value != 0:  # an infinity: SQLite stores no NaN
        return {"real": str(value)}
    return value


def _line(values: Mapping[str, object]) -> bytes:
    return f"{to_compact_json(values)}\n".encode()


def read_line(line: bytes, number: int) -> dict[str, Any]:
    """
    Read a line, the *number*-th of an export.

    Raises:
        InvalidInputError: It is not a JSON object; the message does not show it.
    """
    try:
        values = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise bad_line(number, "is not a JSON object")
    return cast("dict[str, Any]", values)


def _refuse_constant(_name: str) -> None:
    raise ValueError  # NaN, Infinity and -Infinity are no JSON


def to_row(table: str, values: dict[str, Any], number: int) -> Row:
    """
    Return the row of a line's values, as `queries.copying.read` would; *values* is emptied.

    Raises:
        InvalidInputError: It is not a row of this table.
    """
    found: list[Value] = []
    kinds = ""
    try:
        for column in TABLES[table]:
            value = values.pop(column, None)
            if column in INTEGERS:
                found.append(_integer(value))
            else:
                stored, kind = _text(value)
                found.append(stored)
                kinds += kind
    except (ValueError, TypeError, KeyError, AttributeError):
        raise bad_line(number, "has a value that its column cannot have") from None
    if values or type(found[0]) is not int or not LOWEST_ID <= found[0] <= HIGHEST_ID:
        raise bad_line(number, "is not a row of its table")
    if any(
        its is None and name in REQUIRED for name, its in zip(TABLES[table], found, strict=True)
    ):
        raise bad_line(number, "lacks a value that its column must have")
    return (*found, kinds)


def _integer(value: Any) -> Value:
    """Return a value of a column that should hold a number, and may hold anything."""
    if type(value) is int and not LOWEST_ID <= value <= HIGHEST_ID:
        raise ValueError
    if isinstance(value, dict):
        its = cast("dict[str, str]", value)
        return _real(its["real"]) if "real" in its else _text(its)[0]
    if isinstance(value, bool | list):
        raise TypeError
    if isinstance(value, str):
        value.encode()  # half of a surrogate pair cannot be stored
    return cast("Value", value)


def _real(text: str) -> float:
    if math.isnan(number := float(text)):
        raise ValueError  # SQLite would store NULL
    return number


def _text(value: Any) -> tuple[bytes | None, str]:
    if value is None:
        return None, "0"
    if isinstance(value, dict):
        its = cast("dict[str, str]", value)
        kind = "blob" if "blob" in its else "text"
        return b64decode(its[kind], validate=True), str(int(kind == "blob"))
    return value.encode(), "0"


def bad_line(number: int, reason: str) -> InvalidInputError:
    """Return the error of a line, which is not shown."""
    return InvalidInputError(f"line {number}", reason)
