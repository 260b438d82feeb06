"""
The active session of a thread over HTTP, as an ASGI app to mount into a web service.

`memrepo` does not import it: ``from memrepo.contrib.asgi import SessionRoute``.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from inspect import isawaitable
from typing import Final, TypeAlias

from memrepo.contrib.asgi.http import (
    Answer,
    ClientGoneError,
    Problem,
    Receive,
    Request,
    Scope,
    Send,
)
from memrepo.contrib.asgi.openapi import description
from memrepo.domain.checks import (
    check_function,
    check_limit,
    check_name,
    check_text,
    check_thread,
)
from memrepo.domain.jsontext import JsonValue
from memrepo.domain.sessions import Session
from memrepo.errors import ClosedError, DatabaseError, InvalidInputError, UsageError
from memrepo.repositories.scopes import ScopedStore

__all__ = ["MemoryOf", "SessionRoute"]

_logger = logging.getLogger(__name__)

#: Returns whose memory a request is about, from the scope that ASGI gives to it; ``None`` refuses the request.
MemoryOf: TypeAlias = Callable[[Scope], ScopedStore | Awaitable[ScopedStore | None] | None]

#: The default bound of a body: a summary is some paragraphs.
_MAX_BODY_BYTES: Final = 65_536
_MOST_BODY_BYTES: Final = 4_000_000
_NEED_MEMORY: Final = frozenset({"GET", "HEAD", "PATCH", "POST"})
_ALLOW: Final = {"allow": "GET, HEAD, OPTIONS, PATCH, POST"}
#: Seconds; what can be tried again is a lock or a server that was busy for as long as it waits.
_RETRY_AFTER: Final = {"retry-after": "1"}


class SessionRoute:
    """
    An ASGI app that answers every request it gets as the active session of a thread.

    Mount it where the session shall be, as at ``/api/session``. It looks at no path. The thread is the query
    parameter ``thread``, by default ``""``.

    - ``GET`` (and ``HEAD``) returns the active session, and starts one if there is none:
      ``{"id": 5, "startedAt": "2026-02-02T14:16:24.123Z", "active": true, "thread": ""}``.
    - ``POST`` with ``{"source": "user_initiated"}`` ends the active session, starts another, and logs the event
      ``session_start``, all or nothing. It answers 201, with ``previousSessionClosed`` beside the fields of ``GET``.
    - ``PATCH`` with ``{"trigger": "browser_close", "summary": "..."}`` ends the active session, and returns it,
      with ``endedAt``, ``trigger`` and ``summary``. It answers 404 if no session is active.

    All fields of a body are optional. ``GET`` and ``POST`` give an ``ETag``. Who sends it back as ``If-Match`` ends
    the session it has seen and no other: 412 says that another tab was first. It is sent with its quotes, or else it
    is refused with 400.

    What cannot be answered gets problem details (RFC 9457, ``application/problem+json``): 400, 403, 404, 405,
    412, 413, 415; 422 with the ``field``, for what memrepo does not accept; and 503 for a `DatabaseError`, which is
    logged, as a warning, because its message is not for clients.
    """

    def __init__(
        self, memory: ScopedStore | MemoryOf, *, max_body_bytes: int = _MAX_BODY_BYTES
    ) -> None:
        """
        Make the app. It opens nothing, and closes nothing: a mounted app's lifespan does not run.

        Args:
            memory: The store, if everybody shares one memory; or a function, sync or async, that returns the
                ``store.scoped(...)`` of the user whom a request's ASGI scope proves, or ``None``, which
                refuses the request with 403. What it raises goes to the framework around.
            max_body_bytes: Most bytes of a body, 1 to 4,000,000; a longer one is refused, and not read to its end.

        Raises:
            InvalidInputError: An argument is not accepted.
        """
        if not isinstance(memory, ScopedStore):
            check_function("memory", memory)
        self._memory = memory
        self._max_body_bytes = check_limit(max_body_bytes, "max_body_bytes", most=_MOST_BODY_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Answer a request.

        Raises:
            UsageError: It is no HTTP request. Of a lifespan, servers take that for "not needed".
        """
        if scope["type"] != "http":
            raise UsageError(f"the session route answers http, and no {scope['type']}")
        request = Request(scope, receive)
        # What the program's own function raises is not for us to answer.
        memory = await self._memory_of(request) if request.method in _NEED_MEMORY else None
        try:
            answer = await self._answer(request, memory)
        except Problem as problem:
            answer = problem.answer()
        except InvalidInputError as error:
            answer = Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, error.reason, field=error.field
            ).answer()
        except (DatabaseError, ClosedError) as error:
            answer = _unavailable(error)
        except ClientGoneError:
            return  # nothing was done, and nobody is there to be told
        await answer.send(send, with_content=request.method != "HEAD")

    def openapi(self, path: str = "/session") -> dict[str, JsonValue]:
        """
        Return an OpenAPI 3.1 document that describes the route, as plain JSON types.

        Args:
            path: Where it is mounted.
        """
        return description(path, self._max_body_bytes)

    async def _answer(self, request: Request, memory: ScopedStore | None) -> Answer:
        match request.method:
            case "GET" | "HEAD":
                answer = self._get
            case "POST":
                answer = self._start
            case "PATCH":
                answer = self._end
            case "OPTIONS":
                return Answer(HTTPStatus.NO_CONTENT, headers=_ALLOW)
            case _:
                raise Problem(
                    HTTPStatus.METHOD_NOT_ALLOWED, "the route has no such method", headers=_ALLOW
                )
        if memory is None:
            raise Problem(HTTPStatus.FORBIDDEN, "the request does not identify a known user")
        return await answer(request, memory, check_thread(request.query("thread")))

    async def _memory_of(self, request: Request) -> ScopedStore | None:
        if isinstance(self._memory, ScopedStore):
            return self._memory
        found = self._memory(request.scope)
        return await found if isawaitable(found) else found

    async def _get(self, request: Request, memory: ScopedStore, thread: str) -> Answer:
        session = await memory.sessions.get_or_start(thread)
        if request.names_tag("if-none-match", _tag(session)):
            return Answer(HTTPStatus.NOT_MODIFIED, headers=_etag(session))
        return Answer(HTTPStatus.OK, _as_json(session), _etag(session))

    async def _start(self, request: Request, memory: ScopedStore, thread: str) -> Answer:
        body = await request.json_object(self._max_body_bytes)
        source = check_name("source", _text(body, "source", "user_initiated"))
        async with memory.transaction() as tx:
            active = await tx.sessions.active(thread)
            _require_seen(request, active)
            session = await tx.sessions.start(thread, end_active=True)
            await tx.daily_logs.append(session.id, "session_start", {"source": source})
        content = {**_as_json(session), "previousSessionClosed": active is not None}
        return Answer(HTTPStatus.CREATED, content, _etag(session))

    async def _end(self, request: Request, memory: ScopedStore, thread: str) -> Answer:
        body = await request.json_object(self._max_body_bytes)
        trigger = check_name("trigger", _text(body, "trigger", "explicit"))
        has_summary = body.get("summary") is not None
        summary = check_text("summary", _text(body, "summary", "")) if has_summary else None
        async with memory.transaction() as tx:
            active = await tx.sessions.active(thread)
            _require_seen(request, active)
            if active is None:
                raise Problem(HTTPStatus.NOT_FOUND, "no session is active in this thread")
            end = await tx.sessions.end(active.id, trigger=trigger, summary=summary)
        return Answer(HTTPStatus.OK, _as_json(end.session))


