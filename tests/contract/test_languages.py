"""Search in other languages than English, on every driver: by the forms of words, from an index of words as they are."""

from __future__ import annotations

import attrs
import pytest

import memrepo
from memrepo import InvalidInputError, Language, MemoryFilter, MemoryNew
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

GERMAN = memrepo.language("german")
SPANISH = memrepo.language("spanish")


async def found(store: memrepo.Store, text: str) -> list[str]:
    """The contents of the facts that have a word of *text* themselves, the best first."""
    hits = await store.memories.search(text)
    return [hit.entry.content for hit in hits if hit.highlights]


async def test_german(url: str, clock: Clock) -> None:
    """Each form of a German word finds the others, in any of the three tables; stop words find nothing."""
    async with memrepo.connect(url, clock=clock, search=GERMAN) as store:
        facts = (
            "Anna hält Bienen im Garten",
            "Bernd sucht die Häuser seiner Großeltern",
            "Die Straße vor dem Haus ist laut",
            "Die Hausaufgaben sind fertig",
        )
        for text in facts:
            await store.memories.remember(text)
            clock.advance(hours=2)
        assert await found(store, "Welche Biene hat sie?") == [facts[0]]
        assert sorted(await found(store, "Was ist mit dem Hause?")) == [facts[1], facts[2]]
        assert await found(store, "STRASSEN Straßen") == [facts[2]]
        assert await found(store, "der Garten") == [facts[0]]
        (hit, *_) = await store.memories.search("Wo ist der Gärten?")
        assert (hit.entry.content[slice(*hit.highlights[0])], hit.relevance) == ("Garten", 1.0)
        session = await store.sessions.start()
        await store.daily_logs.append(session.id, "note", {"text": "Er kaufte zwei Bücher"})
        await store.sessions.summarize(session.id, "Sie sprachen von Büchern")
        assert len(await store.daily_logs.search("Buch")) == 1
        assert len(await store.sessions.search("Buches")) == 1


async def test_spanish(url: str, clock: Clock) -> None:
    """Each form of a Spanish word finds the others, with accents or without, among pending rows, too."""
    async with memrepo.connect(url, clock=clock, search=SPANISH) as store:
        for text in ("Ana escribe canciones", "Luis viajó en avión", "Ana tiene dos perros"):
            await store.memories.remember(text)
            clock.advance(hours=2)
        assert await found(store, "¿Qué canción le gusta?") == ["Ana escribe canciones"]
        assert await found(store, "CANCION") == ["Ana escribe canciones"]
        assert await found(store, "viajar en aviones") == ["Luis viajó en avión"]
        assert await found(store, "¿De quién es el perro?") == ["Ana tiene dos perros"]


async def test_a_month_and_a_time(url: str, clock: Clock) -> None:
    """The months, "when" and the words of time of a language count as those of English do."""
    async with memrepo.connect(url, clock=clock, search=GERMAN) as store:
        may = clock.now.replace(year=2023, month=5, day=8)
        facts = [
            MemoryNew(content="Das Fest war schön", created_at=may.replace(month=2)),
            MemoryNew(content="Ein Fest im Freien", created_at=may),
            MemoryNew(content="Das Fest war gestern", created_at=may.replace(month=9)),
        ]
        await store.memories.remember_many(facts)
        first, *_ = await store.memories.search("Welches Fest war im Mai 2023?")
        assert first.entry.content == "Ein Fest im Freien"
        assert "told in" in first.why
        first, *_ = await store.memories.search("Wann war das Fest?")
        assert (first.entry.content, "tells a time" in first.why) == ("Das Fest war gestern", True)


async def test_a_language_of_ones_own(url: str) -> None:
    """Any stemmer and any stop words will do, and nothing of them is stored: each store has its own."""
    shortened = Language(stem=lambda token: token[:4], stop_words=frozenset({"Über"}))
    async with memrepo.connect(url, search=shortened) as store:
        await store.memories.remember("katzenfutter über alles")
        assert await found(store, "Katze") == ["katzenfutter über alles"]
        assert await found(store, "über Hunde") == []
        info = (await store.info()).search_index
        assert info is not None
        assert info.tokenizer == "unicode"


async def test_scopes_and_filters(url: str) -> None:
    """Words of other scopes tell which forms there are, but find nothing, and do not show in a score."""
    async with memrepo.connect(url, search=GERMAN) as store:
        mine, other = store.scoped("a"), store.scoped("b")
        await mine.memories.remember("Anna hat ein Haus", category="fact")
        (alone,) = await mine.memories.search("Häuser")
        for n in range(5):
            await other.memories.remember(f"Hausen bei Hauses {n}")
        (hit,) = await mine.memories.search("Häuser", where=MemoryFilter(category="fact"))
        assert (hit.score, hit.entry) == (alone.score, alone.entry)
        async with store.transaction() as tx:
            await tx.scoped("a").memories.remember("Neue Häuser")
            assert len(await tx.scoped("a").memories.search("Haus")) == 2


async def test_another_index(url: str) -> None:
    """A database whose index is for English refuses a language, and says how to change it."""
    async with memrepo.connect(url, search="english") as store:
        await store.memories.remember("Die Häuser am See")
    if url != ":memory:":
        way = r'is "english" .*without search=, call repair\(search="unicode"\), and then'
        with pytest.raises(InvalidInputError, match=way):
            await memrepo.connect(url, search=GERMAN)
        async with memrepo.connect(url) as store:
            await store.repair(search="unicode")
        async with memrepo.connect(url, search=GERMAN) as store:
            assert await found(store, "Haus") == ["Die Häuser am See"]


async def test_a_language_by_its_name(url: str) -> None:
    """The name of a language is no search: the error says how to come by the language."""
    with pytest.raises(
        InvalidInputError, match=r'or a Language, as memrepo\.language\("german"\)$'
    ):
        memrepo.connect(url, search="german")  # type: ignore[arg-type]


async def test_many_forms(url: str) -> None:
    """A stem that very many words share is no error."""
    coarse = attrs.evolve(GERMAN, stem=lambda token: token[:1])
    async with memrepo.connect(url, search=coarse) as store:
        await store.memories.remember(" ".join(f"x{n}y" for n in range(3_000)))
        assert len(await store.memories.search("x77y x78y")) == 1
