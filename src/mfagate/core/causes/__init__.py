"""The cause catalogue: every named reason why a check did not pass.

An id is stable: it appears in every report format, in the runbook and in
``mfagate explain ID``. The text of each cause, its default outcome and what it
exonerates live in one Markdown page per id under ``pages/``; this module gives
the ids names that a type checker can see and reads the pages on demand, so
that a run pays only for the causes it reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files


class Outcome(StrEnum):
    """The result of one check. Only ``FAIL`` and ``INCONCLUSIVE`` change a verdict."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    WARN = "warn"
    INFO = "info"
    SKIPPED = "skipped"

    @property
    def is_red(self) -> bool:
        """Whether later checks that depend on this one are skipped."""
        return self in (Outcome.FAIL, Outcome.INCONCLUSIVE)


class CauseId(StrEnum):
    """Stable ids of the catalogue, grouped by the part of the system they name."""

    CONFIG_SETTING_MISSING = "config.setting-missing"
    CONFIG_REFERENCE_UNRESOLVED = "config.reference-unresolved"
    CONFIG_LITERAL_SECRET = "config.literal-secret"
    CONFIG_PLACEHOLDER_LEFT = "config.placeholder-left"
    CONFIG_STRAY_CHARACTERS = "config.stray-characters"
    CONFIG_MALFORMED_VALUE = "config.malformed-value"
    CONFIG_VALUES_SWAPPED = "config.values-swapped"
    CONFIG_SECRET_ID_NOT_SECRET = "config.secret-id-not-secret"
    CONFIG_MALFORMED_URL = "config.malformed-url"
    CONFIG_WRONG_ENVIRONMENT = "config.wrong-environment"
    CONFIG_SHARED_CREDENTIAL = "config.shared-credential"
    CONFIG_EXPIRED = "config.expired"
    CONFIG_EXPIRING_SOON = "config.expiring-soon"
    CONFIG_WRONG_KIND = "config.wrong-kind"
    CONFIG_TIMEOUT_BUDGET = "config.timeout-budget"
    CONFIG_FAILS_OPEN = "config.fails-open"
    CONFIG_UNKNOWN_SETTING = "config.unknown-setting"
    CONFIG_READ_DIFFERENTLY = "config.read-differently"
    CONFIG_IDENTITY_UNPINNED = "config.identity-unpinned"

    NETWORK_DNS_FAILURE = "network.dns-failure"
    NETWORK_CONNECTION_REFUSED = "network.connection-refused"
    NETWORK_CONNECTION_TIMEOUT = "network.connection-timeout"
    NETWORK_CONNECTION_RESET = "network.connection-reset"
    NETWORK_READ_TIMEOUT = "network.read-timeout"
    NETWORK_PROXY = "network.proxy"
    NETWORK_TLS_UNTRUSTED = "network.tls-untrusted"
    NETWORK_TLS_EXPIRED = "network.tls-expired"
    NETWORK_TLS_EXPIRING_SOON = "network.tls-expiring-soon"
    NETWORK_TLS_HOSTNAME_MISMATCH = "network.tls-hostname-mismatch"
    NETWORK_TLS_HANDSHAKE = "network.tls-handshake"
    NETWORK_TLS_CLIENT_CERTIFICATE = "network.tls-client-certificate"
    NETWORK_NOT_HTTP = "network.not-http"
    NETWORK_UNEXPECTED_REDIRECT = "network.unexpected-redirect"
    NETWORK_THIS_MACHINE = "network.this-machine"

    CLOCK_SKEW = "clock.skew"

    CREDENTIAL_REJECTED = "credential.rejected"
    CREDENTIAL_UNKNOWN_KEY = "credential.unknown-key"
    CREDENTIAL_EXPIRED = "credential.expired"
    CREDENTIAL_EXPIRING_SOON = "credential.expiring-soon"
    CREDENTIAL_REVOKED = "credential.revoked"
    CREDENTIAL_WRONG_KIND = "credential.wrong-kind"
    CREDENTIAL_WRONG_ACCOUNT = "credential.wrong-account"
    CREDENTIAL_WRONG_REGION = "credential.wrong-region"
    CREDENTIAL_INSUFFICIENT_PERMISSION = "credential.insufficient-permission"
    CREDENTIAL_NETWORK_RESTRICTED = "credential.network-restricted"
    CREDENTIAL_NOT_ENFORCED = "credential.not-enforced"
    CREDENTIAL_NOT_PROVABLE = "credential.not-provable"

    ACCOUNT_SUSPENDED = "account.suspended"
    ACCOUNT_QUOTA_EXHAUSTED = "account.quota-exhausted"
    ACCOUNT_FEATURE_DISABLED = "account.feature-disabled"
    ACCOUNT_RESOURCE_MISSING = "account.resource-missing"

    PROVIDER_OUTAGE = "provider.outage"
    PROVIDER_DEGRADED = "provider.degraded"
    PROVIDER_AUTH_OUTAGE = "provider.auth-outage"
    PROVIDER_MAINTENANCE = "provider.maintenance"
    PROVIDER_RATE_LIMITED = "provider.rate-limited"
    PROVIDER_REFUSAL_UNRECOGNISED = "provider.refusal-unrecognised"
    PROVIDER_PING_UNAVAILABLE = "provider.ping-unavailable"

    CONTRACT_STATUS_CHANGED = "contract.status-changed"
    CONTRACT_FIELD_MISSING = "contract.field-missing"
    CONTRACT_TYPE_CHANGED = "contract.type-changed"
    CONTRACT_VALUE_UNEXPECTED = "contract.value-unexpected"
    CONTRACT_HEADER_CHANGED = "contract.header-changed"
    CONTRACT_NOT_JSON = "contract.not-json"
    CONTRACT_BODY_UNREADABLE = "contract.body-unreadable"
    CONTRACT_ENDPOINT_RETIRED = "contract.endpoint-retired"
    CONTRACT_STATE_UNAVAILABLE = "contract.state-unavailable"
    CONTRACT_ASKED_TOO_SOON = "contract.asked-too-soon"
    CONTRACT_ALREADY_SENT = "contract.already-sent"
    CONTRACT_OUT_OF_DATE = "contract.out-of-date"
    CONTRACT_WEAK_RULE = "contract.weak-rule"
    CONTRACT_UNSAFE_PATH = "contract.unsafe-path"

    CASSETTE_MISSING = "cassette.missing"
    CASSETTE_STALE = "cassette.stale"
    CASSETTE_EMULATED = "cassette.emulated"
    CASSETTE_CONTRACT_MISMATCH = "cassette.contract-mismatch"
    CASSETTE_SECRET_LEAKED = "cassette.secret-leaked"

    DRIFT_FIELD_ADDED = "drift.field-added"
    DRIFT_FIELD_REMOVED = "drift.field-removed"
    DRIFT_TYPE_CHANGED = "drift.type-changed"
    DRIFT_VALUE_NEW = "drift.value-new"

    LATENCY_SHIFTED = "latency.shifted"

    ERRORS_RAISED = "errors.raised"

    DOCUMENTATION_INCOMPLETE = "documentation.incomplete"
    DOCUMENTATION_REVIEW_OVERDUE = "documentation.review-overdue"
    DOCUMENTATION_OUT_OF_DATE = "documentation.out-of-date"

    WAIVER_EXPIRED = "waiver.expired"
    WAIVER_EXPIRING_SOON = "waiver.expiring-soon"
    WAIVER_UNUSED = "waiver.unused"

    GATE_NOTHING_CHECKED = "gate.nothing-checked"
    GATE_PARTLY_ASKED = "gate.partly-asked"
    GATE_INTERNAL_ERROR = "gate.internal-error"
    GATE_RESOURCES = "gate.resources"

    @property
    def family(self) -> CauseFamily:
        """The part of the system that the cause names."""
        return CauseFamily(self.partition(".")[0])


