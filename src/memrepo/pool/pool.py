"""`StorePool`: a database for each tenant, opened on demand and closed when idle."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from os import PathLike
from types import TracebackType
from typing import Final, Self, Unpack

from memrepo.connect import connect_with
from memrepo.connection.affinity import Affinity
from memrepo.connection.credentials import AuthToken
from memrepo.connection.errors import require_asyncio
from memrepo.domain.checks import check_duration, check_flag, check_function
from memrepo.errors import ClosedError, ConnectionLostError, InvalidInputError
from memrepo.opening import OpeningStore
from memrepo.options import CheckedOptions, ConnectOptions
from memrepo.pool.slots import Slots, store_of
from memrepo.pool.tenants import parse_template
from memrepo.store import Store

__all__ = ["StorePool"]

#: Default of `max_open`; each store on a file has two threads.
DEFAULT_MAX_OPEN: Final = 32
#: Default of `idle_close_after`.
DEFAULT_IDLE_CLOSE_AFTER: Final = timedelta(minutes=5)


class StorePool:
    """
    One database for each tenant: a file each, or a namespace each on one server.

    ::

        pool = memrepo.StorePool("tenants/{tenant}.db")
        async with pool.open("acme") as store:
            await store.memories.remember("...")

    It belongs to the event loop that uses it first; any number of that loop's tasks can use it at once.
    """

    def __init__(
        self,
        url_template: str | PathLike[str],
        *,
        max_open: int = DEFAULT_MAX_OPEN,
        idle_close_after: timedelta = DEFAULT_IDLE_CLOSE_AFTER,
        admin_url: str | None = None,
        admin_token: AuthToken | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        **options: Unpack[ConnectOptions],
    ) -> None:
        """
        Make a pool. It opens no store yet.

        Args:
            url_template: ``"tenants/{tenant}.db"``, ``"file:tenants/{tenant}.db?mode=rw"`` (which
                does not create missing files) or ``"http://localhost:8080?namespace={tenant}"``. The
                folder must exist.
            max_open: Maximum number of open stores.
            idle_close_after: How long a store that nobody uses stays open.
            admin_url: The server's admin API, ``http://localhost:9090``; for `create` and `erase`.
            admin_token: The server's ``--admin-auth-key``, if it has one.
            monotonic: The clock that idle time is measured by, in seconds.
            options: Those of `connect`, for every tenant. ``lock_timeout_s`` is also the maximum wait
                for a free store; ``ssl_context`` is also used for *admin_url*.

        Raises:
            InvalidInputError: An argument is not accepted.
            UnsupportedURLError: The template is not one of the above.
        """
        if type(max_open) is not int or max_open < 1:
            raise InvalidInputError("max_open", "must be an int above zero")
        check_function("monotonic", monotonic)
        for name in options.keys() - ConnectOptions.__annotations__.keys():
            raise TypeError(f"StorePool() got an unexpected keyword argument {name!r}")
        self._options = CheckedOptions(**options)
        self._tenants = parse_template(
            url_template,
            admin_url=admin_url,
            admin_token=admin_token,
            ssl=self._options.ssl_context,
            timeout_s=self._options.request_timeout_s,
            private=self._options.private,
        )
        self._connect("a")  # opens nothing: any tenant will do to check the options now
        self._slots = Slots(
            self._open,
            max_open=max_open,
            idle_s=check_duration("idle_close_after", idle_close_after).total_seconds(),
            wait_s=self._options.lock_timeout_s,
            monotonic=monotonic,
        )
        self._affinity: Affinity | None = None

    def __repr__(self) -> str:
        """Show how many stores are open."""
        return f"<memrepo.StorePool, {self._slots!r}>"

    def _connect(self, tenant: str) -> OpeningStore:
        return connect_with(self._tenants.url(tenant), self._options)

    async def _open(self, tenant: str) -> Store:
        return await self._connect(tenant)

    async def __aenter__(self) -> Self:
        """Return the pool."""
        self._check()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the pool."""
        await self.close()

    # --- stores --------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(self, tenant: str) -> AsyncGenerator[Store, None]:
        """
        Yield the tenant's store: ``async with pool.open("acme") as store: ...``. Do not close it.

        Blocks of one tenant that run at the same time share one store, which is opened if needed. If
        *max_open* others are open, the one that has been idle for the longest time is closed first. If a
        store has lost its file (`Store.is_lost`), the next block gets a new one.

        A tenant whose store is open waits for nobody, so that a block can open its own tenant again. Tenants that are
        in use without a pause can therefore keep others waiting: *max_open* must be above their number.

        Args:
            tenant: 1 to 64 ASCII letters, digits, ``-``, ``_`` and ``.``, not beginning with a dot; on
                a server 1 to 63, without dots. On a file system that ignores case, ``Acme`` and
                ``acme`` are the same tenant.

        Raises:
            InvalidInputError: *tenant* is not accepted.
            BusyError: All stores were in use for longer than ``lock_timeout_s``.
            ClosedError: The pool is closed.
            MemrepoError: The store cannot be opened; see `connect`. The next block tries again.
        """
        self._check()
        self._tenants.url(tenant)
        slot = await self._slots.acquire(tenant)
        try:
            yield await store_of(slot)
        except (ClosedError, ConnectionLostError):
            # The error may come from this store, and would then hit every later block, too.
            slot.is_spent = True
            raise
        finally:
            self._slots.release(slot)

    async def close(self) -> None:
        """
        Refuse new blocks, and close all stores, even those in use.

        Idempotent; several tasks may call it at once, and a cancelled call still closes them.
        """
        self._check_place()
        await self._slots.close()

    # --- tenants -------------------------------------------------------------------------------

    async def create(self, tenant: str) -> None:
        """
        Create an empty database: a file, or a namespace through the admin API. `open` migrates it.

        Files need no `create`, unless the template says ``mode=rw``.

        Raises:
            InvalidInputError: *tenant* is not accepted.
            ConflictError: The tenant already exists.
            UsageError: The pool has no *admin_url*, or opens files for reading only.
            DatabaseError: It cannot be created; ``outcome_unknown`` says whether it may exist.
        """
        self._check()
        await self._tenants.create(tenant)

    async def erase(self, tenant: str, *, confirm: bool) -> None:
        """
        Delete a tenant's database for good: the file and SQLite's files beside it, or the namespace.

        Where the file is a link, what it leads to is deleted, and the link. No other process may have it open: what it
        writes afterwards would be lost. A cancelled call still erases.

        Args:
            tenant: Whose database.
            confirm: Must be ``True``.

        Raises:
            InvalidInputError: *tenant* is not accepted, or *confirm* is not ``True``.
            ConflictError: The tenant's store is in use.
            NotFoundError: No such tenant.
            UsageError: The pool has no *admin_url*, or opens files for reading only.
            DatabaseError: It cannot be erased; ``outcome_unknown`` says whether it may be gone.
        """
        self._check()
        self._tenants.url(tenant)
        if not check_flag("confirm", confirm):
            raise InvalidInputError("confirm", "must be True to erase a tenant")
        await self._slots.without(tenant, partial(self._tenants.erase, tenant))

    def _check(self) -> None:
        self._check_place()
        if self._slots.is_closed:
            raise ClosedError("the pool is closed")

    def _check_place(self) -> None:
        require_asyncio()
        if self._affinity is None:
            self._affinity = Affinity("the pool was first used", instead="make one")
        self._affinity.check_place()
