"""
Write values as Hrana's JSON, and read results. Pure.

Source: https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from operator import itemgetter
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


def size_of(parameters: Mapping[str, Value]) -> int:
    """Return about how many bytes *parameters* take in a message."""
    # 40 are what a number takes. Characters are counted as bytes: UTF-8 needs up to four for one.
    return sum(40 + (len(v) if isinstance(v, str | bytes) else 0) for v in parameters.values())


def _encode(name: str, value: Value) -> Json:
    size_bytes = 0
    cell: Json
    if value is None:
        cell = {"type": "null"}
    elif isinstance(value, str):
        try:
            size_bytes = len(value.encode())
        except UnicodeEncodeError:
            # For such a text a server would close the WebSocket, with all calls that are on it.
            raise InvalidInputError(
                name, "has a character that is no Unicode scalar value"
            ) from None
        cell = {"type": "text", "value": value}
    elif isinstance(value, int):
        if value not in _INT64:
            raise InvalidInputError(name, "must fit into 64 bits")
        cell = {"type": "integer", "value": str(int(value))}
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidInputError(name, "must be finite")
        cell = {"type": "float", "value": value}
    elif isinstance(value, bytes):
        size_bytes = len(value)
        cell = {"type": "blob", "base64": b64encode(value).decode()}
    else:
        raise InvalidInputError(name, f"cannot be a {type(value).__name__}")
    if size_bytes > MAX_VALUE_BYTES:
        raise InvalidInputError(name, f"a server takes at most {MAX_VALUE_BYTES:,} bytes")
    return cell


def decode_result(result: Json) -> Result:
    """Return the rows and changes of one statement."""
    rows: list[Row] = [
        tuple([_DECODERS[cell["type"]](cell) for cell in row]) for row in result["rows"]
    ]
    return Result(rows, result["affected_row_count"])


_DECODERS: Final[dict[str, Callable[[Json], Value]]] = {
    "null": lambda _: None,
    "text": itemgetter("value"),
    "integer": lambda cell: int(cell["value"]),
    # JSON has neither infinities nor NaN, so a server sends null for them.
    "float": lambda cell: math.nan if cell["value"] is None else float(cell["value"]),
    # Servers leave out the padding; the decoder ignores what is too much.
    "blob": lambda cell: b64decode(cell["base64"] + "=="),
}
