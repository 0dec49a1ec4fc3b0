"""privacyIDEA, the self-hosted MFA server (https://www.privacyidea.org)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from mfagate.cassettes.scrub import Scrubbing
from mfagate.core.finding import Finding
from mfagate.providers.api import ProviderApi
from mfagate.providers.privacyidea.dialect import PrivacyIDEADialect
from mfagate.providers.privacyidea.probes import PrivacyIDEAProbes
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings, contradictions
from mfagate.providers.probes import Send
from mfagate.providers.provider import Provider

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States


class PrivacyIDEAApi(ProviderApi[PrivacyIDEASettings]):
    """The addresses of privacyIDEA's API, and the signer of requests."""

    most_at_once: ClassVar[int | None] = 4
    """A server of one's own often has few workers, and each request takes some of its processor."""

    def base_url(self, settings: PrivacyIDEASettings) -> str:
        """Return the configured URL."""
        return settings.url

    def signer(self, settings: PrivacyIDEASettings, tokens: Tokens) -> AuthBase:
        """Sign with the raw key or token that the endpoint takes."""
        from mfagate.providers.privacyidea.auth import PrivacyIDEAAuth

        return PrivacyIDEAAuth(settings, tokens)

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """Return False: the tokens are HOTP, and a push whose phone is simulated in this process."""
        return False


class PrivacyIDEA(Provider[PrivacyIDEASettings]):
    """Knowledge about privacyIDEA; all answers were observed on 3.14."""

    name: ClassVar[str] = "privacyidea"
    title: ClassVar[str] = "privacyIDEA"
    settings = PrivacyIDEASettings
    dialect = PrivacyIDEADialect()
    probes = PrivacyIDEAProbes()
    api = PrivacyIDEAApi()
    expectations: ClassVar[Mapping[str, str]] = {
        "realm": "the server's default realm, as in its answer about an unknown user",
        "version": "the server's version, or the beginning of it: 3.14",
        "public_key": "the server's public audit key (PEM), which verifies the signature of every answer",
    }
    not_identifying: ClassVar[frozenset[str]] = frozenset({"version"})
    test_data: ClassVar[Mapping[str, str]] = {
        "user": "an existing user who is used for nothing else: mfagate enrols and deletes tokens of this user",
        "more_users": "further users like it, separated by commas: with them, states are set up at the same time",
        "expired_validate_key": "an expired API key with the role validate (createtoken with -d -1)",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset({"expired_validate_key"})
    clock_tolerance_seconds: ClassVar[float] = 60.0
    scrubbing: ClassVar[Scrubbing] = Scrubbing(
        secret_fields=frozenset({"enrollment_credential", "googleurl", "otpkey", "seed"}),
        volatile_fields={
            "serial": "MFAGATE-000000000000",
            "signature": "rsa_sha256_pss:00",
            "threadid": 1,
            "time": 1767225600.0,
            "transaction_id": "00000000000000000000",
            "transaction_ids": ["00000000000000000000"],
        },
    )

    def credential_for(self, path: str, configured: Collection[str]) -> str | None:
        """Return the validate key for the endpoints where every login ends, unless the server requires no key."""
        from mfagate.providers.privacyidea.auth import signing_setting

        is_open = "validate_access" in configured
        return "validate_key" if signing_setting(path) == "validate_key" and not is_open else None

    def inspect(self, settings: PrivacyIDEASettings) -> Sequence[tuple[str, Finding]]:
        """Find half a service account, and two ways to authenticate at one endpoint."""
        return list(contradictions(settings))

    def states(
        self, send: Send[PrivacyIDEASettings], settings: PrivacyIDEASettings, test_data: Mapping[str, str]
    ) -> States:
        """Return the states of any server, set up through the admin API."""
        from mfagate.providers.privacyidea.states import PrivacyIDEAStates

        return PrivacyIDEAStates(self, send, settings, test_data)


PROVIDER = PrivacyIDEA()
