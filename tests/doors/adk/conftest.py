"""Stores of every kind."""

from __future__ import annotations

from tests.doors.stores import url  # noqa: F401 - a fixture
