"""The file system under a database: told, and warned of where WAL mode is not safe (failures.md, ST-16)."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

import memrepo
from memrepo.connection.sqlite import health
from memrepo.connection.sqlite.health import is_shared, is_volatile, parse_mounts

#: As the kernel writes it, with and without optional fields, and with white space in a name.
MOUNTS = r"""
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
23 22 0:21 / /proc rw,nosuid shared:2 master:1 - proc proc rw
24 22 0:22 / /dev/shm rw,nosuid - tmpfs tmpfs rw
25 22 0:44 / /mnt/data rw - nfs4 server:/export - with\040dash rw,vers=4.2
26 25 0:45 / /mnt/data/local rw - xfs /dev/vdb rw
27 22 0:46 / /mnt/my\040disk\134a rw - fuse.sshfs me@host: rw
28 22 0:47 / /mnt/twice rw - cifs //host/share rw
29 28 0:48 / /mnt/twice rw - btrfs /dev/vdc rw
30 22 0:49 /sub /mnt/bound rw - virtiofs share rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/agent.db", "ext4"),
        ("/home/me/agent.db", "ext4"),
        ("/dev/shm/agent.db", "tmpfs"),
        ("/dev/shm", "tmpfs"),
        ("/mnt/data/agent.db", "nfs4"),
        ("/mnt/data/local/agent.db", "xfs"),
        ("/mnt/database/agent.db", "ext4"),
        ("/mnt/my disk\\a/agent.db", "fuse.sshfs"),
        ("/mnt/twice/agent.db", "btrfs"),
        ("/mnt/bound/deep/er/agent.db", "virtiofs"),
        ("relative.db", None),
    ],
)
def test_file_system_is_that_of_the_deepest_mount(path: str, kind: str | None) -> None:
    """The longest mount point that the path is below decides, and the later of two in one place."""
    assert parse_mounts(MOUNTS, PurePosixPath(path)) == kind


@pytest.mark.parametrize(
    "text", ["", "\n", "not a table of mounts\n", "a / - b", "1 2 3 / / rw - "]
)
def test_other_text_tells_nothing(text: str) -> None:
    """What is not a table of mounts is no reason to fail."""
    assert parse_mounts(text, PurePosixPath("/agent.db")) is None


def test_kinds() -> None:
    """Network, shared and FUSE file systems are told from local ones, and those in memory from both."""
    shared = "nfs nfs4 cifs smb3 smbfs 9p virtiofs fuse fuse.sshfs afs ceph glusterfs lustre"
    local = "ext4 xfs btrfs zfs overlay fuseblk apfs f2fs tmpfs ramfs"
    assert [kind for kind in shared.split() if not is_shared(kind)] == []
    assert [kind for kind in [*local.split(), None] if is_shared(kind)] == []
    assert [kind for kind in [*local.split(), None] if is_volatile(kind)] == ["tmpfs", "ramfs"]


def mount(monkeypatch: pytest.MonkeyPatch, folder: Path, kind: str) -> None:
    """Have the operating system say that *folder* is of another file system."""
    table = folder / "mountinfo"
    table.write_text(f"{MOUNTS}31 22 0:50 / {folder} rw - {kind} somewhere rw\n", encoding="utf-8")
    monkeypatch.setattr(health, "_MOUNTS", table)


def warnings(caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """Yield what was said of a file system."""
    for logger, level, message in caplog.record_tuples:
        if logger == "memrepo.connection.sqlite.health" and "file system" in message:
            assert level == logging.WARNING
            yield message


@pytest.mark.asyncio
async def test_network_file_system_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file on NFS opens, with one warning that names it, and `info` tells the type."""
    mount(monkeypatch, tmp_path, "nfs4")
    async with memrepo.connect(tmp_path / "agent.db") as store:
        assert (await store.info()).file_system == "nfs4"
    (message,) = warnings(caplog)
    assert str(tmp_path / "agent.db") in message
    assert "nfs4" in message
    assert "https://sqlite.org/wal.html" in message


@pytest.mark.asyncio
async def test_link_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What counts is where the file is, not where a link to it is."""
    (tmp_path / "share").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "share")
    mount(monkeypatch, tmp_path / "share", "fuse.sshfs")
    async with memrepo.connect(tmp_path / "link" / "agent.db") as store:
        assert (await store.info()).file_system == "fuse.sshfs"
    assert len(list(warnings(caplog))) == 1


@pytest.mark.asyncio
async def test_file_that_is_only_read_is_told_but_not_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that writes nothing can corrupt nothing."""
    async with memrepo.connect(tmp_path / "agent.db"):
        pass
    caplog.clear()
    mount(monkeypatch, tmp_path, "cifs")
    async with memrepo.connect(f"file:{tmp_path}/agent.db?mode=ro") as store:
        assert (await store.info()).file_system == "cifs"
    assert list(warnings(caplog)) == []


@pytest.mark.asyncio
async def test_local_file_system_is_not_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The usual case says nothing."""
    mount(monkeypatch, tmp_path, "ext4")
    async with memrepo.connect(tmp_path / "agent.db") as store:
        assert (await store.info()).file_system == "ext4"
    assert list(warnings(caplog)) == []


@pytest.mark.asyncio
async def test_unknown_file_system_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where there is no table of mounts, as on other systems, nothing is told and nothing fails."""
    monkeypatch.setattr(health, "_MOUNTS", tmp_path / "missing")
    async with memrepo.connect(tmp_path / "agent.db") as store:
        assert (await store.info()).file_system is None
    async with memrepo.connect(":memory:") as store:
        assert (await store.info()).file_system is None
    assert list(warnings(caplog)) == []


@pytest.mark.asyncio
@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="no tmpfs at /dev/shm")
async def test_file_in_memory_does_not_survive_a_power_loss(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """On a real tmpfs, a store that is to be durable says that it is not; one that is not, nothing."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        async with memrepo.connect(f"{folder}/normal.db", durability="normal") as store:
            assert (await store.info()).file_system == "tmpfs"
        assert list(warnings(caplog)) == []
        async with memrepo.connect(f"{folder}/full.db", durability="full"):
            pass
    (message,) = warnings(caplog)
    assert f"{folder}/full.db" in message
    assert "power loss" in message
