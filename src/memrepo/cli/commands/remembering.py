"""``remember``: facts, from the command line and from stdin."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import click

from memrepo.cli.commands.options import BadInput, interruptible, on_store
from memrepo.cli.commands.output import Output
from memrepo.cli.commands.texts import each_text, is_read
from memrepo.cli.commands.values import AHEAD, ID, METADATA, TO_COME
from memrepo.domain.memories import MemoryNew, Remembered
from memrepo.errors import InvalidInputError
from memrepo.repositories.scopes import ScopedStore

__all__ = ["COMMANDS"]

#: Facts of stdin that are stored together.
_BATCH: Final = 500
_is_content = re.compile(r"facts\[(\d+)\]\.content").fullmatch


@click.command("remember")
@click.argument("content", nargs=-1, metavar="[TEXT]...")
@click.option("--category", help="What kind of fact it is; fact by default.")
@click.option("--source", default="user_explicit", show_default=True, help="Who says so.")
@click.option("--metadata", type=METADATA, help="A JSON object that belongs to it.")
@click.option("--expires", "expires_at", type=TO_COME, help="When it expires: 2026-02-28, 30d.")
@click.option("--due", "due_at", type=AHEAD, help="When it is to be brought up.")
@click.option("--session", "session_id", type=ID, help="The session that it was learnt in.")
@click.option("--slot", help="The slot that it fills; what filled it is replaced.")
@click.option("--proposed", is_flag=True, help="Only propose it; see review.")
@on_store(creates=True)
async def _remember(
    output: Output, store: ScopedStore, content: tuple[str, ...], **given: Any
) -> None:
    """
    Remember facts, each once.

    Each TEXT is one; for -, or without TEXT, each line of stdin. A fact that is known already is not
    stored twice. The database is made if it is not there.
    """
    stored: list[Remembered] = []
    try:
        async for outcomes in _remembered(store, content, given):
            if output.form == "json":
                stored += outcomes
            else:
                output.each("facts", ((its, _outcome(its)) for its in outcomes))
    except BaseException:
        if stored:  # whatever came then
            output.each("facts", ((its, "") for its in stored))
        raise
    if output.form == "json":
        output.each("facts", ((its, "") for its in stored))


async def _remembered(
    store: ScopedStore, typed: Sequence[str], given: Mapping[str, Any]
) -> AsyncIterator[list[Remembered]]:
    """Store texts, and yield what came of them: all that were typed together, and those of stdin as they come."""
    texts = each_text(typed)
    most = _BATCH if is_read(typed) else None
    n_stored = 0
    while batch := _some(texts, most):
        facts = [MemoryNew(content=text, **given) for text in batch]
        try:
            outcomes = await store.memories.remember_many(facts)
        except InvalidInputError as error:
            raise _numbered(error, n_stored, typed) from error
        n_stored += len(batch)
        yield outcomes


def _numbered(error: InvalidInputError, n_stored: int, typed: Sequence[str]) -> Exception:
    """Say which of many texts is not accepted, and which are stored."""
    found = _is_content(error.field)
    if found is None:
        return error
    name, reason = "TEXT", error.reason
    if number := n_stored + int(found[1]):
        name, reason = f"TEXT {number + 1}", f"{reason}; stored before it: {n_stored}"
    return BadInput(f"{name}: {reason}") if is_read(typed) else InvalidInputError(name, reason)


def _some(texts: Iterator[str], most: int | None) -> list[str]:
    with interruptible():
        return [*islice(texts, most)]


def _outcome(its: Remembered) -> str:
    ignored = f" (ignored: {', '.join(its.ignored)})" if its.ignored else ""
    replaced = f" (instead of {its.replaced.id})" if its.replaced else ""
    return f"{its.outcome} {its.id}{replaced}{ignored}"


COMMANDS: Final = (_remember,)
