"""Twilio Verify passes the suite that every provider passes, with either kind of credential."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mfagate.core.causes import CauseId
from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.sandbox.faulty_proxy import always
from mfagate.testing import Absent, ProviderSuite, SettingChange
from mfagate.testing.provider_project import ProviderProject
from mfagate_sandbox.twilio.sandbox import SANDBOX

from ...support.project import REPOSITORY

NO_EXPIRY = Absent("neither auth tokens nor API keys expire")

HEX = "0123456789abcdef" * 2
SECRET = "Abcdefghijklmnopqrstuvwxyz012345"


class TestTwilioWithAnApiKey(ProviderSuite):
    provider = "twilio"
    contract = REPOSITORY / "contracts/twilio/auth-service-twilio.json"
    cassettes = REPOSITORY / "cassettes/twilio"
    expect = {
        "account_sid": "sandbox:account_sid",
        "service_name": "sandbox:service_name",
        "code_length": "sandbox:code_length",
    }
    swapped = (("account_sid", "service_sid"), ("api_key_sid", "api_key_secret"), ("account_sid", "api_key_sid"))
    rate_limit = always(
        429,
        b'{"code":20429,"message":"Too many requests","more_info":"https://www.twilio.com/docs/errors/20429",'
        b'"status":429}',
        "application/json",
        Retry_After="7",
    )
    # Twilio says 20003 to all of these, and an API key cannot ask about itself.
    live = {
        "refused": SettingChange({"api_key_secret": SECRET}, CauseId.CREDENTIAL_REJECTED),
        "unknown key": SettingChange({"api_key_sid": f"SK{HEX}"}, CauseId.CREDENTIAL_REJECTED, "api_key_secret"),
        "revoked": SettingChange(
            {
                "api_key_secret": "sandbox:revoked_api_key_secret",
                "api_key_sid": "sandbox:revoked_api_key_sid",
            },
            CauseId.CREDENTIAL_REJECTED,
        ),
        "wrong kind": Absent("every live API key is good for Verify unless it is restricted"),
        "expired": NO_EXPIRY,
        "wrong account": SettingChange(
            {"api_key_sid": "sandbox:other_api_key_sid", "api_key_secret": "sandbox:other_api_key_secret"},
            CauseId.CREDENTIAL_WRONG_ACCOUNT,
        ),
        "missing permission": SettingChange(
            {
                "api_key_secret": "sandbox:restricted_api_key_secret",
                "api_key_sid": "sandbox:restricted_api_key_sid",
            },
            CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        ),
    }
    doubtful = (
        SettingChange({"api_key_secret": "sandbox:auth_token"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"api_key_secret": SECRET + "6"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"api_key_secret": SECRET[:-1] + "-"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"region": "ie1"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"region": "ie1", "edge": "dublin"}, CauseId.CONFIG_MALFORMED_VALUE),
    )
    offline = (
        SettingChange({"api_key_secret": SECRET[:-1]}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"account_sid": f"AC{HEX[:-1]}"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"account_sid": f"ac{HEX}"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"account_sid": f"AC{HEX[:-1]}g"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"account_sid": "AC" + "X" * 32}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"account_sid": f"SK{HEX}"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"account_sid": f"{HEX}AC"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"service_sid": "VA" + "a" * 32}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"service_sid": f"VE{HEX}"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"service_sid": f"AC{HEX}"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"service_sid": f"MG{HEX}"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"service_sid": f"IS{HEX}"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"service_sid": f"VA{HEX}\\n"}, CauseId.CONFIG_STRAY_CHARACTERS),
        SettingChange({"api_key_sid": f"VA{HEX}"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"api_key_sid": f"SK{HEX}0"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"api_key_sid": None}, CauseId.CONFIG_SETTING_MISSING),
        SettingChange({"api_key_secret": None}, CauseId.CONFIG_SETTING_MISSING),
        SettingChange({"api_key_secret": None, "auth_token": "sandbox:auth_token"}, CauseId.CONFIG_SETTING_MISSING),
        SettingChange({"api_key_secret": "sandbox:api_key_sid"}, CauseId.CONFIG_SECRET_ID_NOT_SECRET),
        SettingChange({"api_key_secret": "sandbox:account_sid"}, CauseId.CONFIG_SECRET_ID_NOT_SECRET),
        SettingChange({"region": "au1", "edge": "sydney"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"region": "Ireland"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"region": "dublin", "edge": "ie1"}, CauseId.CONFIG_VALUES_SWAPPED),
        SettingChange({"edge": "us1"}, CauseId.CONFIG_MALFORMED_VALUE),
    )

    def test_a_key_that_may_only_read_the_service(self, project: ProviderProject, running: Running) -> None:
        """The contract finds it, in production as well: an unknown verification may be asked about there."""
        read_only = {
            "api_key_sid": "sandbox:read_only_api_key_sid",
            "api_key_secret": "sandbox:read_only_api_key_secret",
        }
        project.change(read_only, running)
        project.environment = "production"
        result = project.run("gate")
        assert (result.exit_code, result.first["cause"]) == (1, CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION)
        red = {check["subject"] for check in result.checks("contract.interaction") if check["outcome"] == "fail"}
        assert red == {"unknown verification", "unknown user", "unknown push", "unknown service"}

    @pytest.mark.parametrize(
        ("key", "value"),
        [("account_sid", f"AC{HEX}"), ("service_name", "another service"), ("code_length", "4")],
    )
    def test_another_service_answers(self, project: ProviderProject, key: str, value: str) -> None:
        """A good credential for something else than what was agreed."""
        project.expect[key] = value
        result = project.run("gate")
        assert (result.exit_code, result.first["cause"]) == (1, CauseId.CREDENTIAL_WRONG_ACCOUNT)
        assert key in result.first_red["message"]

    def test_an_account_sid_that_nothing_is_sent_with(self, project: ProviderProject, running: Running) -> None:
        """With an API key no request carries account_sid, so a wrong one is seen in the answer alone."""
        project.change({"account_sid": "sandbox:other_account_sid"}, running)
        project.expect.clear()
        result = project.run("gate")
        assert (result.exit_code, result.first["cause"]) == (1, CauseId.CREDENTIAL_WRONG_ACCOUNT)
        assert result.first_red["location"]["line"] == project.line_of("account_sid =")

    def test_another_accounts_service(self, project: ProviderProject, running: Running) -> None:
        """The credential is right, and its account has other services."""
        project.change({"service_sid": "sandbox:other_service_sid"}, running)
        result = project.run("gate")
        assert (result.exit_code, result.first["cause"]) == (1, CauseId.ACCOUNT_RESOURCE_MISSING)
        red = result.first_red
        assert red["location"]["line"] == project.line_of("service_sid =")
        own = f"{running.values['service_sid']} ({running.values['service_name']})"
        assert red["evidence"]["services of the account"] == [own]

    def test_the_causes_that_are_left_are_listed(self, project: ProviderProject, running: Running) -> None:
        """One code stands for many causes; a key of another region is one of them."""
        region = {"api_key_secret": "sandbox:ie1_api_key_secret", "api_key_sid": "sandbox:ie1_api_key_sid"}
        project.change(region, running)
        result = project.run("gate")
        causes = result.first_red["evidence"]["possible causes"]
        assert causes[0] == "the key was deleted"
        assert "the key was issued in another region than us1" in causes
        assert not [cause for cause in causes if "token" in cause]


class TestTwilioWithAnAuthToken(ProviderSuite):
    provider = "twilio"
    contract = TestTwilioWithAnApiKey.contract
    cassettes = TestTwilioWithAnApiKey.cassettes
    expect = TestTwilioWithAnApiKey.expect
    swapped = (("account_sid", "auth_token"), ("account_sid", "service_sid"))
    rate_limit = TestTwilioWithAnApiKey.rate_limit
    live = {
        "refused": SettingChange({"auth_token": HEX}, CauseId.CREDENTIAL_REJECTED),
        "unknown key": SettingChange({"account_sid": f"AC{HEX}"}, CauseId.CREDENTIAL_REJECTED, "auth_token"),
        "revoked": Absent("Twilio says the same of a token that was replaced as of one that never was"),
        "wrong kind": SettingChange(
            {"auth_token": "sandbox:test_auth_token", "account_sid": "sandbox:test_account_sid"},
            CauseId.CREDENTIAL_WRONG_KIND,
        ),
        "expired": NO_EXPIRY,
        "wrong account": SettingChange(
            {"account_sid": "sandbox:other_account_sid", "auth_token": "sandbox:other_auth_token"},
            CauseId.ACCOUNT_RESOURCE_MISSING,
            "service_sid",
        ),
        "missing permission": Absent("an auth token may do everything"),
    }
    doubtful = (
        SettingChange({"auth_token": "FEDCBA98" * 4}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"auth_token": "sandbox:api_key_secret"}, CauseId.CONFIG_WRONG_KIND),
    )
    offline = (
        SettingChange({"auth_token": "fedcba98" * 3 + "fedcba9"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"auth_token": "sandbox:api_key_sid"}, CauseId.CONFIG_SECRET_ID_NOT_SECRET),
        SettingChange({"auth_token": None}, CauseId.CONFIG_SETTING_MISSING),
        SettingChange({"account_sid": "sandbox:api_key_sid"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange(
            {"api_key_secret": "sandbox:api_key_sid", "api_key_sid": "sandbox:api_key_secret"},
            CauseId.CONFIG_VALUES_SWAPPED,
        ),
        SettingChange({"api_key_sid": "sandbox:api_key_sid"}, CauseId.CONFIG_SETTING_MISSING, "api_key_secret"),
        SettingChange({"api_key_secret": "sandbox:api_key_secret"}, CauseId.CONFIG_SETTING_MISSING, "api_key_sid"),
    )

    @pytest.fixture(autouse=True)
    def with_a_token(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with_a_token = replace(SANDBOX, settings=("account_sid", "service_sid", "auth_token"))
        monkeypatch.setattr(sandboxes, "get", lambda provider: with_a_token)

    def test_a_suspended_account(self, project: ProviderProject, running: Running) -> None:
        suspended = {"account_sid": "sandbox:suspended_account_sid", "auth_token": "sandbox:suspended_auth_token"}
        project.change(suspended, running)
        result = project.run("gate")
        assert (result.exit_code, result.first["cause"]) == (1, CauseId.ACCOUNT_SUSPENDED)

    def test_a_test_token_on_the_live_account(self, project: ProviderProject, running: Running) -> None:
        """Twilio names test credentials only where both halves are of them."""
        project.change({"auth_token": "sandbox:test_auth_token"}, running)
        result = project.run("gate")
        assert (result.exit_code, result.first["cause"]) == (1, CauseId.CREDENTIAL_REJECTED)
        assert "the token belongs to the test credentials" in result.first_red["evidence"]["possible causes"]
        assert result.first_red["evidence"]["Twilio's account API"] == "rejected the token too"


class TestBoth:
    """An auth token beside an API key: each is checked where it is taken, and one speaks for the other."""

    @pytest.fixture(scope="class")
    @classmethod
    def running(cls) -> Iterator[Running]:
        sandbox = sandboxes.get("twilio")
        with sandbox.start() as running:
            yield running

    @pytest.fixture
    def project(self, tmp_path: Path, running: Running) -> ProviderProject:
        both = ProviderProject(tmp_path, TestTwilioWithAnApiKey(), running)
        both.change({"auth_token": "sandbox:auth_token"}, running)
        return both

    def test_accepted(self, project: ProviderProject) -> None:
        result = project.run("gate")
        assert result.exit_code == 0, result.stdout
        for check in ("credential.accepted", "credential.enforced"):
            assert {one["subject"] for one in result.checks(check)} == {"api_key_secret", "auth_token"}
        assert {one["subject"] for one in result.checks("provider.ping")} == {"verify", "accounts"}

    def test_only_the_token_is_wrong(self, project: ProviderProject) -> None:
        project.values["auth_token"] = HEX
        result = project.run("gate")
        assert (result.exit_code, result.first["cause"]) == (1, CauseId.CREDENTIAL_REJECTED)
        outcomes = {one["subject"]: one["outcome"] for one in result.checks("credential.accepted")}
        assert outcomes == {"api_key_secret": "pass", "auth_token": "fail"}
        assert result.first_red["location"]["line"] == project.line_of("auth_token =")

    @pytest.mark.parametrize("key", ["revoked_api_key", "other_api_key"])
    def test_a_key_that_the_account_does_not_have(self, project: ProviderProject, running: Running, key: str) -> None:
        values = {"api_key_sid": f"sandbox:{key}_sid", "api_key_secret": f"sandbox:{key}_secret"}
        project.change(values, running)
        result = project.run("gate")
        expected = CauseId.CREDENTIAL_UNKNOWN_KEY if key == "revoked_api_key" else CauseId.CREDENTIAL_WRONG_ACCOUNT
        assert (result.exit_code, result.first["cause"]) == (1, expected)
        assert result.first_red["location"]["line"] == project.line_of("api_key_sid =")

    def test_a_key_with_another_secret(self, project: ProviderProject) -> None:
        project.values["api_key_secret"] = SECRET
        result = project.run("gate")
        assert (result.exit_code, result.first["cause"]) == (1, CauseId.CREDENTIAL_REJECTED)
        assert result.first_red["evidence"]["possible causes"] == ["the secret belongs to another key"]
        assert result.first_red["location"]["line"] == project.line_of("api_key_secret =")
