"""The page about SQL: its views and queries do what it shows, in plain sqlite3, and leave the file as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.docs.pages import ROOT, Block, blocks
from tests.docs.running import run_page

_PAGE: Final = ROOT / "docs" / "how-to" / "sql.md"
_VIEWS, *_QUERIES = (block for block in blocks(_PAGE) if block.language == "sql")


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the page makes."""
    folder = tmp_path_factory.mktemp("sql")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run_page(_PAGE, folder)
    return folder / "agent.db"


@pytest.fixture
def shell(agent: Path) -> Iterator[sqlite3.Connection]:
    """A connection that may only read, with the views."""
    with closing(sqlite3.connect(f"{agent.as_uri()}?mode=ro", uri=True)) as connection:
        connection.executescript(_VIEWS.code)
        yield connection


def shown(cursor: sqlite3.Cursor) -> str:
    """Return rows as the sqlite3 shell shows them with ``-column -header``."""
    names = [name for name, *_ in cursor.description]
    rows = [[("" if value is None else str(value)) for value in row] for row in cursor]
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    lines = [names, ["-" * width for width in widths], *rows]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in lines
    )


def test_there_are_ten_queries() -> None:
    """The page has the ten that it speaks of, each with what it answers."""
    assert len(_QUERIES) == 10
    assert all(query.output for query in _QUERIES)


@pytest.mark.parametrize("query", _QUERIES, ids=range(1, len(_QUERIES) + 1))
def test_query_answers_what_the_page_shows(query: Block, shell: sqlite3.Connection) -> None:
    """Each query reads a real file of memrepo's, and its rows are those of the page."""
    assert shown(shell.execute(query.code)) == query.output


def test_views_leave_nothing_in_the_file(agent: Path) -> None:
    """A connection that may write, and makes the views, does not change the file's schema."""

    def schema() -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(agent)) as connection:
            return connection.execute("SELECT * FROM sqlite_schema").fetchall()

    before = schema()
    with closing(sqlite3.connect(agent)) as connection:
        connection.executescript(_VIEWS.code)
        assert connection.execute("SELECT count(*) FROM current_facts").fetchone() == (5,)
    assert schema() == before


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE sessions DROP COLUMN end_trigger",
        "CREATE TABLE new AS SELECT * FROM sessions; DROP TABLE sessions; ALTER TABLE new RENAME TO sessions",
    ],
    ids=["drop a column", "rebuild a table"],
)
def test_lasting_views_are_in_the_way(change: str, agent: Path) -> None:
    """Why they are temporary: SQLite refuses what migrations do while a lasting view names the table."""
    with closing(sqlite3.connect(":memory:")) as copy:
        with closing(sqlite3.connect(agent)) as source:
            source.backup(copy)
        copy.executescript(_VIEWS.code.replace("TEMP VIEW", "VIEW"))
        with pytest.raises(sqlite3.OperationalError, match="error in view session_durations"):
            copy.executescript(change)
