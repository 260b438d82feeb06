"""
OpenAI Agents SDK: a session that keeps its items in memrepo. Needs ``pip install memrepo[openai]``.

`memrepo` does not import it: ``from memrepo.contrib.openai import MemrepoSession``.
"""

from __future__ import annotations

from typing import Any, Final, cast

from memrepo.domain.checks import check_name
from memrepo.errors import InvalidInputError
from memrepo.repositories.scopes import ScopedStore
from memrepo.repositories.thread_items import ThreadItems

try:
    from agents import SessionSettings, TResponseInputItem
    from agents.memory.session_settings import coerce_session_settings, resolve_session_limit
except ImportError as error:
    raise ImportError(
        "memrepo.contrib.openai needs openai-agents: pip install memrepo[openai]"
    ) from error

__all__ = ["ITEM", "MemrepoSession"]

#: The type of the events that hold items.
ITEM: Final = "openai_item"


class MemrepoSession:
    """
    A conversation of the OpenAI Agents SDK, kept in a store: a `agents.memory.Session`.

    Pass it to ``Runner.run(agent, text, session=MemrepoSession("chat-17", store))``. The conversation is the
    thread of that name in the store's scope, and each of its items is an event of the type ``openai_item``. What was
    said after a pause of half an hour is in the thread's next session, so that its summaries, digests and
    `carry_over` are those of any other conversation; here all of it is one.

    Any number of sessions, of tasks and of processes may use one store, also for the same conversation. The
    store is the caller's, who opens and closes it.
    """

    session_id: str
    session_settings: SessionSettings | None

    def __init__(
        self,
        session_id: str,
        store: ScopedStore,
        *,
        session_settings: SessionSettings | dict[str, Any] | None = None,
    ) -> None:
        """
        Bind a conversation to a store. Nothing is read or written yet.

        Args:
            session_id: The conversation: a text of 1 to 255 characters.
            store: Where it is kept; ``store.scoped("user:42")`` for that of one owner.
            session_settings: Its ``limit`` is how many items `get_items` returns at most, unless it is told
                otherwise.

        Raises:
            InvalidInputError: *session_id* or *store* is not accepted.
        """
        self.session_id = check_name("session_id", session_id)
        if not isinstance(store, ScopedStore):
            raise InvalidInputError("store", f"must be an open store, not {type(store).__name__}")
        self.session_settings = coerce_session_settings(session_settings or {})
        self._items = ThreadItems(store, session_id, ITEM)

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """
        Return the items of the conversation, in the order in which they were added.

        An event whose data is no item, as another program may have stored it, is left out.

        Args:
            limit: Only the latest, this many at most; ``None`` for the limit of the settings, and without that
                for all.

        Returns:
            The items as they were added; an empty list if there are none.

        Raises:
            InvalidInputError: The limit is negative.

        Source:
            The index on (session_id, timestamp), by one read unless the thread has none, or more than 10,000 events.
        """
        wanted = _check_limit(resolve_session_limit(limit, self.session_settings))
        return cast("list[TResponseInputItem]", await self._items.read(wanted))

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """
        Add items to the end of the conversation, all of them or none.

        They come after all that was read or added here before, whatever the clock says.

        Raises:
            InvalidInputError: An item is not accepted, as one of more than 4,000,000 bytes; nothing is stored.
        """
        await self._items.add(items)

    async def pop_item(self) -> TResponseInputItem | None:
        """
        Delete the latest item for good, and return it; ``None`` if there is none.

        An event after it whose data is no item is deleted, too. Of several calls at once, each gets an item of its
        own.
        """
        return cast("TResponseInputItem | None", await self._items.pop())

    async def clear_session(self) -> None:
        """
        Delete all items for good.

        Other events of the thread's sessions stay, and so do the summaries of these: `SessionRepo.delete` deletes both.
        """
        await self._items.clear()


def _check_limit(limit: int | None) -> int | None:
    if limit is not None and (type(limit) is not int or limit < 0):
        raise InvalidInputError("limit", "must be None or an int that is not negative")
    return limit
