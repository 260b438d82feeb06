"""The list of the campaigns' figures at the end of a run; from the workers of xdist, too."""

from __future__ import annotations

import pytest

from .scale import is_long

__all__ = ["FIGURES", "pytest_terminal_summary"]

#: the name under which the report of a test carries a line of figures
FIGURES = "figures"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the figures of all campaigns that ran."""
    lines = [
        line
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, line in report.user_properties
        if name == FIGURES
    ]
    if lines:
        terminalreporter.section(f"fault campaigns, {'long' if is_long() else 'short'} form")
        for line in lines:
            terminalreporter.write_line(str(line))
