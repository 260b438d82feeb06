"""What recall weighs, and what it gives: the facts to have in mind, each choice explained."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final, Literal, TypeAlias

import attrs

from memrepo.domain.checks import check_duration, check_flag, check_name, check_names
from memrepo.domain.memories import MemoryEntry
from memrepo.domain.plain import PlainModel
from memrepo.errors import InvalidInputError

__all__ = [
    "DEFAULT_MIN_RELEVANCE",
    "HALF_LIFE",
    "PROMPT_HEADING",
    "LeftOut",
    "LeftOutReason",
    "MemoryContext",
    "Ranking",
    "RecalledFact",
    "Score",
    "check_points",
    "check_ranking",
]

#: In this time without access, a fact that fades loses half of its score: the original's.
HALF_LIFE: Final = timedelta(days=30)
#: What is less relevant to what is asked is better not shown to a model; chosen by measurement.
DEFAULT_MIN_RELEVANCE: Final = 0.25
#: The first line of the block for a prompt.
PROMPT_HEADING: Final = "User context:"

#: Why a fact was left out: it says the same as one that is shown; there were enough; it, or one before it, did
#: not fit; it was not relevant enough to what was asked; it has nothing of that itself, but what was told beside it.
LeftOutReason: TypeAlias = Literal[
    "duplicate", "max_entries", "max_tokens", "min_relevance", "beside"
]


def _recency(table: Mapping[int, float]) -> Mapping[int, float]:
    _require_mapping("recency", table)
    for days in table:
        if type(days) is not int or days < 0:
            raise InvalidInputError("recency", "must have whole days from 0 as keys")
    return {days: check_points(f"recency[{days}]", table[days]) for days in sorted(table)}


def _categories(table: Mapping[str, float]) -> Mapping[str, float]:
    return _points("categories", table)


def _sources(table: Mapping[str, float]) -> Mapping[str, float]:
    return _points("sources", table)


def _points(field: str, table: Mapping[str, float]) -> Mapping[str, float]:
    _require_mapping(field, table)
    # A copy, so that who changes the table that was given does not change this one.
    return {
        check_name(field, name): check_points(f"{field}.{name}", points)
        for name, points in table.items()
    }


def _require_mapping(field: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise InvalidInputError(field, f"must be a mapping, not {type(value).__name__}")


def check_points(field: str, value: object) -> float:
    """Accept a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidInputError(field, "must be a finite number")
    return value


