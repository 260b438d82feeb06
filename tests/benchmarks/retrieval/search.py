"""What is measured: a function from a question to rows, made for each conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, TypeAlias

from tests.benchmarks.retrieval.data import Corpus

__all__ = ["Contender", "Found", "Search"]


class Found(NamedTuple):
    """A row that was found, and how relevant its finder says it is: the more, the higher, in any unit."""

    id: int
    relevance: float = 1.0


#: Takes a question and how many rows are wanted; returns the best first.
Search: TypeAlias = Callable[[str, int], Sequence[Found]]
#: Takes the rows of a conversation in, and lets go of them at the end of the block.
Contender: TypeAlias = Callable[[Corpus], AbstractContextManager[Search]]
