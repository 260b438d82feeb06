"""Whatever a server answers, a call gives what is right or one of memrepo's errors, and soon."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import pytest
from hypothesis import Phase, given, settings, strategies as st

import memrepo
from memrepo import MemrepoError, Store
from tests.patience import PATIENCE_S
from tests.servers.liar import DEEP, GONE, Liar, falsify, liar
from tests.servers.sqld import Sqld

pytestmark = pytest.mark.asyncio

both = pytest.mark.parametrize("scheme", ["http", "ws"])

#: Whether both drivers are told every lie at every moment, or each lie, in turn, one of them.
_IS_FULL: Final = os.environ.get("MEMREPO_CONTRACT") == "full"

#: Seconds that a server has to answer (where it may as well be too slow, fewer), that a call tries again, and
#: a bit more than a call may then take.
_ANSWER_S: Final = 1.0
_SHORT_ANSWER_S: Final = 0.25
_AGAIN_S: Final = 0.2
_SOON_S: Final = 30.0

#: What may stand anywhere instead of what is right.
anything = st.one_of(
    st.sampled_from([DEEP, GONE]),
    st.none() | st.booleans() | st.integers(-2, 2) | st.just(10**40) | st.floats(),
    st.just("") | st.text(max_size=5) | st.sampled_from(["error", "ok", "batch", "text", "row"]),
    st.sampled_from([[], {}, [[]], [None], [{}], {"type": "error"}, {"type": "null"}]),
    st.sampled_from([{"type": "ok", "response": None}, {"message": None, "code": []}]),
)


async def use(store: Store) -> None:
    """A call of every kind."""
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: store.memories.remember("Likes tea"),
        store.memories.count,
        lambda: store.memories.find_by_content("Likes tea"),
        store.memories.find_many,
        lambda: asyncio.gather(*(store.memories.remember(f"{n}") for n in range(5))),
        lambda: store.daily_logs.append(None, "x", {"a": 1}),
        store.sessions.get_or_start,
        store.info,
        store.ping,
        lambda: _block(store),
    ]
    for call in calls:
        await soon(call())


async def _block(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.memories.remember("In a block")
        await tx.memories.count()


async def soon(call: Awaitable[object]) -> MemrepoError | None:
    """Return the error of a call that must be one of memrepo's, if any."""
    began = time.monotonic()
    try:
        await call
    except MemrepoError as error:
        return error
    finally:
        assert time.monotonic() - began < _SOON_S
    return None


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """Open a store that waits only for a short time, which on a busy machine may take some attempts."""
    store = None
    async with asyncio.timeout(PATIENCE_S):
        while store is None:
            with suppress(memrepo.DeadlineError, memrepo.ConnectionLostError):
                store = await memrepo.connect(
                    url, request_timeout_s=_ANSWER_S, lock_timeout_s=_AGAIN_S
                )
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def lying(sqld: Sqld, namespace: str, scheme: str) -> AsyncIterator[tuple[Liar, str]]:
    """A lying server, and the URL of a database on it."""
    async with liar(sqld.port) as state:
        yield state, f"{scheme}://127.0.0.1:{state.port}?namespace={namespace}"


@both
@settings(
    max_examples=150 if _IS_FULL else 25,
    phases=[Phase.explicit, Phase.generate],
)
@given(is_new=st.booleans(), first=st.integers(0, 15), place=st.integers(0, 200), instead=anything)
async def test_answers_that_are_false_in_one_place(
    sqld: Sqld,
    caplog: pytest.LogCaptureFixture,
    scheme: str,
    is_new: bool,
    first: int,
    place: int,
    instead: Any,
) -> None:
    """From some answer on, one value in each is another: calls end in time, and the store opens afterwards."""
    namespace = sqld.new_namespace()
    if not is_new:
        async with memrepo.connect(sqld.url(namespace)):
            pass
    with caplog.at_level(logging.ERROR, "asyncio"):
        async with lying(sqld, namespace, scheme) as (state, url):

            def lie(answer: bytes) -> bytes:
                return answer if state.n_answers <= first else falsify(answer, place, instead)

            state.lie = lie
            try:
                store = await memrepo.connect(
                    url, request_timeout_s=_SHORT_ANSWER_S, lock_timeout_s=_AGAIN_S
                )
            except MemrepoError:
                pass
            else:
                await use(store)
                await soon(store.close())
            state.lie = None
            async with memrepo.connect(url) as store:
                assert (await store.memories.remember("Now")).entry.content == "Now"
    assert caplog.records == []