def _fading_sources(names: Collection[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(check_names("fading_sources", names))


def _weight(value: float) -> float:
    if check_points("weight", value) < 0:
        raise InvalidInputError("weight", "must not be negative")
    return value


def _min_relevance(value: float) -> float:
    return _share("min_relevance", value)


def _min_share(value: float) -> float:
    return _share("min_share", value)


def _needs_word(value: bool) -> bool:  # noqa: FBT001 - an attrs converter
    return check_flag("needs_word", value)


def _pinned_share(value: float) -> float:
    return _share("pinned_share", value)


def _share(field: str, value: float) -> float:
    if not 0 <= check_points(field, value) <= 1:
        raise InvalidInputError(field, "must be from 0 to 1")
    return value


def _older(value: float) -> float:
    return check_points("older", value)


def _half_life(value: timedelta) -> timedelta:
    return check_duration("half_life", value)


@attrs.frozen(kw_only=True)
class Ranking:
    """
    The points that `MemoryRepo.recall` gives to a fact: by default those of the original.

    When nothing is asked, the score is the sum of the points for its last access, its category and its source,
    times what has not faded of it, rounded. With tables of your own: ``Ranking(categories={"rule": 40, "fact": 20})``.

    When something is asked, it is the score of the search, times (1 + weight * share) for each of recency,
    category and source. The shares are 0 to 1: what has not faded since the last access, whatever the source; and the points by the
    most that the table has. The weights are small, because a question is about what it asks.

    Raises:
        InvalidInputError: A field is not accepted.
    """

    #: Points for the last access, or the creation of a fact that has none, by the most whole days since then: up
    #: to 0, 1, 7 and 30 days. An instant in the future counts as 7 days ago.
    recency: Mapping[int, float] = attrs.field(
        default={0: 50, 1: 40, 7: 30, 30: 15}, converter=_recency
    )
    #: Points for one that is longer ago than all of these.
    older: float = attrs.field(default=5, converter=_older)
    #: Points by category; 0 for any other.
    categories: Mapping[str, float] = attrs.field(
        default={"preference": 30, "fact": 20, "pattern": 10}, converter=_categories
    )
    #: Points by source; 0 for any other. A source that speaks for the user (`explicit_sources` of the store), and
    #: is not in the table, has those of ``user_explicit``.
    sources: Mapping[str, float] = attrs.field(
        default={"user_explicit": 20, "inferred": 10, "jarvis_inferred": 10}, converter=_sources
    )
    #: In this time without access, a fact that fades loses half of its score.
    half_life: timedelta = attrs.field(default=HALF_LIFE, converter=_half_life)
    #: The sources whose facts fade; all that do not speak for the user if ``None``.
    fading_sources: Collection[str] | None = attrs.field(default=None, converter=_fading_sources)
    #: How much recency counts when something is asked.
    recency_weight: float = attrs.field(default=0.1, converter=_weight)
    #: How much the category counts then.
    category_weight: float = attrs.field(default=0.1, converter=_weight)
    #: How much the source counts then.
    source_weight: float = attrs.field(default=0.1, converter=_weight)
    #: What is less relevant to what is asked is left out: 0 to 1. Models are harmed more by what does not belong
    #: than by what is missing. The default was measured (docs/retrieval.md).
    min_relevance: float = attrs.field(default=DEFAULT_MIN_RELEVANCE, converter=_min_relevance)
    #: What has less than this share of the relevance of the most relevant fact is left out, too: 0 to 1.
    min_share: float = attrs.field(default=0.5, converter=_min_share)
    #: Whether a fact must have a word of what is asked itself, unless it is a turn of a conversation ("Ann: ..."). If not,
    #: it is enough that it was told just before or after one that has it.
    needs_word: bool = attrs.field(default=True, converter=_needs_word)
    #: How much of the tokens, and of the facts, those that are pinned may take before all others: 0 to 1.
    pinned_share: float = attrs.field(default=0.5, converter=_pinned_share)


def check_ranking(value: object) -> None:
    """Accept a `Ranking`."""
    if not isinstance(value, Ranking):
        raise InvalidInputError("ranking", f"must be a Ranking, not {type(value).__name__}")


@attrs.frozen(kw_only=True)
class Score(PlainModel):
    """Why a fact stands where it does: its points, and how they add up."""

    #: What facts are sorted by; see `Ranking`.
    total: float
    #: Points for the last access; when something is asked, the share.
    recency: float
    #: Points for the category, or the share.
    category: float
    #: Points for the source, or the share.
    source: float
    #: How much of it has faded, from 0 (nothing) to 1; 0 when something is asked.
    decay: float
    #: How relevant it is to what is asked, 0 to 1; ``None`` when nothing is asked.
    relevance: float | None = None
    #: Why the search has found it; see `Hit`.
    why: str = ""
    #: Whether the fact is pinned: then it may come first, whatever its points.
    is_pinned: bool = False
    #: Whether only what was told beside it has a word of what is asked, and it is no turn of a conversation.
    is_beside: bool = False

    def __str__(self) -> str:
        """
        Return it in words, as ``recency 50 + category 30 + source 10, faded by 12 %: 79``, or why it was found.

        What is pinned says so first.
        """
        parts = ["pinned"] if self.is_pinned else []
        if self.relevance is None or self.why:
            parts.append(self._in_words())
        return ", ".join(parts)

    def _in_words(self) -> str:
        if self.relevance is not None:
            return f"{self.why}: {self.total:.2f}"
        faded = f", faded by {self.decay:.0%}".replace("%", " %") if self.decay else ""
        points = f"recency {self.recency:g} + category {self.category:g} + source {self.source:g}"
        return f"{points}{faded}: {self.total:g}"


@attrs.frozen(kw_only=True)
class RecalledFact(PlainModel):
    """A fact to have in mind."""

    #: The fact, as it was read.
    entry: MemoryEntry
    #: Why it stands where it does.
    score: Score
    #: How long ago it was first remembered, in words: ``today``, ``yesterday``, ``2 weeks ago``.
    age: str
    #: Its line of the prompt.
    line: str
    #: The ids of facts that say the same, and are not shown, best first.
    joined: tuple[int, ...]


@attrs.frozen(kw_only=True)
class LeftOut(PlainModel):
    """A fact that was looked at and is not shown."""

    #: The fact, as it was read.
    entry: MemoryEntry
    #: Where it would have stood.
    score: Score
    #: Why it is not shown.
    reason: LeftOutReason
    #: The id of the fact that says the same, if that is the reason.
    same_as: int | None


@attrs.frozen(kw_only=True)
class MemoryContext(PlainModel):
    """What to have in mind, and what was left out; see `MemoryRepo.recall`."""

    #: The facts: first those that are pinned, then the best first.
    entries: tuple[RecalledFact, ...]
    #: How many tokens their contents have, or their lines and the heading, whichever were counted.
    n_tokens: int
    #: The others that were looked at, best first.
    left_out: tuple[LeftOut, ...]
    #: Whether there are current facts that were not looked at, because they were accessed longer ago; when
    #: something is asked, whether there may be others that the search finds.
    has_more: bool

    def to_prompt(self) -> str:
        """
        Return the block for a prompt: a heading, and a line for each fact.

        Each line begins with ``- ``, the category and a colon, and ends with the age, who says so and ``pinned`` if
        it is, in parentheses.
        In between stands the content as one line: white space is a space, what nobody sees is left out, and
        what would end the block, begin an item or open a tag is not markup any more.

        Returns:
            The lines, without a line break at their end; ``""`` if there is no fact.
        """
        lines = [PROMPT_HEADING, *(fact.line for fact in self.entries)]
        return "\n".join(lines) if self.entries else ""
