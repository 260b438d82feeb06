"""The newcomer's map: each file has its line, and the way of one `remember` is what the code does."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import pytest

import memrepo
from tests.servers.sqld import Sqld

_SOURCE: Final = Path(memrepo.__file__).parent
_PLUGIN: Final = _SOURCE.with_name("pytest_memrepo")
_PAGE: Final = Path(__file__).parents[2] / "docs" / "explanation" / "design.md"
_rows = re.compile(r"^\| `([\w/]+\.py)` \| (.+) \|$", re.MULTILINE)
_blocks = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MOST_ON_A_FILE: Final = 25
_MOST_OVER_HTTP: Final = 40


def test_each_file_has_a_line() -> None:
    """The map names every module once, the plugin's too, in words, and none that is not there."""
    listed = _rows.findall(_PAGE.read_text(encoding="utf-8"))
    files = [path.relative_to(_SOURCE).as_posix() for path in _SOURCE.rglob("*.py")]
    rooms = {name for name in files if name.endswith("/__init__.py")}
    plugin = {f"pytest_memrepo/{path.name}" for path in _PLUGIN.glob("*.py")}
    assert sorted(name for name, _ in listed) == sorted(set(files) - rooms | plugin)


class Way:
    """The functions of memrepo that are entered, each once, those on other threads indented."""

    def __init__(self) -> None:
        self._main = threading.current_thread()
        self._frames: list[FrameType] = []
        self._down: list[str] = []
        self._aside: list[str] = []
        self._up: list[str] = []

    def look(self, frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(str(_SOURCE)):
            return
        if any(frame is known for known in self._frames):
            return  # a coroutine that goes on
        self._frames.append(frame)
        place = Path(code.co_filename).relative_to(_SOURCE).as_posix()
        name = code.co_qualname
        is_noise = "<" in name or place.startswith("__init__")
        if is_noise or (place, name) in _KNOWN_LOOKS or any(map(name.startswith, _IDLE)):
            return
        line = f"{place}: {name}"
        if line in (*self._down, *self._up) or f"    {line}" in self._aside:
            return
        if threading.current_thread() is not self._main:
            self._aside.append(f"    {line}")
        else:
            (self._up if self._aside else self._down).append(line)

    def __str__(self) -> str:
        return "\n".join([*self._down, *self._aside, *self._up]) + "\n"

    @property
    def n_hops(self) -> int:
        return len(self._down) + len(self._aside) + len(self._up)


_KNOWN_LOOKS: Final = {
    ("connection/sqlite/inode.py", name)
    for name in ("FileIdentity.are_there", "_Noted.is_same", "_has_settled")
}
_IDLE: Final = (
    "KeptStream._end_if_idle",
    "CallQueue._sweep",
    "CallQueue._advance",
    "Line.drop_turns_that_are_over",
    "ServerWriter._mend",
    "ThreadQueue._mend",
    "WorkerThread._tell_again",
    "Job.tell",
    "OwnTask.__del__",
)


@contextmanager
def _watching(way: list[Way]) -> Iterator[None]:
    """Have threads that are started meanwhile, and this one, tell the first of *way*, if there is one."""

    def look(frame: FrameType, event: str, argument: object) -> None:
        if way:
            way[0].look(frame, event, argument)

    threading.setprofile(look)
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


async def _way_of_remember(url: str) -> Way:
    found = Way()
    ways: list[Way] = []
    with _watching(ways):
        async with memrepo.connect(url) as store:
            for n in range(5):  # until everything is made that is made once
                await store.memories.remember(f"Fact {n}")
                await asyncio.sleep(0.03)
            ways.append(found)
            await store.memories.remember("Therapy on Thursdays at 3pm")
            ways.clear()
    return found


@pytest.mark.asyncio
async def test_way_on_a_file(tmp_path: Path) -> None:
    """The page shows each function that one `remember` on a file enters; there are at most 25."""
    way = await _way_of_remember(str(tmp_path / "agent.db"))
    assert str(way) == _blocks.findall(_PAGE.read_text(encoding="utf-8"))[0]
    assert way.n_hops <= _MOST_ON_A_FILE


@pytest.mark.asyncio
async def test_way_over_http(sqld: Sqld) -> None:
    """The same for a server, over http: at most 40."""
    way = await _way_of_remember(sqld.new_url())
    assert str(way) == _blocks.findall(_PAGE.read_text(encoding="utf-8"))[1]
    assert way.n_hops <= _MOST_OVER_HTTP
