"""Looking changes nothing, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import sqlite3
from contextlib import closing
from datetime import UTC
from pathlib import Path

import httpx
import pytest

import memrepo
from memrepo.browse.app import Browser
from tests.doors.browse.conftest import Memory
from tests.doors.browse.memories import Known, fill
from tests.doors.browse.serving import browsing, visitor
from tests.servers.sqld import Sqld

LOOKS = (
    *("facts", "facts?q=honey", "recall?q=honey", "recall?q=", "sessions", "log", "scopes"),
    *("growth", "log?view=digest", "sessions?thread=phone", "facts?state=forgotten"),
)


def look_around(client: httpx.Client, known: Known) -> None:
    """Look at every page."""
    for path in (*LOOKS, f"facts/{known.porto}", f"sessions/{known.session}"):
        assert client.get(path).status_code == 200, path


def files(folder: Path) -> dict[str, str]:
    """The files of a folder, and what is in each."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "log"
    }


def rows(path: Path) -> list[str]:
    """Every row of a database, as SQL."""
    with closing(sqlite3.connect(path)) as database:
        return [*database.iterdump()]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_not_a_byte_is_changed(memory: Memory, tmp_path: Path, stop: signal.Signals) -> None:
    """After looking at everything the file has the same bytes, and nothing lies beside it."""
    before = files(tmp_path)
    with browsing(memory.path, tmp_path / "log", stop=stop) as pages, visitor(pages) as client:
        look_around(client, memory.known)
    assert files(tmp_path) == before


def test_log_of_a_writer_does_not_stay(memory: Memory, tmp_path: Path) -> None:
    """A writer that ends while somebody looks leaves its log to SQLite: it is gone when both are, and no row is lost."""

    async def write(content: str) -> None:
        async with memrepo.connect(memory.path) as store:
            await store.memories.remember(content)

    asyncio.run(write("Said before"))
    with browsing(memory.path, tmp_path / "log") as pages, visitor(pages) as client:
        assert "Said before" in client.get("facts").text
        asyncio.run(write("Said meanwhile"))
        assert "Said meanwhile" in client.get("facts").text
        look_around(client, memory.known)
    assert sorted(files(tmp_path)) == ["agent.db"]
    assert any("Said meanwhile" in row for row in rows(memory.path))


def test_file_that_may_not_be_written(memory: Memory, tmp_path: Path) -> None:
    """A file in which this user may write nothing can be looked at, too."""
    memory.path.chmod(0o444)
    with browsing(memory.path, tmp_path / "log") as pages, visitor(pages) as client:
        look_around(client, memory.known)


def test_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """A misspelled name is an error, which says what makes a database, and no new file."""
    with (
        pytest.raises(AssertionError, match="there is no database"),
        browsing(tmp_path / "missing.db", tmp_path / "log"),
    ):
        pass
    assert [its.name for its in tmp_path.iterdir()] == ["log"]


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_server_is_looked_at_only(sqld: Sqld, tmp_path: Path, scheme: str) -> None:
    """On a server no statement writes, not even a search, which makes its index where it may."""
    url = sqld.new_url(scheme)
    known = asyncio.run(_fill(url))
    before = asyncio.run(_all_rows(url))
    with browsing(url, tmp_path / "log") as pages, visitor(pages) as client:
        look_around(client, known)
    assert before[-1] is None
    assert asyncio.run(_all_rows(url)) == before


async def _fill(url: str) -> Known:
    async with memrepo.connect(url) as store:
        return await fill(store)


async def _all_rows(url: str) -> list[object]:
    """The facts, and how many rows the index has still to take in, without having it catch up."""
    async with memrepo.connect(f"{url}&mode=ro") as store:
        everything = memrepo.MemoryFilter(
            include_forgotten=True, include_expired=True, include_superseded=True
        )
        facts = [fact.to_dict() async for fact in store.memories.iterate(everything)]
        index = (await store.info()).search_index
        return [*facts, None if index is None else index.n_pending]


@pytest.mark.asyncio
async def test_facts_can_be_changed_on_a_server(sqld: Sqld) -> None:
    """With ``can_edit``, the same forms work there."""
    url = sqld.new_url()
    async with memrepo.connect(url) as store:
        known = await fill(store)
        browser = Browser(store, title="x", scope="", can_edit=True, tz=UTC)
        transport = httpx.ASGITransport(browser.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", follow_redirects=True
        ) as client:
            base = str((await client.get(browser.access.new_entrance())).url).rpartition("/")[0]
            page = (await client.get(f"{base}/facts/{known.porto}")).text
            token = page.partition('name="form_token" value="')[2].partition('"')[0]
            done = await client.post(
                f"{base}/facts/{known.porto}/forget", data={"form_token": token}
            )
            assert "The fact was forgotten" in done.text
        await browser.close()
        assert await store.memories.find(known.porto) is None


def test_link_that_works_once() -> None:
    """A link for a browser that is started opens the pages one time: others may see how it was started."""

    async def use() -> list[int]:
        async with memrepo.connect(":memory:") as store:
            browser = Browser(store, title="x", scope="", can_edit=False, tz=UTC)
            once, always = browser.access.new_entrance(once=True), browser.access.new_entrance()
            transport = httpx.ASGITransport(browser.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost"
            ) as client:
                links = (once, once, always, always)
                return [(await client.get(link)).status_code for link in links]

    assert asyncio.run(use()) == [303, 403, 303, 303]
