"""
Cancellation at random moments: 20,000 times, 500 in the short form.

Up to five tasks at once make a call, a transaction or a session each, and some of them are cancelled,
once or twice, after up to some milliseconds. The statements of half the stores can be interrupted
anywhere, and now and then another program holds the file's lock.

Proven: when the calls have ended, no transaction is open and the queue is free (leaked); what was
cancelled happened whole, before its `CancelledError` came out, or not at all (torn); what was
acknowledged is there (lost). Everything that was answered and is stored has an explanation, as in
``test_interleavings.py``.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from memrepo import Store

from .journal import Journal
from .model.state import State
from .plans import random_tasks
from .rounds import play, random_shots, seeds
from .scale import Figures, pick
from .stores import Stores, leaks
from .tally import Tally

pytestmark = pytest.mark.campaign

#: Times that tasks are let loose on one store.
_VOLLEYS = 25
#: seconds after which most of them are done, on a quick store and on a slow one
_QUICK_S, _SLOW_S = 0.002, 0.005
#: seconds that another program holds the lock for, at most
_LOCKED_S = 0.02


async def _hold_lock(path: Path, duration_s: float) -> None:
    """Hold the file's write lock, as another program would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(duration_s)


async def _volley(journal: Journal, store: Store, rng: random.Random, longest_s: float) -> None:
    """Let some tasks do something, and cancel some of them."""
    plans = random_tasks(rng, tasks=(1, 5), actions=(1, 2))
    shots = random_shots(rng, len(plans), rng.randint(1, 4), longest_s)
    path = (await store.info()).path
    if path is None or rng.random() < 0.9:
        await play(journal, store, plans, shots)
    else:
        locked = asyncio.create_task(_hold_lock(path, rng.uniform(0, _LOCKED_S)))
        await asyncio.sleep(0)
        await play(journal, store, plans, shots)
        await locked


async def _volleys(seed: int, stores: Stores, tally: Tally) -> Journal:
    """Fire volley after volley at one store; what is stored after one is what the next begins with."""
    rng = random.Random(seed)
    journal = Journal(rng)
    state = State()
    async with stores.new(rng, is_file=seed % 2 == 1) as store:
        for number in range(_VOLLEYS):
            where = f"seed {seed}, volley {number}"
            if rng.random() < 0.5:
                await _volley(journal, store, rng, _QUICK_S)
            else:
                with stores.slow():
                    await _volley(journal, store, rng, _SLOW_S)
            if leaked := await leaks(store):
                tally.add("leaked", where, leaked)
                break
            await journal.read_all(store)
            after = tally.judge(where, journal.turn_over(), state)
            # Of a proposal that has expired, nothing shows the id: the next volley could not be judged.
            if after is None or any(fact.id % 1 for fact in after.facts):
                break
            state = after
    tally.add("leaked", f"seed {seed}", stores.complaints())
    return journal


@pytest.mark.asyncio
async def test_cancel_at_random(tmp_path: Path, figures: Figures) -> None:
    """Whatever is going on when it strikes, and however often."""
    stores, tally = Stores(tmp_path), Tally()
    wanted = pick(500, 20_000)
    n_calls = n_cancelled = 0
    for seed in seeds():
        try:
            journal = await _volleys(seed, stores, tally)
        except TimeoutError:
            pytest.fail(f"seed {seed} hangs")
        n_calls += journal.n_calls
        n_cancelled += journal.n_cancelled
        if n_cancelled >= wanted or tally.is_full:
            break
    tally.report(figures, "cancelled at random", cancelled=n_cancelled, calls=n_calls)
