"""memrepo's tools as tools of an MCP server."""

# Without `from __future__ import annotations`: the SDK reads annotations that name functions made in here.

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Final, TypeAlias

from mcp.server.mcpserver import Context, Elicit, ElicitationResult, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool as ServedTool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from mcp_types import ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field

from memrepo.contrib.mcp.answers import ANSWERS
from memrepo.contrib.tools.facts import state_of
from memrepo.contrib.tools.tool import Answer, Tool
from memrepo.contrib.tools.toolbox import REFUSALS, MemoryTools

__all__ = ["served"]

#: The one tool that asks the user.
_FORGET_ALL: Final = "forget_all"
#: How many facts the user is asked about, and which: see `state_of`.
_State: TypeAlias = tuple[int, str]
#: All that a model gave, in one parameter: so none of them is taken for what the SDK fills in.
_Arguments: TypeAlias = Mapping[str, object]


class Agreement(BaseModel):
    """What the user answers."""

    # Some hosts leave out a box that is not ticked.
    agreed: bool = Field(default=False, description="Forget all of them")


class Given(ArgModelBase):
    """
    Arguments as a model gave them: the tool itself checks them.

    The SDK would ignore those that it does not know, take texts that look like JSON apart, and quote what it refuses.
    """

    model_config = ConfigDict(extra="allow")

    def model_dump_one_level(self) -> dict[str, Any]:
        """Return all of them as one."""
        return {"arguments": self.model_extra or {}}


def served(tools: MemoryTools) -> list[ServedTool]:
    """Return all tools of a memory as tools of a server."""
    return [_served(tools, tool) for tool in tools.tools.values()]


def _served(tools: MemoryTools, tool: Tool) -> ServedTool:
    function = (_forget_all if tool.name == _FORGET_ALL else _function)(tools, tool)
    function.__annotations__["return"] = ANSWERS.get(tool.name, dict[str, Any])
    made = ServedTool.from_function(
        function,
        name=tool.name,
        description=tool.description,
        annotations=_hints(tool),
        structured_output=True,
    )
    made.parameters = tool.schema
    made.fn_metadata.arg_model = Given
    return made


def _hints(tool: Tool) -> ToolAnnotations:
    return ToolAnnotations(
        read_only_hint=tool.is_read_only,
        destructive_hint=tool.is_destructive,
        idempotent_hint=tool.is_idempotent,
        open_world_hint=False,
    )


def _function(tools: MemoryTools, tool: Tool) -> Callable[..., Awaitable[Answer]]:
    async def run(arguments: _Arguments) -> Answer:
        return await _run(tools, tool.name, arguments)

    return run


def _forget_all(tools: MemoryTools, tool: Tool) -> Callable[..., Awaitable[Answer]]:
    """
    Return a function for `forget_all` that asks the user, where the client can do that.

    What is annotated with `Resolve` the SDK fills in, and the model cannot. Where the client cannot ask, the model
    needs the token of a first call.
    """

    async def announce(arguments: _Arguments) -> _State:
        with _refusing():
            tool.check(arguments)  # before the user is asked
        return await state_of(tools.memory.memories)

    def is_asked(ctx: Context, announced: _State) -> bool:
        return announced[0] > 0 and _can_ask(ctx)

    async def ask(
        ctx: Context, announced: Annotated[_State, Resolve(announce)]
    ) -> Elicit[Agreement] | None:
        if not is_asked(ctx, announced):
            return None
        n_facts, which = announced
        # Both, because the SDK asks again, after the answer, if the question would now be another one.
        question = f"Facts that would be forgotten: {n_facts}, {which}"
        return Elicit(question, Agreement)

    async def run(
        arguments: _Arguments,
        ctx: Context,
        announced: Annotated[_State, Resolve(announce)],
        answer: Annotated[ElicitationResult[Agreement], Resolve(ask)],
    ) -> Answer:
        if not is_asked(ctx, announced):
            # Who can be asked is asked: no token stands in for an answer.
            return await _run(tools, tool.name, {} if _can_ask(ctx) else arguments)
        if answer.action == "cancel":
            raise ToolError("the user did not answer: nothing was forgotten")
        if answer.action == "decline" or not answer.data.agreed:
            raise ToolError("the user declined: nothing was forgotten")
        return await _forget(tools, announced)

    return run


async def _forget(tools: MemoryTools, agreed: _State) -> Answer:
    """Forget the facts that a user has agreed to, however long that took, and none that were added meanwhile."""
    token = (await _run(tools, _FORGET_ALL, {}))["token"]
    if await state_of(tools.memory.memories) != agreed:
        raise ToolError("the facts have changed since the user was asked: nothing was forgotten")
    return await _run(tools, _FORGET_ALL, {"token": token})


async def _run(tools: MemoryTools, name: str, arguments: _Arguments) -> Answer:
    with _refusing():
        return await tools.run(name, arguments)


@contextmanager
def _refusing() -> Iterator[None]:
    """Tell the model of what it asked for and cannot be done."""
    try:
        yield
    except REFUSALS as error:
        raise ToolError(str(error)) from error


def _can_ask(ctx: Context) -> bool:
    """Return whether the client can show a form to its user; one that does not say which way it asks can."""
    known = ctx.client_capabilities
    asks = None if known is None else known.elicitation
    return asks is not None and (asks.form is not None or asks.url is None)
