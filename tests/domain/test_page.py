"""A page is a sequence of its rows, and says whether more follow."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from memrepo import Page

PAGE = Page(items=("a", "b", "c"), next_cursor="3~2026")
LAST = Page(items=("a",), next_cursor=None)
EMPTY: Page[str] = Page(items=(), next_cursor=None)


def test_a_page_is_a_sequence() -> None:
    """Length, iteration, membership, indexes and slices are those of its rows."""
    assert isinstance(PAGE, Sequence)
    assert len(PAGE) == 3
    assert list(PAGE) == ["a", "b", "c"]
    assert "b" in PAGE
    assert "d" not in PAGE
    assert (PAGE[0], PAGE[-1]) == ("a", "c")
    assert PAGE[1:] == ("b", "c")
    assert list(reversed(PAGE)) == ["c", "b", "a"]
    with pytest.raises(IndexError):
        PAGE[3]


def test_an_empty_page_is_false() -> None:
    """A page without rows is false, as any empty sequence is."""
    assert PAGE
    assert not EMPTY


def test_repr_says_whether_more_follow() -> None:
    """The repr counts the rows and says whether they are the last; it never holds what is in them."""
    assert repr(PAGE) == "<Page of 3 rows, more follow>"
    assert repr(LAST) == "<Page of 1 row, the last>"
    assert repr(EMPTY) == "<Page of 0 rows, the last>"


def test_pages_are_values() -> None:
    """Pages with the same rows and the same end are equal, and can be keys."""
    assert Page(items=("a",), next_cursor=None) == LAST
    assert Page(items=("a",), next_cursor="1~2026") != LAST
    assert len({LAST, Page(items=("a",), next_cursor=None)}) == 1
