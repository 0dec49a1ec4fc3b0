"""The sandbox is a real privacyIDEA server, and what it hands out is good for what it says."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from mfagate.sandbox import Running, SandboxError
from mfagate_sandbox.privacyidea.sandbox import PrivacyIDEASandbox


def ask(server: Running, method: str, path: str, key: str | None = None, **body: str) -> requests.Response:
    headers = {"Accept": "application/json"} | ({"Authorization": key} if key else {})
    return requests.request(method, server.endpoint + path, headers=headers, json=body or None, timeout=30)


def check_nobody(server: Running, key: str) -> tuple[int, int]:
    """Status and error code of a login of a user that does not exist."""
    answer = ask(server, "POST", "/validate/check", key, user="nobody", **{"pass": "000000"})
    return answer.status_code, answer.json()["result"]["error"]["code"]


def test_is_the_version_of_which_our_facts_are(server: Running) -> None:
    answer = ask(server, "GET", "/validate/polltransaction/1", server.values["validate_key"])
    assert answer.json()["version"] == "privacyIDEA 3.14"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("validate_key", (400, 904)),
        ("admin_key", (403, 303)),
        ("expired_validate_key", (500, -500)),
    ],
)
def test_key_on_a_validate_endpoint(server: Running, name: str, expected: tuple[int, int]) -> None:
    assert check_nobody(server, server.values[name]) == expected


def test_key_is_required(server: Running) -> None:
    assert ask(server, "POST", "/validate/check", user="nobody").status_code == 403


def test_admin_key_and_its_realm(server: Running) -> None:
    realms = ask(server, "GET", "/defaultrealm", server.values["admin_key"]).json()["result"]["value"]
    assert list(realms) == [server.values["realm"]]


def test_person_can_log_in(server: Running) -> None:
    login = {"username": server.values["admin_user"], "password": server.values["admin_password"]}
    assert ask(server, "POST", "/auth", **login).json()["result"]["value"]["role"] == "admin"
    assert "privacyIDEA" in requests.get(server.values["url"], timeout=30).text


def test_public_key_verifies_answers(server: Running) -> None:
    path = "/validate/polltransaction/1?nonce=not-replayed"
    answer: dict[str, Any] = ask(server, "GET", path, server.values["validate_key"]).json()
    algorithm, signature = answer.pop("signature").split(":")
    assert (algorithm, answer["nonce"]) == ("rsa_sha256_pss", "not-replayed")
    key = serialization.load_pem_public_key(server.values["public_key"].encode())
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(
        bytes.fromhex(signature),
        json.dumps(answer, sort_keys=True).encode(),
        padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH),
        hashes.SHA256(),
    )


def test_secrets_are_named(server: Running) -> None:
    assert server.secrets == {"validate_key", "expired_validate_key", "admin_key", "admin_password"}


def test_key_of_another_sandbox_is_refused_quietly(server: Running, capfd: pytest.CaptureFixture[str]) -> None:
    with PrivacyIDEASandbox().start() as other:
        assert other.endpoint != server.endpoint
        assert check_nobody(other, other.values["validate_key"]) == (400, 904)
        assert check_nobody(other, server.values["validate_key"]) == (403, 303)
    assert capfd.readouterr() == ("", "")


def test_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfagate.core.extras.find_spec", lambda name: None)
    with pytest.raises(SandboxError, match=r"pip install \S+\[sandbox\]"):
        PrivacyIDEASandbox().start()


def test_privacyidea_is_not_loaded_into_our_process(server: Running) -> None:
    assert "privacyidea" not in sys.modules
