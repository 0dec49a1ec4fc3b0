"""An emulator of Duo: the Auth API v2, and the part of the Admin API v1 that creates test users.

Requests are checked in this order, which Duo does not document: credentials present, integration
key known, time within the window, signature correct, type of application, parameters. Answers
follow https://duo.com/docs/authapi, https://duo.com/docs/adminapi and the examples in
https://github.com/duosecurity/duo_postman_collection. Duo does not publish its answers to unknown
paths, wrong methods and damaged bodies; the codes here follow its numbering.
"""

from __future__ import annotations

import secrets
import string
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from itertools import product
from typing import Any, Literal

from mfagate.providers.duo.signature import Version, canonical, sign
from mfagate.sandbox.emulator import (
    Emulator,
    IncomingRequest,
    Reply,
    RequestProblem,
    RequestRejected,
    changed,
    characters,
    injects,
    route,
    together,
    without,
)
from mfagate_sandbox.duo import fault_kinds

_WINDOW_SECONDS = 300
_PUSH_SECONDS = 60.0
_LONG_POLL_SECONDS = 2.0
_MOST_FAILURES = 10
_MOST_LISTED = 300

_STATUSES = ("active", "bypass", "disabled", "locked out")
_SUCCESS = ("allow", "allow", "Success. Logging you in...")
_FACTORS = ("auto", "push", "passcode", "sms", "phone")

Owner = Literal["accepts", "declines", "ignores", "is away"]
"""What the owner of a phone does with a push; an ignored push times out immediately."""


