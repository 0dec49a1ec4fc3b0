"""A PostgreSQL server of our own on loopback, where its programs are installed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from .programs import require_program

PASSWORD = "canary-of-the-history/42"
"""Its URL has to be escaped; no output may show it in any form."""

_START_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """A running server; every database that a test makes is its own."""

    port: int
    password: str = PASSWORD

    def url(self, database: str = "postgres") -> str:
        """With the password in it."""
        return f"postgresql://mfagate:{self.password.replace('/', '%2F')}@127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str) -> str:
        """The URL of an empty one."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)


def _programs() -> Path:
    debian = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    return Path(require_program("postgres", package="postgresql", folders=os.pathsep.join(debian))).parent


@contextmanager
def postgres() -> Iterator[Server]:
    """A server with a fresh cluster; it is gone afterwards."""
    programs = _programs()
    # It refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else None
    with TemporaryDirectory(prefix="mfagate-pg-", ignore_cleanup_errors=True) as folder:
        data, password = Path(folder, "data"), Path(folder, "password")
        password.write_text(PASSWORD)
        if user is not None:
            for path in (Path(folder), password):
                shutil.chown(path, user)
        initdb: list[str | Path] = [
            programs / "initdb",
            "-D",
            data,
            "-U",
            "mfagate",
            "-E",
            "UTF8",
            "-A",
            "scram-sha-256",
            "--no-sync",
        ]
        subprocess.run(
            [*initdb, f"--pwfile={password}"], user=user, cwd=folder, env={"PATH": os.defpath, "LC_ALL": "C"},
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["-h", "127.0.0.1", "-p", str(port), "-k", folder, "-c", "fsync=off"]
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *options], user=user, cwd=folder, env={"LC_ALL": "C"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait_for(port, server)
            yield Server(port)
        finally:
            server.send_signal(signal.SIGINT)  # does not wait for clients, as SIGTERM would
            server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(Server(port).url(), connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > end or server.poll() is not None:
                raise
            time.sleep(0.1)
