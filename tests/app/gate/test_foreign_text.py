"""What a provider sends back shows no part of a key, moves no terminal, and begins no line, in any format."""

from __future__ import annotations

import json
import os
import re
import socketserver
import ssl
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.support.project import REPOSITORY

TOKEN = "00kQ7xV2mZ9sT4bR8nW1cY6pL3dF5gH0jK_aEuIo-S"
FILES = ("github", "gitlab", "html", "json", "junit", "markdown", "openmetrics", "sarif", "console")

HOSTILE = (
    "PASS: HOSTILE deploy FAIL: HOSTILE ::error::HOSTILE ##vso[task.complete result=Failed;]HOSTILE ##[error]HOSTILE "
    "##teamcity[buildStop HOSTILE] section_start:1:HOSTILE [red]HOSTILE[/red] :boom: HOSTILE " * 3
)
BEGINNINGS = re.compile(
    r"\s*(::|##vso\[|##\[|##teamcity\[|section_start)[^\n]*HOSTILE|(PASS|FAIL|Error|warning):? HOSTILE"
)
CONTROLS = "\x1b[2J\x1b]8;;http://h\x07\x9b1m\u202e\u2066\x85\u2028\u2029\x0b\x0c\ufeff"

PING = {"id": "00oabcdefg1234567890", "_links": {"organization": {"href": "https://acme.okta.com"}}}

Answer = Callable[[str], bytes]
"""What is answered to a credential, made of the text that comes back."""


