"""The pages as an ASGI app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import tzinfo
from importlib import resources
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp

from memrepo.browse.access import Access
from memrepo.browse.days import show_day
from memrepo.browse.editing import CHANGES, Change, change
from memrepo.browse.facts import fact_text, list_facts, show_fact
from memrepo.browse.growth import show_growth
from memrepo.browse.owners import list_scopes
from memrepo.browse.recalling import playground
from memrepo.browse.sessions import list_sessions, show_session
from memrepo.browse.visit import Site, Visit
from memrepo.errors import DatabaseError, MemrepoError, NotFoundError, UsageError
from memrepo.serving import LOOPBACK
from memrepo.store import Store

__all__ = ["Browser"]

_View: TypeAlias = Callable[[Visit], Awaitable[Response]]
_assets: Final = resources.files("memrepo.browse").joinpath("assets")
#: Files that are sent as they are: the type of each, and what is in it.
_ASSETS: Final = {
    name: (kind, _assets.joinpath(name).read_bytes())
    for name, kind in (("style.css", "text/css"), ("icon.svg", "image/svg+xml"))
}
_PAGES: Final[dict[str, _View]] = {
    "/facts": list_facts,
    "/facts/{id}": show_fact,
    "/facts/{id}/text": fact_text,
    "/sessions": list_sessions,
    "/sessions/{id}": show_session,
    "/log": show_day,
    "/recall": playground,
    "/growth": show_growth,
    "/scopes": list_scopes,
}


class Browser:
    """The pages of a store, and who may see them."""

    def __init__(
        self,
        store: Store,
        *,
        title: str,
        scope: str,
        can_edit: bool,
        tz: tzinfo,
    ) -> None:
        #: Who may see them.
        self.access = access = Access(LOOPBACK)
        self._site = Site(
            store=store, title=title, scope=scope, can_edit=can_edit, tz=tz, access=access
        )
        routes = [
            *(Route(path, self._endpoint(view)) for path, view in _PAGES.items()),
            *(self._form(name, do, done) for name, (do, done) in CHANGES.items()),
            *(Route(f"/{name}", _asset(*its)) for name, its in _ASSETS.items()),
            Route("/", lambda _: RedirectResponse(f"{access.prefix}/facts", 303)),
            Route("/{rest:path}", self._endpoint(_nothing)),
        ]
        nothing = PlainTextResponse("There is nothing like this here.", 404)
        #: What serves them.
        self.app: ASGIApp = access.wrap(
            Router([Mount(access.prefix, Router(routes))], default=nothing)
        )

    async def close(self) -> None:
        """Stop what is worked out beside the pages, before the store is closed."""
        await self._site.background.close()

    def _endpoint(self, view: _View) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            visit = Visit(self._site, request)
            try:
                return await view(visit)
            except MemrepoError as error:
                return _failed(visit, error)

        return answer

    def _form(self, name: str, do: Change, done: str) -> Route:
        endpoint = self._endpoint(lambda visit: change(visit, do, done))
        return Route(f"/facts/{{id}}/{name}", endpoint, methods=["POST"])


def _asset(kind: str, content: bytes) -> Callable[[Request], Response]:
    return lambda _: Response(content, media_type=kind)


async def _nothing(_: Visit) -> Response:
    raise NotFoundError("there is no such page")


def _failed(visit: Visit, error: MemrepoError) -> Response:
    """Say what is wrong. memrepo's messages have ids and names of fields in them, and no text of a fact."""
    match error:
        case NotFoundError():
            status = 404
        case UsageError():
            status = 400
        case DatabaseError(retryable=True):
            status = 503
        case _:
            status = 500
    plain = Visit(visit.site, visit.request, is_plain=True)
    return plain.answer("failed", status=status, error=error)
