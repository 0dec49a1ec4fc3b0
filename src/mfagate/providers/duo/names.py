"""Names of the same settings in other products of Duo.

Universal Prompt and Web SDK 4: https://duo.com/docs/duoweb. Older SDKs and the Authentication Proxy:
https://duo.com/docs/authproxy-reference and https://github.com/duosecurity/duo_client_python.
"""

from __future__ import annotations

from mfagate.config.settings import OtherNames
from mfagate.providers.other_names import by_other_name

PREFIXES = ("DUO", "DUOSECURITY")

OTHER_NAMES = (
    OtherNames(
        "Duo's Universal Prompt (Web SDK 4)",
        by_other_name({"integration_key": "client_id", "secret_key": "client_secret"}),
        "The keys of a Web SDK application are of another type; use the keys of an application of the type Auth API.",
    ),
    OtherNames(
        "Duo's SDKs and the Authentication Proxy",
        by_other_name(
            {
                "integration_key": "ikey integration_id api_key",
                "secret_key": "skey api_secret secret",
                "host": "api_host api_hostname hostname api_url",
            }
        ),
    ),
)
