"""The same calls to the kit's own service and to ours find the same memories."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from google.adk.events import Event
from google.adk.memory import BaseMemoryService, InMemoryMemoryService
from hypothesis import given, settings, strategies as st

import memrepo
from memrepo.contrib.adk import MemrepoMemoryService
from tests.doors.adk.events import WHEN, event, found, search, session, text_of

#: Words without other forms among them, because ours finds those, too.
WORDS = ("anchor", "copper", "glacier", "lantern", "orchard", "pepper", "violin", "walrus")
PLACES = (("app", "ada"), ("app", "eve"), ("other", "ada"))

words = st.sampled_from(WORDS)
places = st.sampled_from(PLACES)
#: A turn: some words, and by whom.
turns = st.tuples(st.lists(words, min_size=1, max_size=4), st.sampled_from(["user", "guide"]))
calls = st.one_of(
    st.tuples(st.just("add_session"), places, st.sampled_from("ab"), st.lists(turns, max_size=4)),
    st.tuples(st.just("add_events"), places, st.none(), st.lists(turns, max_size=4)),
    st.tuples(st.just("delete"), places, words, st.integers(0, 3)),
)


class Talks:
    """What was said to whom, of which each turn is another text: the kit's own service keeps those that are alike."""

    def __init__(self) -> None:
        self._n = 0
        self._sessions: dict[tuple[object, ...], list[Event]] = {}

    def say(self, turns: list[Any]) -> list[Event]:
        said = []
        for its_words, author in turns:
            self._n += 1
            text = " ".join([*its_words, f"item{self._n}"])
            at = WHEN + timedelta(seconds=self._n)
            said.append(event(text, id=f"e{self._n}", author=author, at=at))
        return said

    def go_on(self, place: tuple[str, str], name: str, turns: list[Any]) -> list[Event]:
        """Return all that was said in a session, which has grown."""
        self._sessions.setdefault((place, name), []).extend(self.say(turns))
        return self._sessions[place, name]


async def delete(service: BaseMemoryService, place: tuple[str, str], text: str) -> None:
    """Delete a memory by the id that the service has for it."""
    app_name, user_id = place
    entries = await search(service, text, app_name=app_name, user_id=user_id)
    for its in (its for its in entries if text_of(its) == text):
        await service.delete_memory(app_name=app_name, user_id=user_id, memory_id=its.id)


async def run(call: tuple[Any, ...], talks: Talks, services: list[BaseMemoryService]) -> None:
    kind, (app_name, user_id), *given = call
    place = app_name, user_id
    if kind == "add_session":
        name, turns = given
        said = session(talks.go_on(place, name, turns), name, app_name=app_name, user_id=user_id)
        for service in services:
            await service.add_session_to_memory(said)
    elif kind == "add_events":
        events = talks.say(given[1])
        for service in services:
            await service.add_events_to_memory(app_name=app_name, user_id=user_id, events=events)
    else:
        word, number = given
        ours = sorted(await found(services[0], word, app_name=app_name, user_id=user_id))
        if ours:
            for service in services:
                await delete(service, place, ours[number % len(ours)])


async def compare(history: list[tuple[Any, ...]], question: list[str]) -> None:
    async with memrepo.connect(":memory:") as store:
        services = [MemrepoMemoryService(store), InMemoryMemoryService()]
        talks = Talks()
        for call in history:
            await run(call, talks, services)
        for app_name, user_id in PLACES:
            for word in WORDS:
                ours, theirs = [
                    await found(its, word, app_name=app_name, user_id=user_id) for its in services
                ]
                assert len(ours) == len(theirs)
                assert len(theirs) == 10 or set(ours) == set(theirs)
            query = " ".join(question)
            ours, theirs = [
                await found(its, query, app_name=app_name, user_id=user_id) for its in services
            ]
            # Ours leaves out what has little of the question, but nothing that has all of it.
            best = {text for text in theirs if {*question} <= {*text.split()}}
            assert len(theirs) == 10 or best <= set(ours) <= set(theirs)


@settings(max_examples=60, deadline=None)
@given(st.lists(calls, max_size=12), st.lists(words, min_size=2, max_size=3, unique=True))
def test_any_history(history: list[tuple[Any, ...]], question: list[str]) -> None:
    """Whatever is added, added again and deleted, by whichever users of whichever apps."""
    asyncio.run(compare(history, question))
