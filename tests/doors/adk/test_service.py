"""What `MemrepoMemoryService` does, on every driver."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.adk.events import Event
from google.adk.memory import BaseMemoryService
from google.adk.memory.memory_entry import MemoryEntry
from google.genai.types import Blob, Content, FunctionCall, Part

import memrepo
from memrepo import InvalidInputError, Store
from memrepo.contrib.adk import MemrepoMemoryService
from tests.conftest import Clock
from tests.doors.adk.events import WHEN, event, found, search, session

pytestmark = pytest.mark.asyncio

ADA: Any = {"app_name": "app", "user_id": "ada"}


def memory(text: str, **more: Any) -> MemoryEntry:
    return MemoryEntry(content=Content(parts=[Part(text=text)]), **more)


@pytest.fixture
def service(store: Store) -> MemrepoMemoryService:
    return MemrepoMemoryService(store)


async def test_a_session_is_remembered(service: MemrepoMemoryService) -> None:
    """What was said is found by a question, with its author, its own time, its role, and where it is from."""
    assert isinstance(service, BaseMemoryService)
    said = [
        event("I moved to Lisbon in May.", id="e1"),
        event("How is the weather in Lisbon?", id="e2", author="guide"),
    ]
    await service.add_session_to_memory(session(said))
    (first, second) = await search(service, "Where did I move, Lisbon?")
    assert first.content == Content(role="user", parts=[Part(text="I moved to Lisbon in May.")])
    assert (first.author, second.author) == ("user", "guide")
    assert second.content.role == "model"
    assert first.timestamp == "2026-02-02T09:00:00+00:00"
    assert first.custom_metadata == {"session_id": "s1", "event_id": "e1"}
    assert await found(service, "zeppelins") == []


async def test_a_growing_session(store: Store, service: MemrepoMemoryService) -> None:
    """A session that is added again and again is remembered once, and so is what was said in two of them."""
    said = [event(f"Lisbon has a street number {n}", id=f"e{n}") for n in range(5)]
    for n in range(1, 6):
        await service.add_session_to_memory(session(said[:n]))
    await service.add_session_to_memory(
        session([event("lisbon has a street   number 3.", id="other")], "s2")
    )
    mine = service.memory_of(**ADA)
    assert await mine.memories.count() == 5
    assert await store.memories.count() == 0


async def test_only_texts(service: MemrepoMemoryService) -> None:
    """What has no text, or was only thought, is passed over; the texts of one content are one memory."""
    parts = [
        Part(text="lisbon is", thought=False),
        Part(text="hmm, zeppelins", thought=True),
        Part(inline_data=Blob(data=b"\0\1", mime_type="image/png")),
        Part(text=" warm\n"),
        Part(function_call=FunctionCall(name="weather", args={"at": "porto"})),
    ]
    await service.add_events_to_memory(
        **ADA,
        events=[
            event(None, id="none"),
            event("  ", id="blank"),
            Event(author="guide", content=Content(role="model")),
            Event(author="guide", content=Content(role="model", parts=parts[1:3])),
            Event(author="guide", content=Content(role="model", parts=parts)),
        ],
    )
    assert await found(service, "lisbon") == ["lisbon is warm"]
    assert await service.memory_of(**ADA).memories.count() == 1
    await service.add_events_to_memory(**ADA, events=[])


async def test_memories_are_added_as_they_are(service: MemrepoMemoryService, clock: Clock) -> None:
    """Explicit memories keep author, time and metadata; without a time it is now, without an author the user's."""
    given = [
        memory("Ada likes kites", author="guide", timestamp="2025-05-01T12:00:00+02:00"),
        memory("Ada owns a lantern", custom_metadata={"topic": "things", "n": 1}),
        MemoryEntry(content=Content()),
    ]
    await service.add_memory(**ADA, memories=given, custom_metadata={"topic": "all", "app": "x"})
    (kites,) = await search(service, "kites")
    (lantern,) = await search(service, "lantern")
    assert (kites.author, kites.timestamp) == ("guide", "2025-05-01T10:00:00+00:00")
    assert (lantern.author, lantern.timestamp) == (None, clock.now.isoformat())
    assert lantern.custom_metadata == {"topic": "things", "n": 1, "app": "x"}
    assert lantern.content.role is None


