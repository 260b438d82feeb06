"""How jobs get to a thread: each once, in order, whenever they come."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from memrepo.connection.sqlite.jobs import JobQueue, new_queue


@pytest.fixture(params=["eventfd", "lock"])
def queue(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[JobQueue[int]]:
    """A queue of each kind."""
    if request.param == "lock":
        monkeypatch.delattr(os, "eventfd", raising=False)
    jobs: JobQueue[int] = new_queue()
    yield jobs
    jobs.close()


def test_every_job_is_got_in_order(queue: JobQueue[int]) -> None:
    """Of 20,000 jobs, put in a hurry or while the thread falls asleep, none is lost or waits for the next."""
    got: list[int] = []
    has_all = threading.Event()

    def serve() -> None:
        while (job := queue.get()) >= 0:
            got.append(job)
            if chance.random() < 0.1:
                time.sleep(0)
            if job % 1_000 == 999:
                has_all.set()
        got.append(job)

    chance = random.Random(20261128)
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    for job in range(20_000):
        queue.put(job)
        if job % 1_000 == 999:
            assert has_all.wait(timeout=10), f"job {job} was left waiting"
            has_all.clear()
        elif chance.random() < 0.1:
            time.sleep(0)
    queue.put(-1)
    thread.join(timeout=10)
    assert got == [*range(20_000), -1]


def test_put_after_close(queue: JobQueue[int]) -> None:
    """A queue that was closed, and closed again, takes a job all the same, and touches no descriptor."""
    queue.close()
    queue.close()
    queue.put(1)
    assert queue.get() == 1


def test_signal_while_waiting(queue: JobQueue[int]) -> None:
    """A signal that the system gives to the sleeping thread does not end its wait."""
    got: list[int] = []
    thread = threading.Thread(target=lambda: got.append(queue.get()), daemon=True)
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        thread.start()
        for _ in range(20):
            time.sleep(0.01)
            signal.pthread_kill(thread.ident or 0, signal.SIGUSR1)
        queue.put(7)
        thread.join(timeout=10)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert got == [7]
