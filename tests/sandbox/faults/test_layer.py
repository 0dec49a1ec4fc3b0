"""Each fault does what it says, seen by the wire: which cause, in which phase."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from mfagate.core.causes import CauseId
from mfagate.core.diagnosis import definite_cause
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.sandbox.faults import FAULTS, BadFault, Fault, Layer, faulty
from mfagate.sandbox.faulty_proxy import FaultyProxy, Handler, faulty_proxy
from mfagate.transport import Transport, clock_offset

HEALTHY = b'{"stat":"OK","response":{"result":"allow","time":1}}'


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyProxy]:
    with faulty_proxy("http://127.0.0.1:9", lambda handler: handler.answer(200, HEALTHY, "application/json")) as server:
        yield server


def ask(server: FaultyProxy, *faults: str, seconds: float = 1.0) -> Exchange:
    with faulty(server.url, [Fault.parse(text) for text in faults]) as before:
        wire = Transport(timeout_seconds=seconds, ca_bundle=before.ca_bundle, trust_env=False)
        return wire.send(requests.Request("GET", f"{before.url}/auth").prepare())


class Nobody:
    """No provider's dialect."""

    def errors_page(self, exchange: Exchange) -> str:
        return ""

    def explain(self, exchange: Exchange) -> Finding | None:
        return None

    def evidence(self, exchange: Exchange) -> dict[str, object]:
        return {}


def cause(exchange: Exchange) -> CauseId | None:
    found = definite_cause(exchange, Nobody())
    return found.cause if found else None


HARMLESS = {"tls-expiring", "clock", "retired", "line"} | {
    kind.name for kind in FAULTS.values() if kind.layer is Layer.BODY
}
"""What the transport alone cannot know to be wrong: there is an answer, in JSON."""


ARGUMENTS = {"slow": "5", "slow-body": "5", "slow-connect": "5", "status": "502"}

SEEN = [f"{name}:{ARGUMENTS[name]}" if name in ARGUMENTS else name for name in FAULTS if name not in HARMLESS]


def expected(text: str) -> CauseId:
    """As the catalogue says."""
    return FAULTS[text.partition(":")[0]].causes[0]


@pytest.mark.parametrize("text", SEEN)
def test_a_fault_is_seen(server: FaultyProxy, text: str) -> None:
    assert cause(ask(server, text)) is expected(text)


@pytest.mark.parametrize("text", SEEN)
def test_a_fault_is_seen_through_a_line(server: FaultyProxy, text: str) -> None:
    assert cause(ask(server, text, "line:20,jitter=5")) is expected(text)


@pytest.mark.parametrize("text", ["removed:result", "added", "wrapped:result", "not-utf8", "truncated", "drip"])
def test_a_line_changes_no_byte(server: FaultyProxy, text: str) -> None:
    direct, far = (ask(server, text, *line).response for line in ([], ["line:20,jitter=5,bandwidth=5"]))
    assert (direct is None) == (far is None)
    assert direct is None or far is None or direct.body == far.body


def test_a_page_with_an_error_status_is_an_outage(server: FaultyProxy) -> None:
    assert cause(ask(server, "html:503")) is CauseId.PROVIDER_OUTAGE


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("removed:result", b'{"stat": "OK", "response": {"time": 1}}'),
        ("nulled:response.result", b'{"stat": "OK", "response": {"result": null, "time": 1}}'),
        ("added", b'{"stat": "OK", "response": {"result": "allow", "time": 1}, "mfagate_new": "new"}'),
    ],
)
def test_a_body_is_changed(server: FaultyProxy, text: str, body: bytes) -> None:
    response = ask(server, text).response
    assert response is not None
    assert response.body == body


def test_a_clock_is_off(server: FaultyProxy) -> None:
    assert clock_offset(ask(server, "clock:-7200")) == pytest.approx(-7200, abs=3)


def test_a_certificate_runs_out_soon(server: FaultyProxy) -> None:
    certificate = ask(server, "tls-expiring:12").certificate
    assert certificate is not None
    assert (certificate.not_after - datetime.now(UTC)).days == 12


def test_faults_change_while_the_address_stays(server: FaultyProxy) -> None:
    seen = []
    with faulty(server.url, []) as before:
        wire = Transport(timeout_seconds=1, trust_env=False)
        for texts in ([], ["refuse"], ["drop"], ["status:502"], ["reset"], []):
            before.change([Fault.parse(text) for text in texts])
            seen.append(cause(wire.send(requests.Request("GET", f"{before.url}/auth").prepare())))
    assert seen == [None, *(expected(text) for text in ("refuse", "drop", "status:502", "reset")), None]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["refuse", "status:502"], "refuse excludes all other faults"),
        (["tls-old", "tls-expired"], "tls-old and tls-expired exclude each other"),
        (["tls-expired"], "started without TLS"),
    ],
)
def test_what_does_not_go_together_changes_nothing(server: FaultyProxy, texts: list[str], words: str) -> None:
    with faulty(server.url, [Fault.parse("status:502")]) as before:
        with pytest.raises(BadFault, match=words):
            before.change([Fault.parse(text) for text in texts])
        wire = Transport(timeout_seconds=1, trust_env=False)
        assert cause(wire.send(requests.Request("GET", before.url).prepare())) is CauseId.PROVIDER_OUTAGE


def test_a_fault_of_the_body_leaves_the_headers_alone() -> None:
    def handler(one: Handler) -> bool:
        return one.answer(200, HEALTHY, "application/json", X_Request_Id="42")

    with faulty_proxy("http://127.0.0.1:9", handler) as server:
        for text in ("removed:result", "truncated", "content-type", "not-utf8", "empty"):
            response = ask(server, text).response
            assert response is not None
            assert response.headers["x-request-id"] == "42", text


def test_faults_combine_and_take_turns(server: FaultyProxy) -> None:
    faults = [Fault.parse("status:502,times=1"), Fault.parse("status:429,after=1,times=1")]
    with faulty(server.url, faults) as before:
        session = requests.Session()
        session.trust_env = False
        seen = [session.get(f"{before.url}/{number}", timeout=5).status_code for number in range(4)]
    assert seen == [502, 200, 429, 200]
    assert before.requests == [("GET", f"/{number}") for number in range(4)]


@pytest.mark.parametrize(
    ("first", "delay"),
    [(first, "slow:5") for first in ("removed:result", "added", "status:502", "empty")] + [("reset", "slow-connect:5")],
)
def test_a_delay_acts_whatever_is_given_before_it(server: FaultyProxy, first: str, delay: str) -> None:
    assert cause(ask(server, first, delay)) is expected(delay)


def test_all_changes_of_the_body_are_made(server: FaultyProxy) -> None:
    response = ask(server, "removed:nothing", "removed:result", "nulled:time").response
    assert response is not None
    assert response.body == b'{"stat": "OK", "response": {"time": null}}'


@pytest.mark.parametrize("texts", [["removed:result", "status:502"], ["status:502", "removed:result"]])
def test_a_fault_that_answers_leaves_nothing_to_change(server: FaultyProxy, texts: list[str]) -> None:
    with faulty(server.url, [Fault.parse(text) for text in texts]) as before:
        wire = Transport(timeout_seconds=1, trust_env=False)
        assert cause(wire.send(requests.Request("GET", before.url).prepare())) is CauseId.PROVIDER_OUTAGE
        assert before.idle == ["removed:result"]
