"""``log``: the events."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

import click

from memrepo.cli.commands.following import newest_id, stored_after
from memrepo.cli.commands.options import Misuse, exclude, limit, on_store, typed
from memrepo.cli.commands.output import Column, Output
from memrepo.cli.commands.values import DAY, ID, LOCAL, ZONE
from memrepo.domain.daily_logs import DailyLog, DailyLogFilter
from memrepo.repositories.scopes import ScopedStore

__all__ = ["COMMANDS"]

_EVENT: Final = (
    Column("id", "id", "cyan", is_number=True),
    Column("when", "timestamp", "dim"),
    Column("session", "session_id", "green", is_number=True),
    Column("type", "event_type", "magenta"),
    Column("data", "event_data"),
)


@click.command("log")
@click.option("--day", type=DAY, help="Only a day: 2026-02-28, today, yesterday.")
@click.option(
    "--tz", type=ZONE, default=LOCAL, help="The time zone of the day; the system's if not given."
)
@click.option("--session", "session_id", type=ID, help="Only those of this session.")
@click.option("--type", "event_types", multiple=True, help="Only this type; can be repeated.")
@click.option("--digest", is_flag=True, help="Sum a day or a session up, as Markdown.")
@click.option("--follow", "-f", is_flag=True, help="Go on with new events as they come.")
@limit(50, "events, the latest")
@on_store()
async def _log(
    output: Output,
    store: ScopedStore,
    day: date | int | None,
    tz: tzinfo,
    session_id: int | None,
    event_types: tuple[str, ...],
    digest: bool,  # noqa: FBT001 - a flag of the command line
    follow: bool,  # noqa: FBT001
    limit: int,
) -> None:
    """Show what happened, the latest last."""
    its_day = datetime.now(tz).date() - timedelta(days=day) if isinstance(day, int) else day
    if digest:
        exclude("--digest", "event_types", "follow", "limit")
        await _digest(output, store, its_day, tz, session_id)
        return
    if day is None and typed("tz"):
        raise Misuse("--tz needs --day or --digest")
    where = DailyLogFilter(
        session_id=session_id,
        event_types=event_types or None,
        day=its_day,
        tz=None if its_day is None else tz,
    )
    if follow:
        if output.form == "json":
            raise Misuse("--follow has no end: use --nl")
        with suppress(asyncio.CancelledError):  # Ctrl-C, by which this ends
            await output.stream(_followed(store, where, limit), _EVENT)
        return
    output.rows("events", await _latest(store, where, limit), _EVENT, empty="no events")


async def _digest(
    output: Output, store: ScopedStore, day: date | None, tz: tzinfo, session_id: int | None
) -> None:
    if (day is None) == (session_id is None):
        raise Misuse("--digest needs --day or --session, and not both")
    if session_id is not None:
        found = await store.sessions.digest(session_id, tz)
    else:
        assert day is not None  # noqa: S101 - for the type checker
        found = await store.daily_logs.digest(day, tz)
    output.one(found, found.to_markdown().removesuffix("\n"))


async def _latest(store: ScopedStore, where: DailyLogFilter, limit: int) -> tuple[DailyLog, ...]:
    page = await store.daily_logs.find_many(where, limit=limit, newest_first=True)
    return page.items[::-1]


async def _followed(
    store: ScopedStore, where: DailyLogFilter, limit: int
) -> AsyncIterator[DailyLog]:
    """Yield the latest events, and then each that is stored from now on."""
    newest = await newest_id(store)
    for event in await _latest(store, where, limit):
        if event.id <= newest:  # what has been stored since comes below
            yield event
    sys.stdout.flush()
    async for event in stored_after(store, where, newest):
        yield event


COMMANDS: Final = (_log,)
