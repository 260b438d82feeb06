"""Statements: a name and constant SQL, to which values are bound."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

import attrs

from memrepo.domain.codec import Value
from memrepo.errors import InvalidInputError

__all__ = [
    "BoundStatement",
    "Statement",
    "Unit",
    "check_read",
    "check_value",
    "control_word",
    "is_long",
    "not_a_unit",
    "values_of",
]

_Parameters: TypeAlias = Mapping[str, Value]
_Values: TypeAlias = tuple[Value, ...]

#: A placeholder, or text that only seems to contain one: a string, a quoted name, a comment.
_PLACEHOLDER: Final = re.compile(
    r""":(\w+)|'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|--.*|/\*[\s\S]*?\*/"""
)
#: SQLite's other placeholders, to which nothing could be bound. A name may contain ``$``.
_finds_foreign_placeholder = re.compile(r"\?\d*|(?<![\w$])[$@#]\w+").search

#: Before the first word of a statement.
_BLANKS: Final = r"(?:[\s;]|--.*\n|/\*[\s\S]*?\*/)*"
#: Words that begin or end a transaction, or cannot run inside one.
_begins_with_control = re.compile(
    rf"{_BLANKS}(begin|commit|end|rollback|savepoint|release|vacuum|attach|detach)\b",
    re.IGNORECASE,
).match
_begins_with_pragma = re.compile(rf"{_BLANKS}pragma\b", re.IGNORECASE).match
_begins_with_write = re.compile(
    rf"{_BLANKS}(insert|update|delete|replace|create|alter|drop|reindex|analyze|vacuum)\b",
    re.IGNORECASE,
).match
_begins_with_with = re.compile(rf"{_BLANKS}with\b", re.IGNORECASE).match
#: What follows the queries of a WITH that writes. SQLite takes none of these words for a name, unless it is quoted.
_finds_write = re.compile(r"\b(insert|update|delete|replace\s+into)\b", re.IGNORECASE).search
#: The types that every driver stores as they are; subclasses of them are taken too.
_VALUE_TYPES: Final = (int, float, str, bytes, type(None))
#: The same, to look up the exact type, which takes half as long as `isinstance`.
_USUAL_TYPES: Final = frozenset(_VALUE_TYPES)
_INT64: Final = range(-(2**63), 2**63)


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
    if found := _finds_foreign_placeholder(_PLACEHOLDER.sub(" ", sql)):
        raise InvalidInputError("sql", f"has the placeholder {found[0]}: write :name")
    return sql


def _require_no_pragma(statement: Statement, _: object, sql: str) -> None:
    if _begins_with_pragma(sql) and not statement.is_pragma:
        raise InvalidInputError(
            "sql", "must not begin with PRAGMA: the connection has its settings"
        )


def _is_write(sql: str) -> bool:
    if _begins_with_with(sql):
        return _finds_write(_PLACEHOLDER.sub(" ", sql)) is not None
    return _begins_with_write(sql) is not None


