"""Each framework on each server: the store lives as long as the server, and a client may go away at any time."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.doors.web.serving import FRAMEWORKS, NO_FACTS, SERVERS, WebServer, running
from tests.doors.web.stored import stored
from tests.patience import eventually

#: Seconds in which a server notices a client that has gone, or a signal.
_NOTICES_S: Final = 0.2

_cells = [
    pytest.param((framework, kind), marks=pytest.mark.xdist_group(f"{framework} on {kind}"))
    for framework in FRAMEWORKS
    for kind in SERVERS
]


@pytest.fixture(scope="module", params=_cells, ids=" on ".join)
def cell(request: pytest.FixtureRequest) -> tuple[str, str]:
    framework, kind = request.param
    return framework, kind


@pytest.fixture(scope="module")
def server(cell: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A server for all tests of one cell, but for those that end it."""
    framework, kind = cell
    server = WebServer(kind, f"{framework}_app", tmp_path_factory.mktemp("web"))
    with running(server):
        yield server


def test_a_request_writes_and_another_reads(server: WebServer) -> None:
    """What one request has remembered, others read; another user, and nobody, do not."""
    with server.client("ada") as ada, server.client("grace") as grace:
        written = ada.post("/facts", json={"text": "Likes tea"})
        again = ada.post("/facts", json={"text": "likes TEA!"})
        assert (written.status_code, written.json()["outcome"]) == (201, "created")
        assert again.json() == {"id": written.json()["id"], "outcome": "duplicate"}
        assert ada.post("/facts", json={"text": " "}).status_code == 422
        assert ada.get("/facts").json() == ["Likes tea"]
        assert grace.get("/facts").json() == []
        forged = {"authorization": server.headers("ada")["authorization"].replace("ada", "grace")}
        refused = ada.get("/facts", headers=forged)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


def test_a_body_that_names_no_fact(server: WebServer) -> None:
    """Whatever JSON it is, or if it is none, that is the caller's mistake, and nothing is stored."""
    with server.client("edsger") as client:
        for body in NO_FACTS:
            sent = client.post("/facts", content=body, headers={"content-type": "application/json"})
            assert sent.status_code in (400, 422), (body, sent.text)
        assert client.get("/facts").json() == []


def test_the_session_route_is_mounted(server: WebServer) -> None:
    """It answers as the user's session, with what it says of itself, and nobody's without a login."""
    with server.client("linus") as client:
        first = client.get("/session?thread=phone")
        assert (first.status_code, first.json()["active"]) == (200, True)
        seen = {"if-match": first.headers["etag"]}
        started = client.post(
            "/session?thread=phone", headers=seen, json={"source": "user_initiated"}
        )
        assert (started.status_code, started.json()["previousSessionClosed"]) == (201, True)
        late = client.patch("/session?thread=phone", headers=seen)
        assert late.status_code == 412
        assert late.headers["content-type"] == "application/problem+json"
        assert client.head("/session?thread=phone").headers["etag"] == started.headers["etag"]
        assert client.delete("/session").headers["allow"] == "GET, HEAD, OPTIONS, PATCH, POST"
        for method in ("GET", "PATCH", "POST"):
            refused = client.request(method, "/session", headers={"authorization": ""})
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


def test_client_that_goes_away(server: WebServer, cell: tuple[str, str]) -> None:
    """Quart cancels the handler, and nothing is stored; the others run on and store the whole."""
    with server.send("/messages", "Hello"):
        server.wait_for("began", "Hello")
    if cell[0] == "quart":
        server.wait_for("cancelled", "Hello")
    else:
        time.sleep(_NOTICES_S)
    assert server.has("cancelled", "Hello") == (cell[0] == "quart")
    server.let_go("Hello")
    expected = ["You said: Hello"] if cell[0] != "quart" else []
    eventually(lambda: "You said: Hello" in stored(server.path).replies or not expected)
    rows = stored(server.path)
    assert [text for text in rows.replies if "Hello" in text] == expected
    assert ("Hello" in rows.messages) == bool(expected)


def test_client_that_leaves_a_stream(server: WebServer) -> None:
    """The generator is cancelled: its session has ended as such, with the question and without an answer."""
    with server.send("/chat", "Stream") as connection:
        received = b""
        while b"You" not in received:
            received += connection.recv(4_096)
        server.wait_for("began", "Stream")
    server.wait_for("cancelled", "Stream")
    eventually(lambda: bool(stored(server.path).triggers))
    rows = stored(server.path)
    assert "Stream" in rows.messages
    assert "You said: Stream" not in rows.replies
    assert rows.triggers == ["cancelled"]


def test_a_stream_to_its_end(server: WebServer) -> None:
    """Who stays gets every word, and then the answer is stored and the session ended."""
    server.let_go("Stay")
    with server.client("grace") as client:
        answer = client.post("/chat", json={"text": "Stay"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [line.split()[1] for line in answer.text.splitlines() if line] == [
        "You",
        "said:",
        "Stay",
    ]
    rows = stored(server.path, "grace")
    assert (rows.messages, rows.replies) == (["Stay"], ["You said: Stay"])
    assert rows.triggers == ["explicit"]


def test_sigterm_during_a_slow_handler(cell: tuple[str, str], tmp_path: Path) -> None:
    """The handler finishes and is answered, then the lifespan closes the store: no log is left beside the file."""
    framework, kind = cell
    server = WebServer(kind, f"{framework}_app", tmp_path)
    with running(server):
        with server.send("/messages", "Last words") as connection:
            server.wait_for("began", "Last words")
            server.signal(signal.SIGTERM)
            time.sleep(_NOTICES_S)
            server.let_go("Last words")
            answer = connection.recv(4_096)
        assert answer.startswith(b"HTTP/1.1 200")
        server.wait()
        assert sorted(path.name for path in tmp_path.glob("web.db*")) == ["web.db"]
    assert stored(server.path).replies == ["You said: Last words"]
