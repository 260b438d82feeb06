"""Two programs, one file, one conversation."""

from __future__ import annotations

import asyncio
from pathlib import Path

import memrepo
from memrepo.contrib.openai import MemrepoSession
from tests.doors.openai.items import texts
from tests.sqlite.test_processes import check_whole, together


def test_two_processes_in_one_conversation(tmp_path: Path) -> None:
    """Each of two processes adds batches and pops items of one conversation: nothing is lost, torn or had twice."""
    path = tmp_path / "agent.db"
    popped = together(
        2,
        """
        from memrepo.contrib.openai import MemrepoSession

        async with memrepo.connect(URL) as store:
            session = MemrepoSession("chat", store)
            for n in range(30):
                await session.add_items(
                    [{"role": "user", "content": f"{NUMBER} {n} {half}"} for half in ("a", "b")]
                )
            result = [(await session.pop_item())["content"] for _ in range(10)]
        """,
        path,
    )
    check_whole(path)

    async def left() -> list[str]:
        async with memrepo.connect(path) as store:
            assert await store.sessions.count() == 1
            return [str(text) for text in texts(await MemrepoSession("chat", store).get_items())]

    said = asyncio.run(left())
    every = [f"{number} {n} {half}" for number in range(2) for n in range(30) for half in "ab"]
    assert sorted([*said, *popped[0], *popped[1]]) == sorted(every)
    for number in range(2):
        # Of what is left of one process, the order is that in which it was added.
        mine = [text for text in said if text.startswith(f"{number} ")]
        assert mine == [text for text in every if text in mine]
