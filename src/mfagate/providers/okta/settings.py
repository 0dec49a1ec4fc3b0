"""Settings of an Okta integration: an API token, or an API services app with a private key.

Shapes: the token of https://github.com/trufflesecurity/trufflehog/blob/main/pkg/detectors/okta/okta.go and of the
examples of https://github.com/okta/okta-management-openapi-spec; ids as its examples have them; the hosts that Okta's
own client rejects (``okta/config/config_validator.py`` of https://github.com/okta/okta-sdk-python). Okta does not
document the form of tokens and ids, and only a loose form of client ids (6 to 100 characters:
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import SecretStr

from mfagate.config.pem import PrivateKey
from mfagate.config.settings import OtherNames, ProviderSettings, Setting
from mfagate.config.shapes import ANY_SEGMENT, ANYTHING, BaseUrl, EnvironmentMark, Lookalike, Misfit, Pattern
from mfagate.core.causes import CauseId
from mfagate.providers.lookalikes import placeholder, wrong_kind
from mfagate.providers.okta.names import OTHER_NAMES, PREFIXES

DEFAULT_SCOPES = "okta.users.read okta.users.manage"
"""The scopes for listing and verifying a user's factors (https://developer.okta.com/docs/api/oauth2/)."""

TOKEN_PATH = "/oauth2/v1/token"
"""Path on the org authorization server, the only issuer of tokens for Okta's own APIs."""

ORGANIZATION_PATH = "/.well-known/okta-organization"

_TOKENS = "Okta Admin Console > Security > API > Tokens"
_APP = "Okta Admin Console > Applications > your API Services app"

_OKTA = r"(?:okta|oktapreview|okta-emea|okta-gov)\.com|okta\.mil"
_OTHERS = (
    # Okta's own client rejects any "-admin"; here, a name such as x-admin-y is possible.
    (rf".+-admin\.(?:{_OKTA})", "the host of the Admin Console; the API has the same name without -admin"),
    (rf"(?:www\.)?(?:{_OKTA})", "the website of Okta, not an org"),
    (r"(?:developer|help|support|status|login|trust)\.okta\.com", "a website of Okta, not an org"),
    (rf"(?:[^.]+\.)+[^.]+\.(?:{_OKTA})", "not the name of an org: an org has only one name before the domain"),
    (r".+\.com\.com", "a name that contains .com twice"),
)


@dataclass(frozen=True, slots=True)
class OrgUrl(BaseUrl):
    """The URL of an org: https and a host of Okta's or of a custom domain, without a path."""

    expected: str = "an org's URL such as https://acme.okta.com"

    def misfit(self, value: str) -> Misfit | None:
        """Report which part is wrong, or what the host is."""
        # With both arguments, because a dataclass with slots is created twice.
        misfit = super(OrgUrl, self).misfit(value)
        reason = None if misfit else _no_org(value)
        return Misfit(reason, CauseId.CONFIG_MALFORMED_URL) if reason else misfit


def _no_org(url: str) -> str | None:
    scheme, _, rest = url.lower().partition("://")
    host, slash, _ = rest.partition("/")
    if scheme != "https":
        return "its scheme is http, but Okta accepts only https"
    if slash:
        return "it contains a path; mfagate adds the paths of the API itself"
    if ":" in host:
        return "it contains a port, which no org uses"
    if "." not in host:
        return "its host name is incomplete; the domain, such as .okta.com, may be missing"
    return next((f"it is {what}" for regex, what in _OTHERS if re.fullmatch(regex, host)), None)


