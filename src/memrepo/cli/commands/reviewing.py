"""``review``: what waits for the owner's word."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import click

from memrepo.cli.commands.facts import FACT
from memrepo.cli.commands.options import exclude, limit, on_store, typed
from memrepo.cli.commands.output import Column, Output
from memrepo.cli.commands.values import ID
from memrepo.cli.naming import called
from memrepo.domain.memories import MemoryEntry
from memrepo.domain.near_duplicates import NearDuplicates
from memrepo.domain.paging import Page
from memrepo.domain.plain import PlainModel
from memrepo.repositories.scopes import ScopedStore

__all__ = ["COMMANDS"]

_COLUMNS: Final = {
    "proposals": FACT,
    "duplicates": (
        Column("id", "first.id", "cyan", is_number=True),
        Column("fact", "first.content"),
        Column("id", "second.id", "cyan", is_number=True),
        Column("nearly the same", "second.content"),
        Column("similarity", "similarity", "green", is_number=True),
    ),
    "slots": (Column("slot", "slot", "magenta"), *FACT),
}


@click.command("review")
@click.argument(
    "what", type=click.Choice([*_COLUMNS]), required=False, metavar="[proposals|duplicates|slots]"
)
@click.option("--approve", type=ID, multiple=True, metavar="ID", help="Approve a proposal.")
@click.option("--reject", type=ID, multiple=True, metavar="ID", help="Reject a proposal.")
@click.option(
    "--merge", type=ID, nargs=2, metavar="KEEP DROP", help="Keep one of two facts for both."
)
@click.option("--revert", metavar="SLOT", help="Have a slot tell again what it told before.")
@limit(50, "of each kind")
@on_store()
async def _review(
    output: Output,
    store: ScopedStore,
    what: str | None,
    approve: tuple[int, ...],
    reject: tuple[int, ...],
    merge: tuple[int, int] | None,
    revert: str | None,
    limit: int,
) -> None:
    """
    Show what waits for your word, or decide.

    Of several decisions, all are carried out or none.

    What waits is proposals, pairs of facts that say nearly the same (duplicates), and slots, which one fact fills
    at a time. Name one of these kinds, or see all three.
    """
    if not (approve or reject or merge or revert is not None):
        await _show(output, store, (what,) if what else _COLUMNS, limit)
        return
    for decision in typed("approve", "reject", "merge", "revert"):
        exclude(decision, "what", "limit")
    done: list[tuple[PlainModel, str]] = []
    async with store.transaction() as tx:
        memories = tx.memories
        for number in approve:
            outcome = await memories.approve(number)
            done.append((outcome.entry, f"{outcome.outcome} {outcome.id}"))
        done += [(await memories.reject(number), f"rejected {number}") for number in reject]
        if merge:
            with called(drop="--merge DROP"):
                kept = await memories.merge(*merge)
            done.append((kept, f"kept {merge[0]} for {merge[1]}, too"))
        if revert is not None:
            with called(slot="--revert"):
                fact = await memories.revert(revert)
            done.append((fact, f"restored {fact.id}"))
    output.each("facts", done)


async def _show(output: Output, store: ScopedStore, kinds: Collection[str], most: int) -> None:
    memories = store.memories
    pages: dict[str, Page[MemoryEntry] | Page[NearDuplicates]] = {}
    if "proposals" in kinds:
        pages["proposals"] = await memories.proposals(limit=most)
    if "duplicates" in kinds:
        pages["duplicates"] = await memories.near_duplicates(limit=most)
    if "slots" in kinds:
        pages["slots"] = await memories.slots(limit=most)
    if output.form == "json":
        output.one({kind: [row.to_dict() for row in page] for kind, page in pages.items()}, "")
        return
    for kind, page in pages.items():
        output.rows(kind, page, _COLUMNS[kind], empty=f"no {kind}")


COMMANDS: Final = (_review,)
