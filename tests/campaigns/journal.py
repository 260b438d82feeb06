"""What the tasks of a round did, when, and what they were told."""

from __future__ import annotations

import itertools
import random
from asyncio import CancelledError
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from enum import Enum

import attrs

from memrepo import MemoryFilter, Repositories, TransactionError

from .calls import Call, Ending, Outcome, Raised, Returned, in_short
from .linearizability import DONE, Done, Search, UndecidedError
from .model.state import Ids, Mark, State, Table, Unfinished, mark_of, rows_in

__all__ = ["SCOPES", "START", "Block", "BlockEnd", "Journal", "Made", "clock", "explain"]

#: When every round begins: near midnight, so that sessions and events meet the end of a day.
START = datetime(2026, 2, 2, 23, 40, tzinfo=UTC)
SCOPES = ("", "user:1")
#: What the clock moves on by from one call to the next. A session is over after half an hour.
_MOVES = (*[timedelta(milliseconds=1)] * 12, *[timedelta(minutes=1)] * 3, timedelta(minutes=12))
_EVERYTHING = MemoryFilter(include_forgotten=True, include_expired=True, include_superseded=True)
_LOOKS = (
    Call("memories", "find_many", (_EVERYTHING,), {"limit": 10_000}),
    Call("memories", "proposals", (), {"limit": 10_000}),
    Call("sessions", "find_many", (), {"limit": 10_000}),
    Call("daily_logs", "find_many", (), {"limit": 10_000}),
    # A proposal that has expired is only counted.
    Call("memories", "purge", (START + timedelta(days=3_650),), {"dry_run": True}),
)
#: The tick at which a call ends that has not ended.
_NEVER = 1 << 30

_now: ContextVar[datetime] = ContextVar("now", default=START)
#: The clock to open a store with. It stands still during a call, and shows each call another time, so
#: that a row tells which call wrote it.
clock = _now.get


@attrs.define(eq=False)
class Made:
    """A call that was made."""

    call: Call
    now: datetime
    begun: int
    ids: Ids
    ended: int = _NEVER
    outcome: Outcome = Ending.CANCELLED

    def __str__(self) -> str:
        span = f"{self.begun:>4}..{self.ended:<4} {in_short(self.now)}"
        return f"{span} {self.call} {self.outcome}"

    def successors(
        self, state: State, progress: Unfinished | None
    ) -> Iterator[tuple[State, Unfinished | Done]]:
        """See `linearizability.Step`."""
        after, outcome = self.call.apply(state, self.now, self.ids, progress)
        if self.outcome is Ending.CANCELLED:
            yield state, DONE
            yield after, DONE
        elif isinstance(outcome, Unfinished):
            yield after, outcome
        elif self.outcome is Ending.HAPPENED or self.outcome == outcome:
            yield after, DONE

    @property
    def is_refused(self) -> bool:
        """Whether it raised because its transaction was gone."""
        return isinstance(self.outcome, Raised) and self.outcome.kind is TransactionError


class BlockEnd(Enum):
    """What became of a transaction."""

    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    #: A call in it was cancelled, which may have taken the whole with it, and so was the commit.
    UNKNOWN = "committed or rolled back"
    #: Something was raised that must not be.
    FAILED = "failed"


@attrs.define(eq=False)
class Block:
    """A transaction: its calls happened together, whatever other tasks did meanwhile."""

    begun: int
    ended: int = _NEVER
    made: list[Made] = attrs.Factory(list)
    end: BlockEnd = BlockEnd.ROLLED_BACK
    error: str = ""

    def __str__(self) -> str:
        lines = [f"{self.begun:>4}..{self.ended:<4} transaction {self.end.value} {self.error}"]
        return "\n".join([*lines, *(f"  | {made}" for made in self.made)])

    @property
    def is_disturbed(self) -> bool:
        """Whether a call in it was cancelled: if that interrupts a write, SQLite rolls back all."""
        return any(made.outcome is Ending.CANCELLED for made in self.made)

    def successors(
        self, state: State, progress: Unfinished | None
    ) -> Iterator[tuple[State, Unfinished | Done]]:
        """See `linearizability.Step`."""
        if self.end is BlockEnd.FAILED:
            return
        made = [made for made in self.made if not (self.is_disturbed and made.is_refused)]
        for after in Search(made, state).ends():
            if self.end is not BlockEnd.COMMITTED:
                yield state, DONE
            if self.end is not BlockEnd.ROLLED_BACK:
                yield after, DONE


