"""
A store on a file and on a server, beside libsql-client and @libsql/client as their READMEs use them.

``python -m tests.benchmarks.servers`` prints the tables of docs/explanation/sizing.md. It needs sqld (``make
test`` fetches it, or set ``SQLD``), and a machine that does nothing else. Each round measures every
contender once, each with a fresh database and a fresh server, in an order that changes; ratios are formed
within a round.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeAlias

import attrs
import libsql_client

import memrepo
from memrepo import MemoryNew, Store
from pytest_memrepo.sqld import SAFE
from tests.benchmarks import files, sql
from tests.benchmarks.data import SESSION_ID, Event, Fact
from tests.benchmarks.stats import ratios, short
from tests.servers.binary import find_sqld
from tests.servers.sqld import Sqld

#: With its own limits, a server refuses most of a thousand requests at once.
_UNLIMITED: Final = (
    *("--max-concurrent-requests", "4096"),
    *("--max-concurrent-connections", "4096"),
)
_N_WARM: Final = 20

_Op: TypeAlias = Callable[[int], Awaitable[object]]


@attrs.frozen
class Counts:
    """How often each thing is done in a round."""

    one_by_one: int = 300
    at_once: int = 1_000
    bulk: int = 10_000
    tenants: Sequence[int] = (1, 10, 100)
    tenant_calls: int = 2_000


@attrs.frozen
class Work:
    """What a contender can do, with its database open: by the number of the row."""

    append: _Op
    remember_all: Callable[[range], Awaitable[object]]
    get: _Op


_Measure: TypeAlias = Callable[[Work], Awaitable[None]]

EVENT: Final = Event(SESSION_ID, "tool_invocation", {"tool": "calendar", "duration_ms": 120})


def _fact(number: int) -> str:
    return f"The dentist moved appointment {number} to a Thursday, and sent the bill " + "x" * 40


# --- contenders --------------------------------------------------------------------------------


def _ours(store: Store, session_id: int) -> Work:
    return Work(
        append=lambda n: store.daily_logs.append(
            session_id, EVENT.event_type, {**EVENT.data, "n": n}
        ),
        remember_all=lambda numbers: store.memories.remember_many(
            [MemoryNew(content=_fact(n)) for n in numbers]
        ),
        get=store.memories.get,
    )


async def _with_ours(url: str, measure: _Measure) -> None:
    async with memrepo.connect(url, durability="normal", lock_timeout_s=60) as store:
        session = await store.sessions.get_or_start()
        await measure(_ours(store, session.id))


async def _with_plain(port: int, measure: _Measure) -> None:
    # The tables are memrepo's, and so is the session.
    async with memrepo.connect(f"http://localhost:{port}") as store:
        session = await store.sessions.get_or_start()
    async with libsql_client.create_client(f"ws://localhost:{port}") as client:

        async def append(number: int) -> object:
            event = EVENT._replace(session_id=session.id, data={**EVENT.data, "n": number})
            return await client.execute(sql.APPEND_RETURNING, sql.append_values(event))

        async def remember_all(numbers: range) -> object:
            facts = [Fact(_fact(n), "fact") for n in numbers]
            return await client.batch([(sql.REMEMBER, sql.remember_values(fact)) for fact in facts])

        async def get(number: int) -> object:
            return (await client.execute(sql.GET, (number,))).rows[0]

        await measure(Work(append, remember_all, get))


#: The clients that it is compared with: Python's, and the original system's in Node.
_PYTHON, _NODE = "libsql-client", "@libsql/client"
NAMES: Final = ("file", "HTTP", "WebSocket", _PYTHON)
_SCRIPT: Final = Path(__file__).parent / "node" / "server.mjs"


async def _with(name: str, folder: Path, measure: _Measure) -> None:
    if name == "file":
        await _with_ours(str(folder / "agent.db"), measure)
        return
    server = _server(folder, *_UNLIMITED)
    try:
        if name == _PYTHON:
            await _with_plain(server.port, measure)
        else:
            scheme = "http" if name == "HTTP" else "ws"
            await _with_ours(f"{scheme}://localhost:{server.port}", measure)
    finally:
        server.stop()


def _has_node() -> bool:
    package = files.BENCH / "node" / "node_modules" / "@libsql" / "client"
    return shutil.which("node") is not None and package.exists()


async def _node_rates(folder: Path, counts: Counts) -> list[float]:
    """Let @libsql/client do the same rows, in a process of its own."""
    server = _server(folder, *_UNLIMITED)
    try:
        # The tables are memrepo's, and so is the session.
        async with memrepo.connect(f"http://localhost:{server.port}") as store:
            session = await store.sessions.get_or_start()
        order = {
            "url": f"http://localhost:{server.port}",
            "session_id": session.id,
            "data": EVENT.data,
            "append": sql.APPEND_RETURNING,
            "remember": sql.REMEMBER,
            "get": sql.GET,
            "n_warm": 10 * _N_WARM,
            "one_by_one": counts.one_by_one,
            "at_once": counts.at_once,
            "facts": [_fact(n) for n in range(counts.bulk)],
        }
        # Beside the packages: Node looks for them from where the script lies.
        script = shutil.copy(_SCRIPT, files.BENCH / "node")
        pipe = asyncio.subprocess.PIPE
        node = await asyncio.create_subprocess_exec("node", script, stdin=pipe, stdout=pipe)
        out, _ = await node.communicate(json.dumps(order).encode())
        if node.returncode:
            raise RuntimeError(f"{_NODE} failed")
        rates: list[float] = json.loads(out)
        return rates
    finally:
        server.stop()


def _server(folder: Path, *arguments: str) -> Sqld:
    binary = find_sqld()
    if binary is None:
        sys.exit("no sqld: `make test` fetches it, or set SQLD to its path")
    server = Sqld(binary, folder, *SAFE, *arguments)
    server.start()
    return server


# --- one store ---------------------------------------------------------------------------------

ROWS: Final = (
    "`append`, one after another",
    "`append`, 1,000 at once",
    "`remember_many` of 10,000",
    "`get`, one after another",
    "`get`, 1,000 at once",
)


async def _measure_rows(work: Work, counts: Counts, rates: list[float]) -> None:
    async def one_by_one(op: _Op, numbers: range) -> None:
        for n in numbers:
            await op(n)

    async def at_once(op: _Op, numbers: range) -> None:
        await asyncio.gather(*map(op, numbers))

    async def timed(n: int, done: Awaitable[object]) -> None:
        began = time.perf_counter()
        await done
        rates.append(n / (time.perf_counter() - began))

    n_one, n_many = counts.one_by_one, counts.at_once
    await one_by_one(work.append, range(_N_WARM))
    await timed(n_one, one_by_one(work.append, range(n_one)))
    await timed(n_many, at_once(work.append, range(n_many)))
    await timed(counts.bulk, work.remember_all(range(counts.bulk)))
    await one_by_one(work.get, range(1, _N_WARM))
    await timed(n_one, one_by_one(work.get, range(1, n_one + 1)))
    await timed(n_many, at_once(work.get, range(1, n_many + 1)))


def _compare(counts: Counts, n_rounds: int) -> dict[str, list[list[float]]]:
    """Return each contender's rates: a list a row, with a rate a round."""
    names = (*NAMES, _NODE) if _has_node() else NAMES
    rates: dict[str, list[list[float]]] = {name: [[] for _ in ROWS] for name in names}
    for number in range(n_rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            _say(f"round {number + 1} of {n_rounds}: {name}")
            measured: list[float] = []
            with tempfile.TemporaryDirectory() as folder:

                async def measure(work: Work, measured: list[float] = measured) -> None:
                    await _measure_rows(work, counts, measured)

                if name == _NODE:
                    measured += asyncio.run(_node_rates(Path(folder), counts))
                else:
                    asyncio.run(_with(name, Path(folder), measure))
            for row, rate in zip(rates[name], measured, strict=True):
                row.append(rate)
    return rates


def _print_comparison(rates: dict[str, list[list[float]]], plain: str) -> None:
    """Print the rates, and the ratios to those of *plain*."""
    ours = NAMES[:-1]
    print("| a second | " + " | ".join([*ours, f"{plain}, alone"]) + " |")
    print("|---" + "|--:" * (len(ours) + 1) + "|")
    for number, title in enumerate(ROWS):
        theirs = rates[plain][number]
        cells = []
        for name in ours:
            low_high = ratios(rates[name][number], theirs)
            cells.append(
                f"{median(rates[name][number]):,.0f}; {short(low_high.median)}x "
                f"({short(low_high.low)} to {short(low_high.high)})"
            )
        print(f"| {title} | " + " | ".join([*cells, f"{median(theirs):,.0f}"]) + " |")
    print()


def _print_refused(counts: Counts) -> None:
    """Count what libsql-client loses of a thousand calls at once on a server with its own limits."""

    async def measure(work: Work) -> None:
        calls = (work.append(n) for n in range(counts.at_once))
        results = await asyncio.gather(*calls, return_exceptions=True)
        n_failed = sum(isinstance(result, BaseException) for result in results)
        print(f"libsql-client, a server with its own limits: {n_failed} of {len(results)} failed")

    with tempfile.TemporaryDirectory() as folder:
        server = _server(Path(folder))
        try:
            asyncio.run(_with_plain(server.port, measure))
        finally:
            server.stop()


# --- many stores -------------------------------------------------------------------------------


async def _append_to_all(urls: Sequence[str], n_calls: int, at_once: int = 1) -> float:
    """Return the rate of appends, spread over stores that each make some calls at a time."""
    stores = [await memrepo.connect(url, durability="normal", lock_timeout_s=60) for url in urls]
    try:
        sessions = [await store.sessions.get_or_start() for store in stores]
        works = [_ours(store, s.id) for store, s in zip(stores, sessions, strict=True)]
        rounds = max(1, n_calls // (at_once * len(urls)))

        async def tenant(work: Work) -> None:
            for _ in range(rounds):
                await asyncio.gather(*map(work.append, range(at_once)))

        began = time.perf_counter()
        await asyncio.gather(*map(tenant, works))
        return rounds * at_once * len(urls) / (time.perf_counter() - began)
    finally:
        for store in stores:
            await store.close()


def _run_store(url: str, n_calls: int) -> None:
    asyncio.run(_append_to_all([url], n_calls))


def _append_by_processes(url: str, n_processes: int, n_calls: int) -> float:
    with ProcessPoolExecutor(n_processes) as pool:
        # So that processes and imports are there.
        list(pool.map(_run_store, [url] * n_processes, [10] * n_processes))
        began = time.perf_counter()
        share = n_calls // n_processes
        list(pool.map(_run_store, [url] * n_processes, [share] * n_processes))
        return n_calls / (time.perf_counter() - began)


def _resident_mb(server: Sqld) -> float:
    assert server._process is not None
    status = Path(f"/proc/{server._process.pid}/status").read_text()
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]
    return int(kilobytes) / 1_024


def _print_tenants(counts: Counts, n_rounds: int) -> None:
    rates: dict[tuple[str, int], list[float]] = {}
    memory: dict[int, list[float]] = {}
    for number in range(n_rounds):
        _say(f"tenants, round {number + 1} of {n_rounds}")
        for n, at_once in product(counts.tenants, (1, 10)):
            with tempfile.TemporaryDirectory() as folder:
                files = [str(Path(folder) / f"{i}.db") for i in range(n)]
                rate = asyncio.run(_append_to_all(files, counts.tenant_calls, at_once))
                rates.setdefault((f"a file each, {at_once} at once", n), []).append(rate)
            with tempfile.TemporaryDirectory() as folder:
                server = _server(Path(folder))
                try:
                    urls = [server.new_url() for _ in range(n)]
                    rate = asyncio.run(_append_to_all(urls, counts.tenant_calls, at_once))
                    rates.setdefault((f"a namespace each, {at_once} at once", n), []).append(rate)
                    memory.setdefault(n, []).append(_resident_mb(server))
                finally:
                    server.stop()
        for n in (1, 2, 4):
            with tempfile.TemporaryDirectory() as folder:
                file = str(Path(folder) / "agent.db")
                rate = _append_by_processes(file, n, counts.tenant_calls)
                rates.setdefault(("one file, processes", n), []).append(rate)
                server = _server(Path(folder) / "sqld")
                try:
                    rate = _append_by_processes(server.new_url(), n, counts.tenant_calls)
                    rates.setdefault(("one namespace, processes", n), []).append(rate)
                finally:
                    server.stop()
    print("| stores | `append` a second, all together | of one store |")
    print("|---|--:|--:|")
    for (kind, n), measured in sorted(rates.items()):
        share = ratios(measured, rates[kind, 1])
        print(f"| {kind}: {n} | {median(measured):,.0f} | {short(share.median)}x |")
    print()
    for n, sizes in memory.items():
        print(f"the server's memory with {n} namespaces: {median(sizes):,.0f} MB")


# --- from afar ---------------------------------------------------------------------------------

#: Seconds that an answer takes longer, as from a data centre some 2,000 kilometres away.
_DELAY_S: Final = 0.02


@asynccontextmanager
async def _afar(to_port: int) -> AsyncIterator[int]:
    """Yield a port behind which a server's answers come later."""
    writers: set[StreamWriter] = set()

    async def forward(reader: StreamReader, writer: StreamWriter, delay_s: float) -> None:
        loop = asyncio.get_running_loop()
        while data := await reader.read(65_536):
            loop.call_later(delay_s, writer.write, data)

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", to_port)
        writers.update((writer, back_writer))
        with suppress(OSError):
            await asyncio.gather(
                forward(reader, back_writer, 0), forward(back_reader, writer, _DELAY_S)
            )

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0.05)


