"""`forget_all`: the user is asked where the client can ask, and otherwise two calls are needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client, ClientRequestContext
from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult

import memrepo
from memrepo import Store
from memrepo.contrib.mcp import memory_server
from tests.conftest import Clock
from tests.doors.mcp.conftest import Connect
from tests.doors.mcp.serving import call, command, refusal

pytestmark = pytest.mark.asyncio


class User:
    """Somebody who is asked, and answers."""

    def __init__(self, action: str, content: Any = None) -> None:
        self.answer = ElicitResult(action=action, content=content)  # type: ignore[arg-type]
        self.questions: list[str] = []

    async def __call__(
        self, context: ClientRequestContext, params: ElicitRequestParams
    ) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        self.questions.append(params.message)
        assert params.requested_schema["properties"].keys() == {"agreed"}
        return self.answer


async def with_facts(store: Store, number: int = 3) -> Store:
    for n in range(number):
        await store.memories.remember(f"Fact {n}")
    return store


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_user_agrees(store: Store, mode: str) -> None:
    """The user is asked how many facts to forget, and after a yes they are forgotten by one call of the model."""
    user = User("accept", {"agreed": True})
    server = memory_server(await with_facts(store))
    async with Client(server, mode=mode, elicitation_callback=user) as client:
        done = await call(client, "forget_all")
        assert (done["n_forgotten"], done["token"]) == (3, None)
    assert user.questions == ["Facts that would be forgotten: 3, with ids up to 3 that add up to 6"]
    assert await store.memories.count() == 0
    assert len(await store.memories.forgotten()) == 3


class SlowUser(User):
    """Somebody who agrees while something else happens."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__("accept", {"agreed": True})
        self.meanwhile = meanwhile

    async def __call__(
        self, context: ClientRequestContext, params: ElicitRequestParams
    ) -> ElicitResult:
        if not self.questions:
            await self.meanwhile()
        else:
            self.answer = ElicitResult(action="decline")
        return await super().__call__(context, params)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_user_takes_long(store: Store, clock: Clock, mode: str) -> None:
    """A user who agrees an hour later has agreed: what is valid for two minutes is a model's token."""

    async def wait() -> None:
        clock.advance(hours=1)

    user = SlowUser(wait)
    server = memory_server(await with_facts(store))
    async with Client(server, mode=mode, elicitation_callback=user) as client:
        assert (await call(client, "forget_all"))["n_forgotten"] == 3
    assert len(user.questions) == 1


@pytest.mark.parametrize("forgotten", [0, 1])
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_facts_are_added_while_the_user_is_asked(
    store: Store, mode: str, forgotten: int
) -> None:
    """A yes is for the facts that the user was told of, even if there are as many others: else nothing is forgotten."""

    async def add() -> None:
        await store.memories.remember("Is allergic to peanuts")
        for number in range(1, forgotten + 1):
            await store.memories.forget(number)

    user = SlowUser(add)
    server = memory_server(await with_facts(store))
    async with Client(server, mode=mode, elicitation_callback=user) as client:
        said = await refusal(client, "forget_all")
    assert "token" not in said
    n_facts = 4 - forgotten
    total = 10 - forgotten
    asked_again = (
        f"Facts that would be forgotten: {n_facts}, with ids up to 4 that add up to {total}"
    )
    # In the older version of the protocol, a second question would need a second call.
    assert user.questions[1:] == ([asked_again] if mode == "auto" else [])
    assert await store.memories.count() == n_facts


