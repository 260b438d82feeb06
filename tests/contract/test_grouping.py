"""Calls that wait at the same moment, on every driver; tests/connection/test_coalescing.py tries more on a file."""

from __future__ import annotations

import pytest

from tests.connection.test_coalescing import append, compare, correct, get, remember, touch

pytestmark = pytest.mark.asyncio


async def test_together_as_one_by_one(url: str) -> None:
    """
    Calls at once give what they give one after another, and leave the same rows.

    Among them are some that are refused, alone and among those that run as one statement with them.
    """
    writes = [
        *(append(99 if n in (30, 190) else 1, "", n) for n in range(200)),
        *(append(n % 3, "user:1", n) for n in range(12)),
        touch(1),
        *(remember(f"fact {n % 40}", "", "inferred", None) for n in range(80)),
        remember("forgotten", "", "user_explicit", 1),
        *(remember(f"fact {n}", "user:1", "inferred", None) for n in range(20)),
    ]
    reads = [get(n % 14, scope) for scope in ("", "user:1") for n in range(100)]
    await compare(url, writes, reads)


async def test_slots_together_as_one_by_one(url: str) -> None:
    """
    Texts for many slots at once replace what one after another would, and take over pins and dates.

    Some slots are given twice in a row, and a call of another kind, which is refused, stands between them.
    """
    corrections = [
        correct(f"{slot} is {n}", scope, slot)
        for scope in ("", "user:1")
        for n in range(60)
        for slot in ([f"slot {n % 20}"] if n % 7 else ["slot 3", f"guess {n}"])
    ]
    await compare(url, [*corrections[:50], append(99, "", 1), *corrections[50:]], [])


async def test_most_are_refused(url: str) -> None:
    """Where nearly every call of a merged statement is refused, each is told so, and the others stay."""
    await compare(url, [append(1 if n % 50 == 7 else 99, "", n) for n in range(150)], [])
