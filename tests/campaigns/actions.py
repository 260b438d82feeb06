"""What a task does at a time: one call, a transaction, or a session for a block."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from typing import Protocol

import attrs

from memrepo import Repositories, Store, TransactionError

from .calls import Call, Ending, Raised, Returned
from .journal import Block, BlockEnd, Journal

__all__ = ["Action", "Conversation", "Single", "Transaction"]


class _Odd(Exception):  # noqa: N818 - it is a way out of a block, not an error
    """What makes a block end in an exception."""


class Action(Protocol):
    """One item of a task's plan."""

    async def play(self, journal: Journal, store: Store) -> None:
        """Do it, and write it down."""
        ...


async def _pause(call: Call) -> None:
    for _ in range(call.pause):
        await asyncio.sleep(0)


@attrs.frozen
class Single:
    """One call."""

    call: Call

    async def play(self, journal: Journal, store: Store) -> None:
        """See `Action`."""
        await _pause(self.call)
        await journal.call(store, self.call)


@attrs.frozen
class Transaction:
    """Calls in a transaction, one after another or all at once."""

    calls: tuple[Call, ...]
    at_once: bool
    #: Whether its block ends in an exception.
    rolls_back: bool
    #: Whether it goes on when a call in it is cancelled, as one with a timeout does.
    goes_on: bool

    async def play(self, journal: Journal, store: Store) -> None:
        """See `Action`."""
        block = journal.begin_block()
        end = BlockEnd.ROLLED_BACK
        try:
            async with store.transaction() as tx:
                await self._fill(journal, tx, block)
                if self.rolls_back:
                    raise _Odd  # noqa: TRY301 - from inside the block
                # From here on nothing but the commit is left, and it runs to its end.
                end = BlockEnd.UNKNOWN if block.is_disturbed else BlockEnd.COMMITTED
            end = BlockEnd.COMMITTED
        except _Odd:
            pass
        except Exception as error:  # noqa: BLE001 - what must not be raised is judged with the rest
            block.error = repr(error)
            is_explained = isinstance(error, TransactionError) and block.is_disturbed
            end = BlockEnd.ROLLED_BACK if is_explained else BlockEnd.FAILED
        finally:
            journal.end_block(block, end)

    async def _fill(self, journal: Journal, tx: Repositories, block: Block) -> None:
        if self.at_once:
            await asyncio.gather(*(self._call(journal, tx, block, call) for call in self.calls))
            return
        for call in self.calls:
            try:
                await self._call(journal, tx, block, call)
            except CancelledError:
                task = asyncio.current_task()
                if not self.goes_on or task is None:
                    raise
                task.uncancel()
                journal.n_cancelled += 1

    @staticmethod
    async def _call(journal: Journal, tx: Repositories, block: Block, call: Call) -> None:
        await _pause(call)
        await journal.call(tx, call, block)


@attrs.frozen
class Conversation:
    """Calls while a session is open. For the model: a start, the calls, and an end."""

    calls: tuple[Call, ...]
    scope: str
    end_active: bool
    #: Whether its block ends in an exception.
    fails: bool

    async def play(self, journal: Journal, store: Store) -> None:
        """See `Action`."""
        sessions = store.scoped(self.scope).sessions if self.scope else store.sessions
        options = {"end_active": self.end_active}
        made = journal.begin(Call("sessions", "start", (), options, self.scope))
        outcome: Ending | Raised = Ending.CANCELLED
        trigger = "error"
        try:
            async with sessions.session(end_active=self.end_active) as session:
                journal.end(made, Returned(session))
                try:
                    await self._talk(journal, store)
                    trigger = "explicit"
                except CancelledError:
                    trigger = "cancelled"
                    raise
                finally:
                    how = {"trigger": trigger}
                    made = journal.begin(Call("sessions", "end", (session.id,), how, self.scope))
                    # `session` gives no answer, but it ends its session whatever happens.
                    outcome = Ending.HAPPENED
        except _Odd:
            pass
        except Exception as error:  # noqa: BLE001 - what must not be raised is judged with the rest
            outcome = Raised(type(error), str(error))
        finally:
            journal.end(made, outcome)

    async def _talk(self, journal: Journal, store: Store) -> None:
        for call in self.calls:
            await _pause(call)
            await journal.call(store, call)
        if self.fails:
            raise _Odd