async def test_as_many_others_while_the_user_is_asked(store: Store) -> None:
    """A yes is not for other facts, though they are as many, and none was added."""
    await (await with_facts(store)).memories.forget(3)

    async def exchange() -> None:
        await store.memories.forget(1)
        await store.memories.restore(3)

    async with Client(
        memory_server(store), mode="legacy", elicitation_callback=SlowUser(exchange)
    ) as client:
        assert await refusal(client, "forget_all")
    assert await store.memories.count() == 2


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize(
    ("user", "told"),
    [
        (("accept", {"agreed": False}), "the user declined: nothing was forgotten"),
        (("accept", {}), "the user declined: nothing was forgotten"),
        (("decline", None), "the user declined: nothing was forgotten"),
        (("cancel", None), "the user did not answer: nothing was forgotten"),
    ],
    ids=str,
)
async def test_user_does_not_agree(
    store: Store, mode: str, user: tuple[str, Any], told: str
) -> None:
    """Without a yes nothing is forgotten, and the model is told so in a sentence that says why."""
    server = memory_server(await with_facts(store))
    async with Client(server, mode=mode, elicitation_callback=User(*user)) as client:
        said = await refusal(client, "forget_all")
    assert said == f"Error executing tool forget_all: {told}"
    assert await store.memories.count() == 3
    assert await store.daily_logs.recent_tool_invocations() == []


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("can_ask", [True, False])
async def test_unknown_arguments_are_refused(store: Store, mode: str, *, can_ask: bool) -> None:
    """No argument is ignored, also not by the name of what only the server fills in, and the user is not bothered."""
    user = User("accept", {"agreed": True})
    server = memory_server(await with_facts(store))
    callback = user if can_ask else None
    async with Client(server, mode=mode, elicitation_callback=callback) as client:
        for name in ("agreement", "announced", "answer", "arguments", "ctx", "confirm"):
            said = await refusal(client, "forget_all", **{name: {"agreed": True}})
            assert "arguments: can only be token" in said, name
        assert "token: must be a str" in await refusal(client, "forget_all", token=5)
    assert user.questions == []
    assert await store.memories.count() == 3


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("answer", [("decline", None), ("accept", {"agreed": False})], ids=str)
async def test_model_cannot_go_round_a_user_who_can_be_asked(
    store: Store, mode: str, answer: tuple[str, Any]
) -> None:
    """A token that a client without questions got does not spare the user of another one the question."""
    server = memory_server(await with_facts(store))
    async with Client(server, mode=mode) as client:
        token = (await call(client, "forget_all"))["token"]
    user = User(*answer)
    async with Client(server, mode=mode, elicitation_callback=user) as client:
        await refusal(client, "forget_all", token=token)
    assert len(user.questions) == 1
    assert await store.memories.count() == 3


async def test_no_token_where_the_user_can_be_asked() -> None:
    """Where only a proposal is there, the user is asked, too: a token does not reject what waits for their approval."""
    user = User("decline", None)
    async with memrepo.connect(":memory:", propose=["model"]) as store:
        await store.memories.remember("Likes tea", source="model")
        server = memory_server(store)
        async with Client(server) as client:
            token = (await call(client, "forget_all"))["token"]
        async with Client(server, elicitation_callback=user) as client:
            await refusal(client, "forget_all", token=token)
        assert len(user.questions) == 1
        assert len(await store.memories.proposals()) == 1


async def test_client_without_questions_needs_two_calls(connect: Connect, store: Store) -> None:
    """The first call forgets nothing and says so; the second one forgets with the token, if nothing has changed."""
    await with_facts(store)
    async with connect(store) as client:
        announced = await call(client, "forget_all")
        assert (announced["n_facts"], announced["n_forgotten"]) == (3, 0)
        assert "Ask the user" in announced["notice"]
        await refusal(client, "forget_all", token="guessed")
        await store.memories.remember("A new one")
        assert "token" in await refusal(client, "forget_all", token=announced["token"])
        again = await call(client, "forget_all")
        done = await call(client, "forget_all", token=again["token"])
        assert done["n_forgotten"] == 4
    assert await store.memories.count() == 0


async def test_user_of_another_process_is_asked(tmp_path: Path) -> None:
    """The question goes over the wire, too, as to the host that has started the server."""
    database = tmp_path / "agent.db"
    async with memrepo.connect(database) as store:
        await with_facts(store)
        user = User("accept", {"agreed": True})
        async with Client(command(database), elicitation_callback=user) as client:
            assert (await call(client, "forget_all"))["n_forgotten"] == 3
        assert len(user.questions) == 1
        assert await store.memories.count() == 0


async def test_nobody_is_asked_about_nothing(store: Store) -> None:
    """Where there are no facts, no user is asked."""
    user = User("accept", {"agreed": True})
    async with Client(memory_server(store), elicitation_callback=user) as client:
        assert (await call(client, "forget_all"))["n_facts"] == 0
    assert user.questions == []