@dataclass(frozen=True, slots=True)
class Scopes:
    """Scopes of Okta's APIs, with one space between them."""

    expected: str = "scopes such as okta.users.read okta.users.manage, separated by spaces"

    def misfit(self, value: str) -> Misfit | None:
        """Report the first invalid scope."""
        if "," in value:
            return Misfit("its scopes are separated by commas instead of spaces")
        for scope in value.split(" "):
            if re.fullmatch(r"okta\.[A-Za-z.]+\.self", scope):
                reason = f"{scope} is for a user's own data, and a service app is not a user"
                return Misfit(reason, CauseId.CONFIG_WRONG_KIND)
            if scope in ("openid", "profile", "email", "offline_access", "groups"):
                reason = f"{scope} is for user logins, not for Okta's APIs"
                return Misfit(reason, CauseId.CONFIG_WRONG_KIND)
            if not re.fullmatch(r"[!#-\[\]-~]+", scope):
                return Misfit(f"it is not {self.expected}")  # RFC 6749 section 3.3
            if not re.fullmatch(r"(okta|ssf)(\.[A-Za-z]+)+", scope):
                return Misfit(f"it is not {self.expected}", documented=False)
        return None


def _id(prefix: str, what: str, next_step: str) -> Lookalike:
    return Lookalike(rf"{prefix}[A-Za-z0-9]{{17}}", CauseId.CONFIG_SECRET_ID_NOT_SECRET, what, next_step)


_NOT_A_CLIENT_SECRET = "Register a public key with the app and set the private key here; client secrets cannot be used."
_CREATE_TOKEN = (
    f"Okta shows a token only when it is created. If it was not saved, create another one: {_TOKENS} > Create token."
)


