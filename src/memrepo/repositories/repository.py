"""What the three repositories have in common: where their rows are, whose they are, what time it is."""

from __future__ import annotations

from datetime import datetime

from memrepo.connection.contract import Connection
from memrepo.domain.checks import check_instant, check_scope
from memrepo.domain.clock import Clock, utc_now

__all__ = ["Repository"]


class Repository:
    """The rows of one kind in one scope."""

    def __init__(self, connection: Connection, *, scope: str = "", clock: Clock = utc_now) -> None:
        """
        Bind a repository to one owner's rows.

        Args:
            connection: A store's ``connection``, or a transaction on one. Several repositories may
                share it.
            scope: Whose rows; ``""`` is the default scope. At most 255 characters.
            clock: Returns the current instant, with its time zone.

        Raises:
            InvalidInputError: *scope* is not accepted.
        """
        self._connection = connection
        self._scope = check_scope(scope)
        #: What is known of each row before it is read; see `codec.MEMORY_COLUMNS`.
        self._known = (self._scope,)
        self._clock = clock

    def _now(self) -> datetime:
        return check_instant("clock", self._clock())