def _require_str(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInputError(field, f"must be str, not {type(value).__name__}")
    return value


@attrs.frozen
class Statement:
    """
    One SQL statement that never changes. Its values stand as ``:name`` placeholders.

    Make it once, ``GET = Statement("contacts.get", str(query))``, and bind values for each call.
    Say so where it may read many rows, ``is_long=True``: other reads then need not wait for it. The other
    fields are for memrepo's own statements.

    Raises:
        InvalidInputError: A field is not a str, a placeholder is no ``:name``, or the SQL is a PRAGMA or
            begins or ends a transaction. The connection does these: it commits the calls of several
            tasks together, and all of them rely on its settings.
    """

    #: What hooks and error messages call it: ``memories.get``.
    name: str = attrs.field(converter=_accepted_name)
    #: The text; identifiers in backticks, so that a misspelled column is an error and not a string.
    sql: str = attrs.field(converter=_accepted_sql, validator=_require_no_pragma)
    #: Whether it may read many rows, because no index leads to the few that are wanted or because many are:
    #: `Connection.read` then runs it beside other reads and not before them.
    is_long: bool = attrs.field(default=False, kw_only=True)
    #: Whether its result is always small, so that a server can always send it.
    returns_little: bool = attrs.field(default=False, kw_only=True)
    #: Whether it may be a PRAGMA.
    is_pragma: bool = attrs.field(default=False, kw_only=True)
    #: Whether it may change something, so that only `Connection.write` runs it.
    is_write: bool = attrs.field(init=False, repr=False, eq=False)
    #: `sql` with ``?`` instead of names, which Python's sqlite3 would look up one by one at each call. Not
    #: ``?1``, which some versions of Python 3.12 take for a name.
    positional_sql: str = attrs.field(init=False, repr=False, eq=False)
    #: Takes the values by their names; returns them in the order of `positional_sql`.
    values: Callable[[_Parameters], _Values] = attrs.field(init=False, repr=False, eq=False)
    #: The names of its placeholders.
    names: frozenset[str] = attrs.field(init=False, repr=False, eq=False)

    @is_write.default
    def _look_for_its_verb(self) -> bool:
        return _is_write(self.sql)

    @positional_sql.default
    def _without_names(self) -> str:
        return _PLACEHOLDER.sub(lambda found: "?" if found[1] else found[0], self.sql)

    @values.default
    def _pick(self) -> Callable[[_Parameters], _Values]:
        return values_of([*filter(None, _PLACEHOLDER.findall(self.sql))])

    @names.default
    def _find_names(self) -> frozenset[str]:
        return frozenset(filter(None, _PLACEHOLDER.findall(self.sql)))

    def bind(self, /, **parameters: Value) -> BoundStatement:
        """
        Return the statement with a value for each placeholder: int, float, str, bytes or None.

        That an int fits into 64 bits, and a str into UTF-8, is checked when the statement runs.

        Raises:
            InvalidInputError: A placeholder has no value, or one of another type; or a value is for a
                placeholder that the statement does not have.
        """
        if parameters.keys() != self.names:
            raise self._misnamed(parameters)
        given: Mapping[str, object] = parameters
        for name, value in given.items():
            if type(value) not in _USUAL_TYPES and not isinstance(value, _VALUE_TYPES):
                raise _wrong_type(name, value)
        return BoundStatement(self, parameters)

    def check(self, parameters: _Parameters) -> None:
        """
        Accept values that a database stores as they are, for when one has refused them.

        `bind` does not: it would take as long as reading all of their text.

        Raises:
            InvalidInputError: There is one that it does not store, which the error names.
        """
        if parameters.keys() != self.names:
            raise self._misnamed(parameters)
        for name, value in parameters.items():
            check_value(name, value)

    def _misnamed(self, parameters: _Parameters) -> InvalidInputError:
        if missing := self.names - parameters.keys():
            return InvalidInputError(min(missing), f"has no value in {self.name}")
        extra = parameters.keys() - self.names
        return InvalidInputError(min(extra), f"is no placeholder of {self.name}")


class BoundStatement(NamedTuple):
    """A statement with its values, ready to run."""

    #: What to run.
    statement: Statement
    #: The value of each placeholder, by its name.
    parameters: _Parameters


def is_long(bound: object) -> bool:
    """Tell whether *bound* is a bound statement that has declared itself long."""
    return type(bound) is BoundStatement and bound.statement.is_long


def check_read(bound: object) -> None:
    """Accept a bound statement that only reads; what is no bound statement is refused where it would run."""
    if type(bound) is BoundStatement and bound.statement.is_write:
        raise InvalidInputError(
            "statement", f"must only read: {bound.statement.name} is for write()"
        )


#: Statements that happen together or not at all.
Unit = tuple[BoundStatement, ...]


def not_a_unit(given: object) -> InvalidInputError:
    """Return the error for what is no tuple of bound statements; a bound statement is itself a tuple."""
    if type(given) is not tuple:
        found = type(given).__name__
        return InvalidInputError("unit", f"must be a tuple of bound statements, not {found}")
    items: tuple[object, ...] = given
    found = next(type(item).__name__ for item in items if type(item) is not BoundStatement)
    return InvalidInputError("statement", f"must be what Statement.bind returns, not {found}")


def check_value(name: str, value: object) -> None:
    """Accept an int of 64 bits, a str that fits UTF-8, a float, bytes or None."""
    if isinstance(value, str):
        try:
            value.isascii() or value.encode()
        except UnicodeEncodeError:
            raise InvalidInputError(
                name, "must not contain a lone surrogate, which UTF-8 cannot hold"
            ) from None
    elif isinstance(value, int):
        if value not in _INT64:
            raise InvalidInputError(name, "must fit into 64 bits")
    elif not isinstance(value, _VALUE_TYPES):
        raise _wrong_type(name, value)


def _wrong_type(name: str, value: object) -> InvalidInputError:
    found = type(value).__name__
    return InvalidInputError(name, f"must be int, float, str, bytes or None, not {found}")
