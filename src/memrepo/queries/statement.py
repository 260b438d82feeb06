"""What a statement is: a name and constant SQL, to which values are bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

import attrs

from memrepo.codec import Row, Value

__all__ = ["MERGE_SIZES", "BoundStatement", "Merge", "Statement", "Unit"]

#: How many calls one merged statement can stand for. A few sizes, so that each stays prepared; the
#: largest, because longer ones gain nothing more.
MERGE_SIZES: Final = (64, 16, 4)


@attrs.frozen
class Statement:
    """One SQL statement that never changes. Its values stand as ``:name`` placeholders."""

    #: What it is called in golden tests, hooks and logs: ``memories.get``.
    name: str
    #: The text; identifiers in backticks, so that a misspelled column is an error and not a string.
    sql: str
    #: How it runs for several calls at once; ``None`` if it runs for each.
    merge: Merge | None = None
    #: Whether what it returns is small whatever it is given, so that no answer is too large to send.
    returns_little: bool = False

    def bind(self, **parameters: Value) -> BoundStatement:
        """Give each placeholder its value."""
        return BoundStatement(self, parameters)


class BoundStatement(NamedTuple):
    """A statement with its values, ready to run."""

    #: What to run.
    statement: Statement
    #: The value of each placeholder, by its name.
    parameters: Mapping[str, Value]


#: Statements that happen together or not at all.
Unit = tuple[BoundStatement, ...]

#: Takes the statements that were merged and the rows of the merged one; gives each its own.
Split: TypeAlias = Callable[[Sequence[BoundStatement], list[Row]], list[list[Row]]]


@attrs.frozen
class Merge:
    """
    A statement that does what several of one kind would, one after another, in a third of the time.

    SQLite is then called once, and the interpreter's lock let go once, for all of them.
    """

    #: Takes how many, one of `MERGE_SIZES`; gives the text, its values as ``?``, row after row.
    sql: Callable[[int], str]
    #: Takes the parameters of one statement; gives its row of values.
    values: Callable[[Mapping[str, Value]], tuple[Value, ...]]
    #: Tells whose each of the rows is that it returned.
    split: Split