class CauseFamily(StrEnum):
    """The parts of the system that causes name, and the properties of each part."""

    CONFIG = "config"
    NETWORK = "network"
    CLOCK = "clock"
    CREDENTIAL = "credential"
    ACCOUNT = "account"
    PROVIDER = "provider"
    CONTRACT = "contract"
    CASSETTE = "cassette"
    DRIFT = "drift"
    LATENCY = "latency"
    ERRORS = "errors"
    DOCUMENTATION = "documentation"
    WAIVER = "waiver"
    GATE = "gate"

    @property
    def concerns_access(self) -> bool:
        """Whether the provider answered and denied access: to the credential or to the account."""
        return self in (CauseFamily.CREDENTIAL, CauseFamily.ACCOUNT)

    @property
    def concerns_provider(self) -> bool:
        """Whether other integrations of the same provider can confirm or refute the cause."""
        return self.concerns_access or self is CauseFamily.PROVIDER

    @property
    def is_no_answer(self) -> bool:
        """Whether the network or the provider failed."""
        return self in (CauseFamily.NETWORK, CauseFamily.PROVIDER)


def family_of(cause: str | None) -> CauseFamily | None:
    """Return the family of a stored cause; None without a cause, or for a family that only a newer version knows."""
    try:
        return CauseFamily((cause or "").partition(".")[0])
    except ValueError:
        return None


