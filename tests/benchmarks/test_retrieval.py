"""The benchmark of retrieval counts as it says, on a conversation that is made up."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.retrieval.__main__ import main, ours
from tests.benchmarks.retrieval.data import load
from tests.benchmarks.retrieval.reference import plain_fts5
from tests.benchmarks.retrieval.scores import run
from tests.benchmarks.retrieval.search import Found


def _turn(number: int, text: str) -> dict[str, str]:
    return {"id": f"D1:{number}", "speaker": "Ann" if number % 2 else "Ben", "text": text}


_CONVERSATION: dict[str, Any] = {
    "sessions": [
        {
            "session": 1,
            "started_at": "2023-05-08T13:00:00Z",
            "turns": [
                _turn(1, "I keep bees on the hill."),
                _turn(2, "What do they make?"),
                _turn(3, "Honey, mostly."),
                _turn(4, "I stayed at home."),
            ],
            "observations": [
                {"speaker": "Ann", "text": "Ann keeps bees.", "evidence": ["D1:1", "D1:3"]}
            ],
        }
    ],
    "qa": [
        {"question": "Where are the bees?", "evidence": ["D1:1"], "category": 4},
        {"question": "Who keeps bees, who stayed?", "evidence": ["D1:1; D1:4"], "category": 1},
        {"question": "Who keeps zebras?", "evidence": [], "category": 5},
        {"question": "Where is Atlantis?", "evidence": [], "category": 5},
        {"question": "Nothing to find", "evidence": [], "category": 4},
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("locomo", "beam"):
        (tmp_path / kind).mkdir()
        path = tmp_path / kind / "conversation-1.json"
        path.write_text(json.dumps(_CONVERSATION), encoding="utf-8")
    return tmp_path


def test_recall_is_the_share_of_the_evidence(folder: Path) -> None:
    """A question's recall is the share of its evidence in the first rows; without evidence it does not count."""
    corpora = load(folder, "locomo turns")
    answers = {"Where are the bees?": [3, 1], "Who keeps bees, who stayed?": [4, 2, 3]}
    found = run(
        lambda corpus: nullcontext(
            lambda text, limit: [Found(each) for each in answers.get(text, [])]
        ),
        corpora,
    )
    figures = found.figures()
    assert figures.recall == (0.25, 0.75, 0.75, 0.75)
    assert figures.precision == 2 / 5
    assert figures.empty == 1.0
    assert found.figures(least=1.5).recall[0] == 0.0


def test_what_is_left_at_a_least_relevance(folder: Path) -> None:
    """Contenders are compared where each keeps a share of its R@10: as much is left out as that allows."""
    corpora = load(folder, "locomo turns")
    answers = {
        "Where are the bees?": [Found(1, 0.9), Found(2, -0.5)],
        "Who keeps bees, who stayed?": [Found(1, 0.4), Found(4, 0.2)],
        "Who keeps zebras?": [Found(1, 0.3)],
    }
    found = run(
        lambda corpus: nullcontext(lambda text, limit: answers.get(text, [])),
        corpora,
    )
    assert found.figures().recall[2] == 1.0
    assert found.figures().empty == 0.5
    assert found.keeping(1.0).precision == 3 / 3
    assert found.keeping(0.75) == found.figures(least=0.4)
    assert found.keeping(0.75).empty == 1.0
    assert found.curve() == [0.75, *[1.0] * 24]


def test_what_no_row_holds_is_not_found(folder: Path) -> None:
    """Of two pieces of evidence, the one that no observation holds counts as not found."""
    (corpus,) = load(folder, "locomo observations")
    assert [question.evidence for question in corpus.questions[:2]] == [
        (frozenset({1}),),
        (frozenset({1}), frozenset()),
    ]


def test_ours_and_plain_fts5_find(folder: Path) -> None:
    """Both contenders find a word's rows, and ours the answer beside a question, too."""
    (corpus,) = load(folder, "locomo turns")
    with plain_fts5(corpus) as search:
        assert [row.id for row in search("bees", 9)] == [1]
    with ours()(corpus) as search:
        assert [row.id for row in search("What do they make?", 9)][:2] == [2, 3]


def test_the_tables(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command prints its tables, and says so where there are no conversations."""
    monkeypatch.setenv("MEMREPO_CONVERSATIONS", str(folder))
    results = folder / "results.json"
    assert main(["--ablation", "--curve", "--conversations", "--json", str(results)]) == 0
    figures = json.loads(results.read_text(encoding="utf-8"))
    assert len(figures["memrepo, `memories.recall`"]["beam turns"]["recall"]) == 25
    printed = capsys.readouterr().out
    assert "| without subject |" in printed
    assert "| beam turns, 1 |" in printed
    monkeypatch.setenv("MEMREPO_CONVERSATIONS", str(folder / "nowhere"))
    assert main([]) == 0
    assert "Without conversations" in capsys.readouterr().out
