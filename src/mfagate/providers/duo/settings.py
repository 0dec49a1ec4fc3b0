"""Settings of a Duo application of the type Auth API (https://duo.com/docs/authapi#first-steps).

The lengths are those that Duo's own libraries demand (``duo_web`` of https://github.com/duosecurity/duo_python:
IKEY_LEN 20, SKEY_LEN 40; https://github.com/duosecurity/duo_universal_python). Duo does not document the alphabets:
they are those that https://github.com/trufflesecurity/trufflehog/blob/main/pkg/detectors/duo/duo.go looks for.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import SecretStr

from mfagate.config.settings import OtherNames, ProviderSettings, Setting
from mfagate.config.shapes import Host, Pattern
from mfagate.providers.duo.names import OTHER_NAMES, PREFIXES
from mfagate.providers.lookalikes import placeholder

_PANEL = "Duo Admin Panel > Applications > your Auth API application"

_DOCUMENTATION = "the example of Duo's documentation"


class DuoSettings(ProviderSettings):
    """``[integrations.NAME.settings]`` of a Duo integration."""

    other_names: ClassVar[tuple[OtherNames, ...]] = OTHER_NAMES
    prefixes: ClassVar[tuple[str, ...]] = PREFIXES

    host: Annotated[
        str,
        Setting(
            description="API hostname of the account.",
            where=f"{_PANEL} > Details > API hostname",
            example="api-1a2b3c4d.duosecurity.com",
            shape=Host(
                r"api-[0-9a-f]{8}\.(duosecurity|duofederal)\.com",
                "an API hostname such as api-1a2b3c4d.duosecurity.com",
                documented=r"api-[a-z0-9-]+\.(duosecurity|duofederal)\.com",
                foreign=(
                    (r"admin(-[0-9a-f]{8})?\.duosecurity\.com", "the host of the Admin Panel, not of the API"),
                    (r"(www\.)?duo(security)?\.com", "Duo's website, not the account's API hostname"),
                ),
            ),
            lookalikes=(
                placeholder(
                    r"(?i)api-x{8}\.duosecurity\.com", _DOCUMENTATION, "Copy the API hostname of your own application."
                ),
            ),
        ),
    ]
    integration_key: Annotated[
        str,
        Setting(
            description="Integration key (ikey) of the application; not secret.",
            where=f"{_PANEL} > Details > Integration key",
            example="DIXXXXXXXXXXXXXXXXXX",
            shape=Pattern(
                r"DI[A-Z0-9]{18}",
                "20 characters that begin with DI, in upper-case letters and digits",
                20,
                documented=".{20}",
            ),
            lookalikes=(
                placeholder(
                    r"DIWJ8X6AEYOR5OMC6TQ1|DIX{18}", _DOCUMENTATION, "Copy the integration key of your own application."
                ),
            ),
        ),
    ]
    secret_key: Annotated[
        SecretStr,
        Setting(
            description="Secret key (skey) of the same application.",
            where=f"{_PANEL} > Details > Secret key",
            example="env:DUO_SECRET_KEY",
            shape=Pattern(r"[A-Za-z0-9]{40}", "40 letters and digits", 40, documented=".{40}"),
            recognised_by=r"[A-Za-z0-9]{40}",
            lookalikes=(
                placeholder(
                    "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep",
                    _DOCUMENTATION,
                    "Copy the secret key of your own application.",
                ),
            ),
        ),
    ]
