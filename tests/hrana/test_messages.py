"""Hrana's messages, without a server: what is written, what is read, what each error becomes."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace
from typing import Any, Final

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
from memrepo.connection.coalescing import CoalescedCall, coalesce
from memrepo.connection.hrana import (
    batch as batches,
    errors,
    messages,
)
from memrepo.connection.hrana.errors import ServerError
from memrepo.connection.hrana.values import Json, decode_result, encode_bound
from memrepo.connection.pending import PendingCall
from memrepo.queries import (
    daily_logs,
    due,
    observing,
    remembering,
    remembering_many,
    sessions,
    superseding,
)
from memrepo.queries.coalescing import Values, coalescible, rows_by_number
from memrepo.queries.idempotent import is_repeatable
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
    (written,) = json.loads(json.dumps(encode_bound(bound)))
    result = decode_result({"rows": [[written]], "affected_row_count": 0})
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
    ours = errors.translate(error)
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
    ours = errors.translate(error)
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
    ours = errors.of_status(status, messages.read_refusal(status, answer, str))
    assert type(ours) is kind
    assert isinstance(ours, DatabaseError)
    assert (ours.retryable, ours.outcome_unknown) == (retryable, unknown)


def test_code_in_a_status() -> None:
    """A code that we know says more than the status."""
    refusal = messages.read_refusal(410, b'{"message":"m","code":"STREAM_LOST"}', str)
    assert isinstance(errors.of_status(410, refusal), ConnectionLostError)


@pytest.mark.parametrize(
    ("status", "answer", "is_bare"),
    [
        (400, b'{"error":"invalid baton"}', True),
        (404, b"", True),
        (400, b'{"message":"m","code":"STREAM_EXPIRED"}', False),
        (429, b"", False),
        (500, b"HTTP 400, HTTP 404", False),
    ],
)
def test_bare_status(status: int, answer: bytes, *, is_bare: bool) -> None:
    """The status decides, unless the server gave a better reason; what a message says does not."""
    ours = errors.of_status(status, messages.read_refusal(status, answer, str))
    assert errors.has_status(ours, 400, 404) == is_bare
    in_reply = errors.translate(_error("HTTP 400", "HTTP 404"))
    assert not errors.has_status(in_reply, 400, 404)


def _runs(batch: batches.Batch, failing: set[int]) -> list[str]:
    """Run a batch as a server does, with these steps failing; return the texts that ran well."""
    return [batch.steps[number].sql for number in _numbers(batch, failing)]


def _numbers(batch: batches.Batch, failing: set[int]) -> list[int]:
    """Run a batch as a server does, with these steps failing; return the steps that ran well."""
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
    return [number for number, is_done in enumerate(done) if is_done]


def _reply(batch: batches.Batch, failing: set[int], rows: list[list[Json]]) -> batches.BatchReply:
    """The reply to a batch, with these steps failing, and these rows from each of the others."""
    ran = _numbers(batch, failing)
    result = {"rows": rows, "affected_row_count": 1}
    results = [result if number in ran else None for number in range(len(batch.steps))]
    errors = [_error("X") if number in failing else None for number in range(len(results))]
    return batches.BatchReply(results, errors, has_succeeded=batch.decisive in ran)


def _call(*bound: BoundStatement) -> PendingCall:
    nobody: Any = None
    return PendingCall(0.0, nobody, bound)


def _units(count: int) -> list[PendingCall]:
    return [_call(*(Statement("t", f"{n}.{m}").bind() for m in range(2))) for n in range(count)]


def _print_rows(items: Values) -> Any:
    return SimpleNamespace(
        get_sql=lambda: " ".join(["merged", *map(":{}".format, items.placeholders)])
    )


#: Several run as one, as `memories.GET` does.
_SINGLE: Final = coalescible(Statement("t", "single :v"), ("v",), _print_rows, rows_by_number)
#: Four of them.
_MERGED: Final = "merged ? ? ? ?"


def _mixed() -> list[batches.AnyCall]:
    """A coalesced statement, a unit of two, and a merged one."""
    same = [_call(_SINGLE.bind(v=n)) for n in range(8)]
    works = list(coalesce([*same[:4], *_units(1), *same[4:]]))
    assert [isinstance(work, CoalescedCall) for work in works] == [True, False, True]
    return works


def test_group_in_which_a_unit_fails() -> None:
    """The unit is undone to its savepoint, and its neighbours are committed."""
    batch = batches.group(_units(2))
    ran = _runs(batch, {batch.slices[0].start + 1})
    assert ran == [
        *("BEGIN IMMEDIATE", "SAVEPOINT unit", "0.0", "ROLLBACK TO unit", "RELEASE unit"),
        *("SAVEPOINT unit", "1.0", "1.1", "RELEASE unit", "COMMIT"),
    ]


def test_group_with_coalesced_statements() -> None:
    """They are one step each, and each of their calls is given its own rows."""
    works = _mixed()
    batch = batches.group(works)
    assert _runs(batch, set()) == [
        *("BEGIN IMMEDIATE", _MERGED),
        *("SAVEPOINT unit", "0.0", "0.1", "RELEASE unit"),
        *(_MERGED, "COMMIT"),
    ]
    reply = _reply(batch, set(), [[{"type": "integer", "value": "2"}]])
    for call, own in zip(works, batch.slices, strict=True):
        reply.settle(call, own)
    merged, unit, _ = works
    assert isinstance(merged, CoalescedCall)
    assert isinstance(unit, PendingCall)
    assert [len(result.rows) for result in unit.results()] == [1, 1]
    # The row that came back is the third call's.
    assert [len(call.results()[0].rows) for call in merged.calls] == [0, 0, 1, 0]


@pytest.mark.parametrize("number", [0, 2])
def test_group_in_which_a_coalesced_statement_fails(number: int) -> None:
    """Nothing is committed, and its calls are left without an outcome."""
    works = _mixed()
    batch = batches.group(works)
    failing = {batch.slices[number].start}
    ran = _runs(batch, failing)
    assert "COMMIT" not in ran
    assert (ran[0], ran[-1]) == ("BEGIN IMMEDIATE", "ROLLBACK")
    failed = works[number]
    assert isinstance(failed, CoalescedCall)
    _reply(batch, failing, []).settle(failed, batch.slices[number])
    assert [call.outcome for call in failed.calls] == [None] * 4


def test_lone_statement_that_returns_little() -> None:
    """It is sent bare; any other is in a transaction, which undoes it if need be."""
    append = daily_logs.APPEND.bind(
        scope="", session_id=None, event_type="x", event_data=None, now="", key=None
    )
    batch = batches.group([_call(append)])
    assert [step.sql for step in batch.steps] == [daily_logs.APPEND.positional_sql]
    assert (batch.decisive, batch.steps[0].condition) == (0, None)
    for calls in ([_call(append, append)], [_call(append)] * 2, [_call(_SINGLE.bind(v=1))]):
        texts = [step.sql for step in batches.group(calls).steps]
        assert (texts[0], texts[-2:]) == ("BEGIN IMMEDIATE", ["COMMIT", "ROLLBACK"])


def test_values_are_sent_in_order() -> None:
    """Those of coalesced calls in the order of the calls, those of a lone one in the order of its text."""
    merged, _, _ = _mixed()
    assert isinstance(merged, CoalescedCall)
    lone = _call(Statement("t", "SELECT :b, :a, ':c', :b").bind(a=1, b=2))
    batch = batches.group([merged, lone])
    steps = messages.write_batch(batch, {}, None)["steps"]
    first, second = (steps[own.start]["stmt"] for own in batch.slices)
    assert [value["value"] for value in first["args"]] == ["0", "1", "2", "3"]
    assert [value["value"] for value in second["args"]] == ["2", "1", "2"]
    assert second["sql"] == "SELECT ?, ?, ':c', ?"
    assert "named_args" not in first | second


@given(st.one_of(st.integers(1, 4).map(_units), st.builds(_mixed)), st.data())
def test_transaction_that_the_server_ends(
    works: list[batches.AnyCall], data: st.DataObject
) -> None:
    """Wherever it ends, no statement that writes runs after it, and nothing is committed."""
    batch = batches.group(works)
    end = data.draw(st.integers(0, batch.decisive))
    # From there on there is no savepoint to go back to and no transaction to end.
    controls = ("ROLLBACK TO unit", "RELEASE unit", "COMMIT", "ROLLBACK")
    gone = {n for n, s in enumerate(batch.steps) if n >= end and s.sql in controls} | {end}
    ran = _runs(batch, gone)
    assert ran == [step.sql for step in batch.steps][: len(ran)] or "COMMIT" not in ran
    assert "COMMIT" not in ran
    writing = {n for own in batch.slices for n in range(own.start, own.stop)}
    assert not writing & {n for n in _numbers(batch, gone) if n >= end}


def test_long_texts_are_sent_once() -> None:
    """A text that recurs in a batch is stored on the stream, and taken away again."""
    statement = Statement("t", f"SELECT :v, {'1' * 300}")
    batch = batches.group([_call(statement.bind(v=n)) for n in range(3)])
    message = messages.write_pipeline(batch, baton=None, index=None, last=messages.CLOSE)
    requests = json.loads(message)["requests"]
    assert [request["type"] for request in requests] == [
        *("store_sql", "batch", "close_sql", "close"),
    ]
    assert message.decode().count(statement.positional_sql) == 1
    sent = [step["stmt"] for step in requests[1]["batch"]["steps"]]
    assert [s["args"][0]["value"] for s in sent if "sql_id" in s] == ["0", "1", "2"]


def test_what_can_be_repeated() -> None:
    """Facts, and events with keys; nothing else."""
    now = {"scope": "", "now": ""}
    keyed, mixed = ('[[null,"x",null,"k"]]', '[[null,"x",null,"k"],[null,"x",null,null]]')
    yes = [
        (BoundStatement(remembering.REVIVE, {}), BoundStatement(remembering.REMEMBER, {})),
        (BoundStatement(remembering.REMEMBER, {}), BoundStatement(due.SET_DUE, {})),
        (
            BoundStatement(remembering_many.REVIVE_MANY, {}),
            BoundStatement(remembering_many.INSERT_MANY, {}),
        ),
        (BoundStatement(remembering_many.INSERT_MANY, {}), BoundStatement(due.SET_DUE_MANY, {})),
        (BoundStatement(daily_logs.APPEND_ONCE, {}), BoundStatement(daily_logs.GET_BY_KEY, {})),
        (
            daily_logs.APPEND_MANY.bind(batch=keyed, **now),
            BoundStatement(daily_logs.GET_BY_KEYS, {}),
        ),
    ]
    no = [
        (BoundStatement(daily_logs.APPEND, {}),),
        (
            daily_logs.APPEND_MANY.bind(batch=mixed, **now),
            BoundStatement(daily_logs.GET_BY_KEYS, {}),
        ),
        (BoundStatement(sessions.START, {}),),
        (BoundStatement(superseding.SUPERSEDE_INSERT, {}),),
        (BoundStatement(observing.OBSERVE, {}),),
        (BoundStatement(due.SURFACED, {}),),
    ]
    assert [is_repeatable(unit) for unit in yes] == [True] * len(yes)
    assert [is_repeatable(unit) for unit in no] == [False] * len(no)
