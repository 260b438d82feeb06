"""What holds for the facts of a store: who speaks for the user."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import attrs

from memrepo.domain.checks import check_name
from memrepo.domain.memories import EXPLICIT_SOURCE
from memrepo.errors import InvalidInputError

__all__ = ["ORIGINAL_RULES", "FactRules", "check_sources"]


@attrs.frozen(kw_only=True)
class FactRules:
    """The rules that the facts of a store follow."""

    #: The sources that speak for the user.
    explicit_sources: frozenset[str] = frozenset({EXPLICIT_SOURCE})


#: The rules of the original.
ORIGINAL_RULES: Final = FactRules()


def check_sources(sources: Collection[str]) -> frozenset[str]:
    """Accept any number of names of sources that speak for the user, and add ``user_explicit``."""
    if isinstance(sources, str | bytes) or not isinstance(sources, Collection):
        raise InvalidInputError("explicit_sources", "must be a collection of str")
    names = (check_name("explicit_sources", source) for source in sources)
    return frozenset({EXPLICIT_SOURCE, *names})
