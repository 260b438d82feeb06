"""Opening a file: who may read a new one, and what an error says when it cannot be opened."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from textwrap import indent

import pytest

import memrepo
from tests.sqlite.files import umask
from tests.sqlite.test_processes import foreign_lock

pytestmark = pytest.mark.asyncio


def rights(folder: Path) -> dict[str, str]:
    """The rights of each file in a folder, in octal."""
    return {path.name: f"{stat.S_IMODE(path.stat().st_mode):o}" for path in folder.iterdir()}


# --- rights ------------------------------------------------------------------------------------


async def test_new_files_are_private(tmp_path: Path) -> None:
    """A new database and SQLite's files beside it are for their owner only, whatever the umask says."""
    with umask(0o000):
        async with memrepo.connect(tmp_path / "agent.db") as store:
            await store.memories.remember("Therapy on Thursdays")
            found = rights(tmp_path)
    assert found == dict.fromkeys(("agent.db", "agent.db-wal", "agent.db-shm"), "600")


async def test_umask_decides_where_a_program_says_so(tmp_path: Path) -> None:
    """With ``private=False`` the umask decides, as for any other file that the program makes."""
    with umask(0o007):
        async with memrepo.connect(tmp_path / "agent.db", private=False) as store:
            await store.memories.remember("Therapy on Thursdays")
            assert set(rights(tmp_path).values()) == {"640"}


@pytest.mark.parametrize("is_empty", [False, True])
async def test_rights_of_an_existing_file_stay(tmp_path: Path, *, is_empty: bool) -> None:
    """What an operator has set, on a database or on an empty file made for one, is left alone."""
    path = tmp_path / "agent.db"
    if is_empty:
        path.touch()
    else:
        async with memrepo.connect(path):
            pass
    path.chmod(0o664)
    with umask(0o000):
        async with memrepo.connect(path) as store:
            await store.memories.remember("Therapy on Thursdays")
            assert set(rights(tmp_path).values()) == {"664"}


async def test_file_behind_a_link_is_private(tmp_path: Path) -> None:
    """A link to a file that is not there yet makes the file that it names, with the same rights."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "link.db").symlink_to(folder / "agent.db")
    with umask(0o000):
        async with memrepo.connect(tmp_path / "link.db"):
            assert set(rights(folder).values()) == {"600"}


@pytest.mark.parametrize(("private", "mode"), [(True, "600"), (False, "644")])
async def test_tenants_file_is_private(tmp_path: Path, mode: str, *, private: bool) -> None:
    """A pool makes a tenant's file with the same rights, by `create` and by `open`."""
    with umask(0o022):
        async with memrepo.StorePool(tmp_path / "{tenant}.db", private=private) as pool:
            await pool.create("acme")
            async with pool.open("globex"):
                pass
    assert rights(tmp_path) == {"acme.db": mode, "globex.db": mode}


# --- what an error says ------------------------------------------------------------------------


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("missing/agent.db", "there is no folder {folder}/missing"),
        ("~/agent.db", "~ is not expanded: use Path(...).expanduser()"),
        ("file.txt/agent.db", "Not a directory"),
        ("folder", "it is a folder"),
        ("loop", "Too many levels of symbolic links"),
        ("pipe", "it is a pipe, a socket or a device"),
        ("file:{folder}/pipe?mode=ro", "it is a pipe, a socket or a device"),
        ("n" * 300, "File name too long"),
        ("file:{folder}/missing.db?mode=rw", "there is no such file, and mode=rw makes none"),
        ("file:{folder}/missing.db?mode=ro", "there is no such file, and mode=ro makes none"),
        ("file:{folder}/folder?mode=ro", "it is a folder"),
        ("file:{folder}/missing/agent.db?mode=ro", "there is no folder {folder}/missing"),
        ("file.txt", "the file is not a database"),
    ],
)
async def test_error_names_file_and_reason(
    tmp_path: Path, place: str, reason: str, *, private: bool
) -> None:
    """A file that cannot be opened is a DatabaseError with its path and the reason; nothing is made."""
    (tmp_path / "file.txt").write_text("not a database, but long enough to be looked at\n" * 100)
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    url = place.format(folder=tmp_path) if place.startswith("file:") else tmp_path / place
    with pytest.raises(memrepo.DatabaseError) as caught:
        await memrepo.connect(url, private=private)
    message = str(caught.value)
    assert message.startswith(str(tmp_path))
    assert reason.format(folder=tmp_path) in message
    assert caught.value.__cause__ is not None
    assert sorted(tmp_path.iterdir()) == before


