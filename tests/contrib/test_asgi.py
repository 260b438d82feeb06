"""The session route: the active session of a thread over HTTP, as the original's clients know it."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
import pytest_asyncio

import memrepo
from memrepo import Store
from memrepo.contrib.asgi import SessionRoute, store_lifespan
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

JSON = {"content-type": "application/json"}
Message: TypeAlias = MutableMapping[str, Any]


def client_of(app: Callable[..., Awaitable[None]]) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest_asyncio.fixture
async def client(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a route over the store on each driver."""
    async with client_of(SessionRoute(store, max_body_bytes=1_000)) as client:
        yield client


def problem(answer: httpx.Response) -> dict[str, object]:
    """The problem details of an answer, which says of itself what it is."""
    assert answer.headers["content-type"] == "application/problem+json"
    details: dict[str, object] = answer.json()
    assert details["status"] == answer.status_code
    assert {"title", "detail"} <= details.keys()
    return details


# --- what the original does --------------------------------------------------------------------


async def test_get_starts_a_session_once(client: httpx.AsyncClient, store: Store) -> None:
    """The first GET starts a session and the next returns it, under the original's field names."""
    first, second = await client.get("/"), await client.get("/")
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert first.json() == {
        "id": 1,
        "startedAt": "2026-02-02T14:16:24.123Z",
        "active": True,
        "thread": "",
    }
    assert (first.headers["etag"], first.headers["cache-control"]) == ('"1"', "no-store")
    assert await store.sessions.count() == 1


async def test_get_after_the_idle_time(
    client: httpx.AsyncClient, store: Store, clock: Clock
) -> None:
    """A session that was idle for half an hour has timed out, and GET starts the next one."""
    await client.get("/")
    clock.advance(minutes=30)
    assert (await client.get("/")).json()["id"] == 2
    assert (await store.sessions.get(1)).end_trigger == "timeout"


async def test_post_starts_another_session(client: httpx.AsyncClient, store: Store) -> None:
    """POST ends the active session as explicit, starts another, and logs its source."""
    first = await client.post("/", json={"source": "morning_briefing"})
    second = await client.post("/")
    assert (first.status_code, first.json()["previousSessionClosed"]) == (201, False)
    assert (second.status_code, second.json()["previousSessionClosed"]) == (201, True)
    assert (second.json()["id"], second.headers["etag"]) == (2, '"2"')
    assert (await store.sessions.get(1)).end_trigger == "explicit"
    events = [event async for event in store.daily_logs.iterate()]
    assert [(its.session_id, its.event_type, its.event_data) for its in events] == [
        (1, "session_start", {"source": "morning_briefing"}),
        (2, "session_start", {"source": "user_initiated"}),
    ]


async def test_patch_ends_the_session(
    client: httpx.AsyncClient, store: Store, clock: Clock
) -> None:
    """PATCH ends the active session with a trigger and a summary, and tells what it has stored."""
    await client.get("/")
    clock.advance(minutes=5)
    answer = await client.patch("/", json={"trigger": "browser_close", "summary": "Tea. ☕"})
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "id": 1,
            "startedAt": "2026-02-02T14:16:24.123Z",
            "endedAt": "2026-02-02T14:21:24.123Z",
            "trigger": "browser_close",
            "summary": "Tea. ☕",
            "active": False,
            "thread": "",
        },
    )
    assert (await store.sessions.get(1)).summary == "Tea. ☕"


async def test_patch_without_a_body(client: httpx.AsyncClient) -> None:
    """Without a body, or with nulls, a session ends as explicit and has no summary."""
    for body in (b"", b'{"trigger": null, "summary": null, "later": 1}'):
        await client.get("/")
        answer = await client.patch("/", content=body, headers=JSON)
        assert (answer.json()["trigger"], answer.json()["summary"]) == ("explicit", None)


