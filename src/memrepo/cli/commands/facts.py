"""``search``, ``recall``, ``forget`` and ``restore``: the facts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from memrepo.cli.commands.options import BadInput, Declined, Misuse, interruptible, limit, on_store
from memrepo.cli.commands.output import Column, Output
from memrepo.cli.commands.texts import is_read, words_of
from memrepo.cli.commands.values import ID, WHOLE
from memrepo.cli.streams import write_message
from memrepo.domain.daily_logs import DailyLogFilter
from memrepo.domain.memories import MemoryEntry, MemoryFilter
from memrepo.domain.recall import LeftOut, MemoryContext, RecalledFact
from memrepo.domain.search import Hit
from memrepo.domain.sessions import SessionFilter
from memrepo.errors import NotFoundError
from memrepo.repositories.scopes import ScopedStore

__all__ = ["COMMANDS", "FACT"]

#: The columns of a fact.
FACT: Final = (
    Column("id", "id", "cyan", is_number=True),
    Column("category", "category", "magenta"),
    Column("fact", "content"),
    Column("source", "source", "dim"),
    Column("created", "created_at", "dim"),
)
_NOTHING: Final = "nothing found"


# --- search and recall -------------------------------------------------------------------------

_SCORE: Final = Column("score", "score", "green", is_number=True)
_ID: Final = Column("id", "entry.id", "cyan", is_number=True)
_WHY: Final = Column("why", "why", "dim")
_FOUND: Final = {
    "facts": (_ID, _SCORE, Column("fact", "entry.content"), _WHY),
    "events": (
        *(_ID, _SCORE),
        Column("when", "entry.timestamp", "dim"),
        Column("type", "entry.event_type", "magenta"),
        Column("data", "entry.event_data"),
        _WHY,
    ),
    "sessions": (
        *(_ID, _SCORE),
        Column("started", "entry.started_at", "dim"),
        Column("summary", "entry.summary"),
        _WHY,
    ),
}


@click.command("search")
@click.argument("words", nargs=-1, required=True, metavar="WORDS...")
@click.option(
    "--in",
    "where",
    type=click.Choice([*_FOUND]),
    default="facts",
    show_default=True,
    help="What to search.",
)
@click.option("--category", help="Only facts of this category.")
@click.option("--source", help="Only facts of this source.")
@limit(10, "hits")
@on_store()
async def _search(
    output: Output,
    store: ScopedStore,
    words: tuple[str, ...],
    where: str,
    category: str | None,
    source: str | None,
    limit: int,
) -> None:
    """
    Search by words, best first.

    It says why each was found. WORDS is - for stdin.
    """
    text = " ".join(words_of(words))
    if where != "facts" and (category or source):
        raise Misuse("--category and --source are for facts")
    hits: Sequence[Hit[Any]]
    if where == "events":
        hits = await store.daily_logs.search(text, where=DailyLogFilter(), limit=limit)
    elif where == "sessions":
        hits = await store.sessions.search(text, where=SessionFilter(), limit=limit)
    else:
        its_filter = MemoryFilter(category=category, source=source)
        hits = await store.memories.search(text, where=its_filter, limit=limit)
    output.rows("hits", hits, _FOUND[where], empty=_NOTHING)


def _reason(its: RecalledFact | LeftOut) -> str:
    if isinstance(its, RecalledFact):
        return ""
    return its.reason if its.same_as is None else f"{its.reason} of {its.same_as}"


_RECALLED: Final = (
    _ID,
    Column("score", "score.total", "green", is_number=True),
    Column("fact", "entry.content"),
    Column("why", "score", "dim"),
    Column("left out", _reason, "yellow"),
)


@click.command("recall")
@click.argument("words", nargs=-1, metavar="[QUESTION]...")
@click.option("--explain", is_flag=True, help="Show each choice, what was left out, and why.")
@click.option("--max-tokens", type=WHOLE, default=1_000, show_default=True, help="Most tokens.")
@click.option("--max-entries", type=WHOLE, default=10, show_default=True, help="Most facts.")
@on_store()
async def _recall(
    output: Output,
    store: ScopedStore,
    words: tuple[str, ...],
    explain: bool,  # noqa: FBT001 - a flag of the command line
    max_tokens: int,
    max_entries: int,
) -> None:
    """
    Recall what answers a question, for a prompt.

    Without QUESTION, it is what to have in mind. QUESTION is - for stdin.
    """
    found = await store.memories.recall(
        " ".join(words_of(words)) or None, max_tokens=max_tokens, max_entries=max_entries
    )
    if output.form == "json":
        output.one({**found.to_dict(), "prompt": found.to_prompt()}, "")
    elif output.form == "nl" or explain:
        output.rows("entries", _explained(found, explain=explain), _RECALLED, empty=_NOTHING)
    elif found.entries:
        output.text(found.to_prompt())
    else:
        write_message(f"{_NOTHING}\n")


def _explained(found: MemoryContext, *, explain: bool) -> list[RecalledFact | LeftOut]:
    return [*found.entries, *(found.left_out if explain else ())]


# --- forget and restore ------------------------------------------------------------------------


@click.command("forget")
@click.argument("what", nargs=-1, required=True, metavar="WHAT...")
@on_store()
async def _forget(output: Output, store: ScopedStore, what: tuple[str, ...]) -> None:
    """
    Forget facts, until they are restored.

    WHAT is their ids, all of them or none; or words that describe one, with candidates to choose from. WHAT
    is - for stdin.
    """
    words = words_of(what)
    if not (words and all(word.isdecimal() for word in words)):
        words = _choose(output, await store.memories.find_to_forget(" ".join(words)))
    ids = [_id(word, what) for word in words]
    async with store.transaction() as tx:
        facts = [await tx.memories.forget(number) for number in ids]
    output.each("facts", ((fact, f"forgot {fact.id}") for fact in facts))


def _id(digits: str, typed: Sequence[str]) -> int:
    try:
        return ID.read(digits)
    except ValueError:
        error = BadInput if is_read(typed) else Misuse
        raise error(f"WHAT must be {ID.takes}") from None


def _choose(output: Output, hits: Sequence[Hit[MemoryEntry]]) -> tuple[str, ...]:
    """
    Show some facts, ask which of them are meant, and return their ids.

    Raises:
        NotFoundError: There are none.
        Misuse: There is no terminal to ask on, or the answer is no id of theirs.
        Declined: The answer was none.
    """
    if not hits:
        raise NotFoundError("no fact is like this")
    output.rows("candidates", hits, _FOUND["facts"])
    if output.form != "text" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Misuse("nothing was forgotten: say the id")
    ids = [str(hit.entry.id) for hit in hits]
    with interruptible():
        if len(ids) == 1:
            chosen = ids if click.confirm(f"Forget {ids[0]}?", err=True) else []
        else:
            question = "Forget which? Ids, or Enter for none"
            answer = click.prompt(question, default="", show_default=False, err=True)
            chosen = answer.replace(",", " ").split()
    if not {*chosen} <= {*ids}:
        raise Misuse("nothing was forgotten: that is not one of these ids")
    if not chosen:
        raise Declined
    return tuple(chosen)


@click.command("restore")
@click.argument("ids", nargs=-1, type=ID, metavar="[ID]...")
@limit(50, "facts")
@on_store()
async def _restore(output: Output, store: ScopedStore, ids: tuple[int, ...], limit: int) -> None:
    """Bring forgotten facts back, all of them or none. Without ID, show which there are."""
    if not ids:
        page = await store.memories.forgotten(limit=limit)
        output.rows("facts", page, FACT, empty="nothing is forgotten")
        return
    async with store.transaction() as tx:
        facts = [await tx.memories.restore(number) for number in ids]
    output.each("facts", ((fact, f"restored {fact.id}") for fact in facts))


COMMANDS: Final = (_search, _recall, _forget, _restore)