async def test_lock_at_opening_names_the_file(tmp_path: Path) -> None:
    """A file that another program keeps locked is named, too, and the error keeps its class."""
    path = tmp_path / "agent.db"
    with foreign_lock(path), pytest.raises(memrepo.BusyError) as caught:
        await memrepo.connect(path, lock_timeout_s=0.3)
    assert str(caught.value).startswith(f"{path}: ")


async def test_schema_at_opening_names_the_file(tmp_path: Path) -> None:
    """A file with a schema that cannot be used is named, too: a pool opens many."""
    path = tmp_path / "agent.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE sessions (id INTEGER PRIMARY KEY, user TEXT)")
    with pytest.raises(memrepo.MigrationError) as caught:
        await memrepo.connect(path)
    assert str(caught.value).startswith(f"{path}: the database has tables of another program: ")


#: Runs the body as a user who is not root, after everything was imported that has to be.
_AS_ANOTHER = """
import asyncio, os, sys
import memrepo

async def main():
    async with memrepo.connect(":memory:"):
        pass
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    folder = sys.argv[1]
    try:
{body}
    except memrepo.DatabaseError as error:
        print(type(error).__name__, str(error))

asyncio.run(main())
"""


def said_to_another(body: str, folder: Path) -> str:
    """What a program without a right is told."""
    program = _AS_ANOTHER.format(body=indent(body, " " * 8))
    command = [sys.executable, "-W", "ignore", "-c", program, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others may enter; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory(prefix="memrepo-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


async def test_missing_right_is_named(open_folder: Path) -> None:
    """No permission to read, to write or to make a file: each error says which, and names the file."""
    path = open_folder / "agent.db"
    async with memrepo.connect(path):
        pass
    open_folder.chmod(0o555)
    told = said_to_another("await memrepo.connect(folder + '/agent.db')", open_folder)
    assert told.startswith(f"DatabaseError {path}: ")
    assert "there is no permission to read it" in told
    path.chmod(0o444)
    told = said_to_another("await memrepo.connect(folder + '/agent.db')", open_folder)
    assert str(path) in told
    assert "there is no permission to write" in told
    told = said_to_another("await memrepo.connect(folder + '/new.db')", open_folder)
    new = open_folder / "new.db"
    assert told == f"ReadOnlyError {new} cannot be opened: Permission denied (EACCES)\n"


async def test_read_only_file_is_refused_at_once(open_folder: Path) -> None:
    """A file in WAL mode that may only be read is refused when it is opened, not at the first write."""
    path = open_folder / "agent.db"
    async with memrepo.connect(path):
        pass
    path.chmod(0o444)
    open_folder.chmod(0o777)  # so that SQLite could make its files beside it
    told = said_to_another("await memrepo.connect(folder + '/agent.db')", open_folder)
    assert told.startswith(
        f"ReadOnlyError {path}: the database cannot be written (SQLITE_READONLY)"
    )
    assert "to read only, open it with file:...?mode=ro" in told
    body = (
        "async with memrepo.connect(f'file:{folder}/agent.db?mode=ro') as store:\n"
        "    print(await store.memories.count())"
    )
    assert said_to_another(body, open_folder) == "0\n"


async def test_reading_in_a_folder_that_is_not_writable(open_folder: Path) -> None:
    """``mode=ro`` needs a writable folder for a file in WAL mode: the error says what to do, and it helps."""
    async with memrepo.connect(open_folder / "agent.db") as store:
        await store.memories.remember("Therapy on Thursdays")
        await store.backup(open_folder / "copy.db")
    for path in open_folder.iterdir():
        path.chmod(0o444)
    open_folder.chmod(0o555)
    body = (
        "for name in ('copy', 'agent'):\n"
        "    async with memrepo.connect(f'file:{folder}/{name}.db?mode=ro') as store:\n"
        "        print(await store.memories.count())"
    )
    n_in_copy, told = said_to_another(body, open_folder).splitlines()
    assert n_in_copy == "1"
    assert told.startswith(f"ReadOnlyError {open_folder}/agent.db: ")
    assert "make that folder writable, or open a copy that store.backup made" in told
