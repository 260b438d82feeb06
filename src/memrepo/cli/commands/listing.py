"""``facts``: what is known, without a question."""

from __future__ import annotations

from typing import Final

import click

from memrepo.cli.commands.facts import FACT
from memrepo.cli.commands.options import limit, on_store
from memrepo.cli.commands.output import Output
from memrepo.domain.memories import MemoryFilter
from memrepo.repositories.scopes import ScopedStore

__all__ = ["COMMANDS"]


@click.command("facts")
@click.option("--category", help="Only those of this category.")
@click.option("--source", help="Only those of this source.")
@click.option("--contains", metavar="TEXT", help="Only those with this text in them, in any case.")
@limit(50, "facts")
@on_store()
async def _facts(
    output: Output,
    store: ScopedStore,
    category: str | None,
    source: str | None,
    contains: str | None,
    limit: int,
) -> None:
    """
    Show the facts, the latest first.

    Forgotten, replaced and expired facts and proposals are not among them; see restore and review.
    """
    where = MemoryFilter(category=category, source=source, contains=contains)
    page = await store.memories.find_many(where, limit=limit)
    output.rows("facts", page, FACT, empty="no facts")


COMMANDS: Final = (_facts,)
