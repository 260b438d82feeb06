"""Random plans: few facts, keys and sessions for every method, so that tasks get in each other's way."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import attrs

from memrepo import DailyLogFilter, DailyLogNew, MemoryFilter, MemoryNew, SessionFilter
from memrepo.domain.instants import encode_instant
from memrepo.domain.paging import encode_cursor

from .actions import Action, Conversation, Single, Transaction
from .calls import Call, Known, Repo
from .journal import SCOPES, START

__all__ = ["METHODS", "TaskPlan", "random_call", "random_tasks"]

_Random: TypeAlias = random.Random
#: A method's arguments, made up at random.
_Arguments: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]

_TOKYO = ZoneInfo("Asia/Tokyo")
_TEXTS = ("Likes tea", "likes  TEA.", "Plays chess", "C++")
_CATEGORIES = ("fact", "preference")
_SLOTS = ("drink", "game")
_SOURCES = ("user_explicit", "inferred")
_FIELDS = ("category", "source")
_TYPES = ("x", "y", "tool_invocation")
_PATTERNS = ("p1", "p2")
_THREADS = ("", "", "phone")
_KEYS = (None, "k1", "k2")
#: A round takes about an hour of its clock.
_INSTANTS = tuple(START + timedelta(minutes=minutes) for minutes in (-5, 5, 20, 45, 90))
_EXPIRIES = (None, None, None, *_INSTANTS)


def _options(rng: _Random, **values: Callable[[], object]) -> dict[str, Any]:
    """Some of the options, at random."""
    return {name: make() for name, make in values.items() if rng.random() < 0.4}


# In the place of ids, which are not known yet; see `calls.Known`.


def _fact_id(rng: _Random) -> Any:
    return Known("facts", -rng.randint(1, 4))


def _session_id(rng: _Random) -> Any:
    return Known("sessions", -rng.randint(1, 3))


def _event_id(rng: _Random) -> Any:
    return Known("events", -rng.randint(1, 4))


def _several(rng: _Random, make: Callable[[_Random], Any]) -> list[Any]:
    return [make(rng) for _ in range(rng.randint(0, 4))]


def _paging(rng: _Random) -> dict[str, Any]:
    def cursor() -> str:
        instant = START + timedelta(minutes=rng.randint(0, 30))
        return encode_cursor(encode_instant(instant), rng.randint(1, 5))

    return _options(rng, limit=lambda: rng.randint(1, 3), after=cursor)


def _fact(rng: _Random) -> dict[str, Any]:
    return _options(
        rng,
        source=lambda: rng.choice(_SOURCES),
        category=lambda: rng.choice(_CATEGORIES),
        metadata=lambda: {"n": rng.randint(1, 9)},
        expires_at=lambda: rng.choice(_EXPIRIES),
    )


def _dated_fact(rng: _Random) -> dict[str, Any]:
    return _fact(rng) | _options(rng, due_at=lambda: rng.choice(_INSTANTS))


def _curated(rng: _Random) -> dict[str, Any]:
    """With a slot, or as a proposal, in half of the cases."""
    options = _dated_fact(rng)
    if rng.random() < 0.5:
        options |= _options(rng, slot=lambda: rng.choice(_SLOTS), proposed=lambda: True)
    if "slot" in options:
        options |= _options(rng, overrule=lambda: True)
    return options


def _new_facts(rng: _Random) -> list[MemoryNew]:
    n_facts = rng.randint(1, 4)
    return [MemoryNew(content=rng.choice(_TEXTS), **_curated(rng)) for _ in range(n_facts)]


def _slot(rng: _Random) -> tuple[str, ...]:
    return (rng.choice(_SLOTS),)


def _limit(rng: _Random) -> dict[str, Any]:
    return _options(rng, limit=lambda: rng.randint(1, 3), after=lambda: f"~{rng.choice(_SLOTS)}")


def _changes(rng: _Random) -> dict[str, Any]:
    return {
        "category": rng.choice(_CATEGORIES),
        **_options(
            rng,
            metadata=lambda: rng.choice([None, {"n": rng.randint(1, 9)}]),
            expires_at=lambda: rng.choice(_EXPIRIES),
            due_at=lambda: rng.choice([None, *_INSTANTS]),
            slot=lambda: rng.choice([None, *_SLOTS]),
        ),
    }


def _fact_filter(rng: _Random) -> MemoryFilter:
    return MemoryFilter(
        **_options(
            rng,
            category=lambda: rng.choice(_CATEGORIES),
            source=lambda: rng.choice(_SOURCES),
            due_before=lambda: rng.choice(_INSTANTS),
            slot=lambda: rng.choice(_SLOTS),
            contains=lambda: rng.choice(["tea", "LIKES", "c"]),
            include_forgotten=lambda: True,
            include_expired=lambda: True,
            include_superseded=lambda: True,
        )
    )


def _session_filter(rng: _Random) -> SessionFilter:
    return SessionFilter(
        **_options(
            rng,
            is_ended=lambda: rng.random() < 0.5,
            end_trigger=lambda: rng.choice(["explicit", "timeout", "error", "cancelled"]),
            thread=lambda: rng.choice(_THREADS),
            status=lambda: rng.choice(["active", "ended", "abandoned"]),
            has_summary=lambda: rng.random() < 0.5,
        )
    )


def _event_filter(rng: _Random) -> DailyLogFilter:
    return DailyLogFilter(
        **_options(
            rng,
            session_id=lambda: _session_id(rng),
            event_type=lambda: rng.choice(_TYPES),
            timestamp_from=lambda: rng.choice(_INSTANTS),
            timestamp_before=lambda: rng.choice(_INSTANTS),
        )
    )


def _session_of_event(rng: _Random) -> Any:
    return rng.choice([None, None, _session_id(rng)])


def _event_data(rng: _Random) -> int:
    """No two events of a call have the same, so that the model can tell them apart."""
    return rng.getrandbits(32)


def _new_events(rng: _Random) -> list[DailyLogNew]:
    return [
        DailyLogNew(
            session_id=_session_of_event(rng),
            event_type=rng.choice(_TYPES),
            event_data=_event_data(rng),
            key=rng.choice(_KEYS),
        )
        for _ in range(rng.randint(1, 4))
    ]


#: Every method: how often it is called next to the others, and with what.
METHODS: dict[tuple[Repo, str], tuple[int, Callable[[_Random], _Arguments]]] = {
    ("memories", "remember"): (8, lambda r: ((r.choice(_TEXTS),), _curated(r))),
    ("memories", "remember_many"): (4, lambda r: ((_new_facts(r),), {})),
    ("memories", "supersede"): (4, lambda r: ((_fact_id(r), r.choice(_TEXTS)), _fact(r))),
    ("memories", "observe"): (4, lambda r: ((r.choice(_PATTERNS),), _observation(r))),
    ("memories", "would_infer"): (1, lambda r: ((r.choice(_PATTERNS),), _times(r))),
    ("memories", "pending_inferences"): (1, lambda r: ((), {})),
    ("memories", "pin"): (2, lambda r: ((_fact_id(r),), {})),
    ("memories", "unpin"): (1, lambda r: ((_fact_id(r),), {})),
    ("memories", "surface"): (1, lambda r: ((), {})),
    ("memories", "surfaced"): (2, lambda r: (tuple(_several(r, _fact_id)), {})),
    ("memories", "touch"): (2, lambda r: ((_fact_id(r),), {})),
    ("memories", "update"): (3, lambda r: ((_fact_id(r),), _changes(r))),
    ("memories", "merge"): (
        3,
        lambda r: ((_fact_id(r), _fact_id(r), r.choice([None, None, *_TEXTS])), {}),
    ),
    ("memories", "near_duplicates"): (1, lambda r: ((), {})),
    ("memories", "iterate_near_duplicates"): (1, lambda r: ((), {})),
    ("memories", "forget"): (3, lambda r: ((_fact_id(r),), {})),
    ("memories", "restore"): (2, lambda r: ((_fact_id(r),), {})),
    ("memories", "forget_all"): (1, lambda r: ((), {"confirm": True})),
    ("memories", "purge"): (1, lambda r: ((r.choice(_INSTANTS),), _dry_run(r))),
    ("memories", "get"): (1, lambda r: ((_fact_id(r),), {})),
    ("memories", "find"): (1, lambda r: ((_fact_id(r),), {})),
    ("memories", "get_many"): (2, lambda r: ((_several(r, _fact_id),), {})),
    ("memories", "find_by_content"): (2, lambda r: ((r.choice(_TEXTS),), {})),
    ("memories", "find_many"): (3, lambda r: ((_fact_filter(r),), _paging(r))),
    ("memories", "iterate"): (1, lambda r: ((_fact_filter(r),), {})),
    ("memories", "search"): (2, lambda r: ((r.choice(_TEXTS),), {})),
    ("memories", "search_as_you_type"): (1, lambda r: ((r.choice(_TEXTS),), {})),
    ("memories", "find_to_forget"): (1, lambda r: ((r.choice(_TEXTS),), {})),
    ("memories", "recall"): (2, lambda r: ((r.choice([None, *_TEXTS]),), {"touch": False})),
    ("memories", "fading"): (1, lambda r: ((), {})),
    ("memories", "forget_faded"): (1, lambda r: ((), _dry_run(r))),
    ("memories", "count"): (2, lambda r: ((_fact_filter(r),), {})),
    ("memories", "count_by"): (1, lambda r: ((r.choice(_FIELDS), _fact_filter(r)), {})),
    ("memories", "history"): (2, lambda r: ((_fact_id(r),), {})),
    ("memories", "forgotten"): (1, lambda r: ((), {**_paging(r), **_within(r)})),
    ("memories", "in_slot"): (1, lambda r: (_slot(r), {})),
    ("memories", "slots"): (1, lambda r: ((), _limit(r))),
    ("memories", "revert"): (2, lambda r: (_slot(r), {})),
    ("memories", "proposals"): (1, lambda r: ((), _paging(r))),
    ("memories", "iterate_proposals"): (1, lambda r: ((), {})),
    ("memories", "approve"): (2, lambda r: ((_fact_id(r),), _said_by(r))),
    ("memories", "reject"): (2, lambda r: ((_fact_id(r),), {})),
    ("sessions", "start"): (3, lambda r: (_thread(r), {"end_active": r.random() < 0.5})),
    ("sessions", "get_or_start"): (5, lambda r: (_thread(r), _limits(r))),
    ("sessions", "resume"): (3, lambda r: ((_session_id(r),), {})),
    ("sessions", "end_abandoned"): (1, lambda r: ((), _idle_after(r))),
    ("sessions", "end"): (4, lambda r: ((_session_id(r),), _end(r))),
    ("sessions", "summarize"): (2, lambda r: ((_session_id(r), _summary(r)), {})),
    ("sessions", "delete"): (1, lambda r: ((_session_id(r),), _what_of_its_events(r))),
    ("sessions", "get"): (1, lambda r: ((_session_id(r),), {})),
    ("sessions", "find"): (1, lambda r: ((_session_id(r),), {})),
    ("sessions", "get_many"): (1, lambda r: ((_several(r, _session_id),), {})),
    ("sessions", "active"): (2, lambda r: (_thread(r), {})),
    ("sessions", "search"): (1, lambda r: (("said",), {})),
    ("sessions", "count"): (1, lambda r: ((_session_filter(r),), {})),
    ("sessions", "unsummarized"): (1, lambda r: ((r.randint(1, 3),), _paging(r))),
    ("sessions", "carry_over"): (2, lambda r: (_thread(r), _max_tokens(r))),
    ("sessions", "digest"): (1, lambda r: ((_session_id(r),), {"limit": r.randint(1, 3)})),
    ("sessions", "threads"): (1, lambda r: ((), _paging(r))),
    ("sessions", "iterate_threads"): (1, lambda r: ((), {})),
    ("sessions", "find_many"): (2, lambda r: ((_session_filter(r),), _paging(r))),
    ("sessions", "iterate"): (1, lambda r: ((_session_filter(r),), {})),
    ("daily_logs", "append"): (8, lambda r: ((_session_of_event(r), r.choice(_TYPES)), _event(r))),
    ("daily_logs", "append_many"): (4, lambda r: ((_new_events(r),), {})),
    ("daily_logs", "delete"): (1, lambda r: ((_event_id(r),), {})),
    ("daily_logs", "delete_many"): (1, lambda r: ((_events_to_delete(r),), _dry_run(r))),
    ("daily_logs", "purge"): (1, lambda r: ((r.choice(_INSTANTS),), _dry_run(r))),
    ("daily_logs", "get"): (1, lambda r: ((_event_id(r),), {})),
    ("daily_logs", "find"): (1, lambda r: ((_event_id(r),), {})),
    ("daily_logs", "get_many"): (1, lambda r: ((_several(r, _event_id),), {})),
    ("daily_logs", "find_by_key"): (1, lambda r: ((r.choice(_KEYS[1:]),), {})),
    ("daily_logs", "pop_last"): (2, lambda r: ((_event_filter(r),), {})),
    ("daily_logs", "recent_tool_invocations"): (1, lambda r: ((), {"limit": r.randint(1, 3)})),
    ("daily_logs", "count"): (1, lambda r: ((_event_filter(r),), {})),
    ("daily_logs", "count_by_type"): (1, lambda r: ((_event_filter(r),), {})),
    ("daily_logs", "find_many"): (3, lambda r: ((_event_filter(r),), _event_paging(r))),
    ("daily_logs", "iterate"): (1, lambda r: ((_event_filter(r),), {})),
    ("daily_logs", "search"): (1, lambda r: ((r.choice(_TEXTS),), {})),
    ("daily_logs", "for_day"): (1, lambda r: ((_INSTANTS[-1].date(), r.choice([UTC, _TOKYO])), {})),
    ("daily_logs", "digest"): (
        1,
        lambda r: ((_INSTANTS[-1].date(), r.choice([UTC, _TOKYO])), {"limit": r.randint(1, 3)}),
    ),
    ("daily_logs", "count_by_day"): (1, lambda r: ((r.choice([UTC, _TOKYO]),), {})),
}
_WEIGHTS = [weight for weight, _ in METHODS.values()]


def _times(rng: _Random) -> dict[str, Any]:
    return _options(rng, times=lambda: rng.choice([1, 2]))


def _observation(rng: _Random) -> dict[str, Any]:
    return _times(rng) | _options(
        rng,
        evidence=lambda: f"seen {rng.randint(0, 9)}",
        content=lambda: rng.choice(_TEXTS),
        metadata=lambda: {"n": rng.randint(1, 9)},
    )


def _dry_run(rng: _Random) -> dict[str, Any]:
    return _options(rng, dry_run=lambda: True)


def _summary(rng: _Random) -> str | None:
    return rng.choice([None, f"said {rng.randint(0, 9)}"])


def _what_of_its_events(rng: _Random) -> dict[str, Any]:
    return _options(rng, events=lambda: rng.choice(["delete", "keep"]))


def _events_to_delete(rng: _Random) -> DailyLogFilter:
    # A filter needs a condition.
    return attrs.evolve(_event_filter(rng), event_type=rng.choice("xy"))


def _within(rng: _Random) -> dict[str, Any]:
    return _options(rng, within=lambda: timedelta(minutes=rng.randint(0, 30), milliseconds=1))


def _thread(rng: _Random) -> tuple[str, ...]:
    return (rng.choice(_THREADS),)


def _idle_after(rng: _Random) -> dict[str, Any]:
    return _options(rng, idle_after=lambda: timedelta(minutes=rng.choice([5, 60])))


def _max_tokens(rng: _Random) -> dict[str, Any]:
    return _options(rng, max_tokens=lambda: rng.choice([10, 30, 50]))


def _said_by(rng: _Random) -> dict[str, Any]:
    return {"source": rng.choice([None, "user_explicit"])}


def _limits(rng: _Random) -> dict[str, Any]:
    return _options(
        rng,
        idle_after=lambda: timedelta(minutes=rng.choice([5, 60])),
        day_boundary=lambda: rng.choice([UTC, _TOKYO]),
    )


def _end(rng: _Random) -> dict[str, Any]:
    return _options(
        rng, trigger=lambda: rng.choice(["error", "browser_close", "timeout"]), summary=lambda: "s"
    )


def _event(rng: _Random) -> dict[str, Any]:
    return _options(rng, event_data=lambda: _event_data(rng), key=lambda: rng.choice(_KEYS))


def _event_paging(rng: _Random) -> dict[str, Any]:
    return {**_paging(rng), "newest_first": rng.random() < 0.3}


# --- calls, actions, tasks ---------------------------------------------------------------------


def random_call(rng: _Random, method: tuple[Repo, str] | None = None) -> Call:
    """A call of *method*, or of any."""
    (chosen,) = rng.choices(list(METHODS), _WEIGHTS) if method is None else (method,)
    args, kwargs = METHODS[chosen][1](rng)
    scope = SCOPES[rng.random() < 0.15]
    return Call(*chosen, args, kwargs, scope, pause=rng.choice((0, 0, 0, 1, 2, 5)))


def _random_action(rng: _Random) -> Action:
    kind = rng.random()
    if kind < 0.75:
        return Single(random_call(rng))
    calls = tuple(random_call(rng) for _ in range(rng.randint(1, 4)))
    if kind < 0.92:
        return Transaction(
            calls,
            at_once=rng.random() < 0.2,
            rolls_back=rng.random() < 0.3,
            goes_on=rng.random() < 0.3,
        )
    return Conversation(
        calls, SCOPES[rng.random() < 0.15], end_active=rng.random() < 0.7, fails=rng.random() < 0.3
    )


@attrs.frozen
class TaskPlan:
    """What one task does."""

    actions: tuple[Action, ...]
    #: Whether it goes on when an action is cancelled.
    goes_on: bool


def random_tasks(
    rng: _Random, *, tasks: tuple[int, int], actions: tuple[int, int]
) -> tuple[TaskPlan, ...]:
    """Plans for as many tasks, with as many actions each, as the two ranges say."""
    return tuple(
        TaskPlan(
            tuple(_random_action(rng) for _ in range(rng.randint(*actions))),
            goes_on=rng.random() < 0.5,
        )
        for _ in range(rng.randint(*tasks))
    )
