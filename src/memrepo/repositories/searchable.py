"""`SearchableRepository`: what the three repositories have in common for searching."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from memrepo.connection.contract import Connection
from memrepo.domain.checks import check_limit, check_thread
from memrepo.domain.clock import Clock, utc_now
from memrepo.domain.conditions import Conditions
from memrepo.domain.guard import Guard, OnRemember, check_guard
from memrepo.domain.search import MOST_HITS, check_question
from memrepo.index.index import SearchIndex
from memrepo.repositories.repository import Repository
from memrepo.repositories.searching import Search
from memrepo.repositories.sources import Source

__all__ = ["SearchableRepository"]

T = TypeVar("T")


class SearchableRepository(Repository):
    """A repository whose rows can be searched."""

    def __init__(
        self,
        connection: Connection,
        *,
        scope: str = "",
        clock: Clock = utc_now,
        index: SearchIndex | None = None,
        on_remember: OnRemember | None = None,
    ) -> None:
        """
        Bind a repository to one owner's rows.

        Args:
            connection: As in `Repository`.
            scope: As in `Repository`.
            clock: As in `Repository`.
            index: That of the store; without one, a search reads rows instead.
            on_remember: The guard; see `connect`.
        """
        super().__init__(connection, scope=scope, clock=clock)
        self._index = index
        check_guard(on_remember)
        self._guard = None if on_remember is None else Guard(on_remember, self.scope)

    def _thread(self, thread: str) -> str:
        """Return the name under which the guard has a thread stored, and looked for."""
        name = check_thread(thread)
        return self._guard.text("thread", name) if name and self._guard is not None else name

    def _search(
        self, source: Source[T], text: str, conditions: Conditions, limit: int, now: datetime
    ) -> Search[T]:
        return Search(
            source,
            check_question("text", text),
            conditions,
            limit=check_limit(limit, most=MOST_HITS),
            now=now,
            connection=self.connection,
            index=self._index,
            scope=self.scope,
        )
