"""What a search finds."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

import attrs

from memrepo.domain.plain import PlainModel
from memrepo.errors import InvalidInputError

__all__ = ["DEFAULT_HITS", "MOST_HITS", "Hit", "check_question"]

#: Hits of a search by default.
DEFAULT_HITS: Final = 10
#: Most hits of a search.
MOST_HITS: Final = 1_000

T = TypeVar("T")


@attrs.frozen(kw_only=True, weakref_slot=False)
class Hit(PlainModel, Generic[T]):
    """A fact, an event or a session that a search has found, and why."""

    #: What was found.
    entry: T
    #: By what hits are ordered, the highest first: the relevance times the factors that `why` names.
    score: float
    #: 0 to 1; 1 where it has every word that was asked for.
    relevance: float
    #: The parts of the score: ``has 'bees'; 'birthday' stands in the fact just before; told in May 2023``.
    why: str
    #: Where the words stand in the text, as ranges of characters in order. The text of an event is all
    #: texts in its data, a line each.
    highlights: tuple[tuple[int, int], ...]
    #: Words so common that they chose no hit, but only added to the score of those that rarer words chose.
    only_checked: tuple[str, ...] = ()
    #: Whether it has a word of what was asked for itself. If not, what was told beside it has.
    has_word: bool = True


def check_question(field: str, value: object) -> str:
    """Accept any str; what UTF-8 cannot hold becomes a question mark."""
    if not isinstance(value, str):
        raise InvalidInputError(field, f"must be a str, not {type(value).__name__}")
    return value.encode(errors="replace").decode()
