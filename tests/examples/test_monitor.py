"""The example of docs/how-to/monitor.md runs as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import requests

from ..support.project import REPOSITORY


def test_the_login_service_says_why_logins_fail() -> None:
    process = subprocess.Popen(
        [sys.executable, "examples/monitor/login_service.py", "--port=0", "--break-after=1", "--seconds=120"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        url = process.stdout.readline().removeprefix("metrics: ").strip()
        problem = process.stderr.readline()
        assert re.fullmatch(r"ERROR mfagate.monitor: MFA provider of duo-eu: .+ \(credential.rejected\)\n", problem), (
            problem
        )
        scraped = ""
        deadline = time.monotonic() + 60
        while 'result="problem"} 0.0' in scraped or not scraped:
            assert time.monotonic() < deadline, scraped
            scraped = requests.get(url, timeout=5).text
        assert 'cause="credential.rejected",integration="duo-eu",provider="duo"} 0.0' not in scraped
        assert re.search(r'result="ok"\} [1-9]', scraped)
    finally:
        process.terminate()
        process.communicate(timeout=30)
