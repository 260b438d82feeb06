"""`MemoryTools`: tools with which a model uses a memory, and what runs them; imported from `memrepo.contrib.tools`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final, cast

from memrepo.contrib.tools.confirming import Confirmations
from memrepo.contrib.tools.conversations import day_digest, log_event, session_end, session_start
from memrepo.contrib.tools.facts import (
    fetch,
    forget,
    forget_all,
    list_facts,
    recall,
    remember,
    restore,
    search,
)
from memrepo.contrib.tools.tool import Answer, Tool, ToolCall
from memrepo.domain.checks import check_id
from memrepo.domain.jsontext import JsonValue
from memrepo.errors import ConflictError, InvalidInputError, NotFoundError
from memrepo.repositories.scopes import ScopedStore

__all__ = ["REFUSALS", "TOOLS", "MemoryTools"]

#: All tools of memrepo, which are those of its MCP server, too.
TOOLS: Final[tuple[Tool, ...]] = (
    remember,
    recall,
    search,
    fetch,
    list_facts,
    forget,
    restore,
    forget_all,
    log_event,
    day_digest,
    session_start,
    session_end,
)
#: The errors that a model is told of: what it asked for cannot be done.
REFUSALS: Final = (NotFoundError, ConflictError, InvalidInputError)


class MemoryTools:
    """
    The tools of one memory: their definitions for a model, and what runs them.

    A call that writes is logged, by an event ``tool_invocation`` in the same transaction, without the text of a fact.
    A call that is cancelled happened whole or not at all.
    """

    def __init__(self, memory: ScopedStore, tools: Iterable[Tool] = TOOLS) -> None:
        """
        Bind tools to a memory.

        Args:
            memory: The store, or ``store.scoped("user:42")`` for the memory of one owner.
            tools: Which tools: `TOOLS`, `ORIGINAL_TOOLS`, or some of them.

        Raises:
            InvalidInputError: *memory* is no open store, or one of *tools* is no tool.
        """
        if not isinstance(memory, ScopedStore):
            raise InvalidInputError("memory", f"must be an open store, not {type(memory).__name__}")
        known = tuple(tools) if isinstance(tools, Iterable) else (tools,)
        if not all(isinstance(tool, Tool) for tool in known):
            raise InvalidInputError("tools", "must be tools, such as those of TOOLS")
        #: Whose memory it is.
        self.memory: ScopedStore = memory
        #: The tools by their names.
        self.tools: Mapping[str, Tool] = {tool.name: tool for tool in known}
        self._confirmations = Confirmations()

    def for_anthropic(self) -> list[dict[str, JsonValue]]:
        """Return the definitions for ``tools=`` of Anthropic's Messages API."""
        return [
            {"name": its.name, "description": its.description, "input_schema": its.schema}
            for its in self.tools.values()
        ]

    def for_openai(self) -> list[dict[str, JsonValue]]:
        """Return the definitions for ``tools=`` of OpenAI's Chat Completions API, which many servers speak."""
        return [
            {"type": "function", "function": definition}
            for definition in map(_to_function, self.tools.values())
        ]

    def for_openai_responses(self) -> list[dict[str, JsonValue]]:
        """Return the definitions for ``tools=`` of OpenAI's Responses API."""
        # Its strict mode is on unless it is off, and has no arguments that need not be given.
        return [
            {"type": "function", "strict": False, **_to_function(its)}
            for its in self.tools.values()
        ]

    async def call(
        self,
        name: str,
        arguments: str | Mapping[str, JsonValue] | None = None,
        *,
        session_id: int | None = None,
    ) -> str:
        """
        Run the tool that a model has called, and return the answer for the model, as the text of a JSON object.

        Args:
            name: The tool.
            arguments: As the model gave them: an object, or its JSON text.
            session_id: As in `run`.

        Returns:
            What the tool answers. If it cannot be done, ``{"error": "..."}``, which says why, without the
            text of a fact: the tool is not known, an argument is not accepted, there is no such row, or its state
            does not allow it. Nothing was written then.

        Raises:
            MemrepoError: Any other failure, such as a `DatabaseError`, which is for the program to handle.
        """
        try:
            answer = await self.run(name, _to_object(arguments), session_id=session_id)
        except REFUSALS as error:
            answer = {"error": str(error)}
        return json.dumps(answer, ensure_ascii=False)

    async def run(
        self, name: str, arguments: Mapping[str, object], *, session_id: int | None = None
    ) -> Answer:
        """
        Run a tool, and return what it answers, as a JSON object.

        Args:
            name: The tool.
            arguments: Its arguments by their names; ``None`` counts as not given.
            session_id: The session in which it is called, for a tool that writes; if ``None``, that which is active in
                the default thread, where `session_start` begins one.

        Raises:
            ConflictError: The state of a row does not allow it. Nothing was written.
            InvalidInputError: An argument is not accepted. Nothing was read or written.
            NotFoundError: There is no such row, no such session, or no such tool. Nothing was written.
        """
        if session_id is not None:
            check_id("session_id", session_id)
        tool = self.tools.get(name)
        if tool is None:
            raise NotFoundError("no tool has this name")
        call = ToolCall(self.memory, tool.name, self._confirmations, session_id)
        return await tool.run(call, arguments)


def _to_function(tool: Tool) -> dict[str, JsonValue]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.schema}


def _to_object(arguments: str | Mapping[str, JsonValue] | None) -> Mapping[str, JsonValue]:
    if not arguments:
        return {}
    if isinstance(arguments, Mapping):
        return arguments
    try:
        value = json.loads(arguments)
    except (TypeError, ValueError, RecursionError):
        raise InvalidInputError("arguments", "must be JSON") from None
    if not isinstance(value, dict | None):
        raise InvalidInputError("arguments", "must be a JSON object")
    return cast("dict[str, JsonValue]", value or {})
