"""Which facts to have in mind: the best ones, each thing once, within a budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from functools import partial

import attrs

from memrepo.domain.carry_over import CountTokens, count_text
from memrepo.domain.memories import MemoryEntry
from memrepo.domain.recall import (
    PROMPT_HEADING,
    LeftOut,
    LeftOutReason,
    MemoryContext,
    Ranking,
    RecalledFact,
    Score,
)
from memrepo.ranking.ages import age_in_words, days_between
from memrepo.ranking.duplicates import wording
from memrepo.ranking.lines import line_of

__all__ = ["Budget", "choose"]


@attrs.frozen(kw_only=True)
class Budget:
    """How much may be shown."""

    max_entries: int
    max_tokens: int
    count_tokens: CountTokens
    #: Whether whole lines and the heading are counted, or contents only.
    counts_lines: bool

    def share(self, of_it: float) -> Budget:
        """Return a part of it, in which there is a place for one fact unless it is nothing."""
        return attrs.evolve(
            self,
            max_entries=math.ceil(self.max_entries * of_it),
            max_tokens=math.floor(self.max_tokens * of_it),
        )

    def cost(self, content: str, line: Callable[[], str]) -> int:
        """Return how many tokens a fact takes."""
        return self._count(f"{line()}\n" if self.counts_lines else content)

    def heading_cost(self) -> int:
        """Return how many tokens there are before the first fact."""
        return self._count(f"{PROMPT_HEADING}\n") if self.counts_lines else 0

    def _count(self, text: str) -> int:
        return count_text(text, self.count_tokens)


def choose(
    scored: Iterable[tuple[MemoryEntry, Score]],
    now: datetime,
    budget: Budget,
    ranking: Ranking,
    explicit_sources: Collection[str],
    *,
    has_more: bool,
) -> MemoryContext:
    """
    Choose among facts, in the order of their scores; facts with the same score keep the order they come in.

    Nothing is shown after the first that does not fit, as the original has it. Those that are pinned come before all
    others, the oldest pin first, in their share of the budget; one that does not fit there has the place of its score.
    """
    ranked = sorted(scored, key=lambda pair: -pair[1].total)
    choice = _Choice(now, explicit_sources)
    first = choice.show_first(ranked, budget.share(ranking.pinned_share))
    best = max((score.relevance or 0.0 for _, score in ranked), default=0.0)
    least = max(ranking.min_relevance, ranking.min_share * best)
    end: LeftOutReason | None = None
    for fact, score in ranked:
        if fact.id in first:
            continue
        if not score.is_pinned and (reason := _irrelevance(score, ranking, least)):
            choice.leave_out(fact, score, reason)
            continue
        words = wording(fact.content)
        if not choice.join(words, fact, score):
            end = end or choice.show(words, fact, score, budget)
            if end is not None:
                choice.leave_out(fact, score, end)
    return choice.context(has_more=has_more)


def _irrelevance(score: Score, ranking: Ranking, least: float) -> LeftOutReason | None:
    """Return why a fact does not belong to what is asked; ``None`` if it does, or nothing is asked."""
    if score.relevance is None:
        return None
    if score.relevance < least:
        return "min_relevance"
    return "beside" if ranking.needs_word and score.is_beside else None


def _pinned_since(pair: tuple[MemoryEntry, Score]) -> tuple[datetime, int]:
    fact, _ = pair
    return fact.pinned_at or fact.created_at, fact.id


class _Choice:
    """What has been chosen so far."""

    def __init__(self, now: datetime, explicit_sources: Collection[str]) -> None:
        self._now = now
        self._explicit_sources = explicit_sources
        self._n_tokens = 0
        #: By their wording, best first.
        self._shown: dict[tuple[str, ...], RecalledFact] = {}
        self._left_out: list[LeftOut] = []

    def show_first(self, scored: Iterable[tuple[MemoryEntry, Score]], share: Budget) -> set[int]:
        """Show those that are pinned until one does not fit; return the ids of those that have their place."""
        placed: set[int] = set()
        pinned = (pair for pair in scored if pair[1].is_pinned)
        for fact, score in sorted(pinned, key=_pinned_since):
            words = wording(fact.content)
            if not self.join(words, fact, score) and self.show(words, fact, score, share):
                break
            placed.add(fact.id)
        return placed

    def join(self, words: tuple[str, ...], fact: MemoryEntry, score: Score) -> bool:
        """Leave a fact out that has the wording of one that is shown; tell whether it has."""
        if (same := self._shown.get(words)) is None:
            return False
        self._shown[words] = attrs.evolve(same, joined=(*same.joined, fact.id))
        self.leave_out(fact, score, "duplicate", same.entry.id)
        return True

    def show(
        self, words: tuple[str, ...], fact: MemoryEntry, score: Score, budget: Budget
    ) -> LeftOutReason | None:
        """Show a fact, with its wording, after all others, or return why it does not fit."""
        if len(self._shown) >= budget.max_entries:
            return "max_entries"
        age = age_in_words(days_between(fact.created_at, self._now))
        line = partial(line_of, fact, age, self._explicit_sources)
        n_tokens = self._n_tokens or budget.heading_cost()
        n_tokens += budget.cost(fact.content, line)
        if n_tokens > budget.max_tokens:
            return "max_tokens"
        self._n_tokens = n_tokens
        self._shown[words] = RecalledFact(entry=fact, score=score, age=age, line=line(), joined=())
        return None

    def leave_out(
        self, fact: MemoryEntry, score: Score, reason: LeftOutReason, same_as: int | None = None
    ) -> None:
        """Do not show a fact."""
        self._left_out.append(LeftOut(entry=fact, score=score, reason=reason, same_as=same_as))

    def context(self, *, has_more: bool) -> MemoryContext:
        """Return what was chosen."""
        return MemoryContext(
            entries=tuple(self._shown.values()),
            n_tokens=self._n_tokens,
            left_out=tuple(self._left_out),
            has_more=has_more,
        )
