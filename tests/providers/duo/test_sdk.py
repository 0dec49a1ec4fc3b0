"""The referee of the emulator: Duo's own client, unmodified."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from duo_client import Admin, Auth

from mfagate.sandbox import Running

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:duo_client")  # it asks for any TLS version

PROVIDER = "duo"


def client(running: Running, kind: type = Auth, **changed: Any) -> Any:
    """A client of the emulator, over verified TLS."""
    prefix = "admin_" if kind is Admin else ""
    keys = {
        "ikey": running.values[f"{prefix}integration_key"],
        "skey": running.values[f"{prefix}secret_key"],
        "host": "localhost",
        "port": urlsplit(running.endpoint).port,
        "ca_certs": running.ca_bundle,
    }
    return kind(**keys | changed)


def code_of(error: RuntimeError) -> int:
    code: int = error.data["code"]  # type: ignore[attr-defined]
    return code


@pytest.fixture
def user(running: Running) -> tuple[str, str]:
    """The test user and a fresh passcode."""
    admin = client(running, Admin)
    (found,) = admin.get_users_by_name(running.values["user"])
    (passcode,) = admin.add_user_bypass_codes(found["user_id"], count=1, valid_secs=600)
    return running.values["user"], passcode


@pytest.mark.parametrize("version", [2, 4, 5])
def test_login_with_a_passcode(running: Running, user: tuple[str, str], version: int) -> None:
    auth = client(running, sig_version=version)
    username, passcode = user
    assert auth.ping()["time"] == pytest.approx(auth.check()["time"], abs=2)
    known = auth.preauth(username=username)
    assert known["result"] == "auth"
    assert "push" in known["devices"][0]["capabilities"]
    assert auth.auth("passcode", username=username, passcode="000000000")["result"] == "deny"
    assert auth.auth("passcode", username=username, passcode=passcode)["result"] == "allow"
    assert auth.auth("passcode", username=username, passcode=passcode)["result"] == "deny"


@pytest.mark.parametrize(
    ("who", "success", "status"),
    [("accepting_user", True, "allow"), ("declining_user", False, "deny"), ("ignoring_user", False, "timeout")],
)
def test_login_with_a_push(running: Running, who: str, success: bool, status: str) -> None:
    auth = client(running)
    txid = auth.auth("push", username=running.values[who], device="auto", async_txn=True)["txid"]
    told = auth.auth_status(txid)
    assert (told["waiting"], told["success"], told["status"]) == (False, success, status)
    assert auth.auth("push", username=running.values[who], device="auto")["status"] == status


def test_a_push_that_waits(running: Running) -> None:
    auth = client(running)
    txid = auth.auth("push", username=running.values["user"], device="auto", async_txn=True)["txid"]
    assert auth.auth_status(txid)["waiting"] is True


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"skey": "k" * 40}, 40103),
        ({"ikey": "DIABCDEFGHIJ01234567"}, 40102),
    ],
)
def test_refused_keys(running: Running, changed: dict[str, str], code: int) -> None:
    for kind in (Auth, Admin):
        with pytest.raises(RuntimeError) as raised:
            client(running, kind, **changed).json_api_call("GET", "/auth/v2/check", {})
        assert code_of(raised.value) == code


def test_keys_of_the_other_api(running: Running) -> None:
    with pytest.raises(RuntimeError) as raised:
        client(running, Admin).json_api_call("GET", "/auth/v2/check", {})
    assert code_of(raised.value) == 40301
    with pytest.raises(RuntimeError) as raised:
        client(running).json_api_call("GET", "/admin/v1/info/summary", {})
    assert code_of(raised.value) == 40301


def test_users_come_and_go(running: Running) -> None:
    admin, auth = client(running, Admin), client(running)
    user = admin.add_user("somebody", status="bypass")
    assert auth.preauth(username="somebody")["result"] == "allow"
    admin.update_user(user["user_id"], status="disabled")
    assert auth.preauth(username="somebody")["result"] == "deny"
    admin.delete_user(user["user_id"])
    assert auth.preauth(username="somebody")["result"] == "enroll"
