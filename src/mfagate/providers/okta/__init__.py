"""Okta, through its Factors API (https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from mfagate.cassettes.scrub import Scrubbing
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.providers.base import ApiError, ErrorMeaning, ExpiryProbe, Probe, Provider, Send
from mfagate.providers.okta.errors import (
    ABOUT_A_USER,
    KNOWN_CODES,
    MEANINGS,
    NOT_FOUND,
    WRONG_PASSWORDS,
    error_of,
    meaning_of,
    seconds_between_messages,
)
from mfagate.providers.okta.expiry import expiry_of_org, expiry_of_token
from mfagate.providers.okta.pairs import contradictions, missing_scopes
from mfagate.providers.okta.settings import ORGANIZATION_PATH, TOKEN_PATH, OktaSettings, token_form

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States
    from mfagate.sandbox import Sandbox

UNKNOWN_USER = "00umfagatenosuchuser"
UNKNOWN_FACTOR = "ostmfagatenosuchtotp"
"""Well-formed ids that Okta has not given to anybody: asking about them touches nobody."""

_FACTORS = f"/api/v1/users/{UNKNOWN_USER}/factors"


class Okta(Provider):
    """Knowledge about Okta's Factors API, and the two kinds of credential that it takes."""

    name: ClassVar[str] = "okta"
    title: ClassVar[str] = "Okta"
    errors_page: ClassVar[str] = "https://developer.okta.com/docs/reference/error-codes/"
    settings: ClassVar[type[OktaSettings]] = OktaSettings
    expectations: ClassVar[Mapping[str, str]] = {
        "org_id": "the org's id (00o…), as /.well-known/okta-organization tells it",
        "subdomain": "the org's own name before .okta.com, behind a custom domain too",
    }
    test_data: ClassVar[Mapping[str, str]] = {
        "admin_api_token": "an API token of somebody who may create users: mfagate makes users named "
        "mfagate-…@example.com, enrols a factor for them, and deletes them",
        "user": "login or id of a user with Okta Verify push whom nobody else uses and whose pushes nobody answers",
        "accepting_user": "a user whose phone's owner approves each push within seconds",
        "declining_user": "a user whose phone's owner denies each push within seconds",
        "ignoring_user": "a user whose pushes time out",
        "sms_user": "a user with an active SMS factor; a message is sent at each run",
        "locked_user": "a user with a TOTP factor who is locked out",
        "revoked_api_token": "an API token that was revoked",
        "unprivileged_api_token": "an API token of an administrator who may not see users' factors",
        "app_client_id": "client id of an API Services app, for the interactions of the token endpoint; "
        "not needed where the settings have one",
        "app_private_key": "its private key in PEM",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset(
        {"admin_api_token", "revoked_api_token", "unprivileged_api_token", "app_private_key"}
    )
    about_a_user: ClassVar[frozenset[str | int]] = ABOUT_A_USER
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS
    known_codes: ClassVar[frozenset[str | int]] = KNOWN_CODES
    scrubbing: ClassVar[Scrubbing] = Scrubbing(
        secret_fields=frozenset({"sharedSecret", "activationToken", "activationUrl"}),
        volatile_fields={
            "created": "2026-01-01T00:00:00.000Z",
            "credentialId": "mfagate@example.com",
            "errorId": "oae0000000000000000000000",
            "expiresAt": "2026-01-01T00:05:00.000Z",
            # The ids of the requests in the contract, so that client and recording fit together.
            "href": "https://okta.invalid/api/v1/users/00uabcdefg1234567890/factors/opfabcdefg1234567890"
            "/transactions/v2mst.GldKV5VxTrifyeZmWSQguA",
            "id": "ostabcdefg1234567890",
            "lastUpdated": "2026-01-01T00:00:00.000Z",
            "phoneNumber": "+15555550100",
        },
    )
    sandbox_is_emulator: ClassVar[bool] = True

    def base_url(self, settings: OktaSettings) -> str:
        """The org."""
        return settings.org_url

    def signer(self, settings: OktaSettings, tokens: Tokens) -> AuthBase:
        """An API token as it is, or access tokens that the private key fetches."""
        from mfagate.providers.okta.auth import SswsAuth, service_app

        if settings.private_key is not None:
            return service_app(settings, tokens)
        return SswsAuth(settings.secret("api_token"))

    def pings(self, settings: OktaSettings) -> Sequence[Probe]:
        """Which org this is; Okta tells it to anybody (tag OrgSettingMetadata of the Management API)."""
        return [
            Probe(
                "org", "GET", ORGANIZATION_PATH, lambda response: "org_id" in _organization(response), shape={"id": ""}
            )
        ]

    def credentials(self, settings: OktaSettings) -> Sequence[Probe]:
        """Ask for an access token; or whose API token it is, which any token may."""
        if settings.private_key is None:
            return [Probe("api_token", "GET", "/api/v1/users/me", _is_a_user)]
        return [
            Probe(
                "private_key",
                "POST",
                TOKEN_PATH,
                _issues_a_token,
                data=token_form(settings),
                review=lambda response: missing_scopes(response, settings),
            )
        ]

    def with_bad_credential(self, settings: OktaSettings, subject: str) -> OktaSettings:
        """A token that nobody has, or a key whose public half nobody registered."""
        from mfagate.providers.okta.auth import new_key, new_token

        made_up = new_key() if subject == "private_key" else new_token()
        return settings.model_copy(update={subject: SecretStr(made_up)})

    def identity(self, response: Response, settings: OktaSettings, expected: Mapping[str, str]) -> Mapping[str, str]:
        """Read from the ping: what Okta says of an org is the same for everybody."""
        return _organization(response)

    def permissions(self, settings: OktaSettings) -> Sequence[Probe]:
        """List and verify the factors of a user that does not exist: who may, is told so."""
        code = {"passCode": "000000"}
        return [
            Probe("list factors", "GET", _FACTORS, _knows_no_such_user, shape=_ERROR),
            Probe(
                "verify factors",
                "POST",
                f"{_FACTORS}/{UNKNOWN_FACTOR}/verify",
                _knows_no_such_user,
                json=code,
                shape=_ERROR,
            ),
        ]

    def expiries(self, settings: OktaSettings) -> Sequence[ExpiryProbe]:
        """Of the API token, by its id or in the list of all; of a trial org."""
        org = Probe("org_url", "GET", "/api/v1/org", lambda response: _holds(response, dict))
        probes = [ExpiryProbe(org, "a role that may read the org's settings (okta.orgs.read)", expiry_of_org)]
        if settings.private_key is None:
            path = f"/api/v1/api-tokens/{settings.token_id}" if settings.token_id else "/api/v1/api-tokens"
            kind = dict if settings.token_id else list
            token = Probe("api_token", "GET", path, lambda response: _holds(response, kind))
            needs = "a role that may read API tokens (okta.apiTokens.read)"
            probes.insert(0, ExpiryProbe(token, needs, expiry_of_token))
        return probes

    def inspect(self, settings: OktaSettings) -> Sequence[tuple[str, Finding]]:
        """Two kinds of credential, half of one, a key that Okta does not take."""
        return list(contradictions(settings))

    def error_of(self, response: Response) -> ApiError | None:
        """In any of Okta's three dialects."""
        return error_of(response)

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """A password that is refused is the user's where users log in, and there alone."""
        at_login = urlsplit(exchange.request.url).path.startswith("/api/v1/authn")
        return super().is_about_a_user(error, exchange) or (error.code in WRONG_PASSWORDS and at_login)

    def meaning(self, error: ApiError, exchange: Exchange, settings: OktaSettings) -> ErrorMeaning | None:
        """One code stands for several things; settings, description and headers tell them apart."""
        return meaning_of(error, exchange.response, settings) if exchange.response else None

    def explain(self, exchange: Exchange, settings: OktaSettings) -> Finding | None:
        """As ever; and a page in place of the org's own description says that there is no org."""
        response = exchange.response
        page = response is not None and response.status == 404 and _json(response) is None
        if page and urlsplit(exchange.request.url).path.endswith(ORGANIZATION_PATH):
            text = "no org answers at this host: is its name misspelt, or the domain another one of Okta's?"
            return Finding(CauseId.CONFIG_MALFORMED_URL, text, setting="org_url")
        return super().explain(exchange, settings)

    def refine(self, finding: Finding, settings: OktaSettings, send: Send) -> Finding:
        """Add which org refused: a token of another org is the commonest reason, and Okta does not name it."""
        import requests

        response = send(requests.Request("GET", ORGANIZATION_PATH)).response
        org = _organization(response) if response is not None else {}
        told = {"org that answers": quoted(" ".join(org.values()))} if org else {}
        return replace(finding, evidence={**finding.evidence, **told})

    def too_soon(self, error: ApiError, exchange: Exchange) -> float | None:
        """Okta says how many seconds lie between two messages: https://developer.okta.com/docs/reference/error-codes/."""
        return seconds_between_messages(error, urlsplit(exchange.request.url).path)

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """A verification without an answer sends a code or a push, and so does the enrolment of a phone or an address.

        https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/
        """
        if method != "POST":
            return False
        enrols = path.endswith("/factors") and fields.get("factorType") in ("sms", "call", "email")
        asks = path.endswith("/verify") and not {"passCode", "answer"} & fields.keys()
        return enrols or asks or path.endswith("/resend")

    def states(self, send: Send, settings: OktaSettings, test_data: Mapping[str, str]) -> States:
        """Arranges states with users of its own, and with prepared ones."""
        from mfagate.providers.okta.states import OktaStates

        return OktaStates(self, send, settings, test_data)

    def sandbox(self) -> Sandbox:
        """An emulator of one org."""
        from mfagate.sandbox.emulator import EmulatorSandbox
        from mfagate_sandbox.okta.fault_kinds import FAULTS

        return EmulatorSandbox(
            self.title, Path(__file__).parents[3] / "mfagate_sandbox" / "okta" / "__main__.py", FAULTS
        )

    def sandbox_settings(self, values: Mapping[str, str]) -> Sequence[str]:
        """With the API token; the sandbox hands out a service app as well."""
        return ["org_url", "api_token", "token_id"]


def _json(response: Response) -> Any:
    """The body of an answer, or None where it is not JSON."""
    try:
        return response.json()
    except ValueError:
        return None


def _holds(response: Response, kind: type) -> bool:
    return response.status == 200 and isinstance(_json(response), kind)


def _organization(response: Response) -> Mapping[str, str]:
    """Id and name of the org, where the answer tells them."""
    body = _json(response)
    if response.status != 200 or not isinstance(body, dict) or not re.match("00o", str(body.get("id"))):
        return {}
    links = body.get("_links")
    own = links.get("organization") if isinstance(links, dict) else None
    host = urlsplit(str(own.get("href"))).hostname if isinstance(own, dict) else None
    return {"org_id": str(body["id"])} | ({"subdomain": host.partition(".")[0]} if host else {})


def _is_a_user(response: Response) -> bool:
    body = _json(response)
    return response.status == 200 and isinstance(body, dict) and {"id", "status", "profile"} <= body.keys()


def _issues_a_token(response: Response) -> bool:
    body = _json(response)
    return (
        response.status == 200
        and isinstance(body, dict)
        and isinstance(body.get("access_token"), str)
        and body.get("token_type") == "Bearer"
    )


_ERROR = {"errorCode": "E0000007", "errorSummary": ""}


def _knows_no_such_user(response: Response) -> bool:
    error = error_of(response)
    return response.status == 404 and error is not None and error.code == NOT_FOUND


PROVIDER = Okta()
