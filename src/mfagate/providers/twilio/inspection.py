"""Problems of settings that are valid individually."""

from __future__ import annotations

from collections.abc import Iterator

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.providers.twilio.settings import HOME_REGION, TwilioSettings


def half_a_key(settings: TwilioSettings) -> Iterator[tuple[str, Finding]]:
    """Find an API key without its SID or its secret."""
    if settings.api_key_sid and settings.api_key_secret is None:
        mixed = "; the SID of an API key cannot be used with an auth token" if settings.auth_token else ""
        message = f"settings.api_key_sid is set, but settings.api_key_secret is not{mixed}"
        next_step = "Set api_key_secret to the secret of this key, or remove api_key_sid to use the auth token."
        yield "api_key_secret", Finding(CauseId.CONFIG_SETTING_MISSING, message, next_step=next_step)
    if settings.api_key_secret and settings.api_key_sid is None:
        message = "settings.api_key_secret is set, but settings.api_key_sid, which identifies the key, is not"
        yield "api_key_sid", Finding(CauseId.CONFIG_SETTING_MISSING, message)


SILENT_REGION = "ie1"
"""The region outside the home region where Twilio offers one part of Verify."""


def another_region(settings: TwilioSettings) -> Iterator[tuple[str, Finding]]:
    """Find a region without Verify: it runs in the United States, and in Ireland only with Silent Network Auth.

    https://www.twilio.com/docs/global-infrastructure/regional-product-and-feature-availability (read 2026-06-25)
    lists text messages, calls, TOTP and push only for us1.
    """
    if settings.region == SILENT_REGION:
        message = (
            f"settings.region is {SILENT_REGION}, where Twilio offers Verify only for Silent Network Auth: text "
            f"messages, calls, TOTP and push are available only in {HOME_REGION}. {SILENT_REGION} rejects "
            f"credentials of {HOME_REGION}"
        )
        next_step = (
            "If the login service uses only Silent Network Auth, with a credential that was created in Ireland, "
            "change nothing. If it uses anything else, remove region, and remove TWILIO_REGION from the environment "
            "of the login service."
        )
        yield "region", Finding(CauseId.CONFIG_MALFORMED_VALUE, message, next_step=next_step, outcome=Outcome.WARN)
    elif settings.region not in (None, HOME_REGION):
        message = (
            f"settings.region is {settings.region}, where Twilio does not offer Verify: requests would go to "
            f"{settings.host('verify')}, and other regions reject credentials of {HOME_REGION}"
        )
        next_step = "Remove region, and remove TWILIO_REGION from the environment of the login service."
        yield "region", Finding(CauseId.CONFIG_MALFORMED_VALUE, message, next_step=next_step)
