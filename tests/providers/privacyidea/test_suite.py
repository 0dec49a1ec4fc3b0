"""privacyIDEA passes the suite that every provider passes, with its real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from mfagate.core.causes import CauseId
from mfagate.providers.privacyidea.provider import PROVIDER
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import always
from mfagate.testing import Absent, ProviderSuite, SettingChange
from mfagate.testing.provider_project import ProviderProject

from ...support.project import REPOSITORY

_MADE_UP = PROVIDER.probes.with_bad_credential(PrivacyIDEASettings(url="https://mfa.example.com"), "validate_key")
_FORGED = _MADE_UP.secret("validate_key") if _MADE_UP is not None else None


class TestPrivacyIDEA(ProviderSuite):
    provider = "privacyidea"
    contract = REPOSITORY / "contracts/privacyidea/auth-service-privacyidea.json"
    cassettes = REPOSITORY / "cassettes/privacyidea"
    expect = {"realm": "sandbox:realm", "public_key": "sandbox:public_key"}
    swapped = (("validate_key", "admin_key"),)
    rate_limit = always(429, b"{}", "application/json", Retry_After="30")
    live = {
        "refused": SettingChange({"validate_key": _FORGED}, CauseId.CREDENTIAL_REJECTED),
        "unknown key": Absent("a key carries its whole identity; the server keeps no list of them"),
        "wrong kind": Absent("the role stands in the key, so a wrong one is found offline"),
        "expired": Absent("the date stands in the key, so an expired one is found offline"),
        "revoked": Absent("a key cannot be revoked; what changes is the server's SECRET_KEY, which refuses it"),
        "wrong account": SettingChange({"expect.realm": "production"}, CauseId.CREDENTIAL_WRONG_ACCOUNT),
        "missing permission": Absent("every key of a role may do the same until the server has policies for it"),
    }
    offline = (
        SettingChange({"validate_key": "sandbox:expired_validate_key"}, CauseId.CONFIG_EXPIRED),
        SettingChange({"validate_key": "sandbox:admin_key"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"admin_key": "pi_1_secret"}, CauseId.CONFIG_WRONG_KIND),
        SettingChange({"validate_key": None, "admin_key": None}, CauseId.CONFIG_SETTING_MISSING),
        SettingChange({"url": "mfa.shop.internal"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"url": "https://mfa.shop.internal/"}, CauseId.CONFIG_MALFORMED_URL),
        SettingChange({"url": "https://mfa.shop.internal/validate/check"}, CauseId.CONFIG_MALFORMED_URL),
    )

    @pytest.fixture
    def project(self, tmp_path: Path, running: Running) -> ProviderProject:
        """Let the server take longer: it makes keys while other tests use the processors."""
        project = ProviderProject(tmp_path, self, running)
        project.timeout_seconds = 15.0
        return project
