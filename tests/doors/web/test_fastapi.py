"""When a transaction that is a dependency of FastAPI commits: before the answer only if its scope says so."""

from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI

import memrepo

pytestmark = pytest.mark.asyncio


def app_over(store: memrepo.Store) -> FastAPI:
    """An app with the same dependency twice, by its default scope and by the scope of the function."""
    app = FastAPI()

    async def begin() -> AsyncGenerator[memrepo.Transaction, None]:
        async with store.transaction() as tx:
            yield tx

    @app.post("/default")
    async def default(tx: Annotated[memrepo.Transaction, Depends(begin)]) -> int:
        return (await tx.memories.remember("Likes tea")).id

    @app.post("/function")
    async def function(
        tx: Annotated[memrepo.Transaction, Depends(begin, scope="function")],
    ) -> int:
        return (await tx.memories.remember("Likes tea")).id

    return app


@pytest.mark.parametrize(("route", "n_stored"), [("/default", 0), ("/function", 1)])
async def test_answer_and_commit(route: str, n_stored: int, tmp_path: Path) -> None:
    """When the answer begins, another connection sees the fact with the scope "function", and else not yet."""
    url = str(tmp_path / "agent.db")
    seen: list[int] = []
    async with memrepo.connect(url) as store, memrepo.connect(url) as other:
        app = app_over(store)

        async def watched(
            scope: MutableMapping[str, Any],
            receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
            send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
        ) -> None:
            async def look_and_send(message: MutableMapping[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    seen.append(await other.memories.count())
                await send(message)

            await app(scope, receive, look_and_send)

        transport = httpx.ASGITransport(app=watched)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            assert (await client.post(route)).status_code == 200
        assert seen == [n_stored]
        assert await other.memories.count() == 1
