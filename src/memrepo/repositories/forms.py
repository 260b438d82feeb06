"""Which forms of a question's words stand in a search index that keeps words as they are."""

from __future__ import annotations

import json
from typing import Final

from memrepo.connection.contract import Connection
from memrepo.domain.jsontext import to_compact_json
from memrepo.queries import terms as queries
from memrepo.ranking.question import Question

__all__ = ["read_forms"]

#: Words of the index that are looked at for each word of a question.
_MOST_READ: Final = 2_000
#: Forms of a word that are asked for.
_MOST: Final = 100


async def read_forms(
    connection: Connection, table: str, question: Question
) -> dict[str, list[str]]:
    """Return, by the words of a question, the words of the index with the same stem, itself among them."""
    words, language = question.words, question.language
    forms = {word.text: [*language.forms_of(word.text)] for word in words}
    beginnings = {word.text: language.beginning_of(word.text) for word in words}
    wanted = {*filter(None, beginnings.values())}
    if not wanted:
        return forms
    statement = queries.beginning_with(table)
    ranges = to_compact_json(queries.ranges(sorted(wanted)))
    rows = await connection.read(statement.bind(ranges=ranges, most=_MOST_READ))
    known = {beginning: json.loads(found) for beginning, found in rows}
    for word in words:
        found = known.get(beginnings[word.text], ())
        others = [form for form in found if language.stem(form) in word.terms]
        forms[word.text] = [*dict.fromkeys([*forms[word.text], *others])][:_MOST]
    return forms
