"""The nine tools of the TypeScript original, by their names and arguments, with answers of the same form."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Final

from memrepo.contrib.tools.arguments import Flag, Number, Text
from memrepo.contrib.tools.facts import bring_back
from memrepo.contrib.tools.original_forms import (
    Ids,
    data_of,
    part_of,
    to_action,
    to_entry,
)
from memrepo.contrib.tools.tool import Answer, Tool, ToolCall, tool
from memrepo.domain.jsontext import JsonValue
from memrepo.domain.markdown import plural
from memrepo.domain.memories import MemoryEntry, MemoryFilter
from memrepo.errors import NotFoundError
from memrepo.repositories.outcomes import HELD_BACK

__all__ = ["ORIGINAL_TOOLS"]

_CATEGORIES: Final = ("schedule", "preference", "person", "work", "health", "other")
#: How many facts a list has at most, and how many forgotten ones, and since when.
_LISTED: Final = 100
_FORGOTTEN: Final = 50
_FORGOTTEN_WITHIN: Final = timedelta(days=30)
_CANDIDATES: Final = 5
_MOST_PAIRS: Final = 20


_Ids = Annotated[list[int] | None, Ids("Ids that the user has confirmed, as 1,2,3.")]


@tool(idempotent=True)
async def remember_fact(
    call: ToolCall,
    content: Annotated[str, Text("The fact, as a short sentence.", most=10_000)],
    category: Annotated[str, Text("What kind of fact.", choices=_CATEGORIES)],
    source: Annotated[
        str, Text("Who says so.", choices=("user_explicit", "jarvis_inferred"))
    ] = "user_explicit",
) -> Answer:
    """Remember a fact that the user states about themselves, or asks you to remember."""
    async with call.writing() as writing:
        known = await writing.memory.memories.remember(
            content, category=_stored(category), source=source, session_id=writing.session_id
        )
        writing.context = f"fact {known.id}: {known.outcome}"
    is_held_back = known.outcome in {"forgotten", "superseded", "proposed"}
    message = f"Not remembered: it is {known.outcome}." if is_held_back else "Remembered."
    return {"success": not is_held_back, "message": message, "entry": to_entry(known.entry)}


@tool(destroys=True, idempotent=True)
async def forget_fact(
    call: ToolCall,
    query: Annotated[str, Text("What to forget, in the user's words.", most=1_000)],
    confirm_ids: _Ids = None,
    category: Annotated[str | None, Text("Only of this kind.", choices=_CATEGORIES)] = None,
) -> Answer:
    """
    Forget facts.

    The first call only finds what may be meant: show it to the user, then call again with the ids that the user has
    confirmed.
    """
    if confirm_ids is not None:
        return await _forget(call, confirm_ids)
    hits = await call.memory.memories.find_to_forget(query, limit=_LISTED)
    facts = [
        hit.entry for hit in hits if category is None or hit.entry.category == _stored(category)
    ]
    found = facts[:_CANDIDATES]
    answer: Answer = {
        "success": True,
        "message": f"{_facts(len(found))} may be meant.",
        "candidates": [to_entry(entry) for entry in found],
    }
    if found:
        answer["instruction"] = "To forget some of them, call forget_fact again with confirm_ids."
    return answer


@tool(reads=True)
async def list_memories(
    call: ToolCall,
    category: Annotated[
        str | None, Text("Only of this kind.", choices=(*_CATEGORIES, "all"))
    ] = None,
    include_deleted: Annotated[bool, Flag("List what was forgotten lately, too.")] = False,  # noqa: FBT002
) -> Answer:
    """List what is remembered about the user, by category."""
    where = MemoryFilter(category=None if category in (None, "all") else _stored(category))
    facts = await call.memory.memories.find_many(where, limit=_LISTED)
    groups: dict[str, JsonValue] = {}
    for name in dict.fromkeys(fact.category for fact in facts):
        groups[name] = [
            part_of(fact, "id", "content", "createdAt") for fact in facts if fact.category == name
        ]
    answer: Answer = {
        "success": True,
        "totalCount": await call.memory.memories.count(where),
        "deletedCount": 0,
        "categories": groups,
    }
    if include_deleted:
        forgotten = await call.memory.memories.forgotten(within=_FORGOTTEN_WITHIN, limit=_FORGOTTEN)
        answer["deletedCount"] = len(forgotten)
        answer["recentlyDeleted"] = [
            part_of(fact, "id", "content", "deletedAt") for fact in forgotten
        ]
    return answer


@tool(destroys=True, idempotent=True)
async def delete_all_memories(
    call: ToolCall, confirm: Annotated[bool, Flag("Whether the user has confirmed it.")]
) -> Answer:
    """Forget all facts. Only when the user asks for exactly this, and has confirmed it."""
    if not confirm:
        return {
            "error": "This forgets every fact. Ask the user, then set confirm to true.",
            "requiresConfirmation": True,
        }
    async with call.writing() as writing:
        n_forgotten = await writing.memory.memories.forget_all(confirm=True)
        writing.context = f"{_facts(n_forgotten)} forgotten"
    message = f"{_facts(n_forgotten)} forgotten. restore_memory brings one back."
    return {"success": True, "message": message, "deletedCount": n_forgotten}


@tool(idempotent=True)
async def restore_memory(
    call: ToolCall, id: Annotated[int, Number("The id of a fact that was forgotten.")]
) -> Answer:
    """Bring back a fact that was forgotten."""
    entry = await bring_back(call, id)
    return {"success": True, "message": "Restored.", "entry": to_entry(entry)}


@tool()
async def observe_pattern(
    call: ToolCall,
    pattern: Annotated[str, Text("What is observed again and again, as prefers_short_answers.")],
    pattern_type: Annotated[str, Text("What kind of pattern.")],
    evidence: Annotated[str, Text("How it showed this time, in a few words.", most=1_000)],
) -> Answer:
    """Note a pattern of the user's behaviour; the third time within a week, a preference is inferred."""
    async with call.writing() as writing:
        observed = await writing.memory.memories.observe(
            pattern,
            evidence,
            content=pattern.replace("_", " "),
            session_id=writing.session_id,
            metadata={"pattern_type": pattern_type},
        )
        writing.context = f"observation {observed.n}"
    if observed.inferred is None:
        return {
            "success": True,
            "inferred": False,
            "message": f"Observed: {plural(observed.n, 'time', 'times')} so far.",
        }
    inferred = observed.inferred
    return {
        "success": True,
        "inferred": inferred.outcome not in HELD_BACK,
        "preference": inferred.entry.content,
        "message": f"Observed often enough: {inferred.outcome}.",
    }