def _fail(code: int, message: str, detail: str | None = None) -> Reply:
    body = {"code": code, "message": message, "message_detail": detail, "stat": "FAIL"}
    return Reply(code // 100, {name: value for name, value in body.items() if value is not None})


def _missing(name: str) -> RequestRejected:
    return RequestRejected(_fail(40001, "Missing required request parameters", name))


def _invalid(name: str) -> RequestRejected:
    return RequestRejected(_fail(40002, "Invalid request parameters", name))


def _seconds(date: str) -> float:
    """Return the Unix time of a Date header; the zone ``-0000`` means UTC, and a datetime without zone would be local.

    Source: RFC 5322, section 3.3.
    """
    moment = parsedate_to_datetime(date)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _ok(response: Any) -> Reply:
    return Reply(200, {"response": response, "stat": "OK"})


def _id(prefix: str) -> str:
    return prefix + characters(18, string.ascii_uppercase + string.digits)


@dataclass(slots=True)
class KeyPair:
    """The secret key of an application; ``kind`` is the API that accepts it."""

    kind: Literal["authapi", "adminapi"]
    secret_key: str = field(default_factory=lambda: characters(40))


@dataclass(slots=True)
class DuoUser:
    """A user of the account, who has a phone if ``owner`` is set."""

    username: str
    status: str = "active"
    owner: Owner | None = None
    user_id: str = field(default_factory=lambda: _id("DU"))
    device: str = field(default_factory=lambda: _id("DP"))
    bypass_codes: list[str] = field(default_factory=list)
    notes: str = ""
    failures: int = 0
    created: int = field(default_factory=lambda: int(time.time()))

    def as_json(self) -> dict[str, Any]:
        """Return the user in the format of the Admin API."""
        phones = [{"phone_id": self.device, "number": "+15555550100", "type": "Mobile", "platform": "Generic"}]
        return {
            "user_id": self.user_id,
            "username": self.username,
            "status": self.status,
            "realname": "",
            "email": "",
            "created": self.created,
            "last_login": None,
            "is_enrolled": self.owner is not None,
            "phones": phones if self.owner else [],
            "tokens": [],
            "groups": [],
            "notes": self.notes,
        }


Outcome = tuple[str, str, str]
"""Result, status and message of a login."""


@dataclass(slots=True)
class LoginTransaction:
    """A login in progress; ``reported`` is the outcome in the answer to the last poll."""

    outcome: Callable[[], Outcome]
    reported: Outcome | None = None


def _pushed(user: DuoUser) -> Callable[[], Outcome]:
    """Send a push now, and return a function that reports its outcome."""
    sent = time.monotonic()

    def outcome() -> Outcome:
        match user.owner:
            case "accepts":
                return _SUCCESS
            case "declines":
                return "deny", "deny", "Login request denied."
            case "is away" if time.monotonic() - sent < _PUSH_SECONDS:
                return "waiting", "pushed", "Pushed a login request to your device..."
        return "deny", "timeout", "Login timed out."

    return outcome


class DuoEmulator(Emulator):
    """One account with an Auth API and an Admin API application, and a few users."""

    secrets = frozenset({"secret_key", "admin_secret_key", "control_secret_key"})
    window_seconds: float = _WINDOW_SECONDS
    runs_one_at_a_time = False

    def __init__(self) -> None:
        super().__init__()
        self.host = f"api-{secrets.token_hex(4)}.duosecurity.com"
        self.hosts = (self.host,)
        self._hands_out_tokens = False
        auth, admin, control = (_id("DI") for _ in range(3))
        self.applications = {
            auth: KeyPair("authapi"),
            admin: KeyPair("adminapi"),
            control: KeyPair("authapi"),
        }
        users = [
            DuoUser("mfagate-user", owner="is away"),
            DuoUser("mfagate-accepts", owner="accepts"),
            DuoUser("mfagate-declines", owner="declines"),
            DuoUser("mfagate-ignores", owner="ignores"),
            DuoUser("mfagate-locked", status="locked out", owner="is away"),
        ]
        self.users = {user.username: user for user in users}
        self.logins: dict[str, LoginTransaction] = {}
        self.values = {
            "host": self.host,
            "integration_key": auth,
            "secret_key": self.applications[auth].secret_key,
            "admin_integration_key": admin,
            "admin_secret_key": self.applications[admin].secret_key,
            "control_integration_key": control,
            "control_secret_key": self.applications[control].secret_key,
            "user": "mfagate-user",
            "accepting_user": "mfagate-accepts",
            "declining_user": "mfagate-declines",
            "ignoring_user": "mfagate-ignores",
            "locked_user": "mfagate-locked",
        }

    def problem(self, problem: RequestProblem, request: IncomingRequest) -> Reply:
        """Answer in Duo's envelope; the codes are not published."""
        match problem:
            case RequestProblem.UNKNOWN_ROUTE:
                return _fail(40401, "Resource not found")
            case RequestProblem.WRONG_METHOD:
                return _fail(40501, "Method not allowed")
            case RequestProblem.DEFECT:
                return _fail(50001, "Unknown internal server error")
        return _fail(40002, "Invalid request parameters")

    @injects(fault_kinds.REVOKED)
    def delete_the_application(self) -> AbstractContextManager[None]:
        """Delete the application, and its integration key with it."""
        return without(self.applications, self.values["integration_key"])

    @injects(fault_kinds.ROTATED)
    def reset_the_secret_key(self) -> AbstractContextManager[None]:
        """Give the application another secret key."""
        application = self.applications[self.values["integration_key"]]
        return changed(application, secret_key=KeyPair("authapi").secret_key)

    @injects(fault_kinds.AUTH_DOWN)
    def forget_the_secret_keys(self) -> AbstractContextManager[None]:
        """Refuse every signature."""
        applications = self.applications.values()
        return together([changed(keys, secret_key=KeyPair(keys.kind).secret_key) for keys in applications])

    @injects(fault_kinds.CLOCK)
    def refuse_every_time(self) -> AbstractContextManager[None]:
        """Refuse the time of every request; the ping still returns the correct time."""
        return changed(self, window_seconds=-1.0)

    @injects(fault_kinds.HARDWARE_TOKENS)
    def hand_out_hardware_tokens(self) -> AbstractContextManager[None]:
        """List a token first, as in the examples of https://duo.com/docs/authapi#/preauth."""
        return changed(self, _hands_out_tokens=True)

    @injects(fault_kinds.LIMITED)
    def slow_down(self, request: IncomingRequest, argument: str) -> Reply | None:
        """Refuse requests with a credential; Duo documents no header with the waiting time."""
        return None if request.path == "/auth/v2/ping" else _fail(42901, "Too many requests")

    def before(self, request: IncomingRequest) -> Reply | None:
        """Check the credentials of all requests except the ping."""
        if request.path == "/auth/v2/ping":
            return None
        kind = self._authenticated(request).kind
        if not request.path.startswith("/auth/" if kind == "authapi" else "/admin/"):
            return _fail(40301, "Access forbidden", "Wrong integration type for this API.")
        return None

    def _authenticated(self, request: IncomingRequest) -> KeyPair:
        basic = request.basic()
        if basic is None:
            raise RequestRejected(_fail(40101, "Missing request credentials"))
        integration_key, signature = basic
        application = self.applications.get(integration_key)
        if application is None:
            raise RequestRejected(_fail(40102, "Invalid integration key in request credentials"))
        date = request.headers.get("date")
        if not date:
            raise RequestRejected(_fail(40104, "Missing request timestamp"))
        try:
            age = time.time() - _seconds(date)
        except ValueError:
            age = float("inf")
        if abs(age) > self.window_seconds:
            raise RequestRejected(_fail(40105, "Bad request timestamp"))
        if signature.lower() not in self._signatures(request, application.secret_key, date):
            raise RequestRejected(_fail(40103, "Invalid signature in request credentials"))
        return application

    def _signatures(self, request: IncomingRequest, secret_key: str, date: str) -> set[str]:
        """Return every signature that Duo would accept for the request."""
        is_form = request.method in ("POST", "PUT") and request.content_type != "application/json"
        query = [(name, value) for name, values in request.query.items() for value in values]
        parameters = list(request.form().items()) if is_form else query
        versions: tuple[Version, ...] = (2,) if is_form else (4, 5) if request.body else (2, 4, 5)
        signed = set()
        for version, host in product(versions, self._names(request)):
            text = canonical(
                version,
                date=date,
                method=request.method,
                host=host,
                path=request.path,
                parameters=parameters,
                body=request.body,
                headers=request.headers,
            )
            signed.add(sign(secret_key, text))
            if version == 2:
                signed.add(sign(secret_key, text, "sha1"))
        return signed

    def _names(self, request: IncomingRequest) -> set[str]:
        """Return the account's host, and the local address for clients that sign the address that they use."""
        local = request.local_host
        return {self.host} | ({local, local.rpartition(":")[0] or local} if local else set())

    @route("GET", "/auth/v2/ping")
    @route("GET", "/auth/v2/check")
    def tell_the_time(self, request: IncomingRequest) -> Reply:
        """Return the time; only ``check`` requires credentials."""
        return _ok({"time": int(time.time())})

    @route("POST", "/auth/v2/preauth")
    def preauth(self, request: IncomingRequest) -> Reply:
        """Return what a user may do."""
        with self.lock:
            user = self._user(_parameters(request))
            if user is None or (user.status == "active" and user.owner is None):
                return _ok(
                    {
                        "result": "enroll",
                        "status_msg": "Enroll an authentication device to proceed",
                        "enroll_portal_url": f"https://{self.host}/portal?code={secrets.token_hex(16)}",
                    }
                )
            if user.status == "bypass":
                return _ok({"result": "allow", "status_msg": "Valid passcode"})
            if user.status != "active":
                return _ok({"result": "deny", "status_msg": _denial(user)})
            device = {
                "device": user.device,
                "type": "phone",
                "number": "XXX-XXX-0100",
                "name": "",
                "display_name": "Android (XXX-XXX-0100)",
                "capabilities": ["auto", "push", "sms", "phone", "mobile_otp"],
            }
            devices = [{"device": _id("DH"), "type": "token", "name": "0"}] if self._hands_out_tokens else []
            return _ok({"result": "auth", "status_msg": "Account is active", "devices": [*devices, device]})

    @route("POST", "/auth/v2/auth")
    def auth(self, request: IncomingRequest) -> Reply:
        """Check a passcode, or send a push."""
        asked = _parameters(request)
        factor = asked.get("factor") or ""
        if not factor:
            raise _missing("factor")
        if factor not in _FACTORS:
            raise _invalid("factor")
        with self.lock:
            user = self._user(asked)
            if user is None:
                raise _invalid("username")
            outcome = self._outcome(user, factor, asked)
        if _is_true(asked.get("async")):
            txid = str(uuid.uuid4())
            self.logins[txid] = LoginTransaction(outcome)
            return _ok({"txid": txid})
        while (now := outcome())[0] == "waiting":
            time.sleep(0.02)
        return _reply(now)

    def _outcome(self, user: DuoUser, factor: str, asked: dict[str, str]) -> Callable[[], Outcome]:
        if factor == "passcode" and not asked.get("passcode"):
            raise _missing("passcode")
        if factor != "passcode" and not asked.get("device"):
            raise _missing("device")
        if factor != "passcode" and (user.owner is None or asked["device"] not in ("auto", user.device)):
            raise _invalid("no capable device")
        if user.status != "active":
            return lambda: _verdict(user)
        if factor == "passcode":
            checked = self._checked(user, asked["passcode"])
            return lambda: checked
        if factor == "sms":
            return lambda: ("deny", "sent", "New SMS passcodes sent.")
        return _pushed(user)

    def _checked(self, user: DuoUser, passcode: str) -> Outcome:
        if passcode in user.bypass_codes:
            user.bypass_codes.remove(passcode)
            user.failures = 0
            return _SUCCESS
        user.failures += 1
        if user.failures >= _MOST_FAILURES:
            user.status = "locked out"
        return "deny", "deny", "Incorrect passcode. Please try again."

    @route("GET", "/auth/v2/auth_status")
    def auth_status(self, request: IncomingRequest) -> Reply:
        """Return the outcome of a push: immediately to the first poll, to later polls when it changes."""
        txid = request.parameter("txid")
        if not txid:
            raise _missing("txid")
        login = self.logins.get(txid)
        if login is None:
            raise _invalid("txid")
        until = time.monotonic() + _LONG_POLL_SECONDS
        while (now := login.outcome()) == login.reported and now[0] == "waiting" and time.monotonic() < until:
            time.sleep(0.02)
        login.reported = now
        return _reply(now)

    def _user(self, asked: dict[str, str]) -> DuoUser | None:
        """Return the user named by either ``username`` or ``user_id``."""
        if bool(asked.get("username")) == bool(asked.get("user_id")):
            raise _missing("username") if not asked.get("username") else _invalid("user_id")
        if username := asked.get("username"):
            return self.users.get(username.strip().lower())
        return next((user for user in self.users.values() if user.user_id == asked["user_id"]), None)

    @route("GET", "/admin/v1/info/summary")
    def summary(self, request: IncomingRequest) -> Reply:
        """Return the counts of the account."""
        counts = {"admin_count": 1, "integration_count": len(self.applications), "telephony_credits_remaining": 100}
        return _ok({**counts, "user_count": len(self.users), "edition": "ENTERPRISE"})

    @route("GET", "/admin/v1/users")
    def list_users(self, request: IncomingRequest) -> Reply:
        """Return all users, or the user with a name."""
        with self.lock:
            wanted = request.parameter("username").lower()
            limit, offset = (_number(request, name, default) for name, default in (("limit", 100), ("offset", 0)))
            found = [user.as_json() for user in self.users.values() if wanted in ("", user.username)]
            return _ok(found[offset : offset + min(limit, _MOST_LISTED)])

    @route("POST", "/admin/v1/users")
    def create_user(self, request: IncomingRequest) -> Reply:
        """Create a user without a phone."""
        asked = _parameters(request)
        username = asked.get("username", "").strip().lower()
        if not username:
            raise _missing("username")
        with self.lock:
            if username in self.users:
                raise _invalid("username")
            self.users[username] = DuoUser(username, status=_status(asked), notes=asked.get("notes", ""))
            return _ok(self.users[username].as_json())

    @route("POST", "/admin/v1/users/<user_id>")
    def modify_user(self, request: IncomingRequest) -> Reply:
        """Change a user's status."""
        with self.lock:
            user = self._known(request)
            asked = _parameters(request)
            user.status = _status(asked, user.status)
            return _ok(user.as_json())

    @route("DELETE", "/admin/v1/users/<user_id>")
    def delete_user(self, request: IncomingRequest) -> Reply:
        """Remove a user."""
        with self.lock:
            del self.users[self._known(request).username]
            return _ok("")

    @route("POST", "/admin/v1/users/<user_id>/bypass_codes")
    def create_bypass_codes(self, request: IncomingRequest) -> Reply:
        """Replace a user's bypass codes, or add some."""
        asked = _parameters(request)
        count = asked.get("count") or "10"
        if not count.isdecimal() or not 1 <= int(count) <= 10:
            raise _invalid("count")
        with self.lock:
            user = self._known(request)
            kept = user.bypass_codes if _is_true(asked.get("preserve_existing")) else []
            new = [characters(9, string.digits) for _ in range(int(count))]
            user.bypass_codes = [*kept, *new]
            return _ok(new)

    def _known(self, request: IncomingRequest) -> DuoUser:
        user_id = request.variables["user_id"]
        found = next((user for user in self.users.values() if user.user_id == user_id), None)
        if found is None:
            raise RequestRejected(_fail(40401, "Resource not found"))
        return found


def _parameters(request: IncomingRequest) -> dict[str, str]:
    """Return the parameters of a form, or of a JSON object with scalar values."""
    if request.content_type != "application/json":
        return request.form()
    parameters = {}
    for name, value in request.json().items():
        if isinstance(value, bool):
            value = str(value).lower()
        if not isinstance(value, str | int):
            raise _invalid(name)
        parameters[name] = str(value)
    return parameters


def _number(request: IncomingRequest, name: str, default: int) -> int:
    text = request.parameter(name, str(default))
    if not text.isdecimal():
        raise _invalid(name)
    return int(text)


def _status(asked: dict[str, str], default: str = "active") -> str:
    status = asked.get("status", default)
    if status not in _STATUSES:
        raise _invalid("status")
    return status


def _is_true(value: str | None) -> bool:
    return value in ("1", "true")


def _denial(user: DuoUser) -> str:
    if user.status == "disabled":
        return "Your account is disabled and cannot access this application. Please contact your administrator."
    return "Your account has been locked out due to excessive authentication failures."


def _verdict(user: DuoUser) -> Outcome:
    if user.status == "bypass":
        return "allow", "bypass", "Success. Logging you in..."
    return "deny", "locked_out" if user.status == "locked out" else "deny", _denial(user)


def _reply(outcome: Outcome) -> Reply:
    return _ok(dict(zip(("result", "status", "status_msg"), outcome, strict=True)))
