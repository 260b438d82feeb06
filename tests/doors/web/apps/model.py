"""A model that waits where its test wants it to: it takes the place of the recipes' own."""

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path

_FOLDER = Path(os.environ["GATE"])


async def think(text: str) -> AsyncGenerator[str, None]:
    """Yield a word, leave a note, and go on when the test has left one; leave another if that never comes."""
    yield "You"
    (_FOLDER / f"{text}.began").touch()
    try:
        while not (_FOLDER / f"{text}.go").exists():
            await asyncio.sleep(0.005)
    except asyncio.CancelledError:
        (_FOLDER / f"{text}.cancelled").touch()
        raise
    for word in f"said: {text}".split():
        yield word
