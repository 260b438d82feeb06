"""Tokens and TLS: who is let in, who is told what, and that a token shows nowhere."""

from __future__ import annotations

import asyncio
import logging
import ssl
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

import memrepo
from memrepo import AuthenticationError, ConnectionLostError, InvalidInputError
from tests.patience import PATIENCE_S
from tests.servers.keys import TokenMaker
from tests.servers.proxy import proxy
from tests.servers.sqld import Sqld

pytestmark = pytest.mark.asyncio

both = pytest.mark.parametrize("scheme", ["http", "ws"])


@both
async def test_token_as_argument(locked_sqld: Sqld, tokens: TokenMaker, scheme: str) -> None:
    """A good token opens the store."""
    url = locked_sqld.new_url(scheme)
    async with memrepo.connect(url, auth_token=tokens.token()) as store:
        assert (await store.memories.remember("Likes tea")).outcome == "created"
        assert (await store.info()).server_version == "sqld 0.24.32"


@both
async def test_token_in_the_url(locked_sqld: Sqld, tokens: TokenMaker, scheme: str) -> None:
    """A token in the URL is as good; the argument comes first."""
    url = locked_sqld.new_url(scheme)
    async with memrepo.connect(f"{url}&authToken={tokens.token()}") as store:
        assert await store.memories.count() == 0
    async with memrepo.connect(f"{url}&authToken=garbage", auth_token=tokens.token()) as store:
        assert await store.memories.count() == 0