def happens_once(cause: str) -> bool:
    """Return whether a stored cause is an event, such as a changed answer: its absence later is no recovery."""
    return family_of(cause) is CauseFamily.DRIFT


def is_no_answer(cause: str | None) -> bool:
    """Return whether the network or the provider failed, so that nothing is known about the request itself."""
    answered = (CauseId.PROVIDER_REFUSAL_UNRECOGNISED, CauseId.PROVIDER_PING_UNAVAILABLE)
    family = family_of(cause)
    return family is not None and family.is_no_answer and cause not in answered


def may_pass(cause: CauseId) -> bool:
    """Return whether the cause may be temporary, so that another attempt is worthwhile."""
    return cause.family.is_no_answer or cause is CauseId.GATE_RESOURCES


def refuses(cause: CauseId | None) -> bool:
    """Return whether the provider refused the caller, for a known or an unknown reason."""
    if cause is None or cause is CauseId.CREDENTIAL_NOT_PROVABLE:
        return False
    return cause.family is CauseFamily.CREDENTIAL or cause is CauseId.PROVIDER_REFUSAL_UNRECOGNISED


def rejects_credential(cause: CauseId | None) -> bool:
    """Return whether the provider did not accept the credential itself."""
    return cause in (
        CauseId.CREDENTIAL_REJECTED,
        CauseId.CREDENTIAL_UNKNOWN_KEY,
        CauseId.CREDENTIAL_EXPIRED,
        CauseId.CREDENTIAL_REVOKED,
    )


@dataclass(frozen=True, slots=True)
class Cause:
    """One page of the catalogue.

    ``exonerates`` lists what this cause clears once it is
    established; a report states only those that the same run also observed.
    ``text`` is Markdown: what it means, evidence, first steps, who to talk to.
    """

    id: CauseId
    title: str
    outcome: Outcome
    other_outcomes: tuple[Outcome, ...]
    severity: str
    exonerates: tuple[str, ...]
    contact: str
    next_step: str
    text: str


@cache
def load(cause_id: CauseId) -> Cause:
    """Read the page of one cause."""
    from mfagate.core.yaml_text import documents

    source = (files(__name__) / "pages" / f"{cause_id}.md").read_text(encoding="utf-8")
    _, front_matter, text = source.split("---\n", 2)
    (fields,) = documents(front_matter)
    return Cause(
        id=CauseId(fields["id"]),
        title=fields["title"],
        outcome=Outcome(fields["outcome"]),
        other_outcomes=tuple(Outcome(value) for value in fields["other_outcomes"]),
        severity=fields["severity"],
        exonerates=tuple(fields["exonerates"]),
        contact=fields["contact"],
        next_step=" ".join(fields["next_step"].split()),
        text=text.strip() + "\n",
    )