async def test_metadata_of_the_program(service: MemrepoMemoryService) -> None:
    """What the program gives comes back as it was given, also under the names that the kit and the service use."""
    given = {"role": "admin", "session_id": "mine", "nothing": None}
    await service.add_events_to_memory(**ADA, events=[event("kites")], custom_metadata=given)
    without_role = memory("lanterns", custom_metadata=given)
    with_role = memory("violins")
    with_role.content.role = "model"
    await service.add_memory(**ADA, memories=[without_role, with_role], custom_metadata=given)
    for query, role, more in (
        ("kites", "user", {"event_id": "kites"}),
        ("lanterns", None, {}),
        ("violins", "model", {}),
    ):
        (its,) = await search(service, query)
        assert its.content.role == role
        assert its.custom_metadata == {**given, **more}
    said = session([event("zeppelins")])
    await service.add_events_to_memory(
        **ADA, events=said.events, session_id=said.id, custom_metadata=given
    )
    (zeppelins,) = await search(service, "zeppelins")
    assert zeppelins.custom_metadata["session_id"] == "s1"


async def test_key_of_the_service(service: MemrepoMemoryService) -> None:
    """The key under which the service keeps a role is refused, where it would be lost otherwise; nothing is stored."""
    for key in ({"adk_role": "pilot"}, {"adk_role": None}):
        with pytest.raises(InvalidInputError, match=r"^custom_metadata: must not have adk_role"):
            await service.add_events_to_memory(**ADA, events=[event("kites")], custom_metadata=key)
        with pytest.raises(InvalidInputError, match=r"^custom_metadata: must not have adk_role"):
            await service.add_memory(**ADA, memories=[memory("kites")], custom_metadata=key)
        its_own = [memory("lanterns"), memory("kites", custom_metadata=key)]
        with pytest.raises(InvalidInputError, match=r"^custom_metadata: must not have adk_role"):
            await service.add_memory(**ADA, memories=its_own)
    assert await service.memory_of(**ADA).memories.count() == 0


async def test_what_was_found_can_be_added_again(service: MemrepoMemoryService) -> None:
    """A memory that a search has given has nothing of the service's own in its metadata, and is the same again."""
    await service.add_events_to_memory(**ADA, events=[event("kites")], session_id="s1")
    found = await search(service, "kites")
    await service.add_memory(app_name="talks", user_id="eve", memories=found)
    (again,) = (
        await service.search_memory(app_name="talks", user_id="eve", query="kites")
    ).memories
    assert (again.content, again.custom_metadata) == (found[0].content, found[0].custom_metadata)


async def test_fact_of_the_program(service: MemrepoMemoryService) -> None:
    """The metadata of a fact that the service has not stored comes as it is: a ``role`` in it is none of a content."""
    mine = service.memory_of(**ADA).memories
    await mine.remember("kites", metadata={"role": "engineer", "event_id": "e1"})
    (kites,) = await search(service, "kites")
    assert kites.content.role is None
    assert kites.custom_metadata == {"role": "engineer", "event_id": "e1"}


async def test_local_time(service: MemrepoMemoryService) -> None:
    """A time without a zone is local time, as the kit writes it."""
    local = datetime.fromtimestamp(WHEN.timestamp()).isoformat()  # noqa: DTZ006 - as it does
    await service.add_memory(**ADA, memories=[memory("Ada likes kites", timestamp=local)])
    (kites,) = await search(service, "kites")
    assert kites.timestamp == WHEN.isoformat()


async def test_ten_at_most(service: MemrepoMemoryService) -> None:
    """Of more that are relevant the ten best are returned, however long they are; what is pinned is first."""
    long = "kites " + "and lanterns in the evening " * 20
    said = [event(f"kites number {n} {long}", id=f"{n}") for n in range(15)]
    await service.add_session_to_memory(session(said))
    mine = service.memory_of(**ADA).memories
    assert len(await found(service, "kites")) == 10
    about = await mine.remember("Ada is allergic to peanuts")
    await mine.pin(about.id)
    answers = await found(service, "kites")
    assert (len(answers), answers[0]) == (10, "Ada is allergic to peanuts")