@both
async def test_token_in_the_environment(
    locked_sqld: Sqld, tokens: TokenMaker, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`from_env` takes the token from TURSO_AUTH_TOKEN, and leaves it alone for a file."""
    monkeypatch.setenv("TURSO_DATABASE_URL", locked_sqld.new_url(scheme))
    monkeypatch.setenv("TURSO_AUTH_TOKEN", tokens.token())
    async with memrepo.from_env() as store:
        assert await store.memories.count() == 0
    monkeypatch.setenv("TURSO_DATABASE_URL", ":memory:")
    async with memrepo.from_env() as store:
        assert await store.memories.count() == 0


def _bad_tokens(tokens: TokenMaker) -> dict[str, str | None]:
    return {
        "none": None,
        "garbage": "garbage",
        "another key's": TokenMaker().token(),
        "expired": tokens.token(lifetime_s=-3600),
    }


@both
@pytest.mark.parametrize("kind", ["none", "garbage", "another key's", "expired"])
async def test_refused_token(locked_sqld: Sqld, tokens: TokenMaker, scheme: str, kind: str) -> None:
    """A token that is not accepted is an AuthenticationError, at once and every time."""
    token = _bad_tokens(tokens)[kind]
    for _ in range(5):
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(AuthenticationError) as caught:
                await memrepo.connect(
                    locked_sqld.new_url(scheme), auth_token=token, lock_timeout_s=2 * PATIENCE_S
                )
        assert (caught.value.retryable, caught.value.outcome_unknown) == (False, False)


@both
async def test_token_that_only_reads(locked_sqld: Sqld, tokens: TokenMaker, scheme: str) -> None:
    """A token that may only read opens a store that is up to date, reads, and is refused a write."""
    url = locked_sqld.new_url(scheme)
    async with memrepo.connect(url, auth_token=tokens.token()) as store:
        await store.memories.remember("Likes tea")
    async with memrepo.connect(url, auth_token=tokens.token(a="ro")) as store:
        for _ in range(3):
            reads = asyncio.gather(*(store.memories.count() for _ in range(20)))
            with pytest.raises(AuthenticationError) as caught:
                await store.memories.remember("Likes coffee")
            assert not caught.value.outcome_unknown
            with pytest.raises(AuthenticationError):
                async with store.transaction() as tx:
                    await tx.memories.remember("Likes coffee")
            assert await reads == [1] * 20
        assert await store.memories.count() == 1


@both
@pytest.mark.parametrize("is_async", [False, True])
async def test_rotation(
    locked_sqld: Sqld, tokens: TokenMaker, scheme: str, *, is_async: bool
) -> None:
    """A function is asked for the token once, and again when the server refuses the last."""
    given = [tokens.token(lifetime_s=-3600), tokens.token()]

    def next_token() -> str:
        return given.pop(0)

    async def next_token_later() -> str:
        await asyncio.sleep(0)
        return given.pop(0)

    source = next_token_later if is_async else next_token
    url = locked_sqld.new_url(scheme)
    async with memrepo.connect(url, auth_token=source) as store:
        for n in range(20):
            await store.memories.remember(f"{n}")
    assert given == []


async def test_function_that_fails(locked_sqld: Sqld) -> None:
    """What the function raises, or a token that is none, comes out of the call."""

    def fail() -> str:
        raise LookupError("no token today")

    with pytest.raises(LookupError):
        await memrepo.connect(locked_sqld.new_url(), auth_token=fail)
    none: Any = lambda: None  # noqa: E731
    with pytest.raises(InvalidInputError, match=r"^auth_token: "):
        await memrepo.connect(locked_sqld.new_url(), auth_token=none)


@both
async def test_token_shows_nowhere(
    locked_sqld: Sqld, tokens: TokenMaker, scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No log, repr, message or traceback holds the token, whether it is good, refused or unheard."""
    good, bad = tokens.token(), TokenMaker().token()
    seen: list[str] = []
    with caplog.at_level(logging.DEBUG):
        url = locked_sqld.new_url(scheme)
        async with memrepo.connect(f"{url}&authToken={good}") as store:
            await store.memories.remember("Likes tea")
            seen += [repr(store), repr(store.connection), repr(await store.info())]
            seen.append(repr(memrepo.connect(f"{url}&authToken={good}", auth_token=good)))
        closed = f"{scheme}://127.0.0.1:1"
        for target, token in ((url, bad), (closed, good), (locked_sqld.url("missing"), good)):
            for attempt in (
                memrepo.connect(target, auth_token=token, lock_timeout_s=0.1),
                memrepo.connect(
                    f"{target.partition('?')[0]}?authToken={token}", lock_timeout_s=0.1
                ),
            ):
                with pytest.raises(memrepo.DatabaseError) as caught:
                    await attempt
                seen += [str(caught.value), repr(caught.value)]
                seen.append("".join(traceback.format_exception(caught.value)))
    seen += [f"{record.getMessage()}{record.args!r}{record.exc_text}" for record in caplog.records]
    for token in (good, bad):
        assert [text for text in seen if token in text] == []


# --- TLS ---------------------------------------------------------------------------------------


@asynccontextmanager
async def behind_tls(sqld: Sqld, server_side: ssl.SSLContext) -> AsyncIterator[str]:
    """The authority of a TLS proxy in front of a server."""
    async with proxy(sqld.port, server_side) as state:
        yield f"localhost:{state.port}"


@pytest.mark.parametrize("scheme", ["https", "libsql", "wss"])
async def test_tls(
    sqld: Sqld, certificate: tuple[ssl.SSLContext, ssl.SSLContext], scheme: str
) -> None:
    """Each scheme with TLS speaks it, and trusts what the context trusts."""
    server_side, client_side = certificate
    namespace = sqld.new_namespace()
    async with behind_tls(sqld, server_side) as authority:
        url = f"{scheme}://{authority}?namespace={namespace}"
        async with memrepo.connect(url, ssl_context=client_side) as store:
            assert (await store.memories.remember("Likes tea")).outcome == "created"
    assert sqld.query(namespace, "SELECT count(*) FROM memory_entries") == [(1,)]


@pytest.mark.parametrize("scheme", ["https", "libsql", "wss"])
async def test_certificate_that_is_not_trusted(
    sqld: Sqld, certificate: tuple[ssl.SSLContext, ssl.SSLContext], scheme: str
) -> None:
    """By default the system's roots decide; a certificate of nobody's is refused, at once."""
    async with behind_tls(sqld, certificate[0]) as authority, asyncio.timeout(PATIENCE_S):
        with pytest.raises(ConnectionLostError) as caught:
            await memrepo.connect(f"{scheme}://{authority}", lock_timeout_s=2 * PATIENCE_S)
    assert (caught.value.retryable, caught.value.outcome_unknown) == (False, False)


async def test_libsql_without_tls(sqld: Sqld) -> None:
    """``libsql:`` means TLS unless the URL turns it off."""
    async with memrepo.connect(sqld.new_url("libsql")) as store:
        assert (await store.info()).protocol == "hrana3-http"


# --- a server that echoes ----------------------------------------------------------------------

_ECHOES: dict[str, str] = {
    "a page": "HTTP/1.1 502 Bad Gateway\r\nContent-Length: {n}\r\n\r\n{page}",
    "a page that is cut": "HTTP/1.1 400 Bad\r\nContent-Length: {m}\r\n\r\n{padding}{token}",
    "an error": 'HTTP/1.1 400 Bad\r\nContent-Length: {k}\r\n\r\n{{"message":"{token}"}}',
    "a code": 'HTTP/1.1 400 Bad\r\nContent-Length: {j}\r\n\r\n{{"code":"{token}"}}',
    "a status line": "{token} 200 OK\r\n\r\n",
    "a header": "HTTP/1.1 401 Refused\r\n{token}\r\n\r\n",
    "a length": "HTTP/1.1 200 OK\r\nContent-Length: {token}\r\n\r\n",
    "an answer that is no JSON": "HTTP/1.1 200 OK\r\nContent-Length: {n}\r\n\r\n{page}",
    "an answer that is cut off": "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{page}",
    "an error in an answer": (
        "HTTP/1.1 200 OK\r\nContent-Length: {i}\r\n\r\n"
        '{{"results":[{{"type":"error","error":{{"message":"{token}","code":"{token}"}}}}]}}'
    ),
    "a key of an answer": (
        "HTTP/1.1 200 OK\r\nContent-Length: {h}\r\n\r\n"
        '{{"results":[{{"type":"ok","response":{{"type":"{token}"}}}}]}}'
    ),
}


def everything_of(error: BaseException | None) -> str:
    """All that can be seen of an error and of what is behind it."""
    seen: list[str] = []
    while error is not None:
        seen += [str(error), repr(error), repr(error.args), repr(vars(error))]
        seen.append("".join(traceback.format_exception(error)))
        error = error.__cause__ or error.__context__
    return "\n".join(seen)


@both
@pytest.mark.parametrize("echo", _ECHOES)
async def test_token_that_is_echoed(
    scheme: str, echo: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy that sends the token back does not make it visible: not in the error, nor in its causes."""
    token = "S3CR3T.token-of_64" * 4
    page = f"<h1>Bad</h1> Authorization: Bearer {token}"
    sizes = {
        "n": len(page),
        "m": 180 + len(token),
        "k": 14 + len(token),
        "j": 11 + len(token),
        "i": 63 + 2 * len(token),
        "h": 52 + len(token),
    }
    answer = _ECHOES[echo].format(token=token, page=page, padding="x" * 180, **sizes).encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with caplog.at_level(logging.DEBUG), pytest.raises(memrepo.DatabaseError) as caught:
            await memrepo.connect(url, auth_token=token, lock_timeout_s=0.1)
    seen = everything_of(caught.value) + caplog.text
    assert "S3CR3T" not in seen


@pytest.mark.parametrize("way", ["hello", "close"])
async def test_token_that_is_echoed_on_a_websocket(way: str) -> None:
    """The same for a message of a WebSocket, and for the reason of its end."""
    token = "S3CR3T.token"

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade") is None:
            return web.Response(status=500, text=token)
        socket = web.WebSocketResponse(protocols=["hrana2"])
        await socket.prepare(request)
        said = await socket.receive_json()
        if way == "hello":
            error = {"message": said["jwt"], "code": said["jwt"]}
            await socket.send_json({"type": "hello_error", "error": error})
            await socket.receive()
        await socket.close(code=3000, message=said["jwt"].encode())
        return socket

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
        with pytest.raises(memrepo.DatabaseError) as caught:
            await memrepo.connect(url, auth_token=token, lock_timeout_s=0.1)
    finally:
        await runner.cleanup()
    assert "S3CR3T" not in everything_of(caught.value)
