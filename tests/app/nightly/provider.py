"""Duo's emulator in this process: it changes from night to night, and time is told to it and to us."""

from __future__ import annotations

import itertools
import json
import math
import random
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from tests.support.project import REPOSITORY, ageless_recordings

from mfagate.checks.live_target import LiveTarget
from mfagate.core.exchange import Exchange, Phase
from mfagate.providers.duo.probes import DuoProbes
from mfagate.providers.probes import Expiry, ExpiryProbe
from mfagate.sandbox.emulator.app import IncomingRequest, Reply
from mfagate.sandbox.emulator.listen import Listener
from mfagate.transport import Transport
from mfagate_sandbox.duo.emulator import DuoEmulator

USUAL = {
    Phase.RESOLVE: 0.004,
    Phase.CONNECT: 0.015,
    Phase.TLS: 0.03,
    Phase.PROCESSING: 0.12,
    Phase.TRANSFER: 0.001,
}
"""Seconds; what an exchange on loopback really takes says nothing."""

INTERACTIONS = ("key accepted", "user may choose a factor", "user without a device", "user in bypass", "disabled user")

Change = Callable[[dict[str, Any]], None]
"""Done to the ``response`` of a preauth with devices."""


class ChangingDuo(DuoEmulator):
    """Answers as it did, and then one thing after another is otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[Change] = []
        self.be_unavailable(None)

    def be_unavailable(self, every: int | None) -> None:
        """Fail each so many requests from now on; never with None."""
        self._unavailable_every, self._count = every, itertools.count(1)

    def _answer(self, environ: Any, request: IncomingRequest) -> Reply:
        if self._unavailable_every is not None and next(self._count) % self._unavailable_every == 0:
            return Reply(503, "try again", content_type="text/plain")
        answer = super()._answer(environ, request)
        body = json.loads(json.dumps(answer.body))
        if request.path == "/auth/v2/preauth" and "devices" in body.get("response", {}):
            for change in self.changes:
                change(body["response"])
        return replace(answer, body=body)


@dataclass
class Provider:
    """The provider as it is now. ``slower`` is the factor of its processing."""

    emulator: ChangingDuo
    listener: Listener
    authority: trustme.CA
    bundle: Path
    began: datetime
    slower: float = 1.0
    draw: random.Random = field(default_factory=lambda: random.Random(7))

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.listener.server_port}"

    def use_certificate(self, days: float) -> None:
        """A new one, valid for so many days from the first night on."""
        self.listener.tls = _context(self.authority, self.began + timedelta(days=days))

    def phases(self) -> Mapping[Phase, float]:
        """How long an exchange takes, with noise."""
        factors = {Phase.PROCESSING: self.slower}
        return {
            phase: usual * factors.get(phase, 1.0) * math.exp(self.draw.gauss(0, 0.1)) for phase, usual in USUAL.items()
        }


def _context(authority: trustme.CA, not_after: datetime) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue_cert("127.0.0.1", not_before=datetime.now(UTC) - timedelta(days=400), not_after=not_after)
    issued.configure_cert(context)
    return context


@contextmanager
def running(folder: Path, began: datetime) -> Iterator[Provider]:
    """The provider, with a certificate of a year."""
    authority = trustme.CA()
    bundle = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    emulator = ChangingDuo()
    listener = Listener(emulator, _context(authority, began + timedelta(days=365)))
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Provider(emulator, listener, authority, bundle, began)
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def simulate(monkeypatch: pytest.MonkeyPatch, provider: Provider, key_expires: datetime) -> None:
    """Exchanges take the time that the provider says, and the key runs out: Duo itself tells no such date."""
    send = LiveTarget._send

    def simulated(
        self: LiveTarget,
        prepared: requests.PreparedRequest,
        wire: Transport,
        *how: Any,
        fresh: bool = False,
    ) -> Exchange:
        exchange = send(self, prepared, wire, *how, fresh=fresh)
        if exchange.failure:
            return exchange
        phases = provider.phases()
        return replace(exchange, phases={phase: phases[phase] for phase in exchange.phases})

    def expiries(self: DuoProbes, settings: Any) -> list[ExpiryProbe]:
        (probe,) = self.credentials(settings)
        return [ExpiryProbe(probe, "nothing", lambda response: [Expiry("secret_key", key_expires, "the secret key")])]

    monkeypatch.setattr(LiveTarget, "_send", simulated)
    monkeypatch.setattr(DuoProbes, "expiries", expiries)


CONFIGURATION = """\
[integrations.duo]
provider = "duo"
environment = "staging"
endpoint = "{url}"
ca_bundle = "{bundle}"
contract = "duo.json"

[integrations.duo.settings]
host = "{host}"
integration_key = "{integration_key}"
secret_key = "env:DUO_SECRET_KEY"

[integrations.duo.test_data]
user = "mfagate-user"
admin_integration_key = "{admin_integration_key}"
admin_secret_key = "env:DUO_ADMIN_SECRET_KEY"

[integrations.duo.documentation]
owner = "identity-platform"
runbook = "https://runbooks.example.com/mfa/duo"
provider_docs = "https://duo.com/docs/authapi"
escalation = "support@duosecurity.com"
rotation_days = 180
reviewed = {today}
"""


def write_project(folder: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose contract has a few interactions of the shipped one."""
    contract = json.loads((REPOSITORY / "contracts/duo/auth-service-duo.json").read_text())
    contract["interactions"] = [one for one in contract["interactions"] if one["description"] in INTERACTIONS]
    (folder / "duo.json").write_text(json.dumps(contract))
    (folder / "cassettes").symlink_to(ageless_recordings())
    values = provider.emulator.values
    monkeypatch.setenv("DUO_SECRET_KEY", values["secret_key"])
    monkeypatch.setenv("DUO_ADMIN_SECRET_KEY", values["admin_secret_key"])
    path = folder / "integrations.toml"
    path.write_text(
        CONFIGURATION.format(url=provider.url, bundle=provider.bundle, today=provider.began.date(), **values)
    )
    return path
