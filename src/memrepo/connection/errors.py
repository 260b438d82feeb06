"""Errors that are the same on every engine."""

from __future__ import annotations

import asyncio
import re
import warnings
from typing import Final

from memrepo.errors import (
    ClosedError,
    ConstraintError,
    DatabaseError,
    TransactionError,
    WrongLoopError,
)

__all__ = [
    "closed",
    "cut_off",
    "refused_row",
    "require_asyncio",
    "rolled_back",
    "statement_failed",
    "warn_unclosed",
]

#: What SQLite says after the kind of a constraint; other sentences may quote values.
_constraint_place = re.compile(
    r"\b(?:(?:UNIQUE|NOT NULL|CHECK) constraint failed: |cannot store \w+ value in \w+ column )(.+)",
    re.DOTALL,
).search
_MAX_PLACE: Final = 200

_words = re.compile(r"\w+").findall
#: The words of SQLite's own sentences about a statement. What else is in them is safe to show if it is from
#: the statement's SQL, which is constant. Otherwise it may be a value: ``JSON path error near 'my secret'``.
_SENTENCES: Final = frozenset(
    """
    a already ambiguous argument arguments at available be big bindings blob but can cannot circular clause collation column columns
    command constraint context could database datatype default does duplicate error execute executing exists expression for
    from function functions generated group hex have has in incomplete index input integer is json limit
    literal malformed match mismatch misuse modified modify must name named near no not number of on one
    only or order overflow parsed primary qualified query recognized reference references request result row rows select
    sequence sql sqlite statement string such supplied syntax table term terms than the there this time to
    token too unknown unrecognized use used using value values view virtual were when where wrong you
    """.split()  # noqa: SIM905 - as a text it is readable
)
_is_small_number = re.compile(r"\d{1,2}").fullmatch
#: Where in the SQL it is, as servers add.
_position = re.compile(r" \(at offset \d+\)| around L\d+:\d+")
_MAX_REASON: Final = 200


def require_asyncio() -> None:
    """
    Raise unless an event loop of asyncio runs.

    Raises:
        WrongLoopError: None does; another library, as trio, may run this coroutine.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise WrongLoopError(
            "memrepo needs an event loop of asyncio, and trio's is none: "
            "under anyio, use its asyncio backend"
        ) from None


def warn_unclosed(connection: object) -> None:
    """Warn of a *connection* that is thrown away without having been closed."""
    warnings.warn(
        f"{connection!r} was never closed: use 'async with memrepo.connect(...)'",
        ResourceWarning,
        source=connection,
        stacklevel=3,
    )


def closed() -> ClosedError:
    """Return the error for a call that was waiting when the store was closed, or came later."""
    return ClosedError("the store was closed before this could run")


def cut_off() -> DatabaseError:
    """Return the error for a call whose work another task cancelled, or that lost its answer."""
    error = DatabaseError("the call was cut off")
    error.outcome_unknown = True
    return error


def rolled_back() -> TransactionError:
    """Return the error for a call in a transaction that the database has rolled back."""
    return TransactionError("the database has rolled this transaction back")


def refused_row(kind: str, said: str) -> ConstraintError:
    """Return the error for a row that a constraint of this *kind* refused; SQLite has *said* so."""
    found = _constraint_place(said)
    return ConstraintError(kind, found[1][:_MAX_PLACE] if found else "")


def statement_failed(name: str, sql: str, said: str) -> str:
    """Say that the statement *name* failed, and what SQLite *said* of it unless that may hold a value."""
    known = _SENTENCES | {word.lower() for word in _words(sql)}
    said = _position.sub("", said).strip().removesuffix(".")
    is_safe = all(word.lower() in known or _is_small_number(word) for word in _words(said))
    return f"{name} failed: {said[:_MAX_REASON]}" if said and is_safe else f"{name} failed"
