"""Stores of every kind, and an SDK that sends no traces anywhere."""

from __future__ import annotations

import agents
import pytest

from tests.doors.stores import url  # noqa: F401 - a fixture


@pytest.fixture(scope="session", autouse=True)
def no_traces() -> None:
    agents.set_tracing_disabled(True)
