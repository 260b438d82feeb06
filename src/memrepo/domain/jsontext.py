"""JSON as stored text: strict when writing, tolerant when reading."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from secrets import token_hex
from typing import Final, TypeAlias, cast

from memrepo.errors import InvalidInputError

__all__ = [
    "MAX_JSON_DEPTH",
    "JsonValue",
    "decode_json",
    "decode_many",
    "encode_json",
    "to_compact_json",
]

#: What JSON can hold. Mappings are stored as objects, with keys that are strings; other sequences than text
#: as arrays. A value is taken when its call takes its first step: changing a dict later changes nothing stored.
JsonValue: TypeAlias = (
    bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None
)

#: Most levels of nesting; SQLite's own JSON functions stop at 1,000, Python's decoder near it.
MAX_JSON_DEPTH: Final = 500

#: Integers beyond this are rounded by some readers, such as SQLite and JavaScript.
_MAX_INTEGER: Final = 2**63


#: Writes compact JSON text, non-ASCII characters as they are, without looking at what it is given.
to_compact_json: Final = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
).encode

#: Exact types, because the encoder may write a subclass as anything.
_CONTAINERS: Final = frozenset({dict, list, tuple})
#: Sequences that are no arrays.
_NO_CONTAINERS: Final = (str, bytes, bytearray, memoryview)
_ALWAYS_FINE: Final = frozenset({bool, type(None)})
#: What the encoder writes exactly, or refuses; text, if it is ASCII.
_PLAIN: Final = _ALWAYS_FINE | {str, float}

_Path: TypeAlias = "tuple[_Path, str | int] | None"


def encode_json(field: str, value: JsonValue) -> str:
    """
    Write *value* as compact JSON text, non-ASCII characters as they are.

    Raises:
        InvalidInputError: *value* holds something JSON has no exact form for; the error's field
            names the place, as in ``event_data.steps[3]``.
    """
    try:
        text = to_compact_json(value)
    except (TypeError, ValueError, RecursionError):
        text = None
    if text is not None and text.isascii() and _is_flat(value):
        return text
    # The encoder changes some values silently: keys that are not str, subclasses, ...
    is_plain = _check(field, value)
    if text is not None and is_plain:
        return text
    try:
        return to_compact_json(value if is_plain else _plain(value))
    except RecursionError:
        raise InvalidInputError(field, "nested deeper than the stack that is left") from None


def decode_json(text: str) -> tuple[JsonValue, bool]:
    """Read stored *text*; return the value and whether it was readable (``None, False`` if not)."""
    try:
        return _read(text), True
    except (TypeError, ValueError, RecursionError):
        # TypeError: in a damaged file, even a number can stand where text was.
        return None, False


#: Stands between texts that are decoded together: no text knows it.
_MARK: Final = token_hex(8)


def decode_many(texts: Sequence[str]) -> list[JsonValue]:
    """Decode stored texts together, which takes a quarter of the time; ``None`` for one that is not readable."""
    values: list[JsonValue] = []
    with suppress(TypeError, ValueError, RecursionError):
        between = f',"{_MARK}",'
        values = _read(f"[{between.join(texts)}]")
    # A text like `1,2`, or two like `[1` and `2]`, which are no JSON by themselves, move the marks.
    if len(values) == 2 * len(texts) - 1 and values[1::2] == [_MARK] * (len(texts) - 1):
        return values[::2]
    return [decode_json(text)[0] for text in texts]


def _refuse_constant(name: str) -> JsonValue:
    raise ValueError(name)


def _finite(number: str) -> float:
    # JSON has numbers of any size, but 1e999 would come out as infinity, which is not JSON.
    value = float(number)
    if math.isinf(value):
        raise ValueError(number)
    return value


#: Made once: `json.loads` with arguments makes a decoder for each text, which takes longer than most texts.
_read: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite).decode


def _is_flat(value: object) -> bool:
    """Tell whether *value* is an object of plain values, the usual case, which JSON holds exactly."""
    if type(value) is not dict:
        return False
    for key, item in cast("dict[object, object]", value).items():
        if type(key) is not str:
            return False
        kind = type(item)
        if kind in _PLAIN:
            continue
        if kind is not int or not -_MAX_INTEGER <= cast("int", item) < _MAX_INTEGER:
            return False
    return True


def _check(field: str, value: JsonValue) -> bool:
    """Accept what JSON can hold; return whether the encoder writes it as it is, without `_plain`."""
    is_plain = True
    # A stack instead of recursion: 100,000 levels, or a list that holds itself, end at the limit.
    stack: list[tuple[object, _Path, int]] = [(value, None, 1)]
    while stack:
        item, path, depth = stack.pop()
        if type(item) not in _CONTAINERS:
            if not _is_container(item):
                _check_scalar(field, path, item)
                continue
            is_plain = False
        if depth > MAX_JSON_DEPTH:
            raise _invalid(field, None, f"nested deeper than {MAX_JSON_DEPTH} levels, or circular")
        for step, child in _children(field, path, item):
            kind = type(child)
            if not (kind in _ALWAYS_FINE or (kind is str and cast("str", child).isascii())):
                stack.append((child, (path, step), depth + 1))
    return is_plain


def _is_container(item: object) -> bool:
    return isinstance(item, Mapping | Sequence) and not isinstance(item, _NO_CONTAINERS)


def _plain(value: object) -> object:
    """Return *value*, which is checked, with a dict or a list in the place of each container."""
    if not _is_container(value):
        return value
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value).items()
        return {key: _plain(item) for key, item in items}
    return [_plain(item) for item in cast("Sequence[object]", value)]


def _children(field: str, path: _Path, item: object) -> Iterable[tuple[str | int, object]]:
    if not isinstance(item, Mapping):
        return enumerate(cast("Sequence[object]", item))
    pairs = cast("Mapping[object, object]", item)
    for key in pairs:
        if type(key) is not str:
            raise _invalid(field, path, f"a key of type {type(key).__name__}, not str")
        _check_text(field, path, key)
    return cast("Mapping[str, object]", pairs).items()


def _check_scalar(field: str, path: _Path, item: object) -> None:
    kind = type(item)
    if kind is str:
        _check_text(field, path, str(item))
    elif isinstance(item, float) and kind is float:
        if not math.isfinite(item):
            raise _invalid(field, path, "a number that is not finite")
    elif isinstance(item, int) and kind is int:
        if not -_MAX_INTEGER <= item < _MAX_INTEGER:
            raise _invalid(field, path, "an integer beyond 64 bits")
    elif kind not in _ALWAYS_FINE:
        raise _invalid(field, path, f"{kind.__name__} is not a JSON type")


def _check_text(field: str, path: _Path, text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _invalid(field, path, "text with a lone surrogate, which UTF-8 cannot hold") from None


def _invalid(field: str, path: _Path, reason: str) -> InvalidInputError:
    parts: list[str] = []
    while path is not None:
        path, step = path
        parts.append(f"[{step}]" if isinstance(step, int) else f".{step}")
    return InvalidInputError(field + "".join(reversed(parts)), reason)
