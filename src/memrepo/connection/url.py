"""Read database URLs, of files and of servers."""

from __future__ import annotations

import re
from os import PathLike, fsencode, fspath
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import attrs

from memrepo.connection.server_url import SERVER_SCHEMES, ServerLocation, parse_server_url
from memrepo.errors import InvalidInputError, UnsupportedURLError

__all__ = ["SIDE_SUFFIXES", "Location", "check_path", "parse_url"]

#: What SQLite appends to a database's name for its files beside it; https://sqlite.org/tempfiles.html
SIDE_SUFFIXES: Final = ("-wal", "-shm", "-journal")

_MEMORY: Final = ":memory:"
_SQLITE_SCHEMES: Final = ("sqlite", "sqlite+aiosqlite")
_MODES: Final = ("ro", "rw", "rwc", "memory")
#: At least two characters, so that ``C:\\agent.db`` is a path.
_scheme = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):").match
#: An option that would be taken for a part of a file's name, which then is another file, and is shown.
_has_option = re.compile(r"\?[^/\\]*=").search
#: What looks like a server's URL without its scheme, or with something before it or in it, as a quotation mark: its
#: token must not be shown as a file's name.
_has_secret = re.compile(r"auth[-_]?token=|(?:^|\w\w:)//[^/]*@", re.IGNORECASE).search
#: A server's URL where a path is wanted, also as `pathlib` writes it.
_is_server_url = re.compile(rf"\s*({'|'.join(SERVER_SCHEMES)}):/", re.IGNORECASE).match


@attrs.frozen
class Location:
    """A SQLite database, and how to open it."""

    #: The file's absolute path; ``None`` for a database in memory.
    path: Path | None
    #: SQLite's ``mode``: ``ro`` only reads, ``rw`` needs the file to exist, ``rwc`` creates it.
    mode: str = "rwc"

    def __str__(self) -> str:
        """Return the path for messages."""
        return _MEMORY if self.path is None else str(self.path)

    @property
    def uri(self) -> str:
        """
        The URI that SQLite opens.

        For ``ro``, too, SQLite may write: `setup.open_reader` forbids it to change anything. A connection that may
        not write leaves SQLite's files behind if it is the last to close, also those of a writer that has ended.
        """
        mode = "rw" if self.mode == "ro" else self.mode
        return _MEMORY if self.path is None else f"{self.path.as_uri()}?mode={mode}"


def parse_url(url: str | PathLike[str]) -> Location | ServerLocation:
    """
    Read a database URL.

    Accepts a path (str or Path), ``:memory:``, ``file:agent.db?mode=ro``, ``sqlite:///relative.db``,
    ``sqlite:////absolute.db`` and ``sqlite+aiosqlite:///...``. A relative path is resolved now, against
    the working directory. For servers see `parse_server_url`.

    Raises:
        InvalidInputError: *url* is not a str or path, is empty, or ends as the names of SQLite's own files
            beside a database do (``-wal``, ``-shm``, ``-journal``).
        UnsupportedURLError: Its scheme or one of its options is not supported.
    """
    if isinstance(url, PathLike):
        path = fspath(url)
        return _file(path if path == _MEMORY else check_path("url", path))
    if not isinstance(url, str):
        raise InvalidInputError("url", f"must be a str or a path, not {type(url).__name__}")
    scheme = "" if (match := _scheme(url)) is None else match[1].lower()
    if not scheme:
        if _has_option(url):
            raise UnsupportedURLError("a path has no options, but file:agent.db?mode=ro has")
        if _has_secret(unquote(url)) or _scheme(url.lstrip()):
            raise UnsupportedURLError("a URL begins with its scheme, as libsql://host does")
        return _file(url)
    if scheme == "file":
        return _file_uri(url)
    if scheme in _SQLITE_SCHEMES:
        return _sqlite_url(url)
    if scheme in SERVER_SCHEMES:
        return parse_server_url(url)
    raise UnsupportedURLError(f"{scheme}: is not a database that memrepo opens")


def check_path(field: str, value: str | PathLike[str]) -> str:
    """
    Accept what can name a database's file, and return it.

    Raises:
        InvalidInputError: It is no str and no path of str, names no file, is a server's URL, whose token would be
            shown as a file's name, or names a file that SQLite would take for a part of another database, and delete.
    """
    path = fspath(value) if isinstance(value, PathLike) else value
    if not isinstance(path, str):
        raise InvalidInputError(field, f"must be a str or a path, not {type(path).__name__}")
    if not path or "\0" in path:
        raise InvalidInputError(field, "must name a file, without a NUL character")
    if _is_server_url(path):
        raise InvalidInputError(field, "is the URL of a server, and must be a path")
    if path.endswith(SIDE_SUFFIXES):
        raise InvalidInputError(field, "names a file that SQLite keeps beside a database")
    try:
        fsencode(path)
    except UnicodeEncodeError:
        raise InvalidInputError(field, "has a character that a file's name cannot have") from None
    return path


def _file(path: str, mode: str = "rwc") -> Location:
    if path == _MEMORY or (path and mode == "memory"):
        return Location(None)
    if path.startswith(_MEMORY):
        raise UnsupportedURLError(":memory: has no name and no options")
    return Location(Path(check_path("url", path)).absolute(), mode)


def _file_uri(url: str) -> Location:
    parts = _split(url)
    if parts.netloc not in ("", "localhost") or parts.fragment:
        raise UnsupportedURLError("file: URLs have no host and no fragment")
    return _file(_unquoted(parts.path), _mode(parts.query))


def _sqlite_url(url: str) -> Location:
    parts = _split(url)
    if "://" not in url or parts.netloc or parts.fragment:
        raise UnsupportedURLError("sqlite: URLs need three slashes: sqlite:///agent.db")
    # SQLAlchemy's form: the first slash only separates, so four make an absolute path.
    return _file(_unquoted(parts.path.removeprefix("/")) or _MEMORY, _mode(parts.query))


def _unquoted(path: str) -> str:
    # As the system's names of files are read, which need not be UTF-8: `Path.as_uri` quotes their bytes.
    return unquote(path, errors="surrogateescape")


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        # The message of this ValueError may show a part of the URL.
        raise UnsupportedURLError("the URL is malformed") from None


def _mode(query: str) -> str:
    options = dict(parse_qsl(query, keep_blank_values=True))
    mode = options.pop("mode", "rwc")
    if options:
        raise UnsupportedURLError("the URL has an option other than mode")
    if mode not in _MODES:
        raise UnsupportedURLError(f"mode must be one of {', '.join(_MODES)}")
    return mode
