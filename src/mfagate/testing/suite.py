"""What every provider must be able to do, as tests that a provider's own tests inherit.

A subclass says what is particular to the provider: its name, its contract, and which
change of a healthy configuration must lead to which cause. All runs are whole
commands against the provider's local sandbox, and everything that they write is
searched for the secrets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from mfagate.contract import load as load_contract
from mfagate.core import check_ids
from mfagate.core.causes import CauseId, load
from mfagate.core.exchange import Exchange, Response
from mfagate.providers import registry
from mfagate.providers.provider import InstalledProvider
from mfagate.providers.states import StateName
from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.sandbox.faulty_proxy import Fault, NeverRefuses, always, faulty_proxy, stall
from mfagate.testing.project import CommandResult
from mfagate.testing.provider_project import ProviderProject, SettingChange
from mfagate.testing.repeated import RepeatedGates
from mfagate.testing.strength import StrongContract
from mfagate.testing.suite_base import FAIL, INCONCLUSIVE, LIVE_CASES, PASS, Absent, messages
from mfagate.testing.wrapping import Wrapping

FEWEST_INTERACTIONS = 12
"""A contract that covers the good and the bad answers of one factor has more."""


_TELLING = slice(20, 40)
"""The part of a long secret that is looked for: reports cut what is long, and JSON Web Tokens all begin alike."""


def _telling(secret: str) -> str:
    """Return what identifies a secret: of an authenticator's URI the parameter, because the rest names the token."""
    if secret.startswith("otpauth://"):
        fields = parse_qs(urlsplit(secret).query)
        secret = next((fields[name][0] for name in ("secret", "enrollment_credential") if name in fields), "")
    return secret[_TELLING] if len(secret) > _TELLING.stop else secret


def _is_long(secret: str) -> bool:
    """Skip one-time passwords: six digits are a part of many numbers."""
    return len(secret) >= 8


