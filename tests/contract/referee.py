"""Pact's own Verifier as referee: the same answers, served over HTTP, judged by it.

The Verifier sends every interaction to a provider and judges what comes back. Here
the provider is a loopback server that plays a list of prepared answers, and the pact
holds one copy of the interaction per answer; a request header says which is which.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from mfagate.exchange import Response

os.environ["PACT_DO_NOT_TRACK"] = "true"

CASE_HEADER = "X-Referee-Case"
# The Verifier's work grows with the square of the interactions in a file.
BATCH = 40


@contextmanager
def served(answers: Sequence[Response]) -> Iterator[int]:
    """Serve ``answers`` by the number in the request's case header; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def play(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = answers[int(self.headers[CASE_HEADER])]
            head = [f"HTTP/1.1 {answer.status} X", f"Content-Length: {len(answer.body)}"]
            head += [f"{name}: {value}" for name, value in answer.headers.items_in_order]
            self.wfile.write("\r\n".join([*head, "", ""]).encode("latin-1") + answer.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = play

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _copy(interaction: Mapping[str, Any], case: int) -> dict[str, Any]:
    """One interaction of a pact file as case number ``case``, without states and generators.

    Not pending either: the Verifier reports a pending interaction as good in any case.
    """
    request = {key: value for key, value in interaction["request"].items() if key != "generators"}
    request["headers"] = {**request.get("headers", {}), CASE_HEADER: [str(case)]}
    return {
        "type": "Synchronous/HTTP",
        "description": f"case {case}",
        "request": request,
        "response": interaction["response"],
    }


def verdicts(interaction: Mapping[str, Any], answers: Sequence[Response]) -> list[bool]:
    """Whether Pact's Verifier accepts each of ``answers`` for an interaction of a pact file."""
    accepted: list[bool] = []
    for start in range(0, len(answers), BATCH):
        accepted += _verify(interaction, answers[start : start + BATCH])
    return accepted


def _verify(interaction: Mapping[str, Any], answers: Sequence[Response]) -> list[bool]:
    from pact import Verifier

    pact = {
        "consumer": {"name": "referee"},
        "provider": {"name": "provider"},
        "interactions": [_copy(interaction, case) for case in range(len(answers))],
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }
    with tempfile.TemporaryDirectory() as directory, served(answers) as port:
        source = Path(directory) / "pact.json"
        source.write_text(json.dumps(pact), encoding="utf-8")
        verifier = Verifier("provider", "127.0.0.1").add_transport(url=f"http://127.0.0.1:{port}")
        verifier.follow_redirects(False).add_source(source)
        with suppress(RuntimeError):  # some answer was refused; the results say which
            verifier.verify()
        results = {
            result["description"]: result["result"] == "OK"
            for result in verifier.results["interactionResults"]
        }
    return [results[f"case {case}"] for case in range(len(answers))]
