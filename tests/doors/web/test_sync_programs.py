"""Flask and Django, whose handlers run on threads, over one store in each process: on gunicorn."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from tests.docs.pages import ROOT, programs
from tests.doors.web.serving import NO_FACTS, RECIPES, WebServer, running
from tests.doors.web.stored import stored

_N_THREADS: Final = 50


_frameworks = pytest.mark.parametrize("framework", ["flask", "django"])


@_frameworks
def test_two_workers(framework: str, tmp_path: Path) -> None:
    """What one user's request has remembered, that user's others read, whichever forked process serves them."""
    server = WebServer("gunicorn", f"{framework}_app", tmp_path, "--threads=25", workers=2)
    with running(server), server.client("ada") as ada, server.client("grace") as grace:
        assert ada.post("/facts", json={"text": "Likes tea"}).status_code == 201
        assert ada.post("/facts", json={"text": " "}).status_code == 422
        for _ in range(10):
            assert ada.get("/facts", headers={"connection": "close"}).json() == ["Likes tea"]
        assert grace.get("/facts").json() == []
        refused = ada.get("/facts", headers={"authorization": ""})
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


@_frameworks
def test_a_body_that_names_no_fact(framework: str, tmp_path: Path) -> None:
    """JSON of another shape gets 422, what is no JSON 400, and nothing is stored."""
    server = WebServer("gunicorn", f"{framework}_app", tmp_path)
    with running(server), server.client() as client:
        for body in NO_FACTS:
            sent = client.post("/facts", content=body, headers={"content-type": "application/json"})
            is_json = body not in (b"{", b"")
            assert sent.status_code == (422 if is_json else 400), (body, sent.text)
        assert client.get("/facts").json() == []


@_frameworks
def test_50_threads_at_once(framework: str, tmp_path: Path) -> None:
    """What 50 clients tell at once, each fact four times, is stored once each; at the end the store is closed."""
    server = WebServer("gunicorn", f"{framework}_app", tmp_path, f"--threads={_N_THREADS}")

    def remember(number: int) -> str:
        with server.client() as client:
            answer = client.post("/facts", json={"text": f"Fact {number % 100}"})
            outcome: str = answer.raise_for_status().json()["outcome"]
            return outcome

    with running(server):
        with ThreadPoolExecutor(_N_THREADS) as threads:
            outcomes = Counter(threads.map(remember, range(400)))
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert "Traceback" not in server.log
        assert sorted(path.name for path in tmp_path.glob("web.db*")) == ["web.db"]
    assert outcomes == {"created": 100, "duplicate": 300}
    rows = stored(server.path)
    assert rows.facts == {f"Fact {number}" for number in range(100)}
    assert rows.problems == []


def test_page_shows_the_recipe() -> None:
    """The class and the function of the page are those that Flask and Django use here, word for word."""
    recipe = (RECIPES / "sync_memory.py").read_text(encoding="utf-8")
    page = "\n".join(its.code for its in programs(ROOT / "docs" / "how-to" / "sync-programs.md"))
    pieces = re.findall(
        r"^(?:@cache\ndef|class|def memory_of_process).*?(?=^\S)",
        recipe + "\n#",
        re.MULTILINE | re.DOTALL,
    )
    assert len(pieces) == 3
    for piece in pieces:
        assert piece.strip() in page


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "raise KeyboardInterrupt"])
def test_program_that_does_not_close(end: str, tmp_path: Path) -> None:
    """A program that ends without closing its memory, however it ends, closes it all the same."""
    program = (
        "from sync_memory import memory_of_process as memory\n"
        "known = memory().call(memory().store.memories.remember, 'Likes tea')\n"
        f"print(known.outcome)\n{end}"
    )
    environment = {
        **os.environ,
        "DATABASE_URL": "web.db",
        "PYTHONPATH": os.pathsep.join(map(str, [RECIPES, ROOT / "src"])),
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "created\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["web.db"]
