"""Auth0, through its Authentication API with the MFA API, and its Management API v2.

https://auth0.com/docs/secure/multi-factor-authentication/authenticate-using-ropg-flow-with-mfa.
"""

from __future__ import annotations

import base64
import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from mfagate.cassettes.scrub import Scrubbing
from mfagate.config.jwt import claims, read_part
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.core.foreign.parsing import raw
from mfagate.providers.auth0.errors import (
    BAD_CLIENT,
    KNOWN_CODES,
    MEANINGS,
    denied_by_others,
    error_of,
    is_about_a_user,
    lacking,
    meaning_of,
)
from mfagate.providers.auth0.settings import (
    NEEDED_SCOPES,
    TOKEN_PATH,
    Auth0Settings,
    as_list,
    client_credentials,
    cross_checks,
    host_of,
    is_canonical,
    is_management,
)
from mfagate.providers.base import ApiError, ErrorMeaning, Probe, Provider, Send

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States
    from mfagate.sandbox import Sandbox

DISCOVERY_PATH = "/.well-known/openid-configuration"
KEYS_PATH = "/.well-known/jwks.json"

GRANT = "http://auth0.com/oauth/grant-type/"
"""The beginning of the names of Auth0's own grant types."""

DEFAULT_CONNECTION = "Username-Password-Authentication"
"""The database connection that every tenant begins with."""

UNKNOWN_USER_ID = "auth0|000000000000000000000000"
METHODS_OF_NOBODY = f"/api/v2/users/{UNKNOWN_USER_ID.replace('|', '%7C')}/authentication-methods"
"""Asked with the right token it says that there is no such user; nobody is touched."""

NO_SUCH_LOGIN = "mfagate-no-such-login"


