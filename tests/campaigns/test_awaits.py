"""
Cancellation at every await of every public method, on a file and in memory.

The short form leaves out most of the awaits of what waits often, as `verify` does more than two hundred times.

A method is cancelled at its n-th await in four ways: while it waits in the queue; when its turn has
come, or its group is done, and it has not been told so yet; while it waits for what runs, alone; and
when that is done and it has not been told so yet.

Proven: `CancelledError` comes out; no transaction is open then, no thread is left, and the queue goes
on; the method happened whole or not at all; and what was acknowledged before and after is there.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import math
import random
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, nullcontext
from pathlib import Path
from typing import Final, Literal, TypeAlias

import attrs
import pytest

from memrepo import DailyLogFilter, DailyLogNew, MemoryNew, Store
from memrepo.connection.sqlite.queue import ThreadQueue
from memrepo.domain.indexing import TOKENIZERS
from tests.connection.test_cancellation import Moment, cancelled_at

from .actions import Action, Conversation, Single, Transaction
from .calls import Call, Known, Repo
from .journal import START, Journal
from .model.state import State
from .plans import METHODS
from .scale import Figures, is_long
from .stores import Stores, leaks, queues
from .tally import Tally

pytestmark = pytest.mark.campaign

#: Whether the queues are busy, and when a method is cancelled that waits.
_Moment: TypeAlias = tuple[Literal["queued", "alone"], Moment]
_MOMENTS: tuple[_Moment, ...] = (
    ("queued", "running"),
    ("queued", "undelivered"),
    ("alone", "running"),
    ("alone", "undelivered"),
)
#: seconds after which a queue that is not free never will be
_HANGS_S = 60
_LATER = START.replace(year=START.year + 1)


@attrs.frozen
class _Maintenance:
    """A method of the store itself, which changes no row."""

    call: Callable[[Store], Awaitable[object]]

    async def play(self, journal: Journal, store: Store) -> None:
        """See `Action`."""
        await self.call(store)


# --- the methods -------------------------------------------------------------------------------


def _single(repo: Repo, method: str, *args: object, **kwargs: object) -> Single:
    return Single(Call(repo, method, args, kwargs))


#: The first fact is current, the second forgotten, the third superseded by the fourth; the fifth is proposed for
#: the slot that the seventh fills, which replaced the sixth there; one session is active; there are two events.
#: Nothing else is there but old sessions.
_PREPARATION = (
    _single("memories", "forget_all", confirm=True),
    _single("memories", "purge", _LATER),
    _single("daily_logs", "purge", _LATER),
    *(_single("memories", "remember", f"fact {n}") for n in (1, 2, 3)),
    _single("memories", "forget", Known("facts", -2)),
    _single("memories", "supersede", Known("facts", -1), "fact 4"),
    _single("memories", "remember", "proposed", slot="home", proposed=True),
    _single("memories", "remember", "fact 6", slot="home"),
    _single("memories", "remember", "fact 7", slot="home"),
    _single("sessions", "start", end_active=True),
    _single("daily_logs", "append", Known("sessions", -1), "x", 1, key="known"),
    _single("daily_logs", "append", None, "x", 2),
)
_FIRST, _FORGOTTEN, _NEWEST = Known("facts", -7), Known("facts", -6), Known("facts", -4)
_PROPOSAL = Known("facts", -3)
_SESSION = Known("sessions", -1)
_EVENT = Known("events", -1)
_FACTS = [
    *(MemoryNew(content=f"fact {n}", source="inferred") for n in range(8)),
    MemoryNew(content="fact 9", slot="home"),
    MemoryNew(content="fact 10", proposed=True),
]
_EVENTS = [
    DailyLogNew(event_type="x", event_data=n, key=key)
    for n, key in enumerate((None, "known", "new"))
]
#: The short form cancels at each of so many awaits, and then at one in so many.
_EACH: Final = 24
_STRIDE: Final = 24
#: In how many tests, which run beside each other.
_SHARES: Final = 4
#: Every method of the three repositories.
_METHODS = (
    _single("memories", "remember", "new"),
    _single("memories", "remember_many", _FACTS),
    _single("memories", "supersede", _FIRST, "new"),
    _single("memories", "observe", "pattern", content="new", times=1),
    _single("memories", "would_infer", "pattern"),
    _single("memories", "pending_inferences"),
    _single("memories", "pin", _FIRST),
    _single("memories", "unpin", _FIRST),
    _single("memories", "surface"),
    _single("memories", "surfaced", _FIRST, _NEWEST),
    _single("memories", "touch", _FIRST),
    _single("memories", "update", _FIRST, category="work"),
    _single("memories", "merge", _FIRST, _NEWEST, "facts 1 and 4"),
    _single("memories", "near_duplicates"),
    _single("memories", "iterate_near_duplicates"),
    _single("memories", "forget", _FIRST),
    _single("memories", "restore", _FORGOTTEN),
    _single("memories", "forget_all", confirm=True),
    _single("memories", "purge", _LATER),
    _single("memories", "get", _FIRST),
    _single("memories", "find", _FIRST),
    _single("memories", "get_many", [_FIRST, _FIRST]),
    _single("memories", "find_by_content", "Fact 1."),
    _single("memories", "find_many", limit=1),
    _single("memories", "iterate"),
    _single("memories", "search", "fact"),
    _single("memories", "search_as_you_type", "fac"),
    _single("memories", "find_to_forget", "fact"),
    _single("memories", "recall", "fact"),
    _single("memories", "fading"),
    _single("memories", "forget_faded"),
    _single("memories", "count"),
    _single("memories", "count_by", "category"),
    _single("memories", "history", _NEWEST),
    _single("memories", "forgotten"),
    _single("memories", "in_slot", "home"),
    _single("memories", "slots"),
    _single("memories", "revert", "home"),
    _single("memories", "proposals"),
    _single("memories", "iterate_proposals"),
    _single("memories", "approve", _PROPOSAL),
    _single("memories", "reject", _PROPOSAL),
    _single("sessions", "start", end_active=True),
    _single("sessions", "get_or_start"),
    _single("sessions", "resume", _SESSION),
    _single("sessions", "end_abandoned"),
    _single("sessions", "end", _SESSION, summary="done"),
    _single("sessions", "summarize", _SESSION, "done"),
    _single("sessions", "delete", _SESSION),
    _single("sessions", "get", _SESSION),
    _single("sessions", "find", _SESSION),
    _single("sessions", "get_many", [_SESSION]),
    _single("sessions", "active"),
    _single("sessions", "find_many"),
    _single("sessions", "iterate"),
    _single("sessions", "search", "done"),
    _single("sessions", "count"),
    _single("sessions", "unsummarized", 1),
    _single("sessions", "carry_over"),
    _single("sessions", "digest", _SESSION),
    _single("sessions", "threads"),
    _single("sessions", "iterate_threads"),
    _single("daily_logs", "append", _SESSION, "x", key="new"),
    _single("daily_logs", "append_many", _EVENTS),
    _single("daily_logs", "delete", _EVENT),
    _single("daily_logs", "delete_many", DailyLogFilter(event_type="x")),
    _single("daily_logs", "purge", _LATER),
    _single("daily_logs", "get", _EVENT),
    _single("daily_logs", "find", _EVENT),
    _single("daily_logs", "get_many", [_EVENT]),
    _single("daily_logs", "find_by_key", "known"),
    _single("daily_logs", "pop_last"),
    _single("daily_logs", "recent_tool_invocations"),
    _single("daily_logs", "count"),
    _single("daily_logs", "count_by_type"),
    _single("daily_logs", "find_many"),
    _single("daily_logs", "iterate"),
    _single("daily_logs", "search", "x"),
    _single("daily_logs", "for_day", START.date()),
    _single("daily_logs", "count_by_day"),
    _single("daily_logs", "digest", START.date()),
)
_BLOCK = Transaction(
    (
        Call("memories", "remember", ("new",)),
        Call("memories", "forget", (_FIRST,)),
        Call("daily_logs", "append", (None, "x")),
        Call("memories", "count"),
    ),
    at_once=False,
    rolls_back=False,
    goes_on=False,
)


def _cases(folder: Path) -> dict[str, Action]:
    """
    Everything public that waits, by its name.

    Without `connect` and `close`, which leave no store to look at: ``tests/connection/test_cancellation.py``
    cancels them at every await; and without `copy_to` and `import_lines`, which ``test_copying.py`` and
    ``test_exporting.py`` interrupt.
    """
    folders = _migrations(folder)
    backups = (folder / f"backup{n}.db" for n in itertools.count())
    tokenizers = itertools.cycle(TOKENIZERS)
    return {
        **{f"{one.call.repo}.{one.call.method}": one for one in _METHODS},
        "memories.remember, in a slot": _single("memories", "remember", "new", slot="home"),
        "memories.remember, what is superseded": _single("memories", "remember", "fact 6"),
        "memories.remember, what is proposed": _single("memories", "remember", "proposed"),
        "memories.remember, as a proposal": _single("memories", "remember", "new", proposed=True),
        "sessions.get_or_start, in another scope": Single(
            Call("sessions", "get_or_start", scope="user:1")
        ),
        "sessions.session": Conversation(_BLOCK.calls, "", end_active=True, fails=False),
        "transaction": _BLOCK,
        "transaction, at once": attrs.evolve(_BLOCK, at_once=True),
        "transaction, rolled back": attrs.evolve(_BLOCK, rolls_back=True),
        "migrate": _Maintenance(lambda store: store.migrate()),
        "apply_migrations": _Maintenance(
            lambda store: store.apply_migrations((own := next(folders)), version_table=own.name)
        ),
        "ping": _Maintenance(lambda store: store.ping()),
        "info": _Maintenance(lambda store: store.info()),
        "scopes": _Maintenance(lambda store: store.scopes()),
        "iterate_scopes": _Maintenance(_read_all_scopes),
        "erase": _Maintenance(_erase_somebody),
        "verify": _Maintenance(lambda store: store.verify()),
        "examine": _Maintenance(lambda store: store.examine()),
        "export_lines": _Maintenance(_export),
        "backup": _Maintenance(lambda store: store.backup(next(backups))),
        "repair": _Maintenance(lambda store: store.repair()),
        "repair, with another tokenizer": _Maintenance(
            lambda store: store.repair(search=next(tokenizers))
        ),
        "catch_up": _Maintenance(lambda store: store.catch_up()),
        "compact": _Maintenance(lambda store: store.compact()),
    }


async def _export(store: Store) -> None:
    async for _ in store.export_lines():
        pass


async def _read_all_scopes(store: Store) -> None:
    async for _ in store.iterate_scopes():
        pass


async def _erase_somebody(store: Store) -> None:
    """Erase a scope of which the journal knows nothing, however much of it is left from the last time."""
    owner = store.scoped("somebody")
    await owner.memories.remember("a fact")
    await owner.daily_logs.append((await owner.sessions.get_or_start()).id, "x")
    await owner.erase(confirm=True)


def _migrations(folder: Path) -> Iterator[Path]:
    """Make folders of migrations that are not applied yet."""
    for number in itertools.count():
        own = folder / f"own_{number}"
        own.mkdir(exist_ok=True)
        (own / "0001_create_table.sql").write_text(f"CREATE TABLE t{number} (x);\n")
        yield own


# --- cancelling --------------------------------------------------------------------------------


@asynccontextmanager
async def _busy_queues(store: Store) -> AsyncIterator[None]:
    """Keep the store's queues taken, and let what waits in them pass after a while."""
    is_over = False

    async def keep(queue: ThreadQueue) -> None:
        turn = await queue.take(math.inf)
        while not is_over:
            while not queue._line.turns and not is_over:
                await asyncio.sleep(0)
            for _ in range(3):
                await asyncio.sleep(0)
            queue.release(turn)
            turn = await queue.take(math.inf)
        queue.release(turn)

    keepers = [asyncio.create_task(keep(queue)) for queue in queues(store)]
    await asyncio.sleep(0)
    try:
        yield
    finally:
        is_over = True
        async with asyncio.timeout(_HANGS_S):
            await asyncio.gather(*keepers)


