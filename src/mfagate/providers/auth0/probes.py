"""The requests of mfagate to Auth0, all safe in production."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from pydantic import SecretStr

from mfagate.config.jwt import claims, read_part
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Response
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.core.foreign.parsing import raw
from mfagate.providers.answers import object_of
from mfagate.providers.auth0.dialect import DISCOVERY_PATH
from mfagate.providers.auth0.errors import error_of
from mfagate.providers.auth0.settings import (
    NEEDED_SCOPES,
    TOKEN_PATH,
    Auth0Settings,
    as_list,
    client_credentials,
    host_of,
    is_canonical,
)
from mfagate.providers.made_up import random_text
from mfagate.providers.oauth import token_in
from mfagate.providers.probes import Probe, ProviderProbes, Send

KEYS_PATH = "/.well-known/jwks.json"

GRANT = "http://auth0.com/oauth/grant-type/"
"""Prefix of the names of Auth0's own grant types."""

UNKNOWN_USER_ID = "auth0|000000000000000000000000"

METHODS_OF_NOBODY = f"/api/v2/users/{UNKNOWN_USER_ID.replace('|', '%7C')}/authentication-methods"
"""Path of a user that does not exist: with a valid token, Auth0 answers that the user is unknown."""

NO_SUCH_LOGIN = "mfagate-no-such-login"


class Auth0Probes(ProviderProbes[Auth0Settings]):
    """Probes of Auth0 that are safe in production."""

    def pings(self, settings: Auth0Settings) -> Sequence[Probe]:
        """Ask for the discovery document, which every tenant has."""
        return [Probe("api", "GET", DISCOVERY_PATH, _names_an_issuer, shape={"issuer": ""})]

    def credentials(self, settings: Auth0Settings) -> Sequence[Probe]:
        """Fetch a token for the client, or use the fixed token, if there is one, on the Management API.

        With a fixed token, the application may not be allowed to fetch tokens. The probe then redeems a made-up
        authorization code, as trufflehog's detector does: Auth0 checks the client first, and for a valid client rejects
        the code or the grant.
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
        """Return the same client with a made-up secret, or the same token with a made-up signature."""
        made_up = random_text(64, "-_")
        if subject == "management_token":
            signature = base64.urlsafe_b64encode(secrets.token_bytes(256)).rstrip(b"=").decode()
            made_up = f"{(settings.secret(subject) or '').rpartition('.')[0]}.{signature}"
        return settings.model_copy(update={subject: SecretStr(made_up)})

    def identity(self, response: Response, settings: Auth0Settings, expected: Mapping[str, str]) -> Mapping[str, str]:
        """Read which tenant issued the token."""
        found = token_in(response)
        # An accepted fixed token is confirmed: Auth0 checks who issued it.
        held = claims(found[0] if found else settings.secret("management_token") or "")
        issuer = urlsplit(str(held.get("iss", ""))).hostname or ""
        hosts = [issuer, *(host_of(audience) or "" for audience in as_list(held.get("aud")))]
        tenant = next((host for host in hosts if is_canonical(host)), None)
        return {"tenant": tenant} if tenant else {}

    def permissions(self, settings: Auth0Settings) -> Sequence[Probe]:
        """Prove what a token does not show: that it has the scope, and that the MFA grants are allowed."""
        probes = [Probe(scope, "GET", METHODS_OF_NOBODY, _knows_nobody) for scope in NEEDED_SCOPES]
        for grant, field in (("mfa-otp", "otp"), ("mfa-oob", "oob_code")):
            form = {"grant_type": GRANT + grant, "mfa_token": NO_SUCH_LOGIN, field: "000000"}
            probes.append(Probe(f"grant type {grant}", "POST", TOKEN_PATH, _knows_no_login, data=form))
        return probes

    def refine(self, finding: Finding, settings: Auth0Settings, send: Send[Auth0Settings]) -> Finding:
        """Find out whether the tenant still has the key that signed a refused fixed token."""
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


def _names_an_issuer(response: Response) -> bool:
    return response.status == 200 and isinstance(object_of(response).get("issuer"), str)


def _is_token(response: Response) -> bool:
    return token_in(response) is not None


def _refuses(*codes: str) -> Callable[[Response], bool]:
    """Return a check for refusals with one of these codes."""

    def accepted(response: Response) -> bool:
        error = error_of(response)
        return response.status in (400, 401, 403) and error is not None and error.code in codes

    return accepted


_knows_no_login = _refuses("invalid_grant", "expired_token", "invalid_token")


def _knows_nobody(response: Response) -> bool:
    """Return whether the answer says that the user does not exist, which proves that the request was allowed."""
    error = error_of(response)
    return response.status == 404 and error is not None and "user" in f"{error.code} {raw(error.message)}".lower()


def _review(settings: Auth0Settings) -> Callable[[Response], Finding | None]:
    """Return a check that an accepted token is for the Management API."""

    def review(response: Response) -> Finding | None:
        found = token_in(response)
        held = claims(found[0]) if found else {}
        if settings.management_audience in as_list(held.get("aud")):
            return None
        message = "Auth0 issued a token for another audience than the requested one"
        return Finding(
            CauseId.CREDENTIAL_WRONG_KIND,
            message,
            {"asked for": settings.management_audience, "issued for": quoted(held.get("aud", "no readable audience"))},
            setting="audience" if settings.audience else "domain",
        )

    return review


def _key_ids(response: Response) -> set[object] | None:
    keys = object_of(response).get("keys")
    return {key.get("kid") for key in keys if isinstance(key, dict)} if isinstance(keys, list) else None
