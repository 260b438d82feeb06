"""``init``, ``compact``, ``purge``, ``erase``, ``backup`` and ``restore-backup``: the database as a whole."""

from __future__ import annotations

from datetime import datetime
from typing import Final, get_args

import click

from memrepo.admin.restore import restore_backup
from memrepo.cli.commands.options import BadInput, asks, confirm, database, on_store, runs
from memrepo.cli.commands.output import Output, progress
from memrepo.cli.commands.values import BEFORE
from memrepo.cli.naming import called
from memrepo.cli.opening import database_url, open_database, require_file
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.url import check_path, parse_url
from memrepo.domain.hashing import SameFact
from memrepo.domain.indexing import Tokenizer
from memrepo.domain.markdown import plural
from memrepo.errors import InvalidInputError, UsageError
from memrepo.repositories.scopes import ScopedStore
from memrepo.store import Store

__all__ = ["COMMANDS"]


@click.command("init")
@click.option(
    "--same-fact",
    type=click.Choice(get_args(SameFact)),
    help="When two texts are one fact, in a new database; folded by default.",
)
@click.option(
    "--search",
    type=click.Choice(get_args(Tokenizer)),
    help="How the search index cuts texts into words, in a database that has none.",
)
@click.option("--accept-push", is_flag=True, help="Go on after drizzle-kit push; see the docs.")
@database
@runs
async def _init(
    output: Output,
    db: str | None,
    same_fact: SameFact | None,
    search: Tokenizer | None,
    accept_push: bool,  # noqa: FBT001 - a flag of the command line
) -> None:
    """
    Make a database, or bring one up to date.

    It migrates the schema to this version of memrepo, adopts what other programs stored, and has the
    search index catch up. A database that is as it should be stays as it is.
    """
    opening = open_database(db, same_fact=same_fact, search=search, accept_push=accept_push)
    async with opening as store:
        with progress() as tell:
            await store.catch_up(on_progress=lambda n, n_all: tell("search index", n, n_all))
        made = {"schema_version": store.schema_version, "same_fact": store.same_fact}
        output.one(made, f"schema {store.schema_version}, same fact {store.same_fact}")


@click.command("compact")
@on_store(scoped=False)
async def _compact(output: Output, store: Store) -> None:
    """
    Give free space back, and empty the write-ahead log.

    After this, no byte of what was deleted is in the file or its write-ahead log.
    """
    before = await store.info()
    await store.compact()
    after = await store.info()
    sizes = [info.size_bytes + info.wal_size_bytes for info in (before, after)]
    shown = {"size_bytes_before": sizes[0], "size_bytes": sizes[1]}
    output.one(shown, f"{sizes[0]:,} bytes before, {sizes[1]:,} now")


@click.command("purge")
@click.option(
    "--before",
    type=BEFORE,
    required=True,
    help="What was forgotten or expired before this: 2026-02-28, or 30d for 30 days ago.",
)
@click.option("--events", is_flag=True, help="Delete also the events that happened before it.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@asks
@on_store(resumes=True)
async def _purge(
    output: Output,
    store: ScopedStore,
    before: datetime,
    events: bool,  # noqa: FBT001 - a flag of the command line
    dry_run: bool,  # noqa: FBT001
    yes: bool,  # noqa: FBT001
) -> None:
    """Delete for good what was forgotten."""
    n_facts = await store.memories.purge(before, dry_run=True)
    n_events = await store.daily_logs.purge(before, dry_run=True) if events else 0
    if not dry_run:
        what = plural(n_facts, "fact") + (f" and {plural(n_events, 'event')}" if events else "")
        confirm(f"Delete {what} for good?", yes=yes)
        n_facts = await store.memories.purge(before)
        n_events = await store.daily_logs.purge(before) if events else 0
    word = "would delete" if dry_run else "deleted"
    shown = {"dry_run": dry_run, "facts": n_facts, "events": n_events}
    output.one(shown, f"{word} {plural(n_facts, 'fact')}, {plural(n_events, 'event')}")


@click.command("erase")
@click.option("--scope", required=True, help="Whose memory; '' is the default scope.")
@asks
@on_store(scoped=False, resumes=True)
async def _erase(output: Output, store: Store, scope: str, yes: bool) -> None:  # noqa: FBT001
    """
    Delete everything of a scope, for good.

    Facts, sessions and events. A backup or an export made before still has them.
    """
    its = store.scoped(scope)
    n_facts, n_sessions = await its.memories.count(), await its.sessions.count()
    n_events = await its.daily_logs.count()
    confirm(
        f"Delete {plural(n_facts, 'fact')} and what was forgotten, {plural(n_sessions, 'session')}"
        f" and {plural(n_events, 'event')} for good?",
        yes=yes,
    )
    report = await its.erase(confirm=True)
    output.one(
        report,
        f"deleted {plural(report.n_facts, 'fact')}, {plural(report.n_sessions, 'session')},"
        f" {plural(report.n_events, 'event')}",
    )


@click.command("backup")
@click.argument("path", metavar="FILE")
@on_store(scoped=False)
async def _backup(output: Output, store: Store, path: str) -> None:
    """
    Write a copy of the database to FILE.

    It is consistent while others read and write. FILE must not be there. A server makes its backups itself.
    """
    require_file("FILE", path)
    await store.backup(path)
    output.one({"backup": path}, f"backed up to {path}")


@click.command("restore-backup")
@click.argument("backup", metavar="FILE")
@asks
@database
@runs
async def _restore_backup(output: Output, db: str | None, backup: str, yes: bool) -> None:  # noqa: FBT001
    """
    Put a backup in the place of the database.

    FILE is the backup, which is checked first, and stays as it is. Nobody may have the database open.
    """
    require_file("FILE", backup)
    check_path("FILE", backup)
    location = parse_url(database_url(db))
    if isinstance(location, ServerLocation) or location.path is None:
        raise UsageError("a backup is restored to a file")
    if location.mode == "ro":
        raise UsageError("a backup replaces the file, and mode=ro only reads it")
    confirm(f"Replace {location.path}?", yes=yes)
    try:
        with called(path="--db"):
            await restore_backup(backup, location.path)
    except InvalidInputError as error:
        if error.field == "backup":
            raise BadInput(f"FILE: {error.reason}") from error
        raise
    output.one({"restored": str(location.path)}, f"restored {location.path}")


COMMANDS: Final = (_init, _compact, _purge, _erase, _backup, _restore_backup)
