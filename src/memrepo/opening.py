"""`OpeningStore`: what `connect` returns."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from memrepo.connection.errors import require_asyncio
from memrepo.errors import UsageError
from memrepo.store import Store

__all__ = ["OpeningStore"]


class OpeningStore(AbstractAsyncContextManager[Store]):
    """
    A store that is not open yet: use ``async with``, or ``await`` it and close the store yourself.

    Each ``await`` opens another store. ``async with`` is for one block at a time, whose end closes its store.
    """

    def __init__(self, open_store: Callable[[], Coroutine[Any, Any, Store]]) -> None:
        self._open = open_store
        self._store: Store | None = None
        self._is_entered = False

    def __await__(self) -> Generator[Any, None, Store]:
        """Open the store."""
        require_asyncio()
        return self._open().__await__()

    # For a type checker, which would take any name for an attribute, there is none.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            """Say how to come by the store that has the attribute."""
            hint = "" if name.startswith("_") else ": await it, or use `async with`"
            message = f"a store that is not open yet has no attribute {name!r}{hint}"
            raise AttributeError(message, name=name, obj=self)

    async def __aenter__(self) -> Store:
        """
        Open the store.

        Raises:
            UsageError: A block has been entered with this object, and has not ended.
        """
        require_asyncio()
        if self._is_entered:
            raise UsageError("this store is open in another block: call connect for each block")
        self._is_entered = True
        try:
            self._store = await self._open()
        except BaseException:
            self._is_entered = False
            raise
        return self._store

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the store."""
        if self._store is not None:
            await self._store.close()
        self._is_entered = False
