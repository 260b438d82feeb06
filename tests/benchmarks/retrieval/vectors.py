"""The vectors of texts, each made once and kept in a file beside the benchmark's environment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

__all__ = ["DIMENSIONS", "Vectors"]

DIMENSIONS: Final = 384
#: Vectors that are kept in one transaction: an interruption loses no more.
_BATCH: Final = 200


class Vectors:
    """Texts and their vectors; what is not in the file is made by the model."""

    def __init__(self, path: Path, model: Path) -> None:
        self._path = path
        self._model = model
        self._known: dict[str, bytes] = {}

    def add(self, texts: Iterable[str]) -> None:
        """Make the vectors of *texts*, as far as they are not known."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path)) as database:
            database.execute("CREATE TABLE IF NOT EXISTS v (text TEXT PRIMARY KEY, vector BLOB)")
            self._known |= dict(database.execute("SELECT text, vector FROM v"))
            new = [*{*texts} - self._known.keys()]
            if not new:
                return
            from tests.benchmarks.retrieval.minilm import MiniLM  # noqa: PLC0415 - it needs peers

            for count, (text, vector) in enumerate(MiniLM(self._model).vectors(new), 1):
                self._known[text] = vector.astype("<f4").tobytes()
                database.execute("INSERT INTO v VALUES (?, ?)", (text, self._known[text]))
                if count % _BATCH == 0:
                    database.commit()
            database.commit()

    def of(self, text: str) -> list[float]:
        """Return the vector of a text, as a list of numbers."""
        import numpy as np  # noqa: PLC0415 - it needs peers

        if text not in self._known:
            self.add([text])
        numbers: Any = np.frombuffer(self._known[text], dtype="<f4")
        return [*map(float, numbers)]
