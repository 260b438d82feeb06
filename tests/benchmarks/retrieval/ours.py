"""memrepo's formula, over all rows of a conversation or over a bounded number of candidates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from memrepo.ranking.candidates import candidates
from memrepo.ranking.language import ENGLISH, Language
from memrepo.ranking.matching import subjects_of
from memrepo.ranking.question import Question, parse
from memrepo.ranking.relevance import DEFAULT_WEIGHTS, Ranked, rank
from memrepo.ranking.rows import Posting, Row, Scope
from memrepo.ranking.steps import finish
from memrepo.ranking.weights import Weights
from tests.benchmarks.retrieval.data import Corpus

_NEIGHBOURS = 3


class Formula:
    """Search in one conversation; what does not depend on the question is made once."""

    def __init__(self, corpus: Corpus, language: Language = ENGLISH) -> None:
        self._language = language
        self._rows = [Row(row.id, row.text, row.told_at) for row in corpus.rows]
        self._postings: dict[str, set[int]] = {}
        for row in self._rows:
            for term in language.terms(row.text):
                self._postings.setdefault(term, set()).add(row.id)
        self._subjects = subjects_of(Counter(row.text for row in self._rows), language.stop_words)

    def search(
        self,
        text: str,
        *,
        weights: Weights = DEFAULT_WEIGHTS,
        limit: int | None = 25,
        n_candidates: int | None = None,
    ) -> list[Ranked]:
        """Return the best rows, of all or of some candidates and their neighbours."""
        question = parse(text, self._language)
        scope = self._scope(question)
        rows: Sequence[Row | None] = self._rows
        if n_candidates is not None:
            rows = self._around(finish(candidates(question, scope, n_candidates)))
        return finish(rank(question, rows, scope, weights=weights, limit=limit))

    def _scope(self, question: Question) -> Scope:
        postings: dict[str, Posting] = {}
        for word in question.words:
            ids = set[int]().union(*(self._postings.get(term, ()) for term in word.terms))
            postings[word.text] = Posting(len(ids), ids)
        return Scope(len(self._rows), postings, self._subjects)

    def _around(self, ids: Sequence[int]) -> list[Row | None]:
        reach = range(-_NEIGHBOURS, _NEIGHBOURS + 1)
        wanted = sorted({row_id + step for row_id in ids for step in reach})
        rows: list[Row | None] = []
        last = 0
        for row_id in wanted:
            if 1 <= row_id <= len(self._rows):
                if row_id != last + 1:
                    rows.append(None)
                rows.append(self._rows[row_id - 1])
                last = row_id
        return rows
