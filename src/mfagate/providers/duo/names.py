"""Names that other products of Duo have for the same settings.

Universal Prompt and Web SDK 4: https://duo.com/docs/duoweb. Older SDKs and the Authentication Proxy:
https://duo.com/docs/authproxy-reference and https://github.com/duosecurity/duo_client_python.
"""

from __future__ import annotations

from mfagate.config.settings import OtherNames

PREFIXES = (
    "DUO",
    "DUOSECURITY",
)

OTHER_NAMES = (
    OtherNames(
        "Duo's Universal Prompt (Web SDK 4)",
        {
            "client_id": "integration_key",
            "client_secret": "secret_key",
        },
        "The keys of a Web SDK application are of another kind: use those of an application of the type Auth API.",
    ),
    OtherNames(
        "Duo's SDKs and the Authentication Proxy",
        {
            "ikey": "integration_key",
            "skey": "secret_key",
            "api_host": "host",
            "api_hostname": "host",
            "hostname": "host",
            "api_url": "host",
            "integration_id": "integration_key",
            "api_key": "integration_key",
            "api_secret": "secret_key",
            "secret": "secret_key",
        },
    ),
)
