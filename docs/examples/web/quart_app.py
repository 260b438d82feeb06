"""memrepo in Quart: ``hypercorn`` or ``uvicorn --app-dir docs/examples/web quart_app:app``."""

from collections.abc import AsyncGenerator
from typing import Any, NoReturn

from login import user_of
from model import think
from quart import Quart, Response, ResponseReturnValue, abort, request
from werkzeug.datastructures import WWWAuthenticate

import memrepo
from memrepo.contrib.asgi import SessionRoute

app = Quart(__name__)


@app.while_serving
async def lifespan() -> AsyncGenerator[None, None]:
    async with memrepo.from_env() as store:  # DATABASE_URL
        app.extensions["memrepo"] = store
        yield


def scoped(authorization: str | None) -> memrepo.ScopedStore | None:
    user = user_of(authorization)
    store: memrepo.Store = app.extensions["memrepo"]
    return store.scoped(f"user:{user}") if user else None


def refuse() -> NoReturn:
    abort(401, www_authenticate=WWWAuthenticate("bearer"))


def memory_of_request() -> memrepo.ScopedStore:
    return scoped(request.headers.get("authorization")) or refuse()


async def text_of_request() -> str:
    body = await request.get_json()
    text: str = body["text"] if isinstance(body, dict) and "text" in body else abort(422)
    return text


@app.errorhandler(memrepo.InvalidInputError)
async def invalid(error: memrepo.InvalidInputError) -> ResponseReturnValue:
    return {"field": error.field, "error": error.reason}, 422


@app.post("/facts")
async def remember() -> ResponseReturnValue:
    known = await memory_of_request().memories.remember(await text_of_request())
    return {"id": known.id, "outcome": known.outcome}, 201


@app.get("/facts")
async def facts() -> ResponseReturnValue:
    memory = memory_of_request()
    return [fact.content async for fact in memory.memories.iterate()]


@app.post("/messages")
async def answer() -> ResponseReturnValue:
    memory, text = memory_of_request(), await text_of_request()
    # If the client goes away, all of this is cancelled: the transaction happens whole or not at all.
    reply = " ".join([word async for word in think(text)])
    async with memory.transaction() as tx:  # after thinking: other writers wait for it
        session = await tx.sessions.get_or_start()
        await tx.daily_logs.append(session.id, "message", text)
        await tx.daily_logs.append(session.id, "reply", reply)
    return {"reply": reply}


@app.post("/chat")
async def chat() -> ResponseReturnValue:
    memory, text = memory_of_request(), await text_of_request()

    async def events() -> AsyncGenerator[str, None]:
        # If the client goes away, this is cancelled, and so is the session: its trigger says so.
        async with memory.sessions.session("chat", end_active=True) as session:
            await memory.daily_logs.append(session.id, "message", text)
            words = []
            async for word in think(text):
                words.append(word)
                yield f"data: {word}\n\n"
            await memory.daily_logs.append(session.id, "reply", " ".join(words))

    response = Response(events(), content_type="text/event-stream")
    response.timeout = None  # Quart ends other responses after a minute
    return response


def memory_of_scope(scope: Any) -> memrepo.ScopedStore | None:
    return scoped(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))


@app.route("/session", methods=["GET", "PATCH", "POST"])
async def session_of_nobody() -> ResponseReturnValue:
    refuse()  # as elsewhere in this app; the route itself would answer 403


quart_asgi = app.asgi_app
session_route = SessionRoute(memory_of_scope)


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    is_session = scope["type"] == "http" and scope["path"] == "/session"
    is_mine = is_session and memory_of_scope(scope) is not None
    await (session_route if is_mine else quart_asgi)(scope, receive, send)


app.asgi_app = asgi_app  # type: ignore[method-assign]  # as Quart's documentation says
