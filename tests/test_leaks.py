"""``mfagate scan``: what scrubbing would have taken out is found, without a secret being known."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mfagate import leaks
from mfagate.cassette import CassetteError
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


def b64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


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


@pytest.mark.parametrize(
    "name",
    ["Authorization", "PI-Authorization", "Cookie", "X-Api-Key", "X-Access-Token", "X-Vault-Token", "X-Client-Secret"],
)
def test_a_header_with_a_credential(tmp_path: Path, name: str) -> None:
    found = places(cassette(tmp_path / "a.yaml", **{name: CANARY}))
    assert found == [f"the header {name} of the request"]


FIELDS = ["password", "client_secret", "accessToken", "otpkey", "sharedSecret", "AuthPayload", "sessionToken",
          "stateToken", "skey", "private_key", "X-Access-Token"]  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_any_provider(tmp_path: Path, name: str) -> None:
    """``otpkey`` is privacyIDEA's, ``AuthPayload`` Twilio's, ``skey`` Duo's.

    ``sessionToken`` and ``stateToken`` are Okta's: https://developer.okta.com/docs/reference/api/authn/.
    """
    path = tmp_path / "a.yaml"
    assert places(cassette(path, answer=json.dumps({"a": [{name: CANARY}]}))) == [f"the field {name} of the answer"]
    assert places(cassette(path, sent=urlencode({name: CANARY}))) == [f"the field {name} of the request"]
    assert places(cassette(path, url=f"https://x.example.com/?{name}={CANARY}")) == [
        f"the query parameter {name} of the address"
    ]


DOCUMENT = json.dumps({"user": "alice", "deep": [{"sessionToken": CANARY}]})


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"{DOCUMENT}\n<!-- 12 ms -->", id="text behind it"),
        pytest.param(f"\ufeff{DOCUMENT}", id="byte order mark"),
        pytest.param(f")]}}',\n{DOCUMENT}", id="guard against JSON hijacking"),
        pytest.param(f"callback({DOCUMENT});", id="JSONP"),
        pytest.param(f"{json.dumps({'a': 1})}\n{DOCUMENT}\n", id="one document a line"),
        pytest.param(f"<script>var a = {{b: 1}}; state = {DOCUMENT}</script>", id="in a page"),
        pytest.param(DOCUMENT[:-4], id="cut"),
        pytest.param(DOCUMENT.replace('"', "'"), id="as Python prints it"),
    ],
)
def test_a_field_of_json_that_is_not_alone(tmp_path: Path, body: str) -> None:
    assert "the field sessionToken of the answer" in places(cassette(tmp_path / "a.yaml", answer=body))


@pytest.mark.parametrize("sent", [f"user=alice&stateToken={CANARY}", f"pass={CANARY}\n", f"a[skey]=1&skey={CANARY}"])
def test_a_form_without_a_content_type(tmp_path: Path, sent: str) -> None:
    path = cassette(tmp_path / "a.yaml", sent=sent)
    path.write_text(path.read_text().replace("application/x-www-form-urlencoded", "text/plain"))
    assert len(places(path)) == 1


SHAPES = {
    "a private key in PEM": "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0B\n" * 9,
    "a JSON Web Token": ".".join([b64('{"alg":"HS256"}'), b64('{"sub":"alice"}'), "Zq7_rT-uW2" * 4]),
    "a Basic header": "Basic YWxpY2U6YzRuNHJ5LXMzY3IzdA==",
    "a Bearer token": "Bearer 00c4n4ryS3cret00c4n4ryS3cret",
    "a value in the shape of secret_key": "Zq7rTuW2xK9bN4mP6vC8sD1fG3hJ5kL0yQ2wE4rT",
    "a value in the shape of api_token": "00NgBPZqUVy8cX9ehNzzahEE5b-On9sImTcInvWp-y",
    "a value in the shape of client_secret": "abc8Q~Zq7rTuW2xK9bN4mP6vC8sD1fG3hJ5kL0yQ",
}


@pytest.mark.parametrize("what", SHAPES)
def test_a_value_that_is_known_by_its_shape(tmp_path: Path, what: str) -> None:
    """Under a name that means nothing, in a header, in a path, and in a text that is no JSON."""
    value, path = SHAPES[what], tmp_path / "a.yaml"
    found = f"{what} in the answer"
    assert places(cassette(path, answer=json.dumps({"note": [f"got: {value}"]}))) == [found]
    assert places(cassette(path, answer=f"<p>got: {value}</p>")) == [found]
    if "\n" not in value:
        assert places(cassette(path, **{"X-Note": value})) == [f"{what} in the header X-Note of the request"]
    if re.fullmatch("[A-Za-z0-9_.~-]+", value):
        assert places(cassette(path, url=f"https://x.example.com/{value}/1")) == [f"{what} in the address"]


def test_a_shape_that_is_no_proof_counts_in_the_provider_s_own_recordings(tmp_path: Path) -> None:
    """A secret of Twilio is 32 letters and digits, as are many ids of others."""
    answer = json.dumps({"note": "0123456789abcdef" * 2})
    assert places(cassette(tmp_path / "a.yaml", answer=answer)) == []
    own = places(cassette(tmp_path / "a.yaml", url="https://twilio.invalid/v2", answer=answer))
    assert own == ["a value in the shape of api_key_secret in the answer"]


@pytest.mark.parametrize(
    "name", ["token_type", "nextPageToken", "tokens_left", "secretary", "password_expires_at", "page_token"]
)
def test_a_name_that_only_looks_like_that_of_a_secret(tmp_path: Path, name: str) -> None:
    assert places(cassette(tmp_path / "a.yaml", answer=json.dumps({name: "value"}))) == []


@pytest.mark.parametrize("body", ["{" * 200_000, "[1," * 900 + "x" * 100_000, '{"a' * 60_000, "=&" * 60_000])
def test_a_body_that_is_made_to_take_long(tmp_path: Path, body: str) -> None:
    """The work is bounded by the length of the text; what cannot be searched is no pass."""
    try:
        assert places(cassette(tmp_path / "a.yaml", answer=body)) == []
    except CassetteError as error:
        assert "searched" in str(error)


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
        ("a: 1", "is YAML, but not a cassette"),
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
    assert (done.returncode, "contains an invalid URL" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000])
def test_a_body_nested_without_end(tmp_path: Path, body: str) -> None:
    done = scan(tmp_path, str(cassette(tmp_path / "a.yaml", answer=body)))
    assert (done.returncode, "nested too deeply" in done.stderr) == (2, True), done.stderr
