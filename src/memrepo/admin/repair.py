"""Put right what `verify` finds wrong with indexes, and with the text, the sessions and the slots of facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from memrepo.admin.adoption import adopt_facts
from memrepo.admin.verify import ProblemKind, changed_facts, find_damage_of, is_of_an_index
from memrepo.connection.contract import Driver
from memrepo.domain.hashing import SameFact
from memrepo.domain.jsontext import to_compact_json
from memrepo.domain.plain import PlainModel
from memrepo.queries import repair as queries
from memrepo.queries.maintenance import FOREIGN_KEYS, INTEGRITY_OF, TABLES

__all__ = ["Repair", "repair", "repair_others"]

#: Facts hashed anew in one unit.
_BATCH: Final = 500
_SPARE_ROWS: Final = {
    "sessions": "is open beside the active session of its thread, and no longer counts as the active one",
    "daily_logs": "has the key of an earlier event, and has none any more",
}


@attrs.frozen(kw_only=True)
class Repair(PlainModel):
    """Something that `Store.repair` has done."""

    #: The kind of the problem, as `Problem` has it.
    kind: ProblemKind
    #: The table.
    table: str
    #: The row's id, or ``None`` for a table's indexes.
    id: int | None
    #: What was done; never stored text.
    detail: str


async def repair(connection: Driver, same_fact: SameFact, now: str) -> list[Repair]:
    """Build damaged indexes anew, then look at the text, sessions and slots of facts; see `Store.repair`."""
    done: list[Repair] = []
    duplicates: list[int] = []
    for table in queries.SPARE:
        if await connection.read_aside(INTEGRITY_OF.bind(table=table)) == [("ok",)]:
            continue
        spare = await _rebuild_indexes(connection, table)
        done.append(_rebuilt(table))
        if table == "memory_entries":
            duplicates = spare
        else:
            done += [_repair(table, number, _SPARE_ROWS[table]) for number in spare]
    changed = [number async for number in changed_facts(connection, same_fact)]
    done += await _hash_anew(connection, sorted({*duplicates, *changed}), same_fact)
    done += await _release_facts(connection)
    return done + await _supersede_spare(connection, now)


async def repair_others(connection: Driver) -> list[Repair]:
    """
    Build damaged indexes of other programs' tables anew.

    Raises:
        ConstraintError: A table has rows twice that a unique index keeps apart: which one stays, only its program knows.
    """
    done: list[Repair] = []
    for (table,) in await connection.read(TABLES.bind()):
        if table in queries.SPARE:
            continue
        # No other damage is cured by that.
        if any([is_of_an_index(problem) async for problem in find_damage_of(connection, table)]):
            await connection.write((queries.reindex(table).bind(),))
            done.append(_rebuilt(table))
    return done


def _rebuilt(table: str) -> Repair:
    return _repair(table, None, "its indexes were built anew")


def _repair(table: str, number: int | None, detail: str) -> Repair:
    return Repair(kind="integrity", table=table, id=number, detail=detail)


async def _rebuild_indexes(connection: Driver, table: str) -> list[int]:
    """Build a table's indexes anew; return the rows that had to give up what must be unique."""
    async with connection.transaction() as transaction:
        # A damaged unique index refuses both to be rebuilt with duplicates in it, and their correction.
        unique = await transaction.read(queries.UNIQUE_INDEXES.bind(table=table))
        for name, _ in unique:
            await transaction.write((queries.drop_index(name).bind(),))
        await transaction.write((queries.reindex(table).bind(),))
        (spare,) = await transaction.write((queries.SPARE[table].bind(),))
        for _, sql in unique:
            await transaction.write((queries.create_index(sql).bind(),))
    return [number for (number,) in spare.rows]


async def _hash_anew(connection: Driver, ids: list[int], same_fact: SameFact) -> list[Repair]:
    batches = [to_compact_json(ids[first : first + _BATCH]) for first in range(0, len(ids), _BATCH)]
    for batch in batches:
        await connection.write((queries.HASH_ANEW.bind(ids=batch),))
    if batches:
        await adopt_facts(connection, same_fact)
    return [
        Repair(kind="content hash", table="memory_entries", id=number, detail=detail)
        for batch in batches
        for number, detail in _outcomes(await connection.read(queries.OUTCOMES.bind(ids=batch)))
    ]


async def _release_facts(connection: Driver) -> list[Repair]:
    if not await connection.read_aside(FOREIGN_KEYS.bind(table="memory_entries")):
        return []
    (released,) = await connection.write((queries.RELEASE_FACTS.bind(),))
    detail = "its session is gone, and it has none any more"
    return [
        Repair(kind="foreign key", table="memory_entries", id=number, detail=detail)
        for number in sorted(number for (number,) in released.rows)
    ]


async def _supersede_spare(connection: Driver, now: str) -> list[Repair]:
    if not await connection.read_aside(queries.SPARE_HOLDERS.bind(now=now)):
        return []
    _, superseded = await connection.write(
        (queries.HAND_ON_SPARE.bind(now=now), queries.SUPERSEDE_SPARE.bind(now=now))
    )
    detail = "a newer fact fills its slot, and it is superseded by that"
    return [
        Repair(kind="slot", table="memory_entries", id=number, detail=detail)
        for number in sorted(number for (number,) in superseded.rows)
    ]


def _outcomes(rows: list[tuple[int, str | None, int | None]]) -> Iterator[tuple[int, str]]:
    for number, content_hash, superseded_by in rows:
        if content_hash is not None:
            yield number, "its text was hashed anew"
        else:
            yield number, f"states what fact {superseded_by} states, and is superseded by it"
