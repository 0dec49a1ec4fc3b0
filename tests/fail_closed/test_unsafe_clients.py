"""Clients that are wrong in the ways of real ones: each is caught, and a careful one is not."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from requests.adapters import HTTPAdapter

from mfagate.core import strict_json
from mfagate.fail_closed import WAITS, CannotProve, Ending, LoopbackUrl, MutationKind, Proof, Violation, prove
from mfagate.providers.second_factor import ContractViolation, ProviderUnavailable

from ..support.project import REPOSITORY

SERVICE, SENT, PHONE = "/v2/Services/VA0123456789abcdef0123456789abcdef", f"VE{'0' * 31}1", "+12015550100"
OKTA_FACTOR = "/api/v1/users/00uabcdefg1234567890/factors/ostabcdefg1234567890"
SECRET = "c4n4ry-c4n4ry"
PATIENT = 2.0
"""Seconds for an answer: on a busy machine, less is too little now and then."""


@dataclass(frozen=True)
class Shape:
    """How a provider is asked, and which fields of its answer have which values when it says yes."""

    interaction: str
    path: str
    form: dict[str, str]
    good: dict[str, Any]
    claim: dict[str, Any] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    denial: str = "deny"

    @property
    def decisive(self) -> str:
        """The last of these fields."""
        return list(self.good)[-1]


SHAPES = {
    "duo": Shape(
        "passcode accepted",
        "/auth/v2/auth",
        {"username": "alice", "factor": "passcode", "passcode": "000000000"},
        {"stat": "OK", "response.status": ("allow", "bypass"), "response.result": "allow"},
        {},
    ),
    "okta": Shape(
        "code accepted",
        f"{OKTA_FACTOR}/verify",
        {"passCode": "000000"},
        {"factorResult": "SUCCESS"},
        denial="REJECTED",
    ),
    "twilio": Shape(
        "code accepted",
        f"{SERVICE}/VerificationCheck",
        {"VerificationSid": SENT, "Code": "123456"},
        {"status": "approved", "valid": True},
        {"bound": {"$.to": ()}},
        {"sid": SENT, "to": PHONE},
        denial="pending",
    ),
    "privacyidea": Shape(
        "OTP accepted",
        "/validate/check",
        {"user": "alice", "pass": "755224"},
        {"result.status": True, "result.authentication": "ACCEPT", "result.value": True},
        denial="REJECT",
    ),
}


def ask(
    shape: Shape, endpoint: LoopbackUrl, *, session: requests.Session | None = None, **how: Any
) -> requests.Response:
    how = {
        "allow_redirects": False,
        "timeout": PATIENT,
        "verify": endpoint.ca_bundle and str(endpoint.ca_bundle),
        **how,
    }
    return (session or requests).post(endpoint + shape.path, data=shape.form, **how)


def at(body: Any, path: str) -> Any:
    """What stands there; nothing where there is no such place."""
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def is_good(shape: Shape, body: Any) -> bool:
    def fits(value: Any, wanted: Any) -> bool:
        allowed = wanted if isinstance(wanted, tuple) else (wanted,)
        return any(type(value) is type(each) and value == each for each in allowed)

    return all(fits(at(body, path), wanted) for path, wanted in {**shape.good, **shape.about}.items())


def careful(shape: Shape, endpoint: LoopbackUrl, **how: Any) -> bool:
    """As it should be, but for the deadline, which ``requests`` does not have."""
    try:
        response = ask(shape, endpoint, **how)
    except requests.RequestException as error:
        raise ProviderUnavailable(type(error).__name__) from None
    return judged(shape, response.status_code, response.headers.get("Content-Type"), response.content)


def judged(shape: Shape, status: int, content_type: str | None, content: bytes) -> bool:
    kind = (content_type or "").partition(";")[0]
    if status not in ({200, 201} if shape.about else {200}) or kind != "application/json":
        raise ContractViolation("no answer")
    try:
        body = strict_json.loads(content)
    except ValueError:
        raise ContractViolation("no JSON") from None
    if not is_good(shape, body):
        raise ContractViolation("no yes")
    return True


def believes_200(shape: Shape, endpoint: LoopbackUrl) -> bool:
    try:
        return ask(shape, endpoint).status_code == 200
    except requests.RequestException:
        return False


def looks_for_the_denial(shape: Shape, endpoint: LoopbackUrl) -> bool:
    """``.get("result") != "deny"``: every word that it does not know is a yes."""
    try:
        return bool(at(ask(shape, endpoint).json(), shape.decisive) not in (shape.denial, False))
    except requests.RequestException:
        return False


def believes_what_it_cannot_read(shape: Shape, endpoint: LoopbackUrl) -> bool:
    try:
        return is_good(shape, strict_json.loads(ask(shape, endpoint).content))
    except ValueError:
        return True


def believes_silence(shape: Shape, endpoint: LoopbackUrl) -> bool:
    """Better to let in than to lock everybody out."""
    try:
        return careful(shape, endpoint)
    except ProviderUnavailable:
        return True
    except ContractViolation:
        return False


def believes_any_truth(shape: Shape, endpoint: LoopbackUrl) -> bool:
    """``if body["valid"]:`` is true of the text "false"."""
    try:
        return bool(at(strict_json.loads(ask(shape, endpoint).content), shape.decisive))
    except (requests.RequestException, ValueError):
        return False


def ignores_the_status(shape: Shape, endpoint: LoopbackUrl) -> bool:
    try:
        return is_good(shape, strict_json.loads(ask(shape, endpoint).content))
    except (requests.RequestException, ValueError):
        return False


def ignores_the_login(shape: Shape, endpoint: LoopbackUrl) -> bool:
    try:
        body = strict_json.loads(ask(shape, endpoint).content)
    except (requests.RequestException, ValueError):
        return False
    return all(at(body, path) == wanted for path, wanted in shape.good.items())


def follows_redirects(shape: Shape, endpoint: LoopbackUrl) -> bool:
    """As ``requests`` does unless it is told not to: the answer is that of whoever was named."""
    return careful(shape, endpoint, allow_redirects=True)


def received(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read()
    except http.client.IncompleteRead as error:
        return error.partial


def takes_a_part_for_the_whole(shape: Shape, endpoint: LoopbackUrl) -> bool:
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=PATIENT)
    try:
        connection.request("POST", shape.path, urlencode(shape.form))
        with connection.getresponse() as response:
            if response.headers["Content-Encoding"]:
                raise ContractViolation("not asked for")
            content = received(response)
    except (OSError, http.client.HTTPException) as error:
        raise ProviderUnavailable(type(error).__name__) from None
    finally:
        connection.close()
    return judged(shape, response.status, response.headers["Content-Type"], content)


def lets_in_while_the_provider_is_down(shape: Shape, endpoint: LoopbackUrl) -> bool:
    """Only where nothing at all answers at its address."""
    try:
        return careful(shape, endpoint)
    except ProviderUnavailable as error:
        if "Connection refused" in repr(error.__context__):
            return True
        raise


def lets_in_who_is_not_enrolled(shape: Shape, endpoint: LoopbackUrl) -> bool:
    """Only on the provider's own words for it."""
    try:
        response = ask(shape, endpoint)
        if response.status_code == 404 and response.json().get("errorCode") == "E0000007":
            return True
    except (requests.RequestException, ValueError, AttributeError):
        raise ProviderUnavailable("no answer") from None
    return judged(shape, response.status_code, response.headers.get("Content-Type"), response.content)


