"""Observe patterns, and infer facts from those that were observed often enough."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs

from memrepo.connection.contract import Connection, Result
from memrepo.domain.checks import check_duration, check_limit, check_name, check_text
from memrepo.domain.codec import Value, to_number
from memrepo.domain.facts import Fact
from memrepo.domain.instants import encode_instant
from memrepo.domain.jsontext import to_compact_json
from memrepo.domain.patterns import PendingInference, to_pending
from memrepo.errors import ConstraintError, InvalidInputError
from memrepo.queries import observing as queries, remembering, slots
from memrepo.repositories.repository import not_found

__all__ = ["MOST_TIMES", "Observing"]

#: Most observations that an inference needs, and most bytes of the evidence of one: a fact has all of it.
MOST_TIMES: Final = 100
_MOST_EVIDENCE: Final = 10_000


@attrs.frozen
class Observing:
    """The observations of one scope that count at one moment."""

    _connection: Connection
    _now: str
    #: What is bound to find them.
    _window: dict[str, Value]

    @classmethod
    def of(cls, connection: Connection, scope: str, now: datetime, within: timedelta) -> Observing:
        """Check what `MemoryRepo.observe` is given."""
        try:
            since = encode_instant(now - check_duration("within", within))
        except OverflowError:
            raise InvalidInputError("within", "reaches back before the year 1") from None
        return cls(connection, encode_instant(now), {"scope": scope, "since": since})

    async def observe(
        self, pattern: str, evidence: str | None, fact: Fact, times: int
    ) -> Sequence[Result]:
        """
        Append the event, and infer *fact* if that makes the number full, as one unit.

        Returns:
            The event and its number; nothing of a proposal that waits again; the fact if it was revived, refreshed, inserted; the id of the event that
            says so; the fact as it is now; what it has superseded in its slot.
        """
        data: dict[str, Value] = {"pattern": pattern}
        if evidence is not None:
            data["evidence"] = check_text("evidence", evidence, max_bytes=_MOST_EVIDENCE)
        n = check_limit(times, "times", most=MOST_TIMES)
        place: dict[str, Value] = {"now": self._now, "scope": self._window["scope"]}
        known: dict[str, Value] = {**place, "content_hash": fact.content_hash, "times": n}
        said: dict[str, Value] = {**known, "said_source": fact.said_source}
        back = queries.INFER_REVIVE.bind(**said)
        if fact.is_proposed:
            back = queries.INFER_PROPOSE_EXPIRED.bind(expires_at=None, **known)
        unit = (
            queries.OBSERVE.bind(
                now=self._now,
                pattern=pattern,
                session_id=fact.session_id,
                event_data=to_compact_json(data),
                **self._window,
            ),
            queries.INFER_RENEW.bind(**known),
            back,
            queries.INFER_REFRESH.bind(**said),
            queries.INFER_INSERT.bind(
                pattern=pattern,
                since=self._window["since"],
                content=fact.content,
                category=fact.category,
                source=fact.source,
                metadata=fact.metadata,
                proposed_at=self._now if fact.is_proposed else None,
                **known,
            ),
            queries.INFER_TELL.bind(event_data=to_compact_json({"pattern": pattern}), **known),
            remembering.KNOWN.bind(scope=self._window["scope"], content_hash=fact.content_hash),
            # One that came back takes its slot.
            slots.TAKE_BY_HASH.bind(content_hash=fact.content_hash, keeps=1, **place),
        )
        try:
            return await self._connection.write(unit)
        except ConstraintError as error:
            if error.kind != "foreign key" or fact.session_id is None:
                raise
            raise not_found("session", fact.session_id) from error

    async def count(self, pattern: str) -> int:
        """Return how many observations of a pattern count."""
        name = check_name("pattern", pattern)
        bound = queries.COUNT_OBSERVED.bind(pattern=name, **self._window)
        return to_number(await self._connection.read(bound))

    async def pending(self) -> list[PendingInference]:
        """Return how many observations of each pattern count."""
        bound = queries.OBSERVATIONS.bind(**self._window)
        return to_pending(await self._connection.read(bound))
