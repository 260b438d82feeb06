"""Peers that rank by words, where they are installed; see tests/benchmarks/requirements.txt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from memrepo.ranking.language import ENGLISH
from tests.benchmarks.retrieval.data import Corpus
from tests.benchmarks.retrieval.search import Contender, Found, Search

__all__ = ["peers"]


def peers() -> Iterator[tuple[str, Contender]]:
    """Yield the name and the contender of each peer that is installed."""
    if find_spec("rank_bm25"):
        name = f"rank_bm25 {version('rank_bm25')}"
        yield f"{name}, as in its README", _rank_bm25(str.split)
        yield f"{name}, with our stop words and stems", _rank_bm25(_prepared)
    if find_spec("bm25s"):
        yield f"bm25s {version('bm25s')}, with its English stop words", _bm25s


def _prepared(text: str) -> list[str]:
    return [ENGLISH.stem(word) for word in ENGLISH.words(text)]


def _rank_bm25(cut: Callable[[str], list[str]]) -> Contender:
    @contextmanager
    def open_corpus(corpus: Corpus) -> Iterator[Search]:
        module: Any = import_module("rank_bm25")
        index = module.BM25Okapi([cut(row.text) for row in corpus.rows])

        def search(question: str, limit: int) -> list[Found]:
            scores = index.get_scores(cut(question))
            best = sorted(range(len(scores)), key=lambda place: -scores[place])[:limit]
            return [Found(corpus.rows[place].id, float(scores[place])) for place in best]

        yield search

    return open_corpus


@contextmanager
def _bm25s(corpus: Corpus) -> Iterator[Search]:
    module: Any = import_module("bm25s")
    quiet: dict[str, Any] = {"stopwords": "en", "show_progress": False}
    index = module.BM25()
    index.index(module.tokenize([row.text for row in corpus.rows], **quiet), show_progress=False)

    def search(question: str, limit: int) -> list[Found]:
        words = module.tokenize(question, **quiet)
        places, scores = index.retrieve(words, k=min(limit, len(corpus.rows)), show_progress=False)
        pairs = zip(places[0], scores[0], strict=True)
        found = ((corpus.rows[int(place)].id, float(score)) for place, score in pairs)
        return [Found(row_id, score) for row_id, score in found if score > 0]

    yield search
