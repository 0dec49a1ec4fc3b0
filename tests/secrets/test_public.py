"""What everybody knows is not masked: headers of tokens, beginnings of keys, hosts, our own documents."""

from __future__ import annotations

import base64
import json
import random
import string
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from urllib.parse import quote

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.providers import registry
from mfagate.sandbox import registry as sandbox_registry
from mfagate.secrets.redaction import Redactor

from ..support.project import REPOSITORY

KEYS = {
    "RSA": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "RSA, 3072 bits": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
    "RSA, PKCS #1": ["genrsa", "-traditional", "2048"],
    "EC": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "EC, P-384": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "EC, SEC 1": ["ecparam", "-name", "prime256v1", "-genkey", "-noout"],
    "Ed25519": ["genpkey", "-algorithm", "ED25519"],
}


def openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=True).stdout


@cache
def pair(kind: str) -> tuple[str, str]:
    """Two keys of the same kind."""
    return openssl(*KEYS[kind]), openssl(*KEYS[kind])


@pytest.mark.parametrize("kind", KEYS)
def test_another_key_of_the_same_kind_stays(kind: str) -> None:
    known, other = pair(kind)
    redactor = Redactor({"in one line": known.replace("\n", "\\n"), "private_key": known})
    redactor.add("in a form", quote(known))
    for text in (other, json.dumps({"key": other}), "".join(other.split("-----")[2].split())):
        assert redactor.redact(text) == text


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_is_masked_between_its_armour(kind: str) -> None:
    known, _ = pair(kind)
    first, *_, last = known.splitlines()
    assert Redactor({"private_key": known}).redact(known) == f"{first}\n[redacted private_key]\n{last}\n"


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("wrap", [20, 48, 76, 10_000])
def test_a_key_is_masked_line_by_line_however_it_is_wrapped(kind: str, wrap: int) -> None:
    known, _ = pair(kind)
    body = "".join(known.split("-----")[2].split())
    lines = [body[at : at + wrap] for at in range(0, len(body), wrap)]
    redactor = Redactor({"private_key": known})
    for line in lines[5:]:
        # Twelve characters are masked, fewer at the end of a body are none.
        assert len(redactor.redact(f"> {line}\n").replace("[redacted private_key]", "")) < len("> \n") + 12
    assert redactor.redact("\n".join(lines)) == "[redacted private_key]"


CLAIMS = {
    "iss": "https://mfa.example.com/",
    "aud": "https://mfa.example.com/api/v2/",
    "exp": 1798761600,
    "role": "admin",
}


def token(**more: str) -> str:
    return jwt.encode({**CLAIMS, **more}, "k" * 32, headers={"kid": "the-key-of-today"})


def test_the_header_and_the_names_of_claims_in_a_token_are_public() -> None:
    known, header = token(sub="alice"), token().partition(".")[0]
    redactor = Redactor({"admin_key": known})
    assert redactor.redact(f"a token that begins with {header}.") == f"a token that begins with {header}."
    issuer = known.split(".")[1][:20]
    assert redactor.redact(issuer) == issuer


def test_a_whole_token_and_its_signature_are_masked() -> None:
    known = token(sub="alice")
    redactor = Redactor({"admin_key": known})
    assert redactor.redact(f"({known})") == "([redacted admin_key])"
    signature = known.rpartition(".")[2]
    assert redactor.redact(f"({signature})") == "([redacted admin_key])"
    assert redactor.redact(f"({known[:-20]})") == "([redacted admin_key])"


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://user:Zq7rTuW2xK9bN4mP@proxy.example.com:3128", "proxy.example.com:3128"),
        ("postgresql://mfa:Zq7rTuW2xK9bN4mP@db.example.com/runs", "db.example.com"),
        ("https://hooks.slack.com/services/T0000/B0000/Zq7rTuW2xK9bN4mP", "https://hooks.slack.com"),
    ],
)
def test_the_host_of_an_address_is_public(address: str, host: str) -> None:
    redactor = Redactor({"address": address})
    assert redactor.redact(f"cannot reach {host}") == f"cannot reach {host}"
    assert "Zq7rTuW2xK9b" not in redactor.redact(address)
    assert redactor.redact("the api of /runs") == "the api of /runs"


@given(
    st.sampled_from(["", "-----BEGIN PRIVATE KEY-----\n", "https://", "Bearer ", "eyJhbGciOiJIUzI1NiJ9."]),
    st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda data: base64.b64encode(b"0" + data).decode())),
)
def test_whatever_somebody_takes_for_a_secret_can_be_one(before: str, value: str) -> None:
    redactor = Redactor({"key": before + value})
    assert redactor.redact("ok") == "ok"
    assert redactor.redact(redactor.redact(before + value)) == redactor.redact(before + value)


def test_a_run_of_one_character_is_no_secret() -> None:
    redactor = Redactor({"id": "VA0000000000000000000000000000000f"})
    assert redactor.redact("AC00000000000000000000000000000000") == "AC00000000000000000000000000000000"


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[dict[str, str]]:
    """The secrets of all emulators."""
    secrets: dict[str, str] = {}
    with ExitStack() as running:
        for name in registry.names():
            sandbox = sandbox_registry.get(name)
            if sandbox.is_emulator:
                values = running.enter_context(sandbox.start())
                secrets |= {f"{name} {key}": values.values[key] for key in values.secrets}
    yield secrets