class ProviderSuite(RepeatedGates, StrongContract):
    """Inherit it as ``class TestNAME(ProviderSuite)`` and fill in what is particular to the provider."""

    def test_accepted(self, healthy: tuple[CommandResult, int]) -> None:
        """A healthy configuration passes, with every interaction of the contract."""
        result, _ = healthy
        assert (result.exit_code, result.report["verdict"]) == (PASS, "pass"), result.stdout
        interactions = result.checks(check_ids.CONTRACT_INTERACTION)
        asked = [check for check in interactions if check["outcome"] == "pass"]
        assert len(interactions) - len(asked) <= self.most_skipped, messages(interactions)
        assert len(asked) >= FEWEST_INTERACTIONS, _too_few(len(asked))
        assert result.checks(check_ids.CREDENTIAL_ENFORCED)[0]["outcome"] == "pass"

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
        assert not [check for check in result.checks(check_ids.CONFIGURATION) if check["outcome"] == "fail"]

    def _assert_helpful(self, result: CommandResult, change: SettingChange, project: ProviderProject) -> None:
        """Require that the first screen names the setting, its line and the next step."""
        red = result.first_red
        key = change.setting or next(iter(change.values))
        assert red["next_step"]
        assert key.removeprefix("expect.") in red["message"] + str(red["evidence"].get("setting", "")), result.stdout
        assert red["location"] is not None, result.stdout
        if not key.startswith("expect.") and key in project.values:
            assert red["location"]["line"] == project.line_of(f"{key} ="), result.stdout
        answered = [check for check in result.checks(check_ids.CONTRACT_INTERACTION) if check["outcome"] == "pass"]
        assert answered or "database" not in result.first["exonerated"], "no login was reproduced"

    def test_offline(self, project: ProviderProject, running: Running) -> None:
        """Every slip and mix-up is found without a network, and its setting named."""
        for change in [*self.offline, *self._slips(project)]:
            fresh = ProviderProject(project.folder, self, running)
            fresh.change(change.values, running)
            result = fresh.run_in_process("check")
            assert (result.exit_code, result.first["cause"]) == (FAIL, change.cause), (change, result.stdout)
            key = change.setting or next(iter(change.values))
            assert key in result.first_red["message"], result.stdout

    def test_doubtful(self, project: ProviderProject, running: Running) -> None:
        """A form that the provider does not document is no reason to stop a deployment."""
        for change in self.doubtful:
            fresh = ProviderProject(project.folder, self, running)
            fresh.change(change.values, running)
            result = fresh.run_in_process("check")
            warned = [check for check in result.report["integrations"][0]["checks"] if check["outcome"] == "warn"]
            assert (result.exit_code, change.cause) in {(PASS, check["cause"]) for check in warned}, (
                change,
                result.stdout,
            )
            key = change.setting or next(iter(change.values))
            assert any(key in check["message"] for check in warned if check["cause"] == change.cause), result.stdout

    def _slips(self, project: ProviderProject) -> Iterator[SettingChange]:
        definition = registry.get(self.provider)
        for field in definition.settings.fields():
            value = project.values.get(field.name)
            if value is None:
                continue
            # A PEM key ends with a newline by right; what it loses on the way are its line breaks.
            slip = value.replace("\n", "\\n") if field.setting.multiline else f"{value}\n"
            yield SettingChange({field.name: slip}, CauseId.CONFIG_STRAY_CHARACTERS)
            yield SettingChange({field.name: f"'{value}'"}, CauseId.CONFIG_STRAY_CHARACTERS)
            yield SettingChange({field.name: "changeme"}, CauseId.CONFIG_PLACEHOLDER_LEFT)
            yield SettingChange({field.name: ""}, CauseId.CONFIG_SETTING_MISSING)
            if field.secret and not field.setting.multiline:
                yield SettingChange({field.name: f"Bearer {value}"}, CauseId.CONFIG_STRAY_CHARACTERS)
        for first, second in self.swapped:
            exchanged = {first: project.values[second], second: project.values[first]}
            yield SettingChange(exchanged, CauseId.CONFIG_VALUES_SWAPPED)

    def test_own_faults(self, tmp_path: Path, drilled: Running) -> None:
        """What the sandbox can be asked to do wrong is found, and is one of the right answers."""
        sandbox = sandboxes.get(self.provider)
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
        """The gate passes on the variants that the provider documents and the sandbox can show."""
        sandbox = sandboxes.get(self.provider)
        variants = [kind for kind in sandbox.faults if not kind.causes]
        if not variants:
            pytest.skip("the sandbox has no documented variant")
        for kind in variants:
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

    def test_live_secrets_are_not_quoted(self, project: ProviderProject, definition: InstalledProvider) -> None:
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

    def _through(self, project: ProviderProject, fault: Fault) -> CommandResult:
        with faulty_proxy(project.endpoint, fault) as before:
            project.endpoint = before.url
            return project.run("gate")

    def test_production_is_read_only(self, project: ProviderProject) -> None:
        """Only what the contract marks as safe is asked, and no bad credential is sent."""
        project.environment = "production"
        result = project.run("gate")
        assert result.exit_code == PASS, result.stdout
        safe = {one.description for one in load_contract(self.contract).interactions if one.safe_in_production}
        asked = {
            check["subject"] for check in result.checks(check_ids.CONTRACT_INTERACTION) if check["outcome"] == "pass"
        }
        assert asked == safe
        assert result.checks(check_ids.CREDENTIAL_ENFORCED)[0]["outcome"] == "skipped"

    def test_contract(self) -> None:
        """Positive and negative interactions, in the words that all providers share."""
        contract = load_contract(self.contract, provider=self.provider)
        assert len(contract.interactions) >= FEWEST_INTERACTIONS, _too_few(len(contract.interactions))
        known = {state.value for state in StateName}
        for interaction in contract.interactions:
            assert [state.name for state in interaction.states if state.name not in known] == []
        assert any(interaction.response.status >= 400 for interaction in contract.interactions)
        assert any(interaction.safe_in_production for interaction in contract.interactions)

    def test_refusals_of_users_are_no_problems(self, definition: InstalledProvider) -> None:
        """The errors of the contract that are about a user are known as such (``about_a_user``), and no others."""
        for interaction in load_contract(self.contract).interactions:
            expected = interaction.response
            answer = Response(expected.status, body=(expected.body or "").encode())
            error = definition.dialect.error_of(answer) if expected.status >= 400 else None
            if error is None:
                continue
            exchange = Exchange(interaction.example_request(), datetime.now(UTC), answer)
            states = [StateName(state.name) for state in interaction.states]
            told = definition.dialect.is_about_a_user(error, exchange)
            why = f"{interaction.description}: the error {error.code} is about a user: {told}"
            if any(state.is_about_the_credential for state in states):
                assert not told, why
            elif states and all(state.is_about_a_user for state in states):
                assert told, why

    def test_settings_are_described(self, definition: InstalledProvider) -> None:
        """Each setting tells what it is and where to find it, and its example is a right one."""
        for field in definition.settings.fields():
            setting = field.setting
            assert setting.description.endswith(".")
            assert len(setting.where) > 10
            if field.secret:
                assert re.match(r"[a-z0-9-]+:.", setting.example), f"a secret's example is a reference: {field.name}"
            elif setting.shape is not None:
                assert setting.shape.misfit(setting.example) is None

    def test_meanings_are_told(self, definition: InstalledProvider) -> None:
        """Each error code has a cause of the catalogue and a sentence, and names a setting that exists."""
        names = {field.name for field in definition.settings.fields()}
        for meaning in definition.dialect.meanings.values():
            assert load(meaning.cause).id is meaning.cause
            assert meaning.text
            assert not meaning.text.endswith(".")
            assert meaning.setting is None or meaning.setting in names


def _too_few(number: int) -> str:
    return f"a contract has at least {FEWEST_INTERACTIONS} interactions, good and bad; {number} were answered"
