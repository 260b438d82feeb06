"""Facts: lists of them, searches, and each with its history."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import attrs
from starlette.responses import PlainTextResponse, Response

from memrepo.browse.states import LABELS, is_forgotten, is_proposed
from memrepo.browse.visit import Visit
from memrepo.domain.checks import HIGHEST_ID
from memrepo.domain.daily_logs import DailyLog
from memrepo.domain.memories import MemoryEntry, MemoryFilter
from memrepo.errors import InvalidInputError
from memrepo.queries.browsing import STATES, State
from memrepo.repositories.repository import found

__all__ = ["fact_page", "fact_text", "list_facts", "show_fact"]

_ON_A_PAGE: Final = 30
_MOST_HITS: Final = 240
_MOST_EVIDENCE: Final = 20


async def list_facts(visit: Visit) -> Response:
    """Show a list of facts, or what a search finds."""
    asked = visit.text("q")
    state = _state(visit.text("state") or "current")
    wanted = {name: visit.name(name) for name in ("category", "source")}
    amounts, categories, sources = await asyncio.gather(
        visit.rows.amounts(), visit.rows.categories(), visit.rows.sources()
    )
    context: dict[str, Any] = {
        "asked": asked,
        "state": state,
        "labels": LABELS,
        "amounts": amounts,
        "categories": categories,
        "sources": sources,
        **wanted,
    }
    if asked is not None:
        return visit.answer("found", **context, **await _search(visit, asked, wanted))
    after = visit.text("after")
    page = await visit.rows.facts(state, **wanted, limit=_ON_A_PAGE, after=after)
    is_empty = not (page.facts or page.next or after or any(wanted.values()))
    return visit.answer("facts", **context, page=page, is_empty=is_empty)


def _state(name: str) -> State:
    for state in STATES:
        if state == name:
            return state
    raise InvalidInputError("state", f"must be one of {', '.join(STATES)}")


async def _search(visit: Visit, asked: str, wanted: dict[str, str | None]) -> dict[str, Any]:
    limit = visit.number("limit", _ON_A_PAGE, _MOST_HITS)
    where = MemoryFilter(category=wanted["category"], source=wanted["source"])
    hits = await visit.store.memories.search(asked, where=where, limit=limit)
    has_more = len(hits) == limit < _MOST_HITS
    return {
        "hits": hits,
        "best": max((hit.score for hit in hits), default=1.0),
        "more": min(limit * 2, _MOST_HITS) if has_more else None,
        "only_checked": hits[0].only_checked if hits else (),
        "n_pending": await _n_pending(visit),
    }


async def _n_pending(visit: Visit) -> int:
    """Return how many rows the search index lacks, where it cannot catch up: then the newest facts are searched."""
    if visit.site.can_edit:
        return 0
    index = (await visit.site.store.info()).search_index
    return 0 if index is None else index.n_pending


# --- one fact -----------------------------------------------------------------------------------


@attrs.frozen
class Evidence:
    """What a fact was inferred from."""

    pattern: str
    texts: tuple[str, ...]
    events: tuple[DailyLog, ...]
    #: Events that are not there any more.
    n_missing: int


async def show_fact(visit: Visit) -> Response:
    """Show a fact, whatever became of it."""
    return await fact_page(visit, await _fact(visit))


async def fact_page(
    visit: Visit,
    fact: MemoryEntry,
    *,
    status: int = 200,
    problem: str = "",
    typed: str | None = None,
) -> Response:
    """Return the page of a fact; with what is wrong with a form that was sent, and what was typed there."""
    before, after = await visit.rows.chain(fact.id)
    return visit.answer(
        "fact",
        status=status,
        fact=fact,
        before=before,
        after=after,
        evidence=await _evidence(visit, fact),
        is_forgotten=is_forgotten(fact),
        is_proposed=is_proposed(fact),
        is_current=not is_proposed(fact) and fact.deleted_at is None,
        is_whole=visit.text("whole") is not None,
        done=visit.text("done"),
        problem=problem,
        typed=typed,
    )


async def fact_text(visit: Visit) -> Response:
    """Return the text of a fact as it is, and nothing else."""
    return PlainTextResponse((await _fact(visit)).content)


async def _fact(visit: Visit) -> MemoryEntry:
    number = visit.id
    return found(await visit.rows.fact(number), "fact", number)


async def _evidence(visit: Visit, fact: MemoryEntry) -> Evidence | None:
    """Return what `MemoryRepo.observe` has noted of a fact; another program may have noted anything."""
    noted = fact.metadata or {}
    pattern, texts, events = (noted.get(name) for name in ("pattern", "evidence", "events"))
    if not isinstance(pattern, str):
        return None
    ids = (
        [its for its in events if type(its) is int and 0 < its <= HIGHEST_ID]
        if isinstance(events, list)
        else []
    )
    found = await visit.store.daily_logs.get_many(ids[:_MOST_EVIDENCE]) if ids else []
    there = tuple(event for event in found if event is not None)
    told = [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []
    return Evidence(pattern, tuple(told[:_MOST_EVIDENCE]), there, len(found) - len(there))
