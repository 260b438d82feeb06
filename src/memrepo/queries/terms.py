"""The statement that reads which words a search index has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from pypika import Table
from pypika.terms import CustomFunction

from memrepo.queries.builder import JsonEach, Query, Scalar, param, statement
from memrepo.queries.indexing import terms_table
from memrepo.queries.statement import Statement

__all__ = ["beginning_with", "ranges"]

#: Stands after every other character.
_HIGHEST: Final = "\U0010ffff"

_json_group_array = CustomFunction("json_group_array", ["value"])


def ranges(beginnings: Iterable[str]) -> Mapping[str, str]:
    """Return ``:ranges`` of `beginning_with`: each beginning, to what stands after all words that begin so."""
    return {beginning: beginning + _HIGHEST for beginning in beginnings}


@cache
def beginning_with(table: str) -> Statement:
    """
    Read, for each beginning of a JSON object, itself and the words that begin so, at most ``:most``, as JSON.

    They are those of all scopes: they tell only which words to ask for.
    """
    beginning = JsonEach("ranges", "beginning")
    terms = Table(terms_table(table)).as_("terms")
    found = Query.from_(terms).select(terms.term)
    found = found.where(terms.term >= beginning.key).where(terms.term < beginning.value)
    found = found.limit(param("most")).as_("found")
    words = Query.from_(found).select(_json_group_array(found.term))
    query = Query.from_(beginning).select(beginning.key, Scalar(words))
    return statement(f"terms.{table}", query, is_long=True)
