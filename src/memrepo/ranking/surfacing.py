"""Which facts to bring up unasked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import attrs

from memrepo.domain.memories import MemoryEntry
from memrepo.domain.recall import Ranking, RecalledFact
from memrepo.domain.surfacing import Surfacing
from memrepo.ranking.ages import age_in_words, days_between
from memrepo.ranking.lines import line_of
from memrepo.ranking.scoring import score_of

__all__ = ["SurfacingRule", "surface"]


@attrs.frozen(kw_only=True)
class SurfacingRule:
    """What is brought up, and how much of it."""

    #: In lower case.
    action_words: Sequence[str]
    max_pending: int
    max_contextual: int
    #: A pending fact was accessed this recently, in whole days.
    within: timedelta
    #: The score that a contextual fact has at least.
    least_score: float

    def is_pending(self, fact: MemoryEntry, now: datetime) -> bool:
        """Tell whether somebody wants something done, and was told of it lately."""
        days = days_between(fact.last_accessed or fact.created_at, now)
        if not 0 <= days <= self.within // timedelta(days=1):
            return False
        content = fact.content.lower()
        return any(word in content for word in self.action_words)


def surface(
    due: Iterable[MemoryEntry],
    others: Iterable[MemoryEntry],
    now: datetime,
    rule: SurfacingRule,
    ranking: Ranking,
    explicit_sources: Collection[str],
) -> Surfacing:
    """
    Choose what to bring up: all that is *due*, and of the *others* as the original does.

    Of the others, what has a date waits for it, and what was surfaced was brought up.
    """

    def shown(fact: MemoryEntry, *, is_due: bool = False) -> RecalledFact:
        age = age_in_words(days_between(fact.created_at, now))
        when = f"due {age_in_words(days_between(fact.due_at or now, now))}" if is_due else age
        score = score_of(fact, now, ranking, explicit_sources)
        line = line_of(fact, when, explicit_sources)
        return RecalledFact(entry=fact, score=score, age=age, line=line, joined=())

    open_ones = [shown(fact) for fact in others if fact.due_at is fact.surfaced_at is None]
    open_ones.sort(key=lambda fact: -fact.score.total)
    pending = [fact for fact in open_ones if rule.is_pending(fact.entry, now)]
    ids = {fact.entry.id for fact in pending}
    contextual = [
        fact
        for fact in open_ones
        if fact.score.total >= rule.least_score and fact.entry.id not in ids
    ]
    return Surfacing(
        due=tuple(shown(fact, is_due=True) for fact in due),
        pending=tuple(pending[: rule.max_pending]),
        contextual=tuple(contextual[: rule.max_contextual]),
    )
