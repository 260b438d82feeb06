"""
Measure retrieval: ``python -m tests.benchmarks.retrieval [--ablation] [--curve] [--conversations]``.

The conversations are not part of the project: they are looked for in ``shared/data`` beside it, or in the
folder that ``MEMREPO_CONVERSATIONS`` names.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Final

import attrs

from memrepo.ranking.language import ENGLISH, Language
from memrepo.ranking.relevance import DEFAULT_WEIGHTS
from memrepo.ranking.weights import Weights
from tests.benchmarks.retrieval import tables
from tests.benchmarks.retrieval.data import KINDS, Corpus, load, shared_data
from tests.benchmarks.retrieval.ours import Formula
from tests.benchmarks.retrieval.peers import peers
from tests.benchmarks.retrieval.plot import draw
from tests.benchmarks.retrieval.reference import plain_fts5
from tests.benchmarks.retrieval.scores import Run, run
from tests.benchmarks.retrieval.search import Contender, Found, Search
from tests.benchmarks.retrieval.stores import real_events, real_recall, real_store
from tests.benchmarks.retrieval.vector_peers import vector_peers

#: What search does; `None` scores all rows.
_CANDIDATES: Final = 50
_THRESHOLDS: Final = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
_FORMULA: Final = f"formula, {_CANDIDATES} candidates"
_PLAIN: Final = "plain FTS5"

#: Each part of the formula, and the weights without it.
_WITHOUT: Final[dict[str, Weights]] = {
    "contiguity and session": attrs.evolve(DEFAULT_WEIGHTS, before=(), after=(), session=0),
    "session": attrs.evolve(DEFAULT_WEIGHTS, session=0),
    "answers": attrs.evolve(DEFAULT_WEIGHTS, answer=0),
    "long texts": attrs.evolve(DEFAULT_WEIGHTS, long_from=1_000_000),
    "subject": attrs.evolve(DEFAULT_WEIGHTS, subject=0),
    "period": attrs.evolve(DEFAULT_WEIGHTS, period=0),
    "when": attrs.evolve(DEFAULT_WEIGHTS, when=0),
}
#: Each part of what is known of English, and the language without it.
_WITHOUT_WORDS: Final[dict[str, Language]] = {
    "irregular forms": attrs.evolve(ENGLISH, forms={}),
    "stemmer": attrs.evolve(ENGLISH, stem=str, forms={}),
    "stop words": attrs.evolve(ENGLISH, stop_words=frozenset()),
    '"I" and "my"': attrs.evolve(ENGLISH, first_person=frozenset()),
}


def ours(
    weights: Weights = DEFAULT_WEIGHTS,
    language: Language = ENGLISH,
    n_candidates: int | None = _CANDIDATES,
) -> Contender:
    """Return memrepo's formula as a contender."""

    @contextmanager
    def open_corpus(corpus: Corpus) -> Iterator[Search]:
        formula = Formula(corpus, language)

        def search(question: str, limit: int) -> list[Found]:
            ranked = formula.search(
                question, weights=weights, limit=limit, n_candidates=n_candidates
            )
            return [Found(hit.row.id, hit.relevance) for hit in ranked]

        yield search

    return open_corpus


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables that the command line asks for, as Markdown."""
    options = _parser().parse_args(arguments)
    folder = shared_data()
    if folder is None:
        print("Without conversations: MEMREPO_CONVERSATIONS does not name their folder.")
        return 0
    n_conversations = 1 if options.quick else None
    corpora = {kind: load(folder, kind)[:n_conversations] for kind in KINDS}
    contenders: dict[str, Contender] = {
        _PLAIN: plain_fts5,
        _FORMULA: ours(),
        "formula, all rows": ours(n_candidates=None),
        "memrepo, `memories.search`": real_store,
        "memrepo, `daily_logs.search`": real_events,
        "memrepo, `memories.recall`": real_recall,
        **dict(peers()),
        **(dict(vector_peers()) if options.peers else {}),
    }
    runs = _run(contenders, corpora)
    _show(tables.recalls(runs), tables.in_vain(runs))
    if options.ablation:
        parts = {f"without {part}": ours(weights) for part, weights in _WITHOUT.items()}
        words = {f"without {part}": ours(language=each) for part, each in _WITHOUT_WORDS.items()}
        _show(tables.recalls(_run(parts | words, corpora)))
    if options.conversations:
        _show(tables.conversations(runs[_FORMULA], runs[_PLAIN]))
    if options.curve:
        _show(tables.curve(runs[_FORMULA], _THRESHOLDS))
    results = tables.to_json(runs)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if options.plot and find_spec("matplotlib"):
        draw(results, options.plot)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.retrieval")
    parser.add_argument(
        "--ablation", action="store_true", help="leave out each part of the formula"
    )
    parser.add_argument("--conversations", action="store_true", help="show each conversation")
    parser.add_argument("--curve", action="store_true", help="show what each min_relevance costs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw R@k, with matplotlib")
    parser.add_argument(
        "--peers",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="compare with peers that need vectors; making these takes some minutes, once",
    )
    parser.add_argument("--quick", action="store_true", help="the first conversation of each kind")
    return parser


def _run(
    contenders: Mapping[str, Contender], corpora: Mapping[str, Sequence[Corpus]]
) -> tables.Runs:
    runs: dict[str, dict[str, Run]] = {}
    for name, contender in contenders.items():
        print(name, file=sys.stderr, flush=True)
        try:
            runs[name] = {kind: run(contender, each) for kind, each in corpora.items()}
        except Exception as error:  # noqa: BLE001 - one contender's failure is a finding, not the end
            print(f"  failed: {error!r}", file=sys.stderr)
    return runs


def _show(*lines: Iterable[str]) -> None:
    print("\n".join(chain(*lines)), flush=True)


if __name__ == "__main__":
    sys.exit(main())
