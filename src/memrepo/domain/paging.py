"""Keyset pages: read one row more than asked for, and continue after the last one shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final, Generic, TypeVar, overload

import attrs

from memrepo.domain.checks import check_cursor, check_limit
from memrepo.domain.codec import Row, Value
from memrepo.domain.plain import PlainModel
from memrepo.errors import CorruptDatabaseError, DecodeError, InvalidInputError

__all__ = [
    "DEFAULT_LIMIT",
    "ITERATE_LIMIT",
    "Page",
    "cursor_after_name",
    "encode_cursor",
    "is_large",
    "last_id",
    "name_after",
    "name_parameters",
    "page_parameters",
    "to_page",
    "to_page_by_name",
    "walk",
]

#: Rows of a page by default.
DEFAULT_LIMIT: Final = 50
#: Rows that iterating reads at a time.
ITERATE_LIMIT: Final = 500
#: Most rows that are read as fast as a quick read must be: about half a millisecond.
_MOST_QUICK: Final = 200

#: SQLite trusts the order of the rows in a file, also where damage has changed it.
_OUT_OF_ORDER: Final = "rows are out of order: the database is damaged"

T = TypeVar("T")


@attrs.frozen(kw_only=True, repr=False)
class Page(Sequence[T], PlainModel, Generic[T]):
    """
    One page of rows in a stable order: a sequence of its `items` only.

    Use it to show rows a page at a time. To read all rows, use ``iterate``: a loop over a page ends
    with the page, and `next_cursor` says whether more rows follow.
    """

    #: The rows; empty when nothing matches.
    items: tuple[T, ...]
    #: Pass it as ``after`` to read on; ``None`` on the last page. It stays valid while rows come and go.
    next_cursor: str | None

    def __iter__(self) -> Iterator[T]:
        """Iterate over the page's rows."""
        return iter(self.items)

    def __len__(self) -> int:
        """Return the number of rows in the page."""
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        """Return one of the page's rows, or a tuple of several."""
        return self.items[index]

    def __repr__(self) -> str:
        """Show how many rows it has and whether more follow, but not the rows, which are private."""
        rows = "1 row" if len(self.items) == 1 else f"{len(self.items)} rows"
        return f"<Page of {rows}, {'the last' if self.next_cursor is None else 'more follow'}>"


def is_large(n_rows: int) -> bool:
    """Tell whether so many rows take too long for other reads to wait for."""
    return n_rows > _MOST_QUICK


def page_parameters(limit: int, after: str | None) -> dict[str, Value]:
    """Check a page's arguments; return what its statement binds for them."""
    parameters: dict[str, Value] = {"limit": check_limit(limit) + 1}
    if after is not None:
        parameters["after_instant"], parameters["after_id"] = check_cursor(after)
    return parameters


def to_page(rows: Sequence[Row], items: Iterable[T], limit: int, *, instant: int) -> Page[T]:
    """
    Make a page of *items*, which are the first *limit* of *rows* as models.

    The rows are ordered by (column *instant*, column 0). If there is one more than *limit*, another
    page follows.

    Raises:
        DecodeError: Another page would follow a row whose stored instant no cursor can hold.
    """
    is_last = len(rows) <= limit
    cursor = None if is_last else _cursor_after(rows[limit - 1][instant], rows[limit - 1][0])
    return Page(items=tuple(items), next_cursor=cursor)


def name_parameters(limit: int, after: str | None) -> dict[str, Value]:
    """Check the arguments of a page in the order of names; return what its statement binds for them."""
    parameters: dict[str, Value] = {"limit": check_limit(limit) + 1}
    if after is not None:
        parameters["after"] = name_after(after)
    return parameters


def name_after(cursor: object) -> str:
    """Return the name for which a cursor of `cursor_after_name` stands: any text, as other programs store them."""
    if not isinstance(cursor, str) or not cursor.startswith("~"):
        raise InvalidInputError("after", "must be the next_cursor of a page")
    return cursor[1:]


def cursor_after_name(name: str) -> str:
    """Return the cursor of a position in the order of names: never empty, so that the one after ``""`` is true."""
    return f"~{name}"


def to_page_by_name(rows: Sequence[Row], items: Iterable[T], limit: int, *, name: int) -> Page[T]:
    """
    Make a page as `to_page` does, of rows in the order of the names in column *name*.

    Raises:
        DecodeError: Another page would follow a row whose name is no text.
    """
    if len(rows) <= limit:
        return Page(items=tuple(items), next_cursor=None)
    last = rows[limit - 1][name]
    if not isinstance(last, str):
        raise DecodeError(f"row {rows[limit - 1][0]} has a name after which no page can begin")
    return Page(items=tuple(items), next_cursor=cursor_after_name(last))


def encode_cursor(instant: str, number: int) -> str:
    """Return the cursor of a position in the order by (instant, id); *instant* is the stored text."""
    return f"{number}~{instant}"


def _cursor_after(instant: Value, number: int) -> str:
    # A text could stand for a blob, or for one that is not UTF-8, but has another place in the order.
    if isinstance(instant, str):
        with suppress(InvalidInputError):
            cursor = encode_cursor(instant, number)
            check_cursor(cursor)
            return cursor
    raise DecodeError(f"row {number} has an instant after which no page can begin")


async def walk(find_page: Callable[[str | None], Awaitable[Page[T]]]) -> AsyncIterator[T]:
    """
    Yield the rows of one page after the other.

    Raises:
        CorruptDatabaseError: Pages come round again.
    """
    page = await find_page(None)
    seen: set[str] = set()
    while True:
        for item in page:
            yield item
        if page.next_cursor is None:
            return
        if page.next_cursor in seen:
            raise CorruptDatabaseError(_OUT_OF_ORDER)
        seen.add(page.next_cursor)
        page = await find_page(page.next_cursor)


def last_id(rows: Sequence[Row], above: int) -> int:
    """
    Return the id that a page of rows in the order of their ids ends with; the next page begins above it.

    Args:
        rows: The page, at least one row, which begins with its id.
        above: Where the page before has ended.

    Raises:
        CorruptDatabaseError: It is not *above*: reading on would never end.
    """
    number: int = rows[-1][0]
    if number <= above:
        raise CorruptDatabaseError(_OUT_OF_ORDER)
    return number