async def _cancel_at(
    journal: Journal, store: Store, action: Action, step: int, moment: _Moment
) -> bool:
    """Cancel *action* at its n-th await; tell whether it has so many."""
    queue, when = moment
    async with _busy_queues(store) if queue == "queued" else nullcontext():
        return await cancelled_at(action.play(journal, store), step, when)


class _Place:
    """A store on which one method is cancelled again and again."""

    def __init__(self, store: Store, stores: Stores, tally: Tally) -> None:
        self._store = store
        self._stores = stores
        self._tally = tally
        self._journal = Journal(random.Random(0))
        self._state = State()

    async def cancel_everywhere(self, name: str, case: Action) -> int:
        """Cancel *case* at each of its awaits, in each way; return how often."""
        n = 0
        for moment in _MOMENTS:
            n_before, step = n, 0
            while await self._cancel(name, case, step, moment):
                n += 1
                step += 1 if is_long() or step < _EACH else _STRIDE
            assert n > n_before, f"{name} never waits"
        return n

    async def _cancel(self, name: str, case: Action, step: int, moment: _Moment) -> bool:
        """Cancel *case* at its n-th await, and look at what is left; tell whether it has so many."""
        where = f"{name}, {', '.join(moment)}, await {step}, {self._store!r}"
        journal, store = self._journal, self._store
        for action in _PREPARATION:
            await action.play(journal, store)
        try:
            is_reached = await _cancel_at(journal, store, case, step, moment)
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(where) from error
        left = [*await leaks(store), *await self._stores.left_over(store)]
        self._tally.add("leaked", where, [*left, *self._stores.complaints()])
        await _BLOCK.play(journal, store)
        await journal.read_all(store)
        after = self._tally.judge(where, journal.turn_over(), self._state)
        assert after is not None, where
        self._state = after
        return is_reached