class OktaSettings(ProviderSettings):
    """``[integrations.NAME.settings]`` of an Okta integration."""

    other_names: ClassVar[tuple[OtherNames, ...]] = OTHER_NAMES
    prefixes: ClassVar[tuple[str, ...]] = PREFIXES

    any_of: ClassVar[tuple[str, ...]] = ("api_token", "private_key")

    org_url: Annotated[
        str,
        Setting(
            description="URL of the org, or its custom domain.",
            where="the menu under your name at the top right of the Okta Admin Console; omit -admin",
            example="https://acme.okta.com",
            shape=OrgUrl(),
            lookalikes=(
                Lookalike(
                    r"(?i)(https?://)?(\$?\{+[^{}]*\}+|your-?(okta-?)?(org|domain|subdomain)|subdomain|example"
                    r"|dev-(0{5,}|123456(7|78)?))(\.okta(preview)?\.com)?/?",
                    CauseId.CONFIG_PLACEHOLDER_LEFT,
                    "the example of Okta's documentation",
                    "Set it to the URL of your own org.",
                ),
            ),
            environments=(
                EnvironmentMark(r"(?i)\.oktapreview\.com$", production=False, message="is a preview org"),
                EnvironmentMark(
                    r"(?i)^https://(dev|trial|integrator)-\d+\.okta\.com$",
                    production=False,
                    message="has a name that Okta gives to developer and trial orgs",
                ),
            ),
        ),
    ]
    api_token: Annotated[
        SecretStr | None,
        Setting(
            description="API token (SSWS). It has the permissions of its creator and expires after 30 days without "
            "use.",
            where=f"{_TOKENS} > Create token, where it is shown only once",
            example="env:OKTA_API_TOKEN",
            shape=Pattern(r"00[A-Za-z0-9_-]{40}", "42 characters that begin with 00", 42, documented=ANYTHING),
            recognised_by=r"00[A-Za-z0-9_-]{40}",
            lookalikes=(
                placeholder(
                    "00NgAPZqUVy8cX9ehNzzahEE5b-On9sImTcInvWp-x", "the example of Okta's documentation", _CREATE_TOKEN
                ),
                _id("00T", "the id of a token, as listed by Okta, not the token itself", _CREATE_TOKEN),
                wrong_kind(
                    r"eyJ[\w-]+\.[\w-]+\.[\w-]*",
                    "an OAuth access token, which expires after an hour",
                    "Set client_id and private_key instead of api_token: mfagate fetches access tokens with them.",
                ),
                wrong_kind(
                    r"(?s)\s*-----BEGIN .*",
                    "a private key",
                    "Move it to private_key, and set client_id to the client id of the app.",
                ),
                wrong_kind(
                    r"(?!00)[A-Za-z0-9_-]{40}|(?!00)[A-Za-z0-9_-]{64}",
                    "apparently the client secret of an app (an API token begins with 00)",
                    f"Set it to an API token: {_TOKENS} > Create token.",
                    documented=False,
                ),
            ),
            foreign_prefixes=("SSWS ", "Bearer ", "Basic "),
        ),
    ] = None
    token_id: Annotated[
        str | None,
        Setting(
            description="Id of the API token, used to look up when it expires; not secret.",
            where="the field id in the response to GET /api/v1/api-tokens, which needs an administrator",
            example="00Tabcdefg1234567890",
            shape=Pattern(r"00T[A-Za-z0-9]{17}", "20 characters that begin with 00T", 20, documented=ANY_SEGMENT),
        ),
    ] = None
    client_id: Annotated[
        str | None,
        Setting(
            description="Client ID of an API Services app; not secret.",
            where=f"{_APP} > General > Client Credentials > Client ID",
            example="0oaabcdefg1234567890",
            # An administrator may choose another id when creating the app through the API.
            # A shorter value with the prefix of Okta's own ids was truncated.
            shape=Pattern(
                r"0oa[A-Za-z0-9]{17}|(?!0oa)[A-Za-z0-9$_.+!*'(),-]{6,100}",
                "20 characters that begin with 0oa, or the client id that was chosen for the app",
                documented=r"(?!0oa[A-Za-z0-9]{0,16}$)[A-Za-z0-9$_.+!*'(),-]{6,100}",
            ),
            lookalikes=(
                wrong_kind(
                    r"00[A-Za-z0-9_-]{40}",
                    "apparently an API token",
                    "Move it to api_token, and keep it in a secret store.",
                    documented=False,
                ),
                wrong_kind(
                    r"(00[Tugo]|ocs|pks|aus)[A-Za-z0-9]{17}",
                    "the id of another Okta object, not of an app",
                    f"Copy the app's client id: {_APP} > General. It begins with 0oa.",
                    documented=False,
                ),
            ),
        ),
    ] = None
    private_key: Annotated[
        SecretStr | None,
        Setting(
            description="Private key of the app, in PEM or as a JWK. Its public half must be registered with the app.",
            where=f"{_APP} > General > Client Credentials > Public key / Private key: shown once, as JSON or PEM",
            example="file:okta-private-key.pem",
            shape=PrivateKey(),
            multiline=True,
            lookalikes=(
                _id("ocs", "the id of a client secret", _NOT_A_CLIENT_SECRET),
                _id("pks", "the id of a public key", "Set it to the private key, which Okta does not store."),
                wrong_kind(
                    r"[A-Za-z0-9_-]{40}|[A-Za-z0-9_-]{64}",
                    "apparently a client secret, which Okta's APIs do not accept",
                    _NOT_A_CLIENT_SECRET,
                ),
            ),
        ),
    ] = None
    key_id: Annotated[
        str | None,
        Setting(
            description="Key ID (kid) of the key. Required if the app has more than one key.",
            where=f"{_APP} > General > Client Credentials > Public keys > KID",
            example="kA8zT1bYw2cD3eF4gH5iJ6kL7mN8oP9qR0sT1uV2wX3",
            shape=Pattern(r"[!-~]{1,255}", "the kid of a key, without spaces", documented=ANYTHING),
            lookalikes=(
                wrong_kind(
                    r"pks[A-Za-z0-9]{17}|0oa[A-Za-z0-9]{17}",
                    "an Okta object id, not the kid of a key",
                    "Copy the KID that is shown next to the key.",
                    documented=False,
                ),
            ),
        ),
    ] = None
    scopes: Annotated[
        str | None,
        Setting(
            description=f"Scopes to request with the key. Default: {DEFAULT_SCOPES}.",
            where=f"{_APP} > Okta API Scopes, which lists the granted scopes",
            example=DEFAULT_SCOPES,
            shape=Scopes(),
        ),
    ] = None

    @property
    def requested_scopes(self) -> str:
        """The scopes to request."""
        return self.scopes or DEFAULT_SCOPES


def token_form(settings: OktaSettings) -> Mapping[str, str]:
    """Return the fields of a request for an access token, without the assertion."""
    return {"grant_type": "client_credentials", "scope": settings.requested_scopes}
