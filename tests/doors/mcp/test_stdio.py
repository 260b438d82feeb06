"""`memrepo mcp` over stdin and stdout, as hosts run it, with the protocol's own client."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError

import memrepo
from memrepo.cli.main import main
from tests.conftest import complaints
from tests.doors.mcp.serving import call, command
from tests.patience import PATIENCE_S

#: What a host says first.
HELLO: dict[str, object] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
READY: dict[str, object] = {"jsonrpc": "2.0", "method": "notifications/initialized"}


@pytest.mark.asyncio
async def test_second_run_remembers(tmp_path: Path) -> None:
    """What one run of the server was told, the next one knows, with what the last conversation was about."""
    database = tmp_path / "agent.db"
    async with Client(command(database)) as client:
        await call(client, "session_start")
        told = await call(client, "remember", content="Ada is allergic to peanuts")
        assert told["outcome"] == "created"
        await call(client, "session_end", summary="Ada told of her allergy.")
    assert not database.with_name("agent.db-wal").exists()
    async with Client(command(database)) as client:
        started = await call(client, "session_start")
        assert "Ada told of her allergy." in started["last_conversation"]
        recalled = await call(client, "recall", query="what must Ada not eat, peanuts?")
        assert [fact["content"] for fact in recalled["facts"]] == ["Ada is allergic to peanuts"]
        again = await call(client, "remember", content="ada is allergic to peanuts!")
        assert again["outcome"] == "duplicate"


@pytest.mark.asyncio
async def test_many_calls_at_once_and_another_owner(tmp_path: Path) -> None:
    """Forty calls at once are all answered, and a server for another scope sees none of it."""
    database = tmp_path / "agent.db"
    async with Client(command(database, "--scope", "ada")) as client:
        calls = (call(client, "remember", content=f"Fact {n}") for n in range(40))
        outcomes = [told["outcome"] for told in await asyncio.gather(*calls)]
        assert outcomes == ["created"] * 40
    async with Client(command(database, "--scope", "bob", "--read-only")) as client:
        assert (await call(client, "list_facts"))["facts"] == []
        assert "remember" not in {its.name for its in (await client.list_tools()).tools}
    async with memrepo.connect(database) as store:
        assert await store.scoped("ada").memories.count() == 40
        assert len(await store.scoped("ada").daily_logs.recent_tool_invocations(limit=100)) == 40


@pytest.mark.asyncio
async def test_call_that_times_out_leaves_nothing(tmp_path: Path) -> None:
    """A call that waits for another program's lock until the client gives up writes nothing, then or later."""
    database = tmp_path / "agent.db"
    async with memrepo.connect(database) as store, Client(command(database)) as client:
        async with store.transaction() as tx:
            await tx.memories.remember("Holds the lock")
            with pytest.raises(MCPError, match="out"):
                await client.call_tool(
                    "remember", {"content": "Too late"}, read_timeout_seconds=0.5
                )
            # It reads one message after another: now it knows that the client has given up.
            await client.list_tools()
        told = await call(client, "remember", content="In time")
        assert told["outcome"] == "created"
        facts = [fact.content async for fact in store.memories.iterate()]
        assert sorted(facts) == ["Holds the lock", "In time"]
        assert len(await store.daily_logs.recent_tool_invocations()) == 1


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server that has said hello, over pipes of our own."""
    with subprocess.Popen(
        [sys.executable, "-m", "memrepo", "mcp", "--db", str(tmp_path / "agent.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        send(process, HELLO, READY)
        assert process.stdout
        assert process.stdout.readline()
        yield process
        process.kill()


def send(process: subprocess.Popen[bytes], *messages: object) -> None:
    """Send messages as a host does."""
    assert process.stdin
    process.stdin.write("".join(f"{json.dumps(message)}\n" for message in messages).encode())
    process.stdin.flush()


def test_stdout_is_the_wire(server: subprocess.Popen[bytes]) -> None:
    """Each line of stdout is a message of the protocol, also where a call fails, and the end of stdin is the end."""
    send(
        server,
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "forget", "arguments": {"id": 7}}},
        {"jsonrpc": "2.0", "id": 3, "method": "no/such"},
    )  # fmt: skip
    assert server.stdout
    # The end of stdin calls off what is not answered yet, so the answers come first.
    answers = [json.loads(server.stdout.readline()) for _ in range(2)]
    assert {answer["id"] for answer in answers} == {2, 3}
    rest, complained = server.communicate(timeout=PATIENCE_S)
    assert rest == b""
    assert server.returncode == 0
    assert complaints(complained.decode()) == ""


def test_host_that_vanishes_is_no_failure(server: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """A host that closes both pipes without reading the answers ends the server, in order and without a word."""
    assert server.stdin
    assert server.stdout
    assert server.stderr
    server.stdout.close()
    send(server, *({"jsonrpc": "2.0", "id": n, "method": "tools/list"} for n in range(2, 22)))
    server.stdin.close()
    said = server.stderr.read().decode()
    assert (server.wait(PATIENCE_S), complaints(said)) == (0, "")
    assert not (tmp_path / "agent.db-wal").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_interrupt_ends_it_at_once(server: subprocess.Popen[bytes]) -> None:
    """Ctrl-C in a terminal ends the server, though stdin stays open."""
    server.send_signal(signal.SIGINT)
    assert server.wait(PATIENCE_S) == -signal.SIGINT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--read-only",), "memrepo: which database? Say --db agent.db, or set MEMREPO_URL"),
        ((), "memrepo: which database? Say --db agent.db, or set MEMREPO_URL"),
        (("--db", "ftp://S3CRET"), "memrepo: ftp: is not a database that memrepo opens"),
        (("--db", ":memory:", "--scope", "x" * 256), "memrepo: --scope: must not be longer than 255 characters"),
        (("--db", ":memory:", "--http", "70000"), "memrepo mcp: --http: must be a number from 0 to 65,535"),
        (("--db", ":memory:", "--http", "0", "--host", "192.0.2.1"), "memrepo: cannot listen on 192.0.2.1, port 0: "),
        (("--db", ":memory:", "--http", "0", "--host", ""), "memrepo: --host: must not be empty"),
        (("--db", ":memory:", "--host", "127.0.0.1"), "memrepo: --host needs --http"),
        (("--db", ":memory:", "--allow-host", "S3CRET"), "memrepo: --allow-host needs --http"),
        (("--db", ":memory:", "--http", "0", "--allow-host", ""), "memrepo: --allow-host: must not be empty"),
        (("--db", ":memory:", "--http", "0", "--allow-host", "S3CRET:1"), "memrepo: --allow-host: must be names"),
    ],
)  # fmt: skip
def test_misuse(
    arguments: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wrong arguments end with 2, and are named, but not repeated."""
    monkeypatch.delenv("MEMREPO_URL", raising=False)
    status = main(["mcp", *arguments])
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert complaints(err).splitlines()[-1].startswith(said)
    assert "S3CRET" not in err


def test_short_token(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that can be guessed is refused by the name of its variable, and not shown."""
    monkeypatch.setenv("MEMREPO_MCP_TOKEN", "S3CRET")
    assert main(["mcp", "--db", ":memory:", "--http", "0"]) == 2
    err = complaints(capsys.readouterr().err)
    assert err.startswith("memrepo: MEMREPO_MCP_TOKEN: must have at least 16 characters")
    assert "S3CRET" not in err


def test_read_only_makes_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that only reads takes a file that is not there for a misspelled name, and does not make it."""
    missing = tmp_path / "typo.db"
    assert main(["mcp", "--db", str(missing), "--read-only"]) == 1
    said = f"memrepo: there is no database {missing}; memrepo init makes one\n"
    assert complaints(capsys.readouterr().err) == said
    assert list(tmp_path.iterdir()) == []
