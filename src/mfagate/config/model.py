"""The typed form of ``integrations.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PrivateAttr
from pydantic_core import PydanticCustomError

from mfagate.config.environments import Environment as Environment
from mfagate.config.environments import Tables, base_name
from mfagate.config.nearest import nearest_to
from mfagate.config.shapes import BaseUrl, is_loopback
from mfagate.config.table import Day, Table
from mfagate.config.waivers import Waiver
from mfagate.core.finding import Location
from mfagate.core.toml_lines import KeyPath, TomlLines, dotted
from mfagate.secrets.reference import Reference

MADE = "(/[a-z]+)?"
"""The end of the name of an expanded environment; names in the file have no slash."""

NAME = rf"^[A-Za-z0-9][A-Za-z0-9._-]{{0,63}}{MADE}$"


def _no_nul(value: Path) -> Path:
    """Refuse a NUL character, with which no operating system opens a path."""
    if "\0" in str(value):
        raise PydanticCustomError("path_nul", "should be a path without a NUL character")
    return value


# Strict, because pydantic would also accept true as 1 and "5" as 5.
Number = Annotated[float, Field(strict=True)]
WholeNumber = Annotated[int, Field(strict=True)]
FilePath = Annotated[Path, AfterValidator(_no_nul)]
NumberOrReference = Number | str


def _path_or_reference(value: str) -> str:
    """Refuse an empty text, and the text of a key itself."""
    if not value.strip() or "\0" in value:
        raise PydanticCustomError("path_or_reference", "should be the path of a PEM file, or a reference")
    if "-----BEGIN" in value:
        raise PydanticCustomError(
            "path_or_reference",
            "should be the path of a PEM file, or a reference; a key itself must not be in this file",
        )
    return value


PathOrReference = Annotated[str, AfterValidator(_path_or_reference)]


class LoginClient(Table):
    """The settings of the login service's own MFA client. Values may be references."""

    timeout_seconds: NumberOrReference | None = Field(None, description="Seconds that the client waits per attempt.")
    retries: NumberOrReference | None = Field(None, description="Attempts after the first.")
    backoff_seconds: NumberOrReference | None = Field(None, description="Seconds between two attempts.")
    login_budget_seconds: NumberOrReference | None = Field(
        None, description="Seconds that a whole login may take before the user gives up."
    )
    when_unavailable: str | None = Field(
        None,
        description="What the login service does when the provider cannot be reached: "
        "deny (fail closed) or allow (fail open). May be a reference.",
    )


class Documentation(Table):
    """The owner of the integration and the places of its documents."""

    owner: str | None = Field(None, description="Team that owns the integration.")
    runbook: str | None = Field(None, description="URL of the runbook.")
    provider_docs: str | None = Field(None, description="URL of the provider's documentation.")
    escalation: str | None = Field(None, description="Provider support contact and account number.")
    rotation_days: WholeNumber | None = Field(None, gt=0, description="Days after which the credential is rotated.")
    reviewed: Day | None = Field(None, description="Day of the last review.")


