"""Two checkouts beside each other: the arithmetic of the table, and one quick run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import files
from tests.benchmarks.versions import Measured, Pair, new_by_old, to_markdown, to_measured


def test_ratios_are_formed_within_a_round() -> None:
    """The new time is divided by the old one of the same round, and only then is the median taken."""
    olds, news = (10.0, 20.0, 40.0), (11.0, 20.0, 20.0)
    pairs = [
        Pair(Measured(old, raw=5.0), Measured(new, raw=4.0))
        for old, new in zip(olds, news, strict=True)
    ]
    assert new_by_old(pairs) == (1.0, 0.5, 1.1)
    table = to_markdown({("W1", "normal"): pairs})
    assert table.endswith("| W1 | normal | 1.00 (0.50 to 1.10) | 4.00 | 5.00 | 3 |")


def test_a_row_that_failed_is_left_out() -> None:
    """Only rows that both raw and memrepo finished are compared."""

    def cell(workload: str, contender: str, *seconds: float) -> dict[str, object]:
        rounds = [{"seconds": its} for its in seconds]
        error = "" if rounds else "TimeoutError: "
        place = {"workload": workload, "durability": "full", "contender": contender}
        return {**place, "rounds": rounds, "error": error}

    cells = [
        cell("W1", "raw sqlite3", 1.0),
        cell("W1", "memrepo", 2.0),
        cell("W2", "raw sqlite3", 1.0),
        cell("W2", "memrepo"),
    ]
    assert to_measured({"cells": cells}) == {("W1", "full"): Measured(2.0, 1.0)}


@pytest.mark.slow
def test_a_quick_run(tmp_path: Path) -> None:
    """A checkout that knows nothing of shared files is measured as it is, and left as it was."""
    old, bench, report = tmp_path / "old", tmp_path / "bench", tmp_path / "report.json"
    old.mkdir()
    for name in ("src", "schema", "tests"):
        (old / name).symlink_to(files.ROOT / name, target_is_directory=True)
    command = [sys.executable, "-m", "tests.benchmarks.versions", "--old", str(old), "--quick"]
    command += ["--only", "W1", "--durability", "normal", "--rounds", "2", "--json", str(report)]
    run = subprocess.run(
        command,
        cwd=files.ROOT,
        env=os.environ | {files.BENCH_VARIABLE: str(bench)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "| W1 | normal | " in run.stdout
    assert "old then new" in run.stderr
    assert "new then old" in run.stderr
    (row,) = json.loads(report.read_text())["rows"]
    assert len(row["rounds"]) == 2
    assert sorted(path.name for path in old.iterdir()) == ["schema", "src", "tests"]
    assert (bench / "tmp").is_dir()
