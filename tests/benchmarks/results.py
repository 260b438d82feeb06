"""What a run found out, as plain data that becomes a table and a JSON file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from tests.benchmarks.contender import Durability, Measure
from tests.benchmarks.doors import Door
from tests.benchmarks.growth import Growth
from tests.benchmarks.readers import Waiting
from tests.benchmarks.searching import Searching
from tests.benchmarks.startup import Startup
from tests.benchmarks.stores import Stores


@dataclass
class Cell:
    """The rounds of one contender at one workload, or why there are none."""

    rounds: list[Measure] = field(default_factory=list)
    error: str = ""

    @property
    def seconds(self) -> list[float]:
        """The time of one operation in each round."""
        return [measure.seconds for measure in self.rounds]


@dataclass(frozen=True)
class Subject:
    """A contender as the table describes it."""

    name: str
    versions: str = ""
    usage: str = ""
    #: Why it took no part.
    missing: str = ""


@dataclass
class Results:
    """Everything one run found out."""

    command: str
    machine: list[tuple[str, str]]
    n_rounds: int
    is_quick: bool
    subjects: list[Subject]
    cells: dict[tuple[str, Durability, str], Cell] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    long_reads: list[Waiting] = field(default_factory=list)
    searching: Searching | None = None
    startup: Startup | None = None
    growth: list[Growth] = field(default_factory=list)
    stores: list[Stores] = field(default_factory=list)
    doors: list[Door] = field(default_factory=list)

    def cell(self, workload: str, durability: Durability, name: str) -> Cell:
        """Return the cell of a contender, empty if it took no part."""
        return self.cells.get((workload, durability, name), Cell())

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        plain = {name: value for name, value in asdict(self).items() if name != "cells"}
        cells = [
            {"workload": workload, "durability": durability, "contender": name, **_plain(cell)}
            for (workload, durability, name), cell in self.cells.items()
        ]
        return {**plain, "cells": cells}


def _plain(cell: Cell) -> dict[str, Any]:
    rounds = [
        {"seconds": m.seconds, **m.settings._asdict(), "n_retries": m.n_retries}
        for m in cell.rounds
    ]
    return {"rounds": rounds, "error": cell.error}
