"""What all parts of the API share: authentication, permissions, and access to services and entities.

Requests are checked in this order: credential, permission, path, method, parameters. Twilio does not
document that the credential comes before the path.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from mfagate.providers.twilio.settings import ACCOUNTS
from mfagate.sandbox.emulator import Emulator, IncomingRequest, Reply, RequestProblem, RequestRejected
from mfagate_sandbox.twilio.accounts import Account, ApiKey, Service
from mfagate_sandbox.twilio.answers import error, not_found, refused
from mfagate_sandbox.twilio.entities import Entity


class TwilioRoutes(Emulator):
    """The accounts, and the check of credentials."""

    hosts = ("verify.twilio.com", "api.twilio.com")

    def __init__(self) -> None:
        super().__init__()
        self.accounts: dict[str, Account] = {}

    def add_account(self, account: Account) -> Account:
        """Add an account."""
        self.accounts[account.sid] = account
        return account

    def headers(self, request: IncomingRequest) -> Mapping[str, str]:
        """Return the headers in recordings of api.twilio.com; no answers of Verify are published."""
        product = "api" if request.path.startswith(ACCOUNTS) else "verify"
        return {
            "Twilio-Request-Id": "RQ" + secrets.token_hex(16),
            "Twilio-Request-Duration": "0.010",
            "Twilio-Concurrent-Requests": "1",
            "X-Home-Region": "us1",
            "X-API-Domain": f"{product}.twilio.com",
            "X-Shenanigans": "none",
            "Strict-Transport-Security": "max-age=31536000",
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, "
            "If-None-Match, If-Unmodified-Since, Idempotency-Key",
            "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
            "Access-Control-Expose-Headers": "ETag",
            "Access-Control-Allow-Credentials": "true",
        }

    def problem(self, problem: RequestProblem, request: IncomingRequest) -> Reply:
        """Answer in Twilio's envelope; without a valid credential, every error is 401."""
        if problem in (RequestProblem.UNKNOWN_ROUTE, RequestProblem.WRONG_METHOD):
            try:
                self.account(request)
            except RequestRejected as unknown:
                return unknown.answer
        match problem:
            case RequestProblem.UNKNOWN_ROUTE:
                return not_found(request).answer
            case RequestProblem.WRONG_METHOD:
                allowed = {"Allow": ", ".join(sorted(request.allowed))}
                return error(20004, "Method not allowed", allowed)
            case RequestProblem.DEFECT:
                return error(20500, "Internal server error")
        return error(20001, "The post body cannot be read")

    def before(self, request: IncomingRequest) -> Reply | None:
        """Require a credential."""
        self.account(request)
        return None

    def account(self, request: IncomingRequest) -> Account:
        """Return the account of the credential.

        Raises:
            RequestRejected: The credential is missing, unknown, or lacks the permission.
        """
        if "authorization" not in request.headers:
            raise _denied("Authentication Error - No credentials provided")
        user, password = request.basic() or ("", "")
        if not re.fullmatch("(AC|SK)[0-9a-fA-F]{32}", user):
            raise _denied("Authentication Error - invalid username")
        about_accounts = request.path.startswith(ACCOUNTS)
        account, key = self._holder(user, password)
        if account is None or (about_accounts and key is not None and not key.is_main):
            raise _denied("Authenticate")
        if account.is_test:
            raise refused(20008, "Resource not accessible with Test Account Credentials")
        if account.status != "active":
            raise refused(20403, "Forbidden")
        if key is not None and key.rights is not None and _right(request) not in key.rights:
            raise refused(70051, "Authorization Error: actor doesn't have any assertions")
        return account

    def _holder(self, user: str, password: str) -> tuple[Account | None, ApiKey | None]:
        """Return account and key of a user name and password; a key of another region is unknown here."""
        if user in self.accounts:
            account = self.accounts[user]
            return (account if account.auth_token == password else None), None
        for account in self.accounts.values():
            key = account.keys.get(user)
            if key is not None and key.secret == password and key.region == "us1":
                return account, key
        return None, None

    def service(self, request: IncomingRequest) -> Service:
        """Return the service in the path."""
        service = self.account(request).services.get(request.variables["service"])
        if service is None:
            raise not_found(request)
        return service

    def entity(self, request: IncomingRequest) -> Entity:
        """Return the entity in the path."""
        entity = self.service(request).entities.get(request.variables["identity"].lower())
        if entity is None:
            raise not_found(request)
        return entity


def _denied(message: str) -> RequestRejected:
    return RequestRejected(error(20003, message, {"WWW-Authenticate": 'Basic realm="Twilio API"'}))


def _right(request: IncomingRequest) -> str:
    """Return the permission that a request needs: the method and the last collection in the path."""
    kinds = request.path.split("/")[2::2] or [""]
    return f"{request.method} {kinds[-1]}"
