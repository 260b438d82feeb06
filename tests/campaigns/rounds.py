"""One round: tasks that play their plans on a store, and shots that cancel them."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import time
from asyncio import CancelledError
from collections.abc import Iterable, Sequence

import attrs

from memrepo import Store

from .journal import Journal
from .plans import TaskPlan

__all__ = ["Shot", "play", "random_shots", "seeds"]

#: seconds that a round may take; it takes some milliseconds
_HANGS_S = 30


def seeds() -> Iterable[int]:
    """Where the rounds get their random numbers from; ``MEMREPO_SEED=17`` plays round 17 again and again."""
    seed = os.environ.get("MEMREPO_SEED")
    return itertools.count() if seed is None else itertools.repeat(int(seed))


@attrs.frozen
class Shot:
    """A task is cancelled, so long after the beginning; perhaps twice."""

    task: int
    delay_s: float
    again_s: float | None


def random_shots(rng: random.Random, n_tasks: int, n_shots: int, longest_s: float) -> list[Shot]:
    """Shots at random tasks at random moments, one in five double."""
    return [
        Shot(
            rng.randrange(n_tasks),
            rng.choice([0.0, rng.uniform(0, longest_s), rng.uniform(0, longest_s)]),
            rng.uniform(0, longest_s / 4) if rng.random() < 0.2 else None,
        )
        for _ in range(n_shots)
    ]


async def play(
    journal: Journal, store: Store, plans: Sequence[TaskPlan], shots: Sequence[Shot]
) -> None:
    """
    Let the tasks play and be shot at.

    Raises:
        TimeoutError: It hangs.
    """
    tasks = [asyncio.create_task(_play(journal, store, plan)) for plan in plans]
    shooters = [asyncio.create_task(_shoot(shot, tasks[shot.task])) for shot in shots]
    async with asyncio.timeout(_HANGS_S):
        await asyncio.wait([*tasks, *shooters])
    for task in (*tasks, *shooters):
        if not task.cancelled():
            task.result()


async def _play(journal: Journal, store: Store, plan: TaskPlan) -> None:
    for action in plan.actions:
        try:
            await action.play(journal, store)
        except CancelledError:
            journal.n_cancelled += 1
            task = asyncio.current_task()
            if not plan.goes_on or task is None:
                raise
            task.uncancel()
            await journal.look(store)


async def _shoot(shot: Shot, task: asyncio.Task[None]) -> None:
    for delay_s in (shot.delay_s, shot.again_s):
        if delay_s is not None:
            await _spin(delay_s)
            task.cancel()


async def _spin(delay_s: float) -> None:
    # asyncio.sleep() would wait for a whole millisecond, in which most calls are done.
    end = time.perf_counter() + delay_s
    await asyncio.sleep(0)
    while time.perf_counter() < end:
        await asyncio.sleep(0)
