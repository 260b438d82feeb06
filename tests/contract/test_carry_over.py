"""What the next conversation should know of the last one, and what a model should summarize: on every driver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from memrepo import IDLE_AFTER, CarryOver, DailyLogNew, InvalidInputError, Store
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

NOTHING = CarryOver(session=None, summary=None, events=(), text="", n_tokens=0)


async def talk(store: Store, n_events: int, *, thread: str = "", summary: str | None = None) -> int:
    """Have a conversation of some events, and end it."""
    session = await store.sessions.start(thread)
    await store.daily_logs.append_many(
        DailyLogNew(session_id=session.id, event_type="said", event_data=n) for n in range(n_events)
    )
    await store.sessions.end(session.id, summary=summary)
    return session.id


# --- carry_over --------------------------------------------------------------------------------


async def test_carry_over_nothing(store: Store) -> None:
    """Without a last conversation, or one that left something behind, there is nothing, and no text."""
    assert await store.sessions.carry_over() == NOTHING
    await talk(store, 0)
    await talk(store, 1, thread="phone")
    session = await store.sessions.start()
    await store.daily_logs.append(session.id, "said", "in the one that is active")
    assert await store.sessions.carry_over() == NOTHING
    assert await store.scoped("ada").sessions.carry_over("phone") == NOTHING
    assert NOTHING.to_dict()["text"] == ""


async def test_carry_over_summary(store: Store, clock: Clock) -> None:
    """The summary of the last conversation stands for it, whatever events it had."""
    await talk(store, 3, summary="Long ago")
    clock.advance(hours=1)
    last = await talk(store, 3, summary="Ada moved.\nShe likes York.")
    clock.advance(hours=1)
    await talk(store, 0)
    await store.sessions.start()
    carried = await store.sessions.carry_over()
    assert carried.session == await store.sessions.get(last)
    assert (carried.summary, carried.events) == ("Ada moved.\nShe likes York.", ())
    assert carried.text == (
        "Summary of the last conversation, until 2026-02-02T15:16:24.123Z:\n"
        "Ada moved.\n"
        "She likes York."
    )
    assert carried.n_tokens == 24
    assert await store.sessions.carry_over() == carried


async def test_carry_over_events(store: Store, clock: Clock) -> None:
    """Without a summary its events are told, one in a line, the latest last; an abandoned one is over, too."""
    session = await store.sessions.start("phone")
    await store.daily_logs.append(session.id, "user_state", "müde")
    clock.advance(minutes=1)
    await store.daily_logs.append(session.id, "two\nlines", {"ok": True, "text": "a\nb"})
    await store.daily_logs.append(session.id, "session_end")
    clock.now += IDLE_AFTER
    carried = await store.sessions.carry_over("phone")
    assert carried.text == (
        "The end of the last conversation:\n"
        '2026-02-02T14:16:24.123Z user_state "müde"\n'
        '2026-02-02T14:17:24.123Z two lines {"ok":true,"text":"a\\nb"}\n'
        "2026-02-02T14:17:24.123Z session_end"
    )
    assert [event.event_type for event in carried.events] == [
        "user_state",
        "two\nlines",
        "session_end",
    ]
    assert carried.session is not None
    assert carried.session.status == "abandoned"


async def test_carry_over_cuts_at_whole_events(store: Store) -> None:
    """Of more than fit, the latest whole events stay, however they are counted; of what never fits, none."""
    await talk(store, 120)
    by_words: Callable[[str], int] = lambda text: len(text.split())  # noqa: E731
    carried = await store.sessions.carry_over(max_tokens=6 + 3 * 119, count_tokens=by_words)
    assert [event.event_data for event in carried.events] == [*range(1, 120)]
    assert carried.n_tokens == 6 + 3 * 119 == by_words(carried.text)
    short = await store.sessions.carry_over(max_tokens=40)
    assert [event.event_data for event in short.events] == [117, 118, 119][-len(short.events) :]
    assert 0 < short.n_tokens <= 40
    nothing = await store.sessions.carry_over(max_tokens=3)
    assert (nothing.text, nothing.events, nothing.n_tokens) == ("", (), 0)
    assert nothing.session is not None


async def test_carry_over_an_event_that_never_fits(store: Store) -> None:
    """A tool's large result is named, and hides nothing of what was said before it."""
    session = await store.sessions.start()
    await store.daily_logs.append(session.id, "said", "Read the report.")
    await store.daily_logs.append(session.id, "tool result", "x" * 10_000)
    await store.sessions.end(session.id)
    carried = await store.sessions.carry_over()
    assert carried.text == (
        "The end of the last conversation:\n"
        '2026-02-02T14:16:24.123Z said "Read the report."\n'
        "2026-02-02T14:16:24.123Z tool result (too long)"
    )
    assert [event.event_data for event in carried.events] == ["Read the report.", "x" * 10_000]
    assert carried.n_tokens == sum(-(-len(f"{line}\n") // 4) for line in carried.text.splitlines())


@pytest.mark.parametrize(("summary", "max_tokens"), [(None, 70), ("x" * 150, 130)])
async def test_carry_over_an_event_of_any_length(
    store: Store, clock: Clock, summary: str | None, max_tokens: int
) -> None:
    """However long the last event is, it is told, and what was said before it if there is room."""
    session = await store.sessions.start()
    if summary is not None:
        await store.sessions.end(session.id, summary=summary)
        clock.advance(hours=1)
        await store.sessions.resume(session.id)
    await store.daily_logs.append(session.id, "said", "Read it.")
    last = (await store.daily_logs.append(session.id, "read", "")).id
    await store.sessions.end(session.id)
    n_whole = 0
    for length in range(0, 300, 3):
        await store.daily_logs.delete(last)
        last = (await store.daily_logs.append(session.id, "read", "y" * length)).id
        carried = await store.sessions.carry_over(max_tokens=max_tokens)
        n_events, is_whole = len(carried.events), "(too long)" not in carried.text
        n_whole += is_whole
        assert n_events == 2 or (n_events == 1 and is_whole)
        assert carried.summary == summary
        assert carried.n_tokens <= max_tokens
    assert 10 < n_whole < 90


async def test_carry_over_a_summary_that_does_not_fit(store: Store) -> None:
    """A summary is never cut: if it is too long, the last events stand for it."""
    await talk(store, 2, summary="x" * 1_000)
    carried = await store.sessions.carry_over(max_tokens=100)
    assert (carried.summary, len(carried.events)) == (None, 2)
    assert (await store.sessions.carry_over()).summary == "x" * 1_000


async def test_carry_over_what_was_resumed(store: Store, clock: Clock) -> None:
    """The last conversation is the one resumed last: its summary, and the events that it does not know."""
    first = await talk(store, 2, summary="Old")
    clock.advance(hours=1)
    await talk(store, 2, summary="In between")
    clock.advance(hours=1)
    await store.sessions.resume(first)
    await store.daily_logs.append(first, "said", "new")
    await store.sessions.end(first)
    carried = await store.sessions.carry_over()
    assert carried.text == (
        "Summary of the last conversation, until 2026-02-02T16:16:24.123Z:\n"
        "Old\n"
        "Since then:\n"
        '2026-02-02T16:16:24.123Z said "new"'
    )
    assert [event.event_data for event in carried.events] == ["new"]


async def test_carry_over_all_since_the_summary(store: Store, clock: Clock) -> None:
    """What the summary does not know is told whole, whether events were taken back or the session resumed again."""
    number = await talk(store, 2, summary="Old")
    for _ in range(2):
        clock.advance(hours=1)
        await store.sessions.resume(number)
        for data in ("asked", "answered", "mistaken"):
            clock.advance(minutes=1)
            await store.daily_logs.append(number, "said", data)
        await store.daily_logs.pop_last()
        await store.sessions.end(number)
    carried = await store.sessions.carry_over()
    assert carried.summary == "Old"
    assert [event.event_data for event in carried.events] == ["asked", "answered"] * 2


@pytest.mark.parametrize("by_end", [True, False])
async def test_carry_over_a_new_summary(store: Store, clock: Clock, *, by_end: bool) -> None:
    """A summary that was set after the session was resumed, or after an event was taken back, knows all of it."""
    number = await talk(store, 2, summary="Old")
    clock.advance(hours=1)
    await store.sessions.resume(number)
    for data in ("mistaken", "new"):
        clock.advance(minutes=1)
        await store.daily_logs.append(number, "said", data)
        if data == "mistaken":
            await store.daily_logs.pop_last()
    await store.sessions.end(number, summary="New" if by_end else None)
    if not by_end:
        await store.sessions.summarize(number, "New")
    carried = await store.sessions.carry_over()
    assert (carried.summary, carried.events) == ("New", ())


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"count_tokens": 4}, "count_tokens"),
        ({"count_tokens": lambda _: -1}, "count_tokens"),
        ({"count_tokens": lambda _: "7"}, "count_tokens"),
    ],
    ids=["zero", "float", "no function", "negative", "text"],
)
async def test_carry_over_refuses(store: Store, arguments: dict[str, Any], field: str) -> None:
    """A number of tokens that is none is refused, whoever says it; what a function raises comes out."""
    await talk(store, 1)
    with pytest.raises(InvalidInputError, match=rf"^{field}: "):
        await store.sessions.carry_over(**arguments)

    def fail(_text: str) -> int:
        raise LookupError

    with pytest.raises(LookupError):
        await store.sessions.carry_over(count_tokens=fail)


