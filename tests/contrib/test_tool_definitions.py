"""What a model is told of memrepo's tools, and that it can answer with any arguments."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, cast

import pytest
from hypothesis import given, settings, strategies as st

import memrepo
from memrepo import JsonValue, Store
from memrepo.contrib.tools import ORIGINAL_TOOLS, TOOLS, MemoryTools, Tool
from tests.conftest import Clock
from tests.contrib.test_tools import CALLS, EVERY, fill


def test_every_argument_is_described_and_bounded() -> None:
    """A model is told what each argument means, and none takes a text or a number of any size."""
    for tool in EVERY:
        assert len(tool.description) > 20, tool.name
        properties = cast("dict[str, dict[str, Any]]", tool.schema["properties"])
        for name, its in properties.items():
            assert its["description"], (tool.name, name)
            bounds = {
                "string": its.keys() & {"maxLength", "enum"},
                "integer": {"minimum", "maximum"} <= its.keys(),
                "number": {"minimum", "maximum"} <= its.keys(),
                "boolean": True,
                "object": tool.name == "log_event",
            }
            assert bounds[its["type"]], (tool.name, name)


@pytest.mark.asyncio
async def test_forms_say_the_same(store: Store) -> None:
    """Both forms of OpenAI's APIs and that of Anthropic's name the same tools with the same schemas."""
    tools = MemoryTools(store)
    anthropic = {its["name"]: its["input_schema"] for its in tools.for_anthropic()}
    functions = [cast("dict[str, JsonValue]", its["function"]) for its in tools.for_openai()]
    responses = tools.for_openai_responses()
    assert list(anthropic) == [tool.name for tool in TOOLS]
    assert anthropic == {its["name"]: its["parameters"] for its in functions}
    assert anthropic == {its["name"]: its["parameters"] for its in responses}
    assert {its["type"] for its in (*tools.for_openai(), *responses)} == {"function"}
    json.dumps([tools.for_anthropic(), functions, responses])


def test_original_has_its_names_and_arguments() -> None:
    """The nine are called as in the original, and no other argument must be given."""
    arguments = {
        tool.name: [f"{name}{'?' if name in tool.defaults else ''}" for name in tool.arguments]
        for tool in ORIGINAL_TOOLS
    }
    assert arguments == {
        "remember_fact": ["content", "category", "source?"],
        "forget_fact": ["query", "confirm_ids?", "category?"],
        "list_memories": ["category?", "include_deleted?"],
        "delete_all_memories": ["confirm"],
        "restore_memory": ["id"],
        "observe_pattern": ["pattern", "pattern_type", "evidence"],
        "query_audit_log": ["limit?"],
        "search_memories": ["query", "limit?"],
        "consolidate_memories": ["confirm_ids?", "threshold?"],
    }


@pytest.mark.asyncio
async def test_numbers_as_texts(store: Store) -> None:
    """Some models give numbers as texts: also one that is not whole is taken, where it may be."""
    await fill(store)
    tools = MemoryTools(store, EVERY)
    answers = [
        await tools.call("consolidate_memories", {"threshold": its}) for its in (0.7, "0.7", "0.70")
    ]
    assert json.loads(answers[0])["pairs"]
    assert answers[1:] == answers[:1] * 2
    assert "facts" in json.loads(await tools.call("recall", {"limit": "5.0"}))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda its: st.lists(its, max_size=3) | st.dictionaries(st.text(), its, max_size=3),
    max_leaves=5,
)


@given(
    calls=st.lists(
        st.sampled_from(EVERY).flatmap(
            lambda tool: st.tuples(
                st.just(tool),
                st.fixed_dictionaries(
                    {},
                    optional={
                        name: _json | st.just(CALLS[tool.name].get(name)) for name in tool.arguments
                    },
                ),
            )
        ),
        max_size=6,
    )
)
@settings(deadline=None, max_examples=60)
def test_any_arguments_get_an_answer(calls: list[tuple[Tool, Mapping[str, JsonValue]]]) -> None:
    """Whatever JSON a model makes up, it is answered with a JSON object."""

    async def run() -> None:
        async with memrepo.connect(":memory:", clock=Clock()) as store:
            await fill(store)
            tools = MemoryTools(store, EVERY)
            for tool, arguments in calls:
                assert isinstance(json.loads(await tools.call(tool.name, arguments)), dict)

    asyncio.run(run())
