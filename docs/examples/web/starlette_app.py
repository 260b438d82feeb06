"""memrepo in Starlette: ``uvicorn --app-dir docs/examples/web starlette_app:app``."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from login import user_of
from model import think
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

import memrepo
from memrepo.contrib.asgi import SessionRoute


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[dict[str, memrepo.Store], None]:
    async with memrepo.from_env() as store:  # DATABASE_URL
        yield {"store": store}  # request.state.store


def memory_of(request: Request) -> memrepo.ScopedStore:
    user = user_of(request.headers.get("authorization"))
    if user is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    store: memrepo.Store = request.state.store
    return store.scoped(f"user:{user}")


async def text_of(request: Request) -> str:
    try:
        text: str = (await request.json())["text"]
    except (ValueError, LookupError, TypeError):
        raise HTTPException(422) from None
    return text


async def invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, memrepo.InvalidInputError)
    return JSONResponse({"field": error.field, "error": error.reason}, status_code=422)


async def remember(request: Request) -> JSONResponse:
    known = await memory_of(request).memories.remember(await text_of(request))
    return JSONResponse({"id": known.id, "outcome": known.outcome}, status_code=201)


async def facts(request: Request) -> JSONResponse:
    memory = memory_of(request)
    return JSONResponse([fact.content async for fact in memory.memories.iterate()])


async def answer(request: Request) -> JSONResponse:
    memory, text = memory_of(request), await text_of(request)
    reply = " ".join([word async for word in think(text)])
    async with memory.transaction() as tx:  # after thinking: other writers wait for it
        session = await tx.sessions.get_or_start()
        await tx.daily_logs.append(session.id, "message", text)
        await tx.daily_logs.append(session.id, "reply", reply)
    return JSONResponse({"reply": reply})


async def chat(request: Request) -> StreamingResponse:
    memory, text = memory_of(request), await text_of(request)

    async def events() -> AsyncGenerator[str, None]:
        # If the client goes away, this is cancelled, and so is the session: its trigger says so.
        async with memory.sessions.session("chat", end_active=True) as session:
            await memory.daily_logs.append(session.id, "message", text)
            words = []
            async for word in think(text):
                words.append(word)
                yield f"data: {word}\n\n"
            await memory.daily_logs.append(session.id, "reply", " ".join(words))

    return StreamingResponse(events(), media_type="text/event-stream")


app = Starlette(
    lifespan=lifespan,
    exception_handlers={memrepo.InvalidInputError: invalid},
    routes=[
        Route("/facts", remember, methods=["POST"]),
        Route("/facts", facts),
        Route("/messages", answer, methods=["POST"]),
        Route("/chat", chat, methods=["POST"]),
        Route("/session", SessionRoute(lambda scope: memory_of(Request(scope)))),
    ],
)
