"""Settings of a Twilio Verify service and of the credential that uses it.

SIDs are two capitals that name the kind and 32 hexadecimal digits (the patterns of
https://github.com/twilio/twilio-oai/blob/main/spec/yaml/twilio_verify_v2.yaml). Twilio does not document the form of
its secrets: their usual shapes are those that
https://github.com/trufflesecurity/trufflehog/blob/main/pkg/detectors/twilio/twilio.go and
https://github.com/trufflesecurity/trufflehog/blob/main/pkg/detectors/twilioapikey/twilioapikey.go look for, and another
shape is only a warning. Test credentials have the same shapes as live ones and cannot be distinguished here. Host names
are from https://www.twilio.com/docs/global-infrastructure/using-the-twilio-rest-api-in-a-non-us-region.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from mfagate.config.settings import OtherNames, ProviderSettings, Setting
from mfagate.config.shapes import ANYTHING, Lookalike, Misfit, Pattern
from mfagate.core.causes import CauseId
from mfagate.providers.lookalikes import placeholder
from mfagate.providers.twilio.names import OTHER_NAMES, PREFIXES

ACCOUNTS = "/2010-04-01/Accounts/"
"""The API of accounts and keys. It accepts the auth token, and of API keys only main keys
(https://www.twilio.com/docs/iam/api-keys/keys-in-console)."""

HOME_REGION = "us1"
"""The default region of requests and credentials."""

_CONSOLE = "Twilio Console (console.twilio.com)"

_KEYS = f"{_CONSOLE} > Account > API keys & tokens"

_KINDS = {
    "AC": "an account",
    "VA": "a Verify service",
    "SK": "an API key",
    "VE": "a verification",
    "VL": "a verification attempt",
    "YE": "an entity",
    "YF": "a factor",
    "YC": "a challenge",
    "MG": "a messaging service",
    "IS": "a Conversations or Sync service",
    "HJ": "a template",
    "PN": "a phone number",
    "CR": "a push credential",
}
"""The meaning of the first two letters of a SID."""

_HEX = "[0-9a-fA-F]{32}"

_EXAMPLE = "the example of Twilio's documentation"


@dataclass(frozen=True, slots=True)
class Token:
    """A value of one alphabet and length; ``others`` are values that people confuse with it.

    Each is a regular expression and the misfit to report. ``documented`` is as in ``Pattern``.
    """

    regex: str
    expected: str
    length: int
    others: tuple[tuple[str, Misfit], ...]
    documented: str | None = None

    def misfit(self, value: str) -> Misfit | None:
        """Recognise confused values before checking the length."""
        known = next((misfit for regex, misfit in self.others if re.fullmatch(regex, value)), None)
        return known or Pattern(self.regex, self.expected, self.length, self.documented).misfit(value)


def _sid(prefix: str) -> Token:
    others = tuple(
        (f"{other}{_HEX}", Misfit(f"it is the SID of {what}, not of {_KINDS[prefix]}", CauseId.CONFIG_WRONG_KIND))
        for other, what in _KINDS.items()
        if other != prefix
    )
    return Token(f"{prefix}{_HEX}", f"{prefix} and 32 hexadecimal digits", 34, others)


_SID_FOR_SECRET = tuple(
    (
        f"{prefix}{_HEX}",
        Misfit(f"it is the SID of {_KINDS[prefix]}, which is not secret", CauseId.CONFIG_SECRET_ID_NOT_SECRET),
    )
    for prefix in ("SK", "AC")
)

_AUTH_TOKEN = "[0-9a-f]{32}"

_KEY_SECRET = "(?=.*[g-zG-Z])[0-9A-Za-z]{32}"
"""About one in 10^14 random secrets has no letter after F."""


def _examples(regex: str, what: str) -> tuple[Lookalike, ...]:
    next_step = f"Copy {what} from the Twilio Console."
    return (placeholder(regex, _EXAMPLE, next_step),)


class TwilioSettings(ProviderSettings):
    """``[integrations.NAME.settings]`` of a Twilio Verify integration."""

    other_names: ClassVar[tuple[OtherNames, ...]] = OTHER_NAMES
    prefixes: ClassVar[tuple[str, ...]] = PREFIXES

    any_of: ClassVar[tuple[str, ...]] = ("auth_token", "api_key_secret")

    account_sid: Annotated[
        str,
        Setting(
            description="SID of the account that owns the Verify service.",
            where=f"{_CONSOLE} > Account dashboard > Account Info",
            example="AC0123456789abcdef0123456789abcdef",
            shape=_sid("AC"),
            lookalikes=_examples(r"AC([xX]|a){32}", "the Account SID"),
        ),
    ]
    service_sid: Annotated[
        str,
        Setting(
            description="SID of the Verify service.",
            where=f"{_CONSOLE} > Verify > Services > your service > Service SID",
            example="VA0123456789abcdef0123456789abcdef",
            shape=_sid("VA"),
            lookalikes=_examples(r"VA([xX]|a){32}", "the Service SID"),
        ),
    ]
    api_key_sid: Annotated[
        str | None,
        Setting(
            description="SID of an API key; used together with api_key_secret.",
            where=f"{_KEYS} > API keys > SID",
            example="SK0123456789abcdef0123456789abcdef",
            shape=_sid("SK"),
            lookalikes=_examples(r"SK([xX]|a){32}", "the SID of an API key"),
        ),
    ] = None
    api_key_secret: Annotated[
        SecretStr | None,
        Setting(
            description="Secret of the same API key.",
            where=f"{_KEYS} > Create API key, where it is shown only once",
            example="env:TWILIO_API_KEY_SECRET",
            shape=Token(
                "[0-9A-Za-z]{32}",
                "32 letters and digits",
                32,
                (
                    *_SID_FOR_SECRET,
                    (
                        _AUTH_TOKEN,
                        Misfit(
                            "it looks like an auth token, which belongs to the SID of the account, not to the SID "
                            "of an API key",
                            CauseId.CONFIG_WRONG_KIND,
                            documented=False,
                        ),
                    ),
                ),
                ANYTHING,
            ),
        ),
    ] = None
    auth_token: Annotated[
        SecretStr | None,
        Setting(
            description="Auth token of the account, instead of an API key.",
            where=f"{_KEYS} > Auth Tokens > Live credentials > Primary auth token",
            example="env:TWILIO_AUTH_TOKEN",
            shape=Token(
                _AUTH_TOKEN,
                "32 hexadecimal digits in lower case",
                32,
                (
                    *_SID_FOR_SECRET,
                    (
                        _KEY_SECRET,
                        Misfit(
                            "it looks like the secret of an API key, which belongs to the SID of the key",
                            CauseId.CONFIG_WRONG_KIND,
                            documented=False,
                        ),
                    ),
                ),
                ANYTHING,
            ),
        ),
    ] = None
    region: Annotated[
        str | None,
        Setting(
            description="Region that processes the requests, as in TWILIO_REGION. Default: us1.",
            where="TWILIO_REGION in the environment of the login service; Twilio's documentation lists the regions",
            example="us1",
            shape=Pattern(r"[a-z]{2}\d", "a region such as us1, ie1 or au1"),
        ),
    ] = None
    edge: Annotated[
        str | None,
        Setting(
            description="Edge location that receives the requests, as in TWILIO_EDGE. Default: chosen by Twilio.",
            where="TWILIO_EDGE in the environment of the login service; Twilio's documentation lists the edges",
            example="ashburn",
            shape=Pattern(r"[a-z]+(-[a-z]+)*", "an edge location such as ashburn, dublin or sydney"),
        ),
    ] = None

    @property
    def key(self) -> tuple[str, str] | None:
        """SID and secret of the API key, if there is one."""
        secret = self.secret("api_key_secret")
        return (self.api_key_sid, secret) if self.api_key_sid and secret else None

    @property
    def token(self) -> tuple[str, str] | None:
        """SID and auth token of the account, if there is one."""
        token = self.secret("auth_token")
        return (self.account_sid, token) if token else None

    def host(self, product: str) -> str:
        """Return the host of a Twilio product, built from region and edge as in Twilio's own clients."""
        region = self.region or (HOME_REGION if self.edge else None)
        return ".".join(part for part in (product, self.edge, region, "twilio.com") if part)


def is_about_accounts(url: str) -> bool:
    """Return whether a URL or path belongs to the API of accounts, by its beginning.

    A path comes from a contract, and a value in its query must not select the credential.
    """
    return urlsplit(url).path.startswith(ACCOUNTS)


def signs_with_key(settings: TwilioSettings, url: str) -> bool:
    """Return whether a request is signed with the API key: all but those about accounts, if there is a key."""
    return settings.key is not None and not is_about_accounts(url)
