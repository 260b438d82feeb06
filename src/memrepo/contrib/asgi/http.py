"""HTTP over ASGI: a request's headers, query and JSON body; answers and problems as JSON."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs

import attrs

from memrepo.domain.jsontext import JsonValue, decode_json, to_compact_json

__all__ = ["Answer", "ClientGoneError", "Problem", "Receive", "Request", "Scope", "Send"]

# ASGI's types, as Starlette and others spell them.
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_is_json: Final = re.compile(r"application/([\w.+-]+\+)?json\s*(;.*)?", re.IGNORECASE).fullmatch
#: Entity tags in a list; a weak one keeps its mark.
_entity_tags: Final = re.compile(r'(?:W/)?"[^"]*"').findall
#: ``*`` or a list of entity tags, which may have empty items: RFC 9110, 5.6.1, 8.8.3 and 13.1.1.
_is_precondition: Final = re.compile(
    r'[ \t]*\*[ \t]*|[ \t,]*(?:(?:W/)?"[!#-~\x80-\xff]*"[ \t]*(?:,[ \t,]*|$))*'
).fullmatch


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """A request that cannot be answered as it is: problem details of RFC 9457."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: JsonValue,
    ) -> None:
        super().__init__(detail)
        self._status = status
        self._headers = headers or {}
        self._members = members

    def answer(self) -> Answer:
        """Return it as an answer: its title, status and detail, and its own members after them."""
        status = self._status
        known = {"title": status.phrase, "status": status.value, "detail": str(self)}
        return Answer(status, {**known, **self._members}, self._headers, "application/problem+json")


@attrs.frozen
class Answer:
    """A status, headers, and what is sent as JSON; ``None`` for no content."""

    status: HTTPStatus
    content: Mapping[str, JsonValue] | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    media_type: str = "application/json"

    async def send(self, send: Send, *, with_content: bool = True) -> None:
        """Send it; without its content to a HEAD request, which gets the same headers."""
        body = b"" if self.content is None else to_compact_json(self.content).encode()
        # What it says is one person's, and true for a moment.
        headers = {"cache-control": "no-store", **self.headers}
        if self.content is not None:
            headers |= {"content-type": self.media_type, "content-length": str(len(body))}
        encoded = [
            (name.encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()
        ]
        await send({"type": "http.response.start", "status": self.status.value, "headers": encoded})
        await send({"type": "http.response.body", "body": body if with_content else b""})


@attrs.frozen
class Request:
    """A request as its server passes it on."""

    scope: Scope
    receive: Receive

    @property
    def method(self) -> str:
        """``GET``, ``POST``, ..."""
        return str(self.scope["method"])

    def header(self, name: str) -> str | None:
        """Return the values of a header, joined by commas; ``None`` if it has none."""
        wanted = name.encode("latin-1")
        values = [value.decode("latin-1") for key, value in self.scope["headers"] if key == wanted]
        return ", ".join(values) if values else None

    def names_tag(self, header: str, tag: str | None) -> bool | None:
        """
        Return whether a precondition names an entity tag; ``None`` if the request does not have that header.

        Args:
            header: ``if-match`` or ``if-none-match``.
            tag: The tag of what is there, with its quotes; ``None`` if nothing is, which not even ``*`` names.

        Raises:
            Problem: 400. An ``If-Match`` is not written as one, so that nobody knows what it protects. An
                ``If-None-Match`` names nothing then, which only costs an answer with content.
        """
        value = self.header(header)
        if value is None:
            return None
        if header == "if-none-match":
            # Here a weak tag will do, such as a proxy makes that compresses.
            value = value.replace('W/"', '"')
        elif not _is_precondition(value):
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                'If-Match must be an ETag as it was given, with its double quotes: If-Match: "5"',
            )
        return tag is not None and (value.strip() == "*" or tag in _entity_tags(value))

    def query(self, name: str) -> str:
        """
        Return a query parameter; ``""`` if it is not given.

        Raises:
            Problem: 400. It is given twice, or is not UTF-8.
        """
        try:
            text: str = self.scope["query_string"].decode()
            values = parse_qs(text, keep_blank_values=True, errors="strict").get(name, [""])
        except ValueError:  # not UTF-8, or more parameters than Python reads
            raise Problem(HTTPStatus.BAD_REQUEST, "the query cannot be read") from None
        if len(values) > 1:
            raise Problem(HTTPStatus.BAD_REQUEST, f"the query has {name} more than once")
        return values[0]

    async def json_object(self, max_bytes: int) -> dict[str, JsonValue]:
        """
        Read the body as a JSON object; without a body it is empty.

        Raises:
            Problem: 413, it is longer than *max_bytes*; 415, it does not say that it is JSON; 400, it is not JSON;
                422, it is JSON but no object.
            ClientGoneError: It did not come to its end.
        """
        body = await self._body(max_bytes)
        if not body:
            return {}
        # A form of another site cannot send this type, in the name of who is signed in here.
        if not _is_json(self.header("content-type") or ""):
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "the body must be application/json",
                headers={"accept": "application/json"},
            )
        try:
            value, is_json = decode_json(body.decode())
        except UnicodeDecodeError:
            value, is_json = None, False
        if not is_json:
            raise Problem(HTTPStatus.BAD_REQUEST, "the body is not JSON")
        if not isinstance(value, dict):
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the body must be a JSON object")
        return value

    async def _body(self, max_bytes: int) -> bytes:
        body = bytearray()
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            body += message.get("body", b"")
            if len(body) > max_bytes:
                raise Problem(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"the body has more than {max_bytes:,} bytes",
                )
            if not message.get("more_body", False):
                return bytes(body)