@tool(reads=True)
async def query_audit_log(
    call: ToolCall, limit: Annotated[int, Number("Most actions.", most=50)] = 10
) -> Answer:
    """Tell what was done lately, the latest first. Use it when the user asks what you did."""
    events = await call.memory.daily_logs.recent_tool_invocations(limit=limit)
    return {
        "success": True,
        "message": f"{plural(len(events), 'action', 'actions')}, with times in UTC.",
        "actions": [to_action(event) for event in events],
        "raw": [{**data_of(event), "timestamp": event.to_dict()["timestamp"]} for event in events],
    }


@tool(reads=True)
async def search_memories(
    call: ToolCall,
    query: Annotated[str, Text("A question, or some words.", most=1_000)],
    limit: Annotated[int, Number("Most results.", most=10)] = 5,
) -> Answer:
    """Search the facts about the user, the most relevant first."""
    hits = await call.memory.memories.search(query, limit=limit)
    results: list[JsonValue] = [{**to_entry(hit.entry), "score": hit.score} for hit in hits]
    return {"success": True, "message": f"{_facts(len(results))} found.", "results": results}


@tool(destroys=True, idempotent=True)
async def consolidate_memories(
    call: ToolCall,
    confirm_ids: _Ids = None,
    threshold: Annotated[float, Number("How similar, 0.5 to 1.", least=0.5, most=1.0)] = 0.8,
) -> Answer:
    """
    Find facts that say nearly the same.

    The first call only shows the pairs, and which fact of each would be merged into the other; call again with the
    ids of those that the user has confirmed.
    """
    pairs = await _pairs(call, threshold)
    if confirm_ids is not None:
        return await _merge(call, pairs, confirm_ids)
    return {
        "success": True,
        "message": f"{plural(len(pairs), 'pair', 'pairs')} found.",
        "pairs": [
            {"keep": to_entry(keep), "merge": to_entry(drop), "similarity": similarity}
            for keep, drop, similarity in pairs
        ],
    }


#: The original's nine tools, for ``MemoryTools(memory, ORIGINAL_TOOLS)``.
ORIGINAL_TOOLS: Final[tuple[Tool, ...]] = (
    remember_fact,
    forget_fact,
    list_memories,
    delete_all_memories,
    restore_memory,
    observe_pattern,
    query_audit_log,
    search_memories,
    consolidate_memories,
)


async def _forget(call: ToolCall, ids: list[int]) -> Answer:
    forgotten: list[JsonValue] = []
    async with call.writing() as writing:
        for number in ids:
            with suppress(NotFoundError):
                await writing.memory.memories.forget(number)
                forgotten.append(number)
        writing.context = f"facts forgotten: {', '.join(map(str, forgotten))}"
    message = f"{_facts(len(forgotten))} forgotten."
    return {"success": True, "message": message, "deletedIds": forgotten}


async def _pairs(call: ToolCall, threshold: float) -> list[tuple[MemoryEntry, MemoryEntry, float]]:
    """Return the first pairs of facts that say nearly the same: which stays, which goes, how similar they are."""
    pairs: list[tuple[MemoryEntry, MemoryEntry, float]] = []
    async for pair in call.memory.memories.iterate_near_duplicates(threshold):
        # The longer one stays, else the one accessed later, as in the original.
        drop, keep = sorted(
            (pair.second, pair.first),
            key=lambda fact: (len(fact.content), fact.last_accessed or fact.created_at),
        )
        pairs.append((keep, drop, pair.similarity))
        if len(pairs) == _MOST_PAIRS:
            break
    return pairs


async def _merge(
    call: ToolCall, pairs: Iterable[tuple[MemoryEntry, MemoryEntry, float]], ids: list[int]
) -> Answer:
    merged: list[int] = []
    async with call.writing() as writing:
        for keep, drop, _ in pairs:
            # What was merged away cannot take in another fact.
            if drop.id in ids and not {keep.id, drop.id} & set(merged):
                await writing.memory.memories.merge(keep.id, drop.id)
                merged.append(drop.id)
        writing.context = f"facts merged away: {', '.join(map(str, merged))}"
    message = f"{_facts(len(merged))} merged."
    if not merged:
        message += " Give the threshold with which the pairs were shown."
    return {"success": bool(merged), "message": message, "mergedIds": [*merged]}


def _facts(number: int) -> str:
    return plural(number, "fact", "facts")


def _stored(category: str | None) -> str:
    return "preference" if category == "preference" else "fact"
