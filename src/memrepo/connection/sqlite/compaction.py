"""Give a file's free space back, and empty its write-ahead log."""

from __future__ import annotations

from typing import Final

from memrepo.connection.backoff import retry
from memrepo.connection.instrumentation import OnStatement
from memrepo.connection.pending import PendingCall
from memrepo.connection.sqlite.errors import lacks_function
from memrepo.connection.sqlite.queue import ThreadQueue
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.domain.codec import Row
from memrepo.errors import BusyError, DatabaseError
from memrepo.queries import maintenance as queries
from memrepo.queries.statement import BoundStatement

__all__ = ["compact"]

_NOT_REBUILT: Final = (
    "the file keeps its size: an index calls a function that this SQLite does not have, as libSQL's vector"
    " index does; the write-ahead log was emptied"
)


async def compact(writer: ThreadQueue, deadline: float, on_statement: OnStatement | None) -> None:
    """
    Rebuild the file without its free pages, while the writer is held, and empty the log.

    Raises:
        BusyError: Other programs read or wrote until *deadline*, in the loop's time.
        DatabaseError: The file has an index that this SQLite cannot rebuild. The log was emptied.
    """
    location = writer.thread.location

    async def run(statement: BoundStatement) -> list[Row]:
        call = PendingCall.of((statement,), deadline, on_statement)
        return (await writer.thread.call(WorkerConnection.run_reads, call))[0].rows

    async def rebuild() -> None:
        await run(queries.VACUUM.bind())

    async def empty_log() -> None:
        ((is_blocked, _, _),) = await run(queries.CHECKPOINT.bind())
        if is_blocked:
            raise BusyError(
                f"{location}: another program is reading the file, so its write-ahead log cannot be emptied"
            )

    turn = await writer.take(deadline)
    try:
        # First the log: while others read, rebuilding the file would only make it longer.
        for step in (empty_log, rebuild, empty_log):
            await retry(step, deadline, is_temporary=_is_busy)
    except DatabaseError as error:
        if lacks_function(error):
            raise DatabaseError(f"{location}: {_NOT_REBUILT}") from error.__cause__
        raise
    finally:
        writer.release(turn)


def _is_busy(error: Exception) -> bool:
    return isinstance(error, BusyError)
