"""The session route under schemathesis, a fuzzer that knows its OpenAPI description."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.doors.web.serving import WebServer, running
from tests.patience import PATIENCE_S

#: An If-Match is a text, as the description has it, and yet no ETag, or names no session.
_CONFIG: Final = """\
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "400", "404", "412"]
"""


@pytest.mark.parametrize(
    "n_examples",
    [30, pytest.param(2_000, marks=[pytest.mark.campaign, pytest.mark.timeout(1_800)])],
)
def test_fuzzed(n_examples: int, tmp_path: Path) -> None:
    """Whatever is sent gets an answer that the description has; what is valid is accepted, what is not is refused."""
    config = tmp_path / "schemathesis.toml"
    config.write_text(_CONFIG, encoding="utf-8")
    server = WebServer("uvicorn", "session_app", tmp_path)
    with running(server):
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"{server.url}/openapi.json", "--checks", "all", "--no-color", "--seed", "1"),
            *("--max-examples", f"{n_examples}", "--generation-database", "none"),
            *("--request-timeout", f"{PATIENCE_S:.0f}", "--suppress-health-check", "too_slow"),
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert "Traceback" not in server.log, server.log
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    # Each of its phases had something to do.
    assert "Operations:       5 selected / 5 total" in done.stdout
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in done.stdout