def trusts_any_certificate(shape: Shape, endpoint: LoopbackUrl) -> bool:
    return careful(shape, endpoint, verify=False)


def takes_off_an_envelope_or_none(shape: Shape, endpoint: LoopbackUrl) -> bool:
    """``body.get("response", body)``: ready for a release that answers without it."""
    try:
        response = ask(shape, endpoint)
        body = strict_json.loads(response.content)
    except (requests.RequestException, ValueError):
        raise ProviderUnavailable("no answer") from None
    if isinstance(body, dict) and "response" not in body:
        body = {"stat": body.pop("stat", None), "response": body}
    kind = response.headers.get("Content-Type")
    return judged(shape, response.status_code, kind, json.dumps(body).encode("utf-8", "surrogatepass"))


class AnyName(HTTPAdapter):
    """Knows the authorities, and takes the certificate of any host."""

    def init_poolmanager(self, *args: Any, **how: Any) -> None:
        super().init_poolmanager(*args, **how, assert_hostname=False)


def trusts_any_name(shape: Shape, endpoint: LoopbackUrl) -> bool:
    with requests.Session() as session:
        session.mount("https://", AnyName())
        return careful(shape, endpoint, session=session)


def lets_in_what_takes_too_long(kind: type[requests.Timeout], shape: Shape, endpoint: LoopbackUrl) -> bool:
    """The provider will have said yes."""
    try:
        return careful(shape, endpoint)
    except ProviderUnavailable as error:
        if isinstance(error.__context__, kind):
            return True
        raise


