"""The rows that a search compares: those chosen, and their neighbours, with gaps in between."""

from __future__ import annotations

from collections.abc import Sequence, Set as AbstractSet
from typing import Final

import attrs

from memrepo.domain.codec import Row as Stored
from memrepo.ranking.rows import Row as Told

__all__ = ["N_NEAR", "Found", "neighbourhood"]

#: Neighbours on each side of a row.
N_NEAR: Final = 3


@attrs.frozen
class Found:
    """Rows that are compared, in the order in which they were told; ``None`` where some are left out."""

    rows: list[Told | None]
    #: Those that meet the filter, as they are stored, by their ids.
    meeting: dict[int, Stored]


def neighbourhood(ids: AbstractSet[int], told: Sequence[Told]) -> list[Told | None]:
    """
    Return the rows with these ids and their neighbours, with gaps between those that may be none.

    Args:
        ids: The rows that were chosen.
        told: They, and at least three rows on each side of them, in the order of (told_at, id).
    """
    centres = [place for place, its in enumerate(told) if its.id in ids]
    near = range(-N_NEAR, N_NEAR + 1)
    places = sorted({at + step for at in centres for step in near} & {*range(len(told))})
    # Of two rows beside each other in *told*, others may stand in between, unless both are near one that was chosen.
    followed = {at + step for at in centres for step in near[:-1]}
    joined: list[Told | None] = []
    for place in places:
        joined.append(told[place])
        if place not in followed:
            joined.append(None)
    return joined
