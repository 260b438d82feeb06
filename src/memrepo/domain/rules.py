"""What holds for the facts of a store: when two are the same, and who speaks for the user."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, get_args

import attrs

from memrepo.domain.checks import check_name
from memrepo.domain.hashing import SameFact
from memrepo.domain.memories import EXPLICIT_SOURCE
from memrepo.errors import InvalidInputError

__all__ = [
    "ORIGINAL_RULES",
    "SAME_FACT",
    "FactRules",
    "SameFact",
    "check_propose",
    "check_same_fact",
    "check_sources",
]

#: The rules there are.
SAME_FACT: Final[tuple[SameFact, ...]] = get_args(SameFact)


@attrs.frozen(kw_only=True)
class FactRules:
    """The rules that the facts of a store follow."""

    #: When two texts are the same fact: the rule of the database.
    same_fact: SameFact = "folded"
    #: The sources that speak for the user.
    explicit_sources: frozenset[str] = frozenset({EXPLICIT_SOURCE})
    #: The sources whose facts are only proposals.
    propose: frozenset[str] = frozenset()


#: The rules of the original.
ORIGINAL_RULES: Final = FactRules()


def check_same_fact(value: object) -> None:
    """Accept one of the rules, or ``None``."""
    if value is not None and (not isinstance(value, str) or value not in SAME_FACT):
        raise InvalidInputError("same_fact", 'must be "folded", "exact" or None')


def check_sources(sources: Collection[str]) -> frozenset[str]:
    """Accept any number of names of sources that speak for the user, and add ``user_explicit``."""
    return frozenset({EXPLICIT_SOURCE, *_check_names("explicit_sources", sources)})


def check_propose(sources: Collection[str]) -> frozenset[str]:
    """Accept any number of names of sources whose facts are only proposals."""
    return _check_names("propose", sources)


def _check_names(field: str, sources: Collection[str]) -> frozenset[str]:
    if isinstance(sources, str | bytes) or not isinstance(sources, Collection):
        raise InvalidInputError(field, "must be a list or set of str")
    return frozenset(check_name(field, source) for source in sources)
