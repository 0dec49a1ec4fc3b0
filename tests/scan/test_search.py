"""``mfagate scan``: what scrubbing would have taken out is found, without a secret being known."""

from __future__ import annotations

import base64
import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.cassettes.test_reader import LAUGHS
from tests.support.project import REPOSITORY

from mfagate.cassettes.scrub import SCRUBBED
from mfagate.scan import search

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
    return [leak.place for leak in search.search(path).leaks]


def scan(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mfagate", "scan", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert CANARY not in done.stdout + done.stderr and "Traceback" not in done.stderr
    return done


def test_what_mfagate_recorded_is_clean() -> None:
    found = search.recordings([REPOSITORY / "cassettes"])
    assert len(found) > 100
    assert [str(leak) for path in found for leak in search.search(path).leaks] == []
    assert [reason for path in found for reason in search.search(path).unread] == []


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
    answer = json.dumps({"note": "9f86d081884c7d659a2feaa0c55ad015"})
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
    searched = search.search(cassette(tmp_path / "a.yaml", answer=body))
    assert searched.leaks == () and all("searched" in reason for reason in searched.unread)


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


def recorded(request: Any = None, answer: Any = None) -> dict[str, Any]:
    """An interaction with whatever is given."""
    return {
        "request": {
            "method": "GET",
            "uri": "https://api.example.com/v1",
            "body": None,
            "headers": {},
            **(request or {}),
        },
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": ""}, **(answer or {})},
    }


TOKEN = "SSWS 00aBcDeFgHiJkLmNoPqRsTuVwXyZ9182736455_-AB"
BODY = json.dumps({"sessionToken": CANARY})
FOUND = ["the header Authorization of the request", "the field sessionToken of the answer"]
LEAKING = recorded({"headers": {"Authorization": [TOKEN]}}, {"body": {"string": BODY}})
VCRPY = {"version": 1, "interactions": [LEAKING]}


def in_json(document: Any) -> bytes:
    return json.dumps(document).encode()


def in_yaml(document: Any) -> bytes:
    return yaml.safe_dump(document).encode()


def go_vcr(version: int, **more: Any) -> dict[str, Any]:
    """As https://github.com/dnaeon/go-vcr writes it: version 1 has a URL and a body, later ones the whole request."""
    request = {"body": "", "form": {}, "headers": {"Authorization": [TOKEN]}, "url": "https://api.example.com/v1",
               "method": "GET", **more}  # fmt: skip
    answer = {"body": json.dumps({"sessionToken": CANARY}), "headers": {"Content-Type": ["application/json"]},
              "status": "200 OK", "code": 200, "duration": "134.401716ms"}  # fmt: skip
    if version > 1:
        request |= {"proto": "HTTP/1.1", "proto_major": 1, "content_length": 0, "transfer_encoding": [], "trailer": {},
                    "host": "api.example.com", "remote_addr": "", "request_uri": ""}  # fmt: skip
    return {"version": version, "interactions": [{"id": 0, "request": request, "response": answer}]}


RUBY = f"""---
http_interactions:
- request:
    method: get
    uri: https://api.example.com/v1
    body:
      encoding: US-ASCII
      string: ''
    headers:
      Authorization:
      - {TOKEN}
  response:
    status: !ruby/object:VCR::ResponseStatus
      code: 200
      message: OK
    headers: !ruby/hash:Hash
      Content-Type:
      - application/json
    body:
      encoding: ASCII-8BIT
      string: !binary |-
        {base64.b64encode(BODY.encode()).decode()}
    http_version:
  recorded_at: Fri, 18 Jun 2021 08:06:40 GMT
recorded_with: VCR 5.0.0
"""

HAR = {
    "log": {
        "version": "1.2",
        "creator": {"name": "Polly.JS"},
        "entries": [
            {
                "request": {
                    "method": "POST",
                    "url": "https://api.example.com/v1",
                    "headers": [{"name": "Authorization", "value": TOKEN}],
                    "postData": {"mimeType": "application/json", "params": [], "text": "{}"},
                },
                "response": {
                    "status": 200,
                    "headers": [],
                    "content": {
                        "mimeType": "application/json",
                        "encoding": "base64",
                        "text": base64.b64encode(BODY.encode()).decode(),
                    },
                },
            }
        ],
    }
}

FORMATS = {
    "vcrpy, YAML": in_yaml(VCRPY),
    "vcrpy, JSON": in_json(VCRPY),
    "vcrpy, types of Python": in_yaml(VCRPY).replace(b"uri: https", b"uri: !!python/unicode https"),
    "vcrpy, a body in bytes": in_yaml(
        {"interactions": [recorded(LEAKING["request"], {"body": {"string": BODY.encode()}})]}
    ),
    "go-vcr 1": in_yaml(go_vcr(1)),
    "go-vcr 2": b"---\n" + in_yaml(go_vcr(2)),
    "go-vcr 4": in_yaml(go_vcr(4)),
    "Ruby": RUBY.encode(),
    "Ruby, JSON": in_json({"http_interactions": [LEAKING], "recorded_with": "VCR 6.0"}),
    "betamax": in_json({"http_interactions": [recorded(LEAKING["request"], {"body": {"encoding": "utf-8",
        "base64_string": base64.b64encode(BODY.encode()).decode()}})],
        "recorded_with": "betamax/0.9.0"}),
    "R": in_yaml({"http_interactions": [{"request": {"method": "GET", "uri": "https://a.example.com", "body": None,
        "headers": {"Authorization": TOKEN}}, "response": {"status": 200, "headers": {"date": "Sun"},
        "body": {"string": json.dumps({"sessionToken": CANARY}), "file": False}}}], "recorded_with": "vcr/1.7.0"}),
    "Azure": in_json({"Entries": [{"RequestUri": "https://a.example.com", "RequestMethod": "GET",
        "RequestHeaders": {"Authorization": TOKEN}, "RequestBody": None, "StatusCode": 200, "ResponseHeaders": {},
        "ResponseBody": {"sessionToken": CANARY}}], "Variables": {}}),
    "HAR": in_json(HAR),
    "nock": in_json([{"scope": "https://a.example.com:443", "method": "GET", "path": "/v1", "body": "", "status": 200,
        "reqheaders": {"authorization": TOKEN}, "response": {"sessionToken": CANARY}, "rawHeaders": ["Date", "Sun"]}]),
    "PHP-VCR": in_yaml([LEAKING]),
    "PHP-VCR, dashes on lines of their own": re.sub(
        r"(?m)^- ( *)", "-\\n  \\1", yaml.safe_dump([LEAKING])
    ).encode(),
    "MockServer": in_json([{"httpRequest": {"method": "GET", "path": "/v1",
        "headers": [{"name": "Authorization", "values": [TOKEN]}]},
        "httpResponse": {"statusCode": 200, "body": {"type": "JSON", "json": {"sessionToken": CANARY}}}}]),
    "WireMock": in_json({"request": {"url": "/v1", "method": "GET", "headers": {"Authorization": TOKEN}},
                         "response": {"status": 200, "jsonBody": {"sessionToken": CANARY}}}),
    "langchain": gzip.compress(in_yaml({"requests": [LEAKING["request"]], "responses": [LEAKING["response"]]})),
    "several documents": in_yaml({"interactions": []}) + b"---\n" + in_yaml(VCRPY),
    "one document a line": in_json({"note": "begin"}) + b"\n" + in_json(LEAKING) + b"\n",
    "a byte order mark": b"\xef\xbb\xbf" + in_yaml(VCRPY),
    "UTF-16": yaml.safe_dump(VCRPY).encode("utf-16"),
}  # fmt: skip


@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a", "a.txt"])
@pytest.mark.parametrize("content", FORMATS.values(), ids=FORMATS)
def test_the_content_decides_and_not_the_name(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert search.recordings([tmp_path]) == [tmp_path / name]
    assert places(tmp_path / name) == FOUND


POSTMAN = {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}
ASKED = {"method": "GET", "header": [], "url": {"raw": "https://a.example.com/v1"}}
ANSWERED = {"status": 200, "headers": [], "cookies": [], "content": {"text": "{}"}}
SESSION = "9f2c7be1d05a4863b17e9c20f4d8a635"


def in_har(entry: dict[str, Any]) -> dict[str, Any]:
    return {"log": {"version": "1.2", "entries": [{"response": ANSWERED, **entry}]}}


OTHER_FORMS: dict[str, tuple[Any, str]] = {
    "WireMock, formParameters (https://wiremock.org/docs/request-matching/#form-parameters)": (
        {
            "request": {"url": "/t", "method": "POST", "formParameters": {"client_secret": {"equalTo": CANARY}}},
            "response": {"status": 200},
        },
        "client_secret",
    ),
    "Postman, a saved answer (https://schema.postman.com/collection/json/v2.1.0/draft-07/docs/)": (
        {
            "info": POSTMAN,
            "item": [
                {
                    "item": [
                        {
                            "request": ASKED,
                            "response": [{"originalRequest": ASKED, "code": 200, "header": [], "body": BODY}],
                        }
                    ]
                }
            ],
        },
        "sessionToken",
    ),
    "Postman, the request of a saved answer": (
        {
            "info": POSTMAN,
            "item": [
                {
                    "request": ASKED,
                    "response": [
                        {"originalRequest": {**ASKED, "header": [{"key": "X-Api-Key", "value": CANARY}]}, "body": ""}
                    ],
                }
            ],
        },
        "X-Api-Key",
    ),
    "Postman, a header": (
        {"info": POSTMAN, "item": [{"request": {**ASKED, "header": [{"key": "X-Api-Key", "value": CANARY}]}}]},
        "X-Api-Key",
    ),
    "Postman, variables of the collection": (
        {"info": POSTMAN, "item": [{"request": ASKED}], "variable": [{"key": "client_secret", "value": CANARY}]},
        "client_secret",
    ),
    "Postman, an environment (https://learning.postman.com/docs/sending-requests/variables/)": (
        {
            "name": "prod",
            "values": [{"key": "client_secret", "value": CANARY, "enabled": True}],
            "_postman_variable_scope": "environment",
        },
        "client_secret",
    ),
    "HAR, cookies beside the headers (http://www.softwareishard.com/blog/har-12-spec/#cookies)": (
        in_har({"request": {"method": "GET", "url": "https://a", "cookies": [{"name": "sid", "value": SESSION}]}}),
        "sid",
    ),
    "HAR, messages of a WebSocket, as Chrome exports them": (
        in_har(
            {"request": {"method": "GET", "url": "wss://a"}, "_webSocketMessages": [{"type": "send", "data": BODY}]}
        ),
        "sessionToken",
    ),
    "nock, a compressed answer in hexadecimal (https://github.com/nock/nock#recording)": (
        [
            {
                "scope": "https://a",
                "method": "GET",
                "path": "/v1",
                "status": 200,
                "rawHeaders": ["Content-Encoding", "gzip"],
                "response": [gzip.compress(BODY.encode()).hex()],
            }
        ],
        "sessionToken",
    ),
    "nock, a binary answer in hexadecimal": (
        [
            {
                "scope": "https://a",
                "method": "GET",
                "path": "/v1",
                "status": 200,
                "response": BODY.encode().hex(),
                "responseIsBinary": True,
            }
        ],
        "sessionToken",
    ),
}


@pytest.mark.parametrize(("document", "found"), OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_a_secret_in_a_part_that_only_this_program_writes(tmp_path: Path, document: Any, found: str) -> None:
    (tmp_path / "a").write_bytes(in_json(document))
    assert found in " ".join(places(tmp_path / "a"))


def test_a_body_of_bytes_as_old_versions_of_vcrpy_write_it(tmp_path: Path) -> None:
    sent = base64.b64encode(f"client_secret={CANARY}".encode()).decode()
    (tmp_path / "a.yaml").write_text(
        "interactions:\n- request:\n    uri: https://a\n    method: POST\n    body: !!python/object/new:_io.BytesIO\n"
        f"      state: !!python/tuple\n      - !!binary |\n        {sent}\n      - 0\n      - null\n  response: {{}}\n"
    )
    assert "client_secret" in " ".join(places(tmp_path / "a.yaml"))


def test_the_body_of_an_answer_of_wiremock_in_a_file_of_its_own(tmp_path: Path) -> None:
    """https://wiremock.org/docs/stubbing/#specifying-the-response-body."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "__files/deep").mkdir(parents=True)
    (tmp_path / "outside.json").write_text(BODY)
    for number, name in enumerate(("deep/a.json", "absent.json", "../outside.json")):
        answer = {"status": 200, "bodyFileName": name}
        mapping = {"request": {"url": "/v1", "method": "GET"}, "response": answer}
        (tmp_path / f"mappings/{number}.json").write_bytes(in_json(mapping))
    (tmp_path / "__files/deep/a.json").write_text(BODY)
    assert len(places(tmp_path / "mappings/0.json")) == 1
    for number in (1, 2):
        assert "of WireMock (__files) that is not here" in str(
            search.search(tmp_path / f"mappings/{number}.json").unread
        )


def test_nothing_of_a_recording_is_a_reason_of_ours(tmp_path: Path) -> None:
    """A member that is called as a field of ours is searched, and is not printed."""
    secret = "hT7kQ2vX9mL4pR8sW1zC6bN3"
    path = tmp_path / "a.json"
    request = {"method": "GET", "url": "https://a.example/", "unread": f"password={secret}"}
    path.write_text(json.dumps({"interactions": [{"request": request, "response": {"status": 200}}]}))
    searched = search.search(path)
    assert searched.unread == ()
    assert secret not in str(searched.leaks)


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"])
def test_a_body_in_a_file_that_cannot_be_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.json"
    (tmp_path / "__files").mkdir()
    mapping = {"request": {"method": "GET", "url": "/"}, "response": {"status": 200, "bodyFileName": name}}
    path.write_text(json.dumps(mapping))
    assert "of WireMock (__files) that is not here" in str(search.search(path).unread)


@pytest.mark.parametrize(
    "document",
    [
        {"_type": "export", "__export_format": 4, "resources": [{"authentication": {"token": CANARY}}]},
        {"protocol": "http", "stubs": [{"responses": [{"is": {"body": BODY}}]}]},
        {"name": "n", "order": ["1"], "requests": [{"id": "1", "headers": f"X-Api-Key: {CANARY}\n"}]},
    ],
)
def test_mocks_and_exports_that_are_not_read_are_no_pass(tmp_path: Path, document: Any) -> None:
    (tmp_path / "a.json").write_bytes(in_json(document))
    done = scan(tmp_path, ".")
    assert (done.returncode, "save it as HAR" in done.stdout) == (3, True), done.stdout


GZIP = gzip.compress(BODY.encode())


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"string": BODY}, id="decoded, with the header left"),
        pytest.param({"string": GZIP}, id="as it was"),
        pytest.param({"string": GZIP.decode("latin-1")}, id="bytes as characters"),
        pytest.param({"string": base64.b64encode(GZIP).decode()}, id="base64 of it"),
        pytest.param({"base64_string": base64.b64encode(GZIP).decode()}, id="base64 that says so"),
        pytest.param({"string": {"sessionToken": CANARY}}, id="an object as the text"),
        pytest.param({"sessionToken": CANARY}, id="an object as the body"),
        pytest.param([{"sessionToken": CANARY}], id="a list as the body"),
        pytest.param(json.dumps({"sessionToken": CANARY}), id="a text as the body"),
    ],
)
def test_a_body_behind_a_content_encoding(tmp_path: Path, body: Any) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(in_yaml([recorded(answer={"headers": {"Content-Encoding": ["gzip"]}, "body": body})]))
    assert (places(path), search.search(path).unread) == (["the field sessionToken of the answer"], ())


def test_a_form_that_go_vcr_parsed(tmp_path: Path) -> None:
    """A hook that scrubs the body often forgets that the form stands beside it."""
    path = tmp_path / "a.yaml"
    path.write_bytes(in_yaml(go_vcr(3, body="client_secret=REDACTED", form={"client_secret": [CANARY]})))
    assert "the field client_secret of the request" in places(path)


SCRUBBED_VALUES = [
    "REDACTED", "[REDACTED]", "**REDACTED**", "Bearer REDACTED", "Basic REDACTED", "SSWS REDACTED", "<redacted>",
    "[FILTERED]", "<FILTERED>", "FILTERED", "<AUTH>", "<TWILIO AUTH TOKEN>", "<ACCESS_TOKEN>", "{{token}}", "${TOKEN}",
    "%TOKEN%", "__token__", "XXXX", "XXXXXX", "xxxx-xxxx-xxxx-xxxx", "****", "********1234", "sk-xxxxxxxxxxxx",
    "DUMMY", "dummy_key", "dummy-token-123", "fake_access_token", "fake-key", "FakeToken", "sanitized",
    "sanitized_dpop_proof_jwt", "SANITIZED_SESSION_ID", "Sanitized", "SSWS myAPIToken", "Bearer myOAuthToken",
    "DPoP myDPoPToken", "your-api-key", "YOUR_API_KEY", "scrubbed", "placeholder", "example", "AKIAIOSFODNN7EXAMPLE",
    "no-token", "%{TOKEN}",
    "test_token", "test-api-key", "mock_token", "hidden", "removed", "omitted", "00000000-0000-0000-0000-000000000000",
    "12345678-1234-1234-1234-123456789012",
    "0000000000000000", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "1234567890", "abcdefghijklmnop", "eyJhb...", "none",
    "null",
    "Basic " + base64.b64encode(b"AC9f86d081884c7d659a2feaa0c55ad015:<TWILIO AUTH TOKEN>").decode(),
    "Basic " + base64.b64encode(b"REDACTED:REDACTED").decode(),
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIwb2Ffc2FuaXRpemVkIn0.SANITIZED_SIGNATURE", "", " ",
]  # fmt: skip


@pytest.mark.parametrize("value", SCRUBBED_VALUES)
def test_what_other_tools_put_in_the_place_of_a_secret_is_quiet(tmp_path: Path, value: str) -> None:
    """The words of public projects: okta-sdk-python, terraform-provider-okta, the SDKs of Azure, langchain, Twilio."""
    path = tmp_path / "a.yaml"
    headers = {"Authorization": [value], "X-Api-Key": [value], "Cookie": [value, f"sid={value}"], "DPoP": [value]}
    answer = {"access_token": value, "password": value, "client_secret": value, "deep": {"password": {"value": value}}}
    request = {"headers": headers, "body": urlencode({"client_secret": value, "grant_type": "client_credentials"}),
               "uri": f"https://user:{value}@a.example.com/?{urlencode({'token': value})}"}  # fmt: skip
    reply = {"headers": {"Set-Cookie": [f"sid={value}; Path=/; HttpOnly"]}, "body": {"string": json.dumps(answer)}}
    path.write_bytes(in_yaml([recorded(request, reply)]))
    assert places(path) == []


REAL = {
    "SSWS 00aBcDeFgHiJkLmNoPqRsTuVwXyZ9182736455_-AB",
    "Bearer Zq7rTuW2xK9bN4mP6vC8sD1f",
    "9f86d081884c7d659a2feaa0c55ad015",
    "abc8Q~Zq7rTuW2xK9bN4mP6vC8sD1fG3hJ5kL0yQ",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "c4n4ry-s3cret",
    "MDpkYXRhOjE2MzQ1",
    "Basic " + base64.b64encode(b"AC9f86d081884c7d659a2feaa0c55ad015:8b1a9953c4611296a827abf8c47804d7").decode(),
    "Zq7rTuW2xK9bN4mP6vC8sD1f",
    "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
}


@pytest.mark.parametrize("value", sorted(REAL))
def test_what_could_be_a_secret_is_found(tmp_path: Path, value: str) -> None:
    path = tmp_path / "a.yaml"
    request = {
        "headers": {"Authorization": [value], "Cookie": [f"a=b; session={value}"]},
        "body": urlencode({"client_secret": value}),
    }
    reply = {
        "headers": {"Set-Cookie": [f"sid={value}; Path=/"]},
        "body": {"string": json.dumps({"password": {"value": value}})},
    }
    path.write_bytes(in_yaml([recorded(request, reply)]))
    assert set(places(path)) >= {
        "the header Authorization of the request",
        "the cookie session in the header Cookie of the request",
        "the field client_secret of the request",
        "the cookie sid in the header Set-Cookie of the answer",
        "the field password of the answer",
    }


LINE = "IDDTCCAfWgAwIBAgIJb5bdq0DLdNt7MA0GCSqGSIb3DQEBCwUAMCQxIjAgBgNVBAMT"[:62]
CERTIFICATE = "\r\n".join(["-----BEGIN CERTIFICATE-----", "MI" + LINE, *["7a" + LINE] * 9, "-----END CERTIFICATE-----"])

QUIET = {
    "settings under the name of a secret": {
        "password": {"complexity": {"minLength": 8}, "type": "PASSWORD"},
        "token": {"accessTokenLifetimeMinutes": 60, "rotation": "ROTATE"},
    },
    "a schema": {"password": {"type": "string", "title": "Password", "description": "The password of the user"}},
    "a link": {
        "resetPassword": {"href": "https://a.okta.com/api/v1/users/00u3qiea5vzIpk27J5d7/lifecycle/reset_password"}
    },
    "an error code": {"errorCode": "E0000011", "code": "InvalidAuthenticationToken", "codes": [{"code": "US"}]},
    "a program": {"code": "import math\nprint(math.sqrt(1234567))"},
    "a token of a language model": {"logprobs": [{"token": " Hello", "logprob": -0.1}, {"token": "world2"}]},
    "a method": {"token_endpoint_auth_method": "client_secret_post", "authorization": "client_credentials"},
    "a label": {"password": "Forgot your password?", "token": "Enter the token"},
    "nothing": {"password": {}, "token": [], "secret": None, "otp": False},
    "a public key": {"keys": [{"kty": "RSA", "x5c": ["MII" + "/".join([LINE[:40]] * 9)]}], "cert": CERTIFICATE},
}


@pytest.mark.parametrize("document", QUIET.values(), ids=QUIET)
def test_what_has_the_name_of_a_secret_and_is_none(tmp_path: Path, document: Any) -> None:
    assert places(cassette(tmp_path / "a.yaml", answer=json.dumps(document))) == []


@pytest.mark.parametrize(
    "cookie",
    [
        'sid=""; Version=1; Path=/; Max-Age=0',
        'sid=""; Expires=Thu, 01-Jan-1970 00:00:10 GMT; Path=/',
        "sid=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0",
        "rememberMe=deleteMe; Path=/; Max-Age=0",
        "t=default; Path=/",
        "lang=en-US",
        "__cf_bm=Zq7rTuW2xK9bN4mP6vC8sD1f-1700000000-0; path=/; HttpOnly",
        "AWSALB=Zq7rTuW2xK9bN4mP6vC8sD1fZq7rTuW2xK9bN4mP6vC8sD1f; Path=/",
        "fpc=AiB9aZq7rTuW2xK9bN4mP6vC8sD1f; expires=Fri, 01-Jan-2027 00:00:00 GMT",
        "x-ms-gateway-slice=estsfd; path=/",
        "[set-cookie;]",
    ],
)
def test_a_cookie_that_is_no_session(tmp_path: Path, cookie: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(in_yaml([recorded(answer={"headers": {"set-cookie": [cookie]}})]))
    assert places(path) == []


def test_a_signature_of_one_request_is_no_secret(tmp_path: Path) -> None:
    credential = "AKIA9182736455XYZ/20260101/us-east-1/s3/aws4_request"
    authorization = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=9f86d081884c7d65"
    assert places(cassette(tmp_path / "a.yaml", Authorization=authorization)) == []


@given(
    st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), min_size=32, max_size=64)
)
def test_a_random_value_is_never_taken_for_scrubbed(value: str) -> None:
    """Unless it is hardly random: a filter's word, a mask or a row of the alphabet in it."""
    assume(len(set(value)) > 12 and any(map(str.isdigit, value[:-3])))
    assert search.could_be_secret("access_token", value) and search.could_be_secret("password", value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "request",
                        "response",
                        "headers",
                        "body",
                        "string",
                        "uri",
                        "interactions",
                        "log",
                        "entries",
                        "form",
                        "params",
                        "text",
                        "content",
                        "RequestUri",
                        "scope",
                        "path",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_no_recording_breaks_the_search(tmp_path_factory: pytest.TempPathFactory, document: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(in_yaml({"interactions": [{"request": document, "response": document}, document]}))
    searched = search.search(path)
    assert searched.path == path


def test_the_command_names_the_place_and_not_the_value(tmp_path: Path) -> None:
    (tmp_path / "cassettes").mkdir()
    cassette(tmp_path / "cassettes/a.yaml", sent=f'{{"passcode": "{CANARY}"}}')
    cassette(tmp_path / "cassettes/b.yaml")
    done = scan(tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("cassettes/a.yaml: interaction 1: the field passcode of the request\n\nEach of these")
    assert "mfagate explain cassette.secret-leaked" in done.stdout
    assert done.stdout.endswith("2 recordings: 1 of them with something to check\n")
    assert scan(tmp_path, "cassettes/b.yaml").stdout == "1 recording: no secrets found\n"


def test_the_same_place_in_many_recordings_is_a_few_lines(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number:02}.yaml").write_bytes(in_yaml({"interactions": [LEAKING] * 9}))
    done = scan(tmp_path, ".")
    lines = done.stdout.splitlines()
    assert lines[0] == "00.yaml: interactions 1, 2, 3 and 6 more: the header Authorization of the request"
    assert lines[3] == "  … and in 17 more recordings: the header Authorization of the request (--all lists them)"
    assert len(lines) < 15
    assert len(scan(tmp_path, ".", "--all").stdout.splitlines()) > 40


NOT_READ = {
    "broken YAML": (
        b"interactions:\n- request: {\n  response: [",
        "is not YAML (line 4), but looks like a recording",
    ),
    "cut JSON": (in_json(VCRPY)[:-30], "is not JSON"),
    "binary": (b"\x00\x01\xff" * 50, "is not text in UTF-8"),
    "damaged gzip": (gzip.compress(in_yaml(VCRPY))[:-40], "is compressed and was cut off"),
    "an unknown format": (
        in_json({"interactions": [{"sent": {}, "received": {}}]}),
        "has a format that is not supported",
    ),
    "deep": (b'{"interactions": ' + b"[" * 100_000, "is nested too deeply"),
    "aliases": (
        LAUGHS.encode() + in_yaml({"interactions": [recorded()]}).replace(b"string: ''", b"string: *a9"),
        "aliases",
    ),
}


@pytest.mark.parametrize(("content", "reason"), NOT_READ.values(), ids=NOT_READ)
def test_what_was_not_read_is_listed_and_is_no_pass(tmp_path: Path, content: bytes, reason: str) -> None:
    cassette(tmp_path / "good.yaml")
    (tmp_path / "bad.yaml").write_bytes(content)
    done = scan(tmp_path, ".")
    assert (done.returncode, reason in done.stdout) == (3, True), done.stdout
    assert re.search(r"^not read:\n  bad\.yaml ", done.stdout)
    assert not re.search(r"Error|Exception|None|dict|\bstr\b|NoneType|object at|\[Errno", done.stdout + done.stderr)
    cassette(tmp_path / "leak.yaml", sent=f'{{"passcode": "{CANARY}"}}')
    done = scan(tmp_path, ".")
    assert (done.returncode, reason in done.stdout) == (1, True), done.stdout


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"headers": {"Content-Encoding": ["br"]}, "body": {"string": b"\x8b\x00\x80\xff\x03"}}, "is compressed"),
        ({"headers": {"Content-Encoding": ["gzip"]}, "body": {"string": b"\x1f\x8b\x08\x00\xff"}}, "is compressed"),
        ({"body": {"string": "[" * 100_000}}, "nested too deeply"),
        ({"body": {"string": '{"a":' * 100_000}}, "nested too deeply"),
    ],
)
def test_a_part_that_was_not_read_is_listed_too(tmp_path: Path, answer: dict[str, Any], reason: str) -> None:
    (tmp_path / "a.yaml").write_bytes(in_yaml({"interactions": [recorded(), recorded(answer=answer)]}))
    done = scan(tmp_path, "a.yaml")
    assert (done.returncode, "a.yaml interaction 2: the answer" in done.stdout) == (3, True), done.stdout
    assert reason in done.stdout


OTHER = {
    "README.md": b"# Recordings\n\nrequest: how to make them\n",
    "__init__.py": b"",
    "test_a.py": b"import requests\n\nresponse = requests.get('x')\n",
    "logo.png": b"\x89PNG\r\n\x1a\n\x00",
    "package.json": b'{"name": "a", "version": "1.0.0"}',
    "compose.yaml": b"services:\n  db:\n    image: postgres\n",
    "pact.json": in_json({"consumer": {"name": "a"}, "provider": {"name": "b"}, **VCRPY}),
    ".hidden": in_yaml(VCRPY),
}


def test_files_of_another_kind_in_a_folder_are_named_and_no_failure(tmp_path: Path) -> None:
    for name, content in OTHER.items():
        (tmp_path / name).write_bytes(content)
    cassette(tmp_path / "good.yaml")
    done = scan(tmp_path, ".")
    assert done.returncode == 0, done.stdout
    assert "not recordings, by their content: README.md, __init__.py, compose.yaml and 4 more" in done.stdout


@pytest.mark.parametrize("name", [name for name in OTHER if name != ".hidden"])
def test_a_file_that_is_named_has_to_be_a_recording(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(OTHER[name])
    done = scan(tmp_path, name)
    assert (done.returncode, f"not read:\n  {name} is" in done.stdout) == (3, True), done.stdout


def test_nothing_to_search_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("hello")
    for arguments, words in (
        ((), "cassettes does not exist"),
        ((".",), "no recordings in ."),
        (("x.yaml",), "does not exist"),
    ):
        done = scan(tmp_path, *arguments)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr


def test_an_address_that_is_none_is_searched_all_the_same(tmp_path: Path) -> None:
    path = cassette(tmp_path / "a.yaml", url=f"https://[HOST]/a?token={CANARY}")
    assert places(path) == ["the query parameter token of the address"]


def test_much_to_search_is_searched_by_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [cassette(tmp_path / f"{number}.yaml", sent=f'{{"pin": "{CANARY}"}}') for number in range(6)]
    monkeypatch.setattr(search, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert list(search.search_all(files)) == [search.search(path) for path in files]


MULTIPART = f'--b1\r\nContent-Disposition: form-data; name="password"\r\n\r\n{CANARY}\r\n--b1--\r\n'

BODIES = {
    "JSON inside JSON": json.dumps({"body": json.dumps({"password": CANARY})}),
    "a list of names and values": json.dumps([{"name": "password", "value": CANARY}]),
    "a list of keys and values": json.dumps({"parameters": [{"key": "password", "value": CANARY}]}),
    "XML": f"<a:login><a:password type='x'>{CANARY}</a:password></a:login>",
    "a form in several parts": MULTIPART,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_field_in_a_body_of_another_kind(tmp_path: Path, body: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(in_yaml([recorded(answer={"body": {"string": body}})]))
    assert len(places(path)) == 1


def test_a_form_that_is_written_as_an_object(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    headers = {"Content-Type": ["application/x-www-form-urlencoded"]}
    path.write_bytes(in_yaml([recorded({"headers": headers, "body": {"client_secret": CANARY}})]))
    assert places(path) == ["the field client_secret of the request"]


def test_the_seed_of_an_enrolment(tmp_path: Path) -> None:
    body = json.dumps({"qr": "otpauth://totp/Acme:alice?algorithm=SHA1&secret=JBSWY3DPEHPK3PXP&issuer=Acme"})
    assert places(cassette(tmp_path / "a.yaml", answer=body)) == ["a seed of one-time passwords in the answer"]


def test_members_that_no_recorder_has_are_searched_too(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(in_json({"interactions": [recorded({"auth": {"user": "alice", "password": CANARY}})],
                              "variables": {"CLIENT_SECRET": CANARY}}))  # fmt: skip
    assert [str(leak).removeprefix(str(path)) for leak in search.search(path).leaks] == [
        ": the field CLIENT_SECRET of the file, outside of its interactions",
        ": interaction 1: the field password of the request",
    ]
    assert "a.json: the field CLIENT_SECRET of the file, outside" in scan(tmp_path, ".").stdout


def test_an_interaction_that_is_not_understood_is_listed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(in_yaml({"interactions": [recorded(), "GET /", {"sent": {"a": 1}}]}))
    done = scan(tmp_path, ".")
    assert done.returncode == 3
    assert "a.yaml interaction 2: the request has a format that is not supported" in done.stdout
    assert "a.yaml interaction 3: the request has a format" in done.stdout


def test_symbols_of_ruby_are_names(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text(f"- :request:\n    :uri: https://a.example.com\n    :headers: {{Authorization: ['{TOKEN}']}}\n"
                    f"  :response:\n    :body: '{BODY}'\n")  # fmt: skip
    assert places(path) == FOUND


def test_a_folder_that_is_not_searched_is_listed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cassettes").mkdir()
    cassette(tmp_path / "cassettes/a.yaml")
    (tmp_path / "cassettes/linked").symlink_to(tmp_path / "elsewhere")
    done = scan(tmp_path)
    assert (done.returncode, "cassettes/linked" in done.stdout) == (3, True), done.stdout