async def test_a_long_reply(service: MemrepoMemoryService) -> None:
    """What answers a question is found in a long text, too: it is kept as memories of whole sentences."""
    sentences = [f"Number {n} is a walk to the orchard, which takes an hour." for n in range(400)]
    sentences[200] = "Kites are sold by the man at the harbour!"
    await service.add_session_to_memory(session([event("\n\n".join(sentences), author="guide")]))
    (found_piece,) = await found(service, "Where are kites sold?")
    assert sentences[200] in found_piece
    assert len(found_piece) <= 1_000
    mine = service.memory_of(**ADA)
    pieces = [fact.content async for fact in mine.memories.iterate()]
    assert sorted(" ".join(pieces).split()) == sorted(" ".join(sentences).split())
    assert all(piece.endswith((".", "!")) for piece in pieces)
    unbroken = "kite" * 1_000
    await service.add_session_to_memory(session([event(f"One. {unbroken}", id="e2")]))
    assert await mine.memories.find_by_content(unbroken) is not None


async def test_a_long_sentence(service: MemrepoMemoryService) -> None:
    """A question finds its answer in a long text without an end of a sentence, too: it is cut between words."""
    words = [f"number{n}" for n in range(2_000)]
    words[1_000] = "kites are sold at the harbour"
    await service.add_session_to_memory(session([event("  ".join(words))]))
    (found_piece,) = await found(service, "Where are kites sold?")
    assert words[1_000] in found_piece
    pieces = [fact.content async for fact in service.memory_of(**ADA).memories.iterate()]
    assert max(map(len, pieces)) <= 1_000
    assert sorted(" ".join(pieces).split()) == sorted(" ".join(words).split())


async def test_sentences_without_spaces() -> None:
    """Sentences of a language that has no spaces between them are kept apart, too, and found."""
    sentences = [f"我今天去公园{n}散步。" for n in range(500)]
    sentences[250] = "风筝在港口卖。"
    async with memrepo.connect(":memory:", search="trigram") as store:
        service = MemrepoMemoryService(store)
        await service.add_session_to_memory(session([event("".join(sentences))]))
        (found_piece,) = await found(service, "风筝在港口")
        assert sentences[250] in found_piece
        assert len(found_piece) <= 1_000


async def test_what_is_hardly_relevant(store: Store) -> None:
    """What has little of the question is left out, unless the program's own ranking wants it."""
    said = [
        event("My kite is red"),
        event("The violin, the copper and the anchor are in the orchard"),
    ]
    question = "Who flew a kite, or is a violin in the copper glacier lantern?"
    service = MemrepoMemoryService(store)
    await service.add_session_to_memory(session(said))
    greedy = MemrepoMemoryService(store, ranking=memrepo.Ranking(min_relevance=0, min_share=0))
    strict = MemrepoMemoryService(store, ranking=memrepo.Ranking(min_relevance=1))
    assert await found(strict, question) == []
    assert len(await found(greedy, question)) == 2


@pytest.mark.parametrize("query", ["", " ", "?!"])
async def test_nothing_is_asked(service: MemrepoMemoryService, query: str) -> None:
    """A query that says nothing finds nothing."""
    await service.add_session_to_memory(session([event("the kites")]))
    assert await found(service, query) == []


async def test_deleted(service: MemrepoMemoryService) -> None:
    """What was deleted is found no more, and adding its session again does not bring it back."""
    said = [event("I like kites", id="e1"), event("I like lanterns", id="e2")]
    await service.add_session_to_memory(session(said))
    (kites,) = await search(service, "kites")
    for memory_id in (
        kites.id,
        kites.id,
        None,
        "",
        "e1",
        "999",
        "-1",
        "\u0661",
        "9" * 30,
        "9" * 5_000,
    ):
        await service.delete_memory(**ADA, memory_id=memory_id)
    await service.add_session_to_memory(session([*said, event("Really?", id="e3")]))
    await service.add_memory(**ADA, memories=[memory("I like kites", author="guide")])
    assert await found(service, "kites") == []
    assert await found(service, "lanterns") == ["I like lanterns"]


