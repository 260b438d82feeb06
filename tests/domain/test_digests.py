"""Digests as Markdown: whatever they tell of, within any budget."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final
from unicodedata import category

import attrs
from hypothesis import example, given, settings, strategies as st
from markdown_it import MarkdownIt

import memrepo
from memrepo import DailyLogNew, Digest, DigestEvent, DigestFact, DigestSession, ToolUse
from memrepo.domain.carry_over import estimate_tokens
from memrepo.domain.markdown import inline
from tests.domain.zones import OfTheSystem

DAY: Final = date(2026, 2, 2)
NOW: Final = datetime(2026, 2, 2, 9, 5, tzinfo=UTC)
EMPTY: Final = Digest(
    scope="",
    day=DAY,
    tz=UTC,
    sessions=(),
    n_sessions=0,
    facts=(),
    n_facts=0,
    n_outdated=0,
    n_forgotten=0,
    topics=(),
    n_topics=0,
    failures=(),
    n_failures=0,
    tools=(),
    n_tools=0,
    user_states=(),
    n_user_states=0,
    n_by_type={},
    n_types=0,
    n_events=0,
    n_unreadable=0,
    first_activity_at=NOW,
    last_activity_at=NOW,
)
#: Text that tries to be something else, and any other text, halves of pairs among it.
HOSTILE: Final = (
    *(
        "# a",
        "\n# a\n",
        "a\n===",
        "---",
        "- a",
        "+ a",
        "* a",
        "1. a",
        "1) a",
        "> a",
        "    a",
        "\ta",
    ),
    *("```\na\n```", "~~~", "`a`", "**a**", "_a_", "__a__", "~~a~~", "a_b_c", "<b>a</b>", "<!-- a"),
    *("</memory>", "[a](b)", "![a](b)", "[a]: b", "<http://a>", "|a|\n|-|", "&lt;b&gt;", "&#60;b>"),
    *(
        "\\",
        "\\\\",
        "a\\",
        "`",
        "[",
        "]",
        "*",
        "_",
        "<",
        "&",
        "\x00",
        "\x1b[2J",
        "\u2028# a",
        "\r\r# a",
    ),
    *(
        "\u202ea",
        "\U000e0041",
        "\ud83d",
        "\u200b",
        "",
        "\x85- a",
        "\x0b# a",
        "[ ] a",
        "- [x] a",
        "$$a$$",
    ),
)
texts = st.lists(
    st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=()), max_size=20)),
    max_size=4,
).map("".join)
instants = st.integers(-3_000, 3_000).map(lambda minutes: NOW + timedelta(minutes=minutes))
numbers = st.integers(0, 1_000_000)
events = st.builds(
    DigestEvent,
    id=st.just(1),
    session_id=st.none(),
    timestamp=instants,
    subject=texts,
    detail=texts,
)


def few(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(items, max_size=7).map(tuple)


@st.composite
def digests(draw: st.DrawFn) -> Digest:
    """Draw a digest of anything."""
    sessions = st.builds(
        DigestSession,
        id=st.just(1),
        thread=texts,
        started_at=instants,
        ended_at=st.none() | instants,
        end_trigger=st.none() | texts,
        last_activity_at=instants,
        summary=st.none() | texts,
        n_events=numbers,
    )
    facts = st.builds(
        DigestFact,
        id=st.just(1),
        content=texts,
        category=texts,
        source=st.sampled_from(["user_explicit", "inferred"]),
        created_at=instants,
        replaced=st.none() | texts,
    )
    tools = st.builds(ToolUse, name=texts, n_calls=numbers, n_failed=numbers)
    lists = {
        "sessions": draw(few(sessions)),
        "facts": draw(few(facts)),
        "topics": draw(few(events)),
        "failures": draw(few(events)),
        "tools": draw(few(tools)),
        "user_states": draw(few(events)),
        "n_by_type": draw(st.dictionaries(texts, numbers, max_size=7)),
    }
    more = st.sampled_from([0, 0, 7])
    rest = ("outdated", "forgotten", "events", "unreadable")
    numbers_of: dict[str, Any] = {f"n_{name}": len(its) + draw(more) for name, its in lists.items()}
    n_types = numbers_of.pop("n_n_by_type")
    numbers_of |= {f"n_{name}": draw(more) for name in rest}
    return attrs.evolve(EMPTY, **lists, **numbers_of, n_types=n_types)


#: All that a digest is made of, as a parser of Markdown sees it.
BLOCKS: Final = {
    *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline"),
    *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
}
INLINES: Final = {"text", "text_special"}


def parse(text: str) -> list[Any]:
    """Read Markdown as GitHub does: with tables and strikethrough."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def is_invisible(character: str) -> bool:
    return category(character) in {"Cc", "Cf"} and character not in "\u200c\u200d"


def shown(token: Any) -> str:
    return "".join(child.content for child in token.children)


@given(digests())
@settings(max_examples=30)
def test_no_data_breaks_the_markdown(digest: Digest) -> None:
    """Whatever a digest tells of, a parser finds headings of ours, one item for each, and plain text in it."""
    text = digest.to_markdown(max_tokens=None)
    tokens = parse(text)
    assert {token.type for token in tokens} <= BLOCKS
    inlines = [token for token in tokens if token.type == "inline"]
    assert {child.type for token in inlines for child in token.children} <= INLINES
    n_lists = [len(digest.sessions), len(digest.facts), len(digest.topics), len(digest.failures)]
    n_lists += [len(digest.tools), len(digest.user_states), len(digest.n_by_type)]
    types = [token.type for token in tokens]
    assert types.count("heading_open") == 1 + len([n for n in n_lists if n])
    assert types.count("bullet_list_open") == len([n for n in n_lists if n])
    assert types.count("list_item_open") == sum(n_lists)
    assert not [its for its in text if its != "\n" and is_invisible(its)]
    assert text.encode()


