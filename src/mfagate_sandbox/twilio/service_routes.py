"""https://www.twilio.com/docs/verify/api/service, and what a credential may read about its account."""

from __future__ import annotations

import time

from mfagate.providers.twilio.settings import ACCOUNTS
from mfagate.sandbox.emulator import IncomingRequest, Reply, route
from mfagate_sandbox.twilio.accounts import FLAGS, Account, Service
from mfagate_sandbox.twilio.answers import not_found, page
from mfagate_sandbox.twilio.api import TwilioRoutes
from mfagate_sandbox.twilio.form import Form

_INVALID = 60200

# At most four digits, according to the documentation of Twilio's own client.
_NAME = "(?=[^0-9]*([0-9][^0-9]*){0,4}$)[A-Za-z0-9 _-]{1,30}"


class ServiceRoutes(TwilioRoutes):
    """Services, accounts and keys."""

    @route("GET", "/v2/Services")
    def list_services(self, request: IncomingRequest) -> Reply:
        """List the services of an account."""
        services = [service.as_json() for service in self.account(request).services.values()]
        return page(request, "services", services, _INVALID)

    @route("POST", "/v2/Services")
    def create_service(self, request: IncomingRequest) -> Reply:
        """Create a service."""
        account, form = self.account(request), Form(request, _INVALID)
        form.required("FriendlyName")
        service = Service(account.sid, "")
        _change(service, form)
        return Reply(201, account.add_service(service).as_json())

    @route("GET", "/v2/Services/<service>")
    def fetch_service(self, request: IncomingRequest) -> Reply:
        """Return a service."""
        return Reply(200, self.service(request).as_json())

    @route("POST", "/v2/Services/<service>")
    def update_service(self, request: IncomingRequest) -> Reply:
        """Change a service."""
        service = self.service(request)
        _change(service, Form(request, _INVALID))
        return Reply(200, service.as_json())

    @route("DELETE", "/v2/Services/<service>")
    def delete_service(self, request: IncomingRequest) -> Reply:
        """Delete a service."""
        del self.account(request).services[self.service(request).sid]
        return Reply(204)

    @route("GET", f"{ACCOUNTS}<account>.json")
    def fetch_account(self, request: IncomingRequest) -> Reply:
        """Return the account."""
        return Reply(200, self._itself(request).as_json())

    @route("GET", f"{ACCOUNTS}<account>/Keys/<key>.json")
    def fetch_key(self, request: IncomingRequest) -> Reply:
        """Return an API key of the account."""
        key = self._itself(request).keys.get(request.variables["key"])
        if key is None:
            raise not_found(request)
        return Reply(200, key.as_json())

    def _itself(self, request: IncomingRequest) -> Account:
        account = self.account(request)
        if account.sid != request.variables["account"]:
            raise not_found(request)
        return account


def _change(service: Service, form: Form) -> None:
    """Change a service, or nothing if a parameter is invalid."""
    name = form.text("FriendlyName", _NAME) or service.friendly_name
    code_length = form.whole("CodeLength", 4, 10, service.code_length)
    flags = {flag: form.flag(flag, service.is_on(flag)) for flag in FLAGS}
    totp = {
        "issuer": form.text("Totp.Issuer") or service.totp.get("issuer", name),
        "time_step": form.whole("Totp.TimeStep", 20, 60, service.totp.get("time_step", 30)),
        "code_length": form.whole("Totp.CodeLength", 3, 8, service.totp.get("code_length", 6)),
        "skew": form.whole("Totp.Skew", 0, 2, service.totp.get("skew", 1)),
    }
    service.friendly_name, service.code_length, service.flags, service.totp = name, code_length, flags, totp
    service.updated = time.time()
