"""Filters on the pairs of a JSON object, and counts by a column, on every driver."""

from __future__ import annotations

from collections import OrderedDict
from types import MappingProxyType
from typing import Any, Final

import pytest
from hypothesis import example, given, settings, strategies as st

from memrepo import (
    DailyLogFilter,
    DailyLogNew,
    InvalidInputError,
    MemoryFilter,
    MemoryNew,
    Statement,
    Store,
)
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

#: Objects, and other JSON that no filter matches.
DATA: Final[list[Any]] = [
    {"conversation": "c1"},
    {"conversation": "c1", "n": 1, "ok": True},
    {"conversation": "c2", "n": 1.0, "ok": 1},
    {"conversation": None, "deep": {"conversation": "c1"}},
    {'say "hi"\\': "ü$.a", "": "", "0": 0},
    ["conversation", "c1"],
    "c1",
    None,
]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ({}, range(8)),
        ({"conversation": "c1"}, [0, 1]),
        ({"conversation": "C1"}, []),
        ({"conversation": "c1", "n": 1}, [1]),
        ({"n": 1}, [1, 2]),
        ({"n": 1.0}, [1, 2]),
        ({"n": "1"}, []),
        ({"ok": True}, [1]),
        ({"ok": 1}, [2]),
        ({"conversation": None}, [3]),
        ({"missing": None}, []),
        ({"deep": None}, []),
        ({'say "hi"\\': "ü$.a"}, [4]),
        ({"": ""}, [4]),
        ({"0": 0}, [4]),
        ({"0": "conversation"}, []),
    ],
    ids=str,
)
async def test_pairs(store: Store, pairs: dict[str, Any], expected: list[int]) -> None:
    """A filter finds the objects that have all of its keys, each with its value, type by type."""
    await store.daily_logs.append_many(
        DailyLogNew(event_type=f"{n}", event_data=data) for n, data in enumerate(DATA)
    )
    await store.memories.remember_many(
        MemoryNew(content=f"fact {n}", metadata=data if isinstance(data, dict) else None)
        for n, data in enumerate(DATA)
    )
    where = DailyLogFilter(data=MappingProxyType(pairs))
    events = await store.daily_logs.find_many(where)
    assert [event.event_type for event in events] == [str(n) for n in expected]
    facts = [fact async for fact in store.memories.iterate(MemoryFilter(metadata=pairs))]
    mine = [n for n in expected if not pairs or isinstance(DATA[n], dict)]
    assert [fact.content for fact in reversed(facts)] == [f"fact {n}" for n in mine]
    assert await store.memories.count(MemoryFilter(metadata=pairs)) == len(mine)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), texts, st.floats(-1e9, 1e9)
)
objects = st.dictionaries(texts, scalars, max_size=4)


