"""Clients that go away at any time, by the thousand: rows are whole or absent, and the store goes on."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import pytest

from tests.doors.web.serving import FRAMEWORKS, SERVERS, WebServer, running
from tests.doors.web.stored import stored

#: Clients at once.
_N_CLIENTS: Final = 50


async def cut_off(server: WebServer, n: int, seed: int) -> None:
    """Send *n* messages, and close each connection at a random moment: within 80 ms, or what two answers take."""
    moments = random.Random(seed)
    at_once = asyncio.Semaphore(_N_CLIENTS)

    async def one(text: str, after_s: float | None) -> float:
        async with at_once:
            began_s = perf_counter()
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(server.request("/messages", text))
            if after_s is None:
                await reader.readuntil(b"}")
            else:
                await asyncio.sleep(after_s)
            writer.transport.abort()
            return perf_counter() - began_s

    whole = await asyncio.gather(*(one(f"whole {number}", None) for number in range(_N_CLIENTS)))
    most_s = max(0.08, 2 * median(whole))
    await asyncio.gather(
        *(one(f"message {number}", moments.uniform(0, most_s)) for number in range(n))
    )


def check_whole_or_absent(server: WebServer, n: int) -> int:
    """Check every message once all that were begun are done; return how many of those cut off are stored."""
    with server.client() as client:
        assert client.post("/messages", json={"text": "the last one"}).status_code == 200
    server.signal(signal.SIGTERM)
    server.wait()
    rows = stored(server.path)
    assert rows.problems == []
    assert Counter(rows.replies) == Counter(f"You said: {text}" for text in rows.messages)
    assert set(Counter(rows.messages).values()) == {1}
    whole = {"the last one", *(f"whole {number}" for number in range(_N_CLIENTS))}
    assert whole <= set(rows.messages)
    assert set(rows.messages) - whole <= {f"message {number}" for number in range(n)}
    return len(rows.messages) - len(whole)


@pytest.mark.parametrize("framework", ["fastapi", "quart"])
def test_1000_requests_cut_off(framework: str, tmp_path: Path) -> None:
    """Of 1,000 messages that are cut off at random, each is stored with its reply, or not at all."""
    server = WebServer("uvicorn", f"{framework}_app", tmp_path, is_gated=False, pause_s=0.01)
    with running(server):
        asyncio.run(cut_off(server, 1_000, seed=7))
        n_stored = check_whole_or_absent(server, 1_000)
        assert sorted(path.name for path in tmp_path.glob("web.db*")) == ["web.db"]
    # Both happen, or this would prove nothing.
    assert 0 < n_stored < 1_000 if framework == "quart" else n_stored > 0
    print(framework, n_stored, "of 1,000 stored")


@pytest.mark.campaign
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_many_requests_cut_off(framework: str, kind: str, tmp_path: Path) -> None:
    """The same on every server, also under two workers that write to one file, with pauses that are long and short."""
    n = 10_000 if os.environ.get("MEMREPO_CAMPAIGN") == "long" else 2_000
    for pause_s in (0.0, 0.002, 0.02):
        folder = tmp_path / f"{pause_s}"
        folder.mkdir()
        server = WebServer(
            kind, f"{framework}_app", folder, workers=2, is_gated=False, pause_s=pause_s
        )
        with running(server):
            asyncio.run(cut_off(server, n, seed=n))
            print(framework, kind, pause_s, check_whole_or_absent(server, n), "of", n)


@pytest.mark.parametrize("kind", SERVERS)
def test_cancelled_inside_a_transaction(kind: str, tmp_path: Path) -> None:
    """Quart cancels a handler inside its transaction: that is rolled back, and the next one begins at once."""
    server = WebServer(kind, "quart_block", tmp_path)
    with running(server):
        with server.send("/block", "Hello"):
            server.wait_for("began", "Hello")
            assert stored(server.path).facts == set()
        server.wait_for("cancelled", "Hello")
        server.let_go("again")
        with server.client() as client:
            assert client.post("/block", json={"text": "again"}).status_code == 200
    assert stored(server.path).facts == {"before again", "after again"}


@pytest.mark.parametrize(
    ("kind", "option"),
    [("uvicorn", "--timeout-graceful-shutdown=1"), ("hypercorn", "--graceful-timeout=1")],
)
def test_shutdown_that_waits_no_longer(kind: str, option: str, tmp_path: Path) -> None:
    """A handler that outlasts the server's patience is cancelled; nothing of it is stored, and the store is closed."""
    server = WebServer(kind, "fastapi_app", tmp_path, option)
    with running(server):
        with server.send("/messages", "Hello"):
            server.wait_for("began", "Hello")
            server.signal(signal.SIGTERM)
            server.wait()
        assert server.has("cancelled", "Hello")
        assert sorted(path.name for path in tmp_path.glob("web.db*")) == ["web.db"]
    rows = stored(server.path)
    assert (rows.messages, rows.replies) == ([], [])
