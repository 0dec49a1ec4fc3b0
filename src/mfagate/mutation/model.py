"""A mutation: an operator, the target that it edits, and the gate's result."""

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
"""Used in place of a cause if the configuration file itself is refused, with exit code 2."""


class Class(StrEnum):
    """The class of a mistake, or a harmless edit."""

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

    ``causes`` are the right causes to report (ids of the catalogue, or ``REFUSED``). ``wrong_value`` adds those of
    any wrong value of the edited setting: a malformed value, or a refusal by the provider or the network.
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
    """One setting of the copy.

    ``location`` is the line in the user's own files. ``reference`` is the copy's reference to the value; None for a
    literal in ``integrations.toml``. ``address`` is true for a URL or host name that decides where requests go.
    """

    integration: str
    field: SettingField
    value: str = dataclasses.field(repr=False)
    location: Location
    reference: Reference | None = None
    address: bool = False

    @property
    def name(self) -> str:
        """The dotted name, as messages use it."""
        return f"{self.integration}.settings.{self.field.name}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The path of its key in ``integrations.toml``."""
        return ("integrations", self.integration, "settings", self.field.name)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One edited copy. ``expected`` are the acceptable first causes; empty for a harmless edit."""

    id: str
    operator: EditOperator
    integration: str
    setting: str
    location: Location
    copy: Copy = dataclasses.field(repr=False)
    expected: frozenset[str] = frozenset()


class MutantStatus(StrEnum):
    """The result of a mutant. ``EQUIVALENT``: the edited copy is read exactly like the unedited one."""

    CAUGHT_OFFLINE = "caught offline"
    CAUGHT_LIVE = "caught live"
    SURVIVED = "survived"
    GREEN = "green"
    REFUSED = "refused"
    EQUIVALENT = "equivalent"

    @property
    def is_caught(self) -> bool:
        """Whether the gate caught it."""
        return self in (MutantStatus.CAUGHT_OFFLINE, MutantStatus.CAUGHT_LIVE)


@dataclass(frozen=True, slots=True)
class MutantResult:
    """The gate's result for a mutant.

    ``cause`` is the id of the first red cause; ``message`` contains no secret. ``only_warned`` is true if the gate
    reports the mistake only as a warning, which stops no deployment.
    """

    mutant: Mutant
    status: MutantStatus
    cause: str | None = None
    message: str = ""
    seconds: float = 0.0
    only_warned: bool = False

    @property
    def rightly_named(self) -> bool:
        """Whether a caught mutant has one of the causes that its operator declares."""
        return self.cause in self.mutant.expected


_CREDENTIAL = frozenset(
    {
        CauseId.CREDENTIAL_REJECTED, CauseId.CREDENTIAL_UNKNOWN_KEY, CauseId.CREDENTIAL_WRONG_ACCOUNT,
        CauseId.CREDENTIAL_WRONG_KIND, CauseId.CREDENTIAL_WRONG_REGION, CauseId.ACCOUNT_RESOURCE_MISSING,
    }
)  # fmt: skip

_SHAPE = frozenset({CauseId.CONFIG_MALFORMED_VALUE, CauseId.CONFIG_MALFORMED_URL})

_ADDRESS = frozenset(
    {
        CauseId.NETWORK_DNS_FAILURE, CauseId.NETWORK_CONNECTION_REFUSED, CauseId.NETWORK_CONNECTION_TIMEOUT,
        CauseId.NETWORK_TLS_HANDSHAKE, CauseId.NETWORK_TLS_HOSTNAME_MISMATCH, CauseId.NETWORK_NOT_HTTP,
        CauseId.ACCOUNT_RESOURCE_MISSING, CauseId.CREDENTIAL_WRONG_ACCOUNT,
    }
)  # fmt: skip


def expected_causes(operator: EditOperator, *, address: bool) -> frozenset[str]:
    """Return the right causes for an edit of a setting, which may be an ``address`` (URL or host)."""
    if not operator.wrong_value:
        return operator.causes
    return operator.causes | _SHAPE | (_ADDRESS if address else _CREDENTIAL)
