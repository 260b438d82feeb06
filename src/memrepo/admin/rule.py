"""The rule by which a database tells when two texts are the same fact."""

from __future__ import annotations

from typing import Final

from memrepo.connection.contract import Connection
from memrepo.domain.rules import SAME_FACT, SameFact
from memrepo.errors import InvalidInputError, MigrationError
from memrepo.queries import settings

__all__ = ["read_rule"]

#: The migration that makes the table of settings, and with which the rule of a new database is chosen.
_HAS_SETTINGS: Final = 3
_RULES: Final[dict[str, SameFact]] = {rule: rule for rule in SAME_FACT}


async def read_rule(connection: Connection, version: int, wanted: SameFact | None) -> SameFact:
    """
    Return the rule that a database has; that of a new one is the one *wanted*, ``folded`` if ``None``.

    Raises:
        InvalidInputError: The database has another rule than the one *wanted*.
        MigrationError: This memrepo does not know its rule.
    """
    if version >= _HAS_SETTINGS:
        rows = await connection.read(settings.RULE.bind())
    elif version and await connection.read(settings.HAS_FACTS.bind()):
        rows = []  # facts of before there was a choice
    else:
        return wanted or "folded"
    found: SameFact | None = _RULES.get(rows[0][0]) if rows else "folded"
    if found is None:
        raise MigrationError("the database tells facts apart by a rule that is not known here")
    if wanted is not None and wanted != found:
        raise InvalidInputError("same_fact", f'is "{found}" for this database, for good')
    return found