async def test_patch_without_a_session(client: httpx.AsyncClient, store: Store) -> None:
    """Where no session is active there is nothing to end, and none is started."""
    assert (await client.patch("/")).status_code == 404
    assert await store.sessions.count() == 0


async def test_threads(client: httpx.AsyncClient, store: Store) -> None:
    """Each thread has a session of its own; ending one leaves the other."""
    ids = [(await client.get("/", params={"thread": name})).json()["id"] for name in ("a", "ü&")]
    assert ids == [1, 2]
    await client.patch("/?thread=a")
    assert await store.sessions.active("a") is None
    active = await store.sessions.active("ü&")
    assert active is not None
    assert active.id == 2


# --- two tabs ----------------------------------------------------------------------------------


async def test_second_tab_does_not_end_what_it_has_not_seen(
    client: httpx.AsyncClient, store: Store
) -> None:
    """Of two tabs that saw one session, the first to act wins, and the other gets 412 and changes nothing."""
    seen = {"if-match": (await client.get("/")).headers["etag"]}
    assert (await client.post("/", headers=seen)).status_code == 201
    for late in (await client.patch("/", headers=seen), await client.post("/", headers=seen)):
        assert (late.status_code, problem(late)["status"]) == (412, 412)
    active = await store.sessions.active()
    assert active is not None
    assert active.id == 2
    assert await store.daily_logs.count_by_type() == {"session_start": 1}


async def test_tabs_at_once(client: httpx.AsyncClient, store: Store) -> None:
    """Of twenty tabs that act at once on the session they have seen, one does, and the others get 412."""
    seen = {"if-match": (await client.get("/")).headers["etag"]}
    calls = [client.request(method, "/", headers=seen) for method in ("POST", "PATCH") * 10]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*calls))
    assert statuses[0] in (200, 201)
    assert statuses[1:] == [412] * 19
    assert (await store.sessions.get(1)).end_trigger == "explicit"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ('"1"', 200),
        ('"7", "1"', 200),
        ("*", 200),
        ('W/"1"', 412),
        ('"11"', 412),
        (' , "7" ,, "1",', 200),
        ('"!#~"', 412),
        ("", 412),
    ],
)
async def test_if_match(client: httpx.AsyncClient, header: str, status: int) -> None:
    """A list names the session if it has its tag, a weak tag names nothing, and * names any."""
    await client.get("/")
    assert (await client.patch("/", headers={"if-match": header})).status_code == status


@pytest.mark.parametrize(
    "header", ["1", '"1', '1, "1"', '"1" "1"', "*, *", "'1'", '"a b"', 'w/"1"']
)
async def test_if_match_without_quotes(
    client: httpx.AsyncClient, store: Store, header: str
) -> None:
    """What is no entity tag of RFC 9110 is told from one that another tab was faster than, and changes nothing."""
    await client.get("/")
    for method in ("PATCH", "POST"):
        refused = await client.request(method, "/", headers={"if-match": header})
        assert (refused.status_code, problem(refused)["status"]) == (400, 400)
        assert 'If-Match: "5"' in str(problem(refused)["detail"])
    assert await store.sessions.active() is not None


async def test_if_match_where_no_session_is_active(client: httpx.AsyncClient) -> None:
    """Not even * names a session where none is active."""
    for header in ("*", '"1"'):
        assert (await client.post("/", headers={"if-match": header})).status_code == 412


