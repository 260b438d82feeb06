"""How the commands open the database that they are told, or that the environment names."""

from __future__ import annotations

import os
from typing import Final, Unpack

from memrepo.cli.naming import called
from memrepo.cli.streams import STDIO
from memrepo.connect import connect
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.url import Location, parse_url
from memrepo.errors import DatabaseError, InvalidInputError, UsageError
from memrepo.opening import OpeningStore
from memrepo.options import ConnectOptions

__all__ = [
    "database_url",
    "open_database",
    "read_url",
    "require_database",
    "require_file",
    "server_token",
]

_URL: Final = "MEMREPO_URL"


def database_url(given: str | None) -> str:
    """
    Return the URL that *given* or ``MEMREPO_URL`` is.

    Raises:
        UsageError: Neither is there.
        InvalidInputError: It cannot be a database.
        UnsupportedURLError: It is no URL of a database.
    """
    # An empty --db is refused: a script whose variable is not set must not work on another database.
    name, url = ("--db", given) if given is not None else (_URL, os.environ.get(_URL, ""))
    if not url and given is None:
        raise UsageError(f"which database? Say --db agent.db, or set {_URL}")
    read_url(name, url)
    return url


def read_url(name: str, url: str) -> Location | ServerLocation:
    """
    Return what a URL names, which was typed for *name*.

    Raises:
        InvalidInputError: It is ``-``, or cannot be a database.
        UnsupportedURLError: It is no URL of a database.
    """
    require_file(name, url)
    with called(url=name):
        return parse_url(url)


def require_file(name: str, path: str) -> None:
    """
    Refuse ``-`` where only a file will do: SQLite cannot read a stream.

    Raises:
        InvalidInputError: It is ``-``.
    """
    if path == STDIO:
        raise InvalidInputError(name, "cannot be - for a stream; a file of this name is ./-")


def require_database(given: str | None) -> None:
    """
    Raise an error if `database_url` is a file that is not there; it blocks.

    Raises:
        DatabaseError: It is not there.
    """
    location = parse_url(database_url(given))
    if isinstance(location, ServerLocation) or location.path is None or location.path.exists():
        return
    raise DatabaseError(f"there is no database {location.path}; memrepo init makes one")


def open_database(
    given: str | None,
    *,
    creates: bool = True,
    only_reads: bool = False,
    **options: Unpack[ConnectOptions],
) -> OpeningStore:
    """
    Return a store to open on `database_url`; of a server, with the token of the URL or ``TURSO_AUTH_TOKEN``.

    Args:
        given: The URL of the command line.
        creates: Whether a file that is not there is made. If not, a misspelled name is an error.
        only_reads: Whether nothing is written to it.
        options: Those of `connect`.
    """
    url = database_url(given)
    location = parse_url(url)
    if isinstance(location, ServerLocation):
        options["auth_token"] = server_token(url)
        if only_reads and not location.is_read_only:
            url += "&mode=ro" if "?" in url else "?mode=ro"
    elif only_reads and location.path is not None:
        url = f"{location.path.as_uri()}?mode=ro"
    elif not creates and location.path is not None and location.mode == "rwc":
        url = f"{location.path.as_uri()}?mode=rw"
    return connect(url, **options)


def server_token(url: str) -> str | None:
    """Return the token for a server: that of the URL, or of the environment; ``None`` for a file."""
    location = parse_url(url)
    if not isinstance(location, ServerLocation):
        return None
    return location.auth_token or os.environ.get("TURSO_AUTH_TOKEN") or None
