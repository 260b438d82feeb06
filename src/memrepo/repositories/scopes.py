"""The three repositories of one owner, over a connection or in a transaction."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import attrs

from memrepo.connection.contract import Connection, Driver
from memrepo.domain.checks import check_flag, check_function, check_scope, check_seconds
from memrepo.domain.clock import Clock
from memrepo.domain.guard import OnRemember
from memrepo.domain.rules import FactRules
from memrepo.domain.scopes import EraseReport
from memrepo.errors import InvalidInputError
from memrepo.index.index import SearchIndex
from memrepo.repositories.daily_logs import DailyLogRepo
from memrepo.repositories.erasing import erase_scope
from memrepo.repositories.memories import MemoryRepo
from memrepo.repositories.sessions import SessionRepo

__all__ = ["Repositories", "ScopedStore", "Settings", "Transaction"]


@attrs.frozen(kw_only=True)
class Settings:
    """Settings that all repositories of a store share."""

    clock: Clock
    idle_after: timedelta
    rules: FactRules
    index: SearchIndex
    on_remember: OnRemember | None = None


class Repositories:
    """The three repositories of one scope, in a store or in a transaction."""

    #: The facts.
    memories: MemoryRepo
    #: The sessions.
    sessions: SessionRepo
    #: The daily log.
    daily_logs: DailyLogRepo

    def __init__(self, connection: Connection, scope: str, settings: Settings) -> None:
        #: What they run on; pass it to repositories of your own.
        self.connection: Connection = connection
        #: Whose rows they are; pass it to repositories of your own.
        self.scope: str = scope
        self._settings = settings
        clock, index, guard = settings.clock, settings.index, settings.on_remember
        self.memories = MemoryRepo(
            connection,
            scope=scope,
            clock=clock,
            rules=settings.rules,
            index=index,
            on_remember=guard,
        )
        self.sessions = SessionRepo(
            connection,
            scope=scope,
            clock=clock,
            idle_after=settings.idle_after,
            index=index,
            on_remember=guard,
        )
        self.daily_logs = DailyLogRepo(
            connection, scope=scope, clock=clock, index=index, on_remember=guard
        )

    def scoped(self, scope: str) -> Repositories:
        """Return the repositories of another scope, over the same connection or transaction."""
        return Repositories(self.connection, check_scope(scope), self._settings)

    def at(self, clock: Clock) -> Repositories:
        """
        Return the same repositories with another clock, as for an import.

        Args:
            clock: Returns the current instant, with its time zone.

        Raises:
            InvalidInputError: *clock* is no function.
        """
        return Repositories(self.connection, self.scope, self._settings_at(clock))

    def _settings_at(self, clock: Clock) -> Settings:
        check_function("clock", clock)
        return attrs.evolve(self._settings, clock=clock)


class Transaction(Repositories):
    """
    The three repositories inside a transaction, as `Store.transaction` yields them.

    They can be used until the block ends. What they read includes what they have written.
    """

    def scoped(self, scope: str) -> Transaction:
        """Return the repositories of another scope, in the same transaction."""
        return Transaction(self.connection, check_scope(scope), self._settings)

    def at(self, clock: Clock) -> Transaction:
        """Return the same repositories with another clock, in the same transaction; as `Repositories.at`."""
        return Transaction(self.connection, self.scope, self._settings_at(clock))


class ScopedStore(Repositories):
    """The three repositories of one scope over a store's connection."""

    def __init__(self, connection: Driver, scope: str, settings: Settings) -> None:
        super().__init__(connection, scope, settings)
        self._driver = connection

    def scoped(self, scope: str) -> ScopedStore:
        """
        Return the same repositories bound to one owner, such as ``"user:42"``.

        Scopes are separate: an id of another scope is not found, the same fact can be remembered in
        each, and each has an active session of its own.

        Args:
            scope: 1 to 255 characters; ``""`` is the default scope.
        """
        return ScopedStore(self._driver, check_scope(scope), self._settings)

    def at(self, clock: Clock) -> ScopedStore:
        """Return the same repositories with another clock, over the same store; as `Repositories.at`."""
        return ScopedStore(self._driver, self.scope, self._settings_at(clock))

    async def erase(self, *, confirm: bool) -> EraseReport:
        """
        Delete for good every fact, session and event of this scope, forgotten ones among them.

        It deletes at most 500 rows, or about a megabyte of text, at a time, so that other tasks and programs
        can write in between. After an interruption, repeat it: it goes on with what is left. What is written to the scope meanwhile may
        be deleted, or may stay: first stop what writes there. An agent that still uses a deleted session
        gets `NotFoundError`.

        The bytes are gone from the disk after `Store.compact`. Tables of your own, and of other programs,
        stay as they are.

        Args:
            confirm: Must be ``True``.

        Returns:
            How many rows this call deleted; zeros for a scope without any.

        Raises:
            ConflictError: Rows of another table, or events of another scope, refer to rows of this one by
                a foreign key; the message names the tables. As a rule, nothing was deleted.
            InvalidInputError: *confirm* is not ``True``.
            TransactionError: This task is inside a transaction on this store.
        """
        if not check_flag("confirm", confirm):
            raise InvalidInputError("confirm", "must be True to erase a scope")
        report = await erase_scope(self._driver, self.scope)
        await self._settings.index.catch_up()
        return report

    @asynccontextmanager
    async def transaction(
        self, *, timeout_s: float | None = None
    ) -> AsyncGenerator[Transaction, None]:
        """
        Yield a `Transaction`: ``async with store.transaction() as tx: ...``.

        It commits at the block's end, and rolls back on any exception, including a cancellation. Other
        tasks' writes wait meanwhile, and in memory their reads too, so keep the block short. Inside
        it, use ``tx.memories``, ``tx.sessions`` and ``tx.daily_logs``, or ``tx.connection`` for
        repositories of your own: using the store's in the same task raises. ``tx`` ends with the block.

        Args:
            timeout_s: Seconds to wait for the writer; the store's ``lock_timeout_s`` if ``None``.

        Raises:
            BusyError: The writer was not free in time; the block did not run.
            TransactionError: This task is already in a transaction on this store.
            DatabaseError: The commit failed; ``outcome_unknown`` says whether it may be stored.
        """
        wait_s = None if timeout_s is None else check_seconds("timeout_s", timeout_s)
        async with self._driver.transaction(timeout_s=wait_s) as transaction:
            yield Transaction(transaction, self.scope, self._settings)
