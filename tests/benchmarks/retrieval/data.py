"""The conversations and their questions, read where they lie: nothing of them is copied."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import attrs

__all__ = ["KINDS", "Corpus", "Question", "Row", "load", "shared_data"]

#: What a row is, of which conversations.
KINDS: Final = ("locomo turns", "locomo observations", "beam turns")
#: The category of questions that the conversation does not answer.
UNANSWERED: Final = 5
#: Between two rows of a session, whose own times are not known.
_PACE: Final = timedelta(seconds=20)

#: A few questions have several ids in one text.
_find_ids = re.compile(r"D\d+:\d+").findall


@attrs.frozen
class Row:
    """A fact: its id is its place, from 1."""

    id: int
    text: str
    told_at: datetime
    session: int


@attrs.frozen
class Question:
    """A question, and the ids of the rows that hold the evidence: one set for each piece of it."""

    text: str
    category: int
    evidence: tuple[frozenset[int], ...]


@attrs.frozen
class Corpus:
    """The rows of one conversation, in the order in which they were told, and what is asked about them."""

    name: str
    rows: tuple[Row, ...]
    questions: tuple[Question, ...]


def shared_data() -> Path | None:
    """Return the folder of the conversations, or ``None`` where it is not."""
    given = os.environ.get("MEMREPO_CONVERSATIONS")
    beside = [folder / "shared" / "data" for folder in Path(__file__).resolve().parents]
    folders = [Path(given)] if given else beside
    return next((folder for folder in folders if folder.is_dir()), None)


def load(folder: Path, kind: str) -> list[Corpus]:
    """Read each conversation of a kind, in the order of their names."""
    source, rows_are = kind.split()
    paths = sorted((folder / source).glob("conversation-*.json"))
    texts = _turns if rows_are == "turns" else _observations
    return [_corpus(path, texts) for path in paths]


def _turns(session: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    for turn in session["turns"]:
        yield f"{turn['speaker']}: {turn['text']}", (turn["id"],)


def _observations(session: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    for observation in session["observations"]:
        yield observation["text"], observation["evidence"]


def _corpus(path: Path, texts: Any) -> Corpus:
    conversation = json.loads(path.read_text(encoding="utf-8"))
    rows: list[Row] = []
    of_turn: dict[str, set[int]] = {}
    for session in conversation["sessions"]:
        started_at = datetime.fromisoformat(session["started_at"])
        for place, (text, turns) in enumerate(texts(session)):
            row = Row(len(rows) + 1, text, started_at + place * _PACE, session["session"])
            rows.append(row)
            for turn in turns:
                of_turn.setdefault(turn, set()).add(row.id)
    questions = [_question(asked, of_turn) for asked in conversation["qa"]]
    return Corpus(path.stem.removeprefix("conversation-"), tuple(rows), tuple(questions))


def _question(asked: Mapping[str, Any], of_turn: Mapping[str, set[int]]) -> Question:
    # A piece that no row holds cannot be found, and counts: it is a part of the answer all the same.
    evidence = dict.fromkeys(_find_ids(" ".join(asked["evidence"])))
    return Question(
        asked["question"],
        asked["category"],
        tuple(frozenset(of_turn.get(turn, ())) for turn in evidence),
    )
