"""One rule for the exit status of all commands: 2 for what is misused, 1 for what fails."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from memrepo.cli.commands.program import program
from memrepo.cli.main import OWN_COMMANDS
from tests.cli.conftest import Command

#: What a command needs beside the database.
_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "backup": ("backup.db",),
    "copy": ("agent.db", "copy.db"),
    "erase": ("--scope", "ada", "--yes"),
    "forget": ("1",),
    "purge": ("--before", "30d", "--yes"),
    "remember": ("Likes ale",),
    "restore-backup": ("backup.db", "--yes"),
    "search": ("tea",),
}
#: They make a database that is not there.
_MAKES: Final = {"import", "init", "remember", "restore-backup"}
_ALL: Final = sorted(program.commands)
#: Those of one database that need no more packages.
_OF_ONE: Final = [name for name in _ALL if name not in OWN_COMMANDS]


def _wrong(name: str) -> list[tuple[str, ...]]:
    """Ways to misuse a command."""
    needs = _NEEDS.get(name, ())
    ways = [(*needs, "--nothing"), (*needs[:-1], "--help=x")]
    if name == "copy":
        return [*ways, (), (*needs, "more"), ("agent.db", "ftp://h"), ("agent.db", "-")]
    ways += [(*needs, "--db"), (*needs, "--db", "ftp://h"), (*needs, "--db", "-")]
    if name not in {"forget", "recall", "remember", "restore", "search"}:
        ways.append((*needs, "one", "more"))
    if any(param.name == "scope" for param in program.commands[name].params):
        ways.append((*needs, "--scope", "x" * 256))
    return ways


@pytest.mark.parametrize("name", _ALL)
def test_misused(name: str, command: Command, path: Path) -> None:
    """Whatever is wrong with what was typed, every command ends with 2, having printed and made nothing."""
    assert command("init").status == 0
    for arguments in _wrong(name):
        ran = command(name, *arguments)
        assert (arguments, ran.status, ran.out) == (arguments, 2, "")
        assert "memrepo" in ran.err.splitlines()[-1]
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("name", _ALL)
def test_without_a_database(name: str, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command without a database ends with 2."""
    monkeypatch.delenv("MEMREPO_URL")
    assert command(name, *(() if name == "copy" else _NEEDS.get(name, ()))).status == 2


@pytest.mark.parametrize("name", [*_OF_ONE, "copy"])
def test_failed(name: str, command: Command, path: Path) -> None:
    """Where the database is not there, or is none, every command ends with 1."""
    needs = _NEEDS.get(name, ())
    if name not in _MAKES:
        assert command(name, *needs).status == 1
        assert [*path.parent.iterdir()] == []
    path.write_text("This is no database. " * 100)
    ran = command(name, *needs, stdin="Likes ale")
    assert (ran.status, ran.err == "") == (1, name == "doctor")


@pytest.mark.parametrize(
    "arguments",
    [
        *(("forget", "9"), ("restore", "9"), ("review", "--reject", "9"), ("forget", "zebra")),
        *(("review", "--revert", "home"), ("log", "--digest", "--session", "9")),
        *(("remember", "Likes ale", "--session", "9"), ("import", "none.jsonl")),
        *(("restore-backup", "none.db", "--yes"), ("copy", "none.db", "copy.db")),
        ("backup", "none/backup.db"),
        ("export", "none/agent.jsonl"),
    ],
)
def test_what_is_not_there(arguments: tuple[str, ...], command: Command) -> None:
    """What a command asks for and is not there is a failure, in every command, and nothing is printed."""
    command("init")
    ran = command(*arguments)
    assert (ran.status, ran.out) == (1, "")


def test_ids_of_stdin(command: Command) -> None:
    """An id that is none is misuse where it was typed, and a failure where it was read."""
    command("init")
    typed, read = command("forget", "1", "0"), command("forget", "-", stdin="1 0")
    assert (typed.status, read.status) == (2, 1)
    assert "WHAT must be an id" in typed.err
    assert "WHAT must be an id" in read.err
