"""This machine before the provider: no name server, no route, a proxy, a private authority."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from tests.support.programs import find_program
from tests.transport.helpers import server_tls
from tests.transport.servers import Handler, Server, answer, hang_up, unused_port

from mfagate.app import gate
from mfagate.checks import Stage
from mfagate.checks.reach import Sighting, this_machine
from mfagate.config.load import ConfigError, load
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Failure, Phase
from mfagate.core.result import IntegrationReport, Report

SECRET = "aZ3kQ9xW" * 5
EU, US = "api-1a2b3c4e.duosecurity.com", "api-5f6a7b8c.duosecurity.com"
NO_SUCH_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
NO_ANSWER = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

Names = dict[str, Any]
Serve = Callable[..., Server]
real_getaddrinfo = socket.getaddrinfo


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy") or name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SKEY", SECRET)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """What the resolver says of each name: an error, an address, or the port of a server on this machine.

    Others do not exist.
    """
    answers: Names = {}

    def getaddrinfo(host: str, port: int, **options: Any) -> list[Any]:
        if host == "localhost" or host.replace(".", "").isdigit() or options.get("flags", 0) & socket.AI_NUMERICHOST:
            return real_getaddrinfo(host, port, **options)
        found = answers.get(host, NO_SUCH_NAME)
        if isinstance(found, Exception):
            raise found
        if isinstance(found, str):
            return real_getaddrinfo(found, port, type=socket.SOCK_STREAM)
        return real_getaddrinfo("127.0.0.1", found, type=socket.SOCK_STREAM)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answers


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as running:

        def start(handler: Handler, tls: ssl.SSLContext | None = None) -> Server:
            return running.enter_context(Server(handler, tls))

        yield start


def duo(name: str, host: str, more: str = "") -> str:
    return (
        f'[integrations.{name}]\nprovider = "duo"\nenvironment = "production"\ntimeout_seconds = 10\n{more}'
        f'[integrations.{name}.settings]\nhost = "{host}"\nintegration_key = "DIABCDEFGH1234567890"\n'
        'secret_key = "env:SKEY"\n'
    )


ENTRA = (
    '[integrations.entra]\nprovider = "entra"\nenvironment = "production"\n[integrations.entra.settings]\n'
    'tenant_id = "5b2b7a4e-0c1f-4f8e-9a77-1d2e3f4a5b6c"\nclient_id = "7c9e6679-7425-40de-944b-e07fc1f90ae7"\n'
    'client_secret = "env:ENTRA_SECRET"\n'
)


@dataclass
class Machine:
    """A project on this machine."""

    folder: Path

    def gate(self, *tables: str, only: tuple[str, ...] = ()) -> Report:
        (self.folder / "integrations.toml").write_text("".join(tables))
        configuration = load(self.folder / "integrations.toml", ["duo", "entra", "privacyidea", "twilio"])
        report = gate.run(gate.GatePlan(configuration, configuration.select(only), Stage.GATE)).report
        assert SECRET not in report.model_dump_json()
        return report

    def line_of(self, start: str) -> int:
        lines = (self.folder / "integrations.toml").read_text().splitlines()
        return next(number for number, line in enumerate(lines, 1) if line.startswith(start))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def causes(report: Report) -> Mapping[str, str]:
    return {one.name: str(one.cause) for one in report.integrations}


def step(report: IntegrationReport) -> str:
    assert report.deciding is not None
    return str(report.deciding.next_step)


# Name resolution


@pytest.mark.parametrize("error", [NO_SUCH_NAME, NO_ANSWER], ids=["no such name", "no answer"])
def test_no_name_resolves(machine: Machine, names: Names, error: Exception) -> None:
    names.update(dict.fromkeys((EU, US), error))
    report = machine.gate(duo("eu", EU), duo("us", US))
    assert report.verdict == "inconclusive"
    assert causes(report) == {"eu": "network.this-machine", "us": "network.this-machine"}
    for one in report.integrations:
        assert one.verdict == "inconclusive"
        assert EU in one.headline
        assert US in one.headline
        assert "resolver first" in step(one)
        assert "configuration" in one.exonerated
        later = [check.message for check in one.checks if check.is_skipped]
        assert later
        assert not [message for message in later if "dns-failure" in message]
    assert report.summary.fail == 0


def test_one_provider_with_two_hosts_of_its_own_is_enough(
    machine: Machine, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENTRA_SECRET", "abc8Q~dEfGhIjKlMnOpQrStUvWxYz0123456789a")
    report = machine.gate(ENTRA)
    assert causes(report) == {"entra": "network.this-machine"}
    assert "login.microsoftonline.com" in report.integrations[0].headline


def test_a_name_that_does_not_exist_while_another_resolves(machine: Machine, names: Names, serve: Serve) -> None:
    names[US] = unused_port()
    report = machine.gate(duo("eu", EU), duo("us", US))
    assert causes(report) == {"eu": "network.dns-failure", "us": "network.connection-refused"}
    eu = report.integrations[0]
    assert eu.verdict == "fail"
    assert eu.deciding is not None
    assert eu.deciding.evidence["other integrations"] == "resolved in this run: us"


def test_a_single_name_that_does_not_exist_has_two_suspects_and_its_line(machine: Machine, names: Names) -> None:
    report = machine.gate(duo("eu", EU))
    one = report.integrations[0]
    assert (one.verdict, one.cause) == ("fail", CauseId.NETWORK_DNS_FAILURE)
    check = one.deciding
    assert check is not None
    assert check.location is not None
    assert check.location.line == machine.line_of("host = ")
    assert check.evidence["setting"] == "eu.settings.host"
    assert "name is wrong" in step(one)
    assert "resolver" in step(one)
    assert f"integrations.toml:{machine.line_of('host = ')}" in step(one)


def test_a_single_name_that_cannot_be_looked_up(machine: Machine, names: Names) -> None:
    names[EU] = NO_ANSWER
    one = machine.gate(duo("eu", EU)).integrations[0]
    assert (one.verdict, one.cause) == ("inconclusive", CauseId.NETWORK_DNS_FAILURE)
    assert "resolver" in step(one)
    assert "correct host" not in step(one)


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_a_filter_that_hides_names(machine: Machine, names: Names, address: str) -> None:
    """https://github.com/cloudflare/cloudflare-docs/pull/5246"""
    names.update({EU: address, US: address})
    one = machine.gate(duo("eu", EU)).integrations[0]
    assert (one.verdict, one.cause) == ("inconclusive", CauseId.NETWORK_DNS_FAILURE)
    assert f"answers {address} for {EU}" in one.headline
    assert "/etc/hosts" in step(one)
    both = machine.gate(duo("eu", EU), duo("us", US))
    assert causes(both) == {"eu": "network.this-machine", "us": "network.this-machine"}
    assert "filter" in step(both.integrations[0])


