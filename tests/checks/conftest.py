from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mfagate.app import gate
from mfagate.checks import Stage
from mfagate.config.load import load
from mfagate.core.result import IntegrationReport
from mfagate.providers import registry
from mfagate.sandbox.faulty_proxy import faulty_proxy
from tests.checks.fake import CANARY, TOKEN, Fake, Run, Server


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake()
    monkeypatch.setattr(registry, "get", lambda name: fake)
    return fake


@pytest.fixture
def server(provider: Fake) -> Iterator[Server]:
    one = Server()
    with faulty_proxy("http://127.0.0.1:9", one) as before:
        provider.login = provider.api = before.url
        yield one


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server, provider: Fake) -> Run:
    monkeypatch.setenv("SECRET", CANARY)
    (tmp_path / "integrations.toml").write_text(
        '[integrations.x]\nprovider = "fake"\nenvironment = "staging"\n'
        '[integrations.x.settings]\ntenant = "acme"\nclient_secret = "env:SECRET"\n'
    )
    configuration = load(tmp_path / "integrations.toml", ["fake"])

    def run() -> IntegrationReport:
        report = gate.run(configuration, configuration.select(), Stage.GATE)
        text = report.model_dump_json()
        assert CANARY not in text
        assert TOKEN not in text
        return report.integrations[0]

    return run
