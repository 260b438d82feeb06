"""
Random interleavings: 1,000 rounds (10,000 in the long form) of 2 to 5 tasks on one store.

Each task makes 3 to 8 calls of any method of the three repositories, or transactions and sessions of
several, over a handful of facts, keys and sessions; in half the rounds tasks are cancelled at random.

Proven: whatever the tasks were told, and whatever is stored in the end, is what a model in plain Python
gives for some order of the calls that agrees with the order in time (linearizability): a call that was
answered happened once; one that was cancelled happened whole, before its `CancelledError` came out, or
never; a transaction happened at one moment or not at all. The store is sound, has no transaction left
open, and leaves no thread.
"""

from __future__ import annotations

import inspect
import itertools
import random
from contextlib import nullcontext
from pathlib import Path

import pytest

import memrepo

from .journal import Journal, explain
from .model.state import State
from .plans import METHODS, random_tasks
from .rounds import play, random_shots, seeds
from .scale import Figures, pick
from .stores import Stores, leaks

pytestmark = pytest.mark.campaign

#: Violations after which there is no need for more.
_ENOUGH = 5
#: seconds after which most rounds are over
_ROUND_S = 0.006


async def _round(seed: int, stores: Stores) -> tuple[Journal, list[str]]:
    """Play one round; return its journal and what is wrong."""
    rng = random.Random(seed)
    plans = random_tasks(rng, tasks=(2, 5), actions=(3, 8))
    is_shot_at = seed // 2 % 2 == 1
    shots = random_shots(rng, len(plans), rng.randint(1, 6), _ROUND_S) if is_shot_at else []
    journal = Journal(rng)
    same_fact: memrepo.SameFact = "exact" if seed % 3 == 0 else "folded"
    async with stores.new(rng, is_file=seed % 2 == 1, same_fact=same_fact) as store:
        with stores.slow() if rng.random() < 0.1 else nullcontext():
            await play(journal, store, plans, shots)
        wrong = await leaks(store)
        if not wrong:
            await journal.read_all(store)
    wrong += stores.complaints()
    found = explain(journal.turn_over(), State(same_fact=same_fact))
    return journal, wrong if isinstance(found, State) else [*wrong, found]


@pytest.mark.asyncio
async def test_every_history_is_explained(tmp_path: Path, figures: Figures) -> None:
    """What tasks are told and what is stored is what some order of their calls gives, in every round."""
    n_rounds = n_calls = n_cancelled = 0
    violations: list[str] = []
    stores = Stores(tmp_path)
    for seed in itertools.islice(seeds(), pick(500, 10_000)):
        try:
            journal, wrong = await _round(seed, stores)
        except TimeoutError:
            pytest.fail(f"seed {seed}: the round hangs")
        n_rounds += 1
        n_calls += journal.n_calls
        n_cancelled += journal.n_cancelled
        violations += [f"seed {seed}: {text}" for text in wrong]
        if len(violations) >= _ENOUGH:
            break
    figures(
        "interleavings",
        rounds=n_rounds,
        calls=n_calls,
        cancelled=n_cancelled,
        violations=len(violations),
    )
    assert not violations, "\n\n".join(violations)


def test_every_method_is_called() -> None:
    """The plans know every method of the three repositories, so that a new one is not forgotten."""
    repos = {
        "memories": memrepo.MemoryRepo,
        "sessions": memrepo.SessionRepo,
        "daily_logs": memrepo.DailyLogRepo,
    }
    public = {
        (name, method)
        for name, repo in repos.items()
        for method, _ in inspect.getmembers(repo, inspect.isfunction)
        if not method.startswith("_") and method != "now"
    }
    assert set(METHODS) == public - {("sessions", "session")}
