"""Hrana's messages, without a server: what is written, what is read, what each error becomes."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, strategies as st

from memrepo import (
    AuthenticationError,
    BusyError,
    ConnectionLostError,
    ConstraintError,
    CorruptDatabaseError,
    DatabaseError,
    DeadlineError,
    MemrepoError,
    ReadOnlyError,
    StorageFullError,
)
from memrepo.connection import hrana_batch, hrana_json, server_errors
from memrepo.connection.hrana_values import Json, decode_result, encode_arguments
from memrepo.connection.server_errors import ServerError
from memrepo.queries import daily_logs, remembering, sessions
from memrepo.queries.repeatable import is_repeatable
from memrepo.queries.statement import BoundStatement, Statement

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=50),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
)


@given(values)
def test_values_come_back(value: object) -> None:
    """What is written as JSON is read as what it was; a bool as the integer that SQLite stores."""
    bound = Statement("test", "SELECT :v").bind(v=value)  # type: ignore[arg-type]
    (argument,) = json.loads(json.dumps(encode_arguments(bound)))
    result = decode_result({"rows": [[argument["value"]]], "affected_row_count": 0})
    assert result.rows == [(value,)]


@pytest.mark.parametrize(("text", "data"), [("", b""), ("AAE", b"\0\1"), ("AAE=", b"\0\1")])
def test_blobs_with_and_without_padding(text: str, data: bytes) -> None:
    """Servers leave out the padding of base64, or do not."""
    row = [{"type": "blob", "base64": text}]
    assert decode_result({"rows": [row], "affected_row_count": 0}).rows == [(data,)]


def test_float_that_json_cannot_write() -> None:
    """A server sends null for an infinity or NaN."""
    row = [{"type": "float", "value": None}]
    ((value,),) = decode_result({"rows": [row], "affected_row_count": 0}).rows
    assert math.isnan(value)


def _error(code: str, message: str = "", extended: str = "") -> ServerError:
    return ServerError(code, message, extended)


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        (_error("SQLITE_BUSY"), BusyError, True),
        (_error("SQLITE_BUSY_SNAPSHOT"), BusyError, True),
        (_error("PROXY_ERROR", "SQLite error: database is locked"), BusyError, True),
        (_error("TRANSACTION_BUSY"), BusyError, True),
        (_error("TRANSACTION_TIMEOUT", "Transaction timed-out"), DeadlineError, True),
        (_error("PROXY_ERROR", "Transaction timed out"), DeadlineError, True),
        (_error("STREAM_EXPIRED"), ConnectionLostError, True),
        (_error("STREAM_LOST"), ConnectionLostError, True),
        (_error("SQLITE_FULL"), StorageFullError, True),
        (_error("SQLITE_READONLY"), ReadOnlyError, False),
        (_error("BLOCKED"), ReadOnlyError, False),
        (_error("SQLITE_CORRUPT"), CorruptDatabaseError, False),
        (_error("AUTH_JWT_EXPIRED"), AuthenticationError, False),
        (_error("SQLITE_UNKNOWN", "no such table: secret"), DatabaseError, False),
        (_error("ANYTHING_NEW", "secret"), DatabaseError, False),
    ],
    ids=lambda value: getattr(value, "code", None),
)
def test_errors_in_a_reply(
    error: ServerError, kind: type[DatabaseError], *, retryable: bool
) -> None:
    """Each code has its class; nothing was stored; the server's text stays in the cause."""
    ours = server_errors.translate(error)
    assert type(ours) is kind
    assert isinstance(ours, DatabaseError)
    assert (ours.retryable, ours.outcome_unknown) == (retryable, False)
    assert ours.__cause__ is error
    assert "secret" not in str(ours)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (_error("SQLITE_CONSTRAINT", "SQLite error: UNIQUE constraint failed: t.a"), "unique"),
        (_error("PROXY_ERROR", "error: UNIQUE constraint failed: t.a"), "unique"),
        (_error("SQLITE_CONSTRAINT", "NOT NULL constraint failed: t.a"), "not null"),
        (_error("SQLITE_CONSTRAINT", "CHECK constraint failed: a > 0"), "check"),
        (_error("SQLITE_CONSTRAINT", "FOREIGN KEY constraint failed"), "foreign key"),
        (_error("SQLITE_CONSTRAINT", "anything", "SQLITE_CONSTRAINT_UNIQUE"), "unique"),
        (_error("SQLITE_CONSTRAINT", "anything"), "other"),
    ],
)
def test_constraints(error: ServerError, kind: str) -> None:
    """sqld has one code for all constraints; a replica has none; Turso has one for each."""
    ours = server_errors.translate(error)
    assert isinstance(ours, ConstraintError)
    assert ours.kind == kind


