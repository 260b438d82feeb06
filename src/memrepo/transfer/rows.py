"""Turn raw rows, whatever is stored in them, into statements that insert them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from memrepo.domain.arguments import batches
from memrepo.domain.codec import Row, Value
from memrepo.domain.jsontext import to_compact_json
from memrepo.queries import copying as queries
from memrepo.queries.statement import BoundStatement

__all__ = ["as_text", "insertions"]

#: Bytes above which a row is inserted alone: as JSON it may be six times as long, and a server takes
#: 5,000,000.
_LARGE_ROW: Final = 500_000


def insertions(table: str, rows: Sequence[Row]) -> Iterator[BoundStatement]:
    """Yield statements that insert *rows* of `queries.copying.read`, most of them in JSON arrays."""
    plain: list[Sequence[Value]] = []
    alone: list[Row] = []
    for row in rows:
        values = _as_json(table, row)
        if values is None:
            alone.append(row)
        else:
            plain.append(values)
    insert_many = queries.insert_many(table)
    yield from (insert_many.bind(batch=batch) for batch in batches(map(to_compact_json, plain)))
    yield from (_bind_alone(table, row) for row in alone)


def _as_json(table: str, row: Row) -> list[Value] | None:
    """Return a row's values if JSON can carry them unchanged; else None."""
    values: list[Value] = []
    size = 0
    for column, value in zip(queries.TABLES[table], row[:-1], strict=True):
        if value is None or type(value) is int:
            values.append(value)
        elif column in queries.INTEGERS or (text := as_text(value)) is None:
            return None
        else:
            size += len(value)
            values.append(text)
    return None if size > _LARGE_ROW or "1" in row[-1] else values


def as_text(value: bytes) -> str | None:
    """Return a text's bytes as str; ``None`` where JSON in SQLite cannot carry it."""
    # SQLite takes a NUL in JSON for the end of the text.
    if b"\0" in value:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _bind_alone(table: str, row: Row) -> BoundStatement:
    parameters: dict[str, Value] = {}
    blobs = iter(row[-1])
    for column, value in zip(queries.TABLES[table], row[:-1], strict=True):
        parameters[column] = value
        if column not in queries.INTEGERS:
            parameters[f"{column}_is_text"] = int(next(blobs) == "0")
    return queries.insert_one(table).bind(**parameters)
