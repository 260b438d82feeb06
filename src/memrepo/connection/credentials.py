"""Keep the token for a server, out of every message, log and repr."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from memrepo.errors import InvalidInputError

__all__ = ["AuthToken", "Credentials"]

#: A token, or a sync or async callable that returns one. It is called when the store first connects, and
#: again when the server refuses the token.
AuthToken: TypeAlias = str | Callable[[], str | Awaitable[str]]

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
        given = self._source()
        self._token = _check(await given if inspect.isawaitable(given) else given)
        return self._token != refused


def _check(token: object) -> str:
    if not isinstance(token, str):
        raise InvalidInputError("auth_token", f"must be a str, not {type(token).__name__}")
    if not _is_token(token):
        raise InvalidInputError("auth_token", "must be printable ASCII without spaces")
    return token
