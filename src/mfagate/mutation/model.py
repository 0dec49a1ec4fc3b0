"""What a mutation is: an operator, the place that it edits, and what the gate said."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum

from mfagate.config.settings import SettingField
from mfagate.core.causes import CauseId
from mfagate.core.finding import Location
from mfagate.mutation.copy import Copy
from mfagate.secrets.reference import Reference

REFUSED = "refused"
"""In place of a cause: the configuration file itself is refused, with exit code 2."""


class Class(StrEnum):
    """Classes of mistakes, and the harmless edits."""

    TYPO = "typo"
    STRAY = "stray"
    ENCODING = "encoding"
    WRONG_VALUE = "wrong-value"
    STALE = "stale"
    PERMISSION = "permission"
    ADDRESS = "address"
    MISSING = "missing"
    TYPE = "type"
    REFERENCE = "reference"
    EXPECTATION = "expectation"
    CLIENT = "client"
    HARMLESS = "harmless"


@dataclass(frozen=True, slots=True)
class EditOperator:
    """One way to edit a configuration.

    ``causes`` are the right answers to it (ids of the catalogue, or ``REFUSED``).
    ``wrong_value`` adds those of any wrong value in the edited setting: a malformed
    value, and what the provider or the network says to it.
    """

    name: str
    kind: Class
    sentence: str
    causes: frozenset[str] = frozenset()
    wrong_value: bool = False

    @property
    def harmful(self) -> bool:
        """Whether the gate must refuse the edited configuration."""
        return self.kind is not Class.HARMLESS


@dataclass(frozen=True, slots=True)
class EditTarget:
    """One setting of the copy. ``location`` is the line in the user's own files.

    ``reference`` is how the copy reads it, None for a literal in ``integrations.toml``.
    ``address`` says that it is a URL or a host name that decides where requests go.
    """

    integration: str
    field: SettingField
    value: str = dataclasses.field(repr=False)
    location: Location
    reference: Reference | None = None
    address: bool = False

    @property
    def name(self) -> str:
        """The dotted name, as in messages."""
        return f"{self.integration}.settings.{self.field.name}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The path of its key in ``integrations.toml``."""
        return ("integrations", self.integration, "settings", self.field.name)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One edited copy. ``expected`` are the acceptable first causes, empty for a harmless edit."""

    id: str
    operator: EditOperator
    integration: str
    setting: str
    location: Location
    copy: Copy = dataclasses.field(repr=False)
    expected: frozenset[str] = frozenset()


class MutantStatus(StrEnum):
    """What became of a mutant. ``EQUIVALENT``: what is read from the edited copy is what was read before."""

    CAUGHT_OFFLINE = "caught offline"
    CAUGHT_LIVE = "caught live"
    SURVIVED = "survived"
    GREEN = "green"
    REFUSED = "refused"
    EQUIVALENT = "equivalent"

    @property
    def is_caught(self) -> bool:
        """Whether the gate saw it."""
        return self in (MutantStatus.CAUGHT_OFFLINE, MutantStatus.CAUGHT_LIVE)


@dataclass(frozen=True, slots=True)
class MutantResult:
    """What the gate said to a mutant. ``cause`` is the first red one's id; ``message`` holds no secret.

    ``only_warned``: the gate says what is wrong, in a warning that stops no deployment.
    """

    mutant: Mutant
    fate: MutantStatus
    cause: str | None = None
    message: str = ""
    seconds: float = 0.0
    only_warned: bool = False

    @property
    def rightly_named(self) -> bool:
        """Whether a caught mutant got one of the causes that its operator declares."""
        return self.cause in self.mutant.expected


_CREDENTIAL = frozenset(
    {
        CauseId.CREDENTIAL_REJECTED,
        CauseId.CREDENTIAL_UNKNOWN_KEY,
        CauseId.CREDENTIAL_WRONG_ACCOUNT,
        CauseId.CREDENTIAL_WRONG_KIND,
        CauseId.CREDENTIAL_WRONG_REGION,
        CauseId.ACCOUNT_RESOURCE_MISSING,
    }
)

_SHAPE = frozenset({CauseId.CONFIG_MALFORMED_VALUE, CauseId.CONFIG_MALFORMED_URL})

_ADDRESS = frozenset(
    {
        CauseId.NETWORK_DNS_FAILURE,
        CauseId.NETWORK_CONNECTION_REFUSED,
        CauseId.NETWORK_CONNECTION_TIMEOUT,
        CauseId.NETWORK_TLS_HANDSHAKE,
        CauseId.NETWORK_TLS_HOSTNAME_MISMATCH,
        CauseId.NETWORK_NOT_HTTP,
        CauseId.ACCOUNT_RESOURCE_MISSING,
        CauseId.CREDENTIAL_WRONG_ACCOUNT,
    }
)


def expected_causes(operator: EditOperator, *, address: bool) -> frozenset[str]:
    """Return the right causes for an edit of a setting that is an ``address`` (URL or host) or is none."""
    if not operator.wrong_value:
        return operator.causes
    return operator.causes | _SHAPE | (_ADDRESS if address else _CREDENTIAL)
