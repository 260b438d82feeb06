"""Hash facts that other programs wrote, so that memrepo finds them."""

from __future__ import annotations

import json
import logging
from typing import Final

from memrepo.connection.contract import Connection
from memrepo.domain.checks import LOWEST_ID
from memrepo.domain.codec import Row
from memrepo.domain.hashing import SameFact, hash_stored, is_hash_of
from memrepo.domain.paging import last_id
from memrepo.queries import adoption
from memrepo.queries.statement import Unit

__all__ = ["adopt_facts"]

_logger = logging.getLogger(__name__)

#: Facts adopted in one unit.
_BATCH: Final = 500


async def adopt_facts(connection: Connection, same_fact: SameFact) -> int:
    """
    Check the hash of every fact that has not been checked, and correct the wrong ones.

    The original system leaves some hashes NULL, and other programs may hash differently. If two facts
    are the same by memrepo's rule, the one that has the hash keeps it, and the other is marked as
    superseded by it; it expires as late as the latest of them, and takes over their pin and their date. If nobody
    has it, it goes to the first one that is neither forgotten nor superseded; a fact also takes it from what it has
    superseded itself. A proposal that such a fact states is a fact from then on. No row is removed. An interrupted adoption goes on where it stopped.

    Returns:
        How many facts were checked; 0 if there was nothing to do.
    """
    if not await connection.read(adoption.UNCHECKED.bind(limit=1, after=LOWEST_ID)):
        return 0
    await _lose_facts_of_others(connection)
    await _clear_wrong_hashes(connection, same_fact)
    n_checked = 0
    for unchecked in (adoption.UNCHECKED_VISIBLE, adoption.UNCHECKED):
        after = LOWEST_ID
        while rows := await connection.read(unchecked.bind(limit=_BATCH, after=after)):
            await connection.write(_unit(_hashes(rows, same_fact)))
            n_checked += len(rows)
            # Not from the start: a trigger of another program might mark each as unchecked again.
            after = last_id(rows, after)
    _logger.info("%s: adopted %d facts", connection, n_checked)
    return n_checked


async def _lose_facts_of_others(connection: Connection) -> None:
    """
    After a push that dropped the scopes, take facts of other scopes out of the default scope.

    Their hashes show them: those are of their scope and their text.
    """
    if not await connection.read(adoption.WAS_PUSHED.bind()):
        return
    after = LOWEST_ID
    while rows := await connection.read(adoption.UNCHECKED.bind(limit=_BATCH, after=after)):
        lost = [
            number
            for number, scope, content, digest in rows
            if not scope and digest is not None and not is_hash_of(digest, content)
        ]
        if lost:
            await connection.write((adoption.LOSE.bind(batch=json.dumps(lost)),))
            _logger.warning(
                "%s: moved %d facts of other scopes to %s",
                connection,
                len(lost),
                adoption.LOST_SCOPE,
            )
        after = last_id(rows, after)
    await connection.write((adoption.CLEAR_PUSH.bind(),))


async def _clear_wrong_hashes(connection: Connection, same_fact: SameFact) -> None:
    """Clear the hashes of facts that have a wrong one: it may be another fact's, and is unique."""
    after = LOWEST_ID
    while rows := await connection.read(adoption.UNCHECKED.bind(limit=_BATCH, after=after)):
        hashes = _hashes(rows, same_fact)
        if any(row[3] not in (None, digest) for row, (_, digest) in zip(rows, hashes, strict=True)):
            await connection.write((adoption.CLEAR_WRONG.bind(batch=json.dumps(hashes)),))
        after = last_id(rows, after)


def _hashes(rows: list[Row], same_fact: SameFact) -> list[tuple[int, str]]:
    return [(number, hash_stored(content, scope, same_fact)) for number, scope, content, _ in rows]


def _unit(hashes: list[tuple[int, str]]) -> Unit:
    first = {digest: number for number, digest in reversed(hashes)}
    batch = json.dumps(hashes)
    return (
        adoption.HAND_OVER.bind(batch=batch),
        adoption.SET_HASH.bind(batch=json.dumps([(n, digest) for digest, n in first.items()])),
        adoption.APPROVE.bind(batch=batch),
        adoption.EXTEND.bind(batch=batch),
        adoption.HAND_ON.bind(batch=batch),
        adoption.LINK_DUPLICATES.bind(batch=batch),
        adoption.MARK_CHECKED.bind(batch=batch),
    )
