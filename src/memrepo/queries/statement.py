"""What a statement is: a name and constant SQL, to which values are bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import attrs

from memrepo.codec import Value

__all__ = ["BoundStatement", "Statement", "Unit"]


@attrs.frozen
class Statement:
    """One SQL statement that never changes. Its values stand as ``:name`` placeholders."""

    #: What it is called in golden tests, hooks and logs: ``memories.get``.
    name: str
    #: The text; identifiers in backticks, so that a misspelled column is an error and not a string.
    sql: str

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
