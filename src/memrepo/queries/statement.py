"""Statements: a name and constant SQL, to which values are bound."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

import attrs

from memrepo.domain.codec import Value
from memrepo.errors import InvalidInputError

__all__ = ["BoundStatement", "Statement", "Unit", "control_word", "values_of"]

_Parameters: TypeAlias = Mapping[str, Value]
_Values: TypeAlias = tuple[Value, ...]

#: A placeholder, or text that only seems to contain one: a string, a quoted name, a comment.
_PLACEHOLDER: Final = re.compile(r""":(\w+)|'[^']*'|"[^"]*"|`[^`]*`|--.*|/\*[\s\S]*?\*/""")

#: Words that begin or end a transaction, or cannot run inside one; after comments.
_begins_with_control = re.compile(
    r"(?:[\s;]|--.*\n|/\*[\s\S]*?\*/)*"
    r"(begin|commit|end|rollback|savepoint|release|vacuum|attach|detach)\b",
    re.IGNORECASE,
).match
#: The types that every driver stores as they are; subclasses of them are taken too.
_VALUE_TYPES: Final = (int, float, str, bytes, type(None))


def control_word(sql: str) -> str | None:
    """Return the word by which *sql* begins or ends a transaction, or attaches a file; None if it does not."""
    found = _begins_with_control(sql)
    return found[1].upper() if found else None


def values_of(names: Sequence[str]) -> Callable[[_Parameters], _Values]:
    """Return a function that takes the values of *names*, in this order, from parameters."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda parameters: tuple(parameters[name] for name in names)


def _accepted_name(name: str) -> str:
    return _require_str("name", name)


def _accepted_sql(sql: str) -> str:
    word = control_word(_require_str("sql", sql))
    if word and word != "VACUUM":
        raise InvalidInputError("sql", f"must not begin with {word}")
    return sql


def _require_str(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInputError(field, f"must be str, not {type(value).__name__}")
    return value


@attrs.frozen
class Statement:
    """
    One SQL statement that never changes. Its values stand as ``:name`` placeholders.

    Make it once, ``GET = Statement("contacts.get", str(query))``, and bind values for each call.
    Fields other than these two are for memrepo's own statements.

    Raises:
        InvalidInputError: A field is not a str, or the SQL begins or ends a transaction. The connection
            does that: it commits the calls of several tasks together.
    """

    #: What hooks and error messages call it: ``memories.get``.
    name: str = attrs.field(converter=_accepted_name)
    #: The text; identifiers in backticks, so that a misspelled column is an error and not a string.
    sql: str = attrs.field(converter=_accepted_sql)
    #: Whether its result is always small, so that a server can always send it.
    returns_little: bool = attrs.field(default=False, kw_only=True)
    #: `sql` with ``?`` instead of names, which Python's sqlite3 would look up one by one at each call. Not
    #: ``?1``, which some versions of Python 3.12 take for a name.
    positional_sql: str = attrs.field(init=False, repr=False, eq=False)
    #: Takes the values by their names; returns them in the order of `positional_sql`.
    values: Callable[[_Parameters], _Values] = attrs.field(init=False, repr=False, eq=False)
    _names: frozenset[str] = attrs.field(init=False, repr=False, eq=False)

    @positional_sql.default
    def _without_names(self) -> str:
        return _PLACEHOLDER.sub(lambda found: "?" if found[1] else found[0], self.sql)

    @values.default
    def _pick(self) -> Callable[[_Parameters], _Values]:
        return values_of([*filter(None, _PLACEHOLDER.findall(self.sql))])

    @_names.default
    def _find_names(self) -> frozenset[str]:
        return frozenset(filter(None, _PLACEHOLDER.findall(self.sql)))

    def bind(self, **parameters: Value) -> BoundStatement:
        """
        Return the statement with a value for each placeholder: int, float, str, bytes or None.

        Raises:
            InvalidInputError: A placeholder has no value, or one of another type.
        """
        if not parameters.keys() >= self._names:
            missing = min(self._names - parameters.keys())
            raise InvalidInputError(missing, f"has no value in {self.name}")
        given: Mapping[str, object] = parameters
        for name, value in given.items():
            if not isinstance(value, _VALUE_TYPES):
                kind = type(value).__name__
                raise InvalidInputError(name, f"must be int, float, str, bytes or None, not {kind}")
        return BoundStatement(self, parameters)


class BoundStatement(NamedTuple):
    """A statement with its values, ready to run."""

    #: What to run.
    statement: Statement
    #: The value of each placeholder, by its name.
    parameters: _Parameters


#: Statements that happen together or not at all.
Unit = tuple[BoundStatement, ...]
