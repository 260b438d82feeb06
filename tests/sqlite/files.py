"""What tests do to files: rights, and what another program put into them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Have new files get the rights that *mask* leaves."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def add_vector_index(path: Path) -> None:
    """Add a table with an index on a function that only libSQL has, as the original's embeddings."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.create_function("libsql_vector_idx", 1, lambda vector: vector, deterministic=True)
        raw.execute("CREATE TABLE memory_embeddings (memory_id INTEGER, embedding BLOB)")
        raw.execute("INSERT INTO memory_embeddings VALUES (1, zeroblob(6144))")
        raw.execute(
            "CREATE INDEX memory_embeddings_idx ON memory_embeddings (libsql_vector_idx(embedding))"
        )