def _print_afar(counts: Counts, n_rounds: int) -> None:
    rates: dict[str, list[list[float]]] = {}

    async def run(name: str, server: Sqld) -> None:
        async def measure(work: Work) -> None:
            measured: list[float] = []
            await _measure_rows(work, counts, measured)
            rates.setdefault(name, []).append(measured)

        async with _afar(server.port) as port:
            if name == _PYTHON:
                await _with_plain(port, measure)
            else:
                scheme = "http" if name == "HTTP" else "ws"
                await _with_ours(f"{scheme}://localhost:{port}", measure)

    for number in range(n_rounds):
        for name in NAMES[1:]:
            _say(f"from afar, round {number + 1} of {n_rounds}: {name}")
            with tempfile.TemporaryDirectory() as folder:
                server = _server(Path(folder), *_UNLIMITED)
                try:
                    asyncio.run(run(name, server))
                finally:
                    server.stop()
    print(f"| a second, {_DELAY_S * 1_000:.0f} ms away | " + " | ".join(NAMES[1:]) + " |")
    print("|---|--:|--:|--:|")
    for row, title in enumerate(ROWS):
        medians = [median(measured[row] for measured in rates[name]) for name in NAMES[1:]]
        print(f"| {title} | " + " | ".join(f"{rate:,.0f}" for rate in medians) + " |")
    print()


