"""The options of `connect`, which `from_env` and `StorePool` pass on: one set, and a clear error for others."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

import attrs
import pytest

import memrepo
from memrepo.options import CheckedOptions, ConnectOptions


def test_one_set_of_options() -> None:
    """Those that `connect` explains are those that others pass on, with the same types and defaults."""
    parameters = inspect.signature(memrepo.connect).parameters.values()
    options = {its.name: its.default for its in parameters if its.kind is its.KEYWORD_ONLY}
    assert options == {field.name: field.default for field in attrs.fields(CheckedOptions)}
    hints = typing.get_type_hints(memrepo.connect)
    types = {name: hints[name] for name in options}
    assert types == typing.get_type_hints(ConnectOptions)
    assert types.items() <= typing.get_type_hints(CheckedOptions).items()


@pytest.mark.parametrize(
    "use",
    [
        lambda **options: memrepo.connect("agent.db", **options),
        memrepo.from_env,
        lambda **options: memrepo.StorePool("{tenant}.db", **options),
    ],
    ids=["connect", "from_env", "StorePool"],
)
def test_unknown_option(monkeypatch: pytest.MonkeyPatch, use: Callable[..., Any]) -> None:
    """An option that is not there is a TypeError that names it, wherever it is given."""
    monkeypatch.setenv("DATABASE_URL", "agent.db")
    expected = r"^(connect|StorePool)\(\) got an unexpected keyword argument 'lock_timeout'"
    with pytest.raises(TypeError, match=expected):
        use(lock_timeout=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clock", 5),
        ("clock", None),
        ("on_statement", 5),
        ("ssl_context", 5),
        *(("same_fact", its) for its in ("Exact", "", 5, ["exact"])),
        *(("explicit_sources", its) for its in ("user", b"user", None, 5, ["user", ""], [5])),
        *(("propose", its) for its in ("inferred", None, 5, [""], [5], ["user_explicit"])),
    ],
)
def test_option_of_another_type(name: str, value: Any) -> None:
    """What is no function, or no TLS context, is refused by its name when the store is asked for."""
    with pytest.raises(memrepo.InvalidInputError) as caught:
        memrepo.connect("http://localhost", **{name: value})
    assert caught.value.field == name


def test_one_explicit_source() -> None:
    """One text, which is itself a collection of texts, is told what to be instead."""
    with pytest.raises(memrepo.InvalidInputError) as caught:
        memrepo.connect("agent.db", explicit_sources="app:user")
    assert caught.value.reason == "must be a list or set of str"


def test_no_token_in_repr() -> None:
    """Options that are kept show no token."""
    assert "S3CRET" not in repr(CheckedOptions(auth_token="S3CRET"))
