"""`memrepo browse` as a process of its own, and clients that came by its link."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import httpx

from pytest_memrepo.sqld import die_with_parent

__all__ = ["Page", "Pages", "browsing", "read", "visitor"]

_WAIT_S = 60


@attrs.frozen
class Pages:
    """A server of pages, which runs until the block that started it ends."""

    #: What it has printed to be opened.
    link: str
    #: Where it writes what it has to say.
    log: Path

    @property
    def origin(self) -> str:
        """Its scheme, address and port."""
        parts = urlsplit(self.link)
        return f"{parts.scheme}://{parts.netloc}"


@contextmanager
def browsing(
    url: str | Path, log: Path, *arguments: str, stop: signal.Signals = signal.SIGTERM
) -> Iterator[Pages]:
    """Start `memrepo browse` on a free port, and stop it in the end."""
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "memrepo", "browse", "--db", str(url), "--tz", "UTC"]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=variables,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - it calls nothing of Python's
        )
    try:
        yield Pages(_wait_for_link(process, log), log)
    finally:
        process.send_signal(stop)
        out, _ = process.communicate(timeout=_WAIT_S)
    assert out == b""
    assert process.returncode == int(stop == signal.SIGINT), log.read_text(encoding="utf-8")


def _wait_for_link(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        if found := re.search(r"memrepo: open (\S+)\n", log.read_text(encoding="utf-8")):
            return found[1]
        assert process.poll() is None, log.read_text(encoding="utf-8")
        time.sleep(0.02)
    raise AssertionError("the server did not come up")


@contextmanager
def visitor(pages: Pages) -> Iterator[httpx.Client]:
    """A client that came by the link; paths are below the prefix."""
    with httpx.Client(timeout=_WAIT_S) as client:
        first = client.get(pages.link)
        assert first.status_code == 303
        client.base_url = httpx.URL(f"{pages.origin}{first.headers['location']}")
        yield client


@attrs.frozen
class Page:
    """A page, read."""

    status: int
    #: Its words, with single spaces.
    text: str
    #: Where its links lead.
    links: list[str]
    #: The addresses of its forms, and what is in them already.
    forms: dict[str, dict[str, str]]
    html: str

    def form(self, ending: str) -> tuple[str, dict[str, str]]:
        """The form whose address ends so."""
        (found,) = [its for its in self.forms.items() if urlsplit(its[0]).path.endswith(ending)]
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.forms: dict[str, dict[str, str]] = {}
        self._form: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        its = {name: value or "" for name, value in attrs}
        assert tag not in {"script", "iframe", "object", "embed"}
        assert not [name for name in its if name.startswith("on") or name == "style"]
        if tag == "a":
            self.links.append(its["href"])
        elif tag == "form":
            self._form = self.forms.setdefault(its["action"], {})
        elif tag == "input" and "name" in its:
            self._form[its["name"]] = its.get("value", "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(answer: httpx.Response, status: int = 200) -> Page:
    """Read a page, in which nothing can run and no style is hidden."""
    assert answer.status_code == status, answer.text
    reader = _Reader()
    reader.feed(answer.text)
    text = " ".join(" ".join(reader.words).split())
    return Page(answer.status_code, text, reader.links, reader.forms, answer.text)
