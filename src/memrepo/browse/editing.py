"""What ``--edit`` allows: to correct a fact, to forget it, to restore it, to answer a proposal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from memrepo.browse.facts import fact_page
from memrepo.browse.visit import Visit
from memrepo.domain.memories import EXPLICIT_SOURCE
from memrepo.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError

__all__ = ["CHANGES", "Change", "change"]

#: Bytes of a form: a text of the longest kind, with three characters for each of its bytes.
_MOST_BYTES: Final = 13_000_000
_MOST_FIELDS: Final = 10

Change: TypeAlias = Callable[[Visit, int, str], Awaitable[None]]


async def _correct(visit: Visit, id: int, content: str) -> None:
    # A form has its line breaks as CR LF, whatever the text had.
    await visit.store.memories.update(id, content=content.replace("\r\n", "\n"))


async def _forget(visit: Visit, id: int, _: str) -> None:
    await visit.store.memories.forget(id)


async def _restore(visit: Visit, id: int, _: str) -> None:
    await visit.store.memories.restore(id)


async def _approve(visit: Visit, id: int, _: str) -> None:
    await visit.store.memories.approve(id, source=EXPLICIT_SOURCE)


async def _reject(visit: Visit, id: int, _: str) -> None:
    await visit.store.memories.reject(id)


#: The changes, by the last part of the path, and how the page says that one was done.
CHANGES: Final[dict[str, tuple[Change, str]]] = {
    "correct": (_correct, "corrected"),
    "forget": (_forget, "forgotten"),
    "restore": (_restore, "restored"),
    "approve": (_approve, "approved"),
    "reject": (_reject, "rejected"),
}


async def change(visit: Visit, do: Change, done: str) -> Response:
    """Change a fact as a form says, and show it, and that it was *done*."""
    if not visit.site.can_edit:
        return PlainTextResponse("Nothing can be changed here without --edit.", 403)
    fields = await _fields(visit)
    if fields is None:
        return PlainTextResponse("This form is too long, or none.", 413)
    if not visit.site.access.has_form_token(visit.request, fields.get("form_token", "")):
        return PlainTextResponse("This form is of another session: load its page again.", 403)
    number = visit.id
    content = fields.get("content", "")
    try:
        await do(visit, number, content)
    except (ConflictError, InvalidInputError, NotFoundError, RefusedError) as error:
        fact = await visit.rows.fact(number)
        if fact is None:
            raise
        return await fact_page(visit, fact, status=409, problem=str(error), typed=content or None)
    # So that loading the page again does not send the form again.
    return RedirectResponse(visit.url(f"facts/{number}", done=done), 303)


async def _fields(visit: Visit) -> dict[str, str] | None:
    """Return the fields of the form that was sent; ``None`` if it cannot be one of ours."""
    body = bytearray()
    async for part in visit.request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            return None
    try:
        fields = parse_qs(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:  # not UTF-8, or too many
        return None
    return {name: values[0] for name, values in fields.items()}