# --- unsummarized ------------------------------------------------------------------------------


async def test_unsummarized(store: Store, clock: Clock) -> None:
    """What is over, long enough and without a summary is what a model should summarize, the latest first."""
    long_ago = await talk(store, 15)
    clock.advance(minutes=1)
    await talk(store, 14)
    await talk(store, 15, summary="done")
    clock.advance(minutes=1)
    phone = await talk(store, 16, thread="phone")
    clock.advance(minutes=1)
    left = await store.sessions.start("laptop")
    await store.daily_logs.append_many(
        DailyLogNew(session_id=left.id, event_type="said") for _ in range(15)
    )
    assert [its.id for its in await store.sessions.unsummarized()] == [phone, long_ago]
    clock.now += IDLE_AFTER
    page = await store.sessions.unsummarized(limit=2)
    assert [its.id for its in page] == [left.id, phone]
    await store.sessions.summarize(phone, "done")
    rest = await store.sessions.unsummarized(limit=2, after=page.next_cursor)
    assert ([its.id for its in rest], rest.next_cursor) == ([long_ago], None)
    assert len(await store.sessions.unsummarized(1)) == 3
    assert (await store.scoped("ada").sessions.unsummarized()).items == ()
    for bad in (0, -1, True, 1.5):
        with pytest.raises(InvalidInputError, match=r"^min_events: "):
            await store.sessions.unsummarized(bad)  # type: ignore[arg-type]
