"""Real runs of an agent, whose model is Pydantic AI's own for tests."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic_ai import Agent, ModelMessage
from pydantic_ai.conversation import Conversation
from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel

import memrepo
from memrepo.contrib.pydantic_ai import MemrepoConversationStore
from tests.sqlite.test_processes import check_whole, together


def heard(messages: list[ModelMessage]) -> list[str]:
    """Return what the user has said in them."""
    requests = [message for message in messages if isinstance(message, ModelRequest)]
    parts = [part for request in requests for part in request.parts]
    return [str(part.content) for part in parts if isinstance(part, UserPromptPart)]


def repeat(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    return ModelResponse(parts=[TextPart(" | ".join(heard(messages)))])


@pytest.mark.asyncio
async def test_a_conversation_survives_a_restart(tmp_path: Path) -> None:
    """Another store, as of the program's next run, gives the model all that was said before."""
    agent = Agent(FunctionModel(repeat))
    for n, text in enumerate(("I am Ada.", "Who am I?", "Thanks")):
        async with memrepo.connect(tmp_path / "agent.db") as store:
            conversations = MemrepoConversationStore(store)
            conversation = await conversations.load("chat") or Conversation(conversation_id="chat")
            assert len(conversation.messages) == 2 * n
            result = await agent.run(text, conversation=conversation)
            await conversations.save(result)
    assert result.output == "I am Ada. | Who am I? | Thanks"


@pytest.mark.asyncio
async def test_tools_are_part_of_it(tmp_path: Path) -> None:
    """What the test model does with every tool is stored, and loads equal to what the run has."""
    agent = Agent(TestModel())

    @agent.tool_plain
    def weather(place: str) -> dict[str, float]:
        return {place: 21.5}

    async with memrepo.connect(tmp_path / "agent.db") as store:
        conversations = MemrepoConversationStore(store)
        for n in range(3):
            conversation = await conversations.load("chat") or Conversation(conversation_id="chat")
            result = await agent.run(f"{n}", conversation=conversation)
            entries = await conversations.save(result, scope="ada")
            assert [entry.message for entry in entries] == result.new_messages()
        loaded = await conversations.load("chat")
    assert loaded is not None
    assert loaded.messages == result.all_messages()
    assert loaded.usage == result.conversation.usage
    assert heard(loaded.messages) == ["0", "1", "2"]


@pytest.mark.asyncio
async def test_conversations_are_apart(tmp_path: Path) -> None:
    """Runs at once in several conversations of two owners: each model hears its own conversation only."""
    agent = Agent(FunctionModel(repeat))

    async def talk(owner: str, name: str) -> None:
        conversations = MemrepoConversationStore(store.scoped(owner))
        for n in range(4):
            conversation = await conversations.load(name) or Conversation(conversation_id=name)
            result = await agent.run(f"{owner} {name} {n}", conversation=conversation)
            await conversations.save(result)
            assert result.output == " | ".join(f"{owner} {name} {m}" for m in range(n + 1))

    async with memrepo.connect(tmp_path / "agent.db") as store:
        await asyncio.gather(*(talk(owner, name) for owner in ("ada", "eve") for name in "abc"))


def test_two_processes_in_one_conversation(tmp_path: Path) -> None:
    """Of two processes that save one conversation, each that is not told of a conflict is in it, once."""
    path = tmp_path / "agent.db"
    saved = together(
        2,
        """
        from pydantic_ai import ModelRequest, UserPromptPart
        from pydantic_ai.conversation import Conversation
        from pydantic_ai.conversation_store import ConversationConflict
        from memrepo.contrib.pydantic_ai import MemrepoConversationStore

        result = []
        async with memrepo.connect(URL) as store:
            conversations = MemrepoConversationStore(store)
            while len(result) < 20:
                conversation = await conversations.load("chat") or Conversation(conversation_id="chat")
                text = f"{NUMBER} {len(result)}"
                conversation.messages.append(ModelRequest(parts=[UserPromptPart(text)]))
                try:
                    await conversations.save(conversation)
                except ConversationConflict:
                    continue
                result.append(text)
        """,
        path,
    )
    check_whole(path)

    async def all_heard() -> list[str]:
        async with memrepo.connect(path) as store:
            conversation = await MemrepoConversationStore(store).load("chat")
            assert conversation is not None
            return heard(conversation.messages)

    said = asyncio.run(all_heard())
    assert sorted(said) == sorted([*saved[0], *saved[1]])
    for mine in saved:
        assert [text for text in said if text in mine] == mine
