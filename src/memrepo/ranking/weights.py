"""The weights of the formula."""

from __future__ import annotations

import attrs

__all__ = ["Weights"]


@attrs.frozen(kw_only=True)
class Weights:
    """
    How much each part of the formula counts; see docs/explanation/ranking.md.

    Each was measured on several kinds of memory. A weight of 0, or an empty tuple, leaves its part out.
    """

    #: A word counts for a row so much if the row one, two, three places before has it.
    before: tuple[float, ...] = (0.7, 0.5, 0.35)
    #: The same, if the row one, two, three places after has it.
    after: tuple[float, ...] = (0.5, 0.35, 0.25)
    #: In place of the first of `before`, if the row before is a question.
    answer: float = 0.9
    #: A word counts for a row at least so much if any row of its session has it.
    session: float = 0.2
    #: A text of more characters is long: what it has counts by the square root of this over its length.
    long_from: int = 240
    #: By so much more counts a row that begins with a name of the question.
    subject: float = 0.6
    #: By so much more counts a row that was told in a period that the question names.
    period: float = 1.0
    #: By so much more counts a row that tells a time if the question asks for one.
    when: float = 0.2
