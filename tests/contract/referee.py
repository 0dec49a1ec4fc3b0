"""Pact's own Verifier as referee: it verifies the same answers, served over HTTP.

The Verifier sends every interaction to a provider and verifies the answers. Here
the provider is a loopback server that plays a list of prepared answers, and the pact
holds one copy of the interaction per answer; a request header says which is which.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from mfagate.core.exchange import Headers, Request, Response
from mfagate.core.foreign.parsing import raw

os.environ["PACT_DO_NOT_TRACK"] = "true"

CASE_HEADER = "X-Referee-Case"
JSON = Headers((("Content-Type", "application/json"),))
# The Verifier's work grows with the square of the interactions in a file.
BATCH = 40


@contextmanager
def provider(answer: Callable[[Request], Response]) -> Iterator[str]:
    """A provider on loopback that answers each request with the result of a function; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def play(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            items = tuple(self.headers.items())
            response = answer(Request(self.command, self.path, Headers(items), body))
            head = [f"HTTP/1.1 {response.status} X", f"Content-Length: {len(response.body)}"]
            head += [f"{name}: {value}" for name, value in response.headers.items_in_order]
            self.wfile.write("\r\n".join([*head, "", ""]).encode("latin-1") + response.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = play

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _copy(interaction: Mapping[str, Any], case: int, version: str) -> dict[str, Any]:
    """One interaction of a pact file as case number ``case``, without states and generators.

    Not pending either: the Verifier reports a pending interaction as good in any case.
    """
    request = {key: value for key, value in interaction["request"].items() if key != "generators"}
    is_newest = version.startswith("4")
    request["headers"] = {**request.get("headers", {}), CASE_HEADER: [str(case)] if is_newest else str(case)}
    return {
        **({"type": "Synchronous/HTTP"} if is_newest else {}),
        "description": f"case {case}",
        "request": request,
        "response": interaction["response"],
    }


def verdicts(interaction: Mapping[str, Any], answers: Sequence[Response], version: str = "4.0") -> list[bool]:
    """Whether Pact's Verifier accepts each of ``answers`` for an interaction of a pact file of this version."""
    accepted: list[bool] = []
    for start in range(0, len(answers), BATCH):
        batch = answers[start : start + BATCH]
        accepted += verify([interaction] * len(batch), batch, version)
    return accepted


def verify(interactions: Sequence[Mapping[str, Any]], answers: Sequence[Response], version: str = "4.0") -> list[bool]:
    """Whether Pact's Verifier accepts each of ``answers`` for the interaction at its place, in one run."""
    from pact import Verifier

    pact = {
        "consumer": {"name": "referee"},
        "provider": {"name": "provider"},
        "interactions": [_copy(interaction, case, version) for case, interaction in enumerate(interactions)],
        "metadata": {"pactSpecification": {"version": version}},
    }
    by_case = lambda request: answers[int(raw(request.headers[CASE_HEADER]))]  # noqa: E731
    with tempfile.TemporaryDirectory() as directory, provider(by_case) as url:
        source = Path(directory) / "pact.json"
        source.write_text(json.dumps(pact), encoding="utf-8")
        verifier = Verifier("provider", "127.0.0.1").add_transport(url=url)
        verifier.follow_redirects(False).add_source(source)
        with suppress(RuntimeError):  # some answer was refused; the results say which
            verifier.verify()
        results = {result["description"]: result["result"] == "OK" for result in verifier.results["interactionResults"]}
    return [results[f"case {case}"] for case in range(len(answers))]


def requests_sent(pact: Path, values: Mapping[str, Any]) -> list[Request]:
    """The requests that Pact's Verifier sends for a pact file whose states give ``values``."""
    from pact import Verifier

    sent: list[Request] = []

    def answer(request: Request) -> Response:
        if request.url == "/states":
            return Response(200, headers=JSON, body=json.dumps(values).encode())
        sent.append(request)
        return Response(200)

    with provider(answer) as url:
        verifier = Verifier("provider", "127.0.0.1").add_transport(url=url).add_source(pact)
        verifier.state_handler(f"{url}/states", body=True)
        with suppress(RuntimeError):
            verifier.verify()
    return sent
