"""How the repositories search: what the database is asked, step by step, until hits are told apart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Generic, TypeVar

import attrs

from memrepo.connection.contract import Connection
from memrepo.connection.waiting import Turns
from memrepo.domain.codec import Row
from memrepo.domain.conditions import Conditions
from memrepo.domain.search import Hit
from memrepo.index.index import SearchIndex
from memrepo.queries.fulltext import scope_query, word_query
from memrepo.ranking.candidates import candidates
from memrepo.ranking.counts import Counts, Listed
from memrepo.ranking.explanation import explain, highlights
from memrepo.ranking.language import ENGLISH
from memrepo.ranking.matching import SAMPLE, look_through
from memrepo.ranking.question import Question, Word, parse
from memrepo.ranking.relevance import Ranked, rank
from memrepo.ranking.rows import Posting, Row as Told, Scope
from memrepo.ranking.steps import Steps, collect
from memrepo.ranking.unicode61 import tokens
from memrepo.repositories.forms import read_forms
from memrepo.repositories.neighbours import Found, n_near, neighbourhood
from memrepo.repositories.search_reads import SearchReads, subjects
from memrepo.repositories.sources import Source

__all__ = ["MOST_READ", "Search"]

T = TypeVar("T")
R = TypeVar("R")

#: The conditions that all rows of the index meet, but for those that have expired since.
_PLAIN: Final = frozenset({"now", "not_forgotten", "not_superseded", "summarized"})
#: A word that more rows have is common: it chooses no hits.
_COMMON: Final = 2_000
#: Ids of a word that are read: enough to tell whether it is common.
_MOST: Final = _COMMON + 1
#: Where the first row of `queries.search.postings` says how many rows are pending.
_N_PENDING: Final = 3
#: Rows whose neighbours are read.
_N_CANDIDATES: Final = 50
#: Rows that are read where there is no index, the newest.
MOST_READ: Final = 10_000
#: Rows that are taken apart in one step.
_AT_ONCE: Final = 16
#: The tokenizer ``trigram`` has no shorter words in the index.
_TRIGRAM: Final = 3
#: Words of a question that are looked at.
_MOST_WORDS: Final = 50
#: And characters, so that taking a pasted page apart does not hold up other tasks.
_MOST_CHARS: Final = 4_000


class Search(Generic[T]):
    """One search in one scope."""

    def __init__(
        self,
        source: Source[T],
        text: str,
        conditions: Conditions,
        *,
        limit: int,
        now: datetime,
        connection: Connection,
        index: SearchIndex | None,
        scope: str,
    ) -> None:
        self._source = source
        self._index = index
        self._now = now
        self._text = text
        self._question = self._parse()
        self._forms: dict[str, list[str]] = {}
        self._conditions = conditions
        self._limit = limit
        self._connection = connection
        self._turns = Turns(connection.give_way)
        self._in_scope = scope_query(scope)
        self._reads = SearchReads(connection, source, conditions, scope)

    def _parse(self) -> Question:
        language = ENGLISH if self._index is None else self._index.language
        return parse(self._text[:_MOST_CHARS], language, now=self._now, most=_MOST_WORDS)

    async def hits(self, *, highlighted: bool = True) -> list[Hit[T]]:
        """
        Return what is most relevant, the most relevant first; ties as `relevance.rank` says.

        Args:
            highlighted: Whether the hits have highlights: to find them takes as long as to rank.
        """
        if not self._question.words:
            return []
        index = self._index
        if index is not None and await self._has_index():
            for is_last in (False, True):
                async with index.turn(self._connection):
                    postings = await self._ask_words()
                    if is_last or not postings[0][_N_PENDING]:
                        asked = await self._ask(postings)
                        return await self._rank(*asked, highlighted=highlighted)
                # Not while others wait for their turn: whoever writes may be one of them.
                if not await index.take_in(self._connection, self._source.table.name):
                    break
        return await self._rank(*await self._read(), highlighted=highlighted)

    async def _rank(self, known: Scope, found: Found, *, highlighted: bool) -> list[Hit[T]]:
        among = found.meeting.keys()
        ranked = await self._run(
            rank(self._question, found.rows, known, among=among, limit=self._limit)
        )
        checked = tuple(word for word, its in known.postings.items() if not its.is_complete)
        hits = (
            self._hit(its, found.meeting[its.row.id], checked, highlighted=highlighted)
            for its in ranked
        )
        return await self._run(collect(hits))

    def _hit(
        self, ranked: Ranked, row: Row, checked: tuple[str, ...], *, highlighted: bool
    ) -> Hit[T]:
        return Hit(
            entry=self._decode(row),
            score=ranked.score,
            relevance=ranked.relevance,
            why=explain(ranked, noun=self._source.noun),
            highlights=highlights(ranked.row.text, self._question) if highlighted else (),
            only_checked=checked,
            has_word=ranked.has_word,
        )

    async def completions(self) -> list[T]:
        """Return the latest that have all words of the text, of which the last may be a beginning."""
        words = tokens(self._text[-_MOST_CHARS:])[-_MOST_WORDS:]
        if not words:
            return []
        if not await self._has_index(is_caught_up=True):
            return await self._read_completions(words)
        query = word_query(*((word,) for word in words[:-1]), beginning=words[-1])
        ids = await self._reads.latest(query, self._limit)
        meeting = (await self._around(dict.fromkeys(ids, 0))).meeting
        return [self._decode(meeting[number]) for number in ids if number in meeting]

    async def _has_index(self, *, is_caught_up: bool = False) -> bool:
        """Tell whether the index can be asked; the question is taken apart as it takes texts apart."""
        index = self._index
        if index is None or not await index.is_there(self._connection):
            return False
        if index.language is not self._question.language:
            self._question = self._parse()
        words = [word.text for word in self._question.words]
        if (
            index.language.tokenizer == "trigram"
            and min(map(len, words), default=_TRIGRAM) < _TRIGRAM
        ):
            return False
        # Its forms are read before its postings, which say what is pending then.
        if is_caught_up or any(map(index.language.beginning_of, words)):
            return await index.take_in(self._connection, self._source.table.name)
        return True

    # --- by the index ------------------------------------------------------------------------

    async def _ask_words(self) -> list[Row]:
        """Return the postings of the question's words, and how many rows are pending."""
        self._forms = await read_forms(self._connection, self._source.table.name, self._question)
        return await self._reads.postings(None, self._asked(), _MOST, SAMPLE)

    async def _ask(self, postings: Sequence[Row]) -> tuple[Scope, Found]:
        """Return what is known of the scope, and the rows to compare."""
        names = self._conditions.names
        known, ids = await self._choose(postings, None)
        if names <= _PLAIN:
            found = await self._around(n_near(ids))
            if found.meeting.keys() >= {*ids}:
                return known, found
        # What does not meet the filter lends its words, but neither that nor what has expired takes others' places.
        _, others = await self._choose(
            await self._reads.postings(names, self._asked(), _MOST, SAMPLE), names
        )
        return known, await self._around(n_near(ids, others))

    def _asked(self) -> list[str]:
        return [self._in_scope, *map(self._query, self._question.words)]

    async def _choose(
        self, postings: Sequence[Row], names: frozenset[str] | None
    ) -> tuple[Scope, list[int]]:
        words = self._question.words
        (of_scope, highest, heads, _), *of_words = postings
        everything = Listed(of_scope)
        counts = Counts(everything, highest or 0, _MOST)
        lists = [Listed(row[0]) for row in of_words]
        has_rare = any(its and counts.are_all(its) for its in lists)

        def posting(listed: Listed) -> Posting:
            is_complete = counts.are_all(listed)
            # Of a common word, only those are looked at that have a rare one, too: see `_check_common`.
            ids = listed.ids() if is_complete or not has_rare else frozenset[int]()
            return Posting(counts.of(listed), ids, is_complete=is_complete)

        each = await self._run(collect(map(posting, lists)))
        known = Scope(
            counts.of(everything),
            {word.text: its for word, its in zip(words, each, strict=True)},
            subjects(heads, self._question.language.stop_words),
        )
        known = await self._check_common(known, names)
        return known, await self._candidates(known)

    async def _candidates(self, known: Scope) -> list[int]:
        most = max(self._limit, _N_CANDIDATES)
        return await self._run(candidates(self._question, known, most))

    async def _check_common(self, known: Scope, names: frozenset[str] | None) -> Scope:
        """Find which rows that have a rare word have a common one, too."""
        words = self._question.words
        of = known.postings
        rare = [word for word in words if of[word.text].is_complete and of[word.text].ids]
        common = [word for word in words if not of[word.text].is_complete]
        if not common:
            return known
        if rare:
            forms = [form for word in rare for form in self._forms[word.text]]
            asked = [self._query(word, forms) for word in common]
            rows = await self._reads.postings(names, asked, _MOST)
            found = await self._run(collect(Listed(row[0]).ids() for row in rows))
        else:
            common.sort(key=lambda word: of[word.text].n_rows)
            rarest, *others = common
            groups = (
                [[form for word in others for form in self._forms[word.text]]] if others else []
            )
            query = self._query(rarest, *groups)
            latest = await self._reads.latest(query, max(self._limit, _N_CANDIDATES))
            found = [frozenset(latest)]
        checked = {
            word.text: attrs.evolve(of[word.text], ids=ids)
            for word, ids in zip(common, found, strict=False)
        }
        return attrs.evolve(known, postings={**of, **checked})

    def _query(self, word: Word, *others: Iterable[str]) -> str:
        return word_query(self._forms[word.text], *others)

    async def _around(self, near: Mapping[int, int]) -> Found:
        told, meeting = await self._tell(await self._reads.around(near))
        told.sort(key=lambda its: (its.told_at, its.id))
        return Found(neighbourhood(near, told), meeting)

    async def _tell(self, rows: Sequence[Row]) -> tuple[list[Told], dict[int, Row]]:
        """Return what ranking looks at, and those rows that meet the filter."""
        told = await self._run(collect(map(self._source.tell, rows), _AT_ONCE))
        return told, {row[0]: row for row in rows if row[-1]}

    def _decode(self, row: Row) -> T:
        return self._source.decode(row[:-1])

    async def _run(self, steps: Steps[R]) -> R:
        """Do all steps, while other tasks run."""
        return await self._turns.run(steps)

    # --- without an index --------------------------------------------------------------------

    async def _read(self) -> tuple[Scope, Found]:
        """Return the newest rows of the scope, and which words they have."""
        told, meeting = await self._tell(await self._reads.newest(MOST_READ))
        # Many texts: not on the event loop.
        known = await asyncio.to_thread(look_through, self._question, told)
        near = n_near(await self._candidates(known))
        return known, Found(neighbourhood(near, told[::-1]), meeting)

    async def _read_completions(self, words: Sequence[str]) -> list[T]:
        language, source = self._question.language, self._source
        *whole, beginning = map(language.stem, words)

        def is_found(row: Row) -> bool:
            terms = {*language.terms(source.tell(row).text)}
            return terms.issuperset(whole) and any(term.startswith(beginning) for term in terms)

        rows = [row for row in await self._reads.newest(MOST_READ) if row[-1]]
        are_found = await self._run(collect(map(is_found, rows)))
        found = [row for row, is_so in zip(rows, are_found, strict=True) if is_so]
        return [self._decode(row) for row in found[: self._limit]]
