"""The rows that a search compares: those chosen, and their neighbours, with gaps in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

import attrs

from memrepo.domain.codec import Row as Stored
from memrepo.ranking.rows import Row as Told

__all__ = ["Found", "n_near", "neighbourhood"]

#: Neighbours on each side of a row that has much of the question.
_N_NEAR: Final = 3
#: So many rows have much of it.
_N_FIRST: Final = 25
#: Neighbours on each side of the others: their further ones would hardly come to the top.
_N_NEXT: Final = 1


@attrs.frozen
class Found:
    """Rows that are compared, in the order in which they were told; ``None`` where some are left out."""

    rows: list[Told | None]
    #: Those that meet the filter, as they are stored, by their ids.
    meeting: dict[int, Stored]


def n_near(*chosen: Sequence[int]) -> dict[int, int]:
    """Return for each id how many neighbours on each side are compared; each list has the best first."""
    first = chain.from_iterable(ids[:_N_FIRST] for ids in chosen)
    return dict.fromkeys(chain(*chosen), _N_NEXT) | dict.fromkeys(first, _N_NEAR)


def neighbourhood(near: Mapping[int, int], told: Sequence[Told]) -> list[Told | None]:
    """
    Return chosen rows and their neighbours, with gaps between those that may be none.

    Args:
        near: The ids of the rows that were chosen, and how many neighbours each has on each side.
        told: They, and at least so many rows on each side of them, in the order of (told_at, id).
    """
    centres = [(place, near[its.id]) for place, its in enumerate(told) if its.id in near]
    all_near = {at + step for at, most in centres for step in range(-most, most + 1)}
    places = sorted(all_near & {*range(len(told))})
    # Of two rows beside each other in *told*, others may stand in between, unless both are near one that was chosen.
    followed = {at + step for at, most in centres for step in range(-most, most)}
    joined: list[Told | None] = []
    for place in places:
        joined.append(told[place])
        if place not in followed:
            joined.append(None)
    return joined