class Integration(Table):
    """One use of one provider: the settings to deploy, and the account that must answer."""

    provider: str = Field(description="Name of the provider.")
    environment: Environment = Field(description="Where it is used. Nothing unsafe is sent in production.")
    share_of_users: Number | None = Field(
        None, gt=0, le=1, description="Share of users whose logins depend on it, from 0 to 1."
    )
    endpoint: str | None = Field(
        None, description='Connect here instead: a URL, or "sandbox" to start the provider\'s local sandbox.'
    )
    plan: str | None = Field(
        None,
        description='Plan of the account, such as "free", if the provider publishes lower limits of requests for it. '
        "Default: paid.",
    )
    ca_bundle: FilePath | None = Field(None, description="PEM file with the certificate authorities to trust.")
    client_certificate: PathOrReference | None = Field(
        None, description="PEM file with the client certificate for a server that demands one. May be a reference."
    )
    client_key: PathOrReference | None = Field(
        None, description="PEM file with its private key, unless the key is in the same file. May be a reference."
    )
    contract: FilePath | None = Field(None, description="The pact to verify. Default: by provider, under contracts/.")
    cassettes: FilePath | None = Field(None, description="Recordings. Default: by provider, under cassettes/.")
    timeout_seconds: Number = Field(5.0, gt=0, le=60, description="Seconds that one request may take in all.")
    state_timeout_seconds: Number | None = Field(
        None,
        gt=0,
        le=60,
        description="Seconds that one request for a provider state may take. Default: timeout_seconds.",
    )
    minimum_checks: WholeNumber | None = Field(
        None, ge=1, description="The run fails (gate.nothing-checked) if it makes fewer checks."
    )
    minimum_interactions: WholeNumber | None = Field(
        None, ge=1, description="The run fails (gate.nothing-checked) if it sends fewer interactions of the contract."
    )
    production_allows: tuple[Literal["failing-credential", "unsafe-interactions"], ...] = Field(
        (), description="What mfagate may send in production in addition to safe probes."
    )
    settings: dict[str, str] = Field(default_factory=dict, description="The provider's own field names.")
    expect: dict[str, str] = Field(default_factory=dict, description="The account that must answer.")
    control: dict[str, str] = Field(
        default_factory=dict, description="A second credential, known to be good: shows if the provider is at fault."
    )
    test_data: dict[str, str] = Field(default_factory=dict, description="Test users for provider states.")
    client: LoginClient = Field(default_factory=lambda: LoginClient.model_validate({}))
    documentation: Documentation = Field(default_factory=lambda: Documentation.model_validate({}))
    waivers: tuple[Waiver, ...] = Field((), description="Findings that are accepted until a date.")

    _name: str = PrivateAttr("")
    _origin: ConfigOrigin = PrivateAttr()
    _unknown_keys: tuple[tuple[str, ...], ...] = PrivateAttr(())
    _unknown_values: tuple[tuple[str, str], ...] = PrivateAttr(())

    @property
    def name(self) -> str:
        """The NAME of ``[integrations.NAME]``, or ``NAME/ENVIRONMENT`` for one of its environments."""
        return self._name

    @property
    def base(self) -> Path:
        """The folder that relative paths start from."""
        return self._origin.path.parent

    @property
    def unknown_keys(self) -> tuple[tuple[str, ...], ...]:
        """Paths of unknown keys inside this table."""
        return self._unknown_keys

    @property
    def arranging_timeout(self) -> float:
        """Seconds for one request that prepares a provider state."""
        return self.state_timeout_seconds or self.timeout_seconds

    @property
    def unknown_values(self) -> tuple[tuple[str, str], ...]:
        """The texts under unknown keys, each with its key: one may be a misplaced secret."""
        return self._unknown_values

    @property
    def contract_path(self) -> Path:
        """The pact file."""
        default = Path("contracts", self.provider, f"auth-service-{self.provider}.json")
        return self.base / (self.contract or default)

    @property
    def cassettes_path(self) -> Path:
        """The folder of recordings."""
        return self.base / (self.cassettes or Path("cassettes", self.provider))

    @property
    def uses_sandbox(self) -> bool:
        """Whether mfagate starts the local sandbox for it."""
        return self.endpoint == "sandbox"

    def is_inline(self, table: str) -> bool:
        """Return whether the table that :meth:`head` names is an inline table."""
        return self._origin.is_inline("integrations", self._name, table)

    def has_own(self, table: str) -> bool:
        """Return whether the file has the table that :meth:`head` names."""
        return self._origin.has_own("integrations", self._name, table)

    def locate_own(self, *keys: str) -> Location:
        """Return the line of the table that :meth:`head` names, or of the nearest table around it."""
        return self._origin.locate_own("integrations", self._name, *keys)

    def locate(self, *keys: str) -> Location:
        """Return the line of a key of this table, or of the nearest table around it."""
        return self._origin.locate("integrations", self._name, *keys)

    def head(self, *keys: str) -> str:
        """Return the header of this integration's own table."""
        return self._origin.head("integrations", self._name, *keys)

    def written_head(self, *keys: str) -> str:
        """Return the header of the table that holds a key: the environment's own or the shared one."""
        return self._origin.written_head("integrations", self._name, *keys)

    def heads(self, *keys: str) -> str:
        """Return the headers of the tables in which a value can be set."""
        return self._origin.heads("integrations", self._name, *keys)