async def test_if_none_match(client: httpx.AsyncClient) -> None:
    """Who has seen the active session already gets 304 without content; who saw another, gets this one."""
    tag = (await client.get("/")).headers["etag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        same = await client.get("/", headers={"if-none-match": known})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert (await client.get("/", headers={"if-none-match": "1"})).status_code == 200
    await client.post("/")
    assert (await client.get("/", headers={"if-none-match": tag})).json()["id"] == 2


# --- HTTP --------------------------------------------------------------------------------------


async def test_head(client: httpx.AsyncClient) -> None:
    """HEAD gets the headers of GET, and no content, also of a problem."""
    head, get = await client.head("/"), await client.get("/")
    assert (head.status_code, head.content, head.headers) == (200, b"", get.headers)
    refused = await client.head("/?thread=%20")
    assert (refused.status_code, refused.content) == (422, b"")


async def test_options(client: httpx.AsyncClient, store: Store) -> None:
    """OPTIONS lists the methods and touches nothing."""
    answer = await client.options("/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, PATCH, POST"
    assert await store.sessions.count() == 0


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "get", "QUERY"])
async def test_other_methods(store: Store, method: str) -> None:
    """Other methods get 405, with those that there are."""
    sent = await call(SessionRoute(store), method, [])
    assert sent[0]["status"] == 405
    assert (b"allow", b"GET, HEAD, OPTIONS, PATCH, POST") in sent[0]["headers"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, None),
        (b'{"source": NaN}', 400, None),
        (b'{"source": "\xff"}', 400, None),
        (b"[" * 900, 400, None),
        (b"1" * 900, 422, None),
        (b"[]", 422, None),
        (b"null", 422, None),
        (b'{"source": 1}', 422, "source"),
        (b'{"source": ["a"]}', 422, "source"),
        (b'{"source": ""}', 422, "source"),
        (b'{"source": "a\\u0000b"}', 422, "source"),
        (b'{"source": "\\ud800"}', 422, "source"),
        (b'{"source": "' + b"x" * 256 + b'"}', 422, "source"),
        (b'{"source": "' + b"x" * 1_000 + b'"}', 413, None),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_bodies_that_are_refused(
    client: httpx.AsyncClient, store: Store, body: bytes, status: int, field: str | None
) -> None:
    """What is not JSON, too long or of a wrong type is refused with its place, and nothing is stored."""
    answer = await client.post("/", content=body, headers=JSON)
    assert answer.status_code == status
    assert problem(answer).get("field") == field
    assert await store.sessions.count() == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [({"trigger": True}, "trigger"), ({"summary": {}}, "summary"), ({"summary": " "}, "summary")],
)
async def test_wrong_types_in_a_patch(
    client: httpx.AsyncClient, store: Store, body: dict[str, object], field: str
) -> None:
    """A trigger and a summary must be text that is not blank; else the session goes on."""
    await client.get("/")
    answer = await client.patch("/", json=body)
    assert (answer.status_code, problem(answer)["field"]) == (422, field)
    assert (await store.sessions.get(1)).status == "active"


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 201),
        ("Application/JSON; charset=utf-8", 201),
        ("application/ld+json", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/jsonp", 415),
        ("", 415),
    ],
)
async def test_media_types(client: httpx.AsyncClient, media_type: str, status: int) -> None:
    """A body says that it is JSON: what a form of another site can send is not read."""
    answer = await client.post("/", content=b"{}", headers={"content-type": media_type})
    assert answer.status_code == status
    assert (answer.headers.get("accept") == "application/json") == (status == 415)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("thread=%20", 422),
        ("thread=a%00b", 422),
        ("thread=" + "x" * 256, 422),
        ("thread=%FF", 400),
        ("thread=a&thread=b", 400),
        ("thread=", 200),
        ("other=1", 200),
    ],
)
async def test_queries(client: httpx.AsyncClient, query: str, status: int) -> None:
    """A thread is one name in UTF-8; other parameters are somebody else's."""
    answer = await client.get(f"/?{query}")
    assert answer.status_code == status
    if status == 422:
        assert problem(answer)["field"] == "thread"


# --- clients that go away, memories that fail ---------------------------------------------------


async def call(
    route: SessionRoute, method: str, parts: Iterable[Message], query: bytes = b""
) -> list[Message]:
    """Give a request's messages to a route, and return what it sends."""
    scope = {"type": "http", "method": method, "query_string": query, "path": "/"}
    sent: list[Message] = []
    waiting = iter(parts)

    async def receive() -> Message:
        return next(waiting)

    async def send(message: Message) -> None:
        sent.append(message)

    await route({**scope, "headers": [(b"content-type", b"application/json")]}, receive, send)
    return sent


