"""Okta passes the suite that every provider passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from mfagate.core.causes import CauseId
from mfagate.providers.made_up import new_private_key
from mfagate.providers.okta.auth import new_token
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import always
from mfagate.testing import Absent, ProviderSuite, SettingChange
from mfagate.testing.provider_project import ProviderProject

from ...support.project import REPOSITORY

_ED25519_KEY = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----"""
"""Ed25519: the example of RFC 8410 section 10.3."""

_TOO_MANY = always(
    429,
    b'{"errorCode":"E0000047","errorSummary":"API call exceeded rate limit due to too many requests.",'
    b'"errorLink":"E0000047","errorId":"oaeAAAAAAAAAAAAAAAAAAAAAA","errorCauses":[]}',
    "application/json",
    X_Rate_Limit_Limit="10",
    X_Rate_Limit_Remaining="0",
    X_Rate_Limit_Reset="1893456000",
)


def app(**changed: str | None) -> dict[str, str | None]:
    """The edit that signs in with an app in place of an API token."""
    private = {"client_id": "sandbox:client_id", "private_key": "sandbox:private_key"}
    return {**private, **changed, "api_token": None, "token_id": None}


class TestOkta(ProviderSuite):
    provider = "okta"
    contract = REPOSITORY / "contracts/okta/auth-service-okta.json"
    cassettes = REPOSITORY / "cassettes/okta"
    expect = {"org_id": "sandbox:org_id", "subdomain": "sandbox:subdomain"}
    rate_limit = _TOO_MANY
    live = {
        "refused": SettingChange({"api_token": new_token()}, CauseId.CREDENTIAL_REJECTED),
        "unknown key": SettingChange(app(client_id="0oaabcdefg1234567890"), CauseId.CREDENTIAL_UNKNOWN_KEY),
        "wrong kind": SettingChange(app(client_id="sandbox:web_client_id"), CauseId.CREDENTIAL_WRONG_KIND),
        "expired": SettingChange({"api_token": "sandbox:expired_api_token"}, CauseId.CREDENTIAL_REJECTED),
        "revoked": SettingChange({"api_token": "sandbox:revoked_api_token"}, CauseId.CREDENTIAL_REJECTED),
        "wrong account": SettingChange({"expect.org_id": "00oabcdefg1234567890"}, CauseId.CREDENTIAL_WRONG_ACCOUNT),
        "missing permission": SettingChange(
            {"api_token": "sandbox:unprivileged_api_token"}, CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION
        ),
    }
    doubtful = (
        SettingChange({"api_token": "Zq7_" * 10}, CauseId.CONFIG_WRONG_KIND),
        SettingChange(app(client_id="00oabcdefg1234567890"), CauseId.CONFIG_WRONG_KIND),
        SettingChange(app(client_id="sandbox:api_token"), CauseId.CONFIG_WRONG_KIND),
        SettingChange(app(key_id="pksabcdefg1234567890"), CauseId.CONFIG_WRONG_KIND, "key_id"),
        SettingChange(
            app(scopes="okta.users.read okta.users.manage acme:read"), CauseId.CONFIG_MALFORMED_VALUE, "scopes"
        ),
    )
    offline = (
        SettingChange(app(client_id="0oaabcdefg123456789"), CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"api_token": "00" + "a1B2" * 9 + "a1B"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"token_id": "00Tabcdefg123456789"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"token_id": "https://mfa.acme.org/x"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"token_id": ".."}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"api_token": "sandbox:token_id"}, CauseId.CONFIG_SECRET_ID_NOT_SECRET),
        SettingChange(
            {"api_token": "sandbox:token_id", "token_id": "sandbox:api_token"}, CauseId.CONFIG_VALUES_SWAPPED
        ),
        SettingChange({"api_token": "SSWS 00" + "a1B2" * 10}, CauseId.CONFIG_STRAY_CHARACTERS),
        SettingChange({"api_token": "eyJhbGciOiJSUzI1NiJ9.eyJ2ZXIiOjF9.c2ln"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"api_token": "00NgAPZqUVy8cX9ehNzzahEE5b-On9sImTcInvWp-x"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"api_token": None}, CauseId.CONFIG_SETTING_MISSING),
        SettingChange({"org_url": "acme.okta.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"org_url": "http://acme.okta.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"org_url": "https://acme.okta.com/"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"org_url": "https://acme.okta.com/api/v1"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"org_url": "https://acme.okta.com/oauth2/default"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"org_url": "https://acme.okta.com:443"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"org_url": "https://acme-admin.okta.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"org_url": "https://acme-admin.oktapreview.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"org_url": "https://acme.kerberos.okta.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"org_url": "https://developer.okta.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"org_url": "https://okta.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"org_url": "https://acme.okta.com.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"org_url": "https://acme"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"org_url": "https://{yourOktaDomain}"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"org_url": "https://dev-123456.okta.com"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"org_url": "https://your-okta-domain.okta.com"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange(app(client_id=None), CauseId.CONFIG_SETTING_MISSING, "client_id"),
        SettingChange(app(scopes="okta.users.read,okta.users.manage"), CauseId.CONFIG_MALFORMED_VALUE, "scopes"),
        SettingChange(app(scopes="openid okta.users.read"), CauseId.CONFIG_WRONG_KIND, "scopes"),
        SettingChange(app(scopes="okta.users.read.self"), CauseId.CONFIG_WRONG_KIND, "scopes"),
        SettingChange(app(private_key="Zq7_" * 10), CauseId.CONFIG_WRONG_KIND, "private_key"),
        SettingChange(app(private_key="ocsabcdefg1234567890"), CauseId.CONFIG_SECRET_ID_NOT_SECRET, "private_key"),
        SettingChange(app(private_key="pksabcdefg1234567890"), CauseId.CONFIG_SECRET_ID_NOT_SECRET, "private_key"),
        SettingChange(app(private_key='{"kty": "RSA", "d": "AQAB"}'), CauseId.CONFIG_MALFORMED_VALUE, "private_key"),
        SettingChange(app(private_key=_ED25519_KEY), CauseId.CONFIG_MALFORMED_VALUE, "private_key"),
        SettingChange({"client_id": "sandbox:client_id"}, CauseId.CONFIG_SETTING_MISSING, "private_key"),
        SettingChange(
            {"client_id": "sandbox:client_id", "private_key": "sandbox:private_key"},
            CauseId.CONFIG_WRONG_KIND,
            "api_token",
        ),
    )

    apps: ClassVar[Mapping[str, tuple[SettingChange, str]]] = {
        "wrong key": (
            SettingChange(app(private_key=new_private_key()), CauseId.CREDENTIAL_REJECTED, "private_key"),
            "public half",
        ),
        "wrong kid": (SettingChange(app(key_id="another"), CauseId.CREDENTIAL_REJECTED, "private_key"), "kid"),
        "no key registered": (
            SettingChange(app(client_id="sandbox:keyless_client_id"), CauseId.CREDENTIAL_REJECTED),
            "no public key",
        ),
        "proof of possession": (
            SettingChange(app(client_id="sandbox:dpop_client_id"), CauseId.CREDENTIAL_WRONG_KIND),
            "DPoP",
        ),
        "outside the zone": (
            SettingChange(app(client_id="sandbox:restricted_client_id"), CauseId.CREDENTIAL_NETWORK_RESTRICTED),
            "network zones",
        ),
        "nothing granted": (
            SettingChange(app(client_id="sandbox:ungranted_client_id"), CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
            "none of the requested scopes",
        ),
        "a token, but no permission": (
            SettingChange(app(client_id="sandbox:narrow_client_id"), CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
            "lacks okta.users.manage",
        ),
        "no role": (
            SettingChange(app(client_id="sandbox:roleless_client_id"), CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
            "no administrator role",
        ),
        "too few scopes asked for": (
            SettingChange(app(scopes="okta.users.read"), CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, "scopes"),
            "lacks okta.users.manage",
        ),
        "a scope that does not exist": (
            SettingChange(
                app(scopes="okta.users.read okta.users.manage okta.nothing.read"),
                CauseId.CONFIG_MALFORMED_VALUE,
                "scopes",
            ),
            "does not exist",
        ),
    }

    @pytest.mark.parametrize("case", apps)
    def test_live_app(self, project: ProviderProject, running: Running, case: str) -> None:
        """What may be wrong with an app, and its key, and what it is granted."""
        change, words = self.apps[case]
        project.change(change.values, running)
        result = project.run("gate")
        assert (result.exit_code, result.first["cause"]) == (1, change.cause), result.stdout
        self._assert_helpful(result, change, project)
        assert words in result.first_red["message"]

    @pytest.fixture
    def quiet(self, project: ProviderProject) -> ProviderProject:
        """A project that sends no message: between two of them Okta wants half a minute."""
        del project.test_data["sms_user"]
        return project

    def test_app_accepted(self, quiet: ProviderProject, running: Running) -> None:
        """An app passes the same contract as an API token."""
        quiet.change(app(key_id="sandbox:key_id"), running)
        result = quiet.run("gate")
        assert (result.exit_code, result.report["verdict"]) == (0, "pass"), result.stdout
        interactions = result.checks("contract.interaction")
        assert [check["subject"] for check in interactions if check["outcome"] != "pass"] == ["message sent"]

    def test_a_token_that_may_only_read(self, project: ProviderProject, running: Running) -> None:
        """It lists factors; a login would fail all the same."""
        project.change({"api_token": "sandbox:read_only_api_token"}, running)
        result = project.run("gate")
        assert (result.first_red["id"], result.first_red["subject"]) == ("permission", "verify factors")
        assert result.first["cause"] == CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION

    def test_tokens_that_may_not_be_listed(self, quiet: ProviderProject, running: Running) -> None:
        """What one may not look up is no fault."""
        quiet.change({"api_token": "sandbox:modest_api_token"}, running)
        result = quiet.run("gate")
        assert result.exit_code == 0, result.stdout
        expiries = result.checks("credential.expiry")
        assert [check["outcome"] for check in expiries] == ["skipped", "skipped"]
        assert "okta.apiTokens.read" in expiries[0]["message"]

    def test_a_refusal_names_the_org_and_what_is_left(self, project: ProviderProject, running: Running) -> None:
        """One code for six reasons: the report lists them, with what can be looked up."""
        project.change({"api_token": "sandbox:orphaned_api_token"}, running)
        evidence = project.run("gate").first_red["evidence"]
        assert "preview org" in evidence["possible causes"][0]
        assert any("deactivated" in one for one in evidence["possible causes"])
        assert evidence["org that answers"] == f"{running.values['org_id']} {running.values['subdomain']}"

    def test_a_token_that_is_seldom_used(self, quiet: ProviderProject, running: Running) -> None:
        """Three of its 30 days are left: a warning, and the deployment goes on."""
        quiet.change({"token_id": "sandbox:idle_token_id"}, running)
        result = quiet.run("gate")
        assert result.exit_code == 0, result.stdout
        (warning, _) = result.checks("credential.expiry")
        assert (warning["outcome"], warning["cause"]) == ("warn", CauseId.CREDENTIAL_EXPIRING_SOON)
        assert "seldom used" in warning["message"]

    def test_the_id_of_no_token(self, project: ProviderProject) -> None:
        project.values["token_id"] = "00Tabcdefg1234567890"
        result = project.run("gate")
        assert result.first["cause"] == CauseId.CONFIG_MALFORMED_VALUE
        assert result.first_red["location"]["line"] == project.line_of("token_id =")

    @pytest.mark.parametrize(
        ("url", "is_wrong"),
        [
            ("https://acme.oktapreview.com", True),
            ("https://dev-20982288.okta.com", True),
            ("https://trial-7654321.okta.com", True),
            ("https://acme.okta.com", False),
            ("https://devices.okta.com", False),
            ("https://login.acme.example", False),
        ],
    )
    def test_a_test_org_in_production(self, project: ProviderProject, url: str, is_wrong: bool) -> None:
        project.environment = "production"
        project.values["org_url"] = url
        causes = {check["cause"] for check in project.run("check").checks("configuration")}
        assert (CauseId.CONFIG_WRONG_ENVIRONMENT in causes) is is_wrong

    def test_no_such_org(self, project: ProviderProject) -> None:
        """A misspelt name leads to a page of Okta's that says so; wildcard names resolve."""
        result = self._through(project, always(404, b"<html><title>Page not found</title>"))
        assert result.first["cause"] == CauseId.CONFIG_MALFORMED_URL
        assert result.first_red["location"]["line"] == project.line_of("org_url =")


def test_nothing_is_left_out() -> None:
    assert not [case for case in TestOkta.live.values() if isinstance(case, Absent)]
