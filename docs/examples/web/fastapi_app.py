"""memrepo in FastAPI: ``uvicorn --app-dir docs/examples/web fastapi_app:app``."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse
from login import user_of
from model import think
from pydantic import BaseModel
from starlette.routing import Route

import memrepo
from memrepo.contrib.asgi import SessionRoute


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, memrepo.Store], None]:
    async with memrepo.from_env() as store:  # DATABASE_URL
        yield {"store": store}  # request.state.store


async def memory_of(request: Request) -> memrepo.ScopedStore:
    user = user_of(request.headers.get("authorization"))
    if user is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    store: memrepo.Store = request.state.store
    return store.scoped(f"user:{user}")


Memory = Annotated[memrepo.ScopedStore, Depends(memory_of)]


async def begin(memory: Memory) -> AsyncGenerator[memrepo.Transaction, None]:
    async with memory.transaction() as tx:
        yield tx


# It commits when the handler returns. Without "function" it would commit after the answer was sent.
Transaction = Annotated[memrepo.Transaction, Depends(begin, scope="function")]


class Said(BaseModel):
    text: str


app = FastAPI(lifespan=lifespan)
app.routes.append(Route("/session", SessionRoute(lambda scope: memory_of(Request(scope)))))


@app.exception_handler(memrepo.InvalidInputError)
async def invalid(request: Request, error: memrepo.InvalidInputError) -> JSONResponse:
    return JSONResponse({"field": error.field, "error": error.reason}, status_code=422)


@app.post("/facts", status_code=201)
async def remember(memory: Memory, said: Said) -> dict[str, str | int]:
    known = await memory.memories.remember(said.text)
    return {"id": known.id, "outcome": known.outcome}


@app.get("/facts")
async def facts(memory: Memory) -> list[str]:
    return [fact.content async for fact in memory.memories.iterate()]


@app.post("/homes", status_code=201)
async def move(tx: Transaction, said: Said) -> dict[str, str | int]:
    home = await tx.memories.remember(said.text, slot="home")
    await tx.daily_logs.append(None, "moved", {"fact": home.id})
    return {"id": home.id, "outcome": home.outcome}


@app.post("/messages")
async def answer(memory: Memory, said: Said) -> dict[str, str]:
    reply = " ".join([word async for word in think(said.text)])
    async with memory.transaction() as tx:  # after thinking: other writers wait for it
        session = await tx.sessions.get_or_start()
        await tx.daily_logs.append(session.id, "message", said.text)
        await tx.daily_logs.append(session.id, "reply", reply)
    return {"reply": reply}


@app.post("/chat")
async def chat(memory: Memory, said: Said) -> StreamingResponse:
    async def events() -> AsyncGenerator[str, None]:
        # If the client goes away, this is cancelled, and so is the session: its trigger says so.
        async with memory.sessions.session("chat", end_active=True) as session:
            await memory.daily_logs.append(session.id, "message", said.text)
            words = []
            async for word in think(said.text):
                words.append(word)
                yield f"data: {word}\n\n"
            await memory.daily_logs.append(session.id, "reply", " ".join(words))

    return StreamingResponse(events(), media_type="text/event-stream")
