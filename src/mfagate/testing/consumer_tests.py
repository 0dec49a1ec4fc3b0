"""Run the consumer tests beside a contract, and return the proofs of its strength."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def prove_contract(contract: Path, report: Path) -> list[dict[str, Any]]:
    """Run the consumer tests beside a contract, and return the proofs that they made.

    Args:
        contract: The pact file; the tests are in its folder.
        report: A file for the proofs, which must not exist yet.

    Raises:
        AssertionError: A test failed; the message is the end of pytest's output.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(contract.parent)]
    command.append(f"--mfagate-strength-report={report}")
    run = subprocess.run(command, cwd=contract.parent, capture_output=True, text=True, check=False)  # noqa: S603
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-1000:]
    return [json.loads(line) for line in report.read_text("utf-8").splitlines()]
