"""What every provider must do, as tests that the tests of a provider inherit.

A subclass declares the provider: its name, its contract, and which change of a healthy
configuration must lead to which cause. All runs are whole commands against the provider's local
sandbox, and everything that they write is searched for secrets.
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
"""A contract that covers the good and bad answers of one factor has more interactions than this."""


_TELLING = slice(20, 40)
"""The part of a long secret that is searched for: reports cut long values, and all JWTs start with the same text."""


def _telling(secret: str) -> str:
    """Return the part that identifies a secret; for the URI of an authenticator, its parameter with the secret."""
    if secret.startswith("otpauth://"):
        fields = parse_qs(urlsplit(secret).query)
        secret = next((fields[name][0] for name in ("secret", "enrollment_credential") if name in fields), "")
    return secret[_TELLING] if len(secret) > _TELLING.stop else secret


def _is_long(secret: str) -> bool:
    """Return whether a secret is longer than a one-time password: many numbers contain six given digits."""
    return len(secret) >= 8


class ProviderSuite(RepeatedGates, StrongContract):
    """Inherit it as ``class TestNAME(ProviderSuite)``, and declare the provider."""

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
        """The gate reports the right cause for a bad credential that only the provider can detect."""
        change = self.live[case]
        if isinstance(change, Absent):
            pytest.skip(change.reason)
        project.change(change.values, running)
        result = project.run("gate")
        assert (result.exit_code, result.first["cause"]) == (FAIL, change.cause), result.stdout
        self._assert_helpful(result, change, project)
        assert not [check for check in result.checks(check_ids.CONFIGURATION) if check["outcome"] == "fail"]

    def _assert_helpful(self, result: CommandResult, change: SettingChange, project: ProviderProject) -> None:
        """Require that the report names the setting, its line and the next step."""
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
        """The offline check finds every wrong value, and names its setting."""
        for change in [*self.offline, *self._common_mistakes(project)]:
            fresh = ProviderProject(project.folder, self, running)
            fresh.change(change.values, running)
            result = fresh.run_in_process("check")
            assert (result.exit_code, result.first["cause"]) == (FAIL, change.cause), (change, result.stdout)
            key = change.setting or next(iter(change.values))
            assert key in result.first_red["message"], result.stdout

    def test_doubtful(self, project: ProviderProject, running: Running) -> None:
        """A value in an undocumented form causes a warning, and does not stop a deployment."""
        for change in self.doubtful:
            fresh = ProviderProject(project.folder, self, running)
            fresh.change(change.values, running)
            result = fresh.run_in_process("check")
            warned = [check for check in result.first["checks"] if check["outcome"] == "warn"]
            causes = {check["cause"] for check in warned}
            assert (result.exit_code, change.cause in causes) == (PASS, True), (change, result.stdout)
            key = change.setting or next(iter(change.values))
            assert any(key in check["message"] for check in warned if check["cause"] == change.cause), result.stdout

    def _common_mistakes(self, project: ProviderProject) -> Iterator[SettingChange]:
        definition = registry.get(self.provider)
        for field in definition.settings.fields():
            value = project.values.get(field.name)
            if value is None:
                continue
            # A PEM key ends with a newline; a common mistake is to lose its line breaks.
            mistyped = value.replace("\n", "\\n") if field.setting.multiline else f"{value}\n"
            yield SettingChange({field.name: mistyped}, CauseId.CONFIG_STRAY_CHARACTERS)
            yield SettingChange({field.name: f"'{value}'"}, CauseId.CONFIG_STRAY_CHARACTERS)
            yield SettingChange({field.name: "changeme"}, CauseId.CONFIG_PLACEHOLDER_LEFT)
            yield SettingChange({field.name: ""}, CauseId.CONFIG_SETTING_MISSING)
            if field.secret and not field.setting.multiline:
                yield SettingChange({field.name: f"Bearer {value}"}, CauseId.CONFIG_STRAY_CHARACTERS)
        for first, second in self.swapped:
            exchanged = {first: project.values[second], second: project.values[first]}
            yield SettingChange(exchanged, CauseId.CONFIG_VALUES_SWAPPED)

    def test_own_faults(self, tmp_path: Path, drilled: Running) -> None:
        """The gate finds every fault of the sandbox, and reports one of the right causes."""
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
        """A rate limit is inconclusive, because it is not a misconfiguration."""
        result = self._through(project, type(self).rate_limit)
        assert (result.exit_code, result.first["cause"]) == (INCONCLUSIVE, CauseId.PROVIDER_RATE_LIMITED), result.stdout

    def test_timeout(self, project: ProviderProject) -> None:
        """A timeout is inconclusive."""
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
        """No answer passes except the provider's own good answer."""
        result = self._through(project, fault)
        assert result.exit_code == exit_code, result.stdout
        assert cause is None or result.first["cause"] == cause, result.stdout
        assert result.first_red["next_step"]

    def test_live_secrets_are_not_quoted(self, project: ProviderProject, definition: InstalledProvider) -> None:
        """A report about a field with a newly issued secret does not contain the secret."""
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
        """A provider that accepts every credential fails the check of the credential."""
        result = self._through(project, NeverRefuses())
        assert (result.exit_code, result.first["cause"]) == (FAIL, CauseId.CREDENTIAL_NOT_ENFORCED), result.stdout

    def _through(self, project: ProviderProject, fault: Fault) -> CommandResult:
        with faulty_proxy(project.endpoint, fault) as front:
            project.endpoint = front.url
            return project.run("gate")

    def test_production_is_read_only(self, project: ProviderProject) -> None:
        """In production, the gate sends only interactions that the contract marks as safe, and no bad credential."""
        project.environment = "production"
        result = project.run("gate")
        assert result.exit_code == PASS, result.stdout
        interactions = load_contract(self.contract).interactions
        safe = {interaction.description for interaction in interactions if interaction.safe_in_production}
        asked = {
            check["subject"] for check in result.checks(check_ids.CONTRACT_INTERACTION) if check["outcome"] == "pass"
        }
        assert asked == safe
        assert result.checks(check_ids.CREDENTIAL_ENFORCED)[0]["outcome"] == "skipped"

    def test_contract(self) -> None:
        """The contract has positive and negative interactions, and uses the shared provider states."""
        contract = load_contract(self.contract, provider=self.provider)
        assert len(contract.interactions) >= FEWEST_INTERACTIONS, _too_few(len(contract.interactions))
        known = {state.value for state in StateName}
        for interaction in contract.interactions:
            assert [state.name for state in interaction.states if state.name not in known] == []
        assert any(interaction.response.status >= 400 for interaction in contract.interactions)
        assert any(interaction.safe_in_production for interaction in contract.interactions)

    def test_refusals_of_users_are_no_problems(self, definition: InstalledProvider) -> None:
        """The provider recognises exactly the errors of the contract that concern a user (``about_a_user``)."""
        for interaction in load_contract(self.contract).interactions:
            expected = interaction.response
            answer = Response(expected.status, body=(expected.body or "").encode())
            error = definition.dialect.error_of(answer) if expected.status >= 400 else None
            if error is None:
                continue
            exchange = Exchange(interaction.example_request(), datetime.now(UTC), answer)
            states = [StateName(state.name) for state in interaction.states]
            about_a_user = definition.dialect.is_about_a_user(error, exchange)
            why = f"{interaction.description}: the error {error.code} concerns a user: {about_a_user}"
            if any(state.is_about_the_credential for state in states):
                assert not about_a_user, why
            elif states and all(state.is_about_a_user for state in states):
                assert about_a_user, why

    def test_settings_are_described(self, definition: InstalledProvider) -> None:
        """Each setting has a description, a place to find it, and a valid example."""
        for field in definition.settings.fields():
            setting = field.setting
            assert setting.description.endswith(".")
            assert len(setting.where) > 10
            if field.secret:
                assert re.match(r"[a-z0-9-]+:.", setting.example), f"the example must be a reference: {field.name}"
            elif setting.shape is not None:
                assert setting.shape.misfit(setting.example) is None

    def test_meanings_are_complete(self, definition: InstalledProvider) -> None:
        """Each error code has a cause and a text, and names only settings that exist."""
        names = {field.name for field in definition.settings.fields()}
        for meaning in definition.dialect.meanings.values():
            assert load(meaning.cause).id is meaning.cause
            assert meaning.text
            assert not meaning.text.endswith(".")
            assert meaning.setting is None or meaning.setting in names


def _too_few(number: int) -> str:
    return f"a contract has at least {FEWEST_INTERACTIONS} interactions, good and bad; {number} were answered"
