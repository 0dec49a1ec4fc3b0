"""What every provider must be able to do, as tests that a provider's own tests inherit.

A subclass says what is particular to the provider: its name, its contract, and which
change of a healthy configuration must lead to which cause. All runs are whole
commands against the provider's local sandbox, and everything that they write is
searched for the secrets.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from mfagate.causes import CauseId, load
from mfagate.contract import load as load_contract
from mfagate.exchange import Exchange, Response
from mfagate.providers import registry
from mfagate.providers.base import Provider
from mfagate.providers.states import State
from mfagate.result import SkipReason
from mfagate.sandbox import BETWEEN_MESSAGES, Running
from mfagate.sandbox.front import Fault, NeverRefuses, always, front, stall
from mfagate.testing.breaking import faults, spread
from mfagate.testing.consumer_tests import prove_contract
from mfagate.testing.holding import Holding
from mfagate.testing.leftovers import things_left
from mfagate.testing.project import Project, Result
from mfagate.testing.state_readers import blind_states
from mfagate.testing.wrapping import Wrapping

PASS, FAIL, INCONCLUSIVE = 0, 1, 3

FEWEST_INTERACTIONS = 12
"""A contract that covers the good and the bad answers of one factor has more."""


MOST_BROKEN = 6
"""How many of the changes that break a reader the suite sends through the gate: one takes about a second."""


@dataclass(frozen=True, slots=True)
class Change:
    """Settings (or keys of ``expect``, written ``expect.KEY``) that are changed, and what the gate must say.

    A value is a literal, or ``sandbox:NAME`` for one that the sandbox hands out; None
    takes the setting away. The report must name the first of the changed settings.
    """

    values: Mapping[str, str | None]
    cause: CauseId
    setting: str | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """A case that this provider does not have, and why."""

    reason: str


LIVE_CASES = (
    "refused",
    "unknown key",
    "wrong kind",
    "expired",
    "revoked",
    "wrong account",
    "missing permission",
)
"""Credentials that only the provider can tell from good ones."""


_TELLING = slice(20, 40)
"""The part of a long secret that is looked for: reports cut what is long, and JSON Web Tokens all begin alike."""


def _telling(secret: str) -> str:
    """What tells a secret: of a URI for an authenticator its parameter, because the rest names the token."""
    if secret.startswith("otpauth://"):
        fields = parse_qs(urlsplit(secret).query)
        secret = next((fields[name][0] for name in ("secret", "enrollment_credential") if name in fields), "")
    return secret[_TELLING] if len(secret) > _TELLING.stop else secret


def _is_long(secret: str) -> bool:
    """A one-time password of six digits stands in many a number."""
    return len(secret) >= 8


class ProviderProject(Project):
    """One integration on a provider's running sandbox, healthy as it is."""

    def __init__(self, folder: Path, suite: ProviderSuite, running: Running) -> None:
        provider = registry.get(suite.provider)
        names = provider.sandbox_settings(running.values)
        self.values: dict[str, str] = {name: running.values[name] for name in names}
        self.expect = {
            key: running.values[value.removeprefix("sandbox:")] if value.startswith("sandbox:") else value
            for key, value in suite.expect.items()
        }
        self.test_data = {name: running.values[name] for name in provider.test_data if name in running.values}
        self.secret = provider.settings.secrets() | provider.test_secrets
        self.environment = "staging"
        self.endpoint = running.endpoint
        self.timeout_seconds = 5.0
        self._suite = suite
        self._ca_bundle = running.ca_bundle
        secrets = {**self.values, **self.test_data}
        super().__init__(folder, {_variable(name): secrets[name] for name in secrets if name in self.secret})

    def text(self) -> str:
        """The configuration as it is now; secrets go into the environment."""
        lines = [
            "[integrations.mfa]",
            f'provider = "{self._suite.provider}"',
            f'environment = "{self.environment}"',
            f'endpoint = "{self.endpoint}"',
            f"timeout_seconds = {self.timeout_seconds}",
            f'contract = "{self._suite.contract}"',
            f'cassettes = "{self._suite.cassettes}"',
            *([f'ca_bundle = "{self._ca_bundle}"'] if self._ca_bundle else []),
        ]
        for table, values in (("settings", self.values), ("expect", self.expect), ("test_data", self.test_data)):
            lines.append(f"[integrations.mfa.{table}]")
            lines += [f"{name} = {self._written(name, value)}" for name, value in values.items()]
        return "\n".join(lines) + "\n"

    def _written(self, name: str, value: str) -> str:
        if name in self.secret:
            self.env[_variable(name)] = value
            return f'"env:{_variable(name)}"'
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    def change(self, values: Mapping[str, str | None], running: Running) -> None:
        """Make an edit, as :class:`Change` describes it."""
        for key, value in values.items():
            table = self.expect if key.startswith("expect.") else self.values
            name = key.removeprefix("expect.")
            if value is None:
                table.pop(name, None)
            else:
                handed_out = value.startswith("sandbox:")
                table[name] = running.values[value.removeprefix("sandbox:")] if handed_out else value


