"""memrepo in Flask: ``gunicorn --chdir docs/examples/web --threads 25 flask_app:app``."""

from flask import Flask, abort, request
from flask.typing import ResponseReturnValue
from login import user_of
from sync_memory import memory_of_process
from werkzeug.datastructures import WWWAuthenticate

import memrepo

app = Flask(__name__)


def memory_of_request() -> memrepo.ScopedStore:
    user = user_of(request.headers.get("authorization"))
    if user is None:
        abort(401, www_authenticate=WWWAuthenticate("bearer"))
    return memory_of_process().store.scoped(f"user:{user}")


async def contents(mine: memrepo.ScopedStore) -> list[str]:
    return [fact.content async for fact in mine.memories.iterate()]


@app.errorhandler(memrepo.InvalidInputError)
def invalid(error: memrepo.InvalidInputError) -> ResponseReturnValue:
    return {"field": error.field, "error": error.reason}, 422


@app.post("/facts")
def remember() -> ResponseReturnValue:
    mine = memory_of_request()
    body = request.get_json()
    text: str = body["text"] if isinstance(body, dict) and "text" in body else abort(422)
    known = memory_of_process().call(mine.memories.remember, text)
    return {"id": known.id, "outcome": known.outcome}, 201


@app.get("/facts")
def facts() -> ResponseReturnValue:
    return memory_of_process().call(contents, memory_of_request())
