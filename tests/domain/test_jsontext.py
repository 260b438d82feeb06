"""JSON values to stored text and back: strict on the way in, tolerant on the way out."""

from __future__ import annotations

import json
import math
import sys
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given, strategies as st

from memrepo import InvalidInputError
from memrepo.domain.jsontext import (
    MAX_JSON_DEPTH,
    JsonValue,
    decode_json,
    decode_many,
    encode_json,
)

json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


class Colour(str, Enum):  # noqa: UP042 - an Enum that is a str is what people pass
    RED = "red"


class Number(IntEnum):
    ONE = 1


@attrs.frozen
class Model:
    name: str = "x"


def nested(levels: int) -> JsonValue:
    value: JsonValue = []
    for _ in range(levels - 1):
        value = [value]
    return value


@given(json_values)
def test_round_trip(value: JsonValue) -> None:
    """Every JSON value comes back equal, type by type, and its text is JSON for others, too."""
    text = encode_json("event_data", value)
    again, is_readable = decode_json(text)
    assert is_readable
    assert repr(again) == repr(value)
    assert "\0" not in text
    assert repr(json.loads(text)) == repr(value)


def test_text_is_compact_and_readable() -> None:
    """No space is spent, and non-ASCII text stays as people and LIKE read it."""
    assert encode_json("event_data", {"weiß": ["é", 1, None]}) == '{"weiß":["é",1,null]}'


@given(json_values)
def test_text_is_that_of_the_standard_library(value: JsonValue) -> None:
    """The text is what `json.dumps` writes."""
    documented = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert encode_json("event_data", value) == documented


def test_tuples_are_stored_as_arrays() -> None:
    """A tuple is accepted and read back as a list."""
    assert encode_json("event_data", (1, (2,))) == "[1,[2]]"


@pytest.mark.parametrize(
    "number", [0.0, -0.0, 5e-324, -5e-324, 1e308, 1.7976931348623157e308, 0.1, 2**63 - 1, -(2**63)]
)
def test_numbers_are_exact(number: float) -> None:
    """The limits of what a number can be come back exactly, the sign of zero included."""
    again, _ = decode_json(encode_json("event_data", number))
    assert repr(again) == repr(number)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (math.nan, "event_data"),
        ({"v": math.nan}, "event_data.v"),
        ({"v": [0, math.inf]}, "event_data.v[1]"),
        ([-math.inf], "event_data[0]"),
        ({"n": 2**63}, "event_data.n"),
        ({"n": -(2**63) - 1}, "event_data.n"),
        pytest.param(10**5000, "event_data", id="huge"),
        ({"at": datetime(2026, 1, 1, tzinfo=UTC)}, "event_data.at"),
        ({"a": {"b": b"bytes"}}, "event_data.a.b"),
        ([1, {2}], "event_data[1]"),
        ({"steps": [0, 1, 2, object()]}, "event_data.steps[3]"),
        (Decimal("1.5"), "event_data"),
        ([UUID(int=1)], "event_data[0]"),
        ([PurePosixPath("a")], "event_data[0]"),
        ({"m": Model()}, "event_data.m"),
        (Model, "event_data"),
        ([Colour.RED], "event_data[0]"),
        ([Number.ONE], "event_data[0]"),
        ((n for n in range(3)), "event_data"),
        ({1: "a"}, "event_data"),
        ({"a": {("b", "c"): 1}}, "event_data.a"),
        ({None: 1}, "event_data"),
        ({True: 1}, "event_data"),
        ({Colour.RED: 1}, "event_data"),
        ("a\ud800b", "event_data"),
        (["\udfff"], "event_data[0]"),
        ({"a\ud800b": 1}, "event_data"),
    ],
)
def test_what_json_cannot_hold_is_refused_by_its_path(value: Any, field: str) -> None:
    """Whatever JSON has no exact form for is refused, and the error's field names the place."""
    with pytest.raises(InvalidInputError) as caught:
        encode_json("event_data", value)
    assert caught.value.field == field


def test_depth_is_limited_exactly() -> None:
    """The deepest value that is accepted can be read back, and one level more is refused."""
    value = nested(MAX_JSON_DEPTH)
    assert decode_json(encode_json("event_data", value)) == (value, True)
    with pytest.raises(InvalidInputError, match="event_data: nested deeper than 500 levels"):
        encode_json("event_data", nested(MAX_JSON_DEPTH + 1))