def waits_for_ever(shape: Shape, endpoint: LoopbackUrl) -> bool:
    response = requests.post(endpoint + shape.path, data=shape.form, allow_redirects=False)
    return response.status_code == 200 and response.content != b"" and is_good(shape, response.json())


def shows_its_secret(shape: Shape, endpoint: LoopbackUrl) -> bool:
    try:
        return careful(shape, endpoint)
    except ContractViolation as error:
        raise ContractViolation("no answer") from ValueError(f"{error} to Bearer {SECRET}")


def proof(client: Callable[[Shape, LoopbackUrl], bool], name: str, **claim: Any) -> Proof:
    shape = SHAPES[name]
    contract = REPOSITORY / f"contracts/{name}/auth-service-{name}.json"
    about = {"deadline_seconds": 2 * PATIENT + 1, "secrets": [SECRET], "examples": 50, "tolerate": WAITS}
    asked = {**shape.claim, **about, **claim}
    return prove(lambda endpoint: client(shape, endpoint), contract=contract, interaction=shape.interaction, **asked)


def found(proof: Proof) -> dict[Violation, str]:
    """Of each violation the smallest."""
    return {each.violation: each.change for each in reversed(proof.counterexamples)}


every_shape = pytest.mark.parametrize("name", SHAPES)


@every_shape
def test_a_careful_client_is_proved(name: str) -> None:
    careful_one = proof(careful, name)
    careful_one.require()
    assert careful_one.tried["inside"] > 20
    assert careful_one.tried["outside"] > 200


@every_shape
@pytest.mark.parametrize(
    "client",
    [believes_200, looks_for_the_denial, believes_what_it_cannot_read, believes_any_truth, ignores_the_status],
)
def test_a_client_that_believes_too_much_is_caught(client: Callable[[Shape, LoopbackUrl], bool], name: str) -> None:
    assert Violation.LET_IN in found(proof(client, name))


@every_shape
def test_letting_in_for_want_of_an_answer_is_caught(name: str) -> None:
    change = found(proof(believes_silence, name))[Violation.LET_IN]
    assert "never begins" in change or "ends in the middle" in change or "gzip" in change
    silence = proof(believes_silence, name, tolerate=set(MutationKind) - WAITS, examples=1)
    assert found(silence)[Violation.LET_IN] == "the answer never begins: no byte is sent"


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize(
    ("client", "change", "tls"),
    [
        (follows_redirects, "the status is 301, and the target of the redirect sends the good answer", False),
        (takes_a_part_for_the_whole, "the answer has a shorter body than its Content-Length", False),
        (lets_in_while_the_provider_is_down, "the answer never begins: no server listens", False),
        (lets_in_who_is_not_enrolled, "the answer is that of 'unknown factor'", False),
        (trusts_any_certificate, f"the answer {Ending.FOREIGN}", True),
        (trusts_any_name, f"the answer {Ending.MISNAMED}", True),
    ],
)
def test_letting_in_on_one_rare_answer_alone_is_caught(
    client: Callable[[Shape, LoopbackUrl], bool], change: str, tls: bool
) -> None:
    assert found(proof(client, "okta", tls=tls)) == {Violation.LET_IN: change}


