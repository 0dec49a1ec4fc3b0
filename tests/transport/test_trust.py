"""Which bundle is in force, and one context for all."""

from __future__ import annotations

import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import certifi
import pytest
import trustme

from mfagate.transport import CaBundleError, Transport, trust
from tests.transport.conftest import Serve
from tests.transport.helpers import PATIENCE, answered, prepared, server_tls
from tests.transport.servers import ok


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"", "no readable certificate"),
        (b"no PEM", "no readable certificate"),
        (b"\xff\x00", "no readable certificate"),
    ],
)
@pytest.mark.parametrize("variable", [None, "REQUESTS_CA_BUNDLE"])
def test_an_unusable_bundle_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, reason: str, variable: str | None
) -> None:
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_bytes(content)
    if variable:
        monkeypatch.setenv(variable, str(path))
    with pytest.raises(CaBundleError) as caught:
        Transport(ca_bundle=None if variable else path)
    assert isinstance(caught.value, ValueError)
    assert caught.value.path == path
    assert str(path) in str(caught.value)
    assert reason in str(caught.value)
    assert (variable or "as configured") in str(caught.value)


def test_what_decides(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = {}
    for name in trust.BUNDLE_VARIABLES:
        others[name] = tmp_path / name
        trustme.CA().cert_pem.write_to_path(str(others[name]))
    assert trust.trusting(None, trust_env=True)[0] == Path(certifi.where())
    for name in reversed(trust.BUNDLE_VARIABLES):
        monkeypatch.setenv(name, str(others[name]))
        assert trust.trusting(None, trust_env=True)[0] == others[name]
        assert trust.trusting(None, trust_env=False)[0] == Path(certifi.where())
        assert trust.trusting(bundle, trust_env=True)[0] == bundle


def test_a_directory_as_openssl_keeps_it(serve: Serve, ca: trustme.CA, tmp_path: Path) -> None:
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    subprocess.run(["openssl", "rehash", tmp_path], check=True)
    server = serve(ok(), server_tls(ca.issue_cert("127.0.0.1")))
    answered(Transport(timeout_seconds=PATIENCE, ca_bundle=tmp_path).send(prepared(server.url())))


def test_threads_share_one_context(serve: Serve, tmp_path: Path, ca: trustme.CA) -> None:
    path = tmp_path / "bundle.pem"
    ca.cert_pem.write_to_path(str(path))
    server = serve(ok(), server_tls(ca.issue_cert("127.0.0.1")))

    def exchange(_: int) -> int:
        wire = Transport(timeout_seconds=PATIENCE, ca_bundle=path)
        answered(wire.send(prepared(server.url())))
        return id(wire._verifier.context)

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(exchange, range(64)))) == 1


def test_the_bundle_is_loaded_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ca: trustme.CA) -> None:
    path = tmp_path / "bundle.pem"
    ca.cert_pem.write_to_path(str(path))
    loaded: list[Path] = []
    real_load = trust._load

    def load(path: Path, origin: str) -> ssl.SSLContext:
        loaded.append(path)
        time.sleep(0.05)  # for the other threads to come by
        return real_load(path, origin)

    monkeypatch.setattr(trust, "_load", load)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: Transport(ca_bundle=path), range(64)))
    assert loaded == [path]


@pytest.mark.parametrize("options", [{"timeout_seconds": 0}, {"timeout_seconds": -1}, {"max_body_bytes": -1}])
def test_limits_have_to_make_sense(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="has to be"):
        Transport(**options)  # type: ignore[arg-type]


def test_the_import_is_cheap() -> None:
    code = "import sys, mfagate.transport; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"requests", "urllib3", "cryptography", "rich"} & set(modules)
