"""Look at everything that may be wrong with an open database; see `Store.examine`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

import attrs

from memrepo.admin.surroundings import examine_file, examine_replica, examine_server
from memrepo.admin.verify import Problem, ProblemKind, is_of_an_index
from memrepo.connection.contract import ConnectionInfo, Driver
from memrepo.domain.findings import CheckKind, Finding, Severity, memrepo_command, shell_word
from memrepo.domain.instants import NO_INSTANT, encode_instant, parse_instant
from memrepo.queries import examining as queries

__all__ = ["Examined", "examine"]

#: An open session that was idle for so long has been forgotten.
_LONG_IDLE: Final = timedelta(days=7)
#: Clocks of two machines differ by less.
_TOLERANCE: Final = timedelta(minutes=1)
#: Rows that the search index may have to catch up with.
_MANY_PENDING: Final = 10_000
#: Rows that are named.
_MOST_NAMED: Final = 5

#: What `Problem`s of a kind are found as.
_CHECKS: Final[dict[ProblemKind, CheckKind]] = {
    "integrity": "integrity",
    "foreign key": "references",
    "content hash": "facts",
    "slot": "facts",
    "value": "values",
    "search index": "search index",
    "not checked": "integrity",
}
#: Events outlive their session, as `SessionRepo.delete` can have it.
_RELEASE_EVENTS: Final = 'sqlite3 {} "UPDATE daily_logs SET session_id=NULL WHERE session_id NOT IN (SELECT id FROM sessions)"'


@attrs.frozen(kw_only=True)
class Examined:
    """An open database, and what is known of it."""

    connection: Driver
    info: ConnectionInfo
    now: datetime
    #: How many of how many migrations it has.
    schema_version: int
    latest_version: int
    #: `Store.verify`.
    verify: Callable[[], Awaitable[Sequence[Problem]]]

    @property
    def name(self) -> object:
        """What names the database in a command."""
        return self.info.url or self.info.path or ":memory:"

    def command(self, command: str) -> str:
        """Return a command on this database."""
        return memrepo_command(command, self.name)


async def examine(database: Examined) -> AsyncIterator[Finding]:
    """Yield what is found, the most harmful first; of a server that takes no writes, only that."""
    around = [finding async for finding in _of_surroundings(database)]
    rows: list[Finding] = []
    # A replica that waits for its primary would take for ever to read every row.
    is_stuck = any(its.check == "server" and its.severity == "problem" for its in around)
    if database.schema_version == database.latest_version and not is_stuck:
        rows += _found_by_verify(database, await database.verify())
        rows += [finding async for finding in _of_rows(database)]
    for finding in chain(rows, _of_schema(database), around):
        yield finding


async def _of_surroundings(database: Examined) -> AsyncIterator[Finding]:
    connection, info = database.connection, database.info
    if info.path is not None:
        async for finding in examine_file(info):
            yield finding
    if info.url is not None:
        async for finding in examine_server(connection, info, database.now):
            yield finding
        if database.schema_version and not connection.is_read_only:
            async for finding in examine_replica(connection):
                yield finding


# --- rows --------------------------------------------------------------------------------------


def _found_by_verify(database: Examined, found: Sequence[Problem]) -> Iterator[Finding]:
    """Yield one finding for all problems that one command cures."""
    groups: dict[tuple[ProblemKind, str], list[Problem]] = {}
    for problem in found:
        key = (problem.kind, _cure(database, problem))
        groups.setdefault(key, []).append(problem)
    for (kind, cure), problems in groups.items():
        named = [_in_words(problem) for problem in problems[:_MOST_NAMED]]
        more = len(problems) - len(named)
        detail = "; ".join([*named, *([f"and {more:,} more"] if more else [])])
        severity: Severity = "note" if kind == "not checked" else "problem"
        yield Finding(check=_CHECKS[kind], severity=severity, detail=detail, cure=cure)


def _in_words(problem: Problem) -> str:
    where = problem.table if problem.id is None else f"{problem.table} {problem.id}"
    detail = problem.detail
    if problem.kind == "foreign key":
        detail = f"refers to a row of {detail} that is not there"
    # What SQLite says of a page has several lines.
    return " ".join(": ".join(filter(None, (where, detail))).split())


def _cure(database: Examined, problem: Problem) -> str:
    repair = database.command("doctor --repair")
    match problem.kind, problem.table:
        case "not checked", _:
            return ""
        case "foreign key", "memory_entries":
            return repair
        case "foreign key", "daily_logs" if database.info.path is not None:
            return _RELEASE_EVENTS.format(shell_word(database.name))
        case (("foreign key" | "value"), _):
            return ""  # only who knows the data can decide
        case "integrity", _ if not is_of_an_index(problem):
            return "" if database.info.path is None else database.command("restore-backup BACKUP")
        case _:
            return repair


async def _of_rows(database: Examined) -> AsyncIterator[Finding]:
    connection = database.connection
    ((n_facts,),) = await connection.read(queries.NOT_ADOPTED.bind())
    if n_facts:
        detail = f"{n_facts:,} facts of another program have no hash yet, and may be stored twice"
        yield Finding(check="facts", detail=detail, cure=database.command("init"))
    index = database.info.search_index
    if index is not None and index.n_pending > _MANY_PENDING:
        detail = f"{index.n_pending:,} rows are not in the search index yet, so searches are slow"
        cure = database.command("init")
        yield Finding(check="search index", severity="note", detail=detail, cure=cure)
    before = encode_instant(database.now - _LONG_IDLE)
    for scope, n_idle in await connection.read_aside(queries.IDLE_SESSIONS.bind(before=before)):
        its_scope = f" --scope {shell_word(scope)}" if isinstance(scope, str) and scope else ""
        cure = database.command(f"sessions --end-abandoned{its_scope}")
        detail = f"{n_idle:,} open sessions were not active for {_LONG_IDLE.days} days"
        yield Finding(check="sessions", severity="note", detail=detail, cure=cure)
    now = encode_instant(database.now + _TOLERANCE)
    ((n_later, latest),) = await connection.read_aside(queries.LATEST.bind(now=now))
    if n_later:
        yield _of_clock(database, n_later, latest)


def _of_clock(database: Examined, n_later: int, latest: str) -> Finding:
    ahead = ""
    with suppress(*NO_INSTANT):
        ahead = f", the latest by {parse_instant(latest) - database.now}".partition(".")[0]
    return Finding(
        check="clock",
        detail=f"{n_later:,} rows are later than this machine's clock{ahead}: it is behind, or they are wrong",
        cure="timedatectl set-ntp true",
    )


# --- versions and settings ---------------------------------------------------------------------


def _of_schema(database: Examined) -> Iterator[Finding]:
    info = database.info
    if database.schema_version < database.latest_version:
        detail = f"has {database.schema_version} of {database.latest_version} migrations"
        yield Finding(check="schema", detail=detail, cure=database.command("init"))
    if info.path is not None and info.journal_mode != "wal":
        detail = f"journal_mode is {info.journal_mode}, not wal: readers wait for writers"
        yield Finding(check="pragmas", detail=detail, cure=database.command("init"))
    if info.has_wal_reset_bug and info.path is not None:
        detail = (
            f"SQLite {info.engine_version} can, rarely, corrupt a file that several processes write: use a"
            " Python with 3.51.3, 3.50.7 or 3.44.6 (docs/how-to/wal-reset-bug.md)"
        )
        yield Finding(check="sqlite", severity="note", detail=detail)
    if not info.has_full_text_search:
        detail = "this SQLite has no FTS5: searches read every row"
        yield Finding(check="sqlite", severity="note", detail=detail)
