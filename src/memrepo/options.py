"""The options of `connect`, checked."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from ssl import SSLContext
from typing import Final, TypedDict, get_args

import attrs

from memrepo.connection.contract import Durability
from memrepo.connection.credentials import AuthToken
from memrepo.connection.instrumentation import OnStatement
from memrepo.domain.checks import check_duration, check_flag, check_function, check_seconds
from memrepo.domain.clock import Clock, utc_now
from memrepo.domain.guard import OnRemember, check_guard
from memrepo.domain.indexing import Tokenizer, check_tokenizer
from memrepo.domain.rules import SameFact, check_propose, check_same_fact, check_sources
from memrepo.domain.sessions import IDLE_AFTER
from memrepo.errors import InvalidInputError
from memrepo.ranking.language import Language

__all__ = [
    "DEFAULT_LOCK_TIMEOUT_S",
    "DEFAULT_REQUEST_TIMEOUT_S",
    "CheckedOptions",
    "ConnectOptions",
]

#: Default of `lock_timeout_s`, in seconds.
DEFAULT_LOCK_TIMEOUT_S: Final = 10.0
#: Default of `request_timeout_s`, in seconds.
DEFAULT_REQUEST_TIMEOUT_S: Final = 30.0


class ConnectOptions(TypedDict, total=False):
    """The options of `connect`, for functions that pass them on."""

    auth_token: AuthToken | None
    ssl_context: SSLContext | None
    durability: Durability
    migrate: bool
    accept_push: bool
    private: bool
    lock_timeout_s: float
    request_timeout_s: float
    idle_after: timedelta
    same_fact: SameFact | None
    explicit_sources: Collection[str]
    propose: Collection[str]
    search: Tokenizer | Language | None
    clock: Clock
    on_remember: OnRemember | None
    on_statement: OnStatement | None


@attrs.frozen(kw_only=True, repr=False)
class CheckedOptions:
    """The options of `connect` with their defaults, checked; without a repr, which would show the token."""

    auth_token: AuthToken | None = None
    ssl_context: SSLContext | None = None
    durability: Durability = "full"
    migrate: bool = True
    accept_push: bool = False
    private: bool = True
    lock_timeout_s: float = DEFAULT_LOCK_TIMEOUT_S
    request_timeout_s: float = DEFAULT_REQUEST_TIMEOUT_S
    idle_after: timedelta = IDLE_AFTER
    same_fact: SameFact | None = None
    explicit_sources: Collection[str] = attrs.field(default=(), converter=check_sources)
    propose: Collection[str] = attrs.field(default=(), converter=check_propose)
    search: Tokenizer | Language | None = None
    clock: Clock = utc_now
    on_remember: OnRemember | None = None
    on_statement: OnStatement | None = None

    @property
    def tokenizer(self) -> Tokenizer | None:
        """How the search index is to cut texts into words; for a language, as they are."""
        return "unicode" if isinstance(self.search, Language) else self.search

    def __attrs_post_init__(self) -> None:
        """Check what can be checked without a database."""
        if not isinstance(self.durability, str) or self.durability not in get_args(Durability):
            raise InvalidInputError("durability", 'must be "full" or "normal"')
        check_seconds("lock_timeout_s", self.lock_timeout_s)
        check_seconds("request_timeout_s", self.request_timeout_s)
        check_duration("idle_after", self.idle_after)
        check_same_fact(self.same_fact)
        if {*self.propose} & {*self.explicit_sources}:
            raise InvalidInputError("propose", "must not have a source that speaks for the user")
        if isinstance(self.search, Language) and self.search.tokenizer != "unicode61":
            raise InvalidInputError("search", 'must be a Language with the tokenizer "unicode61"')
        check_tokenizer(self.tokenizer, also=', or a Language, as memrepo.language("german")')
        check_flag("migrate", self.migrate)
        check_flag("accept_push", self.accept_push)
        check_flag("private", self.private)
        check_function("clock", self.clock)
        check_guard(self.on_remember)
        if self.on_statement is not None:
            check_function("on_statement", self.on_statement)
        if self.ssl_context is not None and not isinstance(self.ssl_context, SSLContext):
            raise InvalidInputError("ssl_context", "must be an ssl.SSLContext")
