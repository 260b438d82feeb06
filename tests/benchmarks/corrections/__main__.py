"""Measure what is stale after corrections: ``python -m tests.benchmarks.corrections``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.benchmarks.corrections.memories import Memory, contenders
from tests.benchmarks.corrections.story import KEYS, current, question, stale, told
from tests.benchmarks.tables import table

_STALE: Final = stale()
#: The moments at which is read, and how the story goes until then.
_STORIES: Final[dict[str, dict[str, bool]]] = {
    "After the corrections": {"repeats": False},
    "After the extractor has gone through all of it again": {},
    "After it has worded the forgotten keys anew, too": {"rewords_forgotten": True},
}
_N_TRUE: Final = sum(current(key) is not None for key in KEYS)


class Read(NamedTuple):
    """What a kind of read returned."""

    n_texts: int
    n_stale: int
    #: Keys with a value whose text the user said last was returned; for a question, the one about it.
    n_found: int

    @property
    def share(self) -> float:
        """Which share of the texts is stale."""
        return self.n_stale / self.n_texts if self.n_texts else 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table for each story, as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.corrections")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    options = parser.parse_args(arguments)
    figures: dict[str, dict[str, dict[str, Read | None]]] = {}
    for story, how in _STORIES.items():
        figures[story] = {}
        for name, contender in contenders():
            print(f"{story}: {name}", file=sys.stderr, flush=True)
            with contender() as memory:
                for step in told(**how):
                    memory.tell(step)
                figures[story][name] = read(memory)
        print(f"### {story}\n\n{to_markdown(figures[story])}\n", flush=True)
    if options.json:
        options.json.write_text(json.dumps(_plain(figures), indent=1) + "\n", encoding="utf-8")
    return 0


def read(memory: Memory) -> dict[str, Read | None]:
    """List, search and recall: what each returned."""
    listed = memory.everything()
    expected = {text for text in map(current, KEYS) if text is not None}
    n_listed = len(expected.intersection(listed))
    searches = [memory.search(question(key)) for key in KEYS]
    recalls = [memory.recall(question(key)) for key in KEYS]
    return {
        "list": Read(len(listed), _n_stale(listed), n_listed),
        "search": _asked(searches),
        "recall": _asked([each for each in recalls if each is not None]),
    }


def _asked(answers: Sequence[Sequence[str]]) -> Read | None:
    if not answers:
        return None
    texts = [text for answer in answers for text in answer]
    n_found = sum(current(key) in answer for key, answer in zip(KEYS, answers, strict=True))
    return Read(len(texts), _n_stale(texts), n_found)


def _n_stale(texts: Iterable[str]) -> int:
    return sum(text.lower().rstrip(".,;:!?") in _STALE for text in texts)


def to_markdown(found: dict[str, dict[str, Read | None]]) -> str:
    """Write a line for each memory: the share that is stale, of how many texts; and what of the truth was found."""
    head = ["", *next(iter(found.values()))]
    rows = [[name, *map(_cell, reads.values())] for name, reads in found.items()]
    return table(head, rows)


def _cell(read: Read | None) -> str:
    if read is None:
        return ""
    return f"{read.share:.0%} of {read.n_texts:,}; {read.n_found} of {_N_TRUE}"


def _plain(
    figures: dict[str, dict[str, dict[str, Read | None]]],
) -> dict[str, dict[str, dict[str, dict[str, int] | None]]]:
    return {
        story: {
            name: {kind: read and read._asdict() for kind, read in reads.items()}
            for name, reads in found.items()
        }
        for story, found in figures.items()
    }


if __name__ == "__main__":
    sys.exit(main())
