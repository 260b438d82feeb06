"""
Write batches as messages of Hrana, and read the replies. Pure.

Source: https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

import attrs

from memrepo.connection.hrana.batch import BatchReply, Step
from memrepo.connection.hrana.errors import ServerError, translate, unclear
from memrepo.connection.hrana.values import Json

__all__ = [
    "CLOSE",
    "GET_AUTOCOMMIT",
    "batch",
    "batch_requests",
    "decode",
    "encode",
    "read_batch",
    "read_cursor",
    "read_refusal",
    "read_reply",
]

CLOSE: Final[Json] = {"type": "close"}
GET_AUTOCOMMIT: Final[Json] = {"type": "get_autocommit"}

#: Fewest characters of a text that is stored on the stream and then referred to by number.
_LEAST_STORED: Final = 200

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(message: Json) -> bytes:
    """Return a message as JSON."""
    return _encode(message).encode()


def decode(content: bytes) -> Json:
    """
    Return a message that was received, an object of JSON.

    Raises:
        ValueError: It is none.
    """
    decoded: Any = json.loads(content)
    if not isinstance(decoded, dict):
        raise ValueError("not an object")  # noqa: TRY004 - handled like a message that is not JSON
    return cast(Json, decoded)


def batch(steps: Sequence[Step], stored: dict[str, int], index: int | None) -> Json:
    """
    Return a batch.

    Args:
        steps: What to run.
        stored: The numbers of the texts that are stored on the stream.
        index: The replication index that a replica must reach before it answers; ``None`` for none.
    """
    written: list[Json] = []
    for step in steps:
        statement: Json = {"want_rows": step.has_rows}
        if step.sql in stored:
            statement["sql_id"] = stored[step.sql]
        else:
            statement["sql"] = step.sql
        if step.values:
            statement["args"] = step.values
        if step.condition is None:
            written.append({"stmt": statement})
        else:
            written.append({"condition": step.condition, "stmt": statement})
    message: Json = {"steps": written}
    if index is not None:
        message["replication_index"] = str(index)
    return message


def batch_requests(steps: Sequence[Step], index: int | None) -> list[Json]:
    """Return the requests that run *steps* on a stream; a long text that occurs twice is sent once."""
    counts = Counter(step.sql for step in steps if len(step.sql) >= _LEAST_STORED)
    stored = {sql: number for number, (sql, n) in enumerate(counts.items()) if n > 1}
    return [
        *({"type": "store_sql", "sql_id": number, "sql": sql} for sql, number in stored.items()),
        {"type": "batch", "batch": batch(steps, stored, index)},
        # Otherwise the stream would keep the texts until it ends.
        *({"type": "close_sql", "sql_id": number} for number in stored.values()),
    ]


def read_error(error: Json, *, status: int | None = None) -> ServerError:
    """Read what a server says of a failure; any of its parts may be missing."""
    message = str(error.get("message") or error.get("error") or "")
    code = error.get("code") or ("UNKNOWN" if status is None else f"HTTP {status}")
    return ServerError(code, message, error.get("extended_code") or "", status=status)


def read_refusal(status: int, answer: bytes) -> ServerError:
    """Read the body of an HTTP response whose status is not 200: JSON of some kind, or any text."""
    said: Json
    try:
        said = decode(answer)
    except ValueError:
        said = {"message": answer[:200].decode(errors="replace")}
    return read_error(said, status=status)


def read_batch(result: Json) -> BatchReply:
    """Return the reply that the result of a batch holds."""
    errors = [None if error is None else read_error(error) for error in result["step_errors"]]
    index = result.get("replication_index")  # a string, a number, or missing
    return BatchReply(result["step_results"], errors, index=None if index is None else int(index))


def read_reply(reply: Json) -> BatchReply:
    """
    Read the reply to `batch_requests`, and to a GET_AUTOCOMMIT after them.

    Raises:
        MemrepoError: The batch as a whole failed, or this is no such reply.
    """
    is_autocommit = None
    found: BatchReply | None = None
    try:
        for result in reply["results"]:
            if result["type"] == "error":
                raise translate(read_error(result["error"]))
            response = result["response"]
            if response["type"] == "batch":
                found = read_batch(response["result"])
            elif response["type"] == "get_autocommit":
                is_autocommit = response["is_autocommit"]
    except (ValueError, KeyError, TypeError) as error:
        raise unclear(error) from error
    if found is None:
        raise unclear(KeyError("batch"))
    return attrs.evolve(found, is_autocommit=is_autocommit)


def read_cursor(lines: Iterator[bytes]) -> tuple[BatchReply, str | None]:
    """
    Read what a cursor returned for a batch of one step, one line after another.

    Returns:
        The reply, and the baton of the stream, which the cursor leaves open.

    Raises:
        ServerError: The server failed.
    """
    baton: str | None = json.loads(next(lines))["baton"]
    rows: list[Any] = []
    result: Json = {"rows": rows, "affected_row_count": 0}
    for line in lines:
        entry = json.loads(line)
        kind = entry["type"]
        if kind == "row":
            rows.append(entry["row"])
        elif kind == "step_end":
            result["affected_row_count"] = entry["affected_row_count"]
        elif kind in ("step_error", "error"):
            raise read_error(entry["error"])
    return BatchReply([result], [None]), baton
