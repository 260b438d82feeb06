"""The session route alone, and its description, with a store in memory."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from memrepo.contrib.asgi import SessionRoute, store_lifespan

session_route = SessionRoute(lambda scope: scope["state"]["store"])


async def openapi(_request: Request) -> JSONResponse:
    return JSONResponse(session_route.openapi("/session"))


app = Starlette(
    lifespan=store_lifespan(":memory:"),
    routes=[Route("/session", session_route), Route("/openapi.json", openapi)],
)
