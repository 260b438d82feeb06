"""
Write values as Hrana's JSON, and read results. Pure.

Source: https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from memrepo.connection.contract import Result
from memrepo.domain.codec import Row, Value
from memrepo.errors import InvalidInputError
from memrepo.queries.statement import BoundStatement

__all__ = [
    "MAX_VALUE_BYTES",
    "Json",
    "decode_result",
    "encode_bound",
    "encode_values",
    "size_of",
]

#: An object of JSON.
Json: TypeAlias = "dict[str, Any]"

#: Most bytes that a server takes in one text or blob by default (its ``max_row_size``).
MAX_VALUE_BYTES: Final = 5_000_000
_INT64: Final = range(-(2**63), 2**63)


def encode_bound(bound: BoundStatement) -> list[Json]:
    """
    Return the values of a statement in the order of its ``positional_sql``.

    Raises:
        InvalidInputError: A value is of no type that SQLite stores, or too large for a server.
    """
    statement, parameters = bound
    values = statement.values(parameters)
    names = statement.values({name: name for name in parameters})
    return [_encode(str(name), value) for name, value in zip(names, values, strict=True)]


def encode_values(values: Iterable[Value]) -> list[Json]:
    """
    Return values that have no names.

    Raises:
        InvalidInputError: As `encode_bound`.
    """
    return [_encode("value", value) for value in values]


def size_of(parameters: Mapping[str, Value]) -> int:
    """Return about how many bytes *parameters* take in a message."""
    # 40 are what a number takes. Characters are counted as bytes: UTF-8 needs up to four for one.
    return sum(40 + (len(v) if isinstance(v, str | bytes) else 0) for v in parameters.values())


def _encode(name: str, value: Value) -> Json:
    if value is None:
        return {"type": "null"}
    if isinstance(value, str):
        return {"type": "text", "value": _check_text(name, value)}
    if isinstance(value, int):
        if value not in _INT64:
            raise InvalidInputError(name, "must fit into 64 bits")
        return {"type": "integer", "value": str(int(value))}
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidInputError(name, "must be finite")
        return {"type": "float", "value": value}
    if isinstance(value, bytes):
        _check_size(name, len(value))
        return {"type": "blob", "base64": b64encode(value).decode()}
    raise InvalidInputError(name, f"cannot be a {type(value).__name__}")


def _check_text(name: str, text: str) -> str:
    # For a text that is not UTF-8 a server would close the WebSocket, with all calls that are on it.
    try:
        _check_size(name, len(text) if text.isascii() else len(text.encode()))
    except UnicodeEncodeError:
        raise InvalidInputError(name, "has a character that is no Unicode scalar value") from None
    return text


def _check_size(name: str, size_bytes: int) -> None:
    if size_bytes > MAX_VALUE_BYTES:
        raise InvalidInputError(name, f"a server takes at most {MAX_VALUE_BYTES:,} bytes")


def decode_result(result: Json) -> Result:
    """Return the rows and changes of one statement."""
    rows: list[Row] = [tuple(map(_decode, row)) for row in result["rows"]]
    return Result(rows, result["affected_row_count"])


def _decode(cell: Json) -> Value:
    kind = cell["type"]
    if kind == "text":
        text: str = cell["value"]
        return text
    if kind == "integer":
        return int(cell["value"])
    if kind == "null":
        return None
    if kind == "float":
        # JSON has neither infinities nor NaN, so a server sends null for them.
        return math.nan if cell["value"] is None else float(cell["value"])
    if kind == "blob":
        # Servers leave out the padding; the decoder ignores what is too much.
        return b64decode(cell["base64"] + "==")
    raise ValueError(kind)