def part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_query_that_is_not_quoted(store: Store) -> None:
    """A client such as curl sends a query's bytes as they are: in UTF-8 they mean the same, and else nothing."""
    route = SessionRoute(store)
    for query, status in (
        (b"thread=%E2%98%95", 200),
        ("thread=☕".encode(), 200),
        (b"thread=\xff", 400),
    ):
        assert (await call(route, "GET", [], query))[0]["status"] == status
    assert [its.thread async for its in store.sessions.iterate()] == ["☕"]


async def test_half_a_body(store: Store) -> None:
    """A browser that unloads sends half a body: nothing is done, and nobody is answered."""
    await store.sessions.start()
    parts: list[Message] = [part(b'{"trigger": "brow', more=True), {"type": "http.disconnect"}]
    assert await call(SessionRoute(store), "PATCH", parts) == []
    assert (await store.sessions.get(1)).status == "active"


async def test_body_in_parts(store: Store) -> None:
    """A body may come in any number of parts."""
    parts = [part(bytes([byte]), more=True) for byte in b'{"source": "user"}'] + [
        part(b"", more=False)
    ]
    assert (await call(SessionRoute(store), "POST", parts))[0]["status"] == 201
    assert (await store.daily_logs.get(1)).event_data == {"source": "user"}


async def test_long_body_is_not_read_to_its_end(store: Store) -> None:
    """A body without end is refused as soon as it is too long."""
    waiting = iter([part(b"x" * 600, more=True)] * 3)
    sent = await call(SessionRoute(store, max_body_bytes=1_000), "POST", waiting)
    assert sent[0]["status"] == 413
    assert len(list(waiting)) == 1


async def test_memory_that_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A database that fails is 503, to be tried again if that may help; what it says is logged, not sent."""
    url = str(tmp_path / "secret-name.db")
    async with (
        memrepo.connect(url) as store,
        memrepo.connect(url, lock_timeout_s=0.01) as other,
        client_of(SessionRoute(other)) as client,
    ):
        async with store.transaction() as tx:
            await tx.sessions.start()
            with caplog.at_level(logging.WARNING):
                busy = await client.post("/")
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
        assert "secret-name" not in json.dumps(problem(busy))
        assert "secret-name" in caplog.text
        await other.close()
        closed = await client.get("/")
        assert (closed.status_code, "retry-after" in closed.headers) == (503, False)


async def test_guard_refuses(url: str) -> None:
    """What the store's guard refuses is refused with the field, without its text."""
    async with (
        memrepo.connect(url, on_remember=lambda draft: None) as store,
        client_of(SessionRoute(store)) as client,
    ):
        answer = await client.post("/", json={"source": "secret"})
        assert answer.status_code == 422
        assert "secret" not in answer.text
        assert await store.sessions.count() == 0


# --- whose memory ------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
async def test_memory_of_the_user(store: Store, is_async: bool) -> None:
    """A function of the scope, sync or async, says whose sessions they are; nobody's is 403."""

    def memory_of(scope: Message) -> memrepo.ScopedStore | None:
        user = scope.get("user")
        return store.scoped(f"user:{user}") if user else None

    async def slowly(scope: Message) -> memrepo.ScopedStore | None:
        return memory_of(scope)

    route = SessionRoute(slowly if is_async else memory_of)

    def signed_in(user: str | None) -> Callable[..., Awaitable[None]]:
        async def app(scope: Message, receive: Any, send: Any) -> None:
            await route({**scope, "user": user}, receive, send)

        return app

    for user, expected in (("ada", 200), ("grace", 200), (None, 403)):
        async with client_of(signed_in(user)) as client:
            assert (await client.get("/?thread=phone")).status_code == expected
    assert [its.scope for its in await store.scopes()] == ["user:ada", "user:grace"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "POST"])
