"""The exception tree, and SQLite's errors to ours: by result code, with the cause, without user text."""

from __future__ import annotations

import copy
import pickle
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import memrepo
from memrepo import errors
from memrepo.connection.sqlite.errors import translate
from memrepo.queries.statement import Statement

#: Each class and its parents of ours.
TREE: dict[str, set[str]] = {
    "MemrepoError": set(),
    "UsageError": {"MemrepoError"},
    "InvalidInputError": {"UsageError", "MemrepoError"},
    "RefusedError": {"InvalidInputError", "UsageError", "MemrepoError"},
    "ClosedError": {"UsageError", "MemrepoError"},
    "WrongLoopError": {"UsageError", "MemrepoError"},
    "TransactionError": {"UsageError", "MemrepoError"},
    "UnsupportedURLError": {"UsageError", "MemrepoError"},
    "NotFoundError": {"MemrepoError"},
    "ConflictError": {"MemrepoError"},
    "ConstraintError": {"MemrepoError"},
    "DecodeError": {"MemrepoError"},
    "DatabaseError": {"MemrepoError"},
    "BusyError": {"DatabaseError", "MemrepoError"},
    "StorageFullError": {"DatabaseError", "MemrepoError"},
    "ReadOnlyError": {"DatabaseError", "MemrepoError"},
    "CorruptDatabaseError": {"DatabaseError", "MemrepoError"},
    "ConnectionLostError": {"DatabaseError", "MemrepoError"},
    "DeadlineError": {"DatabaseError", "MemrepoError"},
    "AuthenticationError": {"DatabaseError", "MemrepoError"},
    "MigrationError": {"MemrepoError"},
}


def test_tree() -> None:
    """The classes and their parents are exactly these, and the module exports them all."""
    found = {
        name: {base.__name__ for base in getattr(errors, name).__mro__[1:]} & TREE.keys()
        for name in errors.__all__
    }
    assert found == TREE


def test_the_tree_is_drawn_at_the_top() -> None:
    """The drawing in the module's docstring has each class once, under its parent."""
    drawing = re.findall(r"^(    [│├└─ ]*)(\w+Error)", errors.__doc__ or "", re.MULTILINE)
    parents: list[str] = []
    drawn: dict[str, set[str]] = {}
    for indent, name in drawing:
        depth = (len(indent) - 4) // 4
        parents[depth:] = [name]
        drawn[name] = set(parents[:-1])
    assert drawn == TREE


def test_every_class_is_public() -> None:
    """Whatever can be raised can be caught by its name in ``memrepo``."""
    assert [name for name in errors.__all__ if not hasattr(memrepo, name)] == []


def test_python_errors_among_the_parents() -> None:
    """A bad value is a ValueError and a missing row a LookupError, for those who catch these."""
    assert issubclass(memrepo.InvalidInputError, ValueError)
    assert issubclass(memrepo.NotFoundError, LookupError)


def test_each_class_is_one_sentence() -> None:
    """Every class says in one sentence what happened."""
    for name in errors.__all__:
        text = getattr(errors, name).__doc__ or ""
        assert re.fullmatch(r"[A-Z`][^.]*(``\.\w+)?[^.]*\.( [A-Z][^.]*\.)?", text), (name, text)


def _instances() -> Iterator[errors.MemrepoError]:
    for name in errors.__all__:
        kind: Any = getattr(errors, name)
        if issubclass(kind, errors.InvalidInputError):
            yield kind("event_data.steps[3]", "set is not a JSON type")
        elif name == "ConstraintError":
            yield kind("foreign key")
        else:
            yield kind("a message")
    unknown = errors.DatabaseError("lost")
    unknown.outcome_unknown = True
    yield unknown


@pytest.mark.parametrize("error", list(_instances()), ids=lambda error: type(error).__name__)
def test_errors_survive_pickling_and_copying(error: errors.MemrepoError) -> None:
    """An error that crosses a process keeps its class, message and attributes."""
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)


def sqlite_error(code: int, name: str = "SQLITE_TEST") -> sqlite3.Error:
    error = sqlite3.OperationalError("the user's own text")
    error.sqlite_errorcode = code
    error.sqlite_errorname = name
    return error


_PRIMARY: dict[str, tuple[type[errors.MemrepoError], bool]] = {
    "SQLITE_BUSY": (errors.BusyError, True),
    "SQLITE_BUSY_RECOVERY": (errors.BusyError, True),
    "SQLITE_BUSY_SNAPSHOT": (errors.BusyError, True),
    "SQLITE_BUSY_TIMEOUT": (errors.BusyError, True),
    "SQLITE_LOCKED": (errors.BusyError, True),
    "SQLITE_LOCKED_SHAREDCACHE": (errors.BusyError, True),
    "SQLITE_FULL": (errors.StorageFullError, True),
    "SQLITE_READONLY": (errors.ReadOnlyError, False),
    "SQLITE_READONLY_CANTINIT": (errors.ReadOnlyError, False),
    "SQLITE_READONLY_DBMOVED": (errors.ConnectionLostError, False),
    "SQLITE_READONLY_DIRECTORY": (errors.ReadOnlyError, False),
    "SQLITE_PERM": (errors.ReadOnlyError, False),
    "SQLITE_CORRUPT": (errors.CorruptDatabaseError, False),
    "SQLITE_CORRUPT_INDEX": (errors.CorruptDatabaseError, False),
    "SQLITE_NOTADB": (errors.CorruptDatabaseError, False),
    "SQLITE_CANTOPEN": (errors.DatabaseError, False),
    "SQLITE_CANTOPEN_ISDIR": (errors.DatabaseError, False),
    "SQLITE_IOERR": (errors.DatabaseError, False),
    "SQLITE_IOERR_FSYNC": (errors.DatabaseError, False),
    "SQLITE_INTERRUPT": (errors.DatabaseError, False),
    "SQLITE_ERROR": (errors.DatabaseError, False),
    "SQLITE_NOMEM": (errors.DatabaseError, False),
    "SQLITE_TOOBIG": (errors.DatabaseError, False),
    "SQLITE_MISUSE": (errors.DatabaseError, False),
    "SQLITE_AUTH": (errors.DatabaseError, False),
}


