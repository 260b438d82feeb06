"""Texts that would harm a page, and rows that other programs have left."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from hypothesis import given, strategies as st

import memrepo
from memrepo.browse.texts import excerpt, shown
from tests.doors.browse.conftest import Memory
from tests.doors.browse.memories import Known
from tests.doors.browse.serving import browsing, read, visitor

#: What turns or ends a line, what is not seen, and what is half a character.
UNSEEN = "\u202e\u2066\u200b\u00ad\x00\x1b\x7f\ufeff\u2028\u3164\u115f\u2800\U000e0041\ud800"


def test_markup_is_text(client: httpx.Client, known: Known) -> None:
    """Nothing of a text is markup, what turns it is shown by its number, and nothing can run."""
    for path in ("facts", f"facts/{known.hostile}", "facts?q=end+of+script", "recall?q=alert+src"):
        page = read(client.get(path))
        assert "alert" in page.text, path
        assert "\u202e" not in page.html, path
        assert "U+202E" in page.text, path
        assert "U+0007" in page.text, path


def test_words_of_markup_are_marked(client: httpx.Client, known: Known) -> None:
    """What a search marks stands in the text as it is."""
    assert "<script>alert(1)</script> & <img src=x" in read(client.get("facts")).text
    found = client.get("facts?q=script+alert").text
    assert "&lt;<mark>script</mark>&gt;<mark>alert</mark>(1)&lt;/<mark>script</mark>&gt;" in found


def test_long_text_is_cut(client: httpx.Client, known: Known) -> None:
    """A list has the beginning of a long text, its page more of it, and a link to all."""
    listed = read(client.get("facts"))
    assert "41,600 more characters" in listed.text
    page = read(client.get(f"facts/{known.long}"))
    assert "22,000 more characters" in page.text
    assert "Show all 42,000 characters" in page.text
    assert len(read(client.get(f"facts/{known.long}?whole=1")).text) > 42_000
    alone = client.get(f"facts/{known.long}/text")
    assert alone.headers["content-type"] == "text/plain; charset=utf-8"
    assert alone.text == "A long story. " * 3_000


@pytest.mark.parametrize("character", UNSEEN, ids=lambda its: f"U+{ord(its):04X}")
def test_what_nobody_sees_is_shown(character: str) -> None:
    """A character that is not seen has a sign in its place."""
    assert f">U+{ord(character):04X}<" in shown(f"a{character}b")
    assert character not in shown(f"a{character}b")


@pytest.mark.parametrize("text", ["👩‍👩‍👧 and ❤️", "می‌خواهم", "line\none\ttab", "naïve ﬁ 漢字"])
def test_words_and_emoji_stay_whole(text: str) -> None:
    """What letters and emoji are made of is left as it is."""
    assert shown(text) == text


@given(st.text(max_size=60), st.integers(1, 40), st.lists(st.integers(0, 60), max_size=6))
def test_excerpt_marks_what_it_has(text: str, most: int, ends: list[int]) -> None:
    """Whatever is marked, and wherever it is cut, an excerpt has as many characters as it says."""
    within = sorted({min(end, len(text)) for end in ends})
    highlights = [*zip(within[::2], within[1::2], strict=False)]
    found = excerpt(text, most, highlights)
    assert found.n_left_out == max(0, len(text) - most)
    assert found.html.count("<mark>") == found.html.count("</mark>") <= len(highlights)
    assert not set(found.html.replace("<mark>", "").replace("</mark>", "")) & set("\u202e\x00")


def test_names_with_space_around_them(memory: Memory, tmp_path: Path) -> None:
    """A category and a source that begin or end with space lead to their facts, by links and by the form."""

    async def write() -> int:
        async with memrepo.connect(memory.path) as store:
            kept = await store.memories.remember("Spaced out", category=" bees ", source=" tool ")
            return kept.id

    number = asyncio.run(write())
    with browsing(memory.path, tmp_path / "log") as pages, visitor(pages) as client:
        (link,) = (its for its in read(client.get(f"facts/{number}")).links if "category=" in its)
        found = read(client.get(f"{pages.origin}{link}"))
        assert "Spaced out" in found.text
        assert "Ada lives" not in found.text
        assert '<option value=" bees " selected>' in found.html
        source = read(client.get("facts", params={"source": " tool ", "q": "spaced"}))
        assert "Spaced out" in source.text
        assert '<option value=" tool " selected>' in source.html


def test_rows_of_other_programs(memory: Memory, tmp_path: Path) -> None:
    """What cannot be read is shown as far as it can be, and breaks no page."""
    with closing(sqlite3.connect(memory.path)) as database, database:
        database.executescript(
            """
            INSERT INTO memory_entries (content, category, source, created_at, metadata, scope)
            VALUES (CAST(x'ff00fe' AS TEXT), x'c3', x'28', x'99', '{"pattern": 3, "events": [0, "x"]', '');
            INSERT INTO memory_entries (content, category, source, created_at, last_accessed, metadata)
            VALUES ('odd metadata', 'fact', 'inferred', '9999-12-31T23:59:59.999Z', 'never',
                '{"pattern": "p", "events": ["x", -1, 99999999999999999999], "evidence": {"a": 1}}');
            INSERT INTO memory_entries (content, category, source, created_at, superseded_by)
            VALUES ('circle', 'fact', 'x', '2026-01-01', 0), ('circle 2', 'fact', 'x', '0001-01-01T00:00:00.000Z', 0);
            UPDATE memory_entries SET superseded_by = id WHERE content = 'circle';
            UPDATE memory_entries SET superseded_by = 99999 WHERE content = 'circle 2';
            INSERT INTO sessions (started_at, ended_at, summary) VALUES ('once', x'ff', x'ff');
            INSERT INTO daily_logs (session_id, event_type, event_data, timestamp)
            VALUES (1, x'ff', '{not json', '2026-11-26T25:00'), (1, 'list', '[1, [2]]', '2026-11-26'),
                (1, 'flat', '{"a": null, "b": true, "c": 1.5}', '2026-11-26T12:00:00.000Z');
            """
        )
    with browsing(memory.path, tmp_path / "log") as pages, visitor(pages) as client:
        for path in (
            *("facts", "facts?state=all", "facts?state=superseded", "facts?category=fact"),
            *("facts?q=odd", "sessions", "sessions/1", "sessions/21", "log", "log?day=2026-11-26"),
            *("log?day=2026-11-26&view=digest", "recall?q=odd", "recall?q=", "scopes", "growth"),
            *(f"facts/{number}" for number in range(31, 35)),
        ):
            answer = client.get(path)
            assert answer.status_code == 200, path
        log = (tmp_path / "log").read_text(encoding="utf-8")
        assert "failed" not in log
        assert "cannot be read in full" in client.get("facts/31").text
