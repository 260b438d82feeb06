"""Who may see the pages: whoever has the link, under the names of this machine, and no other site's page."""

from __future__ import annotations

import hmac
import logging
import secrets
import traceback
from collections.abc import Collection
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["HEADERS", "Access"]

_logger = logging.getLogger(__name__)

#: Of every answer. Nothing runs, nothing comes from elsewhere, nothing is kept, and no other page can show it.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ENCODED: Final = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_TOKEN_BYTES: Final = 32
_COOKIE: Final = "memrepo"


class Access:
    """
    Passes on the requests of those who came by the link; adds `HEADERS` to every answer.

    The link has a token. Whoever opens it gets a cookie instead, and pages whose addresses have no token, but a
    prefix that is new each time: cookies do not know ports, and the prefix keeps this one from other programs of
    this machine.
    """

    def __init__(self, hosts: Collection[str]) -> None:
        """Accept requests for these names, without their ports."""
        self._hosts = frozenset(hosts)
        #: The tokens of the links, and whether each works only once.
        self._tokens: dict[str, bool] = {}
        self._key = secrets.token_bytes(_TOKEN_BYTES)
        #: What the path of each page begins with.
        self.prefix: Final = f"/{secrets.token_hex(4)}"

    def new_entrance(self, *, once: bool = False) -> str:
        """Return the path of a new link, which works until the end, or *once*."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._tokens[token] = once
        return f"/?token={token}"

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return *app* behind it."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                await self._answer(app, scope, receive, send)
            elif scope["type"] == "lifespan":
                await app(scope, receive, send)

        return guarded

    async def _answer(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message["headers"] = [*message["headers"], *_ENCODED]
            await send(message)

        refusal = self._refuse(Request(scope))
        try:
            await (refusal or app)(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 - its message may show a text
            *_, (frame, line) = traceback.walk_tb(error.__traceback__)
            place = f"{frame.f_code.co_qualname}, line {line}"
            _logger.error("a page failed: %s in %s", type(error).__name__, place)  # noqa: TRY400 - the same
            if not has_begun:
                failed = PlainTextResponse("This page failed. The terminal says more.", 500)
                await failed(scope, receive, send_with_headers)

    def _refuse(self, request: Request) -> Response | None:
        """Return the answer to a request that is not passed on."""
        if _name_of(request.headers.get("host", "")) not in self._hosts:
            # A page elsewhere, whose name was made to point here.
            return PlainTextResponse("This is not served under that name.", 421)
        if request.method not in {"GET", "HEAD", "POST"}:
            return PlainTextResponse("There is nothing like this here.", 405)
        if request.url.path == "/" and (given := _token_of(request)):
            return self._enter(given)
        if self._session_of(request) is None:
            return PlainTextResponse(
                "Open the link that memrepo browse has printed in the terminal.", 403
            )
        if request.method == "POST" and not _is_from_here(request):
            return PlainTextResponse("This form was sent by another site.", 403)
        return None

    def _enter(self, given: str) -> Response:
        known = [its for its in self._tokens if hmac.compare_digest(given.encode(), its.encode())]
        if not known:
            return PlainTextResponse("This link is not valid, or not any more.", 403)
        if self._tokens[known[0]]:
            del self._tokens[known[0]]
        session = secrets.token_urlsafe(_TOKEN_BYTES)
        answer = RedirectResponse(f"{self.prefix}/", 303)
        value = f"{session}.{self._sign('session', session)}"
        answer.set_cookie(_COOKIE, value, path=self.prefix, httponly=True, samesite="strict")
        return answer

    def _session_of(self, request: Request) -> str | None:
        """Return the session that a request belongs to."""
        # Beside our cookie may stand others of this machine's programs, also of our name, and what a parser refuses.
        for cookie in ";".join(request.headers.getlist("cookie")).split(";"):
            name, _, value = cookie.strip().partition("=")
            session, _, signature = value.partition(".")
            expected = self._sign("session", session)
            if name == _COOKIE and hmac.compare_digest(signature.encode(), expected.encode()):
                return session
        return None

    def _sign(self, kind: str, session: str) -> str:
        return hmac.new(self._key, f"{kind} {session}".encode(), sha256).hexdigest()

    # --- forms -----------------------------------------------------------------------------------

    def form_token(self, request: Request) -> str:
        """Return what each form of a session has in it, and nobody else knows."""
        return self._sign("form", self._session_of(request) or "")

    def has_form_token(self, request: Request, given: str) -> bool:
        """Tell whether a form is of a page of the same session."""
        return hmac.compare_digest(given.encode(), self.form_token(request).encode())


def _name_of(host: str) -> str:
    """Return the name in a ``Host`` header, without its port."""
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host).lower()


def _token_of(request: Request) -> str:
    given = parse_qs(request.url.query).get("token", [])
    return given[0] if len(given) == 1 else ""


def _is_from_here(request: Request) -> bool:
    """
    Tell what the browser says of where a form was sent from.

    ``Origin`` is ``null`` for our own forms, because of the referrer policy: then the other header counts, and the
    token in the form.
    """
    fetched = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin", "null")
    own = f"http://{request.headers.get('host', '')}"
    return fetched == "same-origin" and origin in {"null", own}
