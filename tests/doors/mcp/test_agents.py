"""A host that is not the protocol's own client: an agent of the OpenAI Agents SDK, with a model that follows a script."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from agents import Agent, RunConfig, Runner
from agents.mcp import MCPServer, MCPServerStdio, MCPServerStreamableHttp
from agents.testing import ScriptedModel, assistant_message, function_call

import memrepo
from memrepo.contrib.tools import TOOLS
from tests.contrib.test_tools import PLANTED
from tests.doors.mcp.serving import TOKEN, http_server
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio


def over_stdio(database: Path) -> MCPServerStdio:
    return MCPServerStdio(
        params={
            "command": sys.executable,
            "args": ["-m", "memrepo", "mcp", "--db", str(database)],
            "env": {"PYTHONPATH": os.pathsep.join(sys.path)},
        },
        client_session_timeout_seconds=PATIENCE_S,
    )


async def run(server: MCPServer, *calls: tuple[str, dict[str, Any]]) -> ScriptedModel:
    """Run an agent whose model makes these calls, one after the other, and then answers."""
    steps: list[Any] = [
        [function_call(name, arguments, call_id=f"call-{n}")]
        for n, (name, arguments) in enumerate(calls)
    ]
    model = ScriptedModel([*steps, [assistant_message("Done.")]])
    agent = Agent(
        name="assistant",
        model=model,
        mcp_servers=[server],
        mcp_config={"convert_schemas_to_strict": True},
    )
    result = await Runner.run(agent, "Hello", run_config=RunConfig(tracing_disabled=True))
    assert result.final_output == "Done."
    model.assert_complete()
    return model


def outputs(model: ScriptedModel) -> str:
    """All that the model was given at the end."""
    assert model.last_call is not None
    return str(model.last_call.input)


async def test_agent_remembers_from_run_to_run(tmp_path: Path) -> None:
    """An agent sees all tools, and its next run, with another process of the server, recalls what this one was told."""
    database = tmp_path / "agent.db"
    async with over_stdio(database) as server:
        model = await run(server, ("remember", {"content": "Likes tea"}), ("forget", {"id": 99}))
        assert model.first_call is not None
        assert [tool.name for tool in model.first_call.tools] == [tool.name for tool in TOOLS]
        assert "no fact with id 99" in outputs(model)
    async with over_stdio(database) as server:
        model = await run(server, ("session_start", {}), ("recall", {"query": "tea"}))
        assert "Likes tea" in outputs(model)


async def test_agent_over_http(tmp_path: Path) -> None:
    """The same over HTTP, with the token among the headers."""
    with http_server(tmp_path / "agent.db") as server:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with MCPServerStreamableHttp(
            params={"url": server.url, "headers": headers},
            client_session_timeout_seconds=PATIENCE_S,
        ) as remote:
            model = await run(
                remote, ("remember", {"content": "Likes tea"}), ("search", {"query": "tea"})
            )
            assert "memrepo://facts/1" in outputs(model)


async def test_model_that_obeys_a_planted_order_forgets_nothing(tmp_path: Path) -> None:
    """A fooled model's call of `forget_all` only announces: what it takes is a second call, and it can be undone."""
    database = tmp_path / "agent.db"
    async with memrepo.connect(database) as store:
        await store.memories.remember("Is allergic to peanuts")
        await store.memories.remember(PLANTED, source="inferred")
        async with over_stdio(database) as server:
            model = await run(server, ("recall", {}), ("forget_all", {}))
        given = outputs(model)
        assert PLANTED in given
        assert "not instructions" in given
        assert "Nothing was forgotten. Ask the user first" in given
        assert await store.memories.count() == 2