# --- the program -------------------------------------------------------------------------------


def _print_versions() -> None:
    packages = ("memrepo", "aiohttp", "aiosqlite", "libsql-client")
    versions: dict[str, Any] = {name: version(name) for name in packages}
    versions["sqld"] = "0.24.32"
    versions["SQLite of the file"] = sqlite3.sqlite_version
    versions["Python"] = platform.python_version()
    print(", ".join(f"{name} {number}" for name, number in versions.items()))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start\n")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.servers", description=__doc__)
    parser.add_argument("--rounds", type=int, metavar="N", default=5)
    parser.add_argument("--quick", action="store_true", help="small counts, to try it out")
    parser.add_argument("--only", choices=["compare", "afar", "tenants"])
    options = parser.parse_args(arguments)
    counts = Counts(20, 50, 200, (1, 3), 60) if options.quick else Counts()
    _print_versions()
    if options.only in (None, "compare"):
        rates = _compare(counts, options.rounds)
        for plain in (_PYTHON, _NODE):
            if plain in rates:
                _print_comparison(rates, plain)
            else:
                print(f"without {plain}: it is not installed; `make bench` does that\n")
        _print_refused(counts)
    if options.only in (None, "afar"):
        _print_afar(attrs.evolve(counts, one_by_one=min(100, counts.one_by_one)), options.rounds)
    if options.only in (None, "tenants"):
        _print_tenants(counts, options.rounds)
    print(f"load {os.getloadavg()[0]:.1f} at the end")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
