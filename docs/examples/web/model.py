"""Stands in for your model: it says back what it was told, a word at a time."""

import asyncio
import os
from collections.abc import AsyncGenerator

#: Seconds that it thinks before each word.
_PAUSE_S = float(os.environ.get("MODEL_PAUSE_S", "0"))


async def think(text: str) -> AsyncGenerator[str, None]:
    """Yield the words of a reply."""
    for word in f"You said: {text}".split():
        await asyncio.sleep(_PAUSE_S)
        yield word
