"""Queries in FTS5's own language (https://sqlite.org/fts5.html#full_text_query_syntax), put together from any text."""

from __future__ import annotations

from collections.abc import Iterable

from memrepo.queries.indexing import scope_key

__all__ = ["scope_query", "word_query"]


def scope_query(scope: str) -> str:
    """Return the full-text query for all rows of *scope*."""
    return f'scope_key:"{scope_key(scope)}"'


def word_query(*groups: Iterable[str], beginning: str = "") -> str:
    """
    Return the full-text query for rows that have a word of each of *groups*.

    Any text is a safe query; text of several words is a phrase.

    Args:
        groups: The words; forms of one word are a group.
        beginning: What another word begins with.
    """
    queries = [" OR ".join(map(_quoted, group)) for group in groups]
    if beginning:
        queries.append(f"{_quoted(beginning)}*")
    return " AND ".join(f"text:({query})" for query in queries)


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""').replace("\0", " ") + '"'
