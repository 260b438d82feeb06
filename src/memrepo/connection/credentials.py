"""The token a server is shown: where it comes from, and where it never goes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from memrepo.errors import InvalidInputError

__all__ = ["AuthToken", "Credentials"]

#: A token, or a function that returns one, or one that can be awaited. It is called when the store first
#: connects, and again when the server refuses what it returned before.
AuthToken: TypeAlias = str | Callable[[], str | Awaitable[str]]

#: What a header can carry, so that a token cannot end one and begin another.
_is_token = re.compile(r"[\x21-\x7e]+").fullmatch


class Credentials:
    """A token, kept from every message, log and repr."""

    def __init__(self, source: AuthToken | None) -> None:
        """
        Take a token, or what gives one.

        Raises:
            InvalidInputError: It is neither, or not a token.
        """
        if source is not None and not isinstance(source, str) and not callable(source):
            raise InvalidInputError("auth_token", "must be a str or a function that returns one")
        self._source = source
        self._token = _check(source) if isinstance(source, str) else None

    async def token(self) -> str | None:
        """Return the token to show; ``None`` for none."""
        if self._token is None and self._source is not None:
            await self.renew()
        return self._token

    async def renew(self) -> bool:
        """Ask for a new token; tell whether there is one that differs from the last."""
        if self._source is None or isinstance(self._source, str):
            return False
        given = self._source()
        before, self._token = (
            self._token,
            _check(await given if inspect.isawaitable(given) else given),
        )
        return self._token != before


def _check(token: object) -> str:
    if not isinstance(token, str):
        raise InvalidInputError("auth_token", f"must be a str, not {type(token).__name__}")
    if not _is_token(token):
        raise InvalidInputError("auth_token", "must be printable ASCII without spaces")
    return token
