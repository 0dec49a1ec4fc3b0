"""An emulator of Vonage: Verify v2, and the list of an account's secrets.

The answers follow https://developer.vonage.com/en/api/verify.v2 and the fixtures of
https://github.com/Vonage/vonage-python-sdk, whose client is the referee. Every SMS of one run contains the same
code, because there is no phone.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mfagate.sandbox.emulator import (
    Emulator,
    IncomingRequest,
    Reply,
    RequestProblem,
    RequestRejected,
    changed,
    injects,
    replaced,
    route,
)
from mfagate.sandbox.emulator.program import run
from mfagate_vonage import faults

_MOST_CHECKS = 3
_SECONDS = 180.0
_CHANNELS = ("sms", "whatsapp", "whatsapp_interactive", "voice", "email", "silent_auth")
_TYPES = "https://developer.nexmo.com/api-errors"


def _problem(status: int, title: str, detail: str, kind: str = "", **more: Any) -> Reply:
    body = {"type": f"{_TYPES}{kind}", "title": title, "detail": detail, "instance": secrets.token_hex(16), **more}
    return Reply(status, body)


def _unauthorized() -> RequestRejected:
    return RequestRejected(_problem(401, "Unauthorized", "You did not provide correct credentials.", "#unauthorized"))


def _not_found(request_id: str) -> Reply:
    detail = f"IncomingRequest '{request_id}' was not found or it has been verified already."
    return _problem(404, "Not Found", detail, "#not-found")


@dataclass(slots=True)
class Verification:
    """A verification in progress."""

    number: str
    checks: int = 0
    is_answered: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def done(self) -> bool:
        """Whether it has ended: answered, cancelled, or too old."""
        return self.is_answered or time.monotonic() - self.began > _SECONDS


class VonageEmulator(Emulator):
    """An account with an application, and an account that may not use Verify."""

    hosts = ("api.nexmo.com", "rest.nexmo.com")
    allowed = True
    secrets = frozenset({"api_secret", "private_key", "forbidden_api_secret", "code"})

    def __init__(self) -> None:
        super().__init__()
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._public_key = key.public_key()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.values = {
            "api_key": secrets.token_hex(4),
            "api_secret": f"Aa0{secrets.token_hex(6)}",
            "application_id": str(uuid.uuid4()),
            "private_key": pem.decode(),
            "forbidden_api_key": secrets.token_hex(4),
            "forbidden_api_secret": f"Aa0{secrets.token_hex(6)}",
            "number": "447700900000",
            "code": f"{secrets.randbelow(10**6):06}",
        }
        self._created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._state = threading.Lock()
        self._verifications: dict[str, Verification] = {}

    def problem(self, problem: RequestProblem, request: IncomingRequest) -> Reply:
        """Answer in the format of RFC 7807; Vonage does not publish its answer to an unknown path."""
        match problem:
            case RequestProblem.UNKNOWN_ROUTE:
                return _problem(404, "Not Found", "The requested resource was not found.", "#not-found")
            case RequestProblem.WRONG_METHOD:
                return _problem(405, "Method Not Allowed", "The method is not allowed here.")
            case RequestProblem.WRONG_CONTENT_TYPE:
                return _problem(415, "Unsupported Media Type", "The body has to be application/json.")
            case RequestProblem.DEFECT:
                return _problem(500, "Internal Error", "There was an error processing your request.")
        return _invalid("body")

    @injects(faults.REVOKED)
    def revoke(self) -> AbstractContextManager[None]:
        """Make another secret the valid one."""
        return replaced(self.values, "api_secret", f"Aa0{secrets.token_hex(6)}")

    @injects(faults.DEMOTED)
    def forbid(self) -> AbstractContextManager[None]:
        """Treat the account's own credentials like those of an account that may not use Verify."""
        return changed(self, allowed=False)

    @injects(faults.LIMITED)
    def slow_down(self, request: IncomingRequest, argument: str) -> Reply | None:
        """Answer as in the fixtures of the SDK, without a header that says how long to wait."""
        return _problem(429, "Rate Limit Hit", "Please wait, then retry your request", "#throttled")

    def before(self, request: IncomingRequest) -> Reply | None:
        """Check the credential."""
        if not (self._may_use(request) and self.allowed):
            detail = "Your account does not have permission to perform this action."
            return _problem(403, "Forbidden", detail, "#forbidden")
        return None

    def _may_use(self, request: IncomingRequest) -> bool:
        token = request.bearer()
        if token is not None and request.path.startswith("/v2/verify"):
            try:
                claims = jwt.decode(token, self._public_key, algorithms=["RS256"], options={"require": ["exp", "iat"]})
            except jwt.InvalidTokenError:
                raise _unauthorized() from None
            if claims.get("application_id") != self.values["application_id"]:
                raise _unauthorized()
            return True
        basic, values = request.basic(), self.values
        if basic == (values["api_key"], values["api_secret"]):
            return True
        if basic != (values["forbidden_api_key"], values["forbidden_api_secret"]):
            raise _unauthorized()
        return False

    @route("GET", "/accounts/<api_key>/secrets")
    def list_secrets(self, request: IncomingRequest) -> Reply:
        """List the account's secrets, without their values."""
        api_key = request.variables["api_key"]
        if api_key != self.values["api_key"]:
            raise _unauthorized()
        href = f"/accounts/{api_key}/secrets"
        one = {"id": str(uuid.UUID(int=1)), "created_at": self._created, "_links": {"self": {"href": f"{href}/1"}}}
        return Reply(200, {"_links": {"self": {"href": href}}, "_embedded": {"secrets": [one]}})

    @route("POST", "/v2/verify")
    def start(self, request: IncomingRequest) -> Reply:
        """Send a code."""
        asked = request.json()
        brand, workflow = asked.get("brand"), asked.get("workflow")
        if not isinstance(brand, str) or not 1 <= len(brand) <= 16:
            return _invalid("brand")
        if not isinstance(workflow, list) or not workflow or not all(map(_is_channel, workflow)):
            return _invalid("workflow")
        number = workflow[0]["to"]
        with self._state:
            for request_id, running in self._verifications.items():
                if running.number == number and not running.done:
                    detail = "Concurrent verifications to the same number are not allowed."
                    return _problem(409, "Conflict", detail, "#conflict", request_id=request_id)
            request_id = str(uuid.uuid4())
            self._verifications[request_id] = Verification(number)
        return Reply(202, {"request_id": request_id})

    @route("POST", "/v2/verify/<request_id>")
    def check(self, request: IncomingRequest) -> Reply:
        """Check a code."""
        code = request.json().get("code")
        if not isinstance(code, str) or not re.fullmatch(r"[0-9A-Za-z]{4,10}", code):
            return _invalid("code")
        with self._state:
            running = self._running(request)
            if code == self.values["code"]:
                running.is_answered = True
                return Reply(200, {"request_id": request.variables["request_id"], "status": "completed"})
            running.checks += 1
            running.is_answered = running.checks >= _MOST_CHECKS
            if running.done:
                detail = "An incorrect code has been provided too many times. Workflow terminated."
                return _problem(410, "Invalid Code", detail, "#gone")
        return _problem(400, "Invalid Code", "The code you provided does not match the expected value.", "#bad-request")

    @route("DELETE", "/v2/verify/<request_id>")
    def cancel(self, request: IncomingRequest) -> Reply:
        """Give it up."""
        with self._state:
            self._running(request).is_answered = True
        return Reply(204)

    def _running(self, request: IncomingRequest) -> Verification:
        running = self._verifications.get(request.variables["request_id"])
        if running is None or running.done:
            raise RequestRejected(_not_found(request.variables["request_id"]))
        return running


def _is_channel(step: Any) -> bool:
    if not isinstance(step, dict) or step.get("channel") not in _CHANNELS or not isinstance(step.get("to"), str):
        return False
    return bool(step["channel"] == "email" or re.fullmatch(r"[1-9][0-9]{6,14}", step["to"]))


def _invalid(name: str) -> Reply:
    parameters = [{"name": name, "reason": f"{name} is invalid"}]
    detail = f"The value of one or more parameters is invalid: {name}"
    return _problem(422, "Invalid params", detail, "#invalid-params", invalid_parameters=parameters)


if __name__ == "__main__":
    run(VonageEmulator)
