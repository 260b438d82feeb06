"""Several programs on one file: each fact once, one session, and waiting that ends (failures.md, MP)."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import memrepo
from memrepo import BusyError, Store
from tests.conftest import Clock
from tests.patience import PATIENCE_S

#: A program says that it is there, waits for a line, and then does its work and prints what came of it.
PREAMBLE = """
import asyncio, json, sys
import memrepo

URL = sys.argv[1]
NUMBER = int(sys.argv[2])

async def main():
    print("there", flush=True)
    sys.stdin.readline()
"""


def together(n_processes: int, script: str, path: Path) -> list[Any]:
    """Run a program several times at once, from one starting signal; return what each printed."""
    body = dedent(script).replace("\n", "\n    ")
    program = f"{PREAMBLE}    {body}\n    print(json.dumps(result))\nasyncio.run(main())\n"
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, str(path), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(n_processes)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "there\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        # A script may have more to import, which takes long on a busy machine.
        outputs = [process.communicate(timeout=4 * PATIENCE_S) for process in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
    assert [process.returncode for process in processes] == [0] * n_processes, outputs
    return [json.loads(output) for output, _ in outputs]


@contextmanager
def foreign_lock(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Have another process hold the file's write lock, until a line is written to it."""
    program = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
        "print('held', flush=True)\n"
        "sys.stdin.readline()\n"
        "connection.execute('ROLLBACK')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.communicate("\n", timeout=PATIENCE_S)


