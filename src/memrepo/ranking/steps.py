"""Work in steps: a generator that yields wherever something else may be done, and returns its result."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from itertools import islice
from typing import TypeAlias, TypeVar

__all__ = ["Steps", "collect", "finish"]

T = TypeVar("T")

#: Work of less than a tenth of a millisecond between two of its steps, for a question and rows of common size.
Steps: TypeAlias = Generator[None, None, T]


def collect(items: Iterable[T], at_once: int = 1) -> Steps[list[T]]:
    """Make a list of *items*, so many in each step."""
    source = iter(items)
    made: list[T] = []
    while some := [*islice(source, at_once)]:
        made += some
        yield
    return made


def finish(steps: Steps[T]) -> T:
    """Do all steps at once, and return their result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
