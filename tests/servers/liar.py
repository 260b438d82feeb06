"""
A server that lies: it passes everything on to a real one, and falsifies what that answers.

Over HTTP and over a WebSocket, whose messages it passes on one by one.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import aiohttp
import attrs
from aiohttp import web

__all__ = ["DEEP", "GONE", "Liar", "falsify", "liar"]

#: Takes an answer, and returns what to send instead; with the status, where that is another one, too.
Lie: TypeAlias = Callable[[bytes], bytes | tuple[int, bytes]]

#: In a falsified answer, stands for JSON that is nested deeper than any parser goes.
DEEP: Final = "nested 100,000 deep"
#: The headers of a WebSocket that each side makes by itself.
_OF_A_HOP: Final = ("Upgrade", "Connection")
#: Stands for something that is left out.
GONE: Final = "left out"


@attrs.define
class Liar:
    """What the server does with the answers."""

    #: Where it listens.
    port: int = 0
    #: Falsifies each answer; ``None`` for the truth.
    lie: Lie | None = None
    #: How many answers it has passed on.
    n_answers: int = 0

    def say(self, answer: bytes) -> tuple[int, bytes]:
        """Return the status and what to answer."""
        self.n_answers += 1
        said = answer if self.lie is None else self.lie(answer)
        return said if isinstance(said, tuple) else (200, said)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each place in a JSON value: the list or object that it is in, and its index or key."""
    keys: Any = range(len(value)) if isinstance(value, list) else value
    if isinstance(value, list | dict):
        for key in keys:
            yield value, key
            yield from _places(value[key])


def falsify(answer: bytes, place: int, instead: Any) -> bytes:
    """Return a JSON answer with *instead* at one of its places, counted round and round from 0."""
    try:
        whole = [json.loads(answer)]
    except ValueError:
        return json.dumps(instead).encode()
    found = list(_places(whole))
    holder, key = found[place % len(found)]
    if instead == GONE:
        if len(found) == 1 or holder is whole:
            return b""
        del holder[key]
    else:
        holder[key] = copy.deepcopy(instead)
    text = json.dumps(whole[0])
    deep = "[" * 100_000 + "]" * 100_000
    return text.replace(json.dumps(DEEP), deep).encode()


@asynccontextmanager
async def liar(target_port: int) -> AsyncIterator[Liar]:
    """Run a lying server in front of the one at *target_port*."""
    state = Liar()
    target = f"127.0.0.1:{target_port}"
    async with aiohttp.ClientSession() as session:

        async def answer(request: web.Request) -> web.StreamResponse:
            headers = {k: v for k, v in request.headers.items() if not k.startswith("Sec-")}
            if request.headers.get("Upgrade", "").lower() == "websocket":
                kept = {k: v for k, v in headers.items() if k not in _OF_A_HOP}
                return await _bridge(request, session, f"ws://{target}", kept, state)
            async with session.request(
                request.method,
                f"http://{target}{request.rel_url}",
                data=await request.read(),
                headers=headers,
            ) as response:
                status, body = response.status, await response.read()
            if status == 200:
                status, body = state.say(body)
            return web.Response(status=status, body=body)

        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        state.port = runner.addresses[0][1]
        try:
            yield state
        finally:
            await runner.cleanup()


async def _bridge(
    request: web.Request,
    session: aiohttp.ClientSession,
    target: str,
    headers: dict[str, str],
    state: Liar,
) -> web.WebSocketResponse:
    near = web.WebSocketResponse(protocols=["hrana2"], max_msg_size=0)
    await near.prepare(request)
    async with session.ws_connect(target, protocols=["hrana2"], headers=headers) as far:

        async def pass_on() -> None:
            async for message in near:
                await far.send_str(message.data)

        passing = asyncio.create_task(pass_on())
        passing.add_done_callback(lambda _: asyncio.ensure_future(far.close()))
        async for message in far:
            _, said = state.say(message.data.encode())
            try:
                try:
                    await near.send_str(said.decode())
                except UnicodeDecodeError:
                    await near.send_bytes(said)
            except ConnectionError:
                break
        passing.cancel()
        await near.close()
    return near
