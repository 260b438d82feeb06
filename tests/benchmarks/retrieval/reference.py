"""Plain FTS5, as most would use it: any of the words that are no stop words, best ``rank`` first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from memrepo.ranking.language import ENGLISH
from tests.benchmarks.retrieval.data import Corpus
from tests.benchmarks.retrieval.search import Found, Search

__all__ = ["plain_fts5"]


@contextmanager
def plain_fts5(corpus: Corpus) -> Iterator[Search]:
    """Index the texts of *corpus* in memory."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE VIRTUAL TABLE f USING fts5(text, tokenize = 'porter unicode61')")
        database.executemany(
            "INSERT INTO f (rowid, text) VALUES (?, ?)", ((row.id, row.text) for row in corpus.rows)
        )

        def search(question: str, limit: int) -> list[Found]:
            words = " OR ".join(f'"{word}"' for word in ENGLISH.words(question))
            sql = "SELECT rowid, -rank FROM f WHERE f MATCH ? ORDER BY rank LIMIT ?"
            return [Found(*row) for row in database.execute(sql, (words, limit))]

        yield search
