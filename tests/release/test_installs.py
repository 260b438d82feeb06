"""What the check of a release, and the published workflow, go through is what the project says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.release.installs import interpreters
from tests.release.lowest import lowest, project

ROOT = Path(__file__).parents[2]


def test_lowest_versions_are_pinned() -> None:
    """The lowest version of a requirement is the one that it names, whatever else it asks for."""
    requirements = [
        "attrs>=24.2",
        "aiosqlite>=0.22.1,<0.23",
        "uvloop>=0.21; sys_platform != 'win32'",
    ]
    assert lowest(requirements) == [
        "attrs==24.2",
        "aiosqlite==0.22.1",
        "uvloop==0.21; sys_platform != 'win32'",
    ]
    assert all("==" in pin for pin in lowest(project()["dependencies"]))


def test_interpreters_run() -> None:
    """The version of Python that runs this is among those that are found, each of them once."""
    versions = [version for version, _ in interpreters()]
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in versions
    assert len(versions) == len(set(versions))


def test_workflow_goes_through_all_doors() -> None:
    """Each package of others that `make doors` tests memrepo in has its job in the published workflow."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    (doors,) = re.findall(r"^DOORS := (.+)$", makefile, re.MULTILINE)
    (jobs,) = re.findall(r"^ +door: \[(.+)\]$", workflow, re.MULTILINE)
    assert jobs.split(", ") == doors.split()