def test_our_own_documents_and_recordings_stay_as_they_are(sandboxes: dict[str, str]) -> None:
    """The redactor knows the secrets of every sandbox, keys, tokens, and a thousand values of usual alphabets."""
    generate = random.Random(7)
    redactor = Redactor(sandboxes)
    for kind in KEYS:
        redactor.add(kind, pair(kind)[0])
    for number in range(1000):
        alphabet = generate.choice([string.ascii_letters + string.digits, "0123456789abcdef", string.ascii_lowercase])
        redactor.add(f"key {number}", "".join(generate.choices(alphabet, k=40)))
    redactor.add("token", token(sub="alice"))
    redactor.add("address", "https://alice:Jx4kLw9sVb3nHt6d@mfa.example.com/")
    files = [path for pattern in SHIPPED for path in REPOSITORY.glob(pattern)]
    assert len(files) > 250
    assert {str(path): found for path in files if (found := redactor.found_in(path.read_text()))} == {}


SHIPPED = [
    "*.md",
    "docs/**/*.md",
    "cassettes/**/*.yaml",
    "contracts/**/*.json",
    "examples/**/*.md",
    "examples/**/*.yaml",
    "examples/**/*.json",
    "src/mfagate/core/causes/pages/*.md",
]


@pytest.mark.parametrize("placeholder", ["YOUR_CLIENT_SECRET", "my-api-key-here", "your_secret_token_value"])
def test_a_placeholder_hides_no_ordinary_words(placeholder: str) -> None:
    """Somebody's placeholder is reported as one. The names of settings in recordings and reports stay readable."""
    redactor = Redactor({"client_secret": placeholder})
    text = "client_secret, my-api-key-header and your_secret_tokens"
    assert redactor.redact(text) == text
    assert redactor.found_in("scrubbed client_secret=scrubbed") == []


def test_a_secret_of_ordinary_words_is_masked_as_a_whole() -> None:
    redactor = Redactor({"password": "admin-secret-key"})
    assert (
        redactor.redact("it was admin-secret-key, for the admin-secret")
        == "it was [redacted password], for the admin-secret"
    )


def test_words_around_a_secret_do_not_show_it() -> None:
    redactor = Redactor({"api_token": "my-secret-key-8f3a9c2e"})
    assert "8f3a9c2e" not in redactor.redact("got my-secret-key-8f3a9c2e instead")
    assert "8f3a9c2e" not in redactor.redact("got key-8f3a9c2e instead")


@pytest.mark.parametrize(
    "variable",
    ["${DUO_SECRET_KEY}", "${DUO_SECRET_KEY:?required}", "%DUO_SECRET_KEY%",
     "${{ secrets.DUO_SECRET_KEY }}", "{{ vault_duo_secret_key }}",
     '"${DUO_SECRET_KEY}"', "${csm.platform.okta.clientSecret}", "{{ .Values.duo.secretKey | b64enc | quote }}"],
)  # fmt: skip
def test_the_name_of_a_variable_stays_readable(variable: str) -> None:
    """A variable that nothing replaced is reported, with the place where it is: names of settings are in both."""
    redactor = Redactor({"secret_key": variable})
    text = f"deploy.yaml#env.DUO_SECRET_KEY holds {variable}"
    assert redactor.redact(text) == text


@pytest.mark.parametrize("mark", [":-", "-", ":", ":="])
def test_the_default_of_a_variable_is_masked(mark: str) -> None:
    redactor = Redactor({"secret_key": f"${{DUO_SECRET_KEY{mark}Zq7rTuW2xK9bN4mP}}"})
    assert redactor.redact("DUO_SECRET_KEY is Zq7rTuW2xK9bN4mP") == "DUO_SECRET_KEY is [redacted secret_key]"


def test_identifiers_in_a_document_of_credentials_are_public() -> None:
    """``AZURE_CREDENTIALS`` of GitHub's azure/login is such a document: https://github.com/Azure/login#readme."""
    tenant, secret = "c1a7f0d2-6b3e-4e58-9d47-2f8b91ac5e60", "vKx8Q~dEfGhIjKlMnOpQrStUvWxYz01234567aBc"
    document = {
        "clientId": "2b90e5c4-6b3e-4e58-9d47-2f8b91ac5e60",
        "clientSecret": secret,
        "tenantId": tenant,
        "activeDirectoryEndpointUrl": "https://login.microsoftonline.com/",
        "nested": {"api_key": "k3yOfItsOwn99"},
    }
    redactor = Redactor({"client_secret": json.dumps(document)})
    recording = f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token clientSecret"
    assert redactor.redact(recording) == recording
    masked = "[redacted client_secret]"
    assert redactor.redact(f"{secret[:20]}, then k3yOfItsOwn99.") == f"{masked}, then {masked}."


def test_a_long_number_in_a_document_of_credentials_is_masked() -> None:
    redactor = Redactor({"client_secret": json.dumps({"pin": 4711081512345678, "port": 443})})
    assert redactor.redact("port 443, pin 4711081512345678") == "port 443, pin [redacted client_secret]"
