"""
The tools can fail: given plain sqlite3 with known weaknesses, each finds what it should.

A campaign that only ever passes proves nothing. Here the same recorder, disk and judge look at
databases that are known to lose, to tear or to rot, and at ones that are known not to.
"""

from __future__ import annotations

import asyncio
import errno
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import memrepo

from . import programs
from .disk import Directory, images
from .faults import Control, Fault, Kind
from .judge import Promises, judge, read_contents
from .powerloss import Tally, cut_power, is_complete, record
from .recorder import Op, Record
from .scale import Figures

pytestmark = pytest.mark.campaign

_UNITS = 120
_IMAGES = 200


def _tally(
    preload: dict[str, Path],
    folder: Path,
    *settings: str,
    directory: Directory = Directory.STRICT,
) -> Tally:
    journal, synchronous, *rest = settings
    recording = record(preload["recorder"], folder, "plain", journal, synchronous, _UNITS, *rest)
    assert is_complete(recording)
    return cut_power(recording, _IMAGES, seed=1, directory=directory)


@pytest.mark.parametrize("directory", list(Directory))
def test_recorder_finds_nothing_in_wal_full(
    preload: dict[str, Path], tmp_path: Path, figures: Figures, directory: Directory
) -> None:
    tally = _tally(preload, tmp_path, "wal", "full", directory=directory)
    figures(f"control, plain WAL FULL {directory.value}", images=tally.images, lost=tally.lost)
    assert (tally.lost, tally.torn, tally.disordered, tally.corrupt) == (0, 0, 0, 0), tally.examples


def test_recorder_finds_loss_in_wal_normal(
    preload: dict[str, Path], tmp_path: Path, figures: Figures
) -> None:
    tally = _tally(preload, tmp_path, "wal", "normal")
    figures("control, plain WAL NORMAL", images=tally.images, lost=tally.lost, worst=tally.worst)
    assert tally.lost > 0
    assert (tally.torn, tally.disordered, tally.corrupt) == (0, 0, 0), tally.examples


def test_recorder_finds_loss_and_corruption_without_syncs(
    preload: dict[str, Path], tmp_path: Path, figures: Figures
) -> None:
    tally = _tally(preload, tmp_path, "wal", "off")
    figures("control, plain OFF", images=tally.images, lost=tally.lost, corrupt=tally.corrupt)
    assert tally.lost > 0
    assert tally.corrupt > 0


def test_recorder_finds_the_unsynced_folder(
    preload: dict[str, Path], tmp_path: Path, figures: Figures
) -> None:
    """A rollback journal is deleted without a sync of its folder unless synchronous is EXTRA."""
    full = _tally(preload, tmp_path / "full", "delete", "full")
    extra = _tally(preload, tmp_path / "extra", "delete", "extra")
    figures("control, plain rollback journal", lost_full=full.lost, lost_extra=extra.lost)
    assert full.lost > 0
    assert full.worst == 1
    assert (extra.lost, extra.torn, extra.corrupt) == (0, 0, 0), extra.examples


def test_recorder_finds_torn_units(
    preload: dict[str, Path], tmp_path: Path, figures: Figures
) -> None:
    tally = _tally(preload, tmp_path, "wal", "full", "naive")
    figures("control, no transactions", images=tally.images, torn=tally.torn)
    assert tally.torn > 0


def _entry(sequence: int, op: Op, data: bytes = b"", offset: int = 0) -> Record:
    return Record(sequence, op, 1, offset, data)


def test_disk_may_lose_for_good_what_a_failed_sync_had_to_save() -> None:
    """A later sync saves what was written after the failed one, and nothing else."""
    log = [
        _entry(0, Op.CREATE, b"f"),
        _entry(1, Op.DIRSYNC),
        _entry(2, Op.WRITE, b"old"),
        _entry(3, Op.SYNC_FAILED),
        _entry(4, Op.WRITE, b"new", offset=3),
        _entry(5, Op.SYNC),
    ]
    found = {image["f"] for cut, image in images(log, 500, seed=1) if cut == len(log)}
    assert found == {b"oldnew", b"\0\0\0new"}


def _database(folder: Path, *rows: tuple[str, int, int]) -> Path:
    """A database with one event for each (unit, part, parts)."""
    path = folder / "memory.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE daily_logs (id INTEGER PRIMARY KEY, event_data TEXT)")
        for unit, part, parts in rows:
            event = json.dumps({"unit": unit, "part": part, "parts": parts})
            connection.execute("INSERT INTO daily_logs (event_data) VALUES (?)", [event])
    return path


