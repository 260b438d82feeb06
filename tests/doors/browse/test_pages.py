"""Each page shows what the memory has, and leads on."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

import memrepo
from tests.doors.browse.conftest import Memory
from tests.doors.browse.memories import NOW, Known
from tests.doors.browse.serving import Page, browsing, read, visitor

EVERY_PAGE = ("facts", "sessions", "log", "recall", "growth", "scopes")


def absolute(client: httpx.Client, link: str) -> str:
    """The address of a link of a page."""
    return urljoin(str(client.base_url), link)


def counted(client: httpx.Client, path: str) -> Page:
    """A page that may still be counting, once it is done."""
    deadline = time.monotonic() + 60
    while "refresh" in (answer := client.get(path)).headers:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return read(answer)


def test_every_link_leads_somewhere(client: httpx.Client) -> None:
    """Whoever follows every link of every page finds no page that is missing or fails, and none outside."""
    todo, seen = [str(client.base_url)], set[str]()
    while todo:
        url = todo.pop()
        if (place := url.partition("#")[0]) in seen:
            continue
        seen.add(place)
        answer = client.get(place, follow_redirects=True)
        assert answer.status_code == 200, place
        if answer.headers["content-type"].startswith("text/html"):
            links = [urljoin(str(answer.url), link) for link in read(answer).links]
            assert {urlsplit(link).netloc for link in links} == {urlsplit(url).netloc}
            todo += links
    assert len(seen) > 60


def test_facts_by_what_became_of_them(client: httpx.Client) -> None:
    """Each list has the facts in that state and no others, and says what each is."""
    lists = {
        "current": ("Ada lives in Porto", "Ada lives in Lisbon"),
        "all": ("Ada lives in Lisbon", "Grace builds compilers"),
        "pinned": ("Allergic to peanuts", "Ada lives in Porto"),
        "proposed": ("Maybe a vegetarian", "Prefers short answers"),
        "expired": ("Parks on level 3", "Ada lives in Porto"),
        "superseded": ("Ada lives in Lisbon", "Ada lives in Porto"),
        "forgotten": ("Likes coffee", "Maybe a vegetarian"),
    }
    for state, (there, elsewhere) in lists.items():
        text = read(client.get("facts", params={"state": state})).text
        assert there in text, state
        assert elsewhere not in text, state
    assert "There are no facts like this" in read(client.get("facts?state=due")).text
    assert read(client.get("facts?state=unknown"), 400)


def test_facts_of_a_category_and_a_source(client: httpx.Client) -> None:
    """Filters hold together, and stay when another list is chosen."""
    page = read(client.get("facts", params={"category": "bees", "source": "inferred"}))
    hives = [int(n) for n in re.findall(r"Hive (\d+)", page.text)]
    assert hives == [*range(19, 0, -2)]
    assert any("state=all&category=bees&source=inferred" in link for link in page.links)
    assert "No facts like this" in read(client.get("facts?source=nobody")).text


def test_every_fact_is_on_one_page(tmp_path: Path) -> None:
    """Of 5,000 facts, the few with a source are found on some page each once, though none looks at all of them."""

    async def write() -> None:
        async with memrepo.connect(tmp_path / "agent.db") as store:
            facts = [
                memrepo.MemoryNew(
                    content=f"Fact {n}.", source="tool" if n % 1_700 == 5 else "user_explicit"
                )
                for n in range(5_000)
            ]
            await store.memories.remember_many(facts)

    asyncio.run(write())
    with browsing(tmp_path / "agent.db", tmp_path / "log") as pages, visitor(pages) as client:
        found: list[str] = []
        page, n_pages = read(client.get("facts", params={"source": "tool"})), 1
        while following := [link for link in page.links if "after=" in link]:
            found += re.findall(r"Fact (\d+)\.", page.text)
            page, n_pages = read(client.get(f"{pages.origin}{following[0]}")), n_pages + 1
        found += re.findall(r"Fact (\d+)\.", page.text)
    assert (found, n_pages) == (["3405", "1705", "5"], 3)


def test_search_as_one_would_ask(client: httpx.Client) -> None:
    """A question finds the fact that answers it, its words marked, and says why."""
    page = read(client.get("facts", params={"q": "Where does Ada live?"}))
    assert "Ada lives in Porto" in page.text
    assert "<mark>lives</mark>" in page.html
    assert "has 'ada' and 'live'" in page.text
    assert "Ada lives in Lisbon" not in page.text
    nothing = read(client.get("facts", params={"q": "zebras"}))
    assert "No current fact has any of these words" in nothing.text


def test_fact_with_its_history(client: httpx.Client, known: Known) -> None:
    """A fact shows what it replaced, and the one that was replaced shows what took its place."""
    new = read(client.get(f"facts/{known.porto}"))
    assert "History Ada lives in Lisbon" in new.text
    assert "home_city" in new.text
    assert any(link.endswith(f"/sessions/{known.session}") for link in new.links)
    old = read(client.get(f"facts/{known.lisbon}"))
    assert f"superseded by #{known.porto}" in old.text
    assert read(client.get("facts/999999"), 404)
    for number in (2**70, "abc", "9" * 5_000):
        assert read(client.get(f"facts/{number}"), 404)
        assert client.get(f"facts/{number}/text").status_code == 404


def test_fact_that_was_inferred(client: httpx.Client, known: Known) -> None:
    """A fact that was inferred shows from which pattern, how that showed, and where in the log."""
    page = read(client.get(f"facts/{known.inferred}"))
    assert "The pattern short_answers , as it showed: said ok, 0 said ok, 1 said ok, 2" in page.text
    events = [link for link in page.links if f"/log?day={NOW.date()}#event-" in link]
    assert len(events) == 3
    day = client.get(absolute(client, events[0]))
    assert f'id="{events[0].partition("#")[2]}"' in day.text


def test_sessions_as_a_timeline(client: httpx.Client, known: Known) -> None:
    """Sessions stand under their days, the latest first; a thread has its own."""
    page = read(client.get("sessions"))
    days = re.findall(r"\w+day, (\d+ \w+) \d{4}", page.text)
    ago = [NOW - timedelta(days=n) for n in range(1, 21)]
    assert days == [f"{day.day} {day:%B}" for day in ago]
    assert "Harvest of hive 19." in page.text
    phone = read(client.get("sessions", params={"thread": "phone"}))
    assert "Harvest of hive 19." in phone.text
    assert "Harvest of hive 17." not in phone.text
    its = read(client.get(f"sessions/{known.session}"))
    assert "Hive 19 gave 22 jars of honey" in its.text
    assert "toolName calendar" in its.text
    for number in (999_999, "9" * 5_000):
        assert read(client.get(f"sessions/{number}"), 404)


def test_log_by_day(client: httpx.Client) -> None:
    """The log begins with the latest day that has an event, and leads from one such day to the other."""
    page = read(client.get("log"))
    assert f"{NOW:%A}, {NOW.day} {NOW:%B %Y}" in page.text
    day_before = (NOW - timedelta(days=1)).date()
    (before,) = [link for link in page.links if f"day={day_before}" in link]
    assert "toolName calendar" in read(client.get(absolute(client, before))).text
    empty = read(client.get("log?day=2020-01-01"))
    assert "Nothing was logged on this day" in empty.text
    for wrong in ("yesterday", "0001-01-01", "9999-12-31"):
        assert read(client.get("log", params={"day": wrong}), 400)


def test_digest_of_a_day(client: httpx.Client) -> None:
    """A day's digest counts what happened, and names tools, topics and failures."""
    page = counted(client, f"log?day={(NOW - timedelta(days=1)).date()}&view=digest")
    assert "session 1 events 5" in page.text
    assert "Topics" in page.text
    assert re.search(r"Tools.*calendar 4 2", page.text)


