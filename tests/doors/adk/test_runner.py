"""Real runs of an agent, with a model of our own in the place of Gemini."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from google.adk.agents import LlmAgent
from google.adk.agents.callback_context import CallbackContext
from google.adk.models import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.load_memory_tool import load_memory_tool
from google.adk.tools.preload_memory_tool import preload_memory_tool
from google.genai.types import Content, FunctionCall, Part
from pydantic import Field

import memrepo
from memrepo import Store
from memrepo.contrib.adk import MemrepoMemoryService

pytestmark = pytest.mark.asyncio


class Listener(BaseLlm):
    """A model that notes what it is given, calls a tool if it has one, and says that it has heard."""

    model: str = "listener"
    heard: list[str] = Field(default_factory=list)

    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        said = [part for its in llm_request.contents for part in its.parts or ()]
        self.heard.append("\n".join(f"{part.text or part.function_response}" for part in said))
        wants_memory = "load_memory" in llm_request.tools_dict
        part = Part(text="I have heard.")
        if wants_memory and not any(part.function_response for part in said):
            part = Part(function_call=FunctionCall(name="load_memory", args={"query": "kites"}))
        yield LlmResponse(content=Content(role="model", parts=[part]))


async def remember(callback_context: CallbackContext) -> None:
    await callback_context.add_session_to_memory()


async def talk(store: Store, text: str, tool: BaseTool, *, user_id: str = "ada") -> str:
    """Run an agent in a new session, as of a new start of the program; return what its model was given last."""
    model = Listener()
    agent = LlmAgent(name="guide", model=model, tools=[tool], after_agent_callback=remember)
    runner = Runner(
        app_name="app",
        agent=agent,
        session_service=InMemorySessionService(),
        memory_service=MemrepoMemoryService(store),
        auto_create_session=True,
    )
    said = Content(role="user", parts=[Part(text=text)])
    async for _ in runner.run_async(user_id=user_id, session_id="s1", new_message=said):
        pass
    await runner.close()
    return model.heard[-1]


@pytest.mark.parametrize("tool", [preload_memory_tool, load_memory_tool], ids=["preload", "load"])
async def test_memory_survives_a_restart(tmp_path: Path, tool: BaseTool) -> None:
    """What one run has heard is given to the model of the next, of the same user and of nobody else."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        await talk(store, "I like kites that look like dragons", tool)
    async with memrepo.connect(path) as store:
        assert "dragons" in await talk(store, "What kites do I like?", tool)
        assert "dragons" not in await talk(store, "What kites do I like?", tool, user_id="eve")


async def test_runs_at_once(tmp_path: Path) -> None:
    """Runs of several users at once remember each what its user has said."""
    users = [f"user{n}" for n in range(6)]
    async with memrepo.connect(tmp_path / "agent.db") as store:
        told = (
            talk(store, f"My kite is from {its}", preload_memory_tool, user_id=its) for its in users
        )
        await asyncio.gather(*told)
        for user in users:
            given = await talk(store, "Where is my kite from?", preload_memory_tool, user_id=user)
            assert [its for its in users if f"from {its}" in given] == [user]
