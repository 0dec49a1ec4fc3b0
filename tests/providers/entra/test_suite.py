"""Entra passes the suite that every provider passes, and what is particular to its configuration."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mfagate.core.causes import CauseId
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import always
from mfagate.testing import ProviderSuite, SettingChange
from mfagate.testing.provider_project import ProviderProject
from mfagate.testing.suite_base import FAIL, INCONCLUSIVE, PASS

from ...support.faults import on_path
from ...support.project import REPOSITORY

_NOBODYS = "b5a3c1d2-0f4e-4a6b-8c7d-9e1f2a3b4c5d"
_SECRET = "k3Y8Q~" + "aB1." * 8 + "zz"
_THUMBPRINT = "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567"


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


_CURVE = _pem(ec.generate_private_key(ec.SECP256R1()))
_NO_KEY = "-----BEGIN PRIVATE KEY-----\nMAMCAQE=\n-----END PRIVATE KEY-----"
_SMALL = _pem(rsa.generate_private_key(65537, 1024))


def _with_key(pem: str) -> dict[str, str | None]:
    return {"private_key": pem, "client_secret": None, "certificate_thumbprint": _THUMBPRINT}


class TestEntra(ProviderSuite):
    provider = "entra"
    contract = REPOSITORY / "contracts/entra/auth-service-entra.json"
    cassettes = REPOSITORY / "cassettes/entra"
    expect = {"tenant_id": "sandbox:tenant_id"}
    swapped = (("client_id", "client_secret"),)
    # As the login host says it: no JSON.
    rate_limit = always(429, b"Too Many Requests", "text/plain", Retry_After="60")
    live = {
        "refused": SettingChange({"client_secret": _SECRET}, CauseId.CREDENTIAL_REJECTED),
        "unknown key": SettingChange({"client_id": _NOBODYS}, CauseId.CREDENTIAL_UNKNOWN_KEY),
        "wrong kind": SettingChange({"client_id": "sandbox:public_client_id"}, CauseId.CREDENTIAL_WRONG_KIND),
        "expired": SettingChange({"client_secret": "sandbox:expired_client_secret"}, CauseId.CREDENTIAL_EXPIRED),
        "revoked": SettingChange(
            {"client_id": "sandbox:disabled_client_id", "client_secret": "sandbox:disabled_client_secret"},
            CauseId.CREDENTIAL_REVOKED,
        ),
        "wrong account": SettingChange(
            {
                "tenant_id": "sandbox:other_tenant_id",
                "client_id": "sandbox:other_client_id",
                "client_secret": "sandbox:other_client_secret",
            },
            CauseId.CREDENTIAL_WRONG_ACCOUNT,
            setting="expect.tenant_id",
        ),
        "missing permission": SettingChange(
            {"client_id": "sandbox:roleless_client_id", "client_secret": "sandbox:roleless_client_secret"},
            CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        ),
    }
    doubtful = (SettingChange({"client_secret": _SECRET + "a"}, CauseId.CONFIG_MALFORMED_VALUE),)
    offline = (
        SettingChange({"client_secret": "k3Y8Q%7E" + _SECRET[6:]}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"client_secret": _SECRET[:-4]}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"client_secret": "sandbox:secret_id"}, CauseId.CONFIG_SECRET_ID_NOT_SECRET),
        SettingChange({"client_secret": "Sh0rt~S3cr3t"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"client_secret": "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"client_secret": None}, CauseId.CONFIG_SETTING_MISSING),
        SettingChange({"client_id": "sandbox:tenant_domain"}, CauseId.CONFIG_VALUES_SWAPPED),
        SettingChange({"client_id": "sandbox:tenant_id"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"client_id": _NOBODYS[:-1]}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"client_id": "00001111-aaaa-2222-bbbb-3333cccc4444"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"client_id": "00000003-0000-0000-c000-000000000000"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"tenant_id": _NOBODYS[:-1]}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"tenant_id": "common"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"tenant_id": "Organizations"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"tenant_id": "9188040d-6c67-4c5b-b112-36a304b66dad"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"tenant_id": f"https://login.microsoftonline.com/{_NOBODYS}"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"tenant_id": "contoso.onmicrosoft.com"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"tenant_id": "my tenant"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"tenant_id": "agency.onmicrosoft.us"}, CauseId.CONFIG_WRONG_ENVIRONMENT),
        SettingChange({"tenant_id": "firm.partner.onmschina.cn"}, CauseId.CONFIG_WRONG_ENVIRONMENT),
        SettingChange({"tenant_id": "sandbox:tenant_domain", "cloud": "us-gov"}, CauseId.CONFIG_WRONG_ENVIRONMENT),
        SettingChange({"cloud": "GCC"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"cloud": "AzureCloud"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"certificate_thumbprint": _THUMBPRINT}, CauseId.CONFIG_SETTING_MISSING, setting="private_key"),
        SettingChange({"certificate_thumbprint": "0A:1B:" + "2C:" * 17 + "3D"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"certificate_thumbprint": "ChssPU5fYHGCk6S1xtfo-QEjRWc"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"certificate_thumbprint": _THUMBPRINT[:-1]}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"certificate_thumbprint": _NOBODYS}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"private_key": "sandbox:private_key", "client_secret": None}, CauseId.CONFIG_SETTING_MISSING),
        SettingChange({"client_secret": _SECRET, "private_key": _SMALL}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange(_with_key("sandbox:certificate"), CauseId.CONFIG_WRONG_KIND),
        SettingChange(_with_key(_CURVE), CauseId.CONFIG_WRONG_KIND),
        SettingChange(_with_key(_NO_KEY), CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange(_with_key(_SMALL), CauseId.CONFIG_WRONG_KIND),
        SettingChange(_with_key("entra-key.pem"), CauseId.CONFIG_MALFORMED_VALUE),
    )

    @pytest.mark.parametrize(
        "secret",
        [
            "[6gyXA5S20@MN+WRXAJ]I-TO7g1:h2P8",
            "kX9+/mJ2v0Qw1zR7tYb3uE5hL8nC4sD6fG0pA2iK1oM=",
            _SECRET[:-1],
            "a-b_c~d.e1f2g3h4",
        ],
        ids=["of Graph's documentation", "older, 44 characters", "39 characters", "16 characters"],
    )
    def test_a_secret_of_another_shape_is_no_fault(self, project: ProviderProject, secret: str) -> None:
        project.values["client_secret"] = secret
        assert project.run("check").first["cause"] is None

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("BleuCloud", "bleu"),
            ("France", "bleu"),
            ("AzureFranceCloud", "bleu"),
            ("germany", "delos"),
            ("DelosCloud", "delos"),
            ("GovSGCloud", "govsg"),
            ("AzureCloud", "global"),
            ("AzureUSGovernment", "us-gov"),
            ("AzureChinaCloud", "china"),
            ("USGovDoD", "us-gov-dod"),
        ],
    )
    def test_a_cloud_by_another_name_is_named(self, project: ProviderProject, written: str, meant: str) -> None:
        project.values["cloud"] = written
        result = project.run("check")
        assert (result.exit_code, result.first["cause"]) == (FAIL, CauseId.CONFIG_MALFORMED_VALUE)
        assert f'"{meant}"' in result.first_red["next_step"]

    @pytest.mark.parametrize("cloud", ["us-gov", "us-gov-dod", "china", "bleu", "delos", "govsg"])
    def test_another_cloud_is_no_fault(self, project: ProviderProject, cloud: str) -> None:
        project.values["cloud"] = cloud
        assert project.run("check").first["cause"] is None

    def test_a_certificate_in_the_place_of_a_secret(self, project: ProviderProject, running: Running) -> None:
        certificate = {name: f"sandbox:{name}" for name in ("private_key", "certificate_thumbprint")}
        project.change({"client_secret": None, **certificate}, running)
        result = project.run("gate")
        assert (result.exit_code, result.report["verdict"]) == (PASS, "pass"), result.stdout
        assert {check["subject"] for check in result.checks("credential.accepted")} == {"private_key"}
        assert result.checks("credential.enforced")[0]["outcome"] == "pass"
        assert "the certificate is valid until" in result.checks("credential.expiry")[0]["message"]
        assert not [c for c in result.checks("contract.interaction") if c["outcome"] != "pass"], result.stdout

    @pytest.mark.parametrize("changed", ["private_key", "certificate_thumbprint"])
    def test_a_certificate_that_is_not_the_applications(
        self, project: ProviderProject, running: Running, changed: str
    ) -> None:
        good = {name: f"sandbox:{name}" for name in ("private_key", "certificate_thumbprint")}
        others = {"private_key": _pem(rsa.generate_private_key(65537, 2048)), "certificate_thumbprint": _THUMBPRINT}
        project.change({"client_secret": None, **good, changed: others[changed]}, running)
        result = project.run("gate")
        assert result.first["cause"] == CauseId.CREDENTIAL_REJECTED, result.stdout
        assert result.first_red["evidence"]["setting"] == f"mfa.settings.{changed}"
        assert result.first_red["location"]["line"] == project.line_of(f"{changed} =")

    def test_a_tenant_named_by_its_domain(self, project: ProviderProject, running: Running) -> None:
        project.change({"tenant_id": "sandbox:tenant_domain"}, running)
        assert project.run("gate").exit_code == PASS

    def test_an_unknown_tenant_is_reported_by_the_check_of_the_credential(self, project: ProviderProject) -> None:
        """The ping says that Entra answers; that it does not know the tenant is no outage."""
        project.values["tenant_id"] = _NOBODYS
        result = project.run("gate")
        assert (result.exit_code, result.first["cause"]) == (FAIL, CauseId.CREDENTIAL_UNKNOWN_KEY), result.stdout
        assert result.first_red["location"]["line"] == project.line_of("tenant_id =")
        assert "another national cloud" in str(result.first_red["evidence"]["possible causes"])
        assert {"provider", "network"} <= set(result.first["exonerated"])

    def test_a_secret_that_is_about_to_end(self, project: ProviderProject, running: Running) -> None:
        project.change({"client_secret": "sandbox:expiring_client_secret"}, running)
        result = project.run("gate")
        (check,) = result.checks("credential.expiry")
        assert (result.exit_code, check["outcome"], check["cause"]) == (PASS, "warn", CauseId.CREDENTIAL_EXPIRING_SOON)
        assert check["location"]["line"] == project.line_of("client_secret =")

    def test_without_the_right_to_see_the_expiry(self, project: ProviderProject, running: Running) -> None:
        project.change(
            {"client_id": "sandbox:least_client_id", "client_secret": "sandbox:least_client_secret"}, running
        )
        (check,) = project.run("gate").checks("credential.expiry")
        assert (check["outcome"], "Application.Read.All" in check["message"]) == ("skipped", True)

    def test_graph_alone_is_down(self, project: ProviderProject) -> None:
        """The two hosts are pinged apart."""
        result = self._through(project, on_path("/v1.0/organization", always(503, b"no", "text/plain")))
        assert (result.exit_code, result.first["cause"]) == (INCONCLUSIVE, CauseId.PROVIDER_OUTAGE), result.stdout
        assert [check["outcome"] for check in result.checks("provider.ping")] == ["pass", "inconclusive"]
