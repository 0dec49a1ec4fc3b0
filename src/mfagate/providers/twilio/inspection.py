"""What is wrong with settings that are right each by itself."""

from __future__ import annotations

from collections.abc import Iterator

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.providers.twilio.settings import HOME_REGION, TwilioSettings


def half_a_key(settings: TwilioSettings) -> Iterator[tuple[str, Finding]]:
    """An API key is two values."""
    if settings.api_key_sid and settings.api_key_secret is None:
        mixed = ": an auth token does not go with an API key's SID" if settings.auth_token else ""
        message = f"settings.api_key_sid is set, and settings.api_key_secret is not{mixed}"
        next_step = "Set api_key_secret to the secret of this key, or remove api_key_sid to use the auth token."
        yield "api_key_secret", Finding(CauseId.CONFIG_SETTING_MISSING, message, next_step=next_step)
    if settings.api_key_secret and settings.api_key_sid is None:
        message = "settings.api_key_secret is set, and settings.api_key_sid is not: nothing tells which key it is of"
        yield "api_key_sid", Finding(CauseId.CONFIG_SETTING_MISSING, message)


SILENT_REGION = "ie1"
"""Where Twilio offers one part of Verify beside the home region."""


def another_region(settings: TwilioSettings) -> Iterator[tuple[str, Finding]]:
    """Verify runs in the United States, and in Ireland with Silent Network Auth alone.

    https://www.twilio.com/docs/global-infrastructure/regional-product-and-feature-availability (read 2026-06-25)
    names text messages, calls, TOTP and push for us1 alone.
    """
    if settings.region == SILENT_REGION:
        message = (
            f"settings.region is {SILENT_REGION}, where Twilio offers Verify for Silent Network Auth alone: text "
            f"messages, calls, TOTP and push are in {HOME_REGION}. A credential of {HOME_REGION} is refused there"
        )
        next_step = (
            "If the login service uses Silent Network Auth alone, with a credential that was made in Ireland, leave it "
            "as it is. Otherwise remove region, and TWILIO_REGION from the environment of the login service."
        )
        yield "region", Finding(CauseId.CONFIG_MALFORMED_VALUE, message, next_step=next_step, outcome=Outcome.WARN)
    elif settings.region not in (None, HOME_REGION):
        message = (
            f"settings.region is {settings.region}, where Twilio does not offer Verify: requests would go to "
            f"{settings.host('verify')}, and a credential of {HOME_REGION} is refused in other regions"
        )
        next_step = "Remove region, and TWILIO_REGION from the environment of the login service."
        yield "region", Finding(CauseId.CONFIG_MALFORMED_VALUE, message, next_step=next_step)
