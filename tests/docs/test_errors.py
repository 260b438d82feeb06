"""The page of errors is complete: whoever meets an error finds there where it comes from, and what cures it."""

from __future__ import annotations

import re
from typing import Final

import pytest

import memrepo
from memrepo import errors
from tests.docs.pages import ROOT

_PAGE: Final = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
_sections: Final = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", _PAGE, re.MULTILINE | re.DOTALL))


def test_each_error_has_a_section() -> None:
    """Each public error has a section of its own, and no section is about anything else."""
    assert sorted(_sections) == sorted(errors.__all__)


@pytest.mark.parametrize("name", errors.__all__)
def test_section_has_cause_and_cure(name: str) -> None:
    """A section says what the error means, then its cause, then its cure, each in a sentence at least."""
    meaning, cause, cure = re.split(
        r"^\*\*(?:Cause|Cure)\.\*\* ", _sections[name], flags=re.MULTILINE
    )
    assert all(re.match(r"\s*[A-Z`*(\[].*\.", part, re.DOTALL) for part in (meaning, cause, cure))


def test_examples_raise_what_their_section_is_about() -> None:
    """Where a section has an example, its output is that error, so that nobody copies the wrong ``except``."""
    shown = {
        name: re.findall(r"^```text\n(\w+): ", text, re.MULTILINE)
        for name, text in _sections.items()
    }
    assert all(raised == [name] for name, raised in shown.items() if raised)
    assert sum(map(bool, shown.values())) > len(errors.__all__) / 2


def test_what_may_be_tried_again_is_said() -> None:
    """The table says "yes" for exactly the errors whose class says that the same call may succeed later."""
    rows = re.findall(r"^\| (`.+?) \| (.+?) \|", _PAGE, re.MULTILINE)
    yes = {
        name
        for names, answer in rows
        for name in re.findall(r"`(\w+)`", names)
        if answer.startswith("yes")
    }
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert yes == {
        kind.__name__
        for kind in kinds
        if issubclass(kind, memrepo.DatabaseError) and kind.retryable
    }
