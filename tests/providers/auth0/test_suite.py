"""Auth0 passes the suite that every provider passes."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from typing import Any

import pytest

from mfagate.config.jwt import claims
from mfagate.core.causes import CauseId
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import Handler, always, faulty_proxy
from mfagate.testing import Absent, ProviderSuite, SettingChange
from mfagate.testing.provider_project import ProviderProject

from ...support.project import REPOSITORY

DOMAIN = "mfagate-sandbox.eu.auth0.com"


def token(**changed: Any) -> str:
    """A token for the Management API with other claims."""
    usual = {
        "iss": f"https://{DOMAIN}/",
        "sub": "Kx3Vq0ZpT7mB1cWn9Yd5RhG2sLf8JuAe@clients",
        "aud": f"https://{DOMAIN}/api/v2/",
        "scope": "read:users read:authentication_methods",
        "exp": int(time.time()) + 86000,
    }
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT", "kid": "k"}, usual | changed)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, b"s" * 256))


def static(cause: CauseId, **changed: Any) -> SettingChange:
    return SettingChange({"management_token": token(**changed)}, cause)


class TestAuth0(ProviderSuite):
    provider = "auth0"
    contract = REPOSITORY / "contracts/auth0/auth-service-auth0.json"
    cassettes = REPOSITORY / "cassettes/auth0"
    expect = {"tenant": "sandbox:domain"}
    swapped = (("client_id", "client_secret"),)
    rate_limit = always(
        429,
        b'{"error":"too_many_requests","error_description":"Global limit has been reached"}',
        "application/json",
        x_ratelimit_reset="1893456000",
    )
    live = {
        "refused": SettingChange({"client_secret": "A" + "b-_4" * 15 + "abC"}, CauseId.CREDENTIAL_REJECTED),
        # Auth0 says the same of an unknown client as of a wrong secret, so the secret is named first.
        "unknown key": SettingChange(
            {"client_id": "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"}, CauseId.CREDENTIAL_REJECTED, "client_secret"
        ),
        "wrong kind": SettingChange(
            {"client_id": "sandbox:web_client_id", "client_secret": "sandbox:web_client_secret"},
            CauseId.ACCOUNT_FEATURE_DISABLED,
        ),
        "expired": Absent("a client secret does not expire, and the end of a token stands in it: found offline"),
        "revoked": SettingChange({"client_secret": "sandbox:rotated_client_secret"}, CauseId.CREDENTIAL_REJECTED),
        "wrong account": SettingChange({"expect.tenant": "acme.eu.auth0.com"}, CauseId.CREDENTIAL_WRONG_ACCOUNT),
        "missing permission": SettingChange(
            {"client_id": "sandbox:restricted_client_id", "client_secret": "sandbox:restricted_client_secret"},
            CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        ),
    }
    doubtful = (
        SettingChange({"client_secret": "a1B-" * 15 + "a1B"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"client_secret": "a1B+" * 16}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"client_secret": "Qm4Wz8Lk2Jh6Tg0Rf5Nd9Bs3Vc7Xy1Pa"}, CauseId.CONFIG_SECRET_ID_NOT_SECRET),
        SettingChange({"client_id": "a1B2" * 15 + "c3D4"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"client_id": "a1B2" * 4}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"client_id": "a1B2" * 17 + "+"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"client_id": "a1B+" * 8}, CauseId.CONFIG_MALFORMED_VALUE),
    )
    offline = (
        SettingChange({"client_secret": "sandbox:client_id"}, CauseId.CONFIG_SECRET_ID_NOT_SECRET),
        SettingChange({"client_secret": token()}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"client_secret": "YOUR_CLIENT_SECRET"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"client_secret": "{yourClientSecret}"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"client_id": "{yourClientId}"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"domain": f"https://{DOMAIN}"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"domain": f"{DOMAIN}/"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"domain": f"{DOMAIN}/api/v2/"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"domain": f"{DOMAIN}:443"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"domain": "manage.auth0.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"domain": "auth0.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"domain": "eu.auth0.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"domain": "mfagate-sandbox.guardian.eu.auth0.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"domain": "mfagate-sandbox.ue.auth0.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"domain": "mfagate_sandbox.eu.auth0.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"domain": "mfagate-sandbox"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"domain": "YOUR_DOMAIN"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"domain": "{yourDomain}"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"domain": "your-tenant.us.auth0.com"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"domain": "login.example.org", "audience": None}, CauseId.CONFIG_SETTING_MISSING, "audience"),
        SettingChange({"domain": "mfagate-sandbox.us.auth0.com"}, CauseId.CONFIG_MALFORMED_VALUE, "audience"),
        SettingChange({"domain": "mfagate-sandbox.auth0.com"}, CauseId.CONFIG_MALFORMED_VALUE, "audience"),
        SettingChange({"audience": "https://mfagate-staging.eu.auth0.com/api/v2/"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"audience": f"https://{DOMAIN}/api/v2"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"audience": f"http://{DOMAIN}/api/v2/"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"audience": f"{DOMAIN}/api/v2/"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"audience": f"https://{DOMAIN}/userinfo"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"audience": "https://login.example.org/api/v2/"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"audience": "https://YOUR_DOMAIN/api/v2/"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"management_token": "sandbox:expired_management_token"}, CauseId.CONFIG_EXPIRED),
        SettingChange({"management_token": "sandbox:client_secret"}, CauseId.CONFIG_MALFORMED_VALUE),
        static(CauseId.CONFIG_WRONG_KIND, aud="https://api.example.com/"),
        static(CauseId.CONFIG_WRONG_KIND, sub="auth0|507f1f77bcf86cd799439011"),
        static(CauseId.CONFIG_WRONG_KIND, scope="read:users"),
        static(CauseId.CONFIG_WRONG_ENVIRONMENT, iss="https://acme-dev.eu.auth0.com/"),
        static(CauseId.CONFIG_WRONG_ENVIRONMENT, aud="https://acme-dev.eu.auth0.com/api/v2/"),
    )

    def test_a_static_token_is_probed_beside_the_secret(self, project: ProviderProject, running: Running) -> None:
        """It is used for the Management API, and the secret for all else."""
        project.change({"management_token": "sandbox:management_token"}, running)
        result = project.run("gate")
        assert result.exit_code == 0, result.stdout
        for check_id in ("credential.accepted", "credential.enforced"):
            seen = {check["subject"]: check["outcome"] for check in result.checks(check_id)}
            assert seen == {"client_secret": "pass", "management_token": "pass"}
        assert result.checks("identity")[0]["outcome"] == "pass"
        (warning,) = [check for check in result.checks("configuration") if check["outcome"] == "warn"]
        assert warning["cause"] == CauseId.CONFIG_EXPIRING_SOON

    def test_an_application_without_the_grant_is_enough_for_a_static_token(
        self, project: ProviderProject, running: Running
    ) -> None:
        client = {name: f"sandbox:web_{name}" for name in ("client_id", "client_secret")}
        project.change({**client, "management_token": "sandbox:management_token"}, running)
        assert project.run("gate").exit_code == 0

    @pytest.mark.parametrize(
        ("handed_out", "damage", "cause"),
        [
            ("foreign_management_token", "", CauseId.CREDENTIAL_REVOKED),
            ("management_token", "damaged", CauseId.CREDENTIAL_REJECTED),
        ],
    )
    def test_a_refused_static_token(
        self, project: ProviderProject, running: Running, handed_out: str, damage: str, cause: CauseId
    ) -> None:
        """The tenant's key set tells whether it can have signed the token."""
        value = running.values[handed_out]
        if damage:
            head, _, signature = value.rpartition(".")
            value = f"{head}.{signature[::-1]}"
        project.change({"management_token": value}, running)
        result = project.run("gate")
        assert (result.exit_code, result.first["cause"]) == (1, cause), result.stdout
        assert "management_token" in result.first_red["message"]
        assert result.first_red["location"]["line"] == project.line_of("management_token =")

    def test_a_custom_domain(self, project: ProviderProject, running: Running) -> None:
        """The tenant is known all the same: by the audience, which keeps its own host."""
        project.change({"domain": "sandbox:custom_domain"}, running)
        result = project.run("gate")
        assert result.exit_code == 0, result.stdout
        assert running.values["domain"] in result.checks("identity")[0]["message"]

    def test_a_trial_tenant_in_production(self, project: ProviderProject) -> None:
        project.environment = "production"
        project.values |= {
            "domain": "dev-a1b2c3d4.us.auth0.com",
            "audience": "https://dev-a1b2c3d4.us.auth0.com/api/v2/",
        }
        result = project.run("check")
        assert (result.exit_code, result.first["cause"]) == (1, CauseId.CONFIG_WRONG_ENVIRONMENT), result.stdout
        assert "domain" in result.first_red["message"]

    def test_tokens_are_fetched_once(self, project: ProviderProject, running: Running) -> None:
        """They are billed: the probe looks at one, one is kept, and the contract has one; each helper keeps one."""
        issued: Counter[str] = Counter()

        def count(handler: Handler) -> bool:
            status, body, headers = handler.ask()
            told = claims(json.loads(body or b"{}")["access_token"]) if b'"access_token"' in body else {}
            issued.update([str(told["azp"])] if told.get("gty") == "client-credentials" else [])
            return handler.answer(status, body, headers["Content-Type"])

        with faulty_proxy(project.endpoint, count) as before:
            project.endpoint = before.url
            assert project.run("gate").exit_code == 0
        names = {"client_id": 3, "admin_client_id": 1, "restricted_client_id": 1}
        assert issued == {running.values[name]: number for name, number in names.items()}
