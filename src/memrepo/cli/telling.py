"""What is said on stderr of errors and warnings: for people, or as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Final

from memrepo.cli.streams import visible, write_message

__all__ = ["tell_error", "wants_json", "warnings_told"]

_LIBRARY: Final = logging.getLogger("memrepo")
#: Doctor says it, and says what to do.
_HEALTH: Final = logging.getLogger("memrepo.connection.sqlite.health")


def wants_json(arguments: Sequence[str]) -> bool:
    """Tell whether a command line asks for JSON; a text after ``--`` does not."""
    options = takewhile(lambda argument: argument != "--", arguments)
    return not {"--json", "--nl"}.isdisjoint(options)


def tell_error(kind: str, message: str, *, as_json: bool = False) -> None:
    """Say what is wrong, which holds no token."""
    if as_json:
        write_message(f"{json.dumps({'error': {'kind': kind, 'message': message}})}\n")
    else:
        write_message(f"memrepo: {visible(message)}\n")


@contextmanager
def warnings_told(*, as_json: bool = False) -> Generator[None]:
    """Say what the library warns of as everything else is said; not beside JSON, where only errors are expected."""
    handler = logging.NullHandler() if as_json else _Telling(logging.WARNING)
    level = _HEALTH.level
    _HEALTH.setLevel(logging.ERROR)
    _LIBRARY.addHandler(handler)
    try:
        yield
    finally:
        _LIBRARY.removeHandler(handler)
        _HEALTH.setLevel(level)


class _Telling(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        write_message(f"memrepo: {visible(record.getMessage())}\n")
