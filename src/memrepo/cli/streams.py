"""The standard streams: there, in UTF-8, and without what could move a terminal's cursor."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

__all__ = ["drop_output", "prepare", "visible"]


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


def drop_output() -> None:
    """Throw away what could not be written to stdout, so that Python does not complain of it at its end."""
    with suppress(io.UnsupportedOperation):  # a stream of a program's own has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def visible(text: str) -> str:
    """Return a message with what nobody sees escaped: it may name files, and tables of a stranger's database."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )
