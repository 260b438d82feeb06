"""Real terminals: widths, colours, NO_COLOR, questions and progress."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

import memrepo
from memrepo import DailyLogNew, MemoryNew
from tests.cli.conftest import Command, on_store
from tests.cli.interrupting import interrupted_at, interrupted_when_told
from tests.patience import PATIENCE_S

_colour = re.compile(r"\x1b\[[\d;]*m")
_CTRL_C = "Ctrl-C"
_LONG = "Ada's meeting with the committee of the garden club is on every second Thursday at nine"


@attrs.define
class Terminal:
    """A pseudo-terminal of a width, and a command that runs in it."""

    process: subprocess.Popen[bytes]
    end: int
    shown: str = ""

    def expect(self, text: str) -> None:
        """Read until it shows *text*."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            assert self._read(), self.shown

    def type(self, text: str) -> None:
        os.write(self.end, text.encode())

    def interrupt(self) -> None:
        """Type Ctrl-C, and then Enter: just before it waits for a line, Python hears the first only after the second."""
        self.type("\x03")
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=2)
        self.type("\n")

    def finish(self) -> int:
        """Read to the end, and return the exit status."""
        while self._read():
            pass
        os.close(self.end)
        return self.process.wait(timeout=PATIENCE_S)

    def _read(self) -> bool:
        try:
            ready, *_ = select.select([self.end], [], [], PATIENCE_S)
            assert ready, f"nothing more comes after {self.shown}"
            part = os.read(self.end, 65_536)
        except OSError:  # how Linux says that the other end is closed
            part = b""
        self.shown += part.decode()
        return bool(part)


def _take_terminal() -> None:
    """Have Ctrl-C that is typed in the terminal of stdin interrupt this process."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def start(*arguments: object, width: int = 80, **env: str) -> Terminal:
    """Run a command in a terminal."""
    return start_program([sys.executable, "-m", "memrepo", *map(str, arguments)], width, **env)


def start_program(program: Sequence[str], width: int = 80, **env: str) -> Terminal:
    """Run a program in a terminal."""
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    settings = {**os.environ, "TERM": "xterm-256color", **env}
    for name in {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"} - env.keys():
        settings.pop(name, None)
    process = subprocess.Popen(
        program,
        stdin=its,
        stdout=its,
        stderr=its,
        env=settings,
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 - one call, which takes no lock
    )
    os.close(its)
    return Terminal(process, mine)


def shown(*arguments: object, width: int = 80, **env: str) -> str:
    """What a command that succeeds shows on a terminal."""
    terminal = start(*arguments, width=width, **env)
    assert terminal.finish() == 0
    return terminal.shown.replace("\r\n", "\n")


@pytest.fixture
def filled(path: Path) -> Path:
    """A file with facts, one of which would clear the screen, and events."""

    async def fill(store: memrepo.Store) -> None:
        texts = (_LONG, "Likes tea \u4e8b \x1b[2J\x07\u202eevil", "Has a dog")
        await store.memories.remember_many(MemoryNew(content=text) for text in texts)
        await store.daily_logs.append_many([DailyLogNew(event_type="topic", event_data="x")] * 9)

    on_store(path, fill)
    return path


@pytest.mark.parametrize("width", [40, 200])
def test_width(filled: Path, width: int) -> None:
    """A table fits the terminal, narrow or wide, and nothing of a text is lost."""
    table = _colour.sub("", shown("search", "meeting", "dog", "tea", width=width))
    assert max(map(len, table.splitlines())) <= width
    assert "─" * 10 in table
    assert (_LONG in table) == (width == 200)
    assert {*_LONG.split()} <= {*table.split()}


def test_time_before_the_calendar(path: Path) -> None:
    """A time that the system's zone puts before the year 1 is shown in UTC."""
    zero = DailyLogNew(event_type="zero", timestamp=datetime.min.replace(tzinfo=UTC))
    on_store(path, lambda store: store.daily_logs.append_many([zero]))
    assert "1-01-01 00:00" in shown("log", TZ="America/New_York")


def test_many_columns_on_a_narrow_terminal(path: Path) -> None:
    """Where a table's columns would be too narrow for words, each cell has a line, and no word is cut."""

    async def talk(store: memrepo.Store) -> None:
        session = await store.sessions.start(thread="telephone")
        await store.sessions.end(session.id, summary=_LONG)

    on_store(path, talk)
    wide, narrow = (_colour.sub("", shown("sessions", width=width)) for width in (100, 40))
    assert "─" * 10 in wide
    assert "─" * 10 not in narrow
    assert max(map(len, narrow.splitlines())) <= 40
    assert {*_LONG.split(), "telephone", "ended", "explicit"} <= {*narrow.split()}


def test_colours(filled: Path) -> None:
    """There are colours on a terminal, but not with NO_COLOR, nor where it has none."""
    assert _colour.search(shown("search", "dog"))
    for plain in (shown("search", "dog", NO_COLOR="1"), shown("search", "dog", TERM="dumb")):
        assert "Has a dog" in plain
        assert not re.search(r"\x1b\[\d*;?3\dm", plain)


def test_stored_text_cannot_move_the_cursor(filled: Path) -> None:
    """What a fact says has no effect on the terminal, in tables, blocks, JSON or lines."""
    for arguments in (("search", "tea"), ("recall", "tea"), ("search", "tea", "--json")):
        text = _colour.sub("", shown(*arguments, width=200))
        assert "evil" in text
        assert not {"\x1b", "\x07", "\u202e"} & {*text}


def test_pipe_has_no_colours(filled: Path) -> None:
    """Into a pipe goes plain text, a row a line, even if stderr is a terminal."""
    program = f"{sys.executable} -m memrepo search dog tea meeting | cat"
    mine, its = pty.openpty()
    done = subprocess.run(
        ["sh", "-c", program], stdout=subprocess.PIPE, stderr=its, text=True, check=True, timeout=60
    )
    os.close(its)
    os.close(mine)
    assert len(done.stdout.splitlines()) == 3
    assert "\x1b" not in done.stdout


def test_stats_has_bars(filled: Path) -> None:
    """Events and facts are bars, the longest for the most, within the width."""
    text = _colour.sub("", shown("stats", "--days", 2, width=60))
    bars = re.findall(r"^ \S+ +([\d,]+) +(█*) *$", text, re.MULTILINE)
    assert ("9", "█" * 20) in bars
    assert ("0", "") in bars
    assert max(map(len, text.splitlines())) <= 60


def test_doctor(filled: Path) -> None:
    """The cure stands in a line of its own, whole, to be copied."""
    filled.chmod(0o644)
    terminal = start("doctor", width=40)
    assert terminal.finish() == 1
    assert f"    chmod o-rwx {filled}\r\n" in _colour.sub("", terminal.shown)


# --- questions ---------------------------------------------------------------------------------


def _answer(arguments: Iterable[object], question: str, answer: str) -> tuple[int, str]:
    terminal = start(*arguments)
    terminal.expect(question)
    if answer == _CTRL_C:
        terminal.interrupt()
    else:
        terminal.type(answer)
    return terminal.finish(), terminal.shown


@pytest.mark.parametrize(("answer", "n_left"), [("y\n", 0), ("n\n", 3), ("\n", 3), (_CTRL_C, 3)])
def test_erase_asks(filled: Path, command: Command, answer: str, n_left: int) -> None:
    """Only a yes erases; no, Enter and Ctrl-C leave everything, and end with 1."""
    question = "Delete 3 facts and what was forgotten, 0 sessions and 9 events for good? [y/N]:"
    status, text = _answer(("erase", "--scope", ""), question, answer)
    assert status == (1 if n_left else 0)
    assert "Traceback" not in text
    assert len(command("recall", "--json").json["entries"]) == n_left


@pytest.mark.parametrize(
    ("answer", "status", "n_left"),
    [
        *(("3\n", 0, 2), ("3, 2\n", 0, 1), ("1 2 3\n", 0, 0)),
        *(("\n", 1, 3), ("99\n", 2, 3), ("3 99\n", 2, 3), (_CTRL_C, 1, 3)),
    ],
)
def test_forget_asks_which(
    filled: Path, command: Command, answer: str, status: int, n_left: int
) -> None:
    """Of the candidates some are chosen by their ids; no other id is taken."""
    words = ("forget", "dog", "tea", "meeting")
    ended, text = _answer(words, "Forget which? Ids, or Enter for none:", answer)
    assert (ended, "Has a dog" in text) == (status, True)
    assert len(command("recall", "--json").json["entries"]) == n_left


def test_progress(path: Path) -> None:
    """An export to a file shows how far it is, on one line that is gone in the end."""
    events = [DailyLogNew(event_type="e", event_data="x" * 99)] * 20_000
    on_store(path, lambda store: store.daily_logs.append_many(events), durability="normal")
    terminal = start("export", "a.jsonl", width=100)
    assert terminal.finish() == 0
    assert "export daily_logs" in terminal.shown
    assert "/20000" in terminal.shown
    assert terminal.shown.rstrip().endswith("exported to a.jsonl")


def test_interrupted_export_says_how_to_go_on(path: Path) -> None:
    """Ctrl-C in a terminal ends a long command at once, with what to do."""
    events = [DailyLogNew(event_type="e", event_data="x" * 99)] * 40_000
    on_store(path, lambda store: store.daily_logs.append_many(events), durability="normal")
    partial = path.with_name("a.jsonl.partial")
    terminal = start_program(interrupted_at(partial, 1_000_000, "export", "a.jsonl"))
    assert terminal.finish() == 1
    assert "memrepo: interrupted; run the command again to resume" in terminal.shown
    assert "Traceback" not in terminal.shown


@pytest.mark.parametrize(("answer", "status", "n_left"), [("y\n", 0, 2), ("n\n", 1, 3)])
def test_forget_asks_about_one(
    filled: Path, command: Command, answer: str, status: int, n_left: int
) -> None:
    """A single candidate is asked about with yes and no, and a no says that nothing was done."""
    ended, text = _answer(("forget", "the", "dog"), "Forget 3? [y/N]:", answer)
    assert (ended, "memrepo: nothing was done" in text) == (status, bool(status))
    assert len(command("recall", "--json").json["entries"]) == n_left


def test_export_to_the_terminal_is_only_its_lines(path: Path) -> None:
    """Where the lines of an export are shown, no progress stands among them."""
    on_store(path, lambda store: store.memories.remember("Likes tea"))
    text = shown("export")
    assert "\x1b" not in text
    assert text.splitlines()[-1] == '{"memrepo":"end"}'


@pytest.mark.parametrize(
    ("arguments", "what"),
    [(["remember"], "a fact a line"), (["recall", "-"], "a text"), (["import"], "an export")],
)
def test_tells_that_it_reads(filled: Path, arguments: list[str], what: str) -> None:
    """Who types a command that reads stdin is told what it waits for, and can interrupt it."""
    terminal = start(*arguments)
    terminal.expect(f"memrepo: reads {what}, until Ctrl-D")
    terminal.interrupt()
    assert terminal.finish() == 1
    assert "interrupted" in terminal.shown


@pytest.mark.parametrize("arguments", [["remember"], ["recall", "-"], ["import"]])
def test_interrupted_before_it_reads(filled: Path, arguments: list[str]) -> None:
    """Ctrl-C between what a command says and its first read ends it, too, whoever heard of it."""
    terminal = start_program(interrupted_when_told("until Ctrl-D", *arguments))
    assert terminal.finish() == 1
    assert "interrupted" in terminal.shown


def test_more_than_is_shown(filled: Path) -> None:
    """A list that ends at its limit says so to people."""
    assert "there are more: --limit shows them" in shown("facts", "-n", "2")
    assert "there are more" not in shown("facts", "-n", "3")
