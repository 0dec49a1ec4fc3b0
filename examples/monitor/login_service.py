"""A login service in small: it asks Duo about one user after the other, and tells Prometheus how that goes.

    python examples/monitor/login_service.py [--port 9464] [--break-after 10] [--seconds 60]

Duo is the emulator, started for as long as this runs. After --break-after seconds the service signs
with a wrong secret key, as if a deployment had brought it. It ends after --seconds, or by Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import time

import requests
from prometheus_client import start_http_server

from mfagate.monitor import monitor
from mfagate.providers.duo.auth import DuoAuth
from mfagate.sandbox import Running
from mfagate_sandbox.duo.sandbox import SANDBOX


def log_in(session: requests.Session, duo: Running, secret_key: str) -> bool:
    """What the login service does for one user: may this user go on with a second factor?"""
    answer = session.post(
        f"{duo.endpoint}/auth/v2/preauth",
        auth=DuoAuth(duo.values["host"], duo.values["integration_key"], secret_key),
        json={"username": duo.values["accepting_user"]},
        verify=duo.ca_bundle,
        timeout=5,
    )
    return answer.ok


def main() -> None:
    """Start Duo's emulator, and log users in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=9464, help="Where Prometheus asks; 0 is any free one.")
    parser.add_argument("--break-after", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")

    session = monitor("duo", integration="duo-eu").wrap(requests.Session())  # the one line that is new
    metrics, _ = start_http_server(asked.port, "127.0.0.1")
    with SANDBOX.start() as duo, contextlib.suppress(KeyboardInterrupt):
        print(f"metrics: http://127.0.0.1:{metrics.server_port}/metrics", flush=True)
        began = time.monotonic()
        while (passed := time.monotonic() - began) < asked.seconds:
            broken = passed >= asked.break_after
            log_in(session, duo, "not-the-secret-key" if broken else duo.values["secret_key"])
            time.sleep(0.1)
    metrics.shutdown()


if __name__ == "__main__":
    main()
