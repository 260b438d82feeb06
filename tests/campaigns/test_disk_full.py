"""
A full disk: a small tmpfs, and (where mounting is not allowed) a limit on the size of files.

Proven: the error is typed and tells the disk from a bug, reads go on, nothing acknowledged is lost
or torn, a refused unit is not there, and once there is room the same store writes again.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import programs
from .judge import Promises, judge
from .scale import Figures

pytestmark = pytest.mark.campaign

_MIB = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except OSError as error:
        pytest.skip(f"no small disk: {error}")
    if mounted.returncode != 0:
        pytest.skip(f"no small disk: mounting is not allowed here ({mounted.stderr.strip()})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], timeout=30, check=True)


def _check(said: dict[str, Any], database: Path, marker: Path) -> None:
    assert said["acknowledged"] > 0
    assert said["read"] == 10
    assert said["with_room"] == "written", said
    promises = Promises.read(marker.read_text().splitlines())
    assert len(promises.acknowledged) == said["acknowledged"] + 1
    assert judge(database, promises).broken() == ""


def test_full_disk_is_survived(small_disk: Path, tmp_path: Path, figures: Figures) -> None:
    database = small_disk / "memory.db"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(_MIB))
    marker = tmp_path / "marker"
    ended = programs.run("filler", database, marker, "disk", ballast, timeout_s=300)
    assert ended.code == 0, ended.err
    said = json.loads(ended.out)
    figures("disk full, tmpfs", **said)
    assert said["error"] == "StorageFullError"
    assert set(said["then"]) == {"StorageFullError"}
    _check(said, database, marker)


def test_file_size_limit_is_survived(tmp_path: Path, figures: Figures) -> None:
    database = tmp_path / "memory.db"
    marker = tmp_path / "marker"
    ended = programs.run("filler", database, marker, "limit", 600 * 1024, timeout_s=300)
    assert ended.code == 0, ended.err
    said = json.loads(ended.out)
    figures("file size limit", **said)
    # SQLite calls EFBIG an I/O error: the class tells that the database could not do it.
    assert {said["error"], *said["then"]} <= {"StorageFullError", "DatabaseError"}
    _check(said, database, marker)
