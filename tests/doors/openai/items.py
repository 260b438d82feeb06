"""Items of a conversation, as the tests make them and look at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agents import TResponseInputItem

__all__ = ["message", "texts"]


def message(text: str, role: str = "user") -> TResponseInputItem:
    assert role in ("user", "assistant")
    if role == "user":
        return {"role": "user", "content": text}
    return {"role": "assistant", "content": text}


def texts(items: Iterable[TResponseInputItem]) -> list[object]:
    """Return what each item says."""
    return [item.get("content") if isinstance(item, Mapping) else None for item in items]
