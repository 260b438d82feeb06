"""The page about web frameworks: its short service runs as it stands there, and the rest is in the recipes."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx

from tests.docs.pages import ROOT, blocks, programs
from tests.doors.web.serving import RECIPES, ServerProcess, running

_PAGE: Final = ROOT / "docs" / "how-to" / "web-frameworks.md"
_is_excerpt = re.compile(r"# (\w+\.py)\n").match


def test_shortest_way_is_short() -> None:
    """A FastAPI app that remembers and recalls has less than ten lines, imports among them."""
    lines = programs(_PAGE)[0].code.splitlines()
    assert len([line for line in lines if line]) < 10


def test_shortest_way_works(tmp_path: Path) -> None:
    """The commands of the page start the service and print what the page shows, also in a second run."""
    (tmp_path / "service.py").write_text(programs(_PAGE)[0].code, encoding="utf-8")
    commands = next(its for its in blocks(_PAGE) if its.code.startswith("uvicorn"))
    start, *calls = commands.code.splitlines()
    assert commands.output is not None
    for expected in (commands.output, commands.output.replace("created", "duplicate")):
        server = ServerProcess(shlex.split(start.removesuffix(" &")), tmp_path)
        with running(server):
            assert _printed(calls, server) == expected.strip()


def test_shortest_way_refuses_a_blank_text(tmp_path: Path) -> None:
    """What is blank is the caller's mistake and no failure of the service, and is not stored."""
    (tmp_path / "service.py").write_text(programs(_PAGE)[0].code, encoding="utf-8")
    commands = next(its for its in blocks(_PAGE) if its.code.startswith("uvicorn"))
    start = commands.code.splitlines()[0]
    server = ServerProcess(shlex.split(start.removesuffix(" &")), tmp_path)
    with running(server):
        for text, status in (("", 422), ("%20%0A", 422), ("+tea+", 200)):
            assert httpx.post(f"{server.url}/facts?text={text}").status_code == status
        assert httpx.get(f"{server.url}/facts?about=").status_code == 200
        assert httpx.get(f"{server.url}/facts?about=tea").json() == [" tea "]


def test_complete_service_answers(tmp_path: Path) -> None:
    """The commands start a complete service, make a token for a user, and print what the page shows."""
    commands = next(its for its in blocks(_PAGE) if its.code.startswith("cd docs/examples/web"))
    _, settings, start, *calls = commands.code.splitlines()
    assert commands.output is not None
    environment = dict(its.split("=") for its in shlex.split(settings)[1:])
    folder = shutil.copytree(RECIPES, tmp_path / "web")
    server = ServerProcess(shlex.split(start.removesuffix(" &")), folder, environment=environment)
    with running(server):
        assert _printed(calls, server) == commands.output.strip()


def test_excerpts_are_in_the_recipes() -> None:
    """Every other program of the page stands in a recipe, which the other tests run, word for word."""
    for its in programs(_PAGE)[1:]:
        match = _is_excerpt(its.code)
        assert match is not None, its.code
        recipe = (RECIPES / match[1]).read_text(encoding="utf-8")
        assert its.code.removeprefix(match[0]) in recipe, its.code


def test_recipes_are_linked() -> None:
    """This page, or the one about synchronous programs, leads to every file of the folder."""
    pages = (_PAGE, _PAGE.with_name("sync-programs.md"))
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    files = {path.name for path in RECIPES.glob("*.py")}
    assert {name for name in files if f"](../examples/web/{name})" in text} == files


def _printed(calls: Sequence[str], server: ServerProcess) -> str:
    """What commands print that ask a server, in its folder and with its settings."""
    here = "\n".join(calls).replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    return subprocess.run(
        here.replace("curl", "curl --silent").replace("python", sys.executable),
        shell=True,
        check=True,
        capture_output=True,
        text=True,
        cwd=server.folder,
        env=server.environment,
    ).stdout
