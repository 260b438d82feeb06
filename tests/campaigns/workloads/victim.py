"""
Use a store whose file operations fail at a chosen moment, again and again.

usage: python -m workloads.victim CONTROL     (a plan a line on stdin, a report a line on stdout)

A plan is ``{"folder": ..., "fault": [kind, nth, errno, forever] or null, "crash": bool}``. Each
runs in a child of this process, so that Python and memrepo are loaded once, in an empty folder:
open, write, fill the write-ahead log past a checkpoint, read, close, open again, write. Every call
has a deadline, and whatever it raises is noted. With ``crash`` the child ends at the first error
without closing anything; otherwise the fault is then taken away and the child must be able to
write again: with the same store, or else with a new one.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import memrepo
from tests.campaigns.faults import Control, Fault, Kind

from .units import Marker, write_unit

#: seconds; a call that takes longer hangs
CALL_LIMIT_S = 40.0
#: seconds; a child that takes longer is killed
CHILD_LIMIT_S = 120.0
#: bytes; with it in one unit the write-ahead log passes SQLite's 1,000 pages
BULK_BYTES = 4_300_000


class Crash(BaseException):
    """The child ends here."""


class Victim:
    """One life of a program on a failing disk."""

    def __init__(self, folder: Path, control: Control, *, crash: bool) -> None:
        self.path = folder / "memory.db"
        self.marker = Marker(folder / "marker")
        self.control = control
        self.crash = crash
        self.session_id = 1
        self.report: dict[str, Any] = {"errors": [], "untyped": [], "hung": [], "slowest_s": 0.0}

    async def call(self, name: str, work: Awaitable[Any], tag: str = "") -> Any:
        """Await *work*; note its error and return ``None`` when it fails."""
        if tag:
            self.marker.say("start", tag)
        began = time.monotonic()
        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                result = await work
        except TimeoutError:
            self.report["hung"].append(name)
            self._end()
            return None
        except Exception as error:  # noqa: BLE001 - the report tells which are not ours
            self._note(name, tag, error)
            self._end()
            return None
        finally:
            took = time.monotonic() - began
            self.report["slowest_s"] = max(self.report["slowest_s"], took)
        if tag:
            self.marker.say("ack", tag)
        return True if result is None else result

    def _end(self) -> None:
        if self.crash:
            raise Crash

    def _note(self, name: str, tag: str, error: Exception) -> None:
        if not isinstance(error, memrepo.MemrepoError):
            self.report["untyped"].append(f"{name}: {type(error).__name__}: {error}")
            return
        unknown = getattr(error, "outcome_unknown", False)
        self.report["errors"].append([name, type(error).__name__, unknown])
        if tag and not unknown:
            self.marker.say("refused", tag)

    async def open(self) -> memrepo.Store | None:
        """Open the store; ``None`` when that fails."""

        async def connect() -> memrepo.Store:
            return await memrepo.connect(self.path, lock_timeout_s=2.0)

        store: memrepo.Store | None = await self.call("connect", connect())
        return store

    async def begin_session(self, store: memrepo.Store) -> None:
        """Have a session to write into; without one, the writes must be refused."""
        session = await self.call("session", store.sessions.get_or_start())
        self.session_id = session.id if session is not None else 1

    async def write(self, store: memrepo.Store, prefix: str, n: int, at_once: int) -> None:
        """Write *n* units, *at_once* of them together."""
        numbers = list(range(n))
        while numbers:
            group, numbers = numbers[:at_once], numbers[at_once:]
            await asyncio.gather(
                *(
                    self.call(
                        "write",
                        write_unit(store, self.session_id, number, f"{prefix}{number}"),
                        f"{prefix}{number}",
                    )
                    for number in group
                )
            )

    async def bulk(self, store: memrepo.Store, tag: str) -> None:
        """Write one unit that is larger than the log may become before a checkpoint."""
        rows = [
            memrepo.DailyLogNew(
                session_id=self.session_id,
                event_type="bulk",
                event_data={"unit": tag, "part": part, "parts": 5, "pad": "y" * (BULK_BYTES // 5)},
            )
            for part in range(5)
        ]
        await self.call("bulk", store.daily_logs.append_many(rows), tag)

    async def live(self) -> None:
        """Do everything once, whatever fails."""
        store = await self.open()
        if store is not None:
            await self.begin_session(store)
            await self.write(store, "a", 5, 1)
            await self.write(store, "b", 10, 5)
            await self.bulk(store, "big")
            await self.write(store, "c", 5, 1)
            await self.call("read", store.memories.find_many(limit=50))
            await self.call("close", store.close())
        store = await self.open()
        if store is not None:
            await self.begin_session(store)
            await self.write(store, "d", 5, 5)
        self.report["fired"] = self.control.fired_on()
        self.report["counts"] = {kind.name: n for kind, n in self.control.counts().items()}
        self.control.disarm()
        await self.recover(store)

    async def recover(self, store: memrepo.Store | None) -> None:
        """Write again now that the disk is well."""
        how = "no"
        if store is not None:
            if await self._writes(store, "again"):
                how = "same store"
            await self.call("close", store.close())
        anew = await self.open()
        if anew is not None:
            if await self._writes(anew, "anew") and how == "no":
                how = "opened" if store is None else "opened again"
            await self.call("close", anew.close())
        self.report["recovered"] = how

    async def _writes(self, store: memrepo.Store, tag: str) -> bool:
        work = store.memories.remember(f"unit {tag} part 0 of 1", category="fact")
        return bool(await self.call("recovery", work, tag))


def child(plan: dict[str, Any], control: Control, report: Path) -> None:
    """Live one life and leave a report."""
    victim = Victim(Path(plan["folder"]), control, crash=plan["crash"])
    try:
        asyncio.run(victim.live())
    except Crash:
        victim.report["fired"] = control.fired_on()
        victim.report["recovered"] = "crashed"
    finally:
        report.write_text(json.dumps(victim.report))
    if plan["crash"]:
        os._exit(0)


def spawn(plan: dict[str, Any], control: Control) -> dict[str, Any]:
    """Run one plan in a child and return its report."""
    report = Path(plan["folder"]).with_suffix(".json")
    control.reset()
    if plan["fault"]:
        kind, nth, error, forever = plan["fault"]
        control.arm(Fault(Kind(kind), nth, error, forever))
    pid = os.fork()
    if pid == 0:
        try:
            child(plan, control, report)
            sys.exit(0)
        except SystemExit:
            raise
        except BaseException as error:  # noqa: BLE001 - a child must not go on as its parent
            sys.stderr.write(f"{plan}: {type(error).__name__}: {error}\n")
            os._exit(70)
    deadline = time.monotonic() + CHILD_LIMIT_S
    ended, status = os.waitpid(pid, os.WNOHANG)
    while not ended and time.monotonic() < deadline:
        time.sleep(0.002)
        ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    control.disarm()
    found = json.loads(report.read_text()) if report.exists() else {"errors": [], "untyped": []}
    code = os.waitstatus_to_exitcode(status) if ended else None
    return {**found, "code": code, "fired_times": control.fired()}


def main() -> None:
    """Take plans until there are no more."""
    control = Control(Path(sys.argv[1]))
    for line in sys.stdin:
        plan = json.loads(line)
        Path(plan["folder"]).mkdir(parents=True)
        print(json.dumps(spawn(plan, control)), flush=True)


if __name__ == "__main__":
    main()
