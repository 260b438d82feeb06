"""What the documentation says is true: its programs run, print what it shows, and its links lead somewhere."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.docs.pages import DOORS, NOT_RUN, PAGES, ROOT, fences, name, programs
from tests.docs.running import run_page
from tests.servers.binary import find_sqld
from tests.servers.keys import TokenMaker
from tests.servers.sqld import Sqld

_MOST_LINES: Final = 15
#: The page whose file may be a server's database as well.
_OWN: Final = ROOT / "docs" / "how-to" / "own-repository.md"
#: The page whose server we cannot reach.
_CLOUD: Final = ROOT / "docs" / "how-to" / "turso-cloud.md"

_inis = re.compile(r"^```ini\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_links = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_headings = re.compile(r"^#+ (.+)$", re.MULTILINE)


_with_programs = [page for page in PAGES if programs(page) and name(page) not in DOORS]


@pytest.mark.parametrize("page", _with_programs, ids=name)
def test_page_runs(
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """The blocks of a page are one program, in an empty folder; its output is what the page shows."""
    monkeypatch.chdir(tmp_path)
    if page == _CLOUD:
        _stand_in_for_the_cloud(request, monkeypatch)
    run_page(page, tmp_path)
    if any(tmp_path.glob("test_*.py")):
        if (sqld := find_sqld()) is not None:
            monkeypatch.setenv("SQLD", str(sqld))
        settings = "".join(_inis.findall(page.read_text(encoding="utf-8")))
        (tmp_path / "pytest.ini").write_text(settings, encoding="utf-8")
        _run_pytest(tmp_path)


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_own_repository_on_a_server(
    scheme: str, sqld: Sqld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository of one's own is the same on a server: the page needs only another URL."""
    monkeypatch.chdir(tmp_path)
    text = _OWN.read_text(encoding="utf-8")
    assert text.count('"agent.db"') == 1
    page = tmp_path / "page.md"
    page.write_text(text.replace('"agent.db"', repr(sqld.new_url(scheme))), encoding="utf-8")
    run_page(page, tmp_path)


def _stand_in_for_the_cloud(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Have a server of ours that wants a token take the place of Turso Cloud."""
    server: Sqld = request.getfixturevalue("locked_sqld")
    tokens: TokenMaker = request.getfixturevalue("tokens")
    monkeypatch.setenv("TURSO_DATABASE_URL", server.new_url("libsql"))
    monkeypatch.setenv("TURSO_AUTH_TOKEN", tokens.token())


def _run_pytest(folder: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_example_of_readme_is_short_and_complete() -> None:
    example = programs(ROOT / "README.md")[0]
    assert len(example.code.splitlines()) <= _MOST_LINES
    assert "asyncio.run(" in example.code
    assert example.output


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    text = fences.sub("", page.read_text(encoding="utf-8"))
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in _headings.findall(text)
    }


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    text = fences.sub("", page.read_text(encoding="utf-8"))
    for link in _links.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_is_run_or_not_for_a_reason(page: Path) -> None:
    """No block escapes the tests by having a language that they do not know."""
    languages = {language for _, language, _ in fences.findall(page.read_text(encoding="utf-8"))}
    assert languages <= {"python", *NOT_RUN}


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    links = {(index.parent / link).resolve() for link in _links.findall(index.read_text("utf-8"))}
    pages = {page for page in PAGES if page.is_relative_to(index.parent) and page != index}
    assert {name(page) for page in pages - links} == set()


def test_reference_is_up_to_date() -> None:
    """It is generated: run `make docs`."""
    generator = runpy.run_path(str(ROOT / "docs" / "generate_reference.py"))
    written = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert written == generator["reference"]()