async def test_said_again(service: MemrepoMemoryService, clock: Clock) -> None:
    """Only the user brings back what was deleted, and only by what was said afterwards."""
    await service.add_session_to_memory(session([event("I like kites")]))
    (kites,) = await search(service, "kites")
    await service.delete_memory(**ADA, memory_id=kites.id)
    later = clock.now + timedelta(minutes=5)
    by_agent = event("You like kites? I like kites", id="e2", author="guide", at=later)
    await service.add_session_to_memory(session([by_agent]))
    again = event("I like kites", id="e3", author="guide", at=later)
    await service.add_session_to_memory(session([again]))
    assert await found(service, "kites") == ["You like kites? I like kites"]
    again = event("i like KITES!", id="e4", at=later)
    await service.add_session_to_memory(session([again], "s2"))
    assert set(await found(service, "kites")) == {"I like kites", "You like kites? I like kites"}


async def test_users_word(url: str) -> None:
    """In a store for which the author speaks for the user, adding a session again is the user's word."""
    async with memrepo.connect(url, explicit_sources=["user"]) as store:
        service = MemrepoMemoryService(store)
        said = session([event("I like kites")])
        await service.add_session_to_memory(said)
        (kites,) = await search(service, "kites")
        await service.delete_memory(**ADA, memory_id=kites.id)
        await service.add_session_to_memory(said)
        assert await found(service, "kites") == ["I like kites"]


@pytest.mark.parametrize(
    "pairs",
    [
        [("app", "ada"), ("app", "eve"), ("other", "ada")],
        [("a:b", "c"), ("a", "b:c"), ("a%3Ab", "c"), ("a/adk:b", "c")],
        [("app", "ada"), ("app", "Ada"), ("APP", "ada"), ("app", "ada ")],
    ],
    ids=["usual", "with colons", "alike"],
)
async def test_users_and_apps_are_apart(store: Store, pairs: list[tuple[str, str]]) -> None:
    """Nothing of one user of one app is found, deleted or restored from another, whatever their names are."""
    tenants = [store, store.scoped("tenant"), store.scoped("tenant/adk:app")]
    services = [MemrepoMemoryService(its) for its in tenants]
    places = [(its, *pair) for its in services for pair in pairs]
    scopes = {its.memory_of(app_name=app, user_id=user).scope for its, app, user in places}
    assert len(scopes) == len(places)
    for n, (its, app, user) in enumerate(places):
        said = [event(f"kites number {n}")]
        await its.add_session_to_memory(session(said, app_name=app, user_id=user))
    for n, (its, app, user) in enumerate(places):
        (mine,) = await search(its, "kites", app_name=app, user_id=user)
        assert mine.content.parts == [Part(text=f"kites number {n}")]
        for other, its_app, its_user in places[:n] + places[n + 1 :]:
            await other.delete_memory(app_name=its_app, user_id=its_user, memory_id=mine.id)
        assert await found(its, "kites", app_name=app, user_id=user) == [f"kites number {n}"]


async def test_erase(store: Store, service: MemrepoMemoryService) -> None:
    """A user's memory can be erased whole, and no other's with it."""
    for user in ("ada", "eve"):
        await service.add_session_to_memory(session([event("kites")], user_id=user))
    await service.memory_of(**ADA).erase(confirm=True)
    assert await found(service, "kites") == []
    assert await found(service, "kites", user_id="eve") == ["kites"]
    assert [its.scope async for its in store.iterate_scopes()] == ["adk:app:eve"]


