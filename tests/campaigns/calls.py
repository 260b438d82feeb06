"""One call of a repository's method, to be made on a store or on the model, and what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Literal, TypeAlias

import attrs

from memrepo import (
    ConflictError,
    DailyLogFilter,
    DailyLogNew,
    Digest,
    InvalidInputError,
    NotFoundError,
    Repositories,
)

from .model.daily_logs import DailyLogs
from .model.digests import without_ids
from .model.memories import Memories
from .model.patterns import without_inner_ids
from .model.sessions import Sessions
from .model.state import Contradiction, Draft, Ids, State, Table, Unfinished

__all__ = ["Call", "Ending", "Known", "Outcome", "Raised", "Returned", "in_short"]

Repo: TypeAlias = Literal["memories", "sessions", "daily_logs"]

_MODELS: Mapping[Repo, Callable[[Draft, str, datetime], Any]] = {
    "memories": Memories,
    "sessions": Sessions,
    "daily_logs": DailyLogs,
}
#: Methods that read several times, so that no one state need explain their answer; other tests compare it.
_UNCOMPARED = frozenset(
    {
        *("search", "search_as_you_type", "find_to_forget", "recall", "surface"),
        *("near_duplicates", "iterate_near_duplicates"),
    }
)
#: An id that no row will have.
_NO_ID = 1_000_000


@attrs.frozen
class Returned:
    """It returned a value."""

    value: object

    def __str__(self) -> str:
        return f"-> {in_short(self.value)}"


@attrs.frozen
class Raised:
    """It raised an error."""

    kind: type[BaseException]
    #: Not compared: messages are no promise.
    message: str = attrs.field(default="", eq=False)

    def __str__(self) -> str:
        return f"raised {self.kind.__name__}({self.message})"


class Ending(Enum):
    """What is known of a call whose value is not."""

    #: It was cancelled: it happened whole, or not at all.
    CANCELLED = "was cancelled"
    #: It happened.
    HAPPENED = "happened"

    def __str__(self) -> str:
        return self.value


Outcome: TypeAlias = Returned | Raised | Ending


@attrs.frozen
class Known:
    """In a plan, in the place of an id: that of a row that somebody will have seen by then."""

    table: Table
    #: -1 for the row that was seen last, -2 for the one before, and so on, and around again.
    place: int

    def among(self, ids: Sequence[int]) -> int:
        """Return the id, or one that is not there if no row was seen."""
        return ids[self.place % len(ids)] if ids else _NO_ID


@attrs.frozen
class Call:
    """A method of a repository and its arguments, as a plan has it."""

    repo: Repo
    method: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = attrs.Factory(dict)
    scope: str = ""
    #: How often other tasks get a chance to run before it.
    pause: int = 0

    def __str__(self) -> str:
        options = [f"{name}={in_short(value)}" for name, value in self.kwargs.items()]
        given = [*map(in_short, self.args), *options]
        place = f" of {self.scope}" if self.scope else ""
        return f"{self.repo}{place}.{self.method}({', '.join(given)})"

    def settled(self, known: Mapping[Table, Sequence[int]]) -> Call:
        """Return the call with its ids, of those that are known."""
        return attrs.evolve(self, args=tuple(_settled(arg, known) for arg in self.args))

    async def make(self, repos: Repositories) -> object:
        """Make it for real, on a store or in a transaction."""
        owner = repos.scoped(self.scope) if self.scope else repos
        method = getattr(getattr(owner, self.repo), self.method)
        given = method(*self.args, **self.kwargs)
        value = [row async for row in given] if isinstance(given, AsyncIterator) else await given
        if self.method in _UNCOMPARED:
            return None
        return without_ids(value) if isinstance(value, Digest) else without_inner_ids(value)

    def apply(
        self, state: State, now: datetime, ids: Ids, progress: Unfinished | None
    ) -> tuple[State, Returned | Raised | Unfinished]:
        """Make it, or go on with it after what it has read so far, on the model."""
        if self.method in _UNCOMPARED:
            return state, Returned(None)
        draft = Draft(state, ids)
        method = getattr(_MODELS[self.repo](draft, self.scope, now), self.method)
        going_on = {} if progress is None else {"progress": progress}
        try:
            value = method(*self.args, **self.kwargs, **going_on)
        except (ConflictError, InvalidInputError, NotFoundError, Contradiction) as error:
            return state, Raised(type(error))
        return draft.state(), value if isinstance(value, Unfinished) else Returned(value)


def _settled(value: Any, known: Mapping[Table, Sequence[int]]) -> Any:
    if isinstance(value, Known):
        return value.among(known[value.table])
    if isinstance(value, list):
        return [_settled(item, known) for item in value]
    if isinstance(value, DailyLogNew | DailyLogFilter):
        return attrs.evolve(value, session_id=_settled(value.session_id, known))
    return value


def in_short(value: Any) -> str:
    """Write a value for people: rows without what is empty in them, instants without the year."""
    if isinstance(value, datetime):
        return f"{value:%d/%H:%M:%S.%f}"[:-3]
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(in_short, value))}]"
    if not attrs.has(type(value)):
        return repr(value)
    fields = ((field.name, getattr(value, field.name)) for field in attrs.fields(type(value)))
    said = [
        f"{name}={in_short(given)}"
        for name, given in fields
        if given not in (None, "", False, ()) and name != "content_hash"
    ]
    return f"{type(value).__name__}({', '.join(said)})"
