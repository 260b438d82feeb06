"""Keep the token for a server, out of every message, log and repr."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from memrepo.errors import InvalidInputError

__all__ = ["AuthToken", "Credentials", "Hide"]

#: A token, or a sync or async callable that returns one. It is called when the store first connects, and
#: again when the server refuses the token.
AuthToken: TypeAlias = str | Callable[[], str | Awaitable[str]]

#: Takes what must not be shown out of a text.
Hide: TypeAlias = Callable[[str], str]

#: Printable ASCII, so that a token cannot end one header and begin another.
_is_token = re.compile(r"[\x21-\x7e]+").fullmatch


class Credentials:
    """A token, or a callable that returns one; its repr shows neither."""

    def __init__(self, source: AuthToken | None) -> None:
        """
        Take a token or a callable; ``None`` for a server that needs no token.

        Raises:
            InvalidInputError: *source* is neither, or the token is malformed.
        """
        if source is not None and not isinstance(source, str) and not callable(source):
            raise InvalidInputError("auth_token", "must be a str or a function that returns one")
        self._source = source
        self._token = _check(source) if isinstance(source, str) else None
        self._refused: str | None = None

    async def token(self) -> str | None:
        """Return the token to send; ``None`` for none."""
        if self._token is None and self._source is not None:
            await self.renew()
        return self._token

    async def renew(self) -> bool:
        """Ask for a new token; tell whether it differs from the last one."""
        if self._source is None or isinstance(self._source, str):
            return False
        refused = self._token  # noted before the wait, during which another call may renew it
        self._refused = refused or self._refused
        given = self._source()
        self._token = _check(await given if inspect.isawaitable(given) else given)
        return self._token != refused

    def hide(self, text: str) -> str:
        """Return *text* without the token, which a proxy or a server may have echoed."""
        for token in (self._token, self._refused):
            if token is not None:
                text = text.replace(token, "***").replace(repr(token)[1:-1], "***")
        return text

    def without(self, error: BaseException) -> BaseException:
        """Return *error*, or a stand-in if it quotes the token, as aiohttp's errors quote requests."""
        said: list[str] = []
        cause: BaseException | None = error
        while cause is not None:
            said.append(f"{cause} {cause!r}")
            cause = cause.__cause__ or cause.__context__
        text = "\n".join(said)
        if self.hide(text) == text:
            return error
        return ConnectionError(f"{type(error).__name__}: withheld, because it quotes the token")


def _check(token: object) -> str:
    if not isinstance(token, str):
        raise InvalidInputError("auth_token", f"must be a str, not {type(token).__name__}")
    if not _is_token(token):
        raise InvalidInputError("auth_token", "must be printable ASCII without spaces")
    return token