def check_whole(path: Path) -> None:
    """See that SQLite finds nothing wrong with the file."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.slow
def test_first_open_by_eight(tmp_path: Path) -> None:
    """MP-01, MI-01: eight processes that open a new file at once all succeed, and it is migrated once."""
    path = tmp_path / "agent.db"
    results = together(
        8,
        """
        async with memrepo.connect(URL) as store:
            result = [store.schema_version, (await store.memories.remember(str(NUMBER))).outcome]
        """,
        path,
    )
    assert len({version for version, _ in results}) == 1
    assert {outcome for _, outcome in results} == {"created"}
    check_whole(path)
    with closing(sqlite3.connect(path)) as connection:
        applied = connection.execute("SELECT number FROM memrepo_migrations").fetchall()
        assert applied == [(number,) for number in range(1, results[0][0] + 1)]
        assert connection.execute("SELECT count(*) FROM memory_entries").fetchone() == (8,)


def test_same_facts_from_four(tmp_path: Path) -> None:
    """MP-07: of four processes that remember the same facts one created each, and all have its id."""
    path = tmp_path / "agent.db"
    results = together(
        4,
        """
        async with memrepo.connect(URL) as store:
            facts = await asyncio.gather(
                *(store.memories.remember(f"fact {n}") for n in range(100)),
                store.memories.remember_many(
                    memrepo.MemoryNew(content=f"batch {n}") for n in range(100)
                ),
            )
            flat = [*facts[:100], *facts[100]]
            result = [(fact.outcome, fact.id) for fact in flat]
        """,
        path,
    )
    for outcomes in zip(*results, strict=True):
        assert sorted(outcome for outcome, _ in outcomes) == ["created"] + ["duplicate"] * 3
        assert len({number for _, number in outcomes}) == 1
    check_whole(path)


@pytest.mark.slow
def test_one_session_from_four(tmp_path: Path) -> None:
    """MP-08: four processes get one session in each thread, and one event for one key."""
    path = tmp_path / "agent.db"
    results = together(
        4,
        """
        async with memrepo.connect(URL) as store:
            scopes = [store.scoped(f"user:{n}") for n in range(20)]
            calls = (s.sessions.get_or_start(t) for t in ("", "phone") for s in scopes)
            sessions = await asyncio.gather(*calls)
            events = [
                await scope.daily_logs.append(session.id, "x", NUMBER, key="k")
                for scope, session in zip(scopes, sessions)
            ]
            result = [[s.id for s in sessions], [(e.id, e.event.event_data) for e in events]]
        """,
        path,
    )
    assert all(result == results[0] for result in results)
    assert len(set(results[0][0])) == 40
    check_whole(path)


@pytest.mark.slow
def test_one_ender_of_four(tmp_path: Path) -> None:
    """Of four processes that end one session one did, and all see its trigger."""
    path = tmp_path / "agent.db"
    asyncio.run(_start(path))
    results = together(
        4,
        """
        async with memrepo.connect(URL) as store:
            end = await store.sessions.end(1, trigger=f"process {NUMBER}")
            result = [end.ended_now, end.session.end_trigger]
        """,
        path,
    )
    (winner,) = [number for number, (ended_now, _) in enumerate(results) if ended_now]
    assert {trigger for _, trigger in results} == {f"process {winner}"}


async def _start(path: Path) -> None:
    async with memrepo.connect(path) as store:
        await store.sessions.start()


@pytest.mark.slow
def test_inferring_from_four(tmp_path: Path) -> None:
    """Of four processes that observe one pattern, every third observation infers, and each is one of the count."""
    path = tmp_path / "agent.db"
    results = together(
        4,
        """
        async with memrepo.connect(URL) as store:
            calls = (store.memories.observe("short answers", f"{NUMBER}-{n}") for n in range(30))
            seen = await asyncio.gather(*calls)
            result = [[its.n, its.inferred and its.inferred.outcome] for its in seen]
        """,
        path,
    )
    seen = [tuple(its) for each in results for its in each]
    assert sorted(n for n, _ in seen) == [1] * 40 + [2] * 40 + [3] * 40
    outcomes = [outcome for n, outcome in seen if n == 3]
    assert sorted(outcomes) == ["created", *["duplicate"] * 39]
    assert {outcome for n, outcome in seen if n < 3} == {None}
    check_whole(path)


@pytest.mark.slow
def test_counting_from_four(tmp_path: Path) -> None:
    """MP-02: transactions of four processes that read and then write lose no count."""
    path = tmp_path / "agent.db"
    asyncio.run(_remember_counter(path))
    together(
        4,
        """
        async with memrepo.connect(URL) as store:
            for _ in range(25):
                async with store.transaction() as tx:
                    entry = await tx.memories.get(1)
                    await tx.memories.update(1, metadata={"n": entry.metadata["n"] + 1})
            result = None
        """,
        path,
    )
    assert asyncio.run(_counter(path)) == {"n": 100}
    check_whole(path)


async def _remember_counter(path: Path) -> None:
    async with memrepo.connect(path) as store:
        await store.memories.remember("counter", metadata={"n": 0})


async def _counter(path: Path) -> Any:
    async with memrepo.connect(path) as store:
        return (await store.memories.get(1)).metadata


# --- a lock for good ---------------------------------------------------------------------------


async def _remember(store: Store, n: int) -> None:
    await store.memories.remember(f"fact {n}")


async def _begin(store: Store, _n: int) -> None:
    async with store.transaction():
        pytest.fail("the block ran")


async def rounds(done: asyncio.Event) -> int:
    """Count how often the event loop comes round."""
    n_rounds = 0
    while not done.is_set():
        await asyncio.sleep(0.002)
        n_rounds += 1
    return n_rounds


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("call", "n_calls"),
    [(_remember, 1), (_remember, 20), (_begin, 1)],
    ids=["write", "group", "transaction"],
)
async def test_deadline(
    tmp_path: Path, clock: Clock, call: Callable[[Store, int], Awaitable[object]], n_calls: int
) -> None:
    """MP-04: BusyError comes at the deadline, and not before, and the event loop goes on."""
    path = tmp_path / "agent.db"
    done = asyncio.Event()
    async with memrepo.connect(path, clock=clock, lock_timeout_s=2) as store:
        with foreign_lock(path):
            watching = asyncio.create_task(rounds(done))
            start = time.perf_counter()
            calls = [call(store, n) for n in range(n_calls)]
            results = await asyncio.gather(*calls, return_exceptions=True)
            took = time.perf_counter() - start
            done.set()
            n_rounds = await watching
        assert all(isinstance(result, BusyError) and result.retryable for result in results)
        # One after the other, those of a group would wait for 40 seconds.
        assert 1.6 <= took <= 25
        assert n_rounds > 5
        assert (await store.memories.remember("a")).outcome == "created"
        assert await store.memories.count() == 1


@pytest.mark.asyncio
async def test_open_behind_a_lock(tmp_path: Path, clock: Clock) -> None:
    """MP-04: a file that another process has locked can be opened and read; a new one waits or is busy."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember("a")
    with foreign_lock(path):
        async with memrepo.connect(path, clock=clock, lock_timeout_s=0.5) as store:
            assert await store.memories.count() == 1
            with pytest.raises(BusyError):
                await store.memories.remember("b")
    new = tmp_path / "new.db"
    with foreign_lock(new):
        start = time.perf_counter()
        with pytest.raises(BusyError):
            await memrepo.connect(new, clock=clock, lock_timeout_s=1)
        assert time.perf_counter() - start < 25
    async with memrepo.connect(new, clock=clock) as store:
        await store.memories.remember("a")
