"""The requests of mfagate to Okta, all safe in production."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from pydantic import SecretStr

from mfagate.core.exchange import Response
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.providers.answers import json_of, object_of
from mfagate.providers.made_up import new_private_key
from mfagate.providers.okta.auth import new_token
from mfagate.providers.okta.errors import NOT_FOUND, error_of
from mfagate.providers.okta.expiry import expiry_of_org, expiry_of_token
from mfagate.providers.okta.pairs import missing_scopes
from mfagate.providers.okta.settings import ORGANIZATION_PATH, TOKEN_PATH, OktaSettings, token_form
from mfagate.providers.probes import ExpiryProbe, Probe, ProviderProbes, Send

UNKNOWN_USER = "00umfagatenosuchuser"

UNKNOWN_FACTOR = "ostmfagatenosuchtotp"
"""Well-formed ids that do not exist, so that requests affect no user."""

_FACTORS = f"/api/v1/users/{UNKNOWN_USER}/factors"

_ERROR = {"errorCode": "E0000007", "errorSummary": ""}


class OktaProbes(ProviderProbes[OktaSettings]):
    """Probes of Okta that are safe in production."""

    def pings(self, settings: OktaSettings) -> Sequence[Probe]:
        """Request the org's public metadata (tag OrgSettingMetadata of the Management API)."""
        return [
            Probe(
                "org", "GET", ORGANIZATION_PATH, lambda response: "org_id" in _organization(response), shape={"id": ""}
            )
        ]

    def credentials(self, settings: OktaSettings) -> Sequence[Probe]:
        """Request an access token, or with an API token, the user who owns it, which every token may do."""
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
        """Return the settings with a made-up token, or a key whose public half is registered nowhere."""
        made_up = new_private_key() if subject == "private_key" else new_token()
        return settings.model_copy(update={subject: SecretStr(made_up)})

    def identity(self, response: Response, settings: OktaSettings, expected: Mapping[str, str]) -> Mapping[str, str]:
        """Read id and subdomain of the org from the ping."""
        return _organization(response)

    def permissions(self, settings: OktaSettings) -> Sequence[Probe]:
        """List and verify the factors of a user that does not exist: a permitted client gets 404."""
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
        """Request the API token, by its id or in the list of all tokens, and the org."""
        org = Probe("org_url", "GET", "/api/v1/org", lambda response: _holds(response, dict))
        probes = [ExpiryProbe(org, "a role that may read the org settings (okta.orgs.read)", expiry_of_org)]
        if settings.private_key is None:
            path = f"/api/v1/api-tokens/{settings.token_id}" if settings.token_id else "/api/v1/api-tokens"
            kind = dict if settings.token_id else list
            token = Probe("api_token", "GET", path, lambda response: _holds(response, kind))
            needs = "a role that may read API tokens (okta.apiTokens.read)"
            probes.insert(0, ExpiryProbe(token, needs, expiry_of_token))
        return probes

    def refine(self, finding: Finding, settings: OktaSettings, send: Send[OktaSettings]) -> Finding:
        """Add which org refused: a token of another org is the most common reason, and Okta does not mention it."""
        import requests

        response = send(requests.Request("GET", ORGANIZATION_PATH)).response
        org = _organization(response) if response is not None else {}
        organization = {"org that answers": quoted(" ".join(org.values()))} if org else {}
        return replace(finding, evidence={**finding.evidence, **organization})


def _holds(response: Response, kind: type) -> bool:
    return response.status == 200 and isinstance(json_of(response), kind)


def _organization(response: Response) -> Mapping[str, str]:
    """Read id and name of the org; empty if the answer has none."""
    body = object_of(response)
    if response.status != 200 or not re.match("00o", str(body.get("id"))):
        return {}
    links = body.get("_links")
    own = links.get("organization") if isinstance(links, dict) else None
    host = urlsplit(str(own.get("href"))).hostname if isinstance(own, dict) else None
    return {"org_id": str(body["id"])} | ({"subdomain": host.partition(".")[0]} if host else {})


def _is_a_user(response: Response) -> bool:
    return response.status == 200 and {"id", "status", "profile"} <= object_of(response).keys()


def _issues_a_token(response: Response) -> bool:
    body = object_of(response)
    has_token = isinstance(body.get("access_token"), str) and body.get("token_type") == "Bearer"
    return response.status == 200 and has_token


def _knows_no_such_user(response: Response) -> bool:
    error = error_of(response)
    return response.status == 404 and error is not None and error.code == NOT_FOUND