def _host(value: str) -> str:
    """Check a host name, with or without a port. This machine proves nothing about the network."""
    url = f"https://{value}"
    if "/" in value or BaseUrl().misfit(url) is not None:
        raise PydanticCustomError("host", "should be a host name such as www.example.com, without scheme and path")
    if is_loopback(url):
        raise PydanticCustomError("host_here", "should be another machine: this one proves nothing about the network")
    return value


MOST_CONCURRENCY = 256


class GateOptions(Table):
    """The table ``[gate]``: limits for all integrations."""

    expiring_soon_days: WholeNumber = Field(30, ge=0, le=3650, description="Days of warning before an expiry.")
    longest_waiver_days: WholeNumber = Field(180, ge=1, le=3650, description="Days that a waiver may last from today.")
    waiver_expiring_soon_days: WholeNumber = Field(
        14, ge=0, le=3650, description="Days before its last day from which a waiver is a warning."
    )
    cassette_max_age_days: WholeNumber = Field(180, ge=1, description="Days after which a recording is stale.")
    documentation_review_days: WholeNumber = Field(
        365, ge=1, le=3650, description="Days after which the review of an integration's documentation is overdue."
    )
    deadline_seconds: Number = Field(
        120.0, gt=0, le=3600, description="Seconds for one integration's live checks; the rest is inconclusive."
    )
    concurrency: WholeNumber = Field(
        8,
        ge=1,
        le=MOST_CONCURRENCY,
        description="Requests that may wait for an answer of one provider account at the same time. An answer 429 "
        "halves the number for the rest of the run.",
    )
    witness_host: Annotated[str, AfterValidator(_host)] | None = Field(
        None,
        description="Host to connect to if a provider cannot be reached, such as www.example.com. It shows "
        "whether this machine is the reason. Default: none.",
    )


def _reference(value: str) -> str:
    """Refuse a literal URL: it contains a token or a password, and the file is committed."""
    if Reference.parse(value) is None:
        raise PydanticCustomError("literal_address", "should be a reference such as env:MFA_NOTIFY_URL")
    return value


class Flapping(Table):
    """When a problem that comes and goes is sent once instead of each time."""

    changes: WholeNumber = Field(4, ge=2, le=100, description="Number of changes of a problem ...")
    runs: WholeNumber = Field(
        8, ge=2, le=1000, description="... within this number of runs. It ends after as many runs without a change."
    )


class NotifyOptions(Table):
    """The table ``[notify]``: where ``--notify`` sends changes since the last run."""

    urls: tuple[Annotated[str, AfterValidator(_reference)], ...] = Field(
        (), description="References to Apprise URLs, such as env:MFA_NOTIFY_URL."
    )
    on: tuple[Literal["new", "changed", "recovered"], ...] = Field(
        ("new", "changed", "recovered"), description="Which changes are sent."
    )
    remind_after_days: Number | None = Field(
        None, gt=0, le=365, description="Days after which a problem that persists is sent again. Default: never."
    )
    flapping: Flapping = Field(default_factory=lambda: Flapping.model_validate({}))
    report_url: str | None = Field(None, description="URL of the report. May be a reference.")


class HistoryOptions(Table):
    """The table ``[history]``: where earlier runs are kept."""

    url: str | None = Field(
        None,
        description="A path, a postgresql:// URL, or a reference to one of them. Default: .mfagate/history.db "
        "beside this file.",
    )
    retention_days: WholeNumber = Field(
        400, ge=60, le=36500, description="Days after which a run is deleted, when the next run is stored."
    )


