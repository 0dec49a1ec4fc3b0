"""Run the consumer tests next to a contract, and return the proofs of its strength."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


@cache
def prove_contract(contract: Path) -> tuple[dict[str, Any], ...]:
    """Run the consumer tests next to a contract, once per process, and return their proofs.

    Raises:
        AssertionError: A test failed; the message is the end of pytest's output.
    """
    with TemporaryDirectory(prefix="mfagate-strength-") as folder:
        report = Path(folder) / "proofs.jsonl"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(contract.parent)]
        command.append(f"--mfagate-strength-report={report}")
        run = subprocess.run(command, cwd=contract.parent, capture_output=True, text=True, check=False)  # noqa: S603
        assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-1000:]
        return tuple(json.loads(line) for line in report.read_text("utf-8").splitlines())
