"""The places for reads, and the stream for writes, on a transport that a test plays the server of."""

from __future__ import annotations

import asyncio
from asyncio import Future
from typing import Any, Final

import attrs
import pytest
import pytest_asyncio

from memrepo import BusyError, ClosedError, ConnectionLostError, DatabaseError, DeadlineError
from memrepo.connection.hrana import (
    errors,
    keepalive,
)
from memrepo.connection.hrana.batch import Batch, BatchReply, Step
from memrepo.connection.hrana.errors import ServerError
from memrepo.connection.hrana.keepalive import KeptStream
from memrepo.connection.hrana.reader import ServerReader
from memrepo.connection.pending import PendingCall
from memrepo.queries.statement import Statement
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio

_READ: Final = Statement("t", "read")
_LONG: Final = Statement("t", "long", is_long=True)


@attrs.define
class Server:
    """What a transport is to its users; each batch waits until the test answers it."""

    sent: list[tuple[Batch, Future[BatchReply]]] = attrs.field(factory=list)
    #: The streams that were to live on after their first batch.
    streams: list[Stream] = attrs.field(factory=list)

    async def run(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        assert timeout_s > 0
        future: Future[BatchReply] = asyncio.get_running_loop().create_future()
        self.sent.append((batch, future))
        return await future

    def stream(self) -> Stream:
        return Stream(self)

    def texts(self) -> list[list[str]]:
        """Return the texts of each batch."""
        return [[step.sql for step in batch.steps] for batch, _ in self.sent]

    async def answer(self, number: int, *, failing: bool = False) -> None:
        """Answer a batch: for each step, the row that belongs to the first of its calls."""
        batch, future = self.sent[number]
        row = [{"type": "integer", "value": "0"}, {"type": "text", "value": "row"}]
        n = len(batch.steps)
        done = None if failing else {"rows": [row], "affected_row_count": 0}
        error = ServerError("SQLITE_UNKNOWN", "failed") if failing else None
        future.set_result(BatchReply([done] * n, [error] * n, has_succeeded=not failing))
        await _settled()

    async def fail(self, number: int, error: Exception) -> None:
        """Fail a batch as a whole."""
        self.sent[number][1].set_exception(error)
        await _settled()


@attrs.define(eq=False)
class Stream:
    """A stream on a server."""

    server: Server
    is_usable: bool = True
    is_abandoned: bool = False

    async def run(self, batch: Batch, *, timeout_s: float, is_last: bool = False) -> BatchReply:
        assert not self.is_abandoned
        if not is_last and self not in self.server.streams:
            self.server.streams.append(self)
        reply = await self.server.run(batch, timeout_s=timeout_s)
        self.is_usable = not is_last
        return reply

    async def abandon(self) -> None:
        self.is_abandoned = True


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Readers:
    """Tasks that read through one `ServerReader`."""

    def __init__(self) -> None:
        self.server = Server()
        self.reader = ServerReader(self.server)  # type: ignore[arg-type]
        self.calls: list[PendingCall] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def read(self, statement: Statement, count: int = 1, wait_s: float = 5.0) -> None:
        for _ in range(count):
            loop = asyncio.get_running_loop()
            call = PendingCall(loop.time() + wait_s, loop.create_future(), (statement.bind(),))
            self.calls.append(call)
            self.tasks.append(asyncio.create_task(self.reader.run(call, 5.0)))
        await _settled()

    async def answer_all(self) -> None:
        await self.answer_all_but(set())
        await asyncio.gather(*self.tasks)

    async def answer_all_but(self, left_out: set[int]) -> None:
        number = 0
        while number < len(self.server.sent):
            if number not in left_out and not self.server.sent[number][1].done():
                await self.server.answer(number)
            number += 1


@pytest_asyncio.fixture
async def readers() -> Readers:
    """Readers, on a transport that answers when the test says so."""
    return Readers()


async def test_reads_at_once(readers: Readers) -> None:
    """Eight reads are under way at once; the others follow in order, each as soon as one has ended."""
    await readers.read(_READ, 12)
    assert readers.server.texts() == [["read"]] * 8
    await readers.server.answer(3)
    await readers.server.answer(5)
    assert readers.server.texts() == [["read"]] * 10
    assert [call.outcome is not None for call in readers.calls].count(True) == 2
    await readers.answer_all()
    assert [len(call.results()[0].rows) for call in readers.calls] == [1] * 12


async def test_long_read_holds_up_nobody(readers: Readers) -> None:
    """While one slot has a read that takes long, the others serve what comes."""
    await readers.read(_READ)
    for number in range(1, 30):
        await readers.read(_READ)
        await readers.server.answer(number)
        assert readers.calls[number].outcome is not None
    await readers.answer_all()


async def test_quick_reads_beside_long_ones(readers: Readers) -> None:
    """However many long reads wait, at most four are under way, and a quick one is sent at once."""
    await readers.read(_LONG, 12)
    assert readers.server.texts() == [["long"]] * 4
    await readers.read(_READ, 5)
    assert readers.server.texts() == [["long"]] * 4 + [["read"]] * 4
    await readers.server.answer(7)
    assert readers.server.texts()[8:] == [["read"]]
    await readers.server.answer(0)
    assert readers.server.texts()[9:] == [["long"]]
    readers.tasks[5].cancel()
    await readers.answer_all_but(set())
    results = await asyncio.gather(*readers.tasks, return_exceptions=True)
    assert [n for n, result in enumerate(results) if result is not None] == [5]


async def test_long_reads_while_it_is_closed(readers: Readers) -> None:
    """Closing refuses the long reads that wait, and lets those that run have their rows."""
    await readers.read(_LONG, 6)
    await readers.read(_READ, 6)
    readers.reader.refuse()
    draining = asyncio.create_task(readers.reader.drain())
    await _settled()
    for number in range(8):
        assert not draining.done()
        await readers.server.answer(number)
    results = await asyncio.gather(*readers.tasks, return_exceptions=True)
    refused = [n for n, result in enumerate(results) if isinstance(result, ClosedError)]
    assert refused == [4, 5, 10, 11]
    async with asyncio.timeout(PATIENCE_S):
        await draining


async def test_cancelled_readers(readers: Readers) -> None:
    """Reads can be cancelled while they wait and while they run; the others have their rows."""
    await readers.read(_READ, 12)
    for number in (2, 9):
        readers.tasks[number].cancel()
    await _settled()
    assert readers.server.texts() == [["read"]] * 9  # the ninth has the slot of the third
    await readers.answer_all_but({2})
    results = await asyncio.gather(*readers.tasks, return_exceptions=True)
    assert [n for n, result in enumerate(results) if result is not None] == [2, 9]
    async with asyncio.timeout(PATIENCE_S):
        await readers.reader.drain()


async def test_place_granted_to_a_cancelled_reader(readers: Readers) -> None:
    """A read that is cancelled in the moment that it gets its place gives it to the next."""
    await readers.read(_READ, 10)
    failed = BatchReply([None], [ServerError("X", "")], has_succeeded=False)
    readers.server.sent[0][1].set_result(failed)
    while readers.calls[0].outcome is None:
        await asyncio.sleep(0)
    readers.tasks[8].cancel()
    await _settled()
    for number in range(1, 9):
        await readers.server.answer(number)
    results = await asyncio.gather(*readers.tasks, return_exceptions=True)
    assert [isinstance(result, BaseException) for result in results] == [False] * 8 + [True, False]
    async with asyncio.timeout(PATIENCE_S):
        await readers.reader.drain()


async def test_lost_request_is_sent_again(readers: Readers) -> None:
    """A read whose answer was lost is sent again until its deadline, and then told why it failed."""
    await readers.read(_READ, wait_s=0.05)
    await readers.server.fail(0, errors.lost(None, was_sent=True))
    await asyncio.sleep(0.02)
    assert readers.server.texts() == [["read"]] * 2
    await asyncio.sleep(0.05)
    await readers.server.fail(1, errors.deadline(None))
    await asyncio.gather(*readers.tasks)
    outcome = readers.calls[0].outcome
    assert isinstance(outcome, DeadlineError)
    assert not outcome.outcome_unknown


async def test_turn_that_does_not_come(readers: Readers) -> None:
    """A read whose turn does not come in time is told so, and takes no place from the others."""
    await readers.read(_READ, 8)
    await readers.read(_READ, 5, wait_s=0.02)
    results = await asyncio.gather(*readers.tasks[8:], return_exceptions=True)
    assert [type(result) for result in results] == [BusyError] * 5
    for number in range(8):
        await readers.server.answer(number)
    async with asyncio.timeout(PATIENCE_S):
        await readers.reader.drain()


async def test_close_while_reads_wait(readers: Readers) -> None:
    """Closing refuses the reads that wait, and lets those that run have their rows."""
    await readers.read(_READ, 20)
    await readers.server.answer(0)
    await readers.read(_READ, 5)
    readers.reader.refuse()
    draining = asyncio.create_task(readers.reader.drain())
    await readers.read(_READ, 1)
    for number in range(1, 9):
        assert not draining.done()
        await readers.server.answer(number)
    results = await asyncio.gather(*readers.tasks, return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 9 + [ClosedError] * 17
    async with asyncio.timeout(PATIENCE_S):
        await draining


# --- the stream for writes -----------------------------------------------------------------------

_WRITE: Final = Batch([Step("BEGIN"), Step("COMMIT"), Step("ROLLBACK")], [], 1)


def _reply(done: str, *, is_autocommit: bool | None) -> BatchReply:
    """The reply to `_WRITE`, with the steps that are marked done."""
    results: list[Any] = [{} if mark == "x" else None for mark in done]
    return BatchReply(results, [None] * 3, done[_WRITE.decisive] == "x", is_autocommit)


class Writes:
    """Writes by one `KeptStream`."""

    def __init__(self) -> None:
        self.server = Server()
        self.kept = KeptStream(self.server)  # type: ignore[arg-type]

    async def write(self, reply: BatchReply | Exception) -> int | None:
        """Write; return the number of the stream that it took, ``None`` for one that ended with it."""
        task = asyncio.create_task(self.kept.run(_WRITE, timeout_s=5))
        await _settled()
        future = self.server.sent[-1][1]
        if isinstance(reply, Exception):
            future.set_exception(reply)
        else:
            future.set_result(reply)
        try:
            await task
        except DatabaseError as error:
            assert error is reply  # noqa: PT017 - or none comes
        used = [n for n, stream in enumerate(self.server.streams)]
        return used[-1] if used else None


async def test_stream_is_kept_from_the_second_write_on() -> None:
    """A first write has a stream that ends with it; those that follow soon share one."""
    writes = Writes()
    ok = _reply("xx.", is_autocommit=True)
    assert [await writes.write(ok) for _ in range(4)] == [None, 0, 0, 0]
    await writes.kept.close()
    assert writes.server.streams[0].is_abandoned


@pytest.mark.parametrize(
    ("reply", "is_kept"),
    [
        (_reply("xx.", is_autocommit=True), True),
        (_reply("xx.", is_autocommit=None), True),
        (_reply("x.x", is_autocommit=True), True),
        (_reply("x.x", is_autocommit=None), True),
        (_reply("x..", is_autocommit=None), False),
        (_reply("...", is_autocommit=None), False),
        (_reply("x..", is_autocommit=False), False),
        (errors.lost(None, was_sent=True), False),
        (errors.translate(ServerError("SQLITE_BUSY", "")), False),
    ],
)
async def test_stream_that_is_not_surely_clean(
    reply: BatchReply | Exception, *, is_kept: bool
) -> None:
    """A stream is used again only if its transaction is surely over."""
    writes = Writes()
    ok = _reply("xx.", is_autocommit=True)
    await writes.write(ok)
    assert await writes.write(ok) == 0
    assert await writes.write(reply) == 0
    assert writes.server.streams[0].is_abandoned is not is_kept
    assert await writes.write(ok) == (0 if is_kept else 1)
    await writes.kept.close()


async def test_stream_whose_socket_broke() -> None:
    """A stream that is gone while nothing runs on it is replaced before anything is sent."""
    writes = Writes()
    ok = _reply("xx.", is_autocommit=True)
    await writes.write(ok)
    await writes.write(ok)
    writes.server.streams[0].is_usable = False
    assert await writes.write(ok) == 1
    await writes.kept.close()


async def test_idle_stream_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that is not used for a while is ended, but not while it is used."""
    loop = asyncio.get_running_loop()
    ok = _reply("xx.", is_autocommit=True)
    longest_s = idle_s = 0.05
    while longest_s >= idle_s:  # it was not used for a while, as the machine is slow
        idle_s *= 2
        monkeypatch.setattr(keepalive, "_IDLE_S", idle_s)
        writes = Writes()
        used = [await writes.write(ok)]
        longest_s = 0.0
        for step_s in (0.0, *[0.4 * idle_s] * 5):
            since = loop.time()
            await asyncio.sleep(step_s)
            used.append(await writes.write(ok))
            longest_s = max(longest_s, loop.time() - since)
    assert used == [None, *[0] * 6]
    while not writes.server.streams[0].is_abandoned:
        await asyncio.sleep(0.01)
    # The next one comes alone again.
    n_streams = len(writes.server.streams)
    await writes.write(ok)
    assert len(writes.server.streams) == n_streams
    await writes.kept.close()


async def test_replica_that_lost_its_primary() -> None:
    """What a replica says when a stream's primary is gone is a lost connection, of unknown outcome."""
    refusal = ServerError("HTTP 500", "Connection with primary broken")
    error = errors.of_status(500, refusal)
    assert isinstance(error, ConnectionLostError)
    assert (error.retryable, error.outcome_unknown) == (True, True)
