"""
Power loss: 500 images a profile (10,000 in the long form), replayed from what memrepo really did.

Proven for ``full``: every unit whose await had returned is there, whole, also when a sync had
failed before. Proven for ``normal``: the file is sound, every unit whole, and what is there is a
prefix of the commits. Half of the images take a name to be certain only once its folder was
synced, the other half in order. Memrepo itself opens one image in 25 and goes on.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from . import programs
from .disk import Directory
from .faults import Fault, Kind
from .powerloss import Recording, Tally, cut_power, is_complete, record
from .recorder import Op
from .scale import Figures, pick

pytestmark = pytest.mark.campaign

#: units that a recorded program writes before it closes the store, and again after: enough for
#: checkpoints in the middle of the work
_UNITS = 400


def _cut(
    recording: Recording,
    n: int,
    seed: int,
    keep: Path,
    views: Sequence[Directory] = tuple(Directory),
) -> Tally:
    """Judge *n* images, as many with each view of folders."""
    tally = Tally()
    for directory in views:
        tally.add(cut_power(recording, n // len(views), seed, directory, keep))
    return tally


def _revive(images: Path) -> int:
    """Have memrepo open the images that were kept; return how many there were."""
    revived = programs.run("reviver", images, timeout_s=600)
    errors = [json.loads(line) for line in revived.out.splitlines()]
    assert revived.code == 0, revived.err
    assert errors
    assert not [error for error in errors if error is not None]
    return len(errors)


@pytest.mark.parametrize("durability", ["full", "normal"])
def test_power_loss_keeps_the_promise(
    preload: dict[str, Path], tmp_path: Path, figures: Figures, durability: str
) -> None:
    tally = Tally()
    revived = 0
    recordings = pick(4, 20)
    for number in range(recordings):
        folder = tmp_path / str(number)
        # One task has each of its units synced alone; eight share a sync in groups.
        tasks = (1, 8)[number % 2]
        arguments = (durability, "u", _UNITS, tasks, 2)
        recording = record(preload["recorder"], folder, "writer", *arguments)
        assert is_complete(recording)
        tally.add(_cut(recording, pick(504, 10_000) // recordings, number, folder / "kept"))
        revived += _revive(folder / "kept")
    figures(
        f"power loss, {durability}",
        images=tally.images,
        lost=tally.lost,
        worst=tally.worst,
        torn=tally.torn,
        disordered=tally.disordered,
        corrupt=tally.corrupt,
        revived=revived,
    )
    assert (tally.torn, tally.disordered, tally.corrupt) == (0, 0, 0), tally.examples
    if durability == "full":
        assert tally.lost == 0, tally.examples
    else:
        assert tally.lost > 0, "the images are too kind: NORMAL does not sync each commit"


def test_power_loss_after_a_failed_sync(
    preload: dict[str, Path], tmp_path: Path, figures: Figures
) -> None:
    """
    A sync fails once; what it should have saved may be gone for good. Nothing else may.

    SQLite does not look at the result when it syncs the folder of a new log. Where that one
    failed, only a file system that orders its names can keep the promise, and only that is asked.
    """
    tally = Tally()
    of_file = of_folder = 0
    recordings = pick(8, 80)
    for number in range(recordings):
        folder = tmp_path / str(number)
        # Within the syncs that a life has, however many are tried.
        fault = Fault(Kind.SYNC, 20 + 56 * number // recordings, errno.EIO, forever=False)
        arguments = ("full", "u", _UNITS // 4, (1, 8)[number % 2], 2, "tolerant")
        injector = (preload["faults"], fault)
        recording = record(preload["recorder"], folder, "writer", *arguments, faults=injector)
        assert is_complete(recording)
        is_file = any(entry.op is Op.SYNC_FAILED for entry in recording.records)
        of_file += is_file
        of_folder += not is_file
        views = tuple(Directory) if is_file else (Directory.LENIENT,)
        tally.add(_cut(recording, 60, number, folder / "kept", views))
        _revive(folder / "kept")
    figures(
        "power loss after a failed sync",
        failed_syncs=of_file,
        of_folders=of_folder,
        images=tally.images,
        lost=tally.lost,
        torn=tally.torn,
        disordered=tally.disordered,
        corrupt=tally.corrupt,
    )
    assert of_file >= recordings // 2
    found = (tally.lost, tally.torn, tally.disordered, tally.corrupt)
    assert found == (0, 0, 0, 0), tally.examples