_NO_MESSAGE: Final = {"type": "error", "error": {"message": None, "code": None}}

#: What a server may answer to everything.
LIES: Final[dict[str, bytes | tuple[int, bytes]]] = {
    "nothing": b"",
    "a text": b"hello",
    "no text": b"\xff\xfe\x00",
    "a list": b"[]",
    "null": b"null",
    "a number": b"1" * 10_000,
    "an empty object": b"{}",
    "half": b'{"baton":null,"results":[{"type":"ok","respon',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep in an object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "results that are an object": b'{"results":{}}',
    "results that are null": b'{"results":null}',
    "results of lists": b'{"results":[[]]}',
    "an error without a message": json.dumps({"results": [_NO_MESSAGE]}).encode(),
    "an error that is a list": b'{"results":[{"type":"error","error":[]}]}',
    "an error that is null": b'{"results":[{"type":"error","error":null}]}',
    "a code that is an object": b'{"results":[{"type":"error","error":{"code":{"a":1}}}]}',
    "an unknown type": b'{"type":"unheard of"}',
    "an unknown id": b'{"type":"response_ok","request_id":99,"response":{"type":"batch"}}',
    "an id that is a list": b'{"type":"response_ok","request_id":[],"response":{}}',
    "an error for an unknown id": b'{"type":"response_error","request_id":99,"error":{}}',
    "an error that is null for the first id": (
        b'{"type":"response_error","request_id":0,"error":null}'
    ),
    "a response without a result": (
        b'{"type":"response_ok","request_id":1,"response":{"type":"batch"}}'
    ),
    "hello twice": b'{"type":"hello_ok"}',
    "hello with an error that is null": b'{"type":"hello_error","error":null}',
    "a status with a list": (400, b"[]"),
    "a status with null": (400, b'{"message":null,"code":null}'),
    "a status with depth": (500, b"[" * 100_000),
    "a status with an object for the code": (418, b'{"code":{},"message":[]}'),
}


#: After how many true answers a server begins to lie; ``None`` for when the store is open.
MOMENTS: Final = {"at once": 0, "after one": 1, "when it is open": None}


def _cases() -> Iterator[Any]:
    """Yield each lie, each moment and the driver."""
    for n, (name, moment) in enumerate(itertools.product(LIES, MOMENTS)):
        for place, scheme in enumerate(("http", "ws")):
            # A WebSocket's messages have no status.
            has_status = isinstance(LIES[name], tuple)
            if scheme == "http" if has_status else _IS_FULL or n % 2 == place:
                case = (scheme, name, MOMENTS[moment])
                yield pytest.param(*case, id=f"{moment}-{name}-{scheme}")


@pytest.mark.parametrize(("scheme", "name", "n_true"), list(_cases()))
async def test_answers_that_are_all_false(
    sqld: Sqld, caplog: pytest.LogCaptureFixture, scheme: str, name: str, n_true: int | None
) -> None:
    """While connecting and afterwards, whatever comes is one of memrepo's errors, and soon."""
    namespace = sqld.new_namespace()
    async with memrepo.connect(sqld.url(namespace)):
        pass
    async with lying(sqld, namespace, scheme) as (state, url):
        if n_true is not None:
            opening = memrepo.connect(url, request_timeout_s=_ANSWER_S, lock_timeout_s=_AGAIN_S)
            state.lie = lambda answer: answer if state.n_answers <= n_true else LIES[name]
            assert await soon(opening) is not None
            state.lie = None
            return
        async with opened(url) as store:
            state.lie = lambda _: LIES[name]
            calls = (store.memories.count(), store.memories.remember("x"), _block(store))
            told = await asyncio.gather(*map(soon, calls))
            assert all(isinstance(error, memrepo.DatabaseError) for error in told)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
