"""A memory as resources, which a user attaches to a conversation, and as prompts, which a user begins one with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError

from memrepo.contrib.tools.facts import DATA_NOTICE
from memrepo.contrib.tools.toolbox import REFUSALS, MemoryTools
from memrepo.domain.markdown import inline

__all__ = ["add_prompts", "add_resources"]

_MARKDOWN: Final = "text/markdown"
_TEXT: Final = "text/plain"
#: Tokens of the block about the user.
_MEMORY_TOKENS: Final = 2_000
_NOTHING: Final = "Nothing is remembered yet."


def add_resources(server: MCPServer, tools: MemoryTools) -> None:
    """Add the memory, and the days of its daily log, to a server."""

    @server.resource("memrepo://memory", title="Memory", mime_type=_TEXT)
    async def memory() -> str:
        """What to have in mind about the user, as a block for a prompt."""
        return await _block(tools)

    @server.resource("memrepo://days/today", title="Today", mime_type=_MARKDOWN)
    async def today() -> str:
        """What happened today, in UTC: conversations, new facts, topics, failures and tools."""
        return await _digest(tools, "today")

    @server.resource("memrepo://days/{day}", title="A day", mime_type=_MARKDOWN)
    async def one_day(day: str) -> str:
        """What happened on a day, as 2026-02-28, in UTC."""
        with _missing():
            return await _digest(tools, day)

    @server.resource("memrepo://facts/{id}", title="A fact", mime_type=_TEXT)
    async def fact(id: str) -> str:
        """The whole text of a fact, as `search` names it, below what to make of it."""
        with _missing():
            return f"{DATA_NOTICE}\n\n{(await tools.run('fetch', {'id': id}))['text']}"


def add_prompts(server: MCPServer, tools: MemoryTools) -> None:
    """Add the prompts to a server."""

    @server.prompt(title="Continue the last conversation")
    async def continue_conversation() -> str:
        """Begin with what the last conversation was about, and what is known of the user."""
        carried = await tools.memory.sessions.carry_over()
        memory = await _block(tools)
        last = _quoted(carried.text) or "There was no conversation yet."
        return f"Let us continue where we stopped.\n\n{memory}\n\nLast conversation:\n{last}"


async def _block(tools: MemoryTools) -> str:
    context = await tools.memory.memories.recall(
        max_tokens=_MEMORY_TOKENS, max_entries=50, count_lines=True
    )
    return f"{DATA_NOTICE}\n\n{context.to_prompt() or _NOTHING}"


def _quoted(text: str) -> str:
    """Return a text as a quotation: what is sent as the user's own words is none of them."""
    lines = (inline(line, max_length=len(line)) for line in text.splitlines())
    return "\n".join(f"> {line}" for line in lines if line)


async def _digest(tools: MemoryTools, day: str) -> str:
    digest = await tools.run("day_digest", {"day": day})
    return f"> {digest['notice']}\n\n{digest['markdown']}"


@contextmanager
def _missing() -> Iterator[None]:
    """Say of what cannot be read that there is no such resource, and why."""
    try:
        yield
    except REFUSALS as error:
        raise ResourceNotFoundError(str(error)) from error
