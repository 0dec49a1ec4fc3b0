"""A project with a Duo integration on its emulator, and a webhook that receives messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mfagate.sandbox.faulty_proxy import Handler, faulty_proxy
from mfagate.testing.project import Project

from ..support.project import link_shipped

TOKEN = "canary-token-Zq81LmPw0"

WRONG = "e86VkVz0gBt7Rxm2cQ4sYpN1dHwLj5UfKaXo3TiC"


class Duo(Project):
    """``notify`` is the table ``[notify]``; the secret key is right until ``broken`` is set."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"WRONG_KEY": WRONG})
        self.broken = False
        self.owner = "identity-platform"
        self.notify = 'urls = ["env:MFA_NOTIFY_URL"]'
        link_shipped(folder)

    def text(self) -> str:
        key = "env:WRONG_KEY" if self.broken else "sandbox:secret_key"
        return f"""
[notify]
{self.notify}

[integrations.duo-eu]
provider = "duo"
environment = "production"
endpoint = "sandbox"

[integrations.duo-eu.settings]
host = "sandbox:host"
integration_key = "sandbox:integration_key"
secret_key = "{key}"

[integrations.duo-eu.documentation]
owner = "{self.owner}"
runbook = "https://runbooks.example.com/mfa"
provider_docs = "https://duo.com/docs/authapi"
escalation = "support"
rotation_days = 90
reviewed = 2026-11-01
"""


@pytest.fixture
def project(tmp_path: Path) -> Duo:
    return Duo(tmp_path)


@dataclass
class Webhook:
    """What Apprise's json:// sends, and what is answered."""

    port: int = 0
    status: int = 200
    received: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def __call__(self, handler: Handler) -> bool:
        self.received.append(json.loads(handler.rfile.read(int(handler.headers["Content-Length"]))))
        self.paths.append(handler.path)
        return handler.answer(self.status, b"{}", "application/json")

    @property
    def url(self) -> str:
        return f"json://bot:{TOKEN}@127.0.0.1:{self.port}/hooks/{TOKEN}/"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    made = Webhook()
    with faulty_proxy("http://127.0.0.1:9", made) as server:
        made.port = server.server_port
        yield made