def _require_seen(request: Request, active: Session | None) -> None:
    """Refuse a request whose sender has seen another session than the one that is active."""
    if request.names_tag("if-match", None if active is None else _tag(active)) is False:
        raise Problem(HTTPStatus.PRECONDITION_FAILED, "another session is active by now, or none")


def _text(body: Mapping[str, JsonValue], field: str, default: str) -> str:
    value = body.get(field)
    if value is None:
        return default
    if not isinstance(value, str):
        raise InvalidInputError(field, "must be text")
    return value


def _as_json(session: Session) -> dict[str, JsonValue]:
    row = session.to_dict()
    names = {"id": "id", "started_at": "startedAt"}
    if session.status == "ended":
        names |= {"ended_at": "endedAt", "end_trigger": "trigger", "summary": "summary"}
    known = {theirs: row[ours] for ours, theirs in names.items()}
    return {**known, "active": session.status == "active", "thread": session.thread}


def _tag(session: Session) -> str:
    return f'"{session.id}"'


def _etag(session: Session) -> dict[str, str]:
    return {"etag": _tag(session)}


def _unavailable(error: DatabaseError | ClosedError) -> Answer:
    _logger.warning("answered 503: %s", error)
    is_retryable = isinstance(error, DatabaseError) and error.retryable
    headers = _RETRY_AFTER if is_retryable else None
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "the memory did not answer", headers=headers
    ).answer()
