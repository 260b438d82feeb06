"""The story of corrections is as it says, and what a memory returns of it is counted."""

from __future__ import annotations

from tests.benchmarks.corrections.__main__ import Read, read, to_markdown
from tests.benchmarks.corrections.story import KEYS, Step, current, question, stale, told


class _Kept:
    """A memory that keeps everything, or the last text of each key; a question finds its key."""

    def __init__(self, *, by_key: bool) -> None:
        self._by_key = by_key
        self._texts: dict[str, list[str]] = {question(key): [] for key in KEYS}

    def tell(self, step: Step) -> None:
        """Take what is said or inferred; drop the last text of what is forgotten."""
        texts = self._texts[question(step.key)]
        if step.kind == "forget":
            texts.pop()
            return
        if self._by_key:
            texts.clear()
        texts.append(step.text)

    def everything(self) -> list[str]:
        """List them."""
        return [text for texts in self._texts.values() for text in texts]

    def search(self, question: str) -> list[str]:
        """Return the first two texts of the key."""
        return self._texts[question][:2]

    def recall(self, question: str) -> None:
        """Have none."""


def test_the_story() -> None:
    """200 keys are told six times; every text is stale or true, and the user's last word is true."""
    steps = [*told()]
    assert steps == [*told()]
    assert len({key.name for key in KEYS}) == len({question(key) for key in KEYS}) == 200
    said = [step for step in steps if step.kind == "say"]
    assert len(said) == len({step.text for step in said}) == 200 * 6 * 2
    true = {current(key) for key in KEYS} - {None}
    assert len(true) == 180
    assert not {text.lower() for text in true if text} & stale()
    assert sum(step.kind == "forget" for step in steps) == 40


def test_what_is_counted() -> None:
    """A share is of the texts that are returned; what is found is the user's last word."""
    last, everything = _Kept(by_key=True), _Kept(by_key=False)
    for step in told(rewords_forgotten=True):
        last.tell(step)
        everything.tell(step)
    assert read(last) == {"list": Read(200, 20, 180), "search": Read(200, 20, 180), "recall": None}
    found = read(everything)
    assert found["search"] == Read(400, 400, 0)
    assert found["list"] is not None
    assert found["list"].n_found == 180
    assert "| last | 10% of 200; 180 of 180 | 10% of 200; 180 of 180 |  |" in to_markdown(
        {"last": read(last)}
    )