async def test_refused(store: Store, service: MemrepoMemoryService) -> None:
    """What cannot be stored is refused whole, by an error that does not repeat it."""
    for names, field in (
        ({"app_name": "", "user_id": "ada"}, "app_name"),
        ({"app_name": "app", "user_id": " "}, "user_id"),
        ({"app_name": "app", "user_id": None}, "user_id"),
        ({"app_name": "app", "user_id": "x" * 250}, "user_id"),
    ):
        bad: Any = names
        with pytest.raises(InvalidInputError, match=f"^{field}: "):
            await service.search_memory(**bad, query="kites")
    for events in (
        [event("kites"), event("x" * 4_000_001, id="e")],
        [event("kites"), Event(author="user", timestamp=1e300, content=event("b").content)],
    ):
        with pytest.raises(InvalidInputError) as caught:
            await service.add_events_to_memory(**ADA, events=events)
        assert "xxx" not in str(caught.value)
    for timestamp in ("last May", "0001-01-01T00:00:00+23:59"):
        with pytest.raises(InvalidInputError, match=r"^timestamp: "):
            await service.add_memory(**ADA, memories=[memory("kites", timestamp=timestamp)])
    with pytest.raises(InvalidInputError):
        await service.add_memory(**ADA, memories=[memory("kites")], custom_metadata={"a": {1}})
    assert await service.memory_of(**ADA).memories.count() == 0
    path: Any = "agent.db"
    with pytest.raises(InvalidInputError, match=r"^store: must be an open store, not str"):
        MemrepoMemoryService(path)
    with pytest.raises(InvalidInputError, match=r"^ranking: "):
        MemrepoMemoryService(store, ranking=path)


async def test_many_at_once(service: MemrepoMemoryService) -> None:
    """Twenty tasks that add the same sessions, and delete from them, leave each fact once."""
    said = [event(f"lantern number {n}", id=f"{n}") for n in range(8)]
    adding = [service.add_session_to_memory(session(said[: n % 8 + 1])) for n in range(20)]
    await asyncio.gather(*adding, *(search(service, "lantern") for _ in range(10)))
    assert sorted(await found(service, "lantern")) == [f"lantern number {n}" for n in range(8)]


async def test_cancelled_anywhere(service: MemrepoMemoryService) -> None:
    """A session whose adding is cancelled, at whichever pass of the event loop, is remembered whole or not at all."""
    n_whole = 0
    mine = service.memory_of(**ADA)
    for n_passes in range(50):
        task = asyncio.create_task(
            service.add_session_to_memory(session([event("kites"), event("lanterns")]))
        )
        for _ in range(n_passes):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        n_stored = await mine.memories.count()
        assert n_stored in (0, 2)
        n_whole += n_stored == 2
        await mine.erase(confirm=True)
    assert n_whole < 50


async def test_closed_store(url: str) -> None:
    """The store is the caller's: when it is closed, each method says so."""
    async with memrepo.connect(url) as store:
        service = MemrepoMemoryService(store)
    for call in (
        service.add_session_to_memory(session([event("kites")])),
        service.search_memory(**ADA, query="kites"),
        service.delete_memory(**ADA, memory_id="1"),
    ):
        with pytest.raises(memrepo.ClosedError):
            await call


async def test_other_zones(service: MemrepoMemoryService) -> None:
    """Times are told in UTC."""
    zone = timezone(timedelta(hours=-5))
    await service.add_memory(
        **ADA, memories=[memory("kites", timestamp=WHEN.astimezone(zone).isoformat())]
    )
    (kites,) = await search(service, "kites")
    assert kites.timestamp == WHEN.astimezone(UTC).isoformat()


@pytest.mark.parametrize(
    "said", ["?", "...", " ! ! ", "\ufeff", "x " * 499 + "x.\n... ! !"], ids=ascii
)
async def test_what_says_nothing_is_passed_over(service: MemrepoMemoryService, said: str) -> None:
    """A turn, or the end of one, of punctuation only does not keep the rest of a session from being remembered."""
    told = [event("I have a red kite", id="e1"), event(said, id="e2")]
    await service.add_session_to_memory(session(told))
    assert (await found(service, "red kite"))[0] == "I have a red kite"


async def test_what_cannot_be_stored_is_replaced(service: MemrepoMemoryService) -> None:
    """A NUL character, or half an emoji, loses only itself."""
    await service.add_session_to_memory(session([event("my\0red kite \ud800", id="e1")]))
    assert await found(service, "red kite") == ["my red kite ?"]
