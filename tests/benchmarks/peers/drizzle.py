"""The original system's stack, Drizzle ORM on @libsql/client, in a Node process of its own."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from tests.benchmarks.contender import FACTS, READS, Contender, Durability, Measure, named
from tests.benchmarks.data import events, facts, half_duplicates, picks
from tests.benchmarks.files import BENCH, load_facts, remove
from tests.benchmarks.workloads import ELSEWHERE, N_READABLE, N_TASKS, Workload, contexts

_FOLDER: Final = BENCH / "node"
_SCRIPT: Final = Path(__file__).parents[1] / "node" / "drizzle.mjs"


#: Operations before the file is opened: each round is a new process whose code is not compiled yet.
_N_PRACTICE: Final = 500


class _Task(NamedTuple):
    """What the script is to do: the operation, its inputs, and how many tasks share them."""

    operation: str
    practice: Sequence[object]
    warm: Sequence[object]
    items: Sequence[object]
    n_tasks: int


class Drizzle(Contender):
    """Drizzle's query builder with ``returning``, awaited one after another or all at once."""

    name: ClassVar[str] = "Drizzle + @libsql/client"
    does: ClassVar[frozenset[str]] = FACTS | READS | {"W1", "W2"}
    usage: ClassVar[str] = (
        "Node process per round, after 500 operations on another file; `concurrency: 1`, so that the pragmas"
        " hold for every statement"
    )

    @classmethod
    def versions(cls) -> str:
        """Name the versions of Node's packages; fail if one is missing."""
        if shutil.which("node") is None:
            raise FileNotFoundError("node is not installed")
        found = []
        for package in ("drizzle-orm", "@libsql/client"):
            manifest = _FOLDER / "node_modules" / package / "package.json"
            if not manifest.exists():
                raise FileNotFoundError(f"{package} is not installed")
            found.append(f"{package} {json.loads(manifest.read_text())['version']}")
        return ", ".join(found)

    async def measure(self, workload: Workload, path: Path, durability: Durability) -> Measure:
        """Run the workload in Node and take over what it prints."""
        task = _task(workload, path)
        # Beside the packages: Node looks for them from where the script lies.
        script = shutil.copy(_SCRIPT, _FOLDER)
        practice_path = path
        if workload.writes:
            practice_path = path.with_name(f"practice-{path.name}")
            shutil.copyfile(path, practice_path)
        where = {"path": str(path), "practice_path": str(practice_path), "durability": durability}
        order = json.dumps({**where, **task._asdict()})
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            "node", script, stdin=pipe, stdout=pipe, stderr=pipe
        )
        try:
            out, err = await process.communicate(order.encode())
        finally:
            if process.returncode is None:
                process.kill()
            if practice_path != path:
                remove(practice_path)
        if process.returncode:
            raise RuntimeError(_error_line(err.decode()))
        answer = json.loads(out)
        settings = named(answer["journal_mode"], answer["synchronous"])
        return Measure(answer["seconds"], settings)


def _error_line(text: str) -> str:
    return next((line for line in text.splitlines() if re.match(r"\w*Error", line)), text[-200:])


def _task(workload: Workload, path: Path) -> _Task:
    count, n_warm = workload.n_ops, Drizzle.n_warm
    n_tasks = 1 if workload.key in ("W1", "W5") else count
    if workload.writes == "events":
        warm = events(n_warm, ELSEWHERE)
        return _Task("append", events(_N_PRACTICE), warm, events(count), n_tasks)
    if workload.writes == "facts":
        stated, warm_facts = half_duplicates(count), facts(n_warm, ELSEWHERE)
        shared_by = 1 if workload.key == "W3" else N_TASKS
        return _Task("remember", half_duplicates(_N_PRACTICE), warm_facts, stated, shared_by)
    if workload.n_rows:
        wanted = contexts(count, workload.n_rows)
        return _Task("context", wanted, wanted, wanted, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        ids = [*load_facts(db, facts(N_READABLE))]
    wanted_ids = [ids[n] for n in picks(count, N_READABLE)]
    return _Task("get", ids[:_N_PRACTICE], ids[:n_warm], wanted_ids, n_tasks)
