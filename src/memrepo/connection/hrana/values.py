"""Values to Hrana's JSON and back, https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md."""

from __future__ import annotations

import math
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from memrepo.connection.contract import Result
from memrepo.domain.codec import Row, Value
from memrepo.errors import InvalidInputError
from memrepo.queries.statement import BoundStatement

__all__ = [
    "MAX_VALUE_BYTES",
    "Json",
    "decode_result",
    "encode_arguments",
    "encode_values",
    "size_of",
]

#: An object of a message.
Json: TypeAlias = "dict[str, Any]"

#: Bytes of one text or blob that a server takes by default (its ``max_row_size``).
MAX_VALUE_BYTES: Final = 5_000_000
_INT64: Final = range(-(2**63), 2**63)
_placeholders = re.compile(r":([A-Za-z_]\w*)").findall


@lru_cache(maxsize=1_024)
def _names_in(sql: str) -> frozenset[str]:
    return frozenset(_placeholders(sql))


def encode_arguments(bound: BoundStatement) -> list[Json]:
    """
    Return the arguments of a statement: exactly those that its text names, as a server demands.

    Raises:
        InvalidInputError: A value is of no type that SQLite stores, or too large for a server.
    """
    names = _names_in(bound.statement.sql)
    return [
        {"name": name, "value": _encode(name, value)}
        for name, value in bound.parameters.items()
        if name in names
    ]


def encode_values(values: Iterable[Value]) -> list[Json]:
    """
    Return the arguments of a statement whose text does not name them.

    Raises:
        InvalidInputError: As `encode_arguments`.
    """
    return [_encode("value", value) for value in values]


def size_of(parameters: Mapping[str, Value]) -> int:
    """Return about how many bytes *parameters* take in a message."""
    # A number takes 40; characters are counted as bytes, which is short by four times at most.
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
    # A server closes the WebSocket, with everybody's calls on it, where a text is not UTF-8.
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
        # JSON has no infinities and no NaN; a server sends null for them.
        return math.nan if cell["value"] is None else float(cell["value"])
    if kind == "blob":
        # Servers leave out the padding; too much of it is ignored.
        return b64decode(cell["base64"] + "==")
    raise ValueError(kind)
