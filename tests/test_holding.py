"""The test helper that holds a response waits for a command, but not for ever."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from mfagate.sandbox.faulty_proxy import FaultyProxy, Handler, faulty_proxy
from mfagate.testing.holding import Holding, NotReached


def command(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_waiting_ends_with_the_command() -> None:
    with pytest.raises(NotReached, match="ended with 3 before request 2: it is healthy"):
        Holding(2).wait_for(command("import sys; print('it is healthy'); sys.exit(3)"))


def test_a_command_without_requests_is_ended() -> None:
    with command("import time; time.sleep(600)") as running:
        with pytest.raises(NotReached, match="fewer than 2 requests"):
            Holding(2).wait_for(running, 0.2)
        assert running.returncode is not None


class Counted(Holding):
    """Counts two requests before it checks either, as threads may do."""

    def __call__(self, handler: Handler) -> bool:
        with handler.server.lock:
            handler.server.requests.append(("GET", "/counted-too"))
        return super().__call__(handler)


@pytest.mark.parametrize("kind", [Holding, Counted])
def test_one_request_is_held(kind: type[Holding]) -> None:
    with faulty_proxy("http://127.0.0.1:1", lambda handler: handler.answer(200, b"behind")) as behind:
        holding = kind(3)
        with faulty_proxy(behind.url, holding) as before, ThreadPoolExecutor() as pool, command("input()") as running:
            asking = [pool.submit(_ask, before) for _ in range(5)]
            holding.wait_for(running)
            running.kill()
            holding.released.set()
            answers = [one.result() for one in asking]
    assert sorted(answers) == ["behind"] * 4 + ["hung up"]


def _ask(before: FaultyProxy) -> str:
    try:
        with urllib.request.urlopen(before.url, timeout=30) as answer:
            return str(answer.read().decode())
    except OSError:
        return "hung up"
