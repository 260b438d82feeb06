"""What a database says of its search index, and the unit that makes it."""

from __future__ import annotations

from typing import Final

import attrs

from memrepo.connection.contract import Connection
from memrepo.domain.checks import LOWEST_ID
from memrepo.domain.indexing import TOKENIZERS, Tokenizer
from memrepo.errors import InvalidInputError
from memrepo.queries import index_tables
from memrepo.queries.indexing import PARTS
from memrepo.queries.statement import Unit

__all__ = ["Recorded", "making", "read_index"]

#: Segments after which FTS5 would merge all of them at once, however long that takes; it has at most 2,000.
_NEVER: Final = 1_999
_WATCHED: Final = tuple((table, event) for table in PARTS for event in index_tables.EVENTS)


@attrs.frozen
class Recorded:
    """What a database says of its index."""

    #: The tokenizer; ``None`` if there is no index, or one that this memrepo does not know.
    tokenizer: Tokenizer | None = None
    #: Whether it is of a newer memrepo, to which it is left.
    is_newer: bool = False
    #: Whether it can be used as it is. A table that another program has rebuilt has lost its triggers.
    is_whole: bool = False

    @property
    def usable(self) -> Tokenizer | None:
        """The tokenizer, if the index can be used as it is."""
        return self.tokenizer if self.is_whole and not self.is_newer else None


async def read_index(connection: Connection, wanted: Tokenizer | None = None) -> Recorded:
    """
    Return what a database says of its index.

    Raises:
        InvalidInputError: It has another tokenizer than the one *wanted*.
    """
    rows = await connection.read(index_tables.STATE.bind())
    if not rows:
        return Recorded()
    name, version, n_objects = rows[0]
    tokenizer: Tokenizer | None = next((its for its in TOKENIZERS if its == name), None)
    if wanted is not None and tokenizer is not None and tokenizer != wanted:
        raise InvalidInputError(
            "search",
            f'is "{tokenizer}" for this database, and here it has to be "{wanted}": open it without search=, call '
            f'repair(search="{wanted}"), and then open it as now, or run memrepo doctor --repair --search {wanted}',
        )
    return Recorded(
        tokenizer,
        is_newer=tokenizer is None or version > index_tables.FORMAT,
        is_whole=version == index_tables.FORMAT and n_objects == index_tables.N_OBJECTS,
    )


def making(tokenizer: Tokenizer) -> Unit:
    """Return the unit that makes the index anew, empty."""
    return (
        # The triggers first: they name the tables.
        *(index_tables.unwatch(table, event).bind() for table, event in _WATCHED),
        index_tables.DROP_TAKEN.bind(),
        index_tables.DROP_NOTES.bind(),
        *(index_tables.drop_terms(table).bind() for table in PARTS),
        *(index_tables.drop(table).bind() for table in PARTS),
        *(index_tables.create(table, tokenizer).bind() for table in PARTS),
        *(index_tables.create_terms(table).bind() for table in PARTS),
        *(index_tables.set_up(table).bind(never=_NEVER) for table in PARTS),
        index_tables.CREATE_NOTES.bind(),
        index_tables.CREATE_TAKEN.bind(),
        index_tables.START.bind(lowest=LOWEST_ID),
        *(index_tables.watch(table, event).bind() for table, event in _WATCHED),
        index_tables.RECORD.bind(tokenizer=tokenizer, format=index_tables.FORMAT),
    )
