"""What an examination of a database finds, and the commands that cure it."""

from __future__ import annotations

import shlex
from typing import Literal, TypeAlias

import attrs

from memrepo.domain.plain import PlainModel

__all__ = ["CheckKind", "Finding", "Severity", "memrepo_command"]

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
    return f"memrepo {command} --db {shlex.quote(str(database))}"
