"""A tool: what a model is told of it, and the function that it runs on a memory."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Concatenate, Final, ParamSpec, TypeAlias, get_args

import attrs

from memrepo.contrib.tools.arguments import Argument
from memrepo.contrib.tools.confirming import Confirmations
from memrepo.domain.jsontext import JsonValue
from memrepo.errors import InvalidInputError
from memrepo.repositories.scopes import ScopedStore, Transaction

__all__ = ["TOOL_INVOCATION", "Answer", "Tool", "ToolCall", "Writing", "tool"]

P = ParamSpec("P")

#: The type of the event by which a call is logged.
TOOL_INVOCATION: Final = "tool_invocation"
#: What a tool answers: a JSON object.
Answer: TypeAlias = dict[str, JsonValue]


@attrs.define
class Writing:
    """What a tool writes in, and what its event in the daily log will say."""

    #: Everything that the call writes is in this transaction, its event too.
    memory: Transaction
    #: The session in which it is called; ``None`` if none is active.
    session_id: int | None
    #: What was done, in a line that quotes nothing of a fact: ``fact 12 created``.
    context: str = ""


@attrs.frozen
class ToolCall:
    """One call of a tool."""

    #: Whose memory it is about.
    memory: ScopedStore
    #: The tool's name.
    tool: str
    #: Who gives out, and checks, the tokens of `forget_all`.
    confirmations: Confirmations
    #: The session that it belongs to; that which is active if ``None``.
    session_id: int | None = None

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Writing, None]:
        """Yield a transaction, in which the call is also logged: both or neither happens."""
        async with self.memory.transaction() as tx:
            session_id = self.session_id
            if session_id is None:
                active = await tx.sessions.active()
                session_id = None if active is None else active.id
            writing = Writing(tx, session_id)
            yield writing
            data: JsonValue = {"toolName": self.tool, "success": True, "context": writing.context}
            await tx.daily_logs.append(writing.session_id, TOOL_INVOCATION, data)


@attrs.frozen(kw_only=True)
class Tool:
    """What a model can do with a memory."""

    #: Its name, by which it is called.
    name: str
    #: What it does and when to use it, for a model.
    description: str
    #: Its arguments by their names.
    arguments: Mapping[str, Argument]
    #: What is taken for those that need not be given.
    defaults: Mapping[str, JsonValue]
    #: Whether it writes nothing.
    is_read_only: bool
    #: Whether something can be gone after it, with nothing in its place.
    is_destructive: bool
    #: Whether a second call with the same arguments changes nothing more.
    is_idempotent: bool
    #: What it runs, with a call and the checked arguments.
    function: Callable[..., Awaitable[Answer]] = attrs.field(repr=False)

    @property
    def schema(self) -> dict[str, JsonValue]:
        """The JSON schema of its arguments, as an object."""
        return {
            "type": "object",
            "properties": {name: self._schema_of(name) for name in self.arguments},
            "required": [name for name in self.arguments if name not in self.defaults],
            "additionalProperties": False,
        }

    def _schema_of(self, name: str) -> JsonValue:
        default = self.defaults.get(name)
        described = {} if default is None else {"default": default}
        return {**self.arguments[name].schema, **described}

    async def run(self, call: ToolCall, arguments: Mapping[str, object]) -> Answer:
        """
        Run it.

        Raises:
            InvalidInputError: An argument is missing, not known or not accepted. Nothing was read or written.
        """
        return await self.function(call, **self.check(arguments))

    def check(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """
        Return the arguments that were given, as the function takes them.

        Raises:
            InvalidInputError: As for `run`.
        """
        # Models give null for what they do not want to give.
        given = {name: value for name, value in arguments.items() if value is not None}
        for name in given:
            if name not in self.arguments:
                known = ", ".join(self.arguments)
                raise InvalidInputError(
                    "arguments", f"can only be {known}" if known else "must be none"
                )
        for name in self.arguments:
            if name not in given and name not in self.defaults:
                raise InvalidInputError(name, "must be given")
        return {name: self.arguments[name].check(name, value) for name, value in given.items()}


def tool(
    *, reads: bool = False, destroys: bool = False, idempotent: bool = False
) -> Callable[[Callable[Concatenate[ToolCall, P], Awaitable[Answer]]], Tool]:
    """
    Make a tool of a function: its name, its docstring, and its parameters after the first, the call.

    Each parameter is annotated with what it means: ``content: Annotated[str, Text("...")]``. One with a default
    value need not be given.
    """

    def make(function: Callable[Concatenate[ToolCall, P], Awaitable[Answer]]) -> Tool:
        _, *parameters = inspect.signature(function, eval_str=True).parameters.values()
        return Tool(
            name=function.__name__,
            description=inspect.getdoc(function) or "",
            arguments={its.name: get_args(its.annotation)[1] for its in parameters},
            defaults={its.name: its.default for its in parameters if its.default is not its.empty},
            is_read_only=reads,
            is_destructive=destroys,
            is_idempotent=idempotent or reads,
            function=function,
        )

    return make
