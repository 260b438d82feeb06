"""The scopes of the database, to choose one."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from memrepo.browse.visit import Visit
from memrepo.domain.checks import check_scope

__all__ = ["list_scopes"]

_ON_A_PAGE: Final = 50


async def list_scopes(visit: Visit) -> Response:
    """Show a page of them."""
    after = visit.query.get("after")  # "" is the default scope
    scopes, following = await visit.rows.scopes(
        limit=_ON_A_PAGE, after=None if after is None else check_scope(after)
    )
    return visit.answer("scopes", scopes=scopes, following=following, is_first=after is None)
