"""``mfagate scan``: what scrubbing would have taken out is found, without a secret being known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mfagate import leaks
from mfagate.scrub import SCRUBBED

from .support.project import REPOSITORY

CANARY = "c4n4ry-s3cret"


def cassette(
    path: Path, *, url: str = "https://api.example.com/v1", sent: str = "", answer: str = "", **headers: str
) -> Path:
    """A recording as vcrpy makes it, of somebody's own tests; headers of the request by name."""
    content = "application/x-www-form-urlencoded" if "=" in sent else "application/json"
    sent_headers = {name: [value] for name, value in {"Content-Type": content, **headers}.items()}
    interaction = {
        "request": {"method": "POST", "uri": url, "body": sent, "headers": sent_headers},
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": answer}},
    }
    path.write_text(yaml.safe_dump({"interactions": [interaction], "version": 1}))
    return path


def places(path: Path) -> list[str]:
    return [leak.place for leak in leaks.search(path)]


def scan(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mfagate", "scan", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert CANARY not in done.stdout + done.stderr and "Traceback" not in done.stderr
    return done


def test_what_mfagate_recorded_is_clean() -> None:
    found = leaks.recordings([REPOSITORY / "cassettes"])
    assert len(found) > 100
    assert [str(leak) for path in found for leak in leaks.search(path)] == []


@pytest.mark.parametrize("name", ["Authorization", "PI-Authorization", "Cookie", "X-Api-Key"])
def test_a_header_with_a_credential(tmp_path: Path, name: str) -> None:
    found = places(cassette(tmp_path / "a.yaml", **{name: CANARY}))
    assert found == [f"the header {name} of the request"]


@pytest.mark.parametrize("name", ["password", "client_secret", "accessToken", "otpkey", "sharedSecret", "AuthPayload"])
def test_a_field_of_any_provider(tmp_path: Path, name: str) -> None:
    """``otpkey`` is privacyIDEA's, ``sharedSecret`` Okta's, ``AuthPayload`` Twilio's."""
    path = tmp_path / "a.yaml"
    assert places(cassette(path, answer=json.dumps({"a": [{name: CANARY}]}))) == [f"the field {name} of the answer"]
    assert places(cassette(path, sent=urlencode({name: CANARY}))) == [f"the field {name} of the request"]
    assert places(cassette(path, url=f"https://x.example.com/?{name}={CANARY}")) == [
        f"the query parameter {name} of the address"
    ]


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (f"https://{CANARY}@x.example.com/", "the user name or password in {}"),
        (f"https://somebody:{CANARY}@x.example.com/", "the user name or password in {}"),
        (f"https://x.example.com/?a=1&id_token={CANARY}", "the query parameter id_token of {}"),
        (f"https://x.example.com/?a=1#access_token={CANARY}&b=2", "the query parameter access_token of {}"),
    ],
)
def test_an_address_with_a_credential(tmp_path: Path, address: str, place: str) -> None:
    """Where a login is sent on to, it often has what logs in."""
    asked = places(cassette(tmp_path / "a.yaml", url=address))
    assert asked == [place.format("the address")]
    path = cassette(tmp_path / "a.yaml", Referer=address)
    assert places(path) == [place.format("the header Referer of the request")]
    path.write_text(path.read_text().replace("headers: {}", f"headers: {{Location: ['{address}']}}"))
    assert place.format("the header Location of the answer") in places(path)


@given(st.sampled_from(["pass", "otp", "token", "code"]), st.sampled_from([SCRUBBED, "", None]))
def test_what_is_scrubbed_or_empty_is_clean(tmp_path_factory: pytest.TempPathFactory, name: str, value: object) -> None:
    path = tmp_path_factory.mktemp("cassettes") / "a.yaml"
    assert places(cassette(path, answer=json.dumps({name: value, "deep": {name: value}}))) == []


def test_a_compressed_answer_is_not_taken_for_clean(tmp_path: Path) -> None:
    path = cassette(tmp_path / "a.yaml", answer="\\x1f")
    path.write_text(path.read_text().replace("headers: {}", "headers: {Content-Encoding: [gzip]}"))
    assert "is compressed and cannot be searched" in places(path)[0]


def test_the_command_names_the_place_and_not_the_value(tmp_path: Path) -> None:
    (tmp_path / "cassettes").mkdir()
    cassette(tmp_path / "cassettes/a.yaml", sent=f'{{"passcode": "{CANARY}"}}')
    cassette(tmp_path / "cassettes/b.yaml")
    done = scan(tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("cassettes/a.yaml: interaction 1: the field passcode of the request\n\nWhat stands")
    assert "mfagate explain cassette.secret-leaked" in done.stdout
    assert scan(tmp_path, "cassettes/b.yaml").stdout.startswith("1 recording: nothing that should")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: [", "is not YAML"),
        ("a: 1", "is YAML, but no cassette"),
        (None, "is not there"),
    ],
)
def test_what_is_no_recording(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "a.yaml").write_text(content)
    done = scan(tmp_path, "a.yaml")
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr


def test_one_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [")
    cassette(tmp_path / "b.yaml", sent=f'{{"passcode": "{CANARY}"}}')
    done = scan(tmp_path, ".")
    assert (done.returncode, "a.yaml is not YAML" in done.stderr) == (2, True), done.stderr
    assert done.stdout.startswith("b.yaml: interaction 1: the field passcode of the request\n")


def test_a_folder_without_recordings_is_no_pass(tmp_path: Path) -> None:
    done = scan(tmp_path, ".")
    assert (done.returncode, "there are no recordings in ." in done.stderr) == (2, True), done.stderr
    (tmp_path / "cassettes").mkdir()
    done = scan(tmp_path)
    assert (done.returncode, "there are no recordings in cassettes" in done.stderr) == (2, True), done.stderr


def test_an_address_that_is_none(tmp_path: Path) -> None:
    done = scan(tmp_path, str(cassette(tmp_path / "a.yaml", url=f"https://[{CANARY}/")))
    assert (done.returncode, "holds an address that is none" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000])
def test_a_body_nested_without_end(tmp_path: Path, body: str) -> None:
    done = scan(tmp_path, str(cassette(tmp_path / "a.yaml", answer=body)))
    assert (done.returncode, "nested too deeply" in done.stderr) == (2, True), done.stderr
