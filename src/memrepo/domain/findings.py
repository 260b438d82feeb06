"""What an examination of a database finds, and the commands that cure it."""

from __future__ import annotations

import re
import shlex
from typing import Literal, TypeAlias

import attrs

from memrepo.domain.one_line import one_line
from memrepo.domain.plain import PlainModel

__all__ = ["CheckKind", "Finding", "Severity", "memrepo_command", "shell_word"]

#: What a shell takes for itself anywhere.
_not_plain = re.compile(rb"[^\w@+=:,./-]")

#: ``problem``: something is wrong, or will be. ``note``: something to know.
Severity: TypeAlias = Literal["problem", "note"]
#: What was looked at.
CheckKind: TypeAlias = Literal[
    "opening",
    "sqlite",
    "pragmas",
    "schema",
    "integrity",
    "facts",
    "references",
    "values",
    "search index",
    "permissions",
    "file system",
    "disk space",
    "write-ahead log",
    "left over",
    "sessions",
    "clock",
    "server",
]


@attrs.frozen(kw_only=True)
class Finding(PlainModel):
    """Something that is not as it should be."""

    #: What was looked at.
    check: CheckKind
    #: Whether something has to be done.
    severity: Severity = "problem"
    #: What is wrong; never stored text, never a token.
    detail: str
    #: The shell command that cures it; ``""`` where there is none. Words in capitals are to be filled in.
    cure: str = ""


def memrepo_command(command: str, database: object) -> str:
    """Return a command line of ``memrepo`` on a database, which *database* names without a token."""
    return f"memrepo {command} --db {shell_word(database)}"


def shell_word(value: object) -> str:
    """
    Return *value* as one word of a POSIX shell that survives being shown.

    A name may have characters that nobody sees, that paint a terminal, or that a table leaves out.
    """
    word = shlex.quote(str(value))
    if word == one_line(word):
        return word
    text = _not_plain.sub(
        lambda found: b"\\%03o" % found[0][0], str(value).encode(errors="surrogateescape")
    )
    return f"\"$(printf '{text.decode()}')\""
