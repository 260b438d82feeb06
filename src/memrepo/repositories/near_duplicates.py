"""How near-duplicates are found: so many facts at a time, each held against earlier ones that share rare words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import attrs

from memrepo.connection.contract import Connection
from memrepo.connection.waiting import list_in_slices
from memrepo.domain.codec import MEMORY_COLUMNS, Row, Value, to_memory
from memrepo.domain.jsontext import to_compact_json
from memrepo.domain.memories import MemoryEntry
from memrepo.domain.near_duplicates import NearDuplicates, Place
from memrepo.domain.paging import Page
from memrepo.index.index import SearchIndex
from memrepo.queries import near_duplicates as queries, search
from memrepo.queries.fulltext import scope_query, word_query
from memrepo.queries.search import FACTS
from memrepo.ranking import similarity
from memrepo.ranking.counts import Counts, Listed
from memrepo.ranking.language import ENGLISH, LANGUAGES, Language
from memrepo.ranking.rows import Posting
from memrepo.ranking.similarity import Rarity, Term, Text, may_be_similar, spellings, take_apart
from memrepo.repositories.searching import MOST_READ

__all__ = ["NearDuplicateSearch"]

#: Facts that a page looks at.
_LOOKED_AT: Final = 100
#: Read beyond them: the one that the page before has ended with, and one that tells whether more follow.
_BEYOND: Final = 2
#: A word that more facts have is common: only together with another one does it lead to a pair.
_COMMON: Final = 100
#: Earlier facts that one is held against.
_MOST_EARLIER: Final = 20
#: Words by which earlier facts are looked for where all of them are common.
_TOGETHER: Final = 2
_CREATED_AT: Final = MEMORY_COLUMNS.index("created_at")
_ANY: Final = frozenset({"now"})


@attrs.frozen
class _Looked:
    """The facts that a page looks at, and what they are similar to."""

    #: In the order of (created_at, id).
    rows: Sequence[Row]
    #: Whether more facts follow.
    has_more: bool
    #: They, and those that they were held against, by their ids.
    entries: Mapping[int, MemoryEntry]
    #: For each of them that is similar to earlier ones, by its id: these, in the order of their ids, and how much.
    shares: Mapping[int, Sequence[tuple[int, float]]]


@attrs.frozen
class NearDuplicateSearch:
    """The near-duplicates of one scope at one moment."""

    _connection: Connection
    _index: SearchIndex | None
    #: The scope, and now.
    _place: dict[str, Value]
    _scope: str
    _threshold: float

    async def page(self, limit: int, after: str | None) -> Page[NearDuplicates]:
        """Return the pairs among the next facts; see `MemoryRepo.near_duplicates`."""
        start = Place.after(after)
        index = self._index
        if index is not None and await index.prepare(self._connection, FACTS.name):
            looked = await self._ask(start, LANGUAGES[index.tokenizer or "english"])
        else:
            looked = await self._read(start)
        pairs: list[NearDuplicates] = []
        last = start
        for row in looked.rows:
            number: int = row[0]
            for first, share in looked.shares.get(number, ()):
                if number == start.second and first <= start.first:
                    continue
                if len(pairs) == limit:
                    return Page(items=tuple(pairs), next_cursor=last.cursor())
                one, other = looked.entries[first], looked.entries[number]
                pairs.append(NearDuplicates(first=one, second=other, similarity=share))
                last = Place(row[_CREATED_AT], number, first)
            if looked.has_more:
                last = Place(row[_CREATED_AT], number, number)
        cursor = last.cursor() if looked.has_more else None
        return Page(items=tuple(pairs), next_cursor=cursor)

    # --- by the index ------------------------------------------------------------------------

    async def _ask(self, start: Place, language: Language) -> _Looked:
        rows = await self._next_rows(start)
        has_more, rows = len(rows) > _LOOKED_AT, rows[:_LOOKED_AT]
        entries, texts = await _decode(rows, language)
        rarity = await self._rarity(spellings(texts.values()), language)
        chosen = await self._choose([*texts.values()], rarity, language)
        others = {first for ids in chosen.values() for first in ids} - texts.keys()
        its_entries, its_texts = await _decode(await self._read_current(others), language)
        texts |= its_texts
        chosen = await asyncio.to_thread(self._keep, chosen, texts, rarity)
        compared = sorted({first for ids in chosen.values() for first in ids})
        unknown = spellings((texts[first] for first in compared), rarity.postings)
        if unknown:
            more = await self._rarity(unknown, language)
            rarity = attrs.evolve(rarity, postings={**rarity.postings, **more.postings})
        shares = await asyncio.to_thread(self._compare, chosen, texts, rarity)
        return _Looked(rows, has_more, entries | its_entries, shares)

    async def _next_rows(self, start: Place) -> list[Row]:
        place: dict[str, Value] = {**self._place, "limit": _LOOKED_AT + _BEYOND}
        if not start.created_at:
            return await self._connection.read(queries.page(after=False).bind(**place))
        bound = queries.page(after=True).bind(
            created_at=start.created_at, second=start.second, **place
        )
        rows = await self._connection.read(bound)
        is_done = bool(rows) and rows[0][0] == start.second == start.first
        return rows[1:] if is_done else rows

    async def _rarity(self, words: Mapping[Term, str], language: Language) -> Rarity:
        """Ask the index which facts have each of *words*; of common ones only how many, about."""
        in_scope, most = scope_query(self._scope), _COMMON + 1
        asked = [in_scope, *(word_query(language.forms_of(word)) for word in words.values())]
        bound = search.postings(FACTS, None).bind(
            words=to_compact_json(asked),
            most=most,
            n_beginnings=0,
            scope=self._scope,
            in_scope=in_scope,
        )
        rows = await self._connection.read(bound)
        return await asyncio.to_thread(_to_rarity, [*words], rows, most)

    async def _choose(
        self, texts: Sequence[Text], rarity: Rarity, language: Language
    ) -> dict[int, Sequence[int]]:
        """Return for each text the earlier facts that it may be similar to."""
        chosen = await asyncio.to_thread(self._choose_by_rare_words, texts, rarity)
        common = {text.id: text for text in texts if text.id not in chosen}
        if not common:
            return chosen
        asked: list[tuple[str, int]] = []
        for text in common.values():
            words = (language.forms_of(word) for word in similarity.rarest(text, rarity, _TOGETHER))
            asked.append((word_query(*words), text.id))
        bound = queries.EARLIER.bind(
            asked=to_compact_json(asked),
            most=_MOST_EARLIER,
            in_scope=scope_query(self._scope),
            **self._place,
        )
        rows = await self._connection.read(bound)
        return chosen | {
            number: json.loads(row[0]) for number, row in zip(common, rows, strict=True)
        }

    def _choose_by_rare_words(
        self, texts: Sequence[Text], rarity: Rarity
    ) -> dict[int, Sequence[int]]:
        return {
            text.id: similarity.earlier(text, rarity, self._threshold, _MOST_EARLIER)
            for text in texts
            if similarity.is_led_by_rare_words(text, rarity, self._threshold)
        }

    def _keep(
        self, chosen: Mapping[int, Sequence[int]], texts: Mapping[int, Text], rarity: Rarity
    ) -> dict[int, Sequence[int]]:
        """Leave out those that are not current, or lack too much."""
        return {
            number: [
                first
                for first in ids
                if first in texts
                and may_be_similar(texts[number], texts[first], rarity, self._threshold)
            ]
            for number, ids in chosen.items()
        }

    def _compare(
        self, chosen: Mapping[int, Sequence[int]], texts: Mapping[int, Text], rarity: Rarity
    ) -> dict[int, Sequence[tuple[int, float]]]:
        shares: dict[int, Sequence[tuple[int, float]]] = {}
        for number, ids in chosen.items():
            pairs = ((its, rarity.similarity(texts[number], texts[its])) for its in sorted(ids))
            if similar := [pair for pair in pairs if pair[1] >= self._threshold]:
                shares[number] = similar
        return shares

    async def _read_current(self, ids: Collection[int]) -> list[Row]:
        if not ids:
            return []
        bound = queries.CURRENT.bind(ids=to_compact_json(sorted(ids)), **self._place)
        return await self._connection.read(bound)

    # --- without an index --------------------------------------------------------------------

    async def _read(self, start: Place) -> _Looked:
        """Hold the newest facts of the scope against each other."""
        bound = search.newest(FACTS, _ANY).bind(most=MOST_READ, **self._place)
        everything = [row[:-1] for row in reversed(await self._connection.read(bound))]
        entries, texts = await _decode(everything, ENGLISH)
        at = start.created_at, start.second
        rows = [row for row in everything if (str(row[_CREATED_AT]), row[0]) >= at]
        if rows and rows[0][0] == start.second == start.first:
            del rows[0]
        has_more, rows = len(rows) > _LOOKED_AT, rows[:_LOOKED_AT]
        shares = await asyncio.to_thread(self._compare_read, rows, texts)
        return _Looked(rows, has_more, entries, shares)

    def _compare_read(
        self, rows: Sequence[Row], texts: Mapping[int, Text]
    ) -> dict[int, Sequence[tuple[int, float]]]:
        rarity = similarity.count_all(texts.values())
        chosen = {
            row[0]: similarity.earlier(texts[row[0]], rarity, self._threshold, _MOST_EARLIER)
            for row in rows
        }
        return self._compare(chosen, texts, rarity)


# Many texts are taken apart, compared and counted in threads: not on the event loop.


def _to_rarity(terms: Sequence[Term], rows: Sequence[Row], most: int) -> Rarity:
    everything, *each = (Listed(row[0]) for row in rows)
    counts = Counts(everything, rows[0][1] or 0, most)
    postings = {
        term: Posting(counts.of(its), its.ids(), is_complete=counts.are_all(its))
        for term, its in zip(terms, each, strict=True)
    }
    return Rarity(counts.of(everything), postings)


async def _decode(
    rows: Sequence[Row], language: Language
) -> tuple[dict[int, MemoryEntry], dict[int, Text]]:
    """Return facts, and their texts taken apart, by their ids."""
    facts = await list_in_slices(map(to_memory, rows))

    def take_all() -> dict[int, Text]:
        return {fact.id: take_apart(fact.id, fact.content, language) for fact in facts}

    return {fact.id: fact for fact in facts}, await asyncio.to_thread(take_all)