def _variable(name: str) -> str:
    return f"MFAGATE_TEST_{name.upper()}"


class ProviderSuite:
    """Inherit it as ``class TestNAME(ProviderSuite)`` and fill in what is particular to the provider."""

    provider: ClassVar[str]
    """Its name in ``integrations.toml``."""

    contract: ClassVar[Path]
    cassettes: ClassVar[Path]

    expect: ClassVar[Mapping[str, str]] = {}
    """Who must answer; ``sandbox:NAME`` for what the sandbox hands out."""

    live: ClassVar[Mapping[str, Change | Absent]]
    """Each of :data:`LIVE_CASES`."""

    offline: ClassVar[Sequence[Change]]
    """Mix-ups and slips that are found without asking; the secret settings' usual slips are added."""

    swapped: ClassVar[Sequence[tuple[str, str]]] = ()
    """Pairs of settings whose exchanged values are recognised."""

    rate_limit: ClassVar[Fault]
    """The provider's own answer to too many requests."""

    most_skipped: ClassVar[int] = 0
    """Interactions that the sandbox cannot be put into the state for."""

    @pytest.fixture(scope="class")
    @classmethod
    def running(cls) -> Iterator[Running]:
        """The sandbox."""
        sandbox = registry.get(cls.provider).sandbox()
        assert sandbox is not None, "the suite runs against the provider's local sandbox"
        with _impatient(), sandbox.start() as running:
            yield running

    @pytest.fixture
    def project(self, tmp_path: Path, running: Running) -> ProviderProject:
        """Somebody's project, healthy as it is."""
        return ProviderProject(tmp_path, self, running)

    @pytest.fixture(scope="class")
    @classmethod
    def drilled(cls) -> Iterator[Running]:
        """Another one, in which something goes wrong; most tests do without what stands before it."""
        sandbox = registry.get(cls.provider).sandbox()
        assert sandbox is not None
        with _impatient(), sandbox.start(faults=[]) as running:
            yield running

    @pytest.fixture(scope="class")
    @classmethod
    def healthy(cls, running: Running, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, int]:
        """What a healthy gate says, and how many requests it makes."""
        project = ProviderProject(tmp_path_factory.mktemp("healthy"), cls(), running)
        with front(project.endpoint) as before:
            project.endpoint = before.url
            return project.run("gate"), len(before.requests)

    @pytest.fixture
    def definition(self) -> Provider:
        """The provider itself."""
        return registry.get(self.provider)

    def test_accepted(self, healthy: tuple[Result, int]) -> None:
        """A healthy configuration passes, with every interaction of the contract."""
        result, _ = healthy
        assert (result.exit_code, result.report["verdict"]) == (PASS, "pass"), result.stdout
        interactions = result.checks("contract.interaction")
        asked = [check for check in interactions if check["outcome"] == "pass"]
        assert len(interactions) - len(asked) <= self.most_skipped, _messages(interactions)
        assert len(asked) >= FEWEST_INTERACTIONS, _too_few(len(asked))
        assert result.checks("credential.enforced")[0]["outcome"] == "pass"

    def test_three_times_in_a_row(self, project: ProviderProject, healthy: tuple[Result, int]) -> None:
        """Nothing that a run leaves at the provider stops the next one."""
        for result in (healthy[0], project.run("gate"), project.run("gate")):
            _assert_passed(result)
        assert things_left(project.folder / "integrations.toml", project.env) == set()

    def test_two_at_once(self, tmp_path: Path, running: Running) -> None:
        """Two pipelines with the same test data are both right."""
        projects = [ProviderProject(tmp_path / name, self, running) for name in ("one", "other")]
        for project in projects:
            project.folder.mkdir()
        with ThreadPoolExecutor() as pool:
            results = list(pool.map(lambda project: project.run("gate"), projects))
        for result in results:
            _assert_passed(result)
        assert things_left(projects[0].folder / "integrations.toml", projects[0].env) == set()

    def test_interrupted(self, project: ProviderProject, healthy: tuple[Result, int]) -> None:
        """What a run leaves that is killed, the next one removes; one that is asked to end names what it leaves."""
        requests = healthy[1]
        # In the middle of the interactions; a run after a kill may make fewer requests, if the provider wants it later.
        self._interrupted(project, requests * 3 // 5, signal.SIGKILL)
        result = self._interrupted(project, requests * 2 // 5, signal.SIGTERM)
        assert result.exit_code == 128 + signal.SIGTERM
        left = things_left(project.folder / "integrations.toml", project.env)
        assert not [thing for thing in left if thing not in result.stderr], result.stderr
        _assert_passed(project.run("gate"))
        assert things_left(project.folder / "integrations.toml", project.env) == set()

    def _interrupted(self, project: ProviderProject, number: int, how: signal.Signals) -> Result:
        """Interrupt a gate when the provider has done what a request asks, and nobody hears of it."""
        holding, endpoint = Holding(number), project.endpoint
        with front(endpoint, holding) as before:
            project.endpoint = before.url
            project.write()
            with project.start("gate") as command:
                holding.wait_for(command)
                command.send_signal(how)
                result = project.ended(command)
            holding.released.set()
        project.endpoint = endpoint
        project.write()
        return result

    @pytest.mark.parametrize("case", LIVE_CASES)
    def test_live(self, project: ProviderProject, running: Running, case: str) -> None:
        """A credential that is wrong in a way that only the provider can tell."""
        change = self.live[case]
        if isinstance(change, Absent):
            pytest.skip(change.reason)
        project.change(change.values, running)
        result = project.run("gate")
        assert (result.exit_code, result.first["cause"]) == (FAIL, change.cause), result.stdout
        self._assert_helpful(result, change, project)
        assert not [check for check in result.checks("configuration") if check["outcome"] == "fail"]

    def _assert_helpful(self, result: Result, change: Change, project: ProviderProject) -> None:
        """The first screen names the setting, its line and the next step."""
        red = result.first_red
        key = change.setting or next(iter(change.values))
        assert red["next_step"]
        assert key.removeprefix("expect.") in red["message"] + str(red["evidence"].get("setting", "")), result.stdout
        assert red["location"] is not None, result.stdout
        if not key.startswith("expect.") and key in project.values:
            assert red["location"]["line"] == project.line_of(f"{key} ="), result.stdout
        assert "database" in result.first["exonerated"]

    def test_offline(self, project: ProviderProject, running: Running) -> None:
        """Every slip and mix-up is found without a network, and its setting named."""
        for change in [*self.offline, *self._slips(project)]:
            fresh = ProviderProject(project.folder, self, running)
            fresh.change(change.values, running)
            result = fresh.run("check")
            assert (result.exit_code, result.first["cause"]) == (FAIL, change.cause), (change, result.stdout)
            key = change.setting or next(iter(change.values))
            assert key in result.first_red["message"], result.stdout

    def _slips(self, project: ProviderProject) -> Iterator[Change]:
        definition = registry.get(self.provider)
        for field in definition.settings.fields():
            value = project.values.get(field.name)
            if value is None:
                continue
            # A PEM key ends with a newline by right; what it loses on the way are its line breaks.
            slip = value.replace("\n", "\\n") if field.setting.multiline else f"{value}\n"
            yield Change({field.name: slip}, CauseId.CONFIG_STRAY_CHARACTERS)
            yield Change({field.name: f"'{value}'"}, CauseId.CONFIG_STRAY_CHARACTERS)
            yield Change({field.name: "changeme"}, CauseId.CONFIG_PLACEHOLDER_LEFT)
            yield Change({field.name: ""}, CauseId.CONFIG_SETTING_MISSING)
            if field.secret and not field.setting.multiline:
                yield Change({field.name: f"Bearer {value}"}, CauseId.CONFIG_STRAY_CHARACTERS)
        for first, second in self.swapped:
            exchanged = {first: project.values[second], second: project.values[first]}
            yield Change(exchanged, CauseId.CONFIG_VALUES_SWAPPED)

    def test_own_faults(self, tmp_path: Path, drilled: Running) -> None:
        """What the sandbox can be asked to do wrong is found, and is one of the right answers."""
        sandbox = registry.get(self.provider).sandbox()
        assert sandbox is not None
        for kind in filter(lambda kind: kind.causes, sandbox.faults):
            project = ProviderProject(tmp_path, self, drilled)
            if not set(kind.needs) <= project.values.keys():
                project.values = {name: drilled.values[name] for name in kind.needs}
            drilled.change_faults([kind.name])
            result = project.run("gate")
            assert result.first["cause"] in kind.causes, (kind.name, result.stdout)
            assert result.first_red["next_step"]
        drilled.change_faults([])
        result = ProviderProject(tmp_path, self, drilled).run("gate")
        assert result.exit_code == PASS, result.stdout

    def test_documented_variants(self, tmp_path: Path) -> None:
        """What the provider documents as possible, and a sandbox shows if it is asked to, passes."""
        sandbox = registry.get(self.provider).sandbox()
        assert sandbox is not None
        for kind in filter(lambda kind: not kind.causes, sandbox.faults):
            with sandbox.start(faults=[kind.name]) as running:
                result = ProviderProject(tmp_path, self, running).run("gate")
            assert result.exit_code == PASS, (kind.name, result.stdout)

    def test_rate_limited(self, project: ProviderProject) -> None:
        """Too many requests are nobody's misconfiguration."""
        result = self._through(project, type(self).rate_limit)
        assert (result.exit_code, result.first["cause"]) == (INCONCLUSIVE, CauseId.PROVIDER_RATE_LIMITED), result.stdout

    def test_timeout(self, project: ProviderProject) -> None:
        """A provider that keeps silent neither fails the deployment nor passes it."""
        project.timeout_seconds = 0.5
        result = self._through(project, stall)
        assert (result.exit_code, result.first["cause"]) == (INCONCLUSIVE, CauseId.NETWORK_READ_TIMEOUT), result.stdout

    @pytest.mark.parametrize(
        ("fault", "exit_code", "cause"),
        [
            pytest.param(always(200, b"<html><title>Sign in</title>"), FAIL, CauseId.CONTRACT_NOT_JSON, id="HTML"),
            pytest.param(always(200, b"{}", "application/json"), FAIL, None, id="another shape"),
            pytest.param(always(200, b"", "application/json"), FAIL, CauseId.CONTRACT_BODY_UNREADABLE, id="no body"),
            pytest.param(always(500, b"oops"), INCONCLUSIVE, CauseId.PROVIDER_OUTAGE, id="500"),
            pytest.param(
                always(503, b"later", Retry_After="120"), INCONCLUSIVE, CauseId.PROVIDER_MAINTENANCE, id="503"
            ),
        ],
    )
    def test_unexpected_answer(
        self, project: ProviderProject, fault: Fault, exit_code: int, cause: CauseId | None
    ) -> None:
        """Nothing but the provider's own good answer is a pass."""
        result = self._through(project, fault)
        assert result.exit_code == exit_code, result.stdout
        assert cause is None or result.first["cause"] == cause, result.stdout
        assert result.first_red["next_step"]

    def test_live_secrets_are_not_quoted(self, project: ProviderProject, definition: Provider) -> None:
        """What an answer issues, nobody knows beforehand: a report that tells of its field must not show it."""
        healthy, endpoint = Wrapping(definition.scrubbing), project.endpoint
        self._through(project, healthy)
        for name in healthy.seen:
            project.endpoint = endpoint
            broken = Wrapping(definition.scrubbing, frozenset({name}))
            result = self._through(project, broken)
            written = result.stdout + json.dumps(result.report)
            for telling in filter(_is_long, map(_telling, set().union(*broken.seen.values()))):
                assert telling not in written, name

    def test_negative_control(self, project: ProviderProject) -> None:
        """Where any credential is taken, that one was proves nothing."""
        result = self._through(project, NeverRefuses())
        assert (result.exit_code, result.first["cause"]) == (FAIL, CauseId.CREDENTIAL_NOT_ENFORCED), result.stdout

    def _through(self, project: ProviderProject, fault: Fault) -> Result:
        with front(project.endpoint, fault) as before:
            project.endpoint = before.url
            return project.run("gate")

    def test_production_is_read_only(self, project: ProviderProject) -> None:
        """Only what the contract marks as safe is asked, and no bad credential is sent."""
        project.environment = "production"
        result = project.run("gate")
        assert result.exit_code == PASS, result.stdout
        safe = {one.description for one in load_contract(self.contract).interactions if one.safe_in_production}
        asked = {check["subject"] for check in result.checks("contract.interaction") if check["outcome"] == "pass"}
        assert asked == safe
        assert result.checks("credential.enforced")[0]["outcome"] == "skipped"

    def test_contract(self) -> None:
        """Positive and negative interactions, in the words that all providers share."""
        contract = load_contract(self.contract, provider=self.provider)
        assert len(contract.interactions) >= FEWEST_INTERACTIONS, _too_few(len(contract.interactions))
        known = {state.value for state in State}
        for interaction in contract.interactions:
            assert [state.name for state in interaction.states if state.name not in known] == []
        assert any(interaction.response.status >= 400 for interaction in contract.interactions)
        assert any(interaction.safe_in_production for interaction in contract.interactions)

    @pytest.fixture(scope="class")
    @classmethod
    def proofs(cls, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
        """The proofs of strength that the consumer tests beside the contract make."""
        return prove_contract(cls.contract, tmp_path_factory.mktemp("strength") / "proofs.jsonl")

    def test_contract_is_strong(self, proofs: list[dict[str, Any]]) -> None:
        """The consumer tests prove each interaction: none is blind, and what is strict was reviewed."""
        proved = {proof["interaction"] for proof in proofs}
        asked = {interaction.description for interaction in load_contract(self.contract).interactions}
        assert asked - proved == set(), "call contract_strength in the consumer test of each interaction"
        findings = [(proof["interaction"], finding) for proof in proofs for finding in proof["findings"]]
        assert [each for each in findings if each[1]["reason"] is None] == []

    def test_states_are_not_misled(self, definition: Provider, running: Running) -> None:
        """What arranges the provider states reads no answer otherwise that the contract accepts."""
        names = definition.sandbox_settings(running.values)
        settings = definition.settings.model_validate({name: running.values[name] for name in names})
        assert blind_states(definition, settings, running, load_contract(self.contract)) == []

    def test_changes_that_break_a_reader_do_not_pass(
        self, tmp_path: Path, drilled: Running, proofs: list[dict[str, Any]]
    ) -> None:
        """Some of the changes that break a reader, sent on the way through the whole gate."""
        for fault in spread(faults(load_contract(self.contract), proofs), MOST_BROKEN):
            drilled.change_faults([fault])
            result = ProviderProject(tmp_path, self, drilled).run("gate")
            if _was_too_soon(result):
                # What the change before broke could not be ended, and keeps this one from being asked.
                self._assert_no_pass(tmp_path, fault)
            else:
                assert result.exit_code != PASS or drilled.idle_faults(), (fault, result.stdout)
        drilled.change_faults([])

    def _assert_no_pass(self, folder: Path, fault: str) -> None:
        """Send a change through a sandbox of its own."""
        sandbox = registry.get(self.provider).sandbox()
        assert sandbox is not None
        with sandbox.start(faults=[fault]) as running:
            result = ProviderProject(folder, self, running).run("gate")
            assert result.exit_code != PASS or running.idle_faults(), (fault, result.stdout)

    def test_refusals_of_users_are_no_problems(self, definition: Provider) -> None:
        """The errors of the contract that are about a user are known as such (``about_a_user``), and no others."""
        for interaction in load_contract(self.contract).interactions:
            expected = interaction.response
            answer = Response(expected.status, body=(expected.body or "").encode())
            error = definition.error_of(answer) if expected.status >= 400 else None
            if error is None:
                continue
            exchange = Exchange(interaction.example_request(), datetime.now(UTC), answer)
            states = [State(state.name) for state in interaction.states]
            told = definition.is_about_a_user(error, exchange)
            why = f"{interaction.description}: the error {error.code} is about a user: {told}"
            if any(state.is_about_the_credential for state in states):
                assert not told, why
            elif states and all(state.is_about_a_user for state in states):
                assert told, why

    def test_settings_are_described(self, definition: Provider) -> None:
        """Each setting tells what it is and where to find it, and its example is a right one."""
        for field in definition.settings.fields():
            setting = field.setting
            assert setting.description.endswith(".")
            assert len(setting.where) > 10
            if field.secret:
                assert re.match(r"[a-z0-9-]+:.", setting.example), f"a secret's example is a reference: {field.name}"
            elif setting.shape is not None:
                assert setting.shape.misfit(setting.example) is None

    def test_meanings_are_told(self, definition: Provider) -> None:
        """Each error code has a cause of the catalogue and a sentence, and names a setting that exists."""
        names = {field.name for field in definition.settings.fields()}
        for meaning in definition.meanings.values():
            assert load(meaning.cause).id is meaning.cause
            assert meaning.text
            assert not meaning.text.endswith(".")
            assert meaning.setting is None or meaning.setting in names


def _assert_passed(result: Result) -> None:
    """Everything was asked, or skipped with a reason, and nothing is left."""
    assert (result.exit_code, result.report["verdict"]) == (PASS, "pass"), result.stdout
    interactions = result.checks("contract.interaction")
    assert not [check for check in interactions if check["outcome"] not in ("pass", "skipped")], _messages(interactions)
    assert result.report["run"]["warnings"] == []


def _was_too_soon(result: Result) -> bool:
    """Whether the provider wanted something later."""
    return any(check["skipped_because"] == SkipReason.TOO_SOON for check in result.checks("contract.interaction"))


@contextmanager
def _impatient() -> Iterator[None]:
    """Sandboxes that are started now have short intervals between messages, so that no test waits for long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BETWEEN_MESSAGES, "1")
        yield


def _messages(checks: Sequence[Mapping[str, str]]) -> list[str]:
    return [f"{check['subject']}: {check['message']}" for check in checks if check["outcome"] != "pass"]


def _too_few(number: int) -> str:
    return f"a contract has at least {FEWEST_INTERACTIONS} interactions, good and bad; {number} were answered"