@given(texts)
@example("\x00\n# a")
@example("a" * 1_001)
def test_inline_shows_the_text(text: str) -> None:
    """What a reader of the Markdown sees is the text, but for white space and what is invisible."""
    (token,) = [its for its in parse(f"- {inline(text, 1_000)} end") if its.type == "inline"]
    told = "".join(its for its in text if its.isspace() or not is_invisible(its))
    told = " ".join(re.sub("[\ud800-\udfff]", "\ufffd", told).split())
    assert shown(token) == f"{told if len(told) <= 1_000 else f'{told[:999]}…'} end".lstrip(" ")


COUNTERS: Final[list[Callable[[str], int]]] = [
    estimate_tokens,
    len,
    lambda line: len(line.split()),
    lambda _: 0,
]


@given(digests(), st.sampled_from(COUNTERS), st.integers(1, 500))
@settings(max_examples=60)
def test_the_budget_is_never_exceeded(
    digest: Digest, count: Callable[[str], int], max_tokens: int
) -> None:
    """By any counter; and what is not told is counted, each item exactly once."""
    text = digest.to_markdown(max_tokens=max_tokens, count_tokens=count)
    lines = text.splitlines(keepends=True)
    assert sum(max(count(line), 1) for line in lines) <= max_tokens
    assert text == digest.to_markdown(max_tokens=max_tokens, count_tokens=count)
    if not text:
        return
    n_left_out = 0
    if lines[-1].startswith("Left out: "):
        words = lines[-1].removeprefix("Left out: ").rstrip(".\n").split(", ")
        n_left_out = sum(int(its.split()[0].replace(",", "")) for its in words)
    n_shown = sum(line.startswith("- ") for line in lines)
    fields = ("sessions", "facts", "topics", "failures", "tools", "user_states", "types")
    assert n_shown + n_left_out == sum(getattr(digest, f"n_{field}") for field in fields)


@given(digests(), st.integers(1, 500), st.integers(1, 500))
@settings(max_examples=30)
def test_more_tokens_tell_more(digest: Digest, some: int, more: int) -> None:
    """A larger budget tells all that a smaller one does, and in the same order."""
    small, large = (
        [
            line
            for line in digest.to_markdown(max_tokens=its).splitlines()
            if line and not line.startswith("Left out: ")
        ]
        for its in sorted((some, more))
    )
    rest = iter(large)
    assert all(line in rest for line in small)


def test_each_section_has_some_before_one_has_all() -> None:
    """A long day is cut in all of its sections: five items each, the latest, then five more."""
    event = DigestEvent(id=1, session_id=None, timestamp=NOW, subject="", detail="")
    many = tuple(attrs.evolve(event, subject=f"topic {n:02}") for n in range(20))
    tools = tuple(ToolUse(name=f"tool {n:02}", n_calls=20 - n, n_failed=0) for n in range(20))
    digest = attrs.evolve(
        EMPTY,
        tz=timezone(timedelta(hours=1)),
        topics=many,
        n_topics=20,
        tools=tools,
        n_tools=20,
        n_events=40,
        first_activity_at=None,
    )
    assert digest.to_markdown(max_tokens=86) == (
        "# 2026-02-02 (UTC+01:00)\n\n40 events.\n\n"
        "## Topics\n\n"
        + "".join(f"- 10:05 topic {n}\n" for n in range(14, 20))
        + "\n## Tools\n\n"
        + "".join(f"- tool 0{n}: {20 - n} calls\n" for n in range(5))
        + "\nLeft out: 14 topics, 15 tools.\n"
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)
names = st.sampled_from(
    ["topic", "sentiment", "context", "toolName", "tool", "success", "ok", "error"]
)
new_events = st.builds(
    DailyLogNew,
    event_type=st.sampled_from(["topic_change", "user_state", "tool_invocation", "error", "\n# a"]),
    event_data=json_values | st.dictionaries(names, json_values, max_size=4),
)


@given(st.lists(new_events, max_size=20))
@settings(max_examples=15, deadline=None)
def test_any_event_can_be_told(new: list[DailyLogNew]) -> None:
    """Whatever JSON events have, each is counted where it belongs, and the Markdown is sound."""

    async def digest_of() -> Digest:
        async with memrepo.connect(":memory:", clock=lambda: NOW) as store:
            await store.daily_logs.append_many(new)
            return await store.daily_logs.digest(DAY)

    digest = asyncio.run(digest_of())
    types = [event.event_type for event in new]
    assert (digest.n_events, digest.n_unreadable) == (len(new), 0)
    assert digest.n_topics == len(digest.topics) == types.count("topic_change")
    assert digest.n_user_states == len(digest.user_states) == types.count("user_state")
    assert sum(tool.n_calls for tool in digest.tools) == types.count("tool_invocation")
    assert digest.n_tools == len(digest.tools)
    n_failed = sum(tool.n_failed for tool in digest.tools)
    assert digest.n_failures == len(digest.failures) == n_failed + types.count("error")
    assert {token.type for token in parse(digest.to_markdown())} <= BLOCKS


def test_a_time_that_a_zone_cannot_tell_is_in_utc() -> None:
    """An event at an end of the calendar, as another program stores one, is told all the same."""
    topic = DigestEvent(
        timestamp=datetime.min.replace(tzinfo=UTC), subject="tea", detail="", id=1, session_id=None
    )
    digest = attrs.evolve(EMPTY, tz=OfTheSystem(), topics=(topic,), n_topics=1, n_events=1)
    assert "0001-01-01 00:00 tea" in digest.to_markdown()
