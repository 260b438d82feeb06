"""Record a program, cut the power at many moments, and judge what the disk then holds."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import programs
from .disk import Directory, Disk, images, write_image
from .faults import Control, Fault
from .judge import Promises, judge, read_contents
from .recorder import Op, Record, environment, read_log

__all__ = ["Recording", "Tally", "cut_power", "record"]

#: seconds; a recorded workload that takes longer hangs
_LIMIT_S = 120
#: one image in so many is kept for those who want to open it themselves
_KEEP_EVERY = 25


@dataclass(frozen=True, slots=True)
class Recording:
    """
    One run of a program.

    Attributes:
        records: All it did to the database's folder, in order.
        database: The file it left when it ended without a power loss.
    """

    records: Sequence[Record]
    database: Path


@dataclass(slots=True)
class Tally:
    """
    What was found on the images of one recording.

    Attributes:
        images: How many were judged.
        lost: On how many an acknowledged unit was missing.
        worst: The most acknowledged units missing on one image.
        torn: On how many a unit was there in part.
        disordered: On how many the units were no prefix of the commits.
        corrupt: On how many the file was damaged.
        examples: The first few findings, with the moment of the cut.
    """

    images: int = 0
    lost: int = 0
    worst: int = 0
    torn: int = 0
    disordered: int = 0
    corrupt: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Put the tally of another recording to this one."""
        for name in ("images", "lost", "torn", "disordered", "corrupt"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.worst = max(self.worst, other.worst)
        self.examples += other.examples


def record(
    library: Path,
    folder: Path,
    script: str,
    *args: object,
    faults: tuple[Path, Fault] | None = None,
) -> Recording:
    """
    Run ``workloads/<script>.py DATABASE args...`` under the recorder, in an empty *folder*.

    Args:
        library: The compiled recorder.
        folder: Where the database, the log and the images go.
        script: The program.
        args: What it is given after the path of the database.
        faults: The compiled injector and a fault that the program meets on the way.
    """
    work = folder / "work"
    work.mkdir(parents=True)
    database = work / "memory.db"
    log = folder / "log"
    env = dict(environment(library, work, log))
    if faults is not None:
        injector, fault = faults
        control = Control(folder / "control")
        control.arm(fault)
        # The recorder comes first, so that it sees what the injector lets through and what not.
        preload = f"{library}:{injector}"
        env = {**control.environment(injector, work), **env, "LD_PRELOAD": preload}
    ended = programs.run(script, database, *args, env=env, timeout_s=_LIMIT_S)
    if ended.code != 0:
        raise RuntimeError(f"{script} failed under the recorder:\n{ended.err}")
    return Recording(read_log(log), database)


def is_complete(recording: Recording) -> bool:
    """
    Whether the log explains every byte of the database as the program left it.

    If the recorder missed a way to write, the replayed disk differs from the real one.
    """
    disk = Disk()
    for entry in recording.records:
        disk.replay(entry)
    folder = recording.database.parent
    real = {path.name: path.read_bytes() for path in folder.iterdir()}
    real.pop("marker", None)
    return disk.whole() == {
        name: content for name, content in real.items() if not name.endswith("-shm")
    }


def cut_power(
    recording: Recording,
    n: int,
    seed: int,
    directory: Directory = Directory.STRICT,
    keep: Path | None = None,
) -> Tally:
    """
    Judge *n* images of a recording; the same seed gives the same images.

    Args:
        recording: What to replay.
        n: How many images.
        seed: Decides about the moments and what survives.
        directory: How certain names are.
        keep: A folder for every 25th image as it was before it was judged.
    """
    tally = Tally()
    final = read_contents(recording.database)
    promises = Promises()
    told = 0
    folder = recording.database.parent.parent / "image"
    folder.mkdir(exist_ok=True)
    for cut, image in images(recording.records, n, seed, directory):
        for entry in recording.records[told:cut]:
            if entry.op is Op.MARK:
                promises.add(*entry.data.decode().split())
        told = cut
        write_image(image, folder)
        if keep is not None and tally.images % _KEEP_EVERY == 0:
            shutil.copytree(folder, keep / f"{directory.value}-{tally.images}")
        verdict = judge(folder / recording.database.name, promises, final)
        tally.images += 1
        tally.lost += bool(verdict.lost)
        tally.worst = max(tally.worst, len(verdict.lost))
        tally.torn += bool(verdict.torn)
        tally.disordered += bool(verdict.disordered)
        tally.corrupt += bool(verdict.corrupt)
        broken = verdict.broken()
        if broken and len(tally.examples) < 5:
            tally.examples.append(f"cut {cut}, seed {seed}, {directory.value}: {broken}")
    shutil.rmtree(folder)
    return tally
