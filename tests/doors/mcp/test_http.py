"""`memrepo mcp --http`: twenty clients, a token, and the names under which it may be reached."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.applications import Starlette
from starlette.routing import Mount

import memrepo
from memrepo.contrib.mcp import http_app, memory_server
from memrepo.serving import listen
from tests.doors.mcp.serving import TOKEN, HttpServer, call, http_server
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio

PING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    """A server on a free port of the loopback, for all tests that need no database of their own."""
    with http_server(
        tmp_path_factory.mktemp("http") / "agent.db", "--allow-host", "Memory.Example"
    ) as server:
        yield server


async def post(server: HttpServer, **headers: str) -> httpx2.Response:
    """Ask for the tools by hand."""
    async with httpx2.AsyncClient(timeout=PATIENCE_S) as http:
        return await http.post(server.url, json=PING, headers={**ACCEPT, **headers})


async def assert_whole(store: memrepo.Store) -> None:
    """Assert that each fact has the event of the call that remembered it, and each event its fact."""
    logged = [event.event_data async for event in store.daily_logs.iterate()]
    facts = [fact.id async for fact in store.memories.iterate()]
    assert sorted(str(data) for data in logged) == sorted(
        str({"toolName": "remember", "success": True, "context": f"fact {number}: created"})
        for number in facts
    )


async def test_twenty_clients_at_once(server: HttpServer) -> None:
    """Each of twenty clients remembers five facts and recalls one of its own; no call is lost, none fails."""

    async def use(n: int) -> None:
        async with server.client() as client:
            for m in range(5):
                told = await call(client, "remember", content=f"Guest{n} ordered dish{n}x{m}")
                assert told["outcome"] == "created"
            found = await call(client, "search", query=f"dish{n}x3")
            assert found["results"][0]["title"] == f"Guest{n} ordered dish{n}x3"

    await asyncio.gather(*map(use, range(20)))
    async with memrepo.connect(server.database) as store:
        dishes = memrepo.MemoryFilter(contains="ordered dish")
        assert await store.memories.count(dishes) == 100
        await assert_whole(store)


async def test_cancelled_calls_are_whole_or_absent(server: HttpServer) -> None:
    """Whichever calls a client gives up, each left its fact and its event, or neither, and the server goes on."""
    async with server.client() as client:
        for n in range(40):
            task = asyncio.ensure_future(client.call_tool("remember", {"content": f"Fact {n}"}))
            await asyncio.wait([task], timeout=n / 2_000)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await call(client, "remember", content="The last one")
    async with memrepo.connect(server.database) as store:
        await assert_whole(store)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN],
)
async def test_without_the_token_there_is_nothing(server: HttpServer, authorization: str) -> None:
    """Any other header than that with the token is answered with 401, and no log has what was sent."""
    headers = {"Authorization": authorization} if authorization else {}
    answer = await post(server, **headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert TOKEN[:-1] not in server.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"Authorization": f"bearer {TOKEN}"}, None),
        ({"Host": "localhost"}, None),
        ({"Host": "memory.example"}, None),
        ({"Host": "memory.example:8443", "Origin": "https://memory.example:8443"}, None),
        ({"Host": "LOCALHOST:8000"}, None),
        ({"Host": "Memory.Example", "Origin": "HTTPS://MEMORY.example"}, None),
        ({"Host": "evil.example"}, 421),
        ({"Host": "memory.example.evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
    ],
    ids=str,
)
async def test_only_for_its_own_names(
    server: HttpServer, headers: dict[str, str], refusal: int | None
) -> None:
    """A request for another host is refused, and one from a page of another origin; case does not matter."""
    answer = await post(server, **{"Authorization": f"Bearer {TOKEN}", **headers})
    assert (answer.status_code if answer.status_code in {401, 403, 421} else None) == refusal


async def test_server_of_its_own(tmp_path: Path) -> None:
    """A new token is printed once, and works; after Ctrl-C the server says so, and has closed its store."""
    with http_server(tmp_path / "agent.db", token=None, stop=signal.SIGINT) as server:
        log = server.log.read_text(encoding="utf-8")
        found = re.search(r"Authorization: Bearer is (\S{43})$", log, re.MULTILINE)
        assert found
        assert server.url.startswith("http://127.0.0.1:")
        async with server.client(token=found[1]) as client:
            await call(client, "remember", content="Likes tea")
    log = server.log.read_text(encoding="utf-8")
    assert log.count(found[1]) == 1
    assert log.endswith("memrepo: interrupted\n")


async def test_mounted_into_another_app(tmp_path: Path) -> None:
    """An app of the program's own serves a memory beside its pages, if its lifespan runs that of the server."""
    async with memrepo.connect(tmp_path / "agent.db") as store:
        server = memory_server(store.scoped("user:ada"))
        memory = http_app(server, token=TOKEN, allowed_hosts=["app.example"])

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
            async with server.session_manager.run():
                yield

        app = Starlette(routes=[Mount("/ada", memory)], lifespan=lifespan)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        transport = httpx2.ASGITransport(app)
        async with (
            lifespan(app),
            httpx2.AsyncClient(transport=transport, headers=headers) as http,
            Client(
                streamable_http_client("http://app.example/ada/mcp", http_client=http)
            ) as client,
        ):
            await call(client, "remember", content="Likes tea")
        assert await store.scoped("user:ada").memories.count() == 1


async def test_token_that_can_be_guessed_is_refused() -> None:
    """A short token, one that no header can have, or what is no text is an error before anything is served."""
    wrong = (
        "",
        "short",
        "has a space in it, and is long",
        "zu-kurz-für-einen-ä",
        None,
        b"x" * 16,
        5,
    )
    async with memrepo.connect(":memory:") as store:
        for token in wrong:
            anything: Any = token
            with pytest.raises(memrepo.InvalidInputError, match=r"^token: must (have|be)"):
                http_app(memory_server(store), token=anything)


@pytest.mark.parametrize(
    "host", ["https://memory.example", "memory.example:8443", "::1", "*", "a b", ""]
)
async def test_host_that_no_client_sends_is_refused(host: str) -> None:
    """A URL, a port, or what is no name would only ever lead to 421: it is an error before anything is served."""
    async with memrepo.connect(":memory:") as store:
        with pytest.raises(memrepo.InvalidInputError, match=r"allowed_hosts(\[0\])?: must"):
            http_app(memory_server(store), token=TOKEN, allowed_hosts=[host])


async def test_hosts_must_be_several_names() -> None:
    """One text is no collection of names, though it is one of letters, which nobody has meant."""
    async with memrepo.connect(":memory:") as store:
        for hosts in ("example.org", b"example.org", ["example.org", 5], None):
            anything: Any = hosts
            with pytest.raises(memrepo.InvalidInputError, match=r"^allowed_hosts"):
                http_app(memory_server(store), token=TOKEN, allowed_hosts=anything)


async def test_tools_must_be_tools() -> None:
    """What is no tool is refused by memrepo's own error, also where a text was given for several of them."""
    async with memrepo.connect(":memory:") as store:
        for tools in ("remember", ["remember"]):
            anything: Any = tools
            with pytest.raises(memrepo.InvalidInputError, match=r"^tools: must be tools"):
                memory_server(store, tools=anything)


async def test_answers_do_not_wait_for_acknowledgements() -> None:
    """On a connection to the server's socket, Nagle's algorithm is off: it would hold each answer back for 40 ms."""
    no_delay: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        no_delay.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with listen("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        async with await asyncio.start_server(look, sock=listener):
            _, writer = await asyncio.open_connection(*address)
            assert await no_delay
            writer.close()