def test_recall_playground(client: httpx.Client, known: Known) -> None:
    """A question shows the block of the prompt, each score as a bar with its parts, and what was left out and why."""
    page = read(client.get("recall", params={"q": "honey of the hives", "entries": 3}))
    assert "User context: - Health: Allergic to peanuts" in page.text
    assert "there were 3 better ones" in page.text
    parts = re.findall(r'<rect class="part (\w+)" x="([\d.]+)" width="([\d.]+)"', page.html)
    assert {name for name, *_ in parts} >= {"words", "recency", "category", "source"}
    assert all(float(x) + float(width) <= 100.1 for _, x, width in parts)
    unasked = read(client.get("recall", params={"q": ""}))
    assert "recency 50" in unasked.text or "recency 40" in unasked.text
    nothing = read(client.get("recall", params={"q": "zebras", "tokens": 1}))
    assert "Empty" in nothing.text
    assert "did not fit into 1 tokens" in nothing.text
    for wrong in ("0", "-1", "many", "9" * 30, f"{1:020}99", f"{1:020}{'9' * 4_980}"):
        assert read(client.get("recall", params={"q": "", "tokens": wrong}), 400)


def test_growth_as_plots(client: httpx.Client) -> None:
    """Facts and events by days, as plots and as tables; categories; rows of each table."""
    page = counted(client, "growth")
    assert page.html.count('<svg class="plot"') == 3
    day = NOW - timedelta(days=19)
    assert f"{day.day} {day:%b %Y} 1" in page.text
    assert re.search(r"bees 20", page.text)
    assert re.search(r"memory_entries \d+ sessions 20 daily_logs \d+", page.text)


def test_growth_from_the_first_day_that_there_is(memory: Memory, tmp_path: Path) -> None:
    """It is shown where the calendar has fewer days before the last event than a plot has."""
    with closing(sqlite3.connect(memory.path)) as database, database:
        database.execute("UPDATE daily_logs SET timestamp = '0001-01-02T12:00:00.000Z'")
    with browsing(memory.path, tmp_path / "log") as pages, visitor(pages) as client:
        assert "2 Jan 0001 64" in counted(client, "growth").text


def test_another_scope(client: httpx.Client) -> None:
    """A scope that was chosen stays chosen on every page, and shows nothing of another."""
    page = read(client.get("scopes"))
    (link,) = {link for link in page.links if "scope=user%3Agrace" in link}
    its = read(client.get(absolute(client, link)))
    assert "Grace builds compilers" in its.text
    assert "Ada" not in its.text
    assert all("scope=user%3Agrace" in link for link in its.links if not link.startswith("#"))
    assert read(client.get("facts", params={"scope": "x" * 256}), 400)


def test_empty_memory_says_what_to_do(tmp_path: Path) -> None:
    """Without anything in it, each page says what would be there."""

    async def make() -> None:
        async with memrepo.connect(tmp_path / "agent.db"):
            pass

    asyncio.run(make())
    with browsing(tmp_path / "agent.db", tmp_path / "log") as pages, visitor(pages) as client:
        for path in ("facts", "sessions", "log", "scopes"):
            assert "<code>" in client.get(path).text, path
        assert "no facts yet" in counted(client, "growth").text
        assert "there are no current facts" in read(client.get("recall?q=")).text


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_no_page_needs_a_script_or_another_host(client: httpx.Client, path: str) -> None:
    """A page has no script, no inline style, and nothing from elsewhere."""
    html = read(client.get(path)).html
    assert not re.search(r"<script|<style|<[^>]+ style=|javascript:", html)
    assert not re.search(r'<[^>]+ (src|href|action)="(?!/|#)', html)
