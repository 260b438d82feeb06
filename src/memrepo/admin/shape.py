"""What tables, columns and indexes a database has, and whether they are those that it should have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import attrs

from memrepo.domain.codec import Row

__all__ = ["EMPTY", "Column", "Index", "Shape", "missing", "read_shape", "taken"]


@attrs.frozen
class Column:
    """A column, as ``PRAGMA table_xinfo`` describes it."""

    #: Its declared type in capitals.
    type: str
    is_not_null: bool
    #: The SQL text of its default; ``None`` without one.
    default: str | None
    is_key: bool
    is_generated: bool

    @property
    def must_be_given(self) -> bool:
        """Whether an insert that does not name it fails."""
        return self.is_not_null and self.default is None and not self.is_generated


@attrs.frozen
class Index:
    """An index, as ``PRAGMA index_list`` and ``index_info`` describe it."""

    table: str
    is_unique: bool
    is_partial: bool
    #: In order; ``None`` for an expression.
    columns: tuple[str | None, ...]


@attrs.frozen
class Shape:
    """The part of a schema that has names of ours; all names in lower case."""

    tables: Mapping[str, Mapping[str, Column]]
    #: All indexes of these tables.
    indexes: Mapping[str, Index]
    #: What has each name, and the table it belongs to. Triggers have a namespace of their own.
    names: Mapping[str, tuple[str, str]]
    #: The number in the file's header that is for programs to use.
    user_version: int


EMPTY: Final = Shape({}, {}, {}, 0)


def read_shape(rows: Iterable[Row]) -> Shape:
    """Return what the rows of `versions.SHAPE` describe."""
    tables: dict[str, dict[str, Column]] = {}
    indexes: dict[str, Index] = {}
    names: dict[str, tuple[str, str]] = {}
    user_version = 0
    for kind, table, name, text, flag, default, key, number in rows:
        if kind == "column":
            column = Column(text, bool(flag), default, bool(key), bool(number))
            tables.setdefault(table, {})[name] = column
        elif kind == "index":
            before = indexes[name].columns if name in indexes else ()
            indexes[name] = Index(table, bool(flag), bool(key), (*before, text))
        elif kind == "name":
            names[f"trigger {name}" if text == "trigger" else name] = (text, table)
        else:
            user_version = number
    return Shape(tables, indexes, names, user_version)


def missing(found: Shape, made: Shape) -> Iterator[str]:
    """Yield what is not in *found* as it is in *made*; whatever else *found* has is no matter."""
    for name, owner in made.names.items():
        if found.names.get(name, owner) != owner:
            yield _taken_name(found, name)
    for table, its_columns in made.tables.items():
        if table in found.tables:
            yield from _wrong_columns(table, found.tables[table], its_columns)
    for name, (kind, _) in made.names.items():
        if kind != "index" and name not in found.names:
            yield f"the {kind} {name.removeprefix('trigger ')} is missing"
    for name, index in made.indexes.items():
        if not _has_index(found, name, index):
            columns = ", ".join(map(str, index.columns))
            unique = "unique " if index.is_unique else ""
            yield f"{index.table} lacks the {unique}index {name} on {columns}"


def taken(found: Shape, made: Shape, planned: Shape, *, all_columns: bool) -> Iterator[str]:
    """
    Yield what *found* has under a name that is in *planned* and not in *made*.

    The original has one of our columns, too: that one may be there if it is as we make it, and with
    *all_columns* any other.
    """
    for name in planned.names.keys() - made.names.keys():
        if name in found.names:
            yield _taken_name(found, name)
    for table, columns in planned.tables.items():
        for name in columns.keys() - made.tables.get(table, {}).keys():
            column = found.tables.get(table, {}).get(name)
            is_shared = all_columns or (table, name) == ("memory_entries", "deleted_at")
            if column is not None and not (is_shared and column == columns[name]):
                yield f"{table} has a column {name} of its own"


def _taken_name(found: Shape, name: str) -> str:
    kind, _ = found.names[name]
    return f"the {kind} {name.removeprefix('trigger ')} has a name of ours"


def _wrong_columns(
    table: str, found: Mapping[str, Column], made: Mapping[str, Column]
) -> Iterator[str]:
    for name, column in made.items():
        if name not in found:
            yield f"{table} lacks the column {name}"
        elif _differs(found[name], column):
            yield f"{table} has a column {name} of another kind: {found[name].type or 'no type'}"
    for name, column in found.items():
        if name not in made and (column.must_be_given or column.is_key):
            yield f"{table} has a column {name} that must be given"


def _differs(found: Column, made: Column) -> bool:
    # A column that the other program wants to be given is given by us; one that we leave out is not.
    is_stricter = made.default is not None and found.must_be_given
    kinds = [(its.type, its.is_key, its.is_generated) for its in (found, made)]
    return kinds[0] != kinds[1] or is_stricter


def _has_index(found: Shape, name: str, index: Index) -> bool:
    if index.is_partial:  # the pragma does not tell of which rows, but its name does
        return found.indexes.get(name) == index
    return index in found.indexes.values()
