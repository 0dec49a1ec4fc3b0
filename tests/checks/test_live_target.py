"""What a target refuses to send, and which value it blames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from pydantic import SecretStr

from mfagate.checks.live_target import LiveTarget
from mfagate.config.load import load
from mfagate.core.causes import CauseId
from tests.checks.fake import CANARY, Fake, Server, Settings

Send = Callable[[str, str], tuple[CauseId, str | None]]


@pytest.fixture
def send(tmp_path: Path, provider: Fake, server: Server) -> Send:
    (tmp_path / "integrations.toml").write_text(
        '[integrations.x]\nprovider = "fake"\nenvironment = "staging"\n'
        '[integrations.x.settings]\ntenant = "acme"\nclient_secret = "env:SECRET"\n'
    )
    integration = load(tmp_path / "integrations.toml", ["fake"]).integrations["x"]

    def send(tenant: str, path: str) -> tuple[CauseId, str | None]:
        settings = Settings(tenant=tenant, client_secret=SecretStr(CANARY))
        target = LiveTarget(integration, provider, settings, endpoint=None, ca_bundle=None)
        exchange = target.send_unsigned(requests.Request("GET", f"{provider.api}{path}"))
        assert exchange.failure is not None
        assert tenant not in exchange.failure.message
        return exchange.failure.cause, exchange.failure.setting

    return send


@pytest.mark.parametrize("tenant", ["https://evil.example/x", "../admin", "..", "a b", "a#b", "a\\b", "%2e%2e", "a//b"])
def test_a_setting_that_leads_a_request_elsewhere_is_blamed(send: Send, tenant: str) -> None:
    assert send(tenant, f"/api/{tenant}/read") == (CauseId.CONFIG_MALFORMED_VALUE, "tenant")


def test_a_path_of_a_contract_is_not_blamed_on_a_setting(send: Send) -> None:
    assert send("acme", "/api/acme/../read") == (CauseId.CONTRACT_UNSAFE_PATH, None)