@pytest.mark.parametrize("name", _PRIMARY)
def test_each_result_code_maps_to_its_class(name: str) -> None:
    """Primary and extended codes decide the class and whether to try again; the text decides nothing."""
    kind, is_retryable = _PRIMARY[name]
    cause = sqlite_error(getattr(sqlite3, name), name)
    error = translate(cause)
    assert type(error) is kind
    assert isinstance(error, errors.DatabaseError)
    assert error.retryable is is_retryable
    assert error.outcome_unknown is False
    assert error.__cause__ is cause
    assert name in str(error)
    assert "the user's" not in str(error)


def test_every_primary_code_maps_to_one_of_ours() -> None:
    """Whatever code SQLite gives, known to us or not, becomes one of our errors."""
    for code in range(1, 256):
        assert isinstance(translate(sqlite_error(code)), errors.MemrepoError)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SQLITE_CONSTRAINT_UNIQUE", "unique"),
        ("SQLITE_CONSTRAINT_PRIMARYKEY", "unique"),
        ("SQLITE_CONSTRAINT_FOREIGNKEY", "foreign key"),
        ("SQLITE_CONSTRAINT_NOTNULL", "not null"),
        ("SQLITE_CONSTRAINT_CHECK", "check"),
        ("SQLITE_CONSTRAINT_TRIGGER", "other"),
        ("SQLITE_CONSTRAINT", "other"),
    ],
)
def test_each_constraint_says_its_kind(name: str, kind: str) -> None:
    """A refused row is ConstraintError, and says which kind of constraint refused it."""
    cause = sqlite_error(getattr(sqlite3, name), name)
    error = translate(cause)
    assert isinstance(error, errors.ConstraintError)
    assert error.kind == kind
    assert error.__cause__ is cause


def test_an_error_without_a_code_is_still_ours() -> None:
    """What Python's module itself raises has no code, and becomes a DatabaseError all the same."""
    error = translate(sqlite3.ProgrammingError("the user's own text"))
    assert type(error) is errors.DatabaseError
    assert "the user's" not in str(error)


def test_an_unknown_outcome_is_said() -> None:
    """Whether the rows may be there all the same is an attribute of the error."""
    error = translate(sqlite_error(sqlite3.SQLITE_IOERR), outcome_unknown=True)
    assert isinstance(error, errors.DatabaseError)
    assert error.outcome_unknown is True


SECRET = "S3CR3T"


@pytest.mark.asyncio
async def test_real_errors_carry_their_cause_and_no_user_text(store: memrepo.Store) -> None:
    """On either driver, a statement that fails raises ours from SQLite's, and no value is in the text."""
    insert = Statement(
        "test.insert",
        "INSERT INTO memory_entries (content, category, source, created_at) "
        "VALUES (:content, :category, :source, :now)",
    )
    with pytest.raises(memrepo.ConstraintError) as caught:
        await store.connection.write(
            (insert.bind(content=SECRET, category=None, source=SECRET, now=SECRET),)
        )
    assert caught.value.kind == "not null"
    assert isinstance(caught.value.__cause__, sqlite3.IntegrityError)
    assert SECRET not in f"{caught.value!s}{caught.value!r}"

    wrong = Statement("test.wrong", "SELECT `no_such_column` FROM `sessions` WHERE `id` = :id")
    with pytest.raises(memrepo.DatabaseError) as failed:
        await store.connection.read(wrong.bind(id=SECRET))
    assert isinstance(failed.value.__cause__, sqlite3.OperationalError)
    assert SECRET not in f"{failed.value!s}{failed.value!r}"


@pytest.mark.asyncio
async def test_what_is_not_there_says_so_without_user_text(store: memrepo.Store) -> None:
    """A missing session, a missing fact and a replaced one are told by number, not by what they hold."""
    log, facts = store.daily_logs, store.memories
    with pytest.raises(memrepo.NotFoundError) as missing:
        await log.append(99, SECRET, {SECRET: SECRET}, key=SECRET)
    assert isinstance(missing.value.__cause__, memrepo.ConstraintError)
    messages = [str(missing.value)]
    old = await facts.remember(SECRET, category=SECRET)
    await facts.supersede(old.id, f"{SECRET} 2")
    for replacement in (f"{SECRET} 3", SECRET):
        with pytest.raises(memrepo.ConflictError) as conflict:
            await facts.supersede(old.id, replacement)
        messages.append(str(conflict.value))
    with pytest.raises(memrepo.NotFoundError) as unknown:
        await store.scoped(SECRET).memories.get(old.id)
    messages.append(str(unknown.value))
    assert all(messages)
    assert SECRET not in " ".join(messages)
    assert SECRET not in f"{store!r}{store.scoped(SECRET)!r}{store.memories!r}"


@pytest.mark.asyncio
async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """A file that is something else is CorruptDatabaseError from SQLite's own, and stays as it was."""
    path = tmp_path / "agent.db"
    path.write_bytes(b"This is not a database, but a text of some length." * 100)
    before = path.read_bytes()
    with pytest.raises(memrepo.CorruptDatabaseError) as caught:
        await memrepo.connect(path)
    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)
    assert path.read_bytes() == before