@pytest.mark.parametrize(
    "error",
    [
        PermissionError("sign in first"),
        memrepo.InvalidInputError("scope", "must not be longer than 255 characters"),
        memrepo.ClosedError("this pool is closed"),
        memrepo.DatabaseError("not there"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_errors_of_the_function_are_the_frameworks(error: Exception, method: str) -> None:
    """What the function raises goes to the framework around, which may have an answer for it: memrepo's errors, too."""

    def memory_of(scope: Message) -> memrepo.ScopedStore:
        raise error

    async with client_of(SessionRoute(memory_of)) as client:
        with pytest.raises(type(error), match=re.escape(str(error))):
            await client.request(method, "/")
        assert (await client.options("/")).status_code == 204
        assert (await client.put("/")).status_code == 405


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_only_http(store: Store, kind: str) -> None:
    """It has no lifespan and no socket: the store is opened and closed by whoever made it."""

    async def never() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError

    with pytest.raises(memrepo.UsageError, match=kind):
        await SessionRoute(store)({"type": kind}, never, send)


@pytest.mark.parametrize(
    "arguments", [{"memory": "agent.db"}, {"max_body_bytes": 0}, {"max_body_bytes": True}]
)
async def test_arguments(store: Store, arguments: dict[str, Any]) -> None:
    """A memory is a store or a function, and a bound is a number of bytes."""
    with pytest.raises(memrepo.InvalidInputError, match=next(iter(arguments))):
        SessionRoute(**{"memory": store, **arguments})


async def test_store_of_a_pool(tmp_path: Path) -> None:
    """Inside a pool's block, a route is made for one request, and each tenant has its own session."""
    async with memrepo.StorePool(tmp_path / "{tenant}.db") as pool:

        async def app(scope: Message, receive: Any, send: Any) -> None:
            async with pool.open(scope["path"].strip("/")) as store:
                await SessionRoute(store)(scope, receive, send)

        async with client_of(app) as client:
            for tenant in ("acme", "globex"):
                assert (await client.post(f"/{tenant}")).json()["id"] == 1
            assert (await client.get("/acme")).json()["id"] == 1


async def test_lifespan(tmp_path: Path, clock: Clock) -> None:
    """Each run of an app opens a store with the options that were given, and closes it."""
    lifespan = store_lifespan(tmp_path / "agent.db", clock=clock)
    assert not (tmp_path / "agent.db").exists()
    for n_facts in (1, 2):
        async with lifespan(None) as state:
            fact = (await state["store"].memories.remember(f"Fact {n_facts}")).entry
            assert (await state["store"].memories.count(), fact.created_at) == (n_facts, clock.now)
        with pytest.raises(memrepo.ClosedError):
            await state["store"].ping()
    with pytest.raises(memrepo.InvalidInputError, match="clock"):
        store_lifespan(":memory:", clock=5)  # type: ignore[arg-type]


async def test_lifespans_at_once(tmp_path: Path) -> None:
    """An app that is run twice at once, as by a test client inside another, has a store in each run."""
    lifespan = store_lifespan(tmp_path / "agent.db")
    async with lifespan(None) as outer:
        async with lifespan(None) as inner:
            await inner["store"].memories.remember("Likes tea")
        assert await outer["store"].memories.count() == 1


async def test_openapi(store: Store) -> None:
    """The description stands at the path that is given, has each method, and is JSON."""
    document = SessionRoute(store, max_body_bytes=1_000).openapi("/api/session")
    text = json.dumps(document)
    path: Any = document["paths"]
    assert path.keys() == {"/api/session"}
    methods = ", ".join(sorted(path["/api/session"])).upper()
    assert methods == (await call(SessionRoute(store), "OPTIONS", []))[0]["headers"][1][1].decode()
    assert "At most 1,000 bytes." in text
