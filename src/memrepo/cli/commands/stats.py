"""``status`` and ``stats``: what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, tzinfo
from itertools import accumulate
from typing import Final

import attrs
import click

from memrepo.cli.commands.options import Misuse, on_store, scope
from memrepo.cli.commands.output import Column, Output, is_terminal, terminal
from memrepo.cli.commands.values import LOCAL, WHOLE, ZONE
from memrepo.connection.contract import ConnectionInfo
from memrepo.domain.jsontext import JsonValue
from memrepo.domain.plain import PlainModel
from memrepo.store import Store

__all__ = ["COMMANDS"]

_MOST_DAYS: Final = 366
_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")
_NEXT_UNIT: Final = 1_000
_SCOPE: Final = (
    Column("scope", "scope", "magenta"),
    Column("facts", "n_facts", is_number=True),
    Column("sessions", "n_sessions", is_number=True),
    Column("events", "n_events", is_number=True),
    Column("last active", "last_activity_at", "dim"),
)


@attrs.frozen(kw_only=True)
class _Count(PlainModel):
    """How many of something there are."""

    of: str
    name: str
    n: int


@click.command("status")
@on_store(scoped=False, migrate=False)
async def _status(output: Output, store: Store) -> None:
    """
    Show what the database is.

    Where it is, its versions, its size. It is not changed.
    """
    info = await store.info()
    shown = {
        **info.to_dict(),
        "schema_version": store.schema_version,
        "same_fact": store.same_fact,
    }
    output.one(shown, "\n".join(_lines(info, store)))


def _lines(info: ConnectionInfo, store: Store) -> list[str]:
    index = info.search_index
    pairs = {
        "database": info.url or info.path or ":memory:",
        "engine": " ".join(filter(None, (info.engine, info.engine_version, info.server_version))),
        "schema": store.schema_version,
        "same fact": store.same_fact,
        "durability": info.durability,
        "file system": info.file_system or "",
        "size": size(info.size_bytes + info.wal_size_bytes),
        "search index": "none"
        if index is None
        else f"{index.tokenizer}, {index.n_pending:,} pending",
    }
    return [f"{name + ':':14}{value}" for name, value in pairs.items() if value != ""]


@click.command("stats")
@click.option("--days", type=WHOLE, default=14, show_default=True, help="Days to show.")
@click.option(
    "--tz", type=ZONE, default=LOCAL, help="The time zone of the days; the system's if not given."
)
@scope
@on_store(scoped=False)
async def _stats(output: Output, store: Store, scope: str, days: int, tz: tzinfo) -> None:
    """
    Count what there is, and how it grew.

    Facts by category and source, events by day in a scope; all scopes, and the size.
    """
    if not 0 < days <= _MOST_DAYS:
        raise Misuse(f"--days must be 1 to {_MOST_DAYS}")
    its = store.scoped(scope)
    by_day = await its.daily_logs.count_by_day(tz)
    found: dict[str, Mapping[str, int]] = {
        "category": await its.memories.count_by("category"),
        "source": await its.memories.count_by("source"),
        "events per day": _latest(by_day, days),
        "events in all": _growth(by_day, days),
    }
    scopes = [each async for each in store.iterate_scopes()]
    info = await store.info()
    n_bytes = info.size_bytes + info.wal_size_bytes
    if output.form == "json":
        keys = ("facts_by_category", "facts_by_source", "events_by_day", "events_until")
        numbers: dict[str, JsonValue] = {
            **dict(zip(keys, found.values(), strict=True)),
            "scopes": [each.to_dict() for each in scopes],
            "size_bytes": n_bytes,
        }
        output.one(numbers, "")
        return
    for title, counts in found.items():
        rows = [_Count(of=title, name=name, n=n) for name, n in counts.items()]
        output.rows(title, rows, _columns(title, counts), empty=f"{title}: nothing")
    output.rows("scopes", scopes, _SCOPE, empty="no scopes")
    output.text(f"size\t{n_bytes}" if not is_terminal() else f"size: {size(n_bytes)}")


def _columns(title: str, counts: Mapping[str, int]) -> Sequence[Column]:
    most = max(counts.values(), default=0)
    columns = [Column(title, "name", "magenta"), Column("n", "n", is_number=True)]
    if is_terminal():
        bar = terminal().bar

        def bar_of(row: _Count) -> str:
            return str(bar(row.n, most))

        return [*columns, Column("", bar_of, "green")]
    return [Column("of", "of"), *columns]


def _latest(by_day: Mapping[date, int], n_days: int) -> dict[str, int]:
    """Return the last days that have events, with the days in between."""
    if not by_day:
        return {}
    end = max(by_day).toordinal() + 1
    # The calendar begins with the first day of year 1.
    shown = map(date.fromordinal, range(max(end - n_days, 1), end))
    return {str(day): by_day.get(day, 0) for day in shown}


def _growth(by_day: Mapping[date, int], n_days: int) -> dict[str, int]:
    """Return how many events there were at the end of each of these days."""
    latest = _latest(by_day, n_days)
    before = sum(by_day.values()) - sum(latest.values())
    totals = accumulate(latest.values(), initial=before)
    return dict(zip(latest, [*totals][1:], strict=True))


def size(n_bytes: int) -> str:
    """Return a number of bytes in a unit that suits it."""
    number, unit = float(n_bytes), 0
    while number >= _NEXT_UNIT and unit < len(_UNITS) - 1:
        number, unit = number / _NEXT_UNIT, unit + 1
    return f"{number:.3g} {_UNITS[unit]}"


COMMANDS: Final = (_status, _stats)
