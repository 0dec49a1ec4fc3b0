"""Vonage passes the suite that every provider passes."""

from __future__ import annotations

from pathlib import Path

from mfagate_vonage.auth import new_private_key

from mfagate.core.causes import CauseId
from mfagate.sandbox.faulty_proxy import always
from mfagate.testing import Absent, ProviderSuite, SettingChange

ROOT = Path(__file__).parents[1]

OTHER_KEY = new_private_key()


class TestVonage(ProviderSuite):
    provider = "vonage"
    contract = ROOT / "contracts/vonage/auth-service-vonage.json"
    cassettes = ROOT / "cassettes/vonage"
    rate_limit = always(429, b'{"title":"Rate Limit Hit","detail":"Please wait."}', "application/json")
    swapped = (("api_key", "application_id"),)
    live = {
        "refused": SettingChange({"api_secret": "Aa0Bb1Cc2Dd3"}, CauseId.CREDENTIAL_REJECTED),
        "unknown key": SettingChange({"api_key": "0123abcd"}, CauseId.CREDENTIAL_REJECTED, "api_secret"),
        "wrong kind": SettingChange({"private_key": OTHER_KEY}, CauseId.CREDENTIAL_REJECTED),
        "expired": Absent("secrets do not expire, and a JWT is made for each request"),
        "revoked": Absent("Vonage says the same of a revoked secret as of a wrong one"),
        "wrong account": Absent("a secret is accepted for its own API key alone"),
        "missing permission": SettingChange(
            {"api_key": "sandbox:forbidden_api_key", "api_secret": "sandbox:forbidden_api_secret"},
            CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
            "api_secret",
        ),
    }
    offline = (
        SettingChange({"api_key": "0123abc"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"api_secret": "short"}, CauseId.CONFIG_MALFORMED_VALUE),
        SettingChange({"api_secret": "0123456789abcdefghijklmnopqrstuvwxyz"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"private_key": OTHER_KEY.replace("\n", "\\n")}, CauseId.CONFIG_STRAY_CHARACTERS),
        SettingChange(
            {"private_key": OTHER_KEY.replace("PRIVATE KEY", "RSA PRIVATE KEY")}, CauseId.CONFIG_MALFORMED_VALUE
        ),
        SettingChange({"application_id": None}, CauseId.CONFIG_SETTING_MISSING),
        SettingChange({"api_key": None}, CauseId.CONFIG_SETTING_MISSING),
    )
