"""`memory_store_file`: a database file without rows, made as the test's stores are."""

from __future__ import annotations

from pathlib import Path

import pytest

import memrepo

pytestmark = pytest.mark.asyncio


async def test_of_the_defaults(memory_store_file: Path, tmp_path: Path) -> None:
    """Without options it is what `memrepo.connect` makes, for its owner only."""
    assert memory_store_file == tmp_path / "agent.db"
    assert memory_store_file.stat().st_mode & 0o777 == 0o600
    async with memrepo.connect(memory_store_file) as store:
        assert store.same_fact == "folded"
        assert await store.memories.count() == 0


class TestOptions:
    """Where a project has options of its own."""

    @pytest.fixture
    def memory_store_options(self) -> dict[str, object]:
        return {"same_fact": "exact", "search": "english"}

    async def test_made_with_them(self, memory_store_file: Path, tmp_path: Path) -> None:
        """It has the rule that is chosen for good when a database is made, and a program finds it so."""
        assert memory_store_file == tmp_path / "agent.db"
        async with memrepo.connect(memory_store_file, same_fact="exact") as store:
            assert await store.memories.count() == 0