@pytest.mark.parametrize(
    ("status", "kind", "retryable", "unknown"),
    [
        (400, DatabaseError, False, False),
        (401, AuthenticationError, False, False),
        (403, AuthenticationError, False, False),
        (404, DatabaseError, False, False),
        (429, BusyError, True, False),
        (500, DatabaseError, False, True),
        (502, DatabaseError, True, True),
        (503, BusyError, True, False),
        (504, DatabaseError, True, True),
        (301, DatabaseError, False, False),
    ],
)
@pytest.mark.parametrize(
    "answer", [b"", b"text", b"\xff", b"[]", b'{"error":"text"}', b'{"message":"m","code":"C"}']
)
def test_statuses_of_http(
    status: int, kind: type[MemrepoError], answer: bytes, *, retryable: bool, unknown: bool
) -> None:
    """Each status has its class, and says whether something may be stored, whatever came with it."""
    ours = server_errors.of_status(status, hrana_json.read_refusal(status, answer))
    assert type(ours) is kind
    assert isinstance(ours, DatabaseError)
    assert (ours.retryable, ours.outcome_unknown) == (retryable, unknown)


def test_code_in_a_status() -> None:
    """A code that we know says more than the status."""
    refusal = hrana_json.read_refusal(410, b'{"message":"m","code":"STREAM_LOST"}')
    assert isinstance(server_errors.of_status(410, refusal), ConnectionLostError)


def _runs(batch: hrana_batch.Batch, failing: set[int]) -> list[str]:
    """Run a batch as a server does, with these steps failing; return the texts that ran well."""
    done: list[bool] = []

    def holds(condition: Json | None) -> bool:
        if condition is None:
            return True
        match condition["type"]:
            case "ok":
                return done[int(condition["step"])]
            case "not":
                return not holds(condition["cond"])
            case "and":
                return all(map(holds, condition["conds"]))
            case _:
                return any(map(holds, condition["conds"]))

    for index, step in enumerate(batch.steps):
        done.append(holds(step.condition) and index not in failing)
    return [step.sql for step, is_done in zip(batch.steps, done, strict=True) if is_done]


def _units(count: int) -> list[tuple[BoundStatement, ...]]:
    return [tuple(Statement("t", f"{n}.{m}").bind() for m in range(2)) for n in range(count)]


def test_group_in_which_a_unit_fails() -> None:
    """The unit is undone to its savepoint, and its neighbours are committed."""
    batch = hrana_batch.group(_units(2))
    ran = _runs(batch, {batch.spans[0].first + 1})
    assert ran == [
        *("BEGIN IMMEDIATE", "SAVEPOINT unit", "0.0", "ROLLBACK TO unit", "RELEASE unit"),
        *("SAVEPOINT unit", "1.0", "1.1", "RELEASE unit", "COMMIT"),
    ]


@given(st.integers(1, 4), st.data())
def test_transaction_that_the_server_ends(count: int, data: st.DataObject) -> None:
    """Wherever it ends, no statement that writes runs after it, and nothing is committed."""
    batch = hrana_batch.group(_units(count))
    end = data.draw(st.integers(0, batch.decisive))
    # From there on there is no savepoint to go back to and no transaction to end.
    controls = ("ROLLBACK TO unit", "RELEASE unit", "COMMIT", "ROLLBACK")
    gone = {n for n, s in enumerate(batch.steps) if n >= end and s.sql in controls} | {end}
    ran = _runs(batch, gone)
    assert ran == [step.sql for step in batch.steps][: len(ran)] or "COMMIT" not in ran
    assert "COMMIT" not in ran
    assert not any(step.sql in ran for step in batch.steps[end:] if "." in step.sql)


def test_long_texts_are_sent_once() -> None:
    """A text that recurs in a batch is stored on the stream, and taken away again."""
    statement = Statement("t", "SELECT " + "1" * 300)
    batch = hrana_batch.group([(statement.bind(),)] * 3)
    requests = hrana_json.batch_requests(batch.steps, None)
    assert [request["type"] for request in requests] == ["store_sql", "batch", "close_sql"]
    assert json.dumps(requests).count(statement.sql) == 1


def test_what_can_be_repeated() -> None:
    """Facts, and events with keys; nothing else."""
    now = {"scope": "", "now": ""}
    keyed, mixed = ('[[null,"x",null,"k"]]', '[[null,"x",null,"k"],[null,"x",null,null]]')
    yes = [
        (remembering.REVIVE.bind(), remembering.REMEMBER.bind()),
        (remembering.REVIVE_MANY.bind(), remembering.INSERT_MANY.bind()),
        (daily_logs.APPEND_ONCE.bind(), daily_logs.GET_BY_KEY.bind()),
        (daily_logs.APPEND_MANY.bind(batch=keyed, **now), daily_logs.GET_BY_KEYS.bind()),
    ]
    no = [
        (daily_logs.APPEND.bind(),),
        (daily_logs.APPEND_MANY.bind(batch=mixed, **now), daily_logs.GET_BY_KEYS.bind()),
        (sessions.START.bind(),),
        (remembering.SUPERSEDE_INSERT.bind(),),
    ]
    assert [is_repeatable(unit) for unit in yes] == [True] * len(yes)
    assert [is_repeatable(unit) for unit in no] == [False] * len(no)
