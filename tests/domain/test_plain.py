"""What is given back can be written as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import attrs
import pytest

import memrepo
from memrepo.domain.instants import encode_instant
from memrepo.domain.plain import PlainModel

NOW = datetime(2026, 2, 2, 14, 16, 24, 123_456, tzinfo=UTC)
STORED = "2026-02-02T14:16:24.123Z"
FACT = memrepo.MemoryEntry(
    id=1,
    scope="",
    content="Käse",
    content_hash="abc",
    category="fact",
    source="inferred",
    created_at=NOW,
    last_accessed=None,
    expires_at=NOW + timedelta(days=1),
    deleted_at=None,
    superseded_by=None,
    raw_metadata='{"tags":["a",1]}',
    session_id=2,
)
SESSION = memrepo.Session(
    id=1,
    scope="",
    thread="phone",
    started_at=NOW,
    ended_at=None,
    end_trigger=None,
    summary=None,
    last_activity_at=NOW,
    status="active",
)
EVENT = memrepo.DailyLog(
    id=1,
    scope="",
    session_id=1,
    event_type="note",
    raw_event_data='{"ok":true,"steps":[1,2.5,null]}',
    timestamp=NOW,
    key="k",
)
INFO = memrepo.ConnectionInfo(
    engine="sqlite",
    engine_version="3.45.1",
    path=Path("/tmp/agent.db"),
    durability="full",
    journal_mode="wal",
    synchronous=2,
    file_system="ext4",
    size_bytes=1,
    wal_size_bytes=1,
    has_wal_reset_bug=False,
    has_full_text_search=True,
    has_vectors=False,
    max_value_bytes=1,
)
TABLE = memrepo.CopiedTable(
    table="sessions", n_rows=1, n_copied=1, n_present=0, n_different=0, n_extra=0
)
MODELS: list[PlainModel] = [
    FACT,
    SESSION,
    EVENT,
    memrepo.Remembered(outcome="created", entry=FACT),
    memrepo.SessionEnd(ended_now=True, session=SESSION),
    memrepo.CarryOver(session=SESSION, summary=None, events=(EVENT,), text="a", n_tokens=1),
    memrepo.Page(items=(FACT, FACT), next_cursor="1~2026"),
    INFO,
    memrepo.Problem(kind="integrity", table="", id=None, detail="page 1"),
    memrepo.Repair(kind="integrity", table="sessions", id=None, detail="its indexes"),
    memrepo.CopyReport(tables=(TABLE,)),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda its: type(its).__name__)


@every_model
def test_every_model_can_be_written_as_json(model: PlainModel) -> None:
    """`json.dumps` takes what `to_dict` returns, and gives back the same: nothing is only like JSON."""
    plain = model.to_dict()
    assert json.loads(json.dumps(plain)) == plain


@every_model
def test_every_field_is_there_by_its_name(model: PlainModel) -> None:
    """No field is left out; what is stored as JSON text has the name that it has when it is decoded."""
    fields = attrs.fields_dict(type(model))  # type: ignore[arg-type]
    shown = [name.removeprefix("raw_") for name in fields if not name.startswith("_")]
    assert [*model.to_dict()] == shown


def test_instants_are_as_they_are_stored() -> None:
    """An instant is its stored text, in UTC whatever its zone, and reads back to the millisecond."""
    assert FACT.to_dict()["created_at"] == STORED == encode_instant(NOW)
    elsewhere = attrs.evolve(FACT, created_at=NOW.astimezone(timezone(timedelta(hours=-5))))
    assert elsewhere.to_dict()["created_at"] == STORED
    text = SESSION.to_dict()["started_at"]
    assert isinstance(text, str)
    assert datetime.fromisoformat(text) == NOW.replace(microsecond=123_000)


def test_stored_json_is_decoded() -> None:
    """Metadata and event data are values, not texts; what another program broke is None."""
    assert FACT.to_dict()["metadata"] == {"tags": ["a", 1]}
    assert EVENT.to_dict()["event_data"] == {"ok": True, "steps": [1, 2.5, None]}
    assert attrs.evolve(EVENT, raw_event_data="{").to_dict()["event_data"] is None


def test_rows_and_paths_are_plain() -> None:
    """What holds other models holds their dictionaries; a path is its text."""
    page = memrepo.Page(items=(SESSION,), next_cursor=None)
    assert page.to_dict() == {"items": [SESSION.to_dict()], "next_cursor": None}
    assert INFO.to_dict()["path"] == "/tmp/agent.db"