class Auth0(Provider):
    """Knowledge about Auth0's APIs."""

    name: ClassVar[str] = "auth0"
    title: ClassVar[str] = "Auth0"
    errors_page: ClassVar[str] = "https://auth0.com/docs/api/authentication"
    settings: ClassVar[type[Auth0Settings]] = Auth0Settings
    expectations: ClassVar[Mapping[str, str]] = {
        "tenant": "the tenant's own host, or its beginning: acme.eu.auth0.com. It is read from a token: from its "
        "issuer, or with a custom domain from its audience",
    }
    test_data: ClassVar[Mapping[str, str]] = {
        "connection": f"the database connection in which users are created; {DEFAULT_CONNECTION} by default",
        "admin_client_id": "client ID of an application that may create users (create:users, read:users, "
        "delete:users, create:authentication_methods)",
        "admin_client_secret": "its client secret",
        "password": "the password of all users below",
        "user": "a user with a phone for pushes whom nobody else uses: nobody answers the pushes",
        "accepting_user": "a user whose phone's owner approves each push within seconds",
        "declining_user": "a user whose phone's owner denies each push within seconds",
        "answer_seconds": "how long the owners of the phones are given to answer a push; 0 by default",
        "phone": "a phone number that can receive SMS: each run sends one SMS, to a user that it makes "
        "with this number",
        "restricted_client_id": "client ID of an application that is authorized for the Management API, with "
        "another scope than read:authentication_methods",
        "restricted_client_secret": "its client secret",
        "ungranted_client_id": "client ID of an application that is not authorized for the Management API",
        "ungranted_client_secret": "its client secret",
        "expired_management_token": "a token of this tenant's Management API that has expired",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset(
        {
            "admin_client_secret",
            "expired_management_token",
            "password",
            "restricted_client_secret",
            "ungranted_client_secret",
        }
    )
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS
    known_codes: ClassVar[frozenset[str | int]] = KNOWN_CODES
    scrubbing: ClassVar[Scrubbing] = Scrubbing(
        secret_fields=frozenset({"barcode_uri", "mfa_token", "oob_code", "recovery_code", "recovery_codes"}),
        volatile_fields={
            "created_at": "2026-01-01T00:00:00.000Z",
            "enrolled_at": "2026-01-01T00:00:00.000Z",
            "id": "totp|dev_0000000000000000",
            "last_auth_at": "2026-01-01T00:00:00.000Z",
            "name": "",
        },
    )
    sandbox_is_emulator: ClassVar[bool] = True

    def base_url(self, settings: Auth0Settings) -> str:
        """The tenant's domain has both APIs."""
        return f"https://{settings.domain}"

    def signer(self, settings: Auth0Settings, tokens: Tokens) -> AuthBase:
        """The client's authentication in the body, or a token in the header."""
        from mfagate.providers.auth0.auth import Auth0Auth

        return Auth0Auth(settings, tokens)

    def pings(self, settings: Auth0Settings) -> Sequence[Probe]:
        """The discovery document, which every tenant has."""
        return [Probe("api", "GET", DISCOVERY_PATH, _names_an_issuer, shape={"issuer": ""})]

    def credentials(self, settings: Auth0Settings) -> Sequence[Probe]:
        """A token for the client; and the static token, where there is one, on the Management API.

        With a static token the application need not be allowed to fetch any. Then it
        redeems a made-up authorization code, as trufflehog's detector does: Auth0 looks at
        the client first, and says of a good one that the code or the grant is not.
        """
        if settings.management_token is None:
            form = client_credentials(settings)
            return [Probe("client_secret", "POST", TOKEN_PATH, _is_token, data=form, review=_review(settings))]
        form = {"grant_type": "authorization_code", "code": NO_SUCH_LOGIN, "redirect_uri": "https://localhost/"}
        return [
            Probe("client_secret", "POST", TOKEN_PATH, _refuses("invalid_grant", "unauthorized_client"), data=form),
            Probe("management_token", "GET", METHODS_OF_NOBODY, _knows_nobody),
        ]

    def with_bad_credential(self, settings: Auth0Settings, subject: str) -> Auth0Settings:
        """The same client with a secret that nobody has, or the same token with a signature that nobody made."""
        alphabet = string.ascii_letters + string.digits + "-_"
        made_up = "".join(secrets.choice(alphabet) for _ in range(64))
        if subject == "management_token":
            signature = base64.urlsafe_b64encode(secrets.token_bytes(256)).rstrip(b"=").decode()
            made_up = f"{(settings.secret(subject) or '').rpartition('.')[0]}.{signature}"
        return settings.model_copy(update={subject: SecretStr(made_up)})

    def identity(self, response: Response, settings: Auth0Settings, expected: Mapping[str, str]) -> Mapping[str, str]:
        """The tenant that issued the token."""
        from mfagate.providers.oauth import token_in

        found = token_in(response)
        # A static token is confirmed by being accepted: Auth0 checks who issued it.
        told = claims(found[0] if found else settings.secret("management_token") or "")
        issuer = urlsplit(str(told.get("iss", ""))).hostname or ""
        hosts = [issuer, *(host_of(one) or "" for one in as_list(told.get("aud")))]
        tenant = next((host for host in hosts if is_canonical(host)), None)
        return {"tenant": tenant} if tenant else {}

    def permissions(self, settings: Auth0Settings) -> Sequence[Probe]:
        """What a token does not show: that it carries the scope, and that the MFA grants are allowed."""
        probes = [Probe(scope, "GET", METHODS_OF_NOBODY, _knows_nobody) for scope in NEEDED_SCOPES]
        for grant, field in (("mfa-otp", "otp"), ("mfa-oob", "oob_code")):
            form = {"grant_type": GRANT + grant, "mfa_token": NO_SUCH_LOGIN, field: "000000"}
            probes.append(Probe(f"grant type {grant}", "POST", TOKEN_PATH, _knows_no_login, data=form))
        return probes

    def inspect(self, settings: Auth0Settings) -> Sequence[tuple[str, Finding]]:
        """Audience and static token against the domain."""
        return list(cross_checks(settings))

    def error_of(self, response: Response) -> ApiError | None:
        """Either dialect."""
        return error_of(response)

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """The sentence tells it where the code does not."""
        return is_about_a_user(error)

    def meaning(self, error: ApiError, exchange: Exchange, settings: Auth0Settings) -> ErrorMeaning | None:
        """The error's sentence decides where its code does not."""
        found = denied_by_others(error, exchange) or meaning_of(error)
        if found is None:
            return None
        evidence = {"possible causes": _candidates(settings)} if found is BAD_CLIENT else found.evidence
        scopes = " or ".join(scope.quoted(80) for scope in lacking(error.message))
        text = f"{found.text} {scopes}".rstrip()
        return replace(found, text=text, evidence=evidence, setting=_setting(found, exchange, settings))

    def explain(self, exchange: Exchange, settings: Auth0Settings) -> Finding | None:
        """Also the answer of a host that is nobody's: names below auth0.com exist without a tenant."""
        return super().explain(exchange, settings) or _no_tenant(exchange, settings)

    def refine(self, finding: Finding, settings: Auth0Settings, send: Send) -> Finding:
        """A refused static token: does the tenant have the key that signed it?"""
        if finding.setting != "management_token" or finding.cause is not CauseId.CREDENTIAL_REJECTED:
            return finding
        import requests

        answer = send(requests.Request("GET", KEYS_PATH)).response
        known = _key_ids(answer) if answer is not None else None
        header = read_part((settings.secret("management_token") or "").partition(".")[0]) or {}
        if known is None or header.get("kid") in known:
            return finding
        causes = ["the tenant's signing key was rotated, and the old one revoked", "another tenant issued the token"]
        return replace(
            finding,
            cause=CauseId.CREDENTIAL_REVOKED,
            message="the tenant no longer has the key that signed the token",
            evidence={**finding.evidence, "possible causes": causes},
        )

    def too_soon(self, error: ApiError, exchange: Exchange) -> float | None:
        """Auth0 blocks one user after too many wrong codes or messages, and does not say for how long.

        A code is forgiven every six minutes, and ten text messages are sent an hour:
        https://auth0.com/docs/secure/multi-factor-authentication/authenticate-using-ropg-flow-with-mfa and
        https://auth0.com/docs/troubleshoot/customer-support/operational-policies/rate-limit-policy
        """
        path = urlsplit(exchange.request.url).path
        if error.code != "too_many_attempts":
            return None
        return {TOKEN_PATH: 360.0, "/mfa/challenge": 3600.0}.get(path)

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """A challenge is sent to a phone unless a one-time password is asked for, and so is an enrolment.

        https://auth0.com/docs/secure/multi-factor-authentication/authenticate-using-ropg-flow-with-mfa
        """
        if method != "POST":
            return False
        return path == "/mfa/associate" or (path == "/mfa/challenge" and fields.get("challenge_type") != "otp")

    def states(self, send: Send, settings: Auth0Settings, test_data: Mapping[str, str]) -> States:
        """Arranges states with users of its own, and with prepared ones for their phones."""
        from mfagate.providers.auth0.states import Auth0States

        return Auth0States(self, send, settings, test_data)

    def sandbox(self) -> Sandbox:
        """An emulator of the Authentication and MFA API, and of what is used of the Management API."""
        from mfagate.sandbox.emulator import EmulatorSandbox
        from mfagate_sandbox.auth0.fault_kinds import FAULTS

        return EmulatorSandbox(
            self.title, Path(__file__).parents[3] / "mfagate_sandbox" / "auth0" / "emulator.py", FAULTS
        )

    def sandbox_settings(self, values: Mapping[str, str]) -> Sequence[str]:
        """Without a static token: a healthy configuration fetches its tokens."""
        return [name for name in super().sandbox_settings(values) if name != "management_token"]


def _names_an_issuer(response: Response) -> bool:
    body = _object(response)
    return response.status == 200 and isinstance(body.get("issuer"), str)


def _is_token(response: Response) -> bool:
    from mfagate.providers.oauth import token_in

    return token_in(response) is not None


def _refuses(*codes: str) -> Callable[[Response], bool]:
    """Answers that refuse with one of these codes."""

    def accepted(response: Response) -> bool:
        error = error_of(response)
        return response.status in (400, 401, 403) and error is not None and error.code in codes

    return accepted


_knows_no_login = _refuses("invalid_grant", "expired_token", "invalid_token")


def _knows_nobody(response: Response) -> bool:
    """The answer about a user that does not exist: the request itself was allowed."""
    error = error_of(response)
    return response.status == 404 and error is not None and "user" in f"{error.code} {raw(error.message)}".lower()


def _review(settings: Auth0Settings) -> Callable[[Response], Finding | None]:
    """What an accepted token shows to be wrong: one that is not for the Management API opens nothing there."""

    def review(response: Response) -> Finding | None:
        from mfagate.providers.oauth import token_in

        found = token_in(response)
        told = claims(found[0]) if found else {}
        if settings.management_audience in as_list(told.get("aud")):
            return None
        message = "Auth0 issued a token that is not for the audience that was asked for"
        return Finding(
            CauseId.CREDENTIAL_WRONG_KIND,
            message,
            {
                "asked for": settings.management_audience,
                "issued for": quoted(told.get("aud", "nothing that can be read")),
            },
            setting="audience" if settings.audience else "domain",
        )

    return review


def _candidates(settings: Auth0Settings) -> list[str]:
    """Why a client is refused, the likeliest first."""
    region = is_canonical(settings.domain) and settings.domain.count(".") == 2
    missing = [f"the region is missing in {settings.domain}: only old tenants in the US have none"] if region else []
    return [
        "client_secret is another application's, an old one, or that of another tenant (dev, staging, production)",
        "client_id is unknown to this tenant: it is another tenant's or region's, or the application was deleted",
        *missing,
        "the application's authentication method is None, Private Key JWT or mTLS, which take no secret",
    ]


def _setting(found: ErrorMeaning, exchange: Exchange, settings: Auth0Settings) -> str | None:
    """The setting to change, among those that are set."""
    static = settings.management_token is not None
    if found.setting and static and is_management(urlsplit(exchange.request.url).path):
        return "management_token"
    if found.setting == "management_token":
        return found.setting if static else None
    if found.setting == "audience" and settings.audience is None:
        return "domain"
    return found.setting


def _no_tenant(exchange: Exchange, settings: Auth0Settings) -> Finding | None:
    response, url = exchange.response, urlsplit(exchange.request.url)
    if response is None or response.status != 404 or url.hostname != settings.domain.lower():
        return None
    if url.path not in (DISCOVERY_PATH, TOKEN_PATH) or not is_canonical(settings.domain):
        return None
    return Finding(
        CauseId.CREDENTIAL_UNKNOWN_KEY,
        "there is no such tenant: its name or its region is another one",
        next_step="Copy the domain from Auth0 Dashboard > Applications > the login service's application > Settings.",
        setting="domain",
    )


def _key_ids(response: Response) -> set[object] | None:
    keys = _object(response).get("keys")
    return {key.get("kid") for key in keys if isinstance(key, dict)} if isinstance(keys, list) else None


def _object(response: Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


PROVIDER = Auth0()
