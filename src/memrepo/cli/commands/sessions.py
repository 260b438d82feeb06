"""``sessions``: the conversations."""

from __future__ import annotations

from typing import Final, get_args

import click

from memrepo.cli.commands.options import exclude, limit, on_store
from memrepo.cli.commands.output import Column, Output
from memrepo.domain.sessions import SessionFilter, SessionStatus
from memrepo.repositories.scopes import ScopedStore

__all__ = ["COMMANDS"]

_SESSION: Final = (
    Column("id", "id", "cyan", is_number=True),
    Column("thread", "thread", "magenta"),
    Column("status", "status"),
    Column("started", "started_at", "dim"),
    Column("last active", "last_activity_at", "dim"),
    Column("ended by", "end_trigger", "dim"),
    Column("summary", "summary"),
)
_THREAD: Final = (
    Column("thread", "thread", "magenta"),
    Column("sessions", "n_sessions", is_number=True),
    Column("last active", "last_activity_at", "dim"),
    Column("last session", "last_session.id", "cyan", is_number=True),
    Column("status", "last_session.status"),
)


@click.command("sessions")
@click.option("--thread", help="Only those of this thread.")
@click.option("--status", type=click.Choice(get_args(SessionStatus)), help="Only these.")
@click.option("--threads", is_flag=True, help="Show the threads instead.")
@click.option("--end-abandoned", is_flag=True, help="End those that are idle, and say how many.")
@limit(50, "sessions")
@on_store()
async def _sessions(
    output: Output,
    store: ScopedStore,
    thread: str | None,
    status: SessionStatus | None,
    threads: bool,  # noqa: FBT001 - a flag of the command line
    end_abandoned: bool,  # noqa: FBT001
    limit: int,
) -> None:
    """Show the conversations, the latest first."""
    if end_abandoned:
        exclude("--end-abandoned", "thread", "status", "threads", "limit")
        n_ended = await store.sessions.end_abandoned()
        output.one({"ended": n_ended}, f"ended {n_ended:,}")
    elif threads:
        exclude("--threads", "thread", "status")
        found = await store.sessions.threads(limit=limit)
        output.rows("threads", found, _THREAD, empty="no threads")
    else:
        where = SessionFilter(thread=thread, status=status)
        page = await store.sessions.find_many(where, limit=limit)
        output.rows("sessions", page, _SESSION, empty="no sessions")


COMMANDS: Final = (_sessions,)