@settings(
    max_examples=60,
)
@given(objects, objects)
@example({"a": 2**63 - 1}, {"a": float(2**63)})
async def test_any_pairs(store: Store, stored: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Any object matches what Python finds in it, and always itself."""

    def kind(value: object) -> object:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float if is_number else type(value)

    async with store.transaction() as tx:
        event = (await tx.daily_logs.append(None, "x", stored)).event
        for where in (wanted, stored):
            matches = all(
                key in stored and stored[key] == value and kind(stored[key]) == kind(value)
                for key, value in where.items()
            )
            found = await tx.daily_logs.pop_last(DailyLogFilter(data=where, event_type="x"))
            assert found == (event if matches else None)
            if found:
                event = (await tx.daily_logs.append(None, "x", stored)).event
        assert await tx.daily_logs.pop_last() == event


@pytest.mark.parametrize("broken", ["{", "{'a':1}", '{"a":1} x', ""])
async def test_what_is_no_json_does_not_match(store: Store, broken: str) -> None:
    """Rows that another program left with text that is no JSON match nothing and fail nothing."""
    for n in range(3):
        await store.daily_logs.append(None, f"{n}", {"a": 1})
        await store.memories.remember(f"{n}", metadata={"a": 1})
    for table, column in (("daily_logs", "event_data"), ("memory_entries", "metadata")):
        sql = f"UPDATE `{table}` SET `{column}` = :text WHERE `id` = 2"
        await store.connection.write((Statement("another.program", sql).bind(text=broken),))
    events = await store.daily_logs.find_many(DailyLogFilter(data={"a": 1}))
    assert [event.event_type for event in events] == ["0", "2"]
    assert await store.memories.count(MemoryFilter(metadata={"a": 1})) == 2


@pytest.mark.parametrize(
    ("pairs", "field"),
    [
        ({"a": {"b": 1}}, "data.a"),
        ({"a": [1]}, "data.a"),
        ({1: "a"}, "data"),
        ({"a": float("nan")}, "data.a"),
        ({"a": "\ud800"}, "data.a"),
        ({"a": "\0"}, "data.a"),
        ({"a\0": 1}, "data.a\0"),
        ([("a", 1)], "data"),
        ("a", "data"),
    ],
    ids=repr,
)
async def test_pairs_refused(store: Store, pairs: Any, field: str) -> None:
    """A value that no pair can have is refused by its place, before anything is read."""
    with pytest.raises(InvalidInputError) as caught:
        await store.daily_logs.find_many(DailyLogFilter(data=pairs))
    assert caught.value.field == field
    with pytest.raises(InvalidInputError, match=r"^metadata"):
        await store.memories.count(MemoryFilter(metadata=pairs))


async def test_event_types(store: Store) -> None:
    """Any of several types is found, in the usual order; of none, none."""
    for name in "abcab":
        await store.daily_logs.append(None, name)

    async def types(where: DailyLogFilter) -> str:
        return "".join([event.event_type for event in await store.daily_logs.find_many(where)])

    assert await types(DailyLogFilter(event_types=["a", "b"])) == "abab"
    assert await types(DailyLogFilter(event_types=["c", "c", "d"])) == "c"
    assert await types(DailyLogFilter(event_types=iter(("a",)))) == "aa"
    assert await types(DailyLogFilter(event_types=())) == ""
    assert await types(DailyLogFilter(event_type="a", event_types=("b", "c"))) == ""
    refused: list[tuple[Any, str]] = [
        ("ab", "event_types"),
        (["a", ""], "event_types[1]"),
        (7, "event_types"),
    ]
    for wrong, field in refused:
        with pytest.raises(InvalidInputError) as caught:
            await store.daily_logs.find_many(DailyLogFilter(event_types=wrong))
        assert caught.value.field == field


async def test_event_types_of_an_iterator(store: Store) -> None:
    """A filter whose types an iterator returns can be used again, as for the next page."""
    for name in "abcab":
        await store.daily_logs.append(None, name)
    where = DailyLogFilter(event_types=iter("ab"))
    page = await store.daily_logs.find_many(where, limit=3)
    rest = await store.daily_logs.find_many(where, limit=3, after=page.next_cursor)
    assert [event.event_type for event in (*page, *rest)] == ["a", "b", "a", "b"]
    assert len([event async for event in store.daily_logs.iterate(where)]) == 4
    assert await store.daily_logs.delete_many(where, dry_run=True) == 4
    assert await store.daily_logs.delete_many(where) == 4


async def test_counts(store: Store, clock: Clock) -> None:
    """Counts by category, source and type have the most frequent first, and only what is current or asked for."""
    assert await store.memories.count_by("category") == {}
    assert await store.daily_logs.count_by_type() == {}
    assert await store.daily_logs.count() == 0
    for n, (category, source) in enumerate(zip("abacc", "xyyyx", strict=True)):
        fact = await store.memories.remember(f"fact {n}", category=category, source=source)
        await store.daily_logs.append(None, category, {"n": n})
    await store.scoped("user:1").memories.remember("other", category="d")
    counts = await store.memories.count_by("category")
    assert list(counts.items()) == [("a", 2), ("c", 2), ("b", 1)]
    assert list((await store.memories.count_by("source")).items()) == [("y", 3), ("x", 2)]
    where = MemoryFilter(source="y")
    assert list((await store.memories.count_by("category", where)).items()) == [
        ("a", 1), ("b", 1), ("c", 1)
    ]  # fmt: skip
    await store.memories.forget(fact.id)
    assert list((await store.memories.count_by("category")).items()) == [
        ("a", 2), ("b", 1), ("c", 1)
    ]  # fmt: skip
    types = await store.daily_logs.count_by_type()
    assert list(types.items()) == [("a", 2), ("c", 2), ("b", 1)]
    assert await store.daily_logs.count_by_type(DailyLogFilter(data={"n": 3})) == {"c": 1}
    assert await store.daily_logs.count() == 5
    assert await store.daily_logs.count(DailyLogFilter(event_types=("a", "b"))) == 3
    wrong: Any = "content"
    with pytest.raises(InvalidInputError, match=r"^field: "):
        await store.memories.count_by(wrong)


async def test_any_mapping(store: Store) -> None:
    """Metadata and event data may be any mappings and sequences, at any depth, and come back as plain JSON."""
    inner: Any = MappingProxyType({"ü": range(2)})
    value: Any = MappingProxyType({"a": OrderedDict(b=(1, inner)), "c": "é"})
    plain = {"a": {"b": [1, {"ü": [0, 1]}]}, "c": "é"}
    one = await store.memories.remember("one", metadata=value)
    (two,) = await store.memories.remember_many([MemoryNew(content="two", metadata=value)])
    three = await store.memories.update(one.id, metadata=OrderedDict(value))
    for entry in (one.entry, two.entry, three):
        assert entry.metadata == plain
    appended = await store.daily_logs.append(None, "x", value)
    assert (appended.event.event_data, appended.event.is_broken) == (plain, False)
    assert (await store.daily_logs.append(None, "x", inner)).event.event_data == {"ü": [0, 1]}
    for bad in (b"bytes", bytearray(2), memoryview(b"x"), {1, 2}):
        wrong: Any = bad
        with pytest.raises(InvalidInputError, match=r"^event_data\.a: "):
            await store.daily_logs.append(None, "x", {"a": wrong})
