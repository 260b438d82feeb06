"""
The judge of the interleavings: it accepts what some order of the calls explains, and nothing else.

Each history is written down by hand, as a store that is right, or one that is wrong, would have made it.
"""

from __future__ import annotations

import random
from datetime import datetime

import attrs
import pytest

from memrepo import MemoryEntry, Remembered, RememberOutcome, content_hash

from . import linearizability
from .calls import Call, Ending, Returned
from .journal import Block, BlockEnd, Journal, Made, explain
from .model.state import State

pytestmark = pytest.mark.campaign

_COUNT = Call("memories", "count")


def _remember(text: str) -> Call:
    return Call("memories", "remember", (text,))


def _remembered(
    made: Made, id: int, outcome: RememberOutcome = "created", since: datetime | None = None
) -> Returned:
    """What `remember` returns."""
    text = made.call.args[0]
    entry = MemoryEntry(
        id=id,
        scope="",
        content=text,
        content_hash=content_hash(text),
        category="fact",
        source="user_explicit",
        created_at=since or made.now,
        last_accessed=made.now,
        expires_at=None,
        deleted_at=None,
        superseded_by=None,
        raw_metadata=None,
        session_id=None,
    )
    return Returned(Remembered(outcome=outcome, entry=entry))


@pytest.fixture
def journal() -> Journal:
    return Journal(random.Random(0))


def _create(journal: Journal, text: str, id: int, block: Block | None = None) -> None:
    made = journal.begin(_remember(text), block)
    journal.end(made, _remembered(made, id))


def _count(journal: Journal, n: int, block: Block | None = None) -> None:
    journal.end(journal.begin(_COUNT, block), Returned(n))


def _is_explained(journal: Journal) -> bool:
    return isinstance(explain(journal.turn_over(), State()), State)


@pytest.mark.parametrize(("n", "is_right"), [(0, False), (1, True), (2, False)])
def test_what_was_acknowledged_is_seen(journal: Journal, n: int, is_right: bool) -> None:
    """A call that began after another was answered has to see what that one did."""
    _create(journal, "tea", 1)
    _count(journal, n)
    assert _is_explained(journal) is is_right


@pytest.mark.parametrize(("n", "is_right"), [(0, True), (1, True), (2, False)])
def test_what_overlaps_has_no_order(journal: Journal, n: int, is_right: bool) -> None:
    """Of two calls under way at once either may be the first."""
    made = journal.begin(_remember("tea"))
    _count(journal, n)
    journal.end(made, _remembered(made, 1))
    assert _is_explained(journal) is is_right


@pytest.mark.parametrize(("outcome", "is_right"), [("created", False), ("duplicate", True)])
def test_one_fact_is_created_once(
    journal: Journal, outcome: RememberOutcome, is_right: bool
) -> None:
    """Of two tasks that remember one fact at once only one can have created it."""
    one, two = journal.begin(_remember("tea")), journal.begin(_remember("tea"))
    since = None if outcome == "created" else two.now
    number = 2 if outcome == "created" else 1
    journal.end(one, _remembered(one, number, outcome, since))
    journal.end(two, _remembered(two, 1))
    assert _is_explained(journal) is is_right


@pytest.mark.parametrize(
    ("counts", "is_right"),
    [((0, 0), True), ((1, 1), True), ((1, 0), False), ((0, 1), False)],
)
def test_what_was_cancelled_is_decided(
    journal: Journal, counts: tuple[int, ...], is_right: bool
) -> None:
    """A cancelled call happened or did not; it neither vanishes nor comes after its `CancelledError`."""
    journal.end(journal.begin(_remember("tea")), Ending.CANCELLED)
    for n in counts:
        _count(journal, n)
    assert _is_explained(journal) is is_right


@pytest.mark.parametrize(("n", "is_right"), [(0, True), (1, False), (2, True)])
def test_transactions_are_whole(journal: Journal, n: int, is_right: bool) -> None:
    """Nobody sees a transaction's first call without its second."""
    block = journal.begin_block()
    _create(journal, "tea", 1, block)
    _count(journal, n)
    _create(journal, "chess", 2, block)
    journal.end_block(block, BlockEnd.COMMITTED)
    assert _is_explained(journal) is is_right


@pytest.mark.parametrize(("inside", "after"), [(1, 0), (0, 0), (1, 1)])
def test_what_is_rolled_back_is_undone(journal: Journal, inside: int, after: int) -> None:
    """A transaction that was rolled back saw its own changes, and nobody sees them afterwards."""
    block = journal.begin_block()
    _create(journal, "tea", 1, block)
    _count(journal, inside, block)
    journal.end_block(block, BlockEnd.ROLLED_BACK)
    _count(journal, after)
    assert _is_explained(journal) is ((inside, after) == (1, 0))


@pytest.mark.parametrize(("second", "is_right"), [(2, True), (7, True), (1, False)])
def test_ids_are_given_once(journal: Journal, second: int, is_right: bool) -> None:
    """Ids grow, with gaps or without; one that was given is not given again."""
    _create(journal, "tea", 1)
    _create(journal, "chess", second)
    assert _is_explained(journal) is is_right


def test_one_row_has_one_id(journal: Journal) -> None:
    """A fact that is seen with another id than before has no explanation."""
    made = journal.begin(_remember("tea"))
    result = _remembered(made, 1)
    journal.end(made, result)
    assert isinstance(result.value, Remembered)
    moved = attrs.evolve(result.value.entry, id=2)
    journal.end(journal.begin(Call("memories", "find_by_content", ("tea",))), Returned(moved))
    assert not _is_explained(journal)


def test_a_search_that_takes_too_long(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be decided is not accepted."""
    monkeypatch.setattr(linearizability, "_LIMIT", 3)
    for _ in range(5):
        _count(journal, 0)
    assert "no explanation among 3 places" in str(explain(journal.turn_over(), State()))
