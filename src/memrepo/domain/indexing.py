"""How the search index cuts texts into words, and how scopes are kept apart in it."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

import attrs

from memrepo.domain.plain import PlainModel
from memrepo.errors import InvalidInputError

__all__ = ["TOKENIZERS", "SearchIndexInfo", "Tokenizer", "check_tokenizer"]

#: How texts are cut into words: ``english`` takes the forms of an English word for one (``runs``, ``running``),
#: ``unicode`` takes words as they are, and ``trigram`` takes every three characters in a row, for Chinese,
#: Japanese and Korean, and for parts of words. Case never counts.
Tokenizer: TypeAlias = Literal["english", "unicode", "trigram"]
#: All there are.
TOKENIZERS: Final[tuple[Tokenizer, ...]] = get_args(Tokenizer)


@attrs.frozen(kw_only=True)
class SearchIndexInfo(PlainModel):
    """What `Store.info` says of the search index."""

    #: How it cuts texts into words.
    tokenizer: Tokenizer
    #: Rows of all three tables that it has not taken in yet, at most: gaps between ids count as rows. A search takes in
    #: those of its own table.
    n_pending: int
    #: Rows that this store takes in per second; ``None`` if it has taken in none.
    rows_per_s: float | None


def check_tokenizer(value: object, *, also: str = "") -> None:
    """Accept one of the tokenizers, or ``None``; *also* tells what else there is."""
    if value is not None and (not isinstance(value, str) or value not in TOKENIZERS):
        raise InvalidInputError("search", f'must be "english", "unicode", "trigram" or None{also}')
