"""https://www.twilio.com/docs/verify/api/verification and …/verification-check."""

from __future__ import annotations

import secrets
import time

from mfagate.sandbox.emulator import IncomingRequest, Reply, route
from mfagate_sandbox.twilio.accounts import Service
from mfagate_sandbox.twilio.answers import invalid, not_found, refused
from mfagate_sandbox.twilio.api import TwilioRoutes
from mfagate_sandbox.twilio.form import Form
from mfagate_sandbox.twilio.verifications import MOST_CHECKS, MOST_SENDS, Verification

_INVALID = 60200

_PHONE = r"\+[1-9][0-9]{1,14}"
_MAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_CODE = "[0-9A-Za-z]{4,10}"

_FORMATS = {
    "Locale": r"[A-Za-z]{2,3}(-[A-Za-z]{2,4})?",
    "SendDigits": r"[0-9wW#*]{1,32}",
    "TemplateSid": "HJ[0-9a-fA-F]{32}",
    "RiskCheck": "enable|disable",
    "EnableSnaClientToken": "(?i)true|false",
}
"""Parameters that are validated and have no effect here."""

_LONGEST_DOCUMENT = 4096


class VerificationRoutes(TwilioRoutes):
    """Start, read, change and check verifications."""

    @route("POST", "/v2/Services/<service>/Verifications")
    def start(self, request: IncomingRequest) -> Reply:
        """Send a code; while a verification of the same address is pending, send its code again."""
        service, form = self.service(request), Form(request, _INVALID)
        form.required("To")
        channel = form.required("Channel", "sms|call|email|whatsapp|sna|rcs|auto")
        to = form.required("To", _MAIL if channel == "email" else _PHONE)
        code = _custom_code(service, form)
        _validate(form)
        _require_channel(channel)
        verification = _current(service, to)
        if verification is None:
            verification = Verification(
                service.account_sid,
                service.url,
                service.sid,
                to,
                channel,
                code or f"{secrets.randbelow(10**service.code_length):0{service.code_length}}",
                form.text("Amount"),
                form.text("Payee"),
                service.is_on("LookupEnabled"),
            )
            service.verifications[verification.sid] = verification
        elif verification.status == "max_attempts_reached":
            # According to the page of 60202, this verification must expire first.
            raise refused(60202, "Max check attempts reached")
        elif len(verification.sends) >= MOST_SENDS:
            raise refused(60203, "Max send attempts reached")
        verification.send("sms" if channel == "auto" else channel)
        return Reply(201, verification.as_json())

    @route("GET", "/v2/Services/<service>/Verifications/<verification>")
    def fetch(self, request: IncomingRequest) -> Reply:
        """Return a verification; approved and expired ones are not found."""
        return Reply(200, self._known(request).as_json())

    @route("POST", "/v2/Services/<service>/Verifications/<verification>")
    def update(self, request: IncomingRequest) -> Reply:
        """Approve or cancel a verification, as clients do that check codes themselves."""
        verification, form = self._known(request), Form(request, _INVALID)
        status = form.required("Status", "approved|canceled")
        if verification.is_current:
            verification.status, verification.updated = status, time.time()
        return Reply(200, verification.as_json())

    @route("POST", "/v2/Services/<service>/VerificationCheck")
    def check(self, request: IncomingRequest) -> Reply:
        """Check a code; the status is 200 for a wrong code, too.

        A number without a verification is not found; one live test got 60200 instead.
        """
        service, form = self.service(request), Form(request, _INVALID)
        sid = form.text("VerificationSid", "VE[0-9a-fA-F]{32}")
        to = form.text("To", f"{_PHONE}|{_MAIL}")
        if sid is None and to is None:
            raise refused(60221, "No target verification specified")
        code = form.required("Code", _CODE)
        verification = service.verifications.get(sid) if sid else _current(service, to or "")
        if verification is None or not verification.is_current:
            raise not_found(request)
        if verification.checks >= MOST_CHECKS:
            raise refused(60202, "Max check attempts reached")
        verification.check(code)
        is_right = verification.status == "approved"
        return Reply(200, verification.checked_json("approved" if is_right else "pending"))

    def _known(self, request: IncomingRequest) -> Verification:
        """Find a verification by SID or phone number."""
        service, name = self.service(request), request.variables["verification"]
        verification = service.verifications.get(name) or _current(service, name)
        if verification is None or verification.now() in ("approved", "expired"):
            raise not_found(request)
        return verification


def _current(service: Service, to: str) -> Verification | None:
    return next((one for one in service.verifications.values() if one.to == to and one.is_current), None)


def _custom_code(service: Service, form: Form) -> str | None:
    """Return the client's own code, if the service has the feature."""
    needs = {"CustomCode": "CustomCodeEnabled", "Amount": "Psd2Enabled", "Payee": "Psd2Enabled"}
    lacking = [name for name, flag in needs.items() if form.text(name) is not None and not service.is_on(flag)]
    if lacking or form.text("CustomFriendlyName") is not None:
        raise refused(60204, "Service does not support this feature")
    return form.text("CustomCode", _CODE)


def _validate(form: Form) -> None:
    for name, pattern in _FORMATS.items():
        form.text(name, pattern)
    for name in ("RateLimits", "ChannelConfiguration", "TemplateCustomSubstitutions"):
        value = form.document(name, _LONGEST_DOCUMENT)
        if value is not None and not isinstance(value, dict):
            raise invalid(_INVALID, name)


def _require_channel(channel: str) -> None:
    """Require a channel of this service: text messages, calls or WhatsApp."""
    if channel == "email":
        raise refused(60217, "A Mailer must be associated with the service")
    if channel in ("sna", "rcs"):
        raise refused(60223, "Delivery channel disabled")
