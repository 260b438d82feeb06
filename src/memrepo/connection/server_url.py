"""Read the URL of a database on a libSQL server. No error shows the URL, because it may hold a token."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from memrepo.errors import UnsupportedURLError

__all__ = ["SERVER_SCHEMES", "ServerLocation", "parse_server_url"]

#: The schemes of servers, and what each means without ``?tls=``. ``libsql:`` means HTTPS, because Turso
#: Cloud hands out such URLs and does not take WebSockets.
SERVER_SCHEMES: Final = {
    "libsql": "https",
    "http": "http",
    "https": "https",
    "ws": "ws",
    "wss": "wss",
}
_WITHOUT_TLS: Final = {"https": "http", "wss": "ws"}
#: A token in another place than its own, where it would be shown with the rest of the URL.
_has_token = re.compile(r"auth[-_]?token", re.IGNORECASE).search
_OPTIONS: Final = ("authToken", "mode", "namespace", "tls")
#: Names that fit into a ``Host`` header as they are; the server itself takes any name.
_namespace = re.compile(r"[A-Za-z0-9_-]{1,63}").fullmatch


@attrs.frozen
class ServerLocation:
    """A database on a server, and how it is reached."""

    #: ``http``, ``https``, ``ws`` or ``wss``.
    scheme: str
    #: The server's name or address; an IPv6 address has its brackets.
    host: str
    #: The port; ``None`` for the scheme's default.
    port: int | None = None
    #: The prefix of the server's paths: ``""``, or ``/db`` behind a proxy.
    path: str = ""
    #: The database on a server with namespaces; ``None`` if the host name selects it.
    namespace: str | None = None
    #: Whether nothing is written there: ``?mode=ro``.
    is_read_only: bool = False
    #: The token from the URL.
    auth_token: str | None = attrs.field(default=None, repr=False, eq=False)

    def __str__(self) -> str:
        """Return the URL for messages, without the token."""
        return self.root if self.namespace is None else f"{self.root}?namespace={self.namespace}"

    @property
    def is_websocket(self) -> bool:
        """Whether it is reached over a WebSocket."""
        return self.scheme.startswith("ws")

    @property
    def authority(self) -> str:
        """The host, and the port if there is one."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def root(self) -> str:
        """The URL that the server's paths are appended to."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def headers(self) -> dict[str, str]:
        """
        The headers that select the database.

        A server with namespaces takes the first label of ``Host`` as the namespace.
        """
        if self.namespace is None:
            return {}
        host = "localhost" if self.host.startswith("[") else self.host
        port = "" if self.port is None else f":{self.port}"
        return {"Host": f"{self.namespace}.{host}{port}"}


def parse_server_url(url: str) -> ServerLocation:
    """
    Read the URL of a database on a server.

    Accepts ``libsql://host``, ``https://host``, ``http://host:8080/prefix``, ``ws:`` and ``wss:``, with
    ``?authToken=``, ``?namespace=``, ``?mode=ro`` and, for ``libsql:``, ``?tls=0`` for no TLS.

    Raises:
        UnsupportedURLError: It is malformed, or has any other part. The message does not show the URL.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        # The message of this ValueError may show a part of the URL.
        raise UnsupportedURLError("the URL is malformed") from None
    if not host or "://" not in url or not re.fullmatch(r"[\w.:%-]+", host):
        raise UnsupportedURLError("the URL names no server: libsql://host")
    if parts.username is not None or parts.password is not None:
        raise UnsupportedURLError(
            "a URL has no user: a token stands in ?authToken=, or is given apart from the URL"
        )
    if parts.fragment:
        raise UnsupportedURLError("the URL of a server has no fragment")
    if _has_token(unquote(f"{host}{parts.path}")):
        raise UnsupportedURLError("a token stands in ?authToken=, or is given apart from the URL")
    options = _options(parts.query)
    return ServerLocation(
        scheme=_scheme(parts.scheme, options.get("tls")),
        host=f"[{host}]" if ":" in host else host,
        port=port,
        path=parts.path.rstrip("/"),
        namespace=_check_namespace(options.get("namespace")),
        is_read_only=_check_mode(options.get("mode")),
        auth_token=options.get("authToken") or None,
    )


def _options(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise UnsupportedURLError("the URL's options are malformed") from None
    options = dict(pairs)
    if len(options) < len(pairs) or not options.keys() <= set(_OPTIONS):
        raise UnsupportedURLError(f"the URL has an option other than {', '.join(_OPTIONS)}")
    return options


def _scheme(given: str, tls: str | None) -> str:
    scheme = SERVER_SCHEMES[given.lower()]
    if tls is None or (tls == "1") == (scheme in _WITHOUT_TLS):
        return scheme
    if tls == "0" and given.lower() == "libsql":
        return _WITHOUT_TLS[scheme]
    raise UnsupportedURLError("tls must be 0 or 1 and fit the scheme; only libsql: takes both")


def _check_namespace(name: str | None) -> str | None:
    if name is not None and not _namespace(name):
        raise UnsupportedURLError("namespace must be 1 to 63 letters, digits, - and _")
    return name


def _check_mode(mode: str | None) -> bool:
    if mode not in {None, "ro"}:
        raise UnsupportedURLError("the mode of a server can only be ro")
    return mode == "ro"
