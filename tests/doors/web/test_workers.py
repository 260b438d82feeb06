"""Several workers on one file, and what a restart under load does to what was acknowledged."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Final

import httpx
import pytest

from tests.doors.web.serving import SERVERS, WebServer, running
from tests.doors.web.stored import stored
from tests.patience import PATIENCE_S, eventually

_N_CLIENTS: Final = 8
#: What the servers that can replace their workers write for each that has started.
_STARTED: Final = {"uvicorn": "Started server process", "granian": "Started worker"}


@pytest.mark.parametrize("kind", SERVERS)
def test_two_workers_on_one_file(kind: str, tmp_path: Path) -> None:
    """Two processes with a store each write to one file at once: everything that was answered is stored, once."""
    server = WebServer(kind, "fastapi_app", tmp_path, workers=2, is_gated=False)
    answers: list[dict[str, object]] = []

    async def remember(client_number: int) -> None:
        async with httpx.AsyncClient(
            base_url=server.url, headers=server.headers(), timeout=PATIENCE_S, verify=False
        ) as client:
            for number in range(10):
                text = f"Fact {number} of client {client_number}"
                answers.append((await client.post("/facts", json={"text": text})).json())

    async def remember_all() -> None:
        await asyncio.gather(*map(remember, range(_N_CLIENTS)))

    with running(server):
        eventually(lambda: server.n_stores() == 2)
        asyncio.run(remember_all())
        assert {answer["outcome"] for answer in answers} == {"created"}
        assert len({answer["id"] for answer in answers}) == len(answers)
    assert len(stored(server.path).facts) == len(answers) == 10 * _N_CLIENTS


class Load:
    """Clients that remember one fact after another, and note each that was acknowledged."""

    def __init__(self, server: WebServer) -> None:
        self._server = server
        self._is_over = False
        self.acknowledged: list[str] = []
        #: Requests that got no answer: their facts may be stored or not.
        self.n_unanswered = 0

    async def run(self, restarts: Callable[[Load], Awaitable[None]]) -> None:
        """Write until *restarts* returns."""
        # A connection for each request, as from many clients: a kept one would stay with its worker.
        limits = httpx.Limits(max_keepalive_connections=0)
        url, headers = self._server.url, self._server.headers()
        async with httpx.AsyncClient(
            base_url=url, headers=headers, limits=limits, timeout=PATIENCE_S, verify=False
        ) as client:
            clients = [
                asyncio.create_task(self._remember(client, number)) for number in range(_N_CLIENTS)
            ]
            await restarts(self)
            self._is_over = True
            await asyncio.gather(*clients)

    async def until_started(self, n_workers: int) -> None:
        """Go on until so many workers have started, and for 100 facts more."""
        goal = None
        deadline = monotonic() + PATIENCE_S
        while goal is None or len(self.acknowledged) < goal:
            assert monotonic() < deadline, self._server.log
            await asyncio.sleep(0.005)
            if goal is None and self.n_started() >= n_workers:
                goal = len(self.acknowledged) + 100

    def n_started(self) -> int:
        """How many workers have started, those among them that have ended."""
        return sum(map(self._server.log.count, _STARTED.values()))

    async def _remember(self, client: httpx.AsyncClient, client_number: int) -> None:
        number = 0
        while not self._is_over:
            number += 1
            text = f"Fact {number} of client {client_number}"
            try:
                answer = await client.post("/facts", json={"text": text})
            except httpx.TransportError:
                self.n_unanswered += 1
            else:
                assert answer.status_code == 201, answer.text
                self.acknowledged.append(text)
            await asyncio.sleep(0.005)  # what starts anew needs a processor, too


def check_nothing_lost(load: Load, path: Path) -> None:
    rows = stored(path)
    assert rows.problems == []
    assert set(load.acknowledged) <= rows.facts
    assert len(rows.facts) <= len(load.acknowledged) + load.n_unanswered


@pytest.mark.parametrize(
    "n_restarts", [1, pytest.param(10, marks=[pytest.mark.campaign, pytest.mark.timeout(1_800)])]
)
@pytest.mark.parametrize("kind", _STARTED)
def test_rolling_restart_under_load(kind: str, n_restarts: int, tmp_path: Path) -> None:
    """Workers are replaced one after another (SIGHUP) while clients write: nothing acknowledged is lost."""
    server = WebServer(kind, "fastapi_app", tmp_path, workers=2, is_gated=False)
    load = Load(server)

    async def restart(load: Load) -> None:
        await load.until_started(2)
        for _ in range(n_restarts):
            # Uvicorn also replaces, by itself, a worker that a busy machine has kept waiting.
            before = load.n_started()
            server.signal(signal.SIGHUP)
            await load.until_started(before + 2)

    with running(server):
        asyncio.run(load.run(restart))
        server.signal(signal.SIGTERM)
        server.wait()
    print(kind, len(load.acknowledged), "acknowledged", load.n_unanswered, "without an answer")
    check_nothing_lost(load, server.path)
