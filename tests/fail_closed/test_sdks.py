"""Official SDKs behind a second factor: what the obvious wrapping lets through, and one that does not."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import requests
from duo_client import Auth
from twilio.http import HttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from mfagate.core import strict_json
from mfagate.fail_closed import WAITS, LoopbackUrl, MutationKind, Proof, Violation, prove
from mfagate.providers.second_factor import ContractViolation, ProviderUnavailable

from ..support.project import REPOSITORY

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:duo_client"),  # it asks for any TLS version
    # Both leave sockets open after an answer that they could not read.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def sockets_left_open() -> Iterator[None]:
    """Close them while they are not complained of."""
    yield
    gc.collect()


SECRET = "c4n4ry" * 6 + "c4n4"
PATIENT, IMPATIENT = 10.0, 0.5
SERVICE, SENT, PHONE = "VA0123456789abcdef0123456789abcdef", f"VE{'0' * 31}1", "+12015550100"


def duo_proof(call: Any, **claim: Any) -> Proof:
    asked: dict[str, Any] = {
        "tls": True,
        "secrets": [SECRET],
        "examples": 40,
        "deadline_seconds": PATIENT,
    }
    contract = REPOSITORY / "contracts/duo/auth-service-duo.json"
    return prove(call, contract=contract, interaction="passcode accepted", **asked | claim)


def twilio_proof(call: Any, **claim: Any) -> Proof:
    asked: dict[str, Any] = {"bound": {"$.to": ()}, "secrets": [SECRET], "examples": 40, "deadline_seconds": PATIENT}
    contract = REPOSITORY / "contracts/twilio/auth-service-twilio.json"
    return prove(call, contract=contract, interaction="code accepted", **asked | claim)


def kinds(proof: Proof, violation: Violation) -> set[MutationKind]:
    """The kinds of mutation that showed a violation; each has one counterexample."""
    told = {each.violation: set[MutationKind]() for each in proof.counterexamples}
    for each in proof.counterexamples:
        told[each.violation].add(each.kind)
    return told.get(violation, set())


def duo(endpoint: LoopbackUrl, kind: type[Auth] = Auth, timeout: float = PATIENT) -> Auth:
    keys = {"ikey": "DIABCDEFGHIJ01234567", "skey": SECRET, "host": endpoint.host, "port": endpoint.port}
    return kind(**keys, ca_certs=str(endpoint.ca_bundle), timeout=timeout)


def naive_duo(endpoint: LoopbackUrl) -> bool:
    answer = duo(endpoint).auth("passcode", username="alice", passcode="000000000")
    return bool(answer["result"] == "allow")


class StrictAuth(Auth):  # type: ignore[misc]
    """Duo's client with what it does not look at: content type and strict JSON; and no waiting for a rate limit."""

    def __init__(self, **keys: Any) -> None:
        super().__init__(**keys)
        self._MAX_BACKOFF_WAIT_SECS = 0

    def parse_json_response_and_metadata(self, response: Any, data: Any) -> Any:
        kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        if response.status != 200 or kind != "application/json" or response.getheader("Content-Encoding"):
            raise ContractViolation(f"Duo answered {response.status}, not 200 with JSON")
        try:
            strict_json.loads(data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape"))
        except ValueError:
            raise ContractViolation("Duo answered no JSON") from None
        return super().parse_json_response_and_metadata(response, data)


def careful_duo(endpoint: LoopbackUrl, timeout: float = PATIENT) -> bool:
    try:
        answer = duo(endpoint, StrictAuth, timeout).auth("passcode", username="alice", passcode="000000000")
    except ContractViolation:
        raise
    except OSError as error:
        raise ProviderUnavailable(f"Duo did not answer: {type(error).__name__}") from None
    except Exception as error:  # noqa: BLE001 - the SDK raises RuntimeError, http.client's errors and what its parsing trips over
        raise ContractViolation(f"Duo's client could not read the answer: {type(error).__name__}") from None
    if not isinstance(answer, dict):
        raise ContractViolation("Duo answered no object")
    if answer.get("result") == "allow" and answer.get("status") in ("allow", "bypass"):
        return True
    if answer.get("result") == "deny":
        return False
    raise ContractViolation("Duo's result is none that the contract names")


def twilio(endpoint: LoopbackUrl, http_client: HttpClient) -> Any:
    made = Client("SK0123456789abcdef0123456789abcdef", SECRET, f"AC{'0' * 32}", http_client=http_client)
    made.verify.base_url = str(endpoint)
    return made.verify.v2.services(SERVICE)


def naive_twilio(endpoint: LoopbackUrl) -> bool:
    check = twilio(endpoint, TwilioHttpClient(timeout=PATIENT)).verification_checks
    return bool(check.create(verification_sid=SENT, code="123456").status == "approved")


class StrictHttpClient(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's client with what it does not look at: status, content type and strict JSON."""

    def __init__(self, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self.session.hooks["response"] = [_require_json]


def _require_json(response: requests.Response, *args: Any, **kwargs: Any) -> None:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.status_code >= 400:
        return
    if response.status_code not in (200, 201) or kind != "application/json":
        raise ContractViolation(f"Twilio answered {response.status_code}, not JSON")
    try:
        strict_json.loads(response.content)
    except ValueError:
        raise ContractViolation("Twilio answered no JSON") from None


def careful_twilio(endpoint: LoopbackUrl, timeout: float = PATIENT) -> bool:
    try:
        checks = twilio(endpoint, StrictHttpClient(timeout=timeout)).verification_checks
        check = checks.create(verification_sid=SENT, code="123456")
    except ContractViolation:
        raise
    except requests.RequestException as error:
        raise ProviderUnavailable(f"Twilio did not answer: {type(error).__name__}") from None
    except Exception as error:  # noqa: BLE001 - the SDK raises TwilioException, and what its parsing trips over
        raise ContractViolation(f"Twilio's client could not read the answer: {type(error).__name__}") from None
    if (check.sid, check.to) != (SENT, PHONE):
        raise ContractViolation("Twilio's answer is about another verification")
    if check.status == "approved" and check.valid is True:
        return True
    if check.status == "pending" and check.valid is False:
        return False
    raise ContractViolation("Twilio's answer is none that the contract names")


def test_duo_wrapped_naively() -> None:
    """It reads one of the two fields that have to agree, of anything that Python takes for JSON."""
    found = duo_proof(naive_duo, tolerate=[*WAITS, MutationKind.STATUS])
    assert kinds(found, Violation.LET_IN) == {
        MutationKind.BODY,
        MutationKind.FIELD,
        MutationKind.CONTENT_TYPE,
        MutationKind.ENCODING,
        MutationKind.SYNTAX,
    }
    assert "raised RuntimeError" in str(found)
    assert "raised UnicodeDecodeError" in str(found)
    assert kinds(found, Violation.OTHER_LOGIN) == set()


def test_duo_waits_for_a_rate_limit_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks again after 1, 2, 4 … 32 seconds, all of which the user waits."""
    over, others = threading.Event(), set(threading.enumerate())
    monkeypatch.setattr("duo_client.client.sleep", lambda seconds: over.wait(10 * PATIENT))
    only_status = set(MutationKind) - {MutationKind.STATUS}
    found = duo_proof(naive_duo, tolerate=only_status, examples=1, deadline_seconds=2.0)
    assert [each.change for each in found.counterexamples if each.violation is Violation.HANG] == [
        "the status is 429 instead of 200"
    ]
    over.set()
    for thread in set(threading.enumerate()) - others:
        thread.join(PATIENT)


def test_duo_wrapped_with_care() -> None:
    duo_proof(careful_duo, tolerate=WAITS).require()


def test_twilio_wrapped_naively() -> None:
    """It reads the status of anything that Python takes for JSON, about whomever it is."""
    found = twilio_proof(naive_twilio, tolerate=WAITS)
    assert kinds(found, Violation.LET_IN) == {
        MutationKind.BODY,
        MutationKind.CONTENT_TYPE,
        MutationKind.ENCODING,
        MutationKind.FIELD,
        MutationKind.STATUS,
        MutationKind.SYNTAX,
    }
    assert kinds(found, Violation.OTHER_LOGIN) == {MutationKind.FIELD}


def test_twilio_wrapped_with_care() -> None:
    twilio_proof(careful_twilio, tolerate=WAITS).require()


@pytest.mark.parametrize(("prove_it", "client"), [(duo_proof, careful_duo), (twilio_proof, careful_twilio)])
def test_silence_lets_nobody_in_with_care(prove_it: Any, client: Any) -> None:
    prove_it(
        partial(client, timeout=IMPATIENT), tolerate=set(MutationKind) - {MutationKind.WAITING}, examples=1
    ).require()


@pytest.mark.parametrize("name", ["duo", "twilio"])
def test_no_timeout_of_an_sdk_ends_an_answer_that_drips(name: str) -> None:
    """Each limits every wait for the network, and not the whole: silence ends, a drip does not."""

    def patient_duo(endpoint: LoopbackUrl) -> bool:
        answer = duo(endpoint, timeout=IMPATIENT).auth("passcode", username="alice", passcode="000000000")
        return bool(answer["result"] == "allow")

    def patient_twilio(endpoint: LoopbackUrl) -> bool:
        checks = twilio(endpoint, TwilioHttpClient(timeout=IMPATIENT)).verification_checks
        return bool(checks.create(verification_sid=SENT, code="123456").status == "approved")

    claim: dict[str, Any] = {"tolerate": set(MutationKind) - WAITS, "examples": 1, "deadline_seconds": 4.0}
    found = duo_proof(patient_duo, **claim) if name == "duo" else twilio_proof(patient_twilio, **claim)
    (hang,) = (each for each in found.counterexamples if each.violation is Violation.HANG)
    assert hang.change == "the answer never ends: its body continues byte by byte"
