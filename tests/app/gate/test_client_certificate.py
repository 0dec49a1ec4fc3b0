"""A provider behind a server that demands a client certificate, as whole commands see it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from tests.support.project import link_shipped
from tests.transport.helpers import server_tls
from tests.transport.servers import Server, relay

from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.testing.project import Project

CONFIGURATION = """\
[integrations.duo]
provider = "duo"
environment = "staging"
endpoint = "https://localhost:{port}"
ca_bundle = "{ca}"
{more}
[integrations.duo.settings]
host = "{host}"
integration_key = "{integration_key}"
secret_key = "env:SECRET"
"""


class Behind(Project):
    """An integration with Duo's emulator behind the server; ``more`` are further lines of its table."""

    def __init__(self, folder: Path, running: Running, port: int, ca: trustme.CA) -> None:
        super().__init__(folder, {"SECRET": running.values["secret_key"]})
        link_shipped(folder)
        ca.cert_pem.write_to_path(str(folder / "ca.pem"))
        self._values = {**running.values, "port": port, "ca": "ca.pem"}
        self.more = ""

    def text(self) -> str:
        """The configuration."""
        return CONFIGURATION.format(more=self.more, **self._values)

    def show(self, ca: trustme.CA) -> None:
        """Configure a certificate of an authority, with its key."""
        issued = ca.issue_cert("login@example.com", common_name="login")
        (self.folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        key = issued.private_key_pem.bytes().decode()
        (self.folder / "key.pem").write_text(key)
        self.more = 'client_certificate = "cert.pem"\nclient_key = "env:TLS_KEY"'
        self.env["TLS_KEY"] = key


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    sandbox = sandboxes.get("duo")
    with sandbox.start() as started:
        yield started


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def project(tmp_path: Path, running: Running, authority: trustme.CA) -> Iterator[Behind]:
    context = server_tls(authority.issue_cert("localhost"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    behind = urlsplit(running.endpoint)

    def pass_on(connection: socket.socket, server: Server) -> None:
        with socket.create_connection((str(behind.hostname), behind.port or 0)) as plain:
            relay(connection, plain, server)

    with Server(pass_on, context) as server:
        yield Behind(tmp_path, running, server.port, authority)


def test_the_whole_gate_passes_with_the_certificate(project: Behind, authority: trustme.CA) -> None:
    project.show(authority)
    result = project.run("gate")
    assert [check["outcome"] for check in result.checks("network.tls")] == ["pass"]
    assert [check["outcome"] for check in result.checks("credential.accepted")] == ["pass"]


def test_without_one_the_report_says_which_lines_to_add(project: Behind) -> None:
    result = project.run("gate")
    red = result.first_red
    assert (result.exit_code, red["cause"]) == (1, "network.tls-client-certificate")
    assert 'client_certificate = "PATH"' in red["next_step"]
    assert "[integrations.duo]" in red["next_step"]
    assert red["location"]["line"] == project.line_of("[integrations.duo]")


def test_a_certificate_of_another_authority_is_located_at_the_setting(project: Behind) -> None:
    project.show(trustme.CA())
    result = project.run("gate")
    red = result.first_red
    assert (result.exit_code, red["cause"]) == (1, "network.tls-client-certificate")
    assert "it does not trust the issuer" in red["message"]
    assert red["location"]["line"] == project.line_of("client_certificate")
    assert "CN=login" in red["evidence"]["client certificate"]
