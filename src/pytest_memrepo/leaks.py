"""The check for leaks: what a test, or one of its fixtures, has opened and nobody has closed."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Generator, Sequence
from inspect import currentframe
from traceback import walk_stack
from typing import Final, TypeAlias

import attrs
import pytest

from memrepo.connection import watching
from memrepo.connection.transaction import TransactionConnection
from memrepo.connection.watching import Opened

__all__ = ["LeakCheck"]

_Node: TypeAlias = pytest.Item | pytest.Collector

#: Whose code stands between a connection and the line that asked for it.
_BETWEEN: Final = frozenset({"memrepo", "pytest_memrepo", "asyncio", "contextlib"})
#: Whose code runs the tests: beyond it stands no line that asked for a connection.
_RUNNERS: Final = frozenset({"_pytest", "pluggy", "pytest_asyncio", "anyio"})
_HELP: Final = (
    "use `async with` for stores and transactions, or close a store with `await store.close()`"
)


@attrs.frozen(kw_only=True)
class _Noted:
    """What was opened. It is kept alive, so that one which is thrown away open is not taken for closed."""

    what: Opened
    #: What it may last as long as: a test, or the module of a fixture that has the scope of modules.
    owner: _Node
    #: The file and the line where it was asked for; ``None`` if that was in a task of the library.
    place: tuple[str, int] | None

    @property
    def is_transaction(self) -> bool:
        return isinstance(self.what, TransactionConnection)

    def __str__(self) -> str:
        kind = "transaction on" if self.is_transaction else "store on"
        if self.place is None:
            return f"{kind} {self.what}, opened during {self.owner.nodeid}"
        file, line = self.place
        return f"{kind} {self.what}, opened at {os.path.relpath(file, self.owner.config.rootpath)}:{line}"


class LeakCheck:
    """A plugin that fails a test which leaves a store or a transaction open."""

    def __init__(self) -> None:
        """Be told of what is opened from now on."""
        self._noted: list[_Noted] = []
        self._leaked: list[_Noted] = []
        self._owner: _Node | None = None
        #: What it has raised last.
        self._failure: BaseException | None = None
        #: Who was told before: a run that tests a plugin runs others within it.
        self._before = watching.on_open
        watching.on_open = self._note

    def pytest_sessionfinish(self) -> None:
        """Let go of what has leaked. If that happened earlier, its warning could fail an innocent test."""
        watching.on_open = self._before
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            self._leaked.clear()
            self._failure = None
            gc.collect()

    def _note(self, what: Opened) -> None:
        if self._owner is not None:
            self._noted.append(_Noted(what=what, owner=self._owner, place=_place()))

    # --- whose it is ---------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """What is opened during a test is the test's."""
        self._owner = item
        try:
            return (yield)
        finally:
            self._owner = None

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """What a fixture opens may last as long as the fixture."""
        before, self._owner = self._owner, request.node
        try:
            return (yield)
        finally:
            self._owner = before

    # --- whether it was closed -----------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Look for the test's own transactions, before a fixture closes their store and so ends them."""
        __tracebackhide__ = True
        n_before = len(self._noted)
        result = yield
        its_own = self._noted[n_before:]
        self._fail([its for its in its_own if its.is_transaction and its.what.is_open])
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(
        self, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Look for what should have been closed by now, when all fixtures have ended that end here."""
        try:
            result = yield
        finally:
            left = self._take_left(nextitem)
        self._fail(left)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # the first to be asked is the last to have a say
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A test that is expected to fail is not expected to do so by leaving something open."""
        report = yield
        if call.excinfo is not None and call.excinfo.value is self._failure:
            report.outcome = "failed"
            vars(report).pop("wasxfail", None)
        return report

    def _take_left(self, nextitem: pytest.Item | None) -> list[_Noted]:
        """Go on with what is open and may stay so during *nextitem*; return what else is open."""
        going_on = nextitem.listchain() if nextitem is not None else []
        still_open = [its for its in self._noted if its.what.is_open]
        self._noted = [its for its in still_open if its.owner in going_on]
        left = [its for its in still_open if its.owner not in going_on]
        self._leaked += left
        return left

    def _fail(self, left: Sequence[_Noted]) -> None:
        if left:
            lines = "\n  ".join(["left open:", *map(str, left)])
            self._failure = pytest.fail.Exception(f"{lines}\n{_HELP}", pytrace=False)
            raise self._failure


def _place() -> tuple[str, int] | None:
    """Return the file and the line that asked for a connection; ``None`` if a task did, as of a `StorePool`."""
    for frame, line in walk_stack(currentframe()):
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if package in _RUNNERS:
            break
        if package not in _BETWEEN:
            return frame.f_code.co_filename, line
    return None