@pytest.mark.parametrize("levels", [900, 1_000, 2_000, 100_000])
def test_deep_values_are_refused(levels: int) -> None:
    """However deep a value is, it is InvalidInputError and never RecursionError."""
    with pytest.raises(InvalidInputError, match="nested deeper"):
        encode_json("event_data", nested(levels))


def test_deep_values_are_refused_or_stored_deep_in_the_stack() -> None:
    """Called with little of Python's stack left, no RecursionError escapes either."""

    def descend(levels: int) -> str:
        return encode_json("event_data", nested(400)) if levels == 0 else descend(levels - 1)

    depth, frame = 0, sys._getframe()
    while frame.f_back is not None:
        depth, frame = depth + 1, frame.f_back
    try:
        text = descend(sys.getrecursionlimit() - depth - 200)
    except InvalidInputError:
        return
    assert text == "[" * 400 + "]" * 400


def test_circular_values_are_refused() -> None:
    """A dict or list that holds itself is InvalidInputError, wherever the circle is."""
    in_dict: dict[str, Any] = {"a": 1}
    in_dict["d"] = in_dict
    in_list: list[Any] = []
    in_list.append({"l": in_list})
    for value in (in_dict, in_list, {"x": [in_dict]}):
        with pytest.raises(InvalidInputError, match="circular"):
            encode_json("event_data", value)


def test_a_value_that_occurs_twice_is_not_circular() -> None:
    """The same list in two places is stored in both."""
    shared = [1]
    assert encode_json("event_data", {"a": shared, "b": shared}) == '{"a":[1],"b":[1]}'


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", '{"a":', "{'a': 1}", "[1,]", "NaN", "[Infinity]", "-Infinity", "nul", '"\n"'),
        *("1 2", "\ufeff1"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param("1" * 5_000, id="long"),
    ],
)
def test_broken_text_is_marked(text: str) -> None:
    """What is not JSON is told apart from the JSON value null, and never raises."""
    assert decode_json(text) == (None, False)


@pytest.mark.parametrize("value", [5, 1.5, b"\xff"])
def test_what_is_not_text_is_marked(value: object) -> None:
    """A damaged file can give anything in the place of text; that does not raise, either."""
    assert decode_json(value) == (None, False)  # type: ignore[arg-type]


broken = st.sampled_from(
    ["", "1,2", '{"a":1},{"b":2}', "1],[2", '"a', 'a"', "{", "1}", "NaN", "1e999"]
)


@given(st.lists(json_values), st.none() | broken, st.integers(0, 9))
def test_many_are_decoded_as_each_is(values: list[JsonValue], odd: str | None, at: int) -> None:
    """Texts that are read together have the values that each has, and None for one that is not JSON."""
    stored = [encode_json("x", value) for value in values]
    if odd is not None:
        stored.insert(at, odd)
    assert repr(decode_many(stored)) == repr([decode_json(text)[0] for text in stored])


def test_many_that_are_json_only_together() -> None:
    """Parts of one value, and two values in one text, as a damaged file may have them, are no values."""
    for stored in (['{"a":1', '"b":2}', "3,4"], ["[1", "2]", "3,4"], ["1,2"], ['"a', 'b"', "1,2"]):
        assert decode_many(stored) == [None] * len(stored)


def test_many_of_no_text_are_marked() -> None:
    """What a damaged file has in the place of a text is None, and hides no other."""
    stored: Any = ["{}", b"{}", None, 7, "[1]"]
    assert decode_many(stored) == [{}, None, None, None, [1]]


def test_null_is_readable() -> None:
    """The JSON text ``null`` is a value."""
    assert decode_json("null") == (None, True)


def test_the_error_does_not_hold_the_value() -> None:
    """The message names place and type; the value itself is never in it."""
    secret = "sk-0123456789"
    for value in ({"a": [secret, b"x"]}, {"a": secret + "\ud800"}, [secret.encode()]):
        with pytest.raises(InvalidInputError) as caught:
            encode_json("event_data", value)  # type: ignore[arg-type]
        assert secret not in str(caught.value)