class Journal:
    """
    Writes down what the tasks of a round do.

    It also knows the ids of the rows that were seen: the first id of each, so that another id for the
    same row has no explanation.
    """

    def __init__(self, rng: random.Random) -> None:
        #: What was done since the last `turn_over`, in the order in which it was begun.
        self.steps: list[Made | Block] = []
        self.n_calls = 0
        #: How often a `CancelledError` came out of something that was done.
        self.n_cancelled = 0
        self._ids: dict[Mark, int] = {}
        self._known: dict[Table, list[int]] = {"facts": [], "sessions": [], "events": []}
        self._ticks = itertools.count()
        self._time = START
        self._rng = rng

    def begin(self, call: Call, block: Block | None = None) -> Made:
        """Note that this task makes a call now, and set its clock."""
        self._time += self._rng.choice(_MOVES)
        _now.set(self._time)
        made = Made(call.settled(self._known), self._time, next(self._ticks), self._ids)
        (self.steps if block is None else block.made).append(made)
        self.n_calls += 1
        return made

    def begin_block(self) -> Block:
        """Note that this task begins a transaction now."""
        block = Block(next(self._ticks))
        self.steps.append(block)
        return block

    def end(self, made: Made, outcome: Outcome) -> None:
        """Note what came of a call, now."""
        made.ended = next(self._ticks)
        made.outcome = outcome
        for row in rows_in(outcome.value) if isinstance(outcome, Returned) else ():
            mark = mark_of(row)
            if mark not in self._ids:
                self._ids[mark] = row.id
                self._known[mark[0]].append(row.id)

    def end_block(self, block: Block, end: BlockEnd) -> None:
        """Note what came of a transaction, now."""
        block.ended = next(self._ticks)
        block.end = end

    async def call(self, repos: Repositories, call: Call, block: Block | None = None) -> None:
        """Make a call and write it down; only `CancelledError` is raised."""
        made = self.begin(call, block)
        try:
            outcome: Outcome = Returned(await made.call.make(repos))
        except CancelledError:
            self.end(made, Ending.CANCELLED)
            raise
        except Exception as error:  # noqa: BLE001 - what must not be raised is judged with the rest
            outcome = Raised(type(error), str(error))
        self.end(made, outcome)

    async def look(self, repos: Repositories) -> None:
        """Read one kind of things, as a task does that was cancelled and asks what became of it."""
        await self.call(repos, self._rng.choice(_LOOKS))

    async def read_all(self, repos: Repositories) -> None:
        """Read everything there is, so that the history shows what became of it."""
        for scope in SCOPES:
            for call in _LOOKS:
                await self.call(repos, attrs.evolve(call, scope=scope))

    def turn_over(self) -> list[Made | Block]:
        """Return what was done, and begin a new page."""
        steps, self.steps = self.steps, []
        return steps


def explain(steps: Sequence[Made | Block], state: State) -> State | str:
    """Return the state that explains what was done since *state*, or what is wrong."""
    search = Search(steps, state)
    try:
        for end in search.ends():
            return end
    except UndecidedError as error:
        return str(error)
    history = "\n".join(map(str, steps))
    unexplained = "\n".join(map(str, search.unexplained))
    return f"since {in_short(state)}\n{history}\nthe best explanation leaves over\n{unexplained}"
