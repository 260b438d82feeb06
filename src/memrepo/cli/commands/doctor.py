"""``doctor``: what is wrong, and what cures it."""

from __future__ import annotations

import asyncio
from typing import Final, get_args

import click

from memrepo.cli.commands.options import Misuse, database, runs
from memrepo.cli.commands.output import Column, Output, is_terminal, progress, terminal
from memrepo.cli.opening import database_url, open_database, require_database, server_token
from memrepo.diagnose import diagnose
from memrepo.domain.findings import Finding
from memrepo.domain.indexing import Tokenizer

__all__ = ["COMMANDS"]

#: Seconds to wait for a lock, or for a server that does not answer.
_PATIENCE_S: Final = 2.0
_FINDING: Final = (
    Column("severity", "severity", "bold"),
    Column("check", "check", "magenta"),
    Column("what", "detail"),
    Column("cure", "cure"),
)
_REPAIR: Final = (
    Column("check", "kind", "magenta"),
    Column("table", "table"),
    Column("id", "id", "cyan", is_number=True),
    Column("what", "detail"),
)


@click.command("doctor")
@click.option("--repair", is_flag=True, help="Put right what can be, without deleting a row.")
@click.option(
    "--search",
    type=click.Choice(get_args(Tokenizer)),
    help="With --repair: how the search index is to cut texts into words.",
)
@database
@runs
async def _doctor(
    output: Output,
    db: str | None,
    repair: bool,  # noqa: FBT001 - a flag of the command line
    search: Tokenizer | None,
) -> int | None:
    """
    Say what is wrong, and what cures it.

    It reads every row, and changes nothing without --repair. The exit status is 1 if there is a problem;
    notes do not count.
    """
    if repair:
        await _repair(output, db, search)
        return None
    if search is not None:
        raise Misuse("--search needs --repair")
    url = database_url(db)
    findings = await diagnose(url, auth_token=server_token(url), lock_timeout_s=_PATIENCE_S)
    if output.form == "text" and is_terminal():
        _show(findings)
    else:
        output.rows("findings", findings, _FINDING, empty="nothing is wrong")
    return int(any(finding.severity == "problem" for finding in findings))


async def _repair(output: Output, db: str | None, search: Tokenizer | None) -> None:
    await asyncio.to_thread(require_database, db)
    # Damaged indexes may keep it from being migrated.
    async with open_database(db, creates=False, migrate=False) as store:
        with progress() as tell:
            done = await store.repair(
                search=search, on_progress=lambda n, n_all: tell("search index", n, n_all)
            )
    output.rows("repairs", done, _REPAIR, empty="nothing had to be repaired")


def _show(findings: list[Finding]) -> None:
    """Show each with its cure in a line of its own, to be copied."""
    for finding in findings:
        style = "bold red" if finding.severity == "problem" else "yellow"
        columns = (_FINDING[0]._replace(style=style), *_FINDING[1:3])
        terminal().show_line(columns, [column.of(finding) for column in columns])
        if finding.cure:
            click.echo(f"    {finding.cure}")
    if not findings:
        click.echo("nothing is wrong")


COMMANDS: Final = (_doctor,)
