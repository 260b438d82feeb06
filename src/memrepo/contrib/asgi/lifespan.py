"""
A store for as long as a Starlette or FastAPI app runs.

`memrepo` does not import it: ``from memrepo.contrib.asgi import store_lifespan``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from os import PathLike
from typing import TypeAlias, Unpack

from memrepo.connect import connect
from memrepo.options import ConnectOptions
from memrepo.store import Store

__all__ = ["Lifespan", "store_lifespan"]

#: What ``Starlette(lifespan=...)`` and ``FastAPI(lifespan=...)`` take.
Lifespan: TypeAlias = Callable[[object], AbstractAsyncContextManager[dict[str, Store]]]


def store_lifespan(url: str | PathLike[str], **options: Unpack[ConnectOptions]) -> Lifespan:
    """
    Return a lifespan that opens a store when the app starts, as ``request.state.store``, and closes it at the end.

    Nothing is opened until then, so each worker of a server opens a store of its own, and so does each run of the app.

    Args:
        url: As in `connect`.
        options: Those of `connect`.

    Raises:
        InvalidInputError: An option is not accepted.
        UnsupportedURLError: The URL names something that memrepo does not open.
    """
    connect(url, **options)  # refuses what is not accepted before the app starts

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncGenerator[dict[str, Store], None]:
        # Anew each time, because a test may run one app twice at once.
        async with connect(url, **options) as store:
            yield {"store": store}

    return lifespan
