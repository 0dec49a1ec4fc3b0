"""Settings of Vonage Verify v2.

Shapes: https://developer.vonage.com/en/account/secret-management (API key and secret),
https://developer.vonage.com/en/getting-started/concepts/authentication (applications and their keys). The
official client accepts only private keys in PKCS #8 (``vonage_jwt`` of
https://github.com/Vonage/vonage-python-sdk).
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import SecretStr

from mfagate.config.pem import PrivateKey
from mfagate.config.settings import ProviderSettings, Setting
from mfagate.config.shapes import Lookalike, Pattern
from mfagate.core.causes import CauseId

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class VonageSettings(ProviderSettings):
    """``[integrations.NAME.settings]``: an account's key and secret, or an application and its private key."""

    any_of: ClassVar[tuple[str, ...]] = ("api_secret", "private_key")

    api_key: Annotated[
        str | None,
        Setting(
            description="API key of the account; not secret.",
            where="Vonage dashboard > API settings > API key",
            example="0a1b2c3d",
            shape=Pattern(r"[0-9a-f]{8}", "8 hexadecimal digits", 8),
        ),
    ] = None
    api_secret: Annotated[
        SecretStr | None,
        Setting(
            description="API secret of the account.",
            where="Vonage dashboard > API settings > API secret",
            example="env:VONAGE_API_SECRET",
            shape=Pattern(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9]).{8,25}|[0-9A-Za-z]{16}", "8 to 25 characters"),
            lookalikes=(
                Lookalike(
                    r"[0-9A-Za-z]{32,}",
                    CauseId.CONFIG_WRONG_KIND,
                    "a value as long as the signature secret, which only signs messages",
                    "Copy the API secret, which is shown above the signature secret.",
                ),
            ),
        ),
    ] = None
    application_id: Annotated[
        str | None,
        Setting(
            description="Id of the application; not secret.",
            where="Vonage dashboard > Applications",
            example="78d335fa-323d-0114-9c3d-d6f0d48968cf",
            shape=Pattern(_UUID, "a UUID in lower case", 36),
        ),
    ] = None
    private_key: Annotated[
        SecretStr | None,
        Setting(
            description="Private key of the application.",
            where="Vonage dashboard > Applications > Edit > Generate public and private key",
            example="file:vonage-private.key",
            shape=PrivateKey(pkcs8_only=True),
            multiline=True,
        ),
    ] = None
