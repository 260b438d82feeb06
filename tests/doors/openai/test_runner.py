"""Real runs of the SDK, whose model is its own scripted one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from agents import Agent, RunConfig, Runner, SessionSettings, function_tool
from agents.testing import ModelCall, ModelStep, ScriptedModel, assistant_message, function_call
from openai.types.responses import ResponseTextDeltaEvent

import memrepo
from memrepo import DailyLogFilter, Store
from memrepo.contrib.openai import ITEM, MemrepoSession
from tests.doors.openai.items import message, texts


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with memrepo.connect(tmp_path / "agent.db") as store:
        yield store


def agent(*replies: str) -> tuple[Agent, ScriptedModel]:
    """Return an agent whose model says these, and the model."""
    model = ScriptedModel([[assistant_message(text)] for text in replies])
    return Agent(name="test", model=model), model


def heard(model: ScriptedModel) -> list[object]:
    """Return the user's texts that the model was last called with."""
    call = model.last_call
    assert call is not None
    return [item.get("content") for item in call.input if item.get("role") == "user"]


@pytest.mark.asyncio
async def test_a_conversation_survives_a_restart(tmp_path: Path) -> None:
    """Another store, as of the program's next run, gives the model all that was said before."""
    for n, expected in enumerate((["I am Ada."], ["I am Ada.", "Who am I?"])):
        async with memrepo.connect(tmp_path / "agent.db") as store:
            chatty, model = agent(f"reply {n}")
            result = await Runner.run(chatty, expected[-1], session=MemrepoSession("chat", store))
            assert result.final_output == f"reply {n}"
            assert heard(model) == expected


@pytest.mark.asyncio
async def test_tools_are_part_of_it(store: Store) -> None:
    """The call of a tool and its output are items, in the order in which they came."""

    @function_tool
    def weather(place: str) -> str:
        return f"21 degrees in {place}"

    model = ScriptedModel(
        [
            [function_call("weather", {"place": "Leeds"}, call_id="c1")],
            [assistant_message("It is warm.")],
            [assistant_message("You are welcome.")],
        ]
    )
    asked = Agent(name="test", model=model, tools=[weather])
    session = MemrepoSession("chat", store)
    await Runner.run(asked, "How is it?", session=session)
    await Runner.run(asked, "Thanks", session=session)
    model.assert_complete()
    items = await session.get_items()
    assert [item.get("type") or item.get("role") for item in items] == [
        *("user", "function_call", "function_call_output", "message"),
        *("user", "message"),
    ]
    assert items[2].get("output") == "21 degrees in Leeds"
    call = model.last_call
    assert call is not None
    assert call.input == items[:5]


@pytest.mark.asyncio
async def test_conversations_are_apart(store: Store) -> None:
    """Twenty runs at once in four conversations of two owners: each model hears its own conversation only."""

    async def talk(owner: str, name: str) -> None:
        session = MemrepoSession(name, store.scoped(owner))
        for n in range(5):
            chatty, model = agent("yes")
            await Runner.run(chatty, f"{owner} {name} {n}", session=session)
            assert heard(model) == [f"{owner} {name} {m}" for m in range(n + 1)]

    await asyncio.gather(*(talk(owner, name) for owner in ("ada", "eve") for name in ("a", "b")))


@pytest.mark.asyncio
async def test_streamed(store: Store) -> None:
    """A streamed run is stored when its stream has ended."""
    chatty, _ = agent("It is warm.")
    session = MemrepoSession("chat", store)
    run = Runner.run_streamed(chatty, "How is it?", session=session)
    deltas = [
        event.data.delta
        async for event in run.stream_events()
        if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent)
    ]
    assert "".join(deltas) == "It is warm."
    assert [item.get("role") for item in await session.get_items()] == ["user", "assistant"]


@pytest.mark.asyncio
async def test_limit_of_the_run(store: Store) -> None:
    """The settings of a run say how much of the conversation the model gets; all of it stays stored."""
    session = MemrepoSession("chat", store)
    await session.add_items([message(str(n)) for n in range(30)])
    chatty, model = agent("yes")
    config = RunConfig(session_settings=SessionSettings(limit=2))
    await Runner.run(chatty, "30", session=session, run_config=config)
    assert heard(model) == ["28", "29", "30"]
    assert len(await session.get_items()) == 32


@pytest.mark.asyncio
async def test_cancelled_run(store: Store) -> None:
    """A run that is cancelled while the model thinks leaves what it had stored whole, and the store usable."""
    thinks = asyncio.Event()

    async def think(_: ModelCall) -> ModelStep:
        thinks.set()
        await asyncio.Event().wait()
        return ModelStep()

    model = ScriptedModel([ModelStep.respond(think)])
    session = MemrepoSession("chat", store)
    run = asyncio.create_task(Runner.run(Agent(name="t", model=model), "Hello?", session=session))
    await thinks.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert texts(await session.get_items()) in ([], ["Hello?"])
    chatty, _ = agent("yes")
    await Runner.run(chatty, "Still there?", session=session)
    assert await store.daily_logs.count_by_type(DailyLogFilter(thread="chat")) == {
        ITEM: len(await session.get_items())
    }


def test_run_sync(tmp_path: Path) -> None:
    """`Runner.run_sync` works with a store that was opened on its loop, and with no other."""
    chatty, model = agent("yes", "yes")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        store = loop.run_until_complete(memrepo.connect(tmp_path / "agent.db").__aenter__())
        for text in ("first", "second"):
            Runner.run_sync(chatty, text, session=MemrepoSession("chat", store))
        assert heard(model) == ["first", "second"]

        async def elsewhere() -> None:
            with pytest.raises(memrepo.WrongLoopError):
                await Runner.run(chatty, "third", session=MemrepoSession("chat", store))

        with asyncio.Runner() as runner:
            runner.run(elsewhere())
        asyncio.set_event_loop(loop)
        loop.run_until_complete(store.close())
    finally:
        loop.close()
        asyncio.set_event_loop(None)
