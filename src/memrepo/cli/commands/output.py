"""What commands print: tables for people, tab-separated lines for pipes, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from memrepo.cli.streams import write_message, write_output
from memrepo.domain.jsontext import JsonValue
from memrepo.domain.one_line import one_line
from memrepo.domain.paging import Page
from memrepo.domain.plain import PlainModel

__all__ = ["Column", "Form", "Output", "await_stdin", "is_terminal", "progress", "terminal"]

#: How a result is printed: for people, as one JSON object, or as one a line.
Form: TypeAlias = Literal["text", "json", "nl"]


class Column(NamedTuple):
    """A column of a table."""

    title: str
    #: Where a row has the value, as ``entry.id``; or what returns it.
    source: str | Callable[[Any], object]
    #: Its look on a terminal, in rich's words.
    style: str = ""
    #: Whether it is numbers, which stand at the right.
    is_number: bool = False

    def of(self, row: object) -> object:
        """Return the value of a row."""
        return attrgetter(self.source)(row) if isinstance(self.source, str) else self.source(row)


def is_terminal() -> bool:
    """Tell whether somebody looks at stdout."""
    return sys.stdout.isatty()


def terminal() -> Any:
    """Return what needs rich, which is imported for a terminal only."""
    return import_module("memrepo.cli.commands.terminal")


def await_stdin(what: str) -> None:
    """Tell who sits at a terminal that *what* is read from it."""
    if sys.stdin.isatty():
        write_message(f"memrepo: reads {what}, until Ctrl-D\n")


@contextmanager
def progress(*, is_shown: bool = True) -> Generator[Callable[[str, int, int], None]]:
    """Yield what shows progress, on a terminal."""
    if is_shown and sys.stderr.isatty():
        with terminal().progress() as tell:
            yield tell
    else:
        yield lambda _what, _n_done, _n_all: None


class Output:
    """Where a command prints its result, in the form that was asked for."""

    def __init__(self, form: Form) -> None:
        self.form = form

    def text(self, text: str) -> None:
        """Print text for people; nothing if JSON was asked for."""
        if self.form == "text":
            _print(text)

    def one(self, value: PlainModel | Mapping[str, JsonValue], text: str) -> None:
        """Print one result: as JSON, or as *text*."""
        _print(text if self.form == "text" else _json(_plain(value)))

    def each(self, name: str, results: Iterable[tuple[PlainModel, str]]) -> None:
        """Print what became of several things: each as JSON or as its text; one object has them under *name*."""
        if self.form == "json":
            _print(_json({name: [_plain(value) for value, _ in results]}))
        else:
            for value, text in results:
                self.one(value, text)

    def rows(
        self,
        name: str,
        rows: Sequence[PlainModel],
        columns: Sequence[Column],
        *,
        empty: str = "nothing",
    ) -> None:
        """
        Print rows: as a table, or as JSON under *name*.

        Args:
            name: What they are.
            rows: Models.
            columns: What people see of them.
            empty: What people are told if there are none: on stderr, so that a pipe gets nothing.
        """
        if self.form == "nl":
            for row in rows:
                _print(_json(_plain(row)))
        elif self.form == "json":
            _print(_json({name: [_plain(row) for row in rows]}))
        elif not rows:
            write_message(f"{empty}\n")
        elif is_terminal():
            terminal().show_table(columns, [[column.of(row) for column in columns] for row in rows])
        else:
            for row in rows:
                write_output(_line(row, columns))
        if self.form == "text" and is_terminal() and isinstance(rows, Page) and rows.next_cursor:
            write_message("there are more: --limit shows them\n")

    async def stream(self, rows: AsyncIterable[PlainModel], columns: Sequence[Column]) -> None:
        """
        Print rows that have no end, each as it comes: as a line of text or of JSON.

        Raises:
            BrokenPipeError: Nobody reads them any more.
        """
        async for row in rows:
            if self.form != "text":
                sys.stdout.write(f"{_json(row.to_dict())}\n")
            elif is_terminal():
                terminal().show_line(columns, [column.of(row) for column in columns])
            else:
                sys.stdout.write(_line(row, columns))


def _line(row: object, columns: Sequence[Column]) -> str:
    return "\t".join(cell(column.of(row)) for column in columns) + "\n"


def cell(value: object) -> str:
    """Return a value as one line, in which nothing can move a terminal's cursor."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, Mapping | list | tuple):
        return one_line(json.dumps(cast("object", value), ensure_ascii=False))
    return one_line(str(value))


def _plain(value: PlainModel | Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    return value.to_dict() if isinstance(value, PlainModel) else value


def _json(value: object) -> str:
    # ASCII only: no terminal takes a part of it for a command, and any encoding can hold it.
    return json.dumps(value)


def _print(text: str) -> None:
    write_output(f"{text}\n")
