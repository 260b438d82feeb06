"""memrepo in Litestar: ``uvicorn --app-dir docs/examples/web litestar_app:app``."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from litestar import Litestar, MediaType, Response, asgi, get, post
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.exceptions import NotAuthorizedException
from litestar.response import ServerSentEvent
from login import user_of
from model import think

import memrepo
from memrepo.contrib.asgi import SessionRoute

Connection = ASGIConnection[Any, Any, Any, Any]


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncGenerator[None, None]:
    async with memrepo.from_env() as store:  # DATABASE_URL
        app.state.store = store
        yield


async def memory_of(request: Connection) -> memrepo.ScopedStore:
    user = user_of(request.headers.get("authorization"))
    if user is None:
        raise NotAuthorizedException(headers={"WWW-Authenticate": "Bearer"})
    store: memrepo.Store = request.app.state.store
    return store.scoped(f"user:{user}")


@dataclass
class Said:
    text: str


def invalid(request: Connection, error: memrepo.InvalidInputError) -> Response[dict[str, str]]:
    return Response(
        {"field": error.field, "error": error.reason}, status_code=422, media_type=MediaType.JSON
    )


@post("/facts")
async def remember(memory: memrepo.ScopedStore, data: Said) -> dict[str, str | int]:
    known = await memory.memories.remember(data.text)
    return {"id": known.id, "outcome": known.outcome}


@get("/facts")
async def facts(memory: memrepo.ScopedStore) -> list[str]:
    return [fact.content async for fact in memory.memories.iterate()]


@post("/messages", status_code=200)
async def answer(memory: memrepo.ScopedStore, data: Said) -> dict[str, str]:
    reply = " ".join([word async for word in think(data.text)])
    async with memory.transaction() as tx:  # after thinking: other writers wait for it
        session = await tx.sessions.get_or_start()
        await tx.daily_logs.append(session.id, "message", data.text)
        await tx.daily_logs.append(session.id, "reply", reply)
    return {"reply": reply}


@post("/chat", status_code=200)
async def chat(memory: memrepo.ScopedStore, data: Said) -> ServerSentEvent:
    async def events() -> AsyncGenerator[str, None]:
        # If the client goes away, this is cancelled, and so is the session: its trigger says so.
        async with memory.sessions.session("chat", end_active=True) as session:
            await memory.daily_logs.append(session.id, "message", data.text)
            words = []
            async for word in think(data.text):
                words.append(word)
                yield word
            await memory.daily_logs.append(session.id, "reply", " ".join(words))

    return ServerSentEvent(events())


async def memory_of_scope(scope: Any) -> memrepo.ScopedStore:
    return await memory_of(ASGIConnection(scope))


session_route = SessionRoute(memory_of_scope)


@asgi("/session", copy_scope=True)
async def session(scope: Any, receive: Any, send: Any) -> None:
    await session_route(scope, receive, send)


app = Litestar(
    [remember, facts, answer, chat, session],
    lifespan=[lifespan],
    dependencies={"memory": Provide(memory_of)},
    exception_handlers={memrepo.InvalidInputError: invalid},
)
