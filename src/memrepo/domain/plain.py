"""`to_dict()`: models as plain JSON types."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from pathlib import PurePath
from typing import cast

import attrs

from memrepo.domain.jsontext import JsonValue

__all__ = ["PlainModel"]


class PlainModel:
    """A model that can be written as JSON."""

    # Without slots, each model would have a __dict__, which accepts any attribute.
    __slots__ = ()

    def to_dict(self) -> dict[str, JsonValue]:
        """
        Return the fields as plain JSON types, which `json.dumps` takes.

        Instants are ISO text in UTC, as ``2026-02-02T14:16:24.123Z``; ``raw_metadata`` and
        ``raw_event_data`` are decoded, and named `metadata` and `event_data`; tuples become lists, days ISO text,
        and time zones their names.
        """
        cls = type(self)
        assert attrs.has(cls)  # noqa: S101 - for the type checker: every model is an attrs class
        names = [field.name.removeprefix("raw_") for field in attrs.fields(cls)]
        return {name: _plain(getattr(self, name)) for name in names if not name.startswith("_")}


def _plain(value: object) -> JsonValue:
    if isinstance(value, PlainModel):
        return value.to_dict()
    if isinstance(value, datetime):
        text = value.astimezone(UTC).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")
    if isinstance(value, tuple):
        return [_plain(item) for item in cast("tuple[object, ...]", value)]
    return str(value) if isinstance(value, PurePath | date | tzinfo) else cast("JsonValue", value)
