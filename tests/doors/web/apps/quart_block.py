"""The recipe for Quart, and a route that thinks inside a transaction, which no program should."""

from model import think
from quart import ResponseReturnValue
from quart_app import app, memory_of_request, text_of_request

__all__ = ["app"]


@app.post("/block")
async def block() -> ResponseReturnValue:
    memory, text = memory_of_request(), await text_of_request()
    async with memory.transaction() as tx:
        await tx.memories.remember(f"before {text}")
        async for _ in think(text):
            pass
        await tx.memories.remember(f"after {text}")
    return {}
