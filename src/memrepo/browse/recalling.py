"""The playground: what a prompt would be given, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
from starlette.responses import Response

from memrepo.browse.charts import Part
from memrepo.browse.visit import Visit
from memrepo.domain.recall import LeftOut, MemoryContext, Ranking, Score

__all__ = ["playground"]

_TOKENS: Final = 1_000
_MOST_TOKENS: Final = 100_000
_ENTRIES: Final = 10
_MOST_ENTRIES: Final = 100
#: Facts that were left out, of which a reason is shown.
_LEFT_OUT: Final = 20
_RANKING: Final = Ranking()


async def playground(visit: Visit) -> Response:
    """Recall for a question, and explain each choice. It counts as no access."""
    asked = visit.text("q")
    max_tokens = visit.number("tokens", _TOKENS, _MOST_TOKENS)
    max_entries = visit.number("entries", _ENTRIES, _MOST_ENTRIES)
    is_asked = "q" in visit.query
    context: MemoryContext | None = None
    if is_asked:
        context = await visit.store.memories.recall(
            asked, max_tokens=max_tokens, max_entries=max_entries
        )
    return visit.answer(
        "recall",
        asked=asked,
        max_tokens=max_tokens,
        max_entries=max_entries,
        most_tokens=_MOST_TOKENS,
        most_entries=_MOST_ENTRIES,
        context=context,
        left_out=() if context is None else context.left_out[:_LEFT_OUT],
        most=_highest(context),
        parts=parts,
        part_names=PART_NAMES if asked else PART_NAMES[1:],
        reason=reason,
    )


#: The parts of a score, as they are drawn.
PART_NAMES: Final = ("words", "recency", "category", "source")


def _highest(context: MemoryContext | None) -> float:
    """Return the highest score that is shown."""
    if context is None:
        return 0.0
    scores = [its.score.total for its in context.entries]
    return max([*scores, *(its.score.total for its in context.left_out)], default=0.0)


def parts(score: Score, ranking: Ranking = _RANKING) -> Sequence[Part]:
    """Return what a score is made of; the parts add up to it, but for its rounding."""
    if score.relevance is None:
        left = 1 - score.decay
        named = (("recency", score.recency), ("category", score.category), ("source", score.source))
        return [Part(name, points * left) for name, points in named]
    factors = (
        ("recency", 1 + ranking.recency_weight * score.recency),
        ("category", 1 + ranking.category_weight * score.category),
        ("source", 1 + ranking.source_weight * score.source),
    )
    so_far = score.total
    for _, factor in factors:
        so_far /= factor
    found = [Part("words", so_far)]
    for name, factor in factors:
        found.append(Part(name, so_far * factor - so_far))
        so_far *= factor
    return found


@attrs.frozen
class Reason:
    """Why a fact is not in the prompt."""

    text: str
    #: The fact that is there instead.
    id: int | None = None


def reason(its: LeftOut, max_entries: int, max_tokens: int) -> Reason:
    """Return why a fact was left out, in words."""
    match its.reason:
        case "duplicate":
            return Reason("says the same as", its.same_as)
        case "max_entries":
            return Reason(f"there were {max_entries} better ones")
        case "max_tokens":
            return Reason(f"it, or one before it, did not fit into {max_tokens:,} tokens")
        case "min_relevance":
            return Reason("not relevant enough")
        case "beside":
            return Reason("only what was told beside it has a word of the question")
