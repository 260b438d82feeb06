"""Pages by keyset: read one row more than asked, and go on after the last one shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeVar

from memrepo.domain.checks import check_cursor, check_limit
from memrepo.domain.codec import Row, Value, encode_cursor
from memrepo.domain.models import Page

__all__ = ["DEFAULT_LIMIT", "ITERATE_LIMIT", "page_parameters", "to_page", "walk"]

#: Rows of a page where the caller does not say.
DEFAULT_LIMIT: Final = 50
#: Rows that iterating reads at a time.
ITERATE_LIMIT: Final = 500

T = TypeVar("T")


def page_parameters(limit: int, after: str | None) -> dict[str, Value]:
    """Check a page's arguments; return what its statement binds for them."""
    parameters: dict[str, Value] = {"limit": check_limit(limit) + 1}
    if after is not None:
        parameters["after_instant"], parameters["after_id"] = check_cursor(after)
    return parameters


def to_page(
    rows: Sequence[Row],
    limit: int,
    decode: Callable[..., Iterable[T]],
    *arguments: object,
    instant: int,
) -> Page[T]:
    """
    Make a page of *limit* + 1 rows or fewer, ordered by (their column *instant*, their first).

    They are decoded by *decode*, which is given the rows that are shown, and the *arguments*.
    """
    shown = rows[:limit]
    is_last = len(rows) <= limit
    cursor = None if is_last else encode_cursor(shown[-1][instant], shown[-1][0])
    return Page(items=tuple(decode(shown, *arguments)), next_cursor=cursor)


async def walk(find_page: Callable[[str | None], Awaitable[Page[T]]]) -> AsyncIterator[T]:
    """Yield the rows of one page after the other."""
    page = await find_page(None)
    while True:
        for item in page:
            yield item
        if page.next_cursor is None:
            return
        page = await find_page(page.next_cursor)
