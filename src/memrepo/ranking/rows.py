"""The rows that a question is held against, and which of them stand beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set as AbstractSet
from datetime import datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple

import attrs

from memrepo.ranking.steps import Steps

__all__ = ["NEARBY", "Posting", "Row", "Scope", "Sequences", "sequences"]

#: Rows of unknown sessions are of one session if no more time lies between them.
NEARBY: Final = timedelta(hours=1)
#: Rows that are looked at in one step.
_AT_ONCE: Final = 50


class Row(NamedTuple):
    """A fact, an event or a summary, as far as ranking looks at it."""

    id: int
    text: str
    told_at: datetime
    session_id: int | None = None


@attrs.frozen
class Posting:
    """Which rows of a scope have a word."""

    #: How many have it.
    n_rows: int
    #: Those of them that are known.
    ids: AbstractSet[int]
    #: Whether *ids* are all of them; else a row's text is looked at.
    is_complete: bool = True


@attrs.frozen
class Scope:
    """What is known of all rows of a scope that may be found."""

    n_rows: int
    #: For each word of the question, by its text.
    postings: Mapping[str, Posting]
    #: The words that many rows begin with, as tokens: the names of those whom the scope is about.
    subjects: AbstractSet[str] = frozenset()


@attrs.frozen
class Sequences:
    """Rows, session by session; in a session in the order in which they were told."""

    rows: tuple[Row, ...]
    #: For each row the number of its run: neighbours in a run were told one after the other.
    runs: tuple[int, ...]
    #: For each row the number of its session.
    sessions: tuple[int, ...]


def sequences(rows: Sequence[Row | None]) -> Steps[Sequences]:
    """
    Tell, in steps, which rows are neighbours.

    Args:
        rows: In the order of (told_at, id); ``None`` where some are left out in between.
    """
    runs: list[list[Row]] = []
    session_of_run: list[object] = []
    open_runs: dict[object, list[Row]] = {}
    n_unknown, last = 0, None
    for place, row in enumerate(rows):
        if place % _AT_ONCE == 0:
            yield
        if row is None:
            open_runs.clear()
            continue
        session: object = row.session_id
        if session is None:
            if last is not None and row.told_at - last > NEARBY:
                n_unknown += 1
            last = row.told_at
            session = (n_unknown,)
        if session in open_runs:
            open_runs[session].append(row)
        else:
            open_runs[session] = [row]
            runs.append(open_runs[session])
            session_of_run.append(session)
    yield
    numbers = {session: number for number, session in enumerate(dict.fromkeys(session_of_run))}
    run_of: list[int] = []
    session_of: list[int] = []
    for number, (run, session) in enumerate(zip(runs, session_of_run, strict=True)):
        run_of += [number] * len(run)
        session_of += [numbers[session]] * len(run)
    return Sequences(tuple(chain.from_iterable(runs)), tuple(run_of), tuple(session_of))
