"""One request: whose memory it looks at, where its links lead, how it is answered."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote, urlencode

import attrs
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse

from memrepo.browse import charts
from memrepo.browse.access import Access
from memrepo.browse.background import Background
from memrepo.browse.reading import Browsed
from memrepo.browse.states import marks, who
from memrepo.browse.texts import LONG, SHORT, data_of, excerpt, fields_of, pretty, shown
from memrepo.domain.checks import check_scope
from memrepo.errors import InvalidInputError, NotFoundError
from memrepo.repositories.scopes import ScopedStore
from memrepo.store import Store

__all__ = ["Site", "Visit", "day_name", "month_name"]

_HIGHEST_NUMBER: Final = 2**31
# Python reads no number of thousands of digits.
_is_number: Final = re.compile(r"\d{1,10}", re.ASCII).fullmatch
_is_id: Final = re.compile(r"\d{1,19}", re.ASCII).fullmatch

Form: TypeAlias = Literal["minute", "day", "time", "second"]
_MONTHS: Final = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]
_FORMS: Final[dict[str, Callable[[datetime], str]]] = {
    "minute": lambda at: f"{day_name(at)}, {at:%H:%M}",
    "day": lambda at: day_name(at),  # noqa: PLW0108 - it is defined below
    "time": lambda at: f"{at:%H:%M}",
    "second": lambda at: f"{at:%H:%M:%S}",
}


def day_name(day: date) -> str:
    """Return ``3 Nov 2026``, whatever the locale."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year:04}"


def month_name(day: date) -> str:
    """Return ``Nov 2026``."""
    return f"{_MONTHS[day.month - 1]} {day.year:04}"


_templates: Final = Environment(
    loader=PackageLoader("memrepo.browse"),
    autoescape=True,
    auto_reload=False,  # it would ask the file system at every page
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
_templates.filters |= {
    "shown": shown,
    "pretty": pretty,
    "data": data_of,
    "fields": fields_of,
    "who": who,
}
_templates.globals |= {
    "charts": charts,
    "excerpt": excerpt,
    "day_name": day_name,
    "marks": marks,
    "SHORT": SHORT,
    "LONG": LONG,
}
# Now, and not when somebody waits for the first page.
_pages: Final = {name: _templates.get_template(name) for name in _templates.list_templates()}


@attrs.frozen(kw_only=True)
class Site:
    """What all pages have in common."""

    store: Store
    #: What the database is called.
    title: str
    #: Whose memory is shown first.
    scope: str
    #: Whether facts can be changed.
    can_edit: bool
    #: The time zone of days and times.
    tz: tzinfo
    access: Access
    background: Background = attrs.field(factory=Background)


class Visit:
    """A request."""

    def __init__(self, site: Site, request: Request, *, is_plain: bool = False) -> None:
        """Take a request; *is_plain* is for one that may be wrong in all that it asks for."""
        self.site = site
        self._is_plain = is_plain
        self.request = request
        self.query: QueryParams = request.query_params

    # --- what is asked for -----------------------------------------------------------------------

    @cached_property
    def scope(self) -> str:
        """Whose memory it looks at."""
        given = None if self._is_plain else self.query.get("scope")
        return self.site.scope if given is None else check_scope(given)

    @cached_property
    def store(self) -> ScopedStore:
        """That memory."""
        return self.site.store.scoped(self.scope)

    @cached_property
    def rows(self) -> Browsed:
        """The same, as the pages list it."""
        return Browsed(self.store.connection, scope=self.scope)

    @property
    def now(self) -> datetime:
        """The instant of the request."""
        return self.rows.now()

    @property
    def id(self) -> int:
        """
        The id in the path.

        Raises:
            NotFoundError: It is none.
        """
        given: str = self.request.path_params["id"]
        if not _is_id(given):
            raise NotFoundError("there is no such page")
        return int(given)

    def text(self, name: str) -> str | None:
        """Return a field of the query; ``None`` if it is not there, or blank."""
        return self.query.get(name, "").strip() or None

    def name(self, name: str) -> str | None:
        """Return a name in the query as it is stored, with the space around it; ``None`` if it is not there, or blank."""
        return self.query.get(name) if self.text(name) else None

    def number(self, name: str, default: int, most: int = _HIGHEST_NUMBER) -> int:
        """
        Return a number of the query, 1 to *most*.

        Raises:
            InvalidInputError: It is none, or another one.
        """
        given = self.text(name)
        if given is None:
            return default
        number = int(given) if _is_number(given) else 0
        if not 1 <= number <= most:
            raise InvalidInputError(name, f"must be a number from 1 to {most:,}")
        return number

    # --- answers ---------------------------------------------------------------------------------

    def url(self, path: str = "", /, **query: object) -> str:
        """Return the address of a page for the same scope; fields that are ``None`` are left out."""
        given = {name: str(its) for name, its in query.items() if its is not None}
        if self.scope != self.site.scope and "scope" not in given:
            given["scope"] = self.scope
        path, mark, anchor = path.partition("#")
        encoded = f"?{urlencode(given, quote_via=quote)}" if given else ""
        return f"{self.site.access.prefix}/{path}{encoded}{mark}{anchor}"

    def answer(
        self,
        template: str,
        /,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """Return a page."""
        page = _pages[f"{template}.html"].render(
            visit=self,
            site=self.site,
            url=self.url,
            when=self.when,
            now=self.now,
            form_token=self._form_token,
            **context,
        )
        return HTMLResponse(page, status, headers)

    @property
    def _form_token(self) -> Callable[[], str]:
        return lambda: self.site.access.form_token(self.request)

    # --- times -----------------------------------------------------------------------------------

    def local(self, instant: datetime) -> datetime:
        """Return an instant as the clock shows it; in UTC where that is outside the calendar."""
        try:
            return instant.astimezone(self.site.tz)
        except OverflowError:
            return instant

    def today(self) -> date:
        """Return the day that it is."""
        return self.local(datetime.now(UTC)).date()

    def when(self, instant: datetime, form: Form = "minute") -> Markup:
        """Return an instant as HTML, in local time: as ``3 Nov 2026, 14:05``, or the part that *form* names."""
        local = self.local(instant)
        iso = instant.astimezone(UTC).isoformat(timespec="milliseconds")
        # Nothing in it needs escaping, and a page has a hundred of them.
        return Markup(f'<time datetime="{iso}" title="{iso}">{_FORMS[form](local)}</time>')  # noqa: S704