def test_judge_names_each_kind_of_damage(tmp_path: Path) -> None:
    path = _database(tmp_path, ("a", 0, 1), ("c", 0, 1), ("half", 1, 2), ("dead", 0, 1))
    said = ["start a", "ack a", "start b", "ack b", "start c", "start half", "refused dead"]
    verdict = judge(path, Promises.read(said))
    assert verdict.lost == {"b"}
    assert verdict.torn == {"half"}
    assert verdict.undead == {"dead"}
    assert verdict.disordered == {"c", "half"}
    assert not verdict.corrupt


def test_judge_wants_a_prefix_of_the_commits(tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    final = read_contents(_database(tmp_path, ("a", 0, 1), ("b", 0, 1), ("c", 0, 1)))
    cut = _database(tmp_path / "cut", ("a", 0, 1), ("c", 0, 1))
    assert judge(cut, Promises(), final).disordered == {"c"}


def test_judge_names_drift_of_the_index(tmp_path: Path) -> None:
    """Once the index has taken in what the writer wrote, what then differs from the tables is named."""
    path = tmp_path / "memory.db"
    ended = programs.run("writer", path, "normal", "u", 40, 1, 2, timeout_s=300)
    assert ended.code == 0, ended.err
    asyncio.run(_catch_up(path))
    with closing(sqlite3.connect(path)) as connection, connection:
        taken = dict(
            connection.execute("SELECT number, taken_to FROM _cf_memrepo_taken").fetchall()
        )
        assert taken[2] >= 1
        assert taken[3] > 10
        # Noted, and not taken in.
        connection.execute("UPDATE sessions SET summary = 'x' WHERE id = 1")
    assert not judge(path, Promises()).corrupt
    for harm in (
        "DELETE FROM _cf_memrepo_fts_daily_logs WHERE rowid = 1",
        "UPDATE _cf_memrepo_fts_daily_logs SET text = 'x' WHERE rowid = 1",
        "INSERT INTO _cf_memrepo_fts_sessions (rowid, text) VALUES (9, 'x')",
        "DELETE FROM _cf_memrepo_notes",
    ):
        harmed = tmp_path / "harmed.db"
        shutil.copyfile(path, harmed)
        with closing(sqlite3.connect(harmed)) as connection, connection:
            connection.execute(harm)
        assert "drift" in judge(harmed, Promises()).corrupt, harm


async def _catch_up(path: Path) -> None:
    async with memrepo.connect(path) as store:
        assert await store.catch_up() == 0


def test_judge_names_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    path.write_bytes(b"not a database" * 100)
    assert "not a database" in judge(path, Promises()).corrupt


def _faulty(
    preload: dict[str, Path], folder: Path, fault: Fault | None
) -> tuple[programs.Ended, Control]:
    work = folder / "work"
    work.mkdir(parents=True)
    control = Control(folder / "control")
    if fault is not None:
        control.arm(fault)
    env = control.environment(preload["faults"], work)
    database = work / "memory.db"
    return programs.run("plain", database, "wal", "full", 20, env=env, timeout_s=300), control


def test_injector_counts_without_a_fault(preload: dict[str, Path], tmp_path: Path) -> None:
    ended, control = _faulty(preload, tmp_path, None)
    assert ended.code == 0, ended.err
    assert control.fired() == 0
    counts = control.counts()
    assert all(counts[kind] > 0 for kind in counts), counts


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.ANY])
def test_injector_breaks_the_first_of_each_kind_for_good(
    preload: dict[str, Path], tmp_path: Path, kind: Kind
) -> None:
    ended, control = _faulty(preload, tmp_path, Fault(kind, 1, errno.EIO, forever=True))
    assert ended.code == 1, f"{kind.name} for good went unnoticed"
    assert "sqlite3.OperationalError" in ended.err
    assert control.fired_on().startswith(kind.name.lower())


def test_injector_names_a_full_disk(preload: dict[str, Path], tmp_path: Path) -> None:
    ended, control = _faulty(preload, tmp_path, Fault(Kind.WRITE, 70, errno.ENOSPC, forever=False))
    assert "database or disk is full" in ended.err
    assert control.fired() == 1
    promises = Promises.read((tmp_path / "work" / "marker").read_text().splitlines())
    verdict = judge(tmp_path / "work" / "memory.db", promises)
    assert promises.acknowledged
    assert verdict.broken() == ""