def test_names_that_lead_to_this_machine_itself(machine: Machine, names: Names) -> None:
    """Filters and /etc/hosts answer 127.0.0.1 for what they hide; nothing listens there."""
    names.update({EU: unused_port(), US: unused_port()})
    one = machine.gate(duo("eu", EU)).integrations[0]
    assert (one.verdict, one.cause) == ("inconclusive", CauseId.NETWORK_CONNECTION_REFUSED)
    assert f"{EU} points to this machine (127.0.0.1)" in step(one)
    both = machine.gate(duo("eu", EU), duo("us", US))
    assert causes(both) == {"eu": "network.this-machine", "us": "network.this-machine"}
    assert "filter" in step(both.integrations[0])


def test_two_integrations_on_one_host_are_one_host(machine: Machine, names: Names) -> None:
    report = machine.gate(duo("eu", EU), duo("eu-admin", EU))
    assert causes(report) == {"eu": "network.dns-failure", "eu-admin": "network.dns-failure"}
    assert report.verdict == "fail"


def test_one_wrong_setting_in_two_names_is_one_setting(
    machine: Machine, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of Twilio's two hosts both have the edge in their name."""
    monkeypatch.setenv("TOKEN", "0123456789abcdef" * 2)
    report = machine.gate(
        '[integrations.twilio]\nprovider = "twilio"\nenvironment = "staging"\n[integrations.twilio.settings]\n'
        'account_sid = "AC0123456789abcdef0123456789abcdef"\nauth_token = "env:TOKEN"\n'
        'region = "us1"\nedge = "umatila"\n'
        'service_sid = "VA0123456789abcdef0123456789abcdef"\n'
    )
    one = report.integrations[0]
    assert (one.verdict, one.cause) == ("fail", CauseId.NETWORK_DNS_FAILURE), one.headline
    assert one.deciding is not None
    assert one.deciding.location is not None
    assert one.deciding.location.line == machine.line_of("edge = ")


def test_a_server_on_this_machine_is_no_witness(machine: Machine, names: Names, serve: Serve) -> None:
    here = serve(answer(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"))
    local = duo("local", "api-99999999.duosecurity.com", f'endpoint = "{here.url().rstrip("/")}"\n')
    report = machine.gate(duo("eu", EU), duo("us", US), local)
    assert causes(report) == {
        "eu": "network.this-machine",
        "us": "network.this-machine",
        "local": "provider.outage",
    }


def test_an_endpoint_that_does_not_resolve_is_pointed_at(machine: Machine, names: Names) -> None:
    one = machine.gate(duo("eu", EU, 'endpoint = "https://mfa-proxy.example"\n')).integrations[0]
    assert one.cause is CauseId.NETWORK_DNS_FAILURE
    assert one.deciding is not None
    assert one.deciding.location is not None
    assert one.deciding.location.line == machine.line_of("endpoint = ")
    assert "correct endpoint" in step(one)


def test_a_single_integration_that_is_selected_is_alone(machine: Machine, names: Names) -> None:
    report = machine.gate(duo("eu", EU), duo("us", US), only=("us",))
    assert causes(report) == {"us": "network.dns-failure"}


# The witness


@pytest.mark.parametrize(
    ("witness", "cause"), [(NO_SUCH_NAME, "network.this-machine"), (None, "network.dns-failure")], ids=["lost", "found"]
)
def test_a_further_host_shows_whether_it_is_this_machine(
    machine: Machine, names: Names, serve: Serve, witness: Exception | None, cause: str
) -> None:
    asked = serve(hang_up)
    names["witness.example"] = witness or asked.port
    report = machine.gate('[gate]\nwitness_host = "witness.example"\n', duo("eu", EU))
    assert causes(report) == {"eu": cause}
    check = report.integrations[0].deciding
    assert check is not None
    assert check.evidence["witness host"].startswith("witness.example: ")
    assert asked.accepted == (witness is None)


def test_the_further_host_is_tried_only_if_another_was_not_reached(
    machine: Machine, names: Names, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, reached = serve(hang_up), serve(answer(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"))
    names["witness.example"] = asked.port
    where = reached.url().rstrip("/").replace("127.0.0.1", "mfa.example")
    names["mfa.example"] = reached.port
    report = machine.gate('[gate]\nwitness_host = "witness.example"\n', duo("eu", EU, f'endpoint = "{where}"\n'))
    assert "witness host" not in report.model_dump_json()
    assert asked.accepted == 0


@pytest.mark.parametrize(
    "value",
    ['"https://www.example.com"', '"www.example.com/"', '"localhost"', '"127.0.0.1:80"', '""', '"a b"', '"u@a"', "1"],
)
def test_a_further_host_must_be_a_host(tmp_path: Path, value: str) -> None:
    (tmp_path / "integrations.toml").write_text(f"[gate]\nwitness_host = {value}\n")
    with pytest.raises(ConfigError, match="witness_host"):
        load(tmp_path / "integrations.toml", ["duo"])


# Connections


@pytest.mark.parametrize("code", [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EPERM])
def test_no_connection_is_made(machine: Machine, names: Names, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    names.update({EU: 1, US: 2})
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *_: code)
    report = machine.gate(duo("eu", EU), duo("us", US))
    assert causes(report) == {"eu": "network.this-machine", "us": "network.this-machine"}
    assert "default route" in step(report.integrations[0])


def test_one_host_refuses_and_another_does_not_exist(machine: Machine, names: Names) -> None:
    """The name that resolves is a witness for the resolver, and no other host came as far as the one that refuses."""
    names[EU] = unused_port()
    report = machine.gate(duo("eu", EU), duo("us", US))
    assert causes(report) == {"eu": "network.connection-refused", "us": "network.dns-failure"}


# TLS


def test_every_certificate_is_of_an_unknown_authority(machine: Machine, names: Names, serve: Serve) -> None:
    """A device of the company opens TLS on the way, and this machine does not know its authority."""
    authority = trustme.CA(organization_name="Example Corp Inspection")
    tls = server_tls(authority.issue_cert(EU, US))
    names.update({EU: serve(answer(b""), tls).port, US: serve(answer(b""), tls).port})
    report = machine.gate(duo("eu", EU), duo("us", US))
    assert causes(report) == {"eu": "network.this-machine", "us": "network.this-machine"}
    assert "Example Corp Inspection" in step(report.integrations[0])
    assert "trust store first" in step(report.integrations[0])
    assert causes(machine.gate(duo("eu", EU))) == {"eu": "network.tls-untrusted"}


def test_a_bundle_of_an_integration_is_its_own_matter(
    machine: Machine, names: Names, serve: Serve, tmp_path: Path
) -> None:
    other, authority = trustme.CA(), trustme.CA()
    other.cert_pem.write_to_path(str(tmp_path / "old.pem"))
    tls = server_tls(authority.issue_cert(EU, US))
    names.update({EU: serve(answer(b""), tls).port, US: serve(answer(b""), tls).port})
    report = machine.gate(duo("eu", EU, 'ca_bundle = "old.pem"\n'), duo("us", US))
    assert causes(report) == {"eu": "network.tls-untrusted", "us": "network.tls-untrusted"}


# Proxies

NTLM = answer(
    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n"
    b"Proxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n"
)


def test_a_proxy_with_schemes_that_nobody_speaks(
    machine: Machine, names: Names, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", serve(NTLM).url().rstrip("/"))
    one = machine.gate(duo("eu", EU)).integrations[0]
    assert (one.verdict, one.cause) == ("fail", CauseId.NETWORK_PROXY)
    assert "Negotiate and NTLM" in one.headline
    both = machine.gate(duo("eu", EU), duo("us", US))
    assert causes(both) == {"eu": "network.this-machine", "us": "network.this-machine"}
    assert "Negotiate and NTLM" in both.integrations[0].headline
    assert "local proxy that authenticates by Negotiate or NTLM" in step(both.integrations[0])


def test_the_proxy_resolves_the_names(
    machine: Machine, names: Names, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine behind a proxy often has no name server at all."""
    unknown = answer(b"HTTP/1.1 503 No\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\nContent-Length: 0\r\n\r\n")
    monkeypatch.setenv("HTTPS_PROXY", serve(unknown).url().rstrip("/"))
    one = machine.gate(duo("eu", EU)).integrations[0]
    assert (one.verdict, one.cause) == ("fail", CauseId.NETWORK_PROXY)
    assert one.deciding is not None
    assert one.deciding.location is not None
    assert one.deciding.location.line == machine.line_of("host = ")
    assert "the name is wrong" in step(one)


def test_a_proxy_that_connects_to_one_of_two_hosts_clears_this_machine(
    machine: Machine, names: Names, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def picky(connection: socket.socket, server: Server) -> None:
        connection.settimeout(5)
        request = connection.recv(65536)
        allowed = US.encode() in request
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" if allowed else b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")

    monkeypatch.setenv("HTTPS_PROXY", serve(picky).url().rstrip("/"))
    report = machine.gate(duo("eu", EU), duo("us", US))
    assert report.integrations[0].cause is CauseId.NETWORK_PROXY
    assert report.integrations[1].cause is not CauseId.NETWORK_THIS_MACHINE


def test_a_proxy_that_does_not_exist(machine: Machine, names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.corp.example:3128")
    report = machine.gate(duo("eu", EU), duo("us", US))
    assert causes(report) == {"eu": "network.this-machine", "us": "network.this-machine"}
    assert "proxy.corp.example" in report.integrations[0].headline


@pytest.mark.parametrize(
    ("url", "said"), [("socks5://proxy.corp.example", "SOCKS"), ("http://user:12/pw@proxy.example", "malformed")]
)
def test_a_proxy_that_cannot_be_used(
    machine: Machine, names: Names, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    """Nothing is said of names: none was looked up."""
    monkeypatch.setenv("HTTPS_PROXY", url)
    report = machine.gate(duo("eu", EU), duo("us", US))
    assert causes(report) == {"eu": "network.this-machine", "us": "network.this-machine"}
    headline = report.integrations[0].headline
    assert "proxy" in headline
    assert said in headline
    assert "resolves" not in headline


# The rule


def failure(cause: CauseId, phase: Phase) -> Failure:
    return Failure(cause, phase, "it failed")


FAILURES = st.sampled_from(
    [
        None,
        failure(CauseId.NETWORK_DNS_FAILURE, Phase.RESOLVE),
        failure(CauseId.NETWORK_CONNECTION_TIMEOUT, Phase.CONNECT),
        failure(CauseId.NETWORK_TLS_UNTRUSTED, Phase.TLS),
        failure(CauseId.NETWORK_READ_TIMEOUT, Phase.PROCESSING),
        failure(CauseId.GATE_RESOURCES, Phase.CONNECT),
    ]
)
SIGHTINGS = st.builds(
    lambda host, found, trust: Sighting(f"https://{host}/", host, found, None, trust),
    st.sampled_from(["a.example", "b.example", "192.0.2.1", "localhost"]),
    FAILURES,
    st.sampled_from([None, "corp.pem"]),
)


@given(st.lists(SIGHTINGS, max_size=6))
def test_this_machine_is_blamed_only_if_nobody_passed_the_step(sightings: Sequence[Sighting]) -> None:
    for one, finding in this_machine(sightings):
        assert finding.cause is CauseId.NETWORK_THIS_MACHINE
        assert one.failure is not None
        assert one.host != "localhost"
        assert one.failure.cause is not CauseId.GATE_RESOURCES
        others = [other for other in sightings if other.host not in (one.host, "localhost")]
        assert any(other.failure == one.failure for other in others)
        if one.failed_in(Phase.RESOLVE):
            resolved = [other for other in sightings if other.failure is None and other.host.endswith(".example")]
            assert not resolved


@given(st.lists(SIGHTINGS, min_size=1, max_size=6))
def test_one_host_is_never_enough(sightings: Sequence[Sighting]) -> None:
    same = [Sighting("https://a.example/", "a.example", one.failure) for one in sightings]
    assert not list(this_machine(same))


def test_hosts_with_one_setting_in_their_names_are_one() -> None:
    broken = failure(CauseId.NETWORK_DNS_FAILURE, Phase.RESOLVE)
    hosts = ("verify.dublin.ie1.twilio.com", "api.dublin.ie1.twilio.com")
    assert not list(this_machine([Sighting(f"https://{host}/", "dublin", broken) for host in hosts]))
    assert len(list(this_machine([Sighting(f"https://{host}/", host, broken) for host in hosts]))) == 2


def test_certificates_that_are_all_out_of_date_lead_to_the_clock() -> None:
    expired = failure(CauseId.NETWORK_TLS_EXPIRED, Phase.TLS)
    found = list(this_machine([Sighting(f"https://{host}/", host, expired) for host in (EU, US)]))
    assert len(found) == 2
    assert "clock" in str(found[0][1].next_step)


# A whole command on a machine without any network


ISOLATED = """
import errno, runpy, socket

def no_answer(host, *arguments, **options):
    if options.get("flags", 0) & socket.AI_NUMERICHOST or host.replace(".", "").isdigit():
        return getaddrinfo(host, *arguments, **options)
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

getaddrinfo, socket.getaddrinfo = socket.getaddrinfo, no_answer
socket.socket.connect_ex = lambda *_: errno.ENETUNREACH
runpy.run_module("mfagate", run_name="__main__", alter_sys=True)
"""
"""A command whose process reaches nothing, for machines on which a user may make no network namespace."""


def isolated() -> list[str]:
    """Return mfagate in a network namespace of its own, in which there is only a loopback that is down."""
    unshare = find_program("unshare")
    for prefix in ([unshare, "--net"], [unshare, "--map-root-user", "--net"]) if unshare else ():
        if subprocess.run([*prefix, shutil.which("true") or "true"], check=False, capture_output=True).returncode == 0:
            return [*prefix, sys.executable, "-m", "mfagate"]
    return [sys.executable, "-c", ISOLATED]


def whole_command(folder: Path, *arguments: str) -> tuple[int, Report, str]:
    done = subprocess.run(
        [*isolated(), *arguments, "--output", "json=report.json", "--no-color"],
        cwd=folder,
        env={**os.environ, "SKEY": SECRET},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.returncode, Report.model_validate(json.loads((folder / "report.json").read_text())), done.stdout


def test_the_whole_command_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "integrations.toml").write_text(duo("eu", EU) + duo("us", US))
    code, report, console = whole_command(tmp_path, "gate")
    assert code == 3
    assert causes(report) == {"eu": "network.this-machine", "us": "network.this-machine"}
    assert "inconclusive eu:" in console
    assert report.summary.fail == 0


def test_the_whole_command_without_a_route(tmp_path: Path) -> None:
    """Addresses need no name server."""
    (tmp_path / "integrations.toml").write_text(
        duo("eu", EU, 'endpoint = "https://192.0.2.1"\n') + duo("us", US, 'endpoint = "https://198.51.100.1"\n')
    )
    code, report, _ = whole_command(tmp_path, "gate")
    assert code == 3
    assert causes(report) == {"eu": "network.this-machine", "us": "network.this-machine"}
    assert "default route" in step(report.integrations[0])


NAME_SERVER = """
import socket, struct, subprocess, sys

how, command = sys.argv[1], sys.argv[2:]
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
subprocess.run(["mount", "--bind", "resolv.conf", "/etc/resolv.conf"], check=True)
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
server.settimeout(0.05)
running = subprocess.Popen(command)
while running.poll() is None:
    try:
        query, asker = server.recvfrom(4096)
    except TimeoutError:
        continue
    if how == "silent":
        continue
    end = 12
    while query[end]:
        end += query[end] + 1
    question = query[12 : end + 5]
    head = query[:2] + bytes([0x81, 0x80 | (0 if how == "filter" else int(how))]) + query[4:6]
    if how == "filter" and question[-4:-2] == b"\\x00\\x01":
        record = b"\\xc0\\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes(4)
        server.sendto(head + b"\\x00\\x01" + bytes(4) + question + record, asker)
    else:
        server.sendto(head + bytes(6) + question, asker)
sys.exit(running.returncode)
"""
"""Runs a command in namespaces of its own, beside a name server that says one thing of every name."""

NO_NAME_SERVER = """
import runpy, socket, sys

how = sys.argv.pop(1)
getaddrinfo = socket.getaddrinfo

def answer(host, *arguments, **options):
    if options.get("flags", 0) & socket.AI_NUMERICHOST or host.replace(".", "").isdigit():
        return getaddrinfo(host, *arguments, **options)
    if how == "filter":
        return getaddrinfo("0.0.0.0", *arguments, **options)
    code = socket.EAI_NONAME if how == "3" else socket.EAI_AGAIN
    raise socket.gaierror(code, "an error of the resolver")

socket.getaddrinfo = answer
runpy.run_module("mfagate", run_name="__main__", alter_sys=True)
"""
"""A command to whose process the resolver says one thing, for machines on which a user may make no namespaces."""

RESOLVER_SAYS = [
    ("2", False),
    ("2", True),
    ("3", False),
    ("3", True),
    ("5", False),
    ("filter", True),
    ("silent", False),
]
"""SERVFAIL, NXDOMAIN, REFUSED (RFC 1035 section 4.1.1), 0.0.0.0, and nothing: to one integration or to several."""


def namespaces() -> list[str]:
    """Return how to run a program with mounts and a network of its own; empty where a user may not."""
    unshare = find_program("unshare")
    for prefix in ([unshare, "--net", "--mount"], [unshare, "--map-root-user", "--net", "--mount"]) if unshare else ():
        done = subprocess.run([*prefix, "ip", "link", "set", "lo", "up"], check=False, capture_output=True)
        if done.returncode == 0:
            return prefix
    return []


def beside_a_name_server(how: str) -> list[str]:
    """Return mfagate with a resolver that gets one answer to everything."""
    prefix = namespaces() if find_program("ip") else []
    if not prefix:
        return [sys.executable, "-c", NO_NAME_SERVER, how]
    return [*prefix, sys.executable, "server.py", how, sys.executable, "-m", "mfagate"]


@pytest.mark.parametrize(("how", "several"), RESOLVER_SAYS)
def test_the_whole_command_beside_a_name_server(tmp_path: Path, how: str, several: bool) -> None:
    """The answers are those of a real name server, through the system's own resolver."""
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    (tmp_path / "server.py").write_text(NAME_SERVER)
    tables = duo("eu", EU) + (duo("us", US) + ENTRA if several else "")
    (tmp_path / "integrations.toml").write_text(tables.replace("timeout_seconds = 10", "timeout_seconds = 3"))
    done = subprocess.run(
        [*beside_a_name_server(how), "gate", "--output", "json=report.json", "--no-color"],
        cwd=tmp_path,
        env={**os.environ, "SKEY": SECRET, "ENTRA_SECRET": "abc8Q~dEfGhIjKlMnOpQrStUvWxYz0123456789a"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    report = Report.model_validate(json.loads((tmp_path / "report.json").read_text()))
    expected = "network.this-machine" if several else "network.dns-failure"
    assert set(causes(report).values()) == {expected}, done.stdout
    assert done.returncode == (1 if how == "3" and not several else 3), done.stdout


def test_check_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / "integrations.toml").write_text(
        '[gate]\nwitness_host = "witness.example"\n' + duo("eu", EU) + duo("us", US)
    )
    _, report, _ = whole_command(tmp_path, "check")
    assert not [check for one in report.integrations for check in one.checks if check.id.startswith("network.")]
    assert [check.outcome for one in report.integrations for check in one.checks if check.id == "configuration"] == [
        Outcome.PASS
    ] * 2


@pytest.mark.parametrize("error", [NO_SUCH_NAME, NO_ANSWER], ids=["no such name", "no answer"])
def test_an_integration_with_two_hosts_reports_this_machine_once(
    machine: Machine, names: Names, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setenv("ENTRA_SECRET", "abc8Q~dEfGhIjKlMnOpQrStUvWxYz0123456789a")
    hosts = ("login.microsoftonline.com", "graph.microsoft.com")
    names.update(dict.fromkeys(hosts, error))
    (report,) = machine.gate(ENTRA).integrations
    (check,) = [one for one in report.checks if one.cause is CauseId.NETWORK_THIS_MACHINE]
    assert all(host in check.message for host in hosts)
    assert all(host in str(check.evidence["this host"]) for host in hosts)
    assert report.problems == [check]
