"""Standard streams that are closed, full, or in another encoding, and names that would paint a terminal."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Command, on_store

pytestmark = pytest.mark.skipif(os.name != "posix", reason="closes streams by a shell")


@pytest.fixture
def filled(path: Path) -> Path:
    """A file with a fact that is not ASCII."""
    on_store(path, lambda store: store.memories.remember("Likes tea \u4e8b"))
    return path


def _run(command: str, **env: str) -> tuple[int, str, str]:
    """Run a command line of a shell, in which ``memrepo`` is this one."""
    done = subprocess.run(
        ["sh", "-c", command.replace("memrepo", f"{sys.executable} -m memrepo")],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("memrepo import <&-", 1, "memrepo: line 1: is not a JSON object\n"),
        ("memrepo remember <&-", 0, ""),
        ("memrepo search - <&-", 0, "nothing found\n"),
        ("memrepo erase --scope '' <&-", 2, "without a terminal, say --yes\n"),
        ("memrepo forget tea <&-", 2, "memrepo: nothing was forgotten: say the id\n"),
        ("memrepo search tea >&-", 1, "memrepo: cannot read or write: Bad file descriptor\n"),
        ("memrepo export >&-", 1, "memrepo: cannot read or write: Bad file descriptor\n"),
        (
            "memrepo copy agent.db c.db >&-",
            1,
            "memrepo: cannot read or write: Bad file descriptor\n",
        ),
        ("memrepo search tea 2>&-", 0, ""),
        ("memrepo copy agent.db c.db 2>&-", 0, ""),
        ("memrepo search tea <&- >&- 2>&-", 1, ""),
        ("memrepo nothing <&- 2>&-", 2, ""),
    ],
)
@pytest.mark.slow
def test_closed(filled: Path, command: str, status: int, said: str) -> None:
    """A closed stdin is empty, a closed stdout cannot be written, and a closed stderr is not missed."""
    its_status, _, err = _run(command)
    assert its_status == status
    assert said in err
    assert on_store(filled, lambda store: store.memories.count()) == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_encoding_of_stdout(filled: Path, encoding: str) -> None:
    """What the encoding of stdout lacks is escaped."""
    for command in ("memrepo search tea", "memrepo recall tea"):
        status, out, err = _run(command, PYTHONIOENCODING=encoding)
        assert (status, err) == (0, "")
        assert "Likes tea \\u4e8b" in out


@pytest.mark.slow
def test_stdin_is_utf_8(filled: Path) -> None:
    """Whatever the locale, what is read is UTF-8, with a byte order mark or without; and nothing of a batch that is not."""
    for mark in ("", "\\357\\273\\277"):
        command = f"printf '{mark}likes TEA \\344\\272\\213\\n' | memrepo remember"
        status, out, _ = _run(command, PYTHONIOENCODING="latin-1")
        assert (status, out.split()[:2]) == (0, ["duplicate", "1"])
    status, out, err = _run("printf 'Has a dog\\n\\377\\n' | memrepo remember")
    assert (status, out, err) == (1, "", "memrepo: stdin is not text in UTF-8\n")


def test_names_in_messages(tmp_path: Path, command: Command) -> None:
    """Neither a file's name nor that of a stranger's table reaches a terminal as it is."""
    name = "a\x1b]0;title\x07\u202eb.db"
    shown = f"{tmp_path}/a\\x1b]0;title\\x07\\u202eb.db"
    assert shown in command("status", "--db", name).err
    with closing(sqlite3.connect("stranger.db")) as raw, raw:
        raw.execute('CREATE TABLE memory_entries (id, "\x1b[2J")')
        raw.execute('CREATE TABLE "\x1b[2J" (id)')
    ran = command("search", "a", "--db", "stranger.db")
    assert ran.status == 1
    assert ran.err.rstrip("\n").isprintable()


@pytest.mark.parametrize(
    "name", ["a\x1b[2J.db", "a  b.db", "it's %s \\n.db", "a\nb.db", "\u202e.db"]
)
def test_names_in_cures(tmp_path: Path, name: str) -> None:
    """The command that cures is printable, and cures a file of any name, also copied from a table."""
    file = tmp_path / name
    on_store(file, lambda store: store.memories.remember("Likes tea"))
    file.chmod(0o644)
    done = subprocess.run(
        [sys.executable, "-m", "memrepo", "doctor", "--db", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    cures = [line.split("\t")[3] for line in done.stdout.splitlines() if "\tpermissions\t" in line]
    assert len(cures) == 1
    assert cures[0].isprintable()
    subprocess.run(["sh", "-c", cures[0]], check=True, timeout=60)
    assert file.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(sys.platform == "darwin", reason="has no such names")
@pytest.mark.usefixtures("names_not_utf_8")
def test_name_that_is_not_utf_8(tmp_path: Path, command: Command) -> None:
    """Every command takes a file of any name that the system takes, and shows it in a form that any stream holds."""
    name, backup, copy = (f"{letter}\udce9.db" for letter in "abc")
    on_store(name, lambda store: store.memories.remember("Likes tea"))
    for arguments in (
        ("facts", "--db", name),
        ("facts", "--db", "file:a%E9.db?mode=ro"),
        ("status", "--db", name),
        ("doctor", "--db", name),
        ("doctor", "--repair", "--db", name),
        ("export", "d\udce9.jsonl", "--db", name),
        ("import", "d\udce9.jsonl", "--db", name),
        ("backup", backup, "--db", name),
        ("copy", name, copy),
        ("restore-backup", backup, "--yes", "--db", copy),
        ("facts", "--db", copy),
    ):
        ran = command(*arguments)
        assert ran.status == 0, ran.err
        assert (ran.out + ran.err).encode()
    assert command("status", "--json", "--db", name).json["path"] == f"{tmp_path}/{name}"
    refused = command("doctor", "--json", "--db", "none\udce9.db").json["findings"]
    assert f"{tmp_path}/none\udce9.db" in refused[0]["detail"]
