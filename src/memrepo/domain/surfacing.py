"""What to bring up unasked: what is due, what is pending, and what may matter now."""

from __future__ import annotations

from typing import Final

import attrs

from memrepo.domain.plain import PlainModel
from memrepo.domain.recall import RecalledFact

__all__ = ["ACTION_WORDS", "Surfacing"]

#: What a fact says that somebody wants done: the original's words.
ACTION_WORDS: Final = (
    "follow up",
    "remind",
    "pending",
    "waiting",
    "need to",
    "should",
    "want to",
    "deadline",
)


@attrs.frozen(kw_only=True)
class Surfacing(PlainModel):
    """What to bring up; see `MemoryRepo.surface`."""

    #: What is due, the one that was due first before the others.
    due: tuple[RecalledFact, ...]
    #: What somebody wants done, by words of action, the highest score first.
    pending: tuple[RecalledFact, ...]
    #: What else may matter now, the highest score first.
    contextual: tuple[RecalledFact, ...]

    @property
    def ids(self) -> list[int]:
        """The ids of what is due and of what is pending, for `MemoryRepo.surfaced`."""
        return [fact.entry.id for fact in (*self.due, *self.pending)]

    def to_prompt(self) -> str:
        """
        Return the block for a prompt: a heading for each list that has a fact, and a line for each fact.

        The lines are those of `MemoryContext.to_prompt`; what is due says since when, in the place of the age.

        Returns:
            The lines, without a line break at their end; ``""`` if there is nothing to bring up.
        """
        lists = (
            ("Due:", self.due),
            ("Pending:", self.pending),
            ("May matter now:", self.contextual),
        )
        parts = [[heading, *(fact.line for fact in facts)] for heading, facts in lists if facts]
        return "\n".join(line for part in parts for line in part)
