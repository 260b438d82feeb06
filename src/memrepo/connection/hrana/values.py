"""
Write values as Hrana's JSON, and read results. Pure.

Source: https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from operator import itemgetter
from types import NoneType
from typing import Any, Final, TypeAlias

from memrepo.connection.contract import Result
from memrepo.connection.hrana.errors import reads_answer
from memrepo.domain.codec import Row, Value
from memrepo.errors import InvalidInputError
from memrepo.queries.statement import BoundStatement

__all__ = [
    "MAX_VALUE_BYTES",
    "Json",
    "decode_result",
    "encode_bound",
    "seconds_of",
    "size_of",
]

#: An object of JSON.
Json: TypeAlias = "dict[str, Any]"

#: Most bytes that a server takes in one text or blob by default (its ``max_row_size``).
MAX_VALUE_BYTES: Final = 5_000_000


def encode_bound(bound: BoundStatement) -> list[Json]:
    """
    Return the values of a statement in the order of its ``positional_sql``.

    Raises:
        InvalidInputError: A value is of no type that SQLite stores, or too large for a server.
    """
    statement, parameters = bound
    try:
        values = statement.values(parameters)
        names = statement.values({name: name for name in parameters})
        return [_encode(str(name), value) for name, value in zip(names, values, strict=True)]
    except (KeyError, OverflowError, TypeError, UnicodeEncodeError):
        statement.check(parameters)
        raise


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
        # For a lone surrogate a server would close the WebSocket, with all calls that are on it.
        size_bytes = len(value) if value.isascii() else len(value.encode())
        cell = {"type": "text", "value": value}
    elif isinstance(value, int):
        value.to_bytes(8, "big", signed=True)  # raises OverflowError if it does not fit
        cell = {"type": "integer", "value": str(int(value))}
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidInputError(name, "must be finite")
        cell = {"type": "float", "value": value}
    elif isinstance(value, bytes):
        size_bytes = len(value)
        cell = {"type": "blob", "base64": b64encode(value).decode()}
    else:
        raise TypeError(name)
    if size_bytes > MAX_VALUE_BYTES:
        raise InvalidInputError(name, f"a server takes at most {MAX_VALUE_BYTES:,} bytes")
    return cell


@reads_answer
def decode_result(result: Json) -> Result:
    """
    Return the rows and changes of one statement.

    Raises:
        DatabaseError: They are not what they should be.
    """
    rows: list[Row] = [
        tuple([_DECODERS[cell["type"], type(cell.get("value"))](cell) for cell in row])
        for row in result["rows"]
    ]
    changes, columns = result["affected_row_count"], result.get("cols")
    if not isinstance(changes, int):
        raise TypeError("not an int")
    # A cursor sends the columns apart.
    if columns is not None and any(len(row) != len(columns) for row in rows):
        raise ValueError("another number of cells")
    return Result(rows, changes)


def seconds_of(result: Json) -> float:
    """Return how long a statement took, in seconds; 0 if the server does not say."""
    duration_ms = result.get("query_duration_ms")
    return duration_ms / 1_000 if isinstance(duration_ms, int | float) else 0.0


#: By the kind of a cell and the type of its value in JSON: an answer with any other is malformed.
_DECODERS: Final[dict[tuple[str, type], Callable[[Json], Value]]] = {
    ("null", NoneType): lambda _: None,
    ("text", str): itemgetter("value"),
    # As text, because JavaScript's numbers have only 53 bits.
    ("integer", str): lambda cell: int(cell["value"]),
    ("integer", int): itemgetter("value"),
    ("float", float): itemgetter("value"),
    ("float", int): lambda cell: float(cell["value"]),
    # JSON has neither infinities nor NaN, so a server sends null for them.
    ("float", NoneType): lambda _: math.nan,
    # Servers leave out the padding; the decoder ignores what is too much.
    ("blob", NoneType): lambda cell: b64decode(cell["base64"] + "=="),
}
