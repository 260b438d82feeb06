"""
Write batches as messages of Hrana, and read the replies. Pure.

Source: https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import attrs

from memrepo.connection.credentials import Hide
from memrepo.connection.hrana.batch import Batch, BatchReply
from memrepo.connection.hrana.errors import ServerError, reads_answer, translate
from memrepo.connection.hrana.values import Json
from memrepo.errors import DatabaseError
from memrepo.queries.statement import Statement

__all__ = [
    "CLOSE",
    "GET_AUTOCOMMIT",
    "decode",
    "only_statement",
    "read_batch",
    "read_cursor",
    "read_error",
    "read_refusal",
    "read_reply",
    "write_batch",
    "write_close",
    "write_cursor",
    "write_pipeline",
]

CLOSE: Final[Json] = {"type": "close"}
GET_AUTOCOMMIT: Final[Json] = {"type": "get_autocommit"}

#: Fewest characters of a text that is stored on the stream and then referred to by number.
_LEAST_STORED: Final = 200
#: Most bytes of one: sqld does not keep a text of some 5,000, and refuses what refers to it.
_MOST_STORED: Final = 4_000
#: Most characters of a text that came instead of an answer and is kept for the cause of an error.
_MAX_BODY: Final = 200

_is_code = re.compile(r"[A-Z][A-Z0-9_]{0,63}").fullmatch

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def write_batch(batch: Batch, stored: Mapping[str, int], index: int | None) -> Json:
    """
    Return a batch as a part of a message.

    Args:
        batch: What to run.
        stored: The numbers of the texts that are stored on the stream.
        index: The replication index that a replica must reach before it answers; ``None`` for none.
    """
    steps: list[Json] = []
    for step in batch.steps:
        statement: Json = {"want_rows": step.statement is not None}
        if step.sql in stored:
            statement["sql_id"] = stored[step.sql]
        else:
            statement["sql"] = step.sql
        if step.values:
            statement["args"] = step.values
        if step.condition is None:
            steps.append({"stmt": statement})
        else:
            steps.append({"condition": step.condition, "stmt": statement})
    written: Json = {"steps": steps}
    if index is not None:
        written["replication_index"] = str(index)
    return written


def write_pipeline(
    batch: Batch, *, baton: str | None, index: int | None, last: Json | None
) -> bytes:
    """
    Return the message that runs *batch* on a stream, and the request *last* after it.

    A long text that occurs twice is sent once, unless it is too long for the server to keep.
    """
    counts = Counter(step.sql for step in batch.steps if len(step.sql) >= _LEAST_STORED)
    several = (sql for sql, n in counts.items() if n > 1 and len(sql.encode()) <= _MOST_STORED)
    stored = {sql: number for number, sql in enumerate(several)}
    requests: list[Json] = [
        *({"type": "store_sql", "sql_id": number, "sql": sql} for sql, number in stored.items()),
        {"type": "batch", "batch": write_batch(batch, stored, index)},
        # Otherwise the stream would keep the texts until it ends.
        *({"type": "close_sql", "sql_id": number} for number in stored.values()),
    ]
    if last is not None:
        requests.append(last)
    return _encode({"baton": baton, "requests": requests}).encode()


def write_close(baton: str) -> bytes:
    """Return the message that ends a stream."""
    return _encode({"baton": baton, "requests": [CLOSE]}).encode()


def write_cursor(batch: Batch, index: int | None) -> bytes:
    """Return the message that runs *batch* by a cursor."""
    return _encode({"batch": write_batch(batch, {}, index)}).encode()


@reads_answer
def decode(content: bytes) -> Json:
    """
    Return a message that was received, an object of JSON.

    Raises:
        DatabaseError: It is none.
    """
    decoded: Any = json.loads(content)
    if not isinstance(decoded, dict):
        raise TypeError("not an object")
    return cast(Json, decoded)


def read_error(
    error: Any, hide: Hide, *, status: int | None = None, statement: Statement | None = None
) -> ServerError:
    """Read what a server says of a failure, which may be anything; *hide* takes the token out."""
    said: Json = cast(Json, error) if isinstance(error, dict) else {}
    code = _code(said.get("code")) or ("UNKNOWN" if status is None else f"HTTP {status}")
    message = hide(str(said.get("message") or said.get("error") or ""))
    extended = _code(said.get("extended_code"))
    return ServerError(code, message, extended, status=status, statement=statement)


def _code(value: object) -> str:
    return value if isinstance(value, str) and _is_code(value) else ""


def read_refusal(status: int, answer: bytes, hide: Hide) -> ServerError:
    """Read the body of an HTTP response whose status is not 200: JSON of some kind, or any text."""
    try:
        said = decode(answer)
    except DatabaseError:
        said = {"message": hide(answer.decode(errors="replace"))[:_MAX_BODY]}
    return read_error(said, hide, status=status)


@reads_answer
def read_batch(result: Any, batch: Batch, hide: Hide) -> BatchReply:
    """
    Return the reply to *batch* that its result holds.

    Raises:
        DatabaseError: It holds no such reply.
    """
    results, errors = result["step_results"], result["step_errors"]
    if not len(results) == len(errors) == len(batch.steps):
        raise ValueError("another number of steps")
    if not all(isinstance(one, dict | None) for one in results):
        raise TypeError("not an object")
    index = result.get("replication_index")  # a string, a number, or missing
    return BatchReply(
        results,
        [
            None if error is None else read_error(error, hide, statement=step.statement)
            for error, step in zip(errors, batch.steps, strict=True)
        ],
        has_succeeded=results[batch.decisive] is not None,
        index=None if index is None else int(index),
    )


@reads_answer
def read_reply(reply: Json, batch: Batch, hide: Hide) -> BatchReply:
    """
    Read the reply to `write_pipeline`.

    Raises:
        MemrepoError: The batch as a whole failed, or this is no such reply.
    """
    is_autocommit = None
    found: BatchReply | None = None
    for result in reply["results"]:
        if result["type"] == "error":
            raise translate(read_error(result["error"], hide, statement=only_statement(batch)))
        response = result["response"]
        if response["type"] == "batch":
            found = read_batch(response["result"], batch, hide)
        elif response["type"] == "get_autocommit":
            is_autocommit = response["is_autocommit"]
            if not isinstance(is_autocommit, bool):
                raise TypeError("not a bool")
    if found is None:
        raise LookupError("batch")
    return attrs.evolve(found, is_autocommit=is_autocommit)


def only_statement(batch: Batch) -> Statement | None:
    """Return the one statement of a batch, which an error of the whole request must be about."""
    found = [step.statement for step in batch.steps if step.statement is not None]
    return found[0] if len(found) == 1 else None


@reads_answer
def read_cursor(lines: Iterator[bytes], batch: Batch, hide: Hide) -> tuple[BatchReply, str | None]:
    """
    Read what a cursor returned for a batch of one step, one line after another.

    Returns:
        The reply, and the baton of the stream, which the cursor leaves open.

    Raises:
        MemrepoError: The server failed, or this is no such reply.
    """
    baton = decode(next(lines)).get("baton")
    rows: list[Any] = []
    result: Json = {"rows": rows, "affected_row_count": 0}
    for line in lines:
        entry = decode(line)
        kind = entry["type"]
        if kind == "row":
            rows.append(entry["row"])
        elif kind == "step_end":
            result["affected_row_count"] = entry["affected_row_count"]
        elif kind in ("step_error", "error"):
            raise translate(read_error(entry["error"], hide, statement=only_statement(batch)))
    return BatchReply([result], [None], has_succeeded=True), baton if isinstance(
        baton, str
    ) else None