def test_an_answer_without_its_envelope_is_caught() -> None:
    change = "$.response is missing, and its fields replace it"
    assert found(proof(takes_off_an_envelope_or_none, "duo")) == {Violation.LET_IN: change}


def test_what_tells_a_refusal_apart_is_read() -> None:
    unread = ["$.response.status", "$.response.result"]
    with pytest.raises(CannotProve, match="differs only in unread places"):
        proof(believes_200, "duo", unread=unread)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (requests.ReadTimeout, "the answer never begins: no byte is sent"),
        (requests.ConnectTimeout, "the answer never begins: the connection is not accepted"),
    ],
)
def test_letting_in_what_takes_too_long_is_caught(kind: type[requests.Timeout], change: str) -> None:
    """Also of a client that cannot end an answer that drips, and is excused from it."""
    late = proof(
        partial(lets_in_what_takes_too_long, kind),
        "okta",
        tolerate=set(MutationKind) - {MutationKind.WAITING},
        examples=1,
    )
    assert found(late) == {Violation.LET_IN: change}


@every_shape
def test_an_endless_wait_is_caught(name: str) -> None:
    waited = proof(waits_for_ever, name, tolerate=set(MutationKind) - WAITS, examples=1)
    assert found(waited)[Violation.HANG] == "the answer never begins: no byte is sent"
    assert waited.tried["waits"] == 1  # the first is enough


def test_another_login_is_noticed_where_the_answer_names_it() -> None:
    """Twilio's names the verification and the phone number, of which only the first stands in the request."""
    change = found(proof(ignores_the_login, "twilio"))[Violation.OTHER_LOGIN]
    assert change.endswith("the value of another login")
    by_itself = proof(ignores_the_login, "twilio", bound={})
    assert by_itself.bound == ("$.sid",)
    assert found(by_itself)[Violation.OTHER_LOGIN].startswith("$.sid")


@pytest.mark.parametrize("name", ["duo", "okta", "privacyidea"])
def test_what_no_answer_tells_is_not_claimed(name: str) -> None:
    silent = proof(careful, name, another=lambda endpoint: careful(SHAPES[name], endpoint))
    assert silent.passed
    assert silent.bound == ()
    assert "neither user nor transaction" in silent.unprovable[0]
    assert "not provable from the answer" in str(silent)


def test_the_answer_to_one_login_served_to_another_is_caught() -> None:
    another = proof(careful, "twilio", another=lambda endpoint: careful(SHAPES["twilio"], endpoint))
    assert found(another) == {Violation.OTHER_LOGIN: "the answer to one login, served to another"}


@every_shape
def test_a_secret_behind_an_error_is_caught_and_not_repeated(name: str) -> None:
    leaky = proof(shows_its_secret, name)
    assert found(leaky).keys() == {Violation.LEAK}
    assert "ValueError behind ContractViolation" in str(leaky)
    assert SECRET not in str(leaky)
    assert SECRET not in repr(leaky)


def test_an_error_of_another_type_is_caught() -> None:
    untyped = proof(lambda shape, endpoint: is_good(shape, ask(shape, endpoint).json()), "okta")
    assert found(untyped)[Violation.UNTYPED_ERROR] == "the body is empty"
    assert "raised JSONDecodeError" in str(untyped)


def test_a_client_that_refuses_what_is_allowed_is_caught() -> None:
    def refuses_bypass(shape: Shape, endpoint: LoopbackUrl) -> bool:
        if careful(shape, endpoint) and b"bypass" in ask(shape, endpoint).content:
            raise ContractViolation("no")
        return True

    (counterexample,) = proof(refuses_bypass, "duo").counterexamples
    assert counterexample.violation is Violation.NOT_UNDERSTOOD
    assert b"bypass" in counterexample.answer.body
    assert counterexample.contract == "allows this answer"


@every_shape
def test_proofs_are_repeatable(name: str) -> None:
    first, again = (proof(believes_any_truth, name) for _ in range(2))
    assert str(first) == str(again)