class Configuration(Table):
    """The whole file."""

    notify: NotifyOptions = Field(default_factory=lambda: NotifyOptions.model_validate({}))
    history: HistoryOptions = Field(default_factory=lambda: HistoryOptions.model_validate({}))
    gate: GateOptions = Field(default_factory=lambda: GateOptions.model_validate({}))
    integrations: dict[Annotated[str, Field(pattern=NAME)], Integration] = Field(default_factory=dict)

    _origin: ConfigOrigin = PrivateAttr()

    @property
    def path(self) -> Path:
        """The file of the configuration."""
        return self._origin.path

    @property
    def text(self) -> str:
        """The text of the file."""
        return self._origin.text

    def locate(self, *keys: str) -> Location:
        """Return the line of a key of the file, or of the nearest table around it."""
        return self._origin.locate(*keys)

    def select(self, names: tuple[str, ...] = (), environments: tuple[str, ...] = ()) -> list[Integration]:
        """Return the integrations that match the filters, in file order. ``duo`` selects all environments of duo.

        Raises:
            KeyError: The file has no integrations, or lacks one of these names; the message says what to do.
        """
        if not self.integrations:
            raise KeyError(
                f"{self.path} has no integrations, so there is nothing to check: start with `mfagate init`, or add a "
                "table [integrations.NAME]"
            )
        selectable = {*self.integrations, *map(base_name, self.integrations)}
        for name in names:
            if name not in selectable:
                known = ", ".join(self.integrations) or "none"
                meant = _meant_environment(name) or nearest_to(name, selectable)
                raise KeyError(f"{self.path} has no integration {name!r}{meant}: {known}")
        return [
            integration
            for integration in self.integrations.values()
            if (not names or integration.name in names or base_name(integration.name) in names)
            and (not environments or integration.environment in environments)
        ]


def _meant_environment(name: str) -> str:
    """Return a hint at ``--environment``, if the name is that of an environment."""
    known = name.strip().lower()
    return f" (an environment is selected with --environment {known})" if known in [*Environment] else ""


class ConfigOrigin:
    """The source of a configuration. ``tables`` are those of integrations with environments, by name."""

    def __init__(self, path: Path, text: str, tables: Mapping[str, Tables] | None = None) -> None:
        self.path = path
        self.text = text
        self._lines = TomlLines(text)
        self._tables = tables or {}

    def is_inline(self, *keys: str) -> bool:
        """Return whether a table is an inline table; with environments, the environment's own table."""
        return self._own(keys) in self._lines.spans()

    def has_own(self, *keys: str) -> bool:
        """Return whether a table is in the file; with environments, in the environment's own table."""
        own = self._own(keys)
        return self._lines.depth(own) == len(own)

    def locate_own(self, *keys: str) -> Location:
        """Return the line of a key path; with environments, always in the environment's own table."""
        return Location(self.path, self._lines.line(self._own(keys)))

    def locate(self, *keys: str) -> Location:
        """Return the line of a key path: the environment's if it overrides the value, or else the shared one."""
        return Location(self.path, self._lines.line(self.written(*keys)))

    def written(self, *keys: str) -> KeyPath:
        """Return the key path in the file, or the one that it would have."""
        tables = self._tables_of(keys)
        if tables is None:
            return keys
        below = keys[2:]
        if below in ((), ("environment",)):
            return tables.own
        own = self._lines.depth((*tables.own, *below)) - len(tables.own)
        shared = self._lines.depth((*tables.shared, *below)) - len(tables.shared)
        return (*tables.own, *below) if own > 0 and own >= shared else (*tables.shared, *below)

    def head(self, *keys: str) -> str:
        """Return ``[integrations.duo.settings]``, or the header in the environment's own table."""
        return _head(self._own(keys))

    def written_head(self, *keys: str) -> str:
        """Return the header of the table that contains a key path."""
        return _head(self.written(*keys)[:-1])

    def heads(self, *keys: str) -> str:
        """Return ``[integrations.duo.settings]``; with environments, the own and the shared header."""
        tables = self._tables_of(keys)
        if tables is None:
            return _head(keys)
        return f"{_head((*tables.own, *keys[2:]))}, or for all environments in {_head((*tables.shared, *keys[2:]))}"

    def _own(self, keys: KeyPath) -> KeyPath:
        tables = self._tables_of(keys)
        return keys if tables is None else (*tables.own, *keys[2:])

    def _tables_of(self, keys: KeyPath) -> Tables | None:
        return self._tables.get(keys[1]) if len(keys) > 1 and keys[0] == "integrations" else None


def _head(keys: KeyPath) -> str:
    return f"[{dotted(keys)}]"
