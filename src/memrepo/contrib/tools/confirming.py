"""Tokens without which a model cannot forget everything in one call."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime, timedelta
from typing import Final

from memrepo.errors import InvalidInputError

__all__ = ["VALID_FOR", "Confirmations"]

#: How long a token can be used.
VALID_FOR: Final = timedelta(minutes=2)
_MS: Final = timedelta(milliseconds=1)
_KEY_BYTES: Final = 32
_is_instant: Final = re.compile(r"\d{1,15}", re.ASCII).fullmatch


class Confirmations:
    """
    Gives out tokens, each for one state of the facts, and knows its own again until it has taken one.

    A token is its last instant, and a signature by a key that each object has for itself. So none is kept, and it is of
    no use in another process, for another owner's memory, after a fact was added, or twice.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(_KEY_BYTES)
        self._n_used = 0

    def issue(self, facts: str, now: datetime) -> str:
        """Return a token for forgetting all *facts*, which says what there is."""
        return self._sign(_to_ms(now + VALID_FOR), facts)

    def use(self, token: str, facts: str, now: datetime) -> None:
        """Take a token that was issued for the same facts, at most `VALID_FOR` ago, with none used since."""
        prefix, _, _ = token.partition("-")
        until = int(prefix) if _is_instant(prefix) else 0
        expected = self._sign(until, facts)
        is_ours = hmac.compare_digest(token.encode(errors="replace"), expected.encode())
        if not is_ours or until < _to_ms(now):
            raise InvalidInputError(
                "token", "is not valid, or no longer: call without it to get another"
            )
        self._n_used += 1  # so that all that were issued before are of no use

    def _sign(self, until_ms: int, facts: str) -> str:
        text = f"{until_ms} {self._n_used} {facts}"
        return f"{until_ms}-{hmac.digest(self._key, text.encode(), 'sha256').hex()}"


def _to_ms(instant: datetime) -> int:
    return (instant - datetime.fromtimestamp(0, instant.tzinfo)) // _MS
