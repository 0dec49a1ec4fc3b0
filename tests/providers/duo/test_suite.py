"""Duo passes the suite that every provider passes."""

from __future__ import annotations

from mfagate.core.causes import CauseId
from mfagate.sandbox.faulty_proxy import always
from mfagate.testing import Absent, ProviderSuite, SettingChange

from ...support.project import REPOSITORY


class TestDuo(ProviderSuite):
    provider = "duo"
    contract = REPOSITORY / "contracts/duo/auth-service-duo.json"
    cassettes = REPOSITORY / "cassettes/duo"
    swapped = (("integration_key", "secret_key"),)
    rate_limit = always(429, b'{"code":42901,"message":"Too many requests","stat":"FAIL"}', "application/json")
    live = {
        "refused": SettingChange({"secret_key": "A" + "b" * 38 + "C"}, CauseId.CREDENTIAL_REJECTED),
        "unknown key": SettingChange({"integration_key": "DIABCDEFGHIJ01234567"}, CauseId.CREDENTIAL_UNKNOWN_KEY),
        "wrong kind": SettingChange(
            {"integration_key": "sandbox:admin_integration_key", "secret_key": "sandbox:admin_secret_key"},
            CauseId.CREDENTIAL_WRONG_KIND,
        ),
        "expired": Absent("Duo's keys do not expire"),
        "revoked": Absent("Duo says the same of a deleted application as of one that never was"),
        "wrong account": Absent("keys are known on their own account's host alone: elsewhere they are unknown"),
        "missing permission": Absent("an Auth API application has one permission, which is all"),
    }
    doubtful = (
        SettingChange({"secret_key": "a1B-" * 10}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"integration_key": "DIABCDEFGHIJ0123456x"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"host": "api-acme-1.duosecurity.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"host": "api-0a1b2c3.duosecurity.com"}, CauseId.CONFIG_MALFORMED_URL),
    )
    offline = (
        SettingChange({"secret_key": "a1B2" * 9 + "a1B"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"integration_key": "DIABCDEFGHIJ0123456"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"integration_key": "DIWJ8X6AEYOR5OMC6TQ1"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"host": "api-XXXXXXXX.duosecurity.com"}, CauseId.CONFIG_PLACEHOLDER_LEFT),
        SettingChange({"host": "https://api-0a1b2c3d.duosecurity.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"host": "api-0a1b2c3d.duosecurity.com/"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"host": "api-0a1b2c3d.duosecurity.com:443"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"host": "admin-0a1b2c3d.duosecurity.com"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"host": "api-0a1b2c3d.duosecurity.co"}, CauseId.CONFIG_MALFORMED_URL),
    )
