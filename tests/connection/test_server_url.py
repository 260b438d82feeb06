"""The URLs of servers: what each form means, what is refused, and where the token never shows."""

from __future__ import annotations

from typing import Any

import pytest

import memrepo
from memrepo import InvalidInputError, UnsupportedURLError
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.url import parse_url

SECRET = "S3CR3T"


@pytest.mark.parametrize(
    ("url", "root", "namespace"),
    [
        ("libsql://db.example.org", "https://db.example.org", None),
        ("LIBSQL://DB.example.org/", "https://db.example.org", None),
        ("libsql://db.example.org?tls=1", "https://db.example.org", None),
        ("libsql://127.0.0.1:8080?tls=0", "http://127.0.0.1:8080", None),
        ("https://db.example.org:444/prefix/", "https://db.example.org:444/prefix", None),
        ("https://db.example.org?tls=1", "https://db.example.org", None),
        ("http://localhost:8080?namespace=a-B_9", "http://localhost:8080", "a-B_9"),
        ("http://localhost:8080?tls=0", "http://localhost:8080", None),
        ("ws://[::1]:8080?namespace=n", "ws://[::1]:8080", "n"),
        ("wss://db.example.org", "wss://db.example.org", None),
    ],
)
def test_forms(url: str, root: str, namespace: str | None) -> None:
    """Each form names a server, and ``libsql:`` means HTTPS unless TLS is turned off."""
    location = parse_url(url)
    assert isinstance(location, ServerLocation)
    assert (location.root, location.namespace) == (root, namespace)


@pytest.mark.parametrize("url", ["http://localhost:8080", "ws://localhost:8080?namespace=n"])
def test_reading_only(url: str) -> None:
    """``mode=ro`` is the only mode of a server."""
    location = parse_url(f"{url}{'&' if '?' in url else '?'}mode=ro")
    assert isinstance(location, ServerLocation)
    assert location.is_read_only
    plain = parse_url(url)
    assert isinstance(plain, ServerLocation)
    assert not plain.is_read_only


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://localhost:8080?namespace=n", "n.localhost:8080"),
        ("https://db.example.org?namespace=n", "n.db.example.org"),
        ("http://127.0.0.1:80?namespace=n", "n.127.0.0.1:80"),
        ("http://[::1]:80?namespace=n", "n.localhost:80"),
    ],
)
def test_namespace_is_the_first_label_of_host(url: str, host: str) -> None:
    """A namespace goes into the header by which servers choose one."""
    location = parse_url(url)
    assert isinstance(location, ServerLocation)
    assert location.headers == {"Host": host}


@pytest.mark.parametrize(
    "url",
    [
        "libsql:",
        "libsql://",
        "libsql:db.example.org",
        "libsql:///db",
        "libsql://a b",
        "libsql://db.example.org:99999",
        "libsql://db.example.org#part",
        "libsql://user@db.example.org",
        "libsql://db.example.org?mode=rw",
        "libsql://db.example.org?tls=2",
        "http://db.example.org?tls=1",
        "https://db.example.org?tls=0",
        "wss://db.example.org?tls=0",
        "http://db.example.org?namespace=",
        "http://db.example.org?namespace=a.b",
        "http://db.example.org?namespace=a%0d%0ab",
        "http://db.example.org?namespace=" + "n" * 64,
        "http://db.example.org?namespace=a&namespace=b",
    ],
)
def test_forms_that_are_refused(url: str) -> None:
    """What is malformed, contradicts itself or has an unknown option is refused."""
    with pytest.raises(UnsupportedURLError):
        memrepo.connect(url)


def test_token_in_a_url_is_kept_apart() -> None:
    """The token of a URL is taken out of it, and shows in no form of the location."""
    location = parse_url(f"libsql://db.example.org?authToken={SECRET}")
    assert isinstance(location, ServerLocation)
    assert location.auth_token == SECRET
    assert SECRET not in f"{location}{location!r}{location.root}{location.headers}"


@pytest.mark.parametrize("token", ["", "a b", "a\r\nb", "t\u00f6ken", b"token", 5])
def test_bad_token(token: Any) -> None:
    """What no header can carry is refused by name, and not shown."""
    with pytest.raises(InvalidInputError, match=r"^auth_token: ") as caught:
        memrepo.connect("libsql://db.example.org", auth_token=token)
    assert repr(token) not in str(caught.value)


def test_token_for_a_file() -> None:
    """A token for what is no server is a mistake, and said to be one."""
    with pytest.raises(InvalidInputError, match="names no server"):
        memrepo.connect("agent.db", auth_token="token")
