"""schemathesis sends the running demo what the document allows, and what it does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.demo import running_demo
from tests.openapi.document import operations

CONFIG = Path(__file__).with_name("schemathesis.toml")  # says which of its checks are off, and why


def test_every_answer_is_documented_and_none_is_a_server_error(original, tmp_path):
    with running_demo(original, tmp_path) as demo:
        report = tmp_path / "report.json"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG, "--no-color"),
                *("run", f"{demo.address}/api/schema", "--report-json-path", report),
            ],
            cwd=tmp_path,
            env=os.environ | {"API_KEY": demo.key},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(report.read_text())
    assert result["complete"] is True
    phases = {name: phase["status"] for name, phase in result["phases"].items()}
    assert phases == dict.fromkeys(("examples", "coverage", "fuzzing", "stateful"), "success")
    # It got through to what the operations do: it found ids, and bodies that were accepted.
    accepted = {
        name
        for name, phases in result["valid_rates"].items()
        if any(answers["accepted"] for answers in phases.values())
    }
    assert accepted >= {
        f"{operation.method} {operation.path}"
        for operation in operations()
        if operation.method != "DELETE"  # what it deletes may be in use, or gone already
    }
