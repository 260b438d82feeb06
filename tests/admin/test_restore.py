"""`restore_backup`: the old database or the new one, whatever happens, and never a mixture."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import pytest

import memrepo
from memrepo.connection.sqlite import exclusive, setup
from tests.patience import PATIENCE_S
from tests.sqlite.files import add_vector_index, umask
from tests.sqlite.test_opening import said_to_another

pytestmark = pytest.mark.asyncio


async def make(path: Path, *texts: str) -> None:
    """Make a database with these facts."""
    async with memrepo.connect(path) as store:
        for text in texts:
            await store.memories.remember(text)


async def texts_in(path: Path) -> list[str]:
    """The facts of a database that is sound."""
    async with memrepo.connect(path) as store:
        assert await store.verify() == []
        return sorted([fact.content async for fact in store.memories.iterate()])


async def make_backup(folder: Path) -> Path:
    """Return a backup with the fact ``new``."""
    async with memrepo.connect(":memory:") as store:
        await store.memories.remember("new")
        await store.backup(folder / "backup.db")
    return folder / "backup.db"


def leave_log(path: Path, text: str) -> None:
    """Have a process remember *text* and be killed, so that it stays in the log beside the file."""
    program = (
        "import asyncio, os, signal, sys, memrepo\n"
        "async def main():\n"
        "    store = await memrepo.connect(sys.argv[1])\n"
        "    await store.memories.remember(sys.argv[2])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", program, str(path), text]
    done = subprocess.run(command, stderr=subprocess.DEVNULL, check=False)
    assert done.returncode == -9
    assert Path(f"{path}-wal").stat().st_size > 0


@contextmanager
def foreign_program(path: Path, *lines: str) -> Iterator[subprocess.Popen[str]]:
    """Have a program open the file with ``sqlite3``, run the first line, and each other when told so."""
    program = (
        "import sqlite3, sys\n"
        "raw = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "for line in sys.argv[2:]:\n"
        "    try:\n"
        "        print(raw.execute(line).fetchall(), flush=True)\n"
        "    except sqlite3.Error as error:\n"
        "        print(error.sqlite_errorname, flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path), *lines],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.communicate("\n" * len(lines), timeout=PATIENCE_S)


# --- what it does ------------------------------------------------------------------------------


async def test_backup_takes_the_place_of_the_file(tmp_path: Path) -> None:
    """The database is what it was when the backup was made, and can be used at once."""
    path, backup = tmp_path / "agent.db", tmp_path / "backup.db"
    async with memrepo.connect(path) as store:
        await store.memories.remember("kept")
        await store.backup(backup)
        await store.memories.remember("undone")
    before = backup.read_bytes()
    await memrepo.restore_backup(backup, path)
    assert sorted(its.name for its in tmp_path.iterdir()) == ["agent.db", "backup.db"]
    assert backup.read_bytes() == before
    async with memrepo.connect(path) as store:
        await store.memories.remember("since then")
    assert await texts_in(path) == ["kept", "since then"]


async def test_restore_to_a_new_file(tmp_path: Path) -> None:
    """Where no file is, one is made, for its owner only; both arguments can be a str or a path."""
    backup = await make_backup(tmp_path)
    with umask(0o000):
        await memrepo.restore_backup(str(backup), tmp_path / "agent.db")
    assert stat.S_IMODE((tmp_path / "agent.db").stat().st_mode) == 0o600
    assert await texts_in(tmp_path / "agent.db") == ["new"]


async def test_leftover_log_does_not_undo_it(tmp_path: Path) -> None:
    """A log that a killed program left has no part in it. With ``cp`` it has: that is the control."""
    path, backup = tmp_path / "agent.db", await make_backup(tmp_path)
    await make(path, "old")
    leave_log(path, "in the log")
    copied = tmp_path / "copied"
    copied.mkdir()
    shutil.copy(backup, copied / "agent.db")
    shutil.copy(f"{path}-wal", copied / "agent.db-wal")
    with closing(sqlite3.connect(copied / "agent.db")) as raw:
        try:
            rows = raw.execute("SELECT content FROM memory_entries").fetchall()
        except sqlite3.DatabaseError:
            rows = []
        assert rows != [("new",)]
    await memrepo.restore_backup(backup, path)
    assert await texts_in(path) == ["new"]


async def test_log_of_the_backup_is_restored_too(tmp_path: Path) -> None:
    """A copy of a file in WAL mode, taken with its log, is restored with what is in the log."""
    path, backup = tmp_path / "agent.db", tmp_path / "backup.db"
    await make(backup, "in the file")
    leave_log(backup, "in the log")
    await memrepo.restore_backup(backup, path)
    assert await texts_in(path) == ["in the file", "in the log"]


async def test_file_keeps_its_rights_and_its_link(tmp_path: Path) -> None:
    """The new file has the rights and the owner of the old; a link to it goes on leading to it."""
    folder, link = tmp_path / "folder", tmp_path / "link.db"
    folder.mkdir()
    path, backup = folder / "agent.db", await make_backup(tmp_path)
    await make(path, "old")
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12_345, 12_345)
    link.symlink_to(path)
    before = path.stat()
    await memrepo.restore_backup(backup, link)
    assert link.is_symlink()
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )
    assert await texts_in(path) == ["new"]


async def test_backup_with_a_vector_index_is_restored(tmp_path: Path) -> None:
    """A database that this SQLite can neither rebuild nor check in full is restored all the same."""
    path, backup = tmp_path / "agent.db", await make_backup(tmp_path)
    add_vector_index(backup)
    await memrepo.restore_backup(backup, path)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT content FROM memory_entries").fetchall() == [("new",)]
        assert raw.execute("SELECT count(*) FROM memory_embeddings").fetchone() == (1,)


# --- what it refuses ---------------------------------------------------------------------------


@pytest.mark.parametrize("durability", ["full", "normal"])
async def test_file_in_use_by_a_store(tmp_path: Path, durability: Any) -> None:
    """While a store of this process has it open, nothing is replaced, and the store goes on."""
    path, backup = tmp_path / "agent.db", await make_backup(tmp_path)
    async with memrepo.connect(path, durability=durability) as store:
        await store.memories.remember("old")
        with pytest.raises(memrepo.BusyError, match=f"{path} is in use"):
            await memrepo.restore_backup(backup, path)
        await store.memories.remember("afterwards")
    assert await texts_in(path) == ["afterwards", "old"]
    assert list(tmp_path.glob("*.partial*")) == []


async def test_file_in_use_by_another_program(tmp_path: Path) -> None:
    """A program that has only read, and holds no transaction, keeps the file in use, too."""
    path, backup = tmp_path / "agent.db", await make_backup(tmp_path)
    await make(path, "old")
    with foreign_program(path, "SELECT content FROM memory_entries"):
        with pytest.raises(memrepo.BusyError, match=f"{path} is in use"):
            await memrepo.restore_backup(backup, path)
        assert await texts_in(path) == ["old"]
    await memrepo.restore_backup(backup, path)
    assert await texts_in(path) == ["new"]


async def test_program_that_comes_between_two_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the file has left WAL mode, nobody begins a new log, which would go into the backup."""
    path, backup = tmp_path / "agent.db", await make_backup(tmp_path)
    await make(path, "old")
    set_pragmas = setup.set_pragmas

    def visit() -> None:
        with (
            closing(sqlite3.connect(path, timeout=0)) as visitor,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            visitor.execute("PRAGMA journal_mode = WAL")

    def set_and_visit(worker: Any, pragmas: Any) -> None:
        set_pragmas(worker, pragmas)
        assert "journal_mode" in pragmas
        visit()
        visits.append(path)

    visits: list[Path] = []
    monkeypatch.setattr(exclusive, "set_pragmas", set_and_visit)
    await memrepo.restore_backup(backup, path)
    assert visits
    assert await texts_in(path) == ["new"]


async def test_program_that_comes_too_late(tmp_path: Path) -> None:
    """One that had opened the old file, and not used it yet, cannot write to it beside the new one."""
    path, backup = tmp_path / "agent.db", await make_backup(tmp_path)
    await make(path, "old")
    with foreign_program(
        path, "PRAGMA mmap_size", "PRAGMA journal_mode=wal", "PRAGMA user_version=7"
    ) as late:
        await memrepo.restore_backup(backup, path)
        assert late.stdin is not None
        assert late.stdout is not None
        for _ in range(2):
            late.stdin.write("\n")
            late.stdin.flush()
            assert late.stdout.readline() == "SQLITE_READONLY_DBMOVED\n"
        assert sorted(its.name for its in tmp_path.iterdir()) == ["agent.db", "backup.db"]
        assert await texts_in(path) == ["new"]


@pytest.mark.parametrize(
    "arguments", [(5, "a.db"), ("a.db", None), ("", "a.db"), ("a.db", "b.db-wal")]
)
async def test_what_is_no_path(arguments: Any) -> None:
    """Both arguments are checked before anything is read."""
    with pytest.raises(memrepo.InvalidInputError):
        await memrepo.restore_backup(*arguments)


async def test_what_is_no_backup(tmp_path: Path) -> None:
    """No file, no database, a database of something else, or a newer one: refused; nothing is replaced."""
    path = tmp_path / "agent.db"
    await make(path, "old")
    newer = await make_backup(tmp_path)
    with closing(sqlite3.connect(newer)) as raw, raw:
        raw.execute("INSERT INTO memrepo_migrations VALUES (9999, 'later', 'x', 'y')")
    (tmp_path / "text.db").write_bytes(b"not a database, but long enough to be looked at\n" * 100)
    with closing(sqlite3.connect(tmp_path / "other.db")) as raw:
        raw.execute("CREATE TABLE bookmarks (url TEXT)")
    for name, error in {
        "missing.db": memrepo.NotFoundError,
        "text.db": memrepo.CorruptDatabaseError,
        "other.db": memrepo.InvalidInputError,
        "backup.db": memrepo.MigrationError,
        "agent.db": memrepo.InvalidInputError,
    }.items():
        with pytest.raises(error):
            await memrepo.restore_backup(tmp_path / name, path)
        assert list(tmp_path.glob("*.partial*")) == []
        assert await texts_in(path) == ["old"]


async def test_backup_that_something_has_emptied(tmp_path: Path) -> None:
    """SQLite would delete its log, which has the rows: it is refused, and stays as it is."""
    backup = tmp_path / "backup.db"
    async with memrepo.connect(tmp_path / "agent.db") as store:
        await store.memories.remember("Tea")
        shutil.copy(tmp_path / "agent.db-wal", f"{backup}-wal")
    backup.touch()
    before = Path(f"{backup}-wal").read_bytes()
    with pytest.raises(memrepo.CorruptDatabaseError, match=r"backup\.db is empty, but"):
        await memrepo.restore_backup(backup, tmp_path / "restored.db")
    assert (backup.read_bytes(), Path(f"{backup}-wal").read_bytes()) == (b"", before)
    assert not (tmp_path / "restored.db").exists()


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
async def test_what_is_no_file_is_not_replaced(tmp_path: Path, kind: int) -> None:
    """A pipe, a device or a folder: neither a backup nor a database, and it is not even opened."""
    path, backup = tmp_path / "agent.db", await make_backup(tmp_path)
    if kind == stat.S_IFDIR:
        path.mkdir()
    else:
        try:
            os.mknod(path, 0o600 | kind, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("only root makes devices")
    for arguments in ((backup, path), (path, tmp_path / "restored.db")):
        with pytest.raises(memrepo.DatabaseError, match=r"it is a (pipe|folder)"):
            await memrepo.restore_backup(*arguments)
    assert stat.S_IFMT(path.stat().st_mode) == kind
    assert sorted(its.name for its in tmp_path.iterdir()) == ["agent.db", "backup.db"]


async def test_damaged_backup(tmp_path: Path) -> None:
    """A backup with a garbage page is refused by its name, although it opens."""
    path, backup = tmp_path / "agent.db", tmp_path / "backup.db"
    await make(path, "old")
    async with memrepo.connect(":memory:") as store:
        facts = [memrepo.MemoryNew(content=f"fact {n} " + "x" * 500) for n in range(200)]
        await store.memories.remember_many(facts)
        await store.backup(backup)
    with backup.open("r+b") as file:
        file.seek(-3 * 4096, os.SEEK_END)
        file.write(os.urandom(4096))
    with pytest.raises(memrepo.CorruptDatabaseError, match=f"{backup}"):
        await memrepo.restore_backup(backup, path)
    assert await texts_in(path) == ["old"]


async def test_damaged_file_is_moved_away_first(tmp_path: Path) -> None:
    """Of a file that is no database nobody can tell whether it is in use: the error says what to do."""
    path, backup = tmp_path / "agent.db", await make_backup(tmp_path)
    path.write_bytes(b"garbage " * 1_000)
    with pytest.raises(memrepo.CorruptDatabaseError, match="move it and its -wal"):
        await memrepo.restore_backup(backup, path)
    assert path.read_bytes() == b"garbage " * 1_000
    path.rename(tmp_path / "damaged.db")
    await memrepo.restore_backup(backup, path)
    assert await texts_in(path) == ["new"]


async def test_folder_is_no_backup(tmp_path: Path) -> None:
    """A folder in the place of a backup is called one."""
    with pytest.raises(memrepo.DatabaseError, match=f"^{tmp_path} .*: it is a folder"):
        await memrepo.restore_backup(tmp_path, tmp_path / "agent.db")


async def test_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    """A file that may not be written stays, even where its folder may be; the error says why."""
    with tempfile.TemporaryDirectory(prefix="memrepo-") as name:
        folder = Path(name)  # pytest's own are closed to others
        path, backup = folder / "agent.db", folder / "backup.db"
        await make(path, "old")
        await make(backup, "new")
        path.chmod(0o444)
        backup.chmod(0o444)
        folder.chmod(0o777)
        told = said_to_another(
            "await memrepo.restore_backup(folder + '/backup.db', folder + '/agent.db')", folder
        )
        assert told == (
            f"ReadOnlyError {path} cannot be replaced: there is no permission to write it\n"
        )
        assert await texts_in(path) == ["old"]
        assert list(folder.glob("*.partial*")) == []


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
async def test_log_without_its_file(tmp_path: Path, suffix: str) -> None:
    """A log whose database was moved away would be applied to the new one: that is refused."""
    path, backup = tmp_path / "agent.db", await make_backup(tmp_path)
    Path(f"{path}{suffix}").write_text("precious")
    with pytest.raises(memrepo.InvalidInputError, match=f"has a {suffix} file"):
        await memrepo.restore_backup(backup, path)
    assert not path.exists()


async def test_missing_folder(tmp_path: Path) -> None:
    """It is not made; the error names it."""
    backup = await make_backup(tmp_path)
    with pytest.raises(memrepo.DatabaseError, match=f"there is no folder {tmp_path}/none"):
        await memrepo.restore_backup(backup, tmp_path / "none" / "agent.db")


@pytest.mark.slow
async def test_cancelled_restore(tmp_path: Path) -> None:
    """Cancelled at any of its steps, it has happened or not, and leaves nothing beside the file."""
    path, backup = tmp_path / "agent.db", await make_backup(tmp_path)
    seen = set[str]()
    # Then later and later: a busy machine takes longer.
    for n in chain(range(0, 60, 2), (2**power for power in range(6, 16))):
        if n >= 60 and "new" in seen:
            break
        path.unlink(missing_ok=True)
        await make(path, "old")
        task = asyncio.create_task(memrepo.restore_backup(backup, path))
        for _ in range(n):
            await asyncio.sleep(0.0005)
        task.cancel()
        await asyncio.wait({task})
        assert list(tmp_path.glob("*.partial*")) == []
        (text,) = await texts_in(path)
        seen.add(text)
    assert seen == {"old", "new"}


# --- power loss --------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("call", ["backup", "restore over a file", "restore to a new file"])
async def test_content_and_name_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """The copy is on the disk before it has its name, and the name before the call returns."""
    path, target = tmp_path / "agent.db", tmp_path / "target.db"
    await make(path, "fact")
    if call == "restore over a file":
        await make(target, "old")
    done: list[str] = []
    sync, link, replace = os.fsync, os.link, os.replace

    def note(real: Any, step: str, *arguments: Any) -> None:
        if real is sync:
            name = Path(f"/proc/self/fd/{arguments[0]}").readlink()
            step = f"sync the {'folder' if name == tmp_path else 'copy'}"
        real(*arguments)
        done.append(step)

    monkeypatch.setattr(os, "fsync", partial(note, sync, ""))
    monkeypatch.setattr(os, "link", partial(note, link, "name"))
    monkeypatch.setattr(os, "replace", partial(note, replace, "name"))
    if call == "backup":
        async with memrepo.connect(path) as store:
            await store.backup(target)
    else:
        await memrepo.restore_backup(path, target)
    assert done == ["sync the copy", "name", "sync the folder"]


# --- kills -------------------------------------------------------------------------------------

#: Restores again and again from the same beginning, in a process of its own that kills itself before the
#: n-th line that it runs of the modules that do it; then looks at the file, and restores for good.
_KILLER = """
import asyncio, json, os, shutil, signal, sqlite3, sys, threading
from pathlib import Path
import memrepo

folder = Path(sys.argv[1])
source = Path(memrepo.__file__).parent
watched = {str(source / name) for name in (
    "admin/restore.py", "admin/backup.py", "admin/files.py", "connection/sqlite/exclusive.py",
    "connection/sqlite/copying.py",
)}
n_lines = 0

def restore(last_line):
    def look(frame, event, argument):
        global n_lines
        if frame.f_code.co_filename not in watched:
            return None
        if event == "line":
            n_lines += 1
            if n_lines == last_line:
                os.kill(os.getpid(), signal.SIGKILL)
        return look

    child = os.fork()
    if child == 0:
        threading.settrace(look)
        sys.settrace(look)
        asyncio.run(memrepo.restore_backup(folder / "backup.db", folder / "agent.db"))
        os._exit(0)
    return os.waitpid(child, 0)[1]

def texts():
    if not (folder / "agent.db").exists():
        return ""
    raw = sqlite3.connect(folder / "agent.db")
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rows = raw.execute("SELECT content FROM memory_entries ORDER BY id").fetchall()
    raw.close()
    return " ".join(text for text, in rows)

found = []
n, each = 0, int(sys.argv[2])
while True:
    n += each
    for path in folder.glob("agent.db*"):
        path.unlink()
    for path in (folder / "before").iterdir():
        shutil.copy(path, folder)
    status = restore(n)
    if status == 0:
        break
    assert status == signal.SIGKILL, status
    found.append(texts())
    assert restore(0) == 0
    assert texts() == "new"
print(json.dumps(found))
"""


@pytest.mark.parametrize("is_there", [True, False], ids=["over a file", "to a new file"])
@pytest.mark.slow
async def test_killed_at_each_step(tmp_path: Path, *, is_there: bool) -> None:
    """
    Killed before each line that it runs, it leaves the old database or the new, whole.

    Before each third line, unless ``MEMREPO_CONTRACT=full``. The old one has a log with a fact that is only
    there. Made again, the same call succeeds.
    """
    before = tmp_path / "before"
    before.mkdir()
    await make_backup(tmp_path)
    old = ""
    if is_there:
        await make(before / "agent.db", "old")
        leave_log(before / "agent.db", "log")
        old = "old log"
    each = 1 if os.environ.get("MEMREPO_CONTRACT") == "full" else 3
    command = [sys.executable, "-W", "ignore", "-c", _KILLER, str(tmp_path), str(each)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    found = [(text, len(list(steps))) for text, steps in groupby(json.loads(done.stdout))]
    assert [text for text, _ in found] == [old, "new"]
    assert found[0][1] > 40 / each
