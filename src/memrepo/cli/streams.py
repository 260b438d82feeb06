"""The standard streams: there, in UTF-8, without what could move a terminal's cursor, and with readers that may go away."""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import suppress
from typing import Any, Final, TextIO, cast

__all__ = [
    "STDIO",
    "drop_output",
    "flush_output",
    "has_reader",
    "prepare",
    "visible",
    "write_message",
    "write_output",
]

#: What is typed for stdin or stdout in the place of a file or a text.
STDIO: Final = "-"


def prepare() -> None:
    """
    Make the standard streams fit for use.

    One that is closed is opened, lest a file get its number: stdin is empty then, and writing to stdout fails. What is
    read is UTF-8, whatever the locale; of what is written, characters that stdout's encoding lacks are escaped.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")
    if sys.stdout is None:
        # Not writable: that nobody gets what a command prints is a failure.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    _set(sys.stdin, encoding=None if sys.stdin.isatty() else "utf-8-sig", errors="strict")
    _set(sys.stdout, errors="backslashreplace")


def _set(stream: TextIO, **options: str | None) -> None:
    if isinstance(stream, io.TextIOWrapper):  # a program's own may not be
        cast("Any", stream).reconfigure(**options)


def write_output(text: str) -> None:
    """Write to stdout; where the reader has gone, as `head` does, the command goes on, and what it prints is dropped."""
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        drop_output()


def flush_output() -> None:
    """Write what stdout still holds; that the reader has gone is no failure."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()


def write_message(text: str) -> None:
    """Write to stderr; a stderr that cannot be written changes neither what is done nor the exit status."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _drop(sys.stderr)


def has_reader() -> bool:
    """Tell whether somebody may still read stdout; where the system does not say, as on Windows, only writing shows it."""
    if not hasattr(select, "poll"):
        return True
    with suppress(io.UnsupportedOperation):  # a stream of a program's own has no descriptor
        poll = select.poll()
        poll.register(sys.stdout, select.POLLHUP)
        return not any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    return True


def drop_output() -> None:
    """Throw away what could not be written to stdout, so that Python does not complain of it at its end."""
    _drop(sys.stdout)


def _drop(stream: TextIO) -> None:
    with suppress(io.UnsupportedOperation):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def visible(text: str) -> str:
    """Return a message with what nobody sees escaped: it may name files, and tables of a stranger's database."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )
