"""Fixtures of the fault campaigns."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from . import building, reporting
from .scale import Figures, is_long

#: seconds that one campaign may take; each limits its programs by itself, and far more tightly
_LIMIT_SHORT_S, _LIMIT_LONG_S = 1_800, 6 * 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the campaigns more time than an ordinary test has."""
    limit = pytest.mark.timeout(_LIMIT_LONG_S if is_long() else _LIMIT_SHORT_S)
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(limit)


@pytest.fixture(scope="session")
def preload(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The compiled preload libraries by name: ``recorder`` and ``faults``."""
    if building.compiler() is None:
        pytest.skip("no C compiler: the recorder and the fault injector cannot be built")
    folder = tmp_path_factory.mktemp("preload")
    return {name: building.build(name, folder) for name in ("recorder", "faults")}


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """A function that reports a campaign's figures as one line, with the time it took."""
    began = time.monotonic()

    def report(campaign: str, **values: object) -> None:
        said = ", ".join(f"{name} {value}" for name, value in values.items())
        line = f"{campaign}: {said}, {time.monotonic() - began:.1f} s".replace("_", " ")
        request.node.user_properties.append((reporting.FIGURES, line))
        print(line)

    return report