def http(status: int, headers: Mapping[str, str], body: str = "") -> bytes:
    content = body.encode()
    fields = {"Content-Length": str(len(content)), "Connection": "close", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode("utf-8", "surrogateescape") + content


def as_json(status: int, document: object, **headers: str) -> bytes:
    return http(status, {"Content-Type": "application/json", **headers}, json.dumps(document))


def in_a_header(status: int, name: str) -> Answer:
    return lambda text: http(status, {"Content-Type": "application/json", name: text}, "{}")


ANSWERS: dict[str, Answer] = {
    "page title": lambda text: http(403, {"Content-Type": "text/html"}, f"<html><title>{text}</title>"),
    "page title never closed": lambda text: http(502, {"Content-Type": "text/html"}, f"<html><title>{text}"),
    "server": in_a_header(403, "Server"),
    "content type": lambda text: http(200, {"Content-Type": f"text/{text}"}, "hello"),
    "content type of an error": lambda text: http(403, {"Content-Type": text}, "hello"),
    "content coding": lambda text: http(200, {"Content-Encoding": text}, "hello"),
    "location": in_a_header(302, "Location"),
    "retry-after": in_a_header(429, "Retry-After"),
    "reset": in_a_header(429, "X-Rate-Limit-Reset"),
    "maintenance": in_a_header(503, "Retry-After"),
    "reference": lambda text: as_json(403, {"errorCode": "E0000999"}, **{"X-Okta-Request-Id": text}),
    "code": lambda text: as_json(403, {"errorCode": text, "errorSummary": "no"}),
    "message": lambda text: as_json(403, {"errorCode": "E0000999", "errorSummary": text}),
    "known code": lambda text: as_json(401, {"errorCode": "E0000011", "errorSummary": text, "errorId": text}),
    "challenge": lambda text: http(
        403, {"WWW-Authenticate": f'Bearer error="{text}", error_description="{text}", scope="{text}"'}, ""
    ),
    "scope": lambda text: http(403, {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{text}"'}, ""),
    "key": lambda text: as_json(200, {text: 1, "id": "x"}),
    "value": lambda text: as_json(200, {"id": [text], "status": {"x": text}, "profile": text}),
    "text": lambda text: http(200, {"Content-Type": "text/plain"}, text),
    "status line": lambda text: f"{text}\r\n\r\n".encode(),
    "malformed status line": lambda text: f"HTTP/1.1 {text}\r\n\r\n".encode(),
    "malformed header": lambda text: f"HTTP/1.1 200 OK\r\n{text}\r\n\r\n".encode(),
    "transfer coding": lambda text: f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {text}\r\n\r\n".encode(),
}

PADS = [0, *(cut - len(TOKEN) + kept for cut in (60, 80, 120, 300) for kept in range(1, len(TOKEN) + 2, 4))]
"""So many characters stand before the key: it is cut at one of the lengths at which anything is cut."""


class Server(socketserver.ThreadingTCPServer):
    """Answers a ping as Okta does, and everything else with what ``answer`` makes of the path and the credential."""

    daemon_threads = True
    context: ssl.SSLContext | None = None

    def __init__(self, answer: Callable[[str, str], bytes]) -> None:
        self.answer = answer
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: object, client_address: object) -> None: ...


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def setup(self) -> None:
        if self.server.context is not None:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def handle(self) -> None:
        _, path, _ = self.rfile.readline().decode().split(" ")
        sent = ""
        while (line := self.rfile.readline().decode()).strip():
            if line.lower().startswith("authorization:"):
                sent = line.partition("SSWS ")[2].strip()
        is_ping = path.endswith("/.well-known/okta-organization")
        self.wfile.write(as_json(200, PING) if is_ping else self.server.answer(path, sent))


@contextmanager
def listening(answer: Callable[[str, str], bytes], context: ssl.SSLContext | None = None) -> Iterator[int]:
    with Server(answer) as server:
        server.context = context
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def gate(folder: Path, endpoints: list[str]) -> dict[str, str]:
    """Everything that a gate writes about one integration an endpoint, by where it was written."""
    for name in ("contracts", "cassettes"):
        if not (folder / name).exists():
            (folder / name).symlink_to(REPOSITORY / name)
    tables = [
        f'[integrations.mfa-{number}]\nprovider = "okta"\nenvironment = "staging"\nendpoint = "{endpoint}"\n'
        f'timeout_seconds = 5\n[integrations.mfa-{number}.settings]\norg_url = "https://acme.okta.com"\n'
        'api_token = "env:TOKEN"\n'
        for number, endpoint in enumerate(endpoints)
    ]
    (folder / "integrations.toml").write_text("\n".join(tables))
    outputs = [part for name in FILES for part in ("--output", f"{name}={name}.txt")]
    done = subprocess.run(
        [sys.executable, "-m", "mfagate", "gate", "--output", "console", *outputs],
        cwd=folder,
        env={**os.environ, "TOKEN": TOKEN, "GITHUB_STEP_SUMMARY": str(folder / "summary.txt")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (1, 3), done.stderr
    written = {path.name: path.read_text() for path in folder.glob("*.txt")}
    return {"stdout": done.stdout, "stderr": done.stderr, **written}


def assert_no_run(written: Mapping[str, str]) -> None:
    """No 12 characters of the key in a row, also where a line was wrapped."""
    for name, text in written.items():
        for form in (text, "".join(line.strip() for line in text.splitlines())):
            found = [TOKEN[at : at + 12] for at in range(len(TOKEN) - 11) if TOKEN[at : at + 12] in form]
            assert not found, f"{name}: {found}"


def assert_harmless(written: Mapping[str, str]) -> None:
    """No control character, nothing that turns the text around, and no line of others."""
    for name, text in written.items():
        odd = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") and c not in "\n\u200b"}
        assert not odd, f"{name}: {odd}"
        for line in text.split("\n"):
            ours = name.startswith("github") and line.startswith(("::error title", "::error file", "::stop-commands"))
            assert ours or not BEGINNINGS.match(line), f"{name}: {line}"
            assert not re.search(r"##(vso|teamcity)?\[", line), f"{name}: {line}"


PLACES = tuple(ANSWERS)


def behind(path: str) -> tuple[Answer, int]:
    """How a path is answered, and how much stands before the text: ``/PLACE/NUMBER/…``."""
    _, place, number, *_ = path.split("/")
    return ANSWERS[PLACES[int(place)]], int(number)


@pytest.mark.parametrize("first", range(0, len(PLACES), 4))
def test_a_key_that_an_answer_repeats_is_never_shown(tmp_path: Path, first: int) -> None:
    def answer(path: str, sent: str) -> bytes:
        answered, before = behind(path)
        return answered("x" * before + sent + "y" * 400)

    chosen = range(first, min(first + 4, len(PLACES)))
    with listening(answer) as port:
        written = gate(tmp_path, [f"http://127.0.0.1:{port}/{place}/{pad}" for place in chosen for pad in PADS])
    assert "[redacted" in written["json.txt"]
    assert_no_run(written)
    assert_harmless(written)


def test_hostile_text_begins_no_line_and_moves_no_terminal(tmp_path: Path) -> None:
    def answer(path: str, sent: str) -> bytes:
        answered, before = behind(path)
        # Blanks before it, so that it is wrapped at every place.
        return answered("w " * before + HOSTILE + CONTROLS)

    with listening(answer) as port:
        endpoints = [f"http://127.0.0.1:{port}/{place}/{pad}" for place in range(len(PLACES)) for pad in (0, 3, 13)]
        written = gate(tmp_path, endpoints)
    assert "HOSTILE" in written["stdout"]
    assert "💥" not in "".join(written.values()), "emoji codes are not replaced"
    assert_harmless(written)


def certificate(folder: Path, before: str) -> ssl.SSLContext:
    """A self-signed certificate with the key in its names, behind other text."""
    key = ec.generate_private_key(ec.SECP256R1())
    units = [before[at : at + 60] for at in range(0, len(before), 60)]
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"\x1b[2J\u202e{TOKEN}"),
            *(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units),
            x509.NameAttribute(NameOID.COMMON_NAME, f"::error::HOSTILE {TOKEN}"),
        ]
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(f"{TOKEN}.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.mark.parametrize("before", [0, 150, 215, 230, 245])
def test_a_key_in_a_certificate(tmp_path: Path, before: int) -> None:
    with listening(lambda path, sent: b"", certificate(tmp_path, "x" * before)) as port:
        written = gate(tmp_path, [f"https://127.0.0.1:{port}"])
    assert "[redacted" in written["stdout"]
    assert_no_run(written)
    assert_harmless(written)
