"""Texts of the command line, and where one is ``-``, of stdin."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from memrepo.cli.commands.options import interruptible
from memrepo.cli.commands.output import await_stdin
from memrepo.cli.streams import STDIO

__all__ = ["each_text", "is_read", "words_of"]


def is_read(typed: Sequence[str]) -> bool:
    """Tell whether texts come from stdin."""
    return not typed or STDIO in typed


def words_of(typed: Sequence[str]) -> Sequence[str]:
    """Return the words that were typed; those of stdin for a single ``-``."""
    if [*typed] != [STDIO]:
        return typed
    with interruptible():
        await_stdin("a text")
        return sys.stdin.read().split()


def each_text(typed: Sequence[str]) -> Iterator[str]:
    """Yield the texts that were typed; for ``-``, and if there are none, each line of stdin."""
    for text in typed or (STDIO,):
        if text != STDIO:
            yield text
            continue
        await_stdin("a fact a line")
        yield from (line.strip() for line in sys.stdin if line.strip())
