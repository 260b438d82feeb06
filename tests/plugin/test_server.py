"""`memory_server`: a database on a libSQL server of one's own, where its program is there."""

from __future__ import annotations

import pytest

from tests.plugin.running import run
from tests.servers.binary import require_sqld

pytest_plugins = ["pytester"]

_TESTS = """
    import memrepo, pytest

    pytestmark = pytest.mark.asyncio
    urls = set()

    @pytest.mark.parametrize("n", range(2))
    async def test_server(memory_server, memory_store_factory, memory_clock, n):
        async with memory_store_factory(memory_server) as store:
            assert (await store.info()).engine == "libsql"
            told = await store.memories.remember("Tea")
            assert (told.outcome, told.entry.created_at) == ("created", memory_clock.now)
        async with memrepo.connect(memory_server) as store:
            assert await store.memories.count() == 1
        urls.add(memory_server)
        assert len(urls) == n + 1

    async def test_they_end_with_their_tests():
        for url in urls:
            with pytest.raises(memrepo.DatabaseError):
                await memrepo.connect(url, lock_timeout_s=0.1)
    """


@pytest.mark.slow
def test_each_test_has_a_database(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests share a server, and each has an empty database on it, which goes with the test; no proxy comes between."""
    monkeypatch.setenv("SQLD", str(require_sqld()))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    pytester.makepyfile(_TESTS)
    run(pytester, "--memrepo-leaks").assert_outcomes(passed=3)


@pytest.mark.slow
def test_without_sqld(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the program such tests are skipped, with the reason; where SQLD names none, that is an error."""
    monkeypatch.delenv("SQLD", raising=False)
    monkeypatch.setenv("PATH", str(pytester.path))
    pytester.makepyfile(_TESTS)
    result = run(pytester, "-rs")
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines(
        ["SKIPPED *memory_server needs sqld: put it on the PATH, or set SQLD *"]
    )
    monkeypatch.setenv("SQLD", "no-such-program")
    result = run(pytester)
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(["SQLD is set to no-such-program, which is no program"])