@pytest.mark.asyncio
@pytest.mark.parametrize("share", range(_SHARES))
async def test_cancel_at_every_await(tmp_path: Path, figures: Figures, share: int) -> None:
    """Whatever a method waits for when it is cancelled, and however it waits."""
    (folder := tmp_path / "stores").mkdir()
    stores, tally, rng = Stores(folder, quiets_s=[3_600.0]), Tally(), random.Random(1)
    cases = dict([*_cases(tmp_path).items()][share::_SHARES])
    n_awaits = 0
    for name, is_file in [(name, is_file) for name in cases for is_file in (False, True)]:
        async with stores.new(rng, is_file=is_file) as store:
            n_awaits += await _Place(store, stores, tally).cancel_everywhere(name, cases[name])
        tally.add("leaked", name, stores.complaints())
        if tally.is_full:
            break
    tally.add("torn", "backup", _backup_problems(tmp_path))
    title = f"cancelled at every await, {share + 1} of {_SHARES}"
    tally.report(figures, title, methods=len(cases), awaits=n_awaits)


def _backup_problems(folder: Path) -> list[str]:
    """What is wrong with the copies of backups that were cancelled: those that are there are whole."""
    found = [f"{path.name} is left" for path in folder.glob("*.partial")]
    for path in folder.glob("backup*.db"):
        with closing(sqlite3.connect(path)) as copy:
            found += [text for (text,) in copy.execute("PRAGMA integrity_check") if text != "ok"]
            n_events = copy.execute("SELECT count(*) FROM daily_logs").fetchone()[0]
        if n_events != 2:
            found.append(f"{path.name} has {n_events} events")
    return found


def test_every_method_is_cancelled(tmp_path: Path) -> None:
    """The methods that are cancelled are all there are, so that a new one is not forgotten."""
    assert {(one.call.repo, one.call.method) for one in _METHODS} == set(METHODS)
    own = {name for name, _ in inspect.getmembers(Store, inspect.isfunction) if name[0] != "_"}
    assert own - {*_cases(tmp_path)} == {"at", "close", "copy_to", "import_lines", "scoped"}
