"""
One flipped bit in a small database, 300 times (10,000 in the long form).

Proven: whatever bit it is, nothing crashes or hangs, every read gives rows or an error of memrepo's,
and a fact whose text is no longer the one that was remembered is found by `verify`. What `verify`
cannot find is counted: what differs only as two statements of one fact may (the case of a letter),
and what no hash covers (a category, an instant, an event).
"""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from . import programs
from .scale import Figures, pick

pytestmark = pytest.mark.campaign

#: seconds for one copy to be read; a sound one takes a tenth of a second
_HANGS_S = 30.0


def _kind(verdict: dict[str, Any]) -> str:
    """In one word, what became of a flip."""
    if "open" in verdict["errors"]:
        return "refused"
    if verdict["errors"]:
        return "typed_errors"
    if verdict["problems"]:
        return "verified"
    return "unseen" if verdict["changed"] else "harmless"


def test_a_flipped_bit_is_survived(tmp_path: Path, figures: Figures) -> None:
    rng = random.Random(5)
    kinds = dict.fromkeys(("refused", "typed_errors", "verified", "unseen", "harmless"), 0)
    unseen: Counter[str] = Counter()
    wrong: list[str] = []
    rounds = pick(300, 10_000)
    with programs.dialogue("flipped", tmp_path) as program:
        size = int(program.hear(_HANGS_S))
        for _ in range(rounds):
            flip = f"{rng.randrange(size)} {rng.randrange(8)}"
            program.tell(flip)
            try:
                verdict = json.loads(program.hear(_HANGS_S))
            except AssertionError as error:
                raise AssertionError(f"flip {flip}: {error}") from error
            kind = _kind(verdict)
            kinds[kind] += 1
            is_unseen = kind == "unseen"
            unseen["same_fact"] += is_unseen and verdict["has_same_fact"]
            unseen["wrong_type"] += is_unseen and verdict["has_wrong_type"]
            if verdict["untyped"] or (is_unseen and verdict["has_wrong_content"]):
                wrong.append(f"flip {flip}: {verdict}")
    figures(
        "single bit flips",
        flips=rounds,
        **kinds,
        of_the_unseen_same_fact=unseen["same_fact"],
        of_the_unseen_wrong_type=unseen["wrong_type"],
        untyped_errors_or_content_unseen=len(wrong),
    )
    assert not wrong, "\n".join(wrong)
