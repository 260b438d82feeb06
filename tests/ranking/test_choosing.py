"""What is chosen, over generated facts."""

from __future__ import annotations

import math
from datetime import timedelta

import attrs
from hypothesis import given, strategies as st

from memrepo import MemoryContext, Ranking
from memrepo.domain.carry_over import estimate_tokens
from memrepo.ranking.choosing import Budget, choose
from memrepo.ranking.scoring import score_of

from . import original
from .facts import NOW, fact, milliseconds, of_row
from .original import DAY, Row

SAID = frozenset({"user_explicit"})

_ages = st.one_of(
    st.integers(-3 * DAY, 500 * DAY), st.sampled_from([n * DAY for n in (0, 1, 2, 7, 8, 30, 31)])
)
_now = milliseconds(NOW)


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    """Facts, each with a word of its own, so that none is like another."""
    return [
        Row(
            number,
            f"fact {number} {'x' * draw(st.integers(0, 200))}",
            draw(st.sampled_from(["preference", "fact", "pattern", "schedule"])),
            draw(st.sampled_from(["user_explicit", "jarvis_inferred", "calendar"])),
            _now - draw(_ages),
            draw(st.none() | _ages.map(lambda age: _now - age)),
        )
        for number in range(1, draw(st.integers(0, 30)) + 1)
    ]


def choice(rows: list[Row], budget: Budget) -> MemoryContext:
    facts = [of_row(row) for row in original.candidates(rows)]
    scored = [(its, score_of(its, NOW, Ranking(), SAID)) for its in facts]
    return choose(scored, NOW, budget, Ranking(), SAID, has_more=False)


@given(rows=rows(), max_tokens=st.integers(1, 400), max_entries=st.integers(1, 12))
def test_chooses_as_the_original(rows: list[Row], max_tokens: int, max_entries: int) -> None:
    """The same facts in the same order, whatever their ages, texts and the budget."""
    budget = Budget(
        max_entries=max_entries,
        max_tokens=max_tokens,
        count_tokens=estimate_tokens,
        counts_lines=False,
    )
    context = choice(rows, budget)
    chosen = [shown.entry.id for shown in context.entries]
    assert chosen == original.choose(rows, _now, max_tokens, max_entries)
    left_out = [its.entry.id for its in context.left_out]
    assert sorted(chosen + left_out) == sorted(row.id for row in rows)
    totals = [its.score.total for its in context.entries]
    totals += [its.score.total for its in context.left_out]
    assert totals == sorted(totals, reverse=True)
    assert context.n_tokens <= max_tokens


@given(
    rows=rows(),
    pinned=st.sets(st.integers(1, 30)),
    max_tokens=st.integers(1, 400),
    max_entries=st.integers(1, 12),
    share=st.floats(0, 1),
)
def test_pinned_facts_come_first(
    rows: list[Row], pinned: set[int], max_tokens: int, max_entries: int, share: float
) -> None:
    """In the order of their pins while they fit their share; the rest is what would be chosen of the rest."""
    ranking = Ranking(pinned_share=share)
    facts = [of_row(row) for row in original.candidates(rows)]
    # The lower the id, the later the pin.
    facts = [
        attrs.evolve(its, pinned_at=NOW - timedelta(days=its.id)) if its.id in pinned else its
        for its in facts
    ]
    budget = Budget(
        max_entries=max_entries,
        max_tokens=max_tokens,
        count_tokens=estimate_tokens,
        counts_lines=False,
    )
    scored = [(its, score_of(its, NOW, ranking, SAID)) for its in facts]
    context = choose(scored, NOW, budget, ranking, SAID, has_more=False)
    chosen = [shown.entry.id for shown in context.entries]
    cost = {row.id: estimate_tokens(row.content) for row in rows}
    first: list[int] = []
    for number in sorted(pinned & cost.keys(), reverse=True):
        if len(first) + 1 > math.ceil(max_entries * share):
            break
        if sum(cost[its] for its in (*first, number)) > max_tokens * share:
            break
        first.append(number)
    assert chosen[: len(first)] == first
    left = max_tokens - sum(map(cost.__getitem__, first))
    others = [row for row in rows if row.id not in first]
    rest = original.choose(others, _now, left, max_entries - len(first))
    assert chosen[len(first) :] == rest
    assert sorted(chosen + [its.entry.id for its in context.left_out]) == sorted(cost)


_contents = st.lists(
    st.sampled_from(["tea", "Tea", "the", "no", "\n", "- ", "cello", "x" * 50]), min_size=1
)


@given(contents=st.lists(_contents.map(" ".join), max_size=12), max_tokens=st.integers(1, 300))
def test_the_block_is_in_the_budget(contents: list[str], max_tokens: int) -> None:
    """Where lines are counted, the whole prompt is; each fact is shown once, joined, or left out for a reason."""
    facts = [fact(id=number, content=text) for number, text in enumerate(contents, start=1)]
    budget = Budget(max_entries=5, max_tokens=max_tokens, count_tokens=len, counts_lines=True)
    scored = [(its, score_of(its, NOW, Ranking(), SAID)) for its in facts]
    context = choose(scored, NOW, budget, Ranking(), SAID, has_more=False)
    prompt = context.to_prompt()
    assert len(prompt) <= context.n_tokens <= max_tokens
    assert len(prompt.splitlines()) == (len(context.entries) + 1 if context.entries else 0)
    joined = [number for shown in context.entries for number in shown.joined]
    duplicates = [its.entry.id for its in context.left_out if its.reason == "duplicate"]
    assert sorted(joined) == sorted(duplicates)
    everything = [its.entry.id for its in context.entries]
    everything += [its.entry.id for its in context.left_out]
    assert sorted(everything) == [its.id for its in facts]
