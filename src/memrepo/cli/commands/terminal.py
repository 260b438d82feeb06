"""Tables, lines, bars and progress on a terminal, by rich, which knows widths, colours and NO_COLOR."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from memrepo.cli.commands.output import Column, cell
from memrepo.cli.local import local_time

__all__ = ["bar", "progress", "show_line", "show_table"]

#: Columns of a terminal that a bar takes at most.
_WIDEST_BAR: Final = 40
#: Columns of a terminal that a column of a table needs: with fewer, words are cut into pieces.
_NARROWEST: Final = 10


def show_table(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> None:
    """Print a table that fits the terminal: what is too long goes on in the next line, or each cell has its own."""
    if Console().width < len(columns) * _NARROWEST:
        _show_records(columns, rows)
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(
            column.title,
            style=column.style,
            justify="right" if column.is_number else "left",
            no_wrap=column.is_number,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*map(_shown, row))
    Console().print(table)


def _show_records(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> None:
    console = Console()
    for row in rows:
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for column, value in zip(columns, row, strict=True):
            if shown := _shown(value):
                shown.stylize(column.style)
                table.add_row(column.title, shown)
        console.print(table)
        console.print()


def show_line(columns: Sequence[Column], row: Sequence[object]) -> None:
    """Print a row as a line, for output that has no end."""
    parts = [
        (f"{_shown(value)} ", column.style)
        for column, value in zip(columns, row, strict=True)
        if value is not None
    ]
    Console().print(Text.assemble(*parts), soft_wrap=True)


def bar(n: float, most: float) -> str:
    """Return a bar for *n*, where *most* has the longest one."""
    width = min(Console().width // 3, _WIDEST_BAR)
    return "█" * max(round(width * n / most), 1 if n else 0) if most else ""


@contextmanager
def progress() -> Generator[Callable[[str, int, int], None]]:
    """Yield a function that shows, on stderr, how much of what is done; it is gone in the end."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as shown:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, n_done: int, n_all: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=n_all)
            shown.update(tasks[what], completed=n_done, total=n_all)

        yield tell


def _shown(value: object) -> Text:
    if isinstance(value, datetime):
        return Text(f"{local_time(value):%Y-%m-%d %H:%M}")
    return Text(cell(value))
