"""Every slip of fingers, editors and tools is named, in every setting of every provider that has a form."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from mfagate.core.finding import Finding
from mfagate.inspection.encodings import document, wrapped
from mfagate.secrets.redaction import Redactor

from .healthy import EXAMPLES, inspected

STRAY = {"config.stray-characters"}
IN_NAMES = {"config.stray-characters", "config.malformed-url"}
"""Inside a host, the form says what is wrong."""

FORM = {"config.malformed-value", "config.malformed-url"}
LEFT = {"config.placeholder-left"}


def encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


SLIPS: dict[str, tuple[Callable[[str], str], set[str]]] = {
    "Cyrillic letter": (lambda v: f"{v[:7]}\u0430{v[8:]}", IN_NAMES),
    "Greek letter at the end": (lambda v: f"{v[:-1]}\u03bf", IN_NAMES),
    "letter with an accent": (lambda v: f"{v[:5]}é{v[5:]}", IN_NAMES),
    "space inside": (lambda v: f"{v[:9]} {v[9:]}", IN_NAMES),
    "comma behind": (lambda v: f"{v},", STRAY),
    "semicolon behind": (lambda v: f"{v};", STRAY),
    "backslash behind": (lambda v: f"{v}\\", STRAY),
    "percent sign of zsh": (lambda v: f"{v}%", STRAY),
    "comma in front": (lambda v: f",{v}", STRAY),
    "NAME= in front": (lambda v: f"DUO_SKEY={v}", STRAY),
    "export in front": (lambda v: f"export KEY={v}", STRAY),
    "name: in front": (lambda v: f"skey: {v}", STRAY),
    "as openssl prints it": (lambda v: f"SHA1 Fingerprint={v}", STRAY),
    "key= in front": (lambda v: f"key={v}", STRAY),
    'KEY="…"': (lambda v: f'KEY="{v}"', STRAY),
    "double quotes": (lambda v: f'"{v}"', STRAY),
    "typographic quotes": (lambda v: f"\u201c{v}\u201d", STRAY),
    "quote inside": (lambda v: f'{v[:6]}"{v[6:]}', IN_NAMES),
    "one quote": (lambda v: f"{v}'", STRAY),
    "backticks": (lambda v: f"`{v}`", STRAY),
    "byte order mark": (lambda v: f"\ufeff{v}", STRAY),
    "zero-width space inside": (lambda v: f"{v[:4]}\u200b{v[4:]}", STRAY),
    "Windows line end": (lambda v: f"{v}\r\n", STRAY),
    "comment": (lambda v: f"{v} # rotated 2024", IN_NAMES),
    "angle brackets": (lambda v: f"<{v}>", STRAY),
    "parentheses": (lambda v: f"({v})", STRAY),
    "square brackets": (lambda v: f"[{v}]", STRAY),
    "curly brackets": (lambda v: f"{{{v}}}", STRAY),
    "printed bytes": (lambda v: f"b'{v}'", STRAY),
    "base64": (encoded, FORM),
    "base64 of a line": (lambda v: encoded(f"{v}\n"), FORM),
    "base64 twice": (lambda v: encoded(encoded(v)), FORM),
    "URL-encoded": (lambda v: quote(v, safe=""), FORM),
    "URL-encoded twice": (lambda v: quote(quote(v, safe=""), safe=""), FORM),
    "HTML-encoded": (html.escape, FORM),
    "HTML-encoded by number": (lambda v: "".join(f"&#{ord(c)};" for c in v), FORM),
    "hexadecimal": (lambda v: v.encode().hex(), FORM),
    "JSON document": (lambda v: json.dumps({"key": v}), FORM),
    "pasted twice": (lambda v: v + v, FORM),
    "example": (lambda v: "example", LEFT),
    "dummy": (lambda v: "dummy", LEFT),
    "Replace Tokens": (lambda v: "#{duo_skey}#", LEFT),
    "Ansible's tag": (lambda v: "!vault |", LEFT),
    "your-company": (lambda v: "your-company", LEFT),
    "<your-secret>": (lambda v: "<your-secret>", LEFT),
    "{tenant}": (lambda v: "{tenant}", LEFT),
    "variable": (lambda v: "${DUO_SKEY}", LEFT),
    "variable with a default": (lambda v: "${DUO_SKEY:-none}", LEFT),
    "Helm": (lambda v: "{{ .Values.duo.skey }}", LEFT),
    "Jinja": (lambda v: "{{ duo_skey }}", LEFT),
    "Windows variable": (lambda v: "%DUO_SKEY%", LEFT),
    "masked": (lambda v: "(sensitive value)", LEFT),
}

SETTINGS = [(provider, name) for provider, values in EXAMPLES.items() for name in values if name != "realm"]


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_in_every_setting(tmp_path: Path, slip: str) -> None:
    edit, causes = SLIPS[slip]
    for provider, name in SETTINGS:
        value = EXAMPLES[provider][name]
        edited = edit(value)
        if edited == value:
            continue
        found = inspected(tmp_path, provider, {**EXAMPLES[provider], name: edited})
        assert {str(finding.cause) for finding in found} <= causes, (provider, name, [f.message for f in found])
        assert found, (provider, name)
        assert_shows_nothing(found, name, value)


def assert_shows_nothing(found: list[Finding], name: str, value: str) -> None:
    if name.endswith(("secret", "token", "key")) and name != "integration_key":
        shown = json.dumps([[f.message, dict(f.evidence), f.next_step] for f in found], default=str)
        assert Redactor({name: value}).found_in(shown) == []


def test_the_readmes_own_example_is_a_placeholder(tmp_path: Path) -> None:
    for url in ("https://your-company.okta.com", "https://yourcompany.okta.com", "https://your-org.oktapreview.com"):
        (finding,) = inspected(tmp_path, "okta", {**EXAMPLES["okta"], "org_url": url})
        assert finding.cause == "config.placeholder-left"


@pytest.mark.parametrize("name", ["example", "dummy", "changeme", "your-realm-name"])
def test_a_name_without_a_form_may_be_a_placeholder_too(tmp_path: Path, name: str) -> None:
    (finding,) = inspected(tmp_path, "privacyidea", {**EXAMPLES["privacyidea"], "realm": name})
    assert finding.cause == "config.placeholder-left"


SHARED = [
    (p, a, b) for p, values in EXAMPLES.items() for a in values for b in values if a != b and "realm" not in (a, b)
]


@pytest.mark.parametrize(("provider", "source", "target"), SHARED)
def test_one_value_in_two_settings(tmp_path: Path, provider: str, source: str, target: str) -> None:
    found = inspected(tmp_path, provider, {**EXAMPLES[provider], target: EXAMPLES[provider][source]})
    if {source, target} == {"tenant_id", "client_id"}:
        assert found == []  # both are GUIDs: the provider's own check compares them
        return
    (finding,) = found
    if finding.cause == "config.malformed-value":
        assert finding.message == f"settings.{target} holds the same value as settings.{source}, where it is right"
    else:
        # More is known: the public id of the secret, or the role that a token states.
        assert finding.cause in ("config.secret-id-not-secret", "config.wrong-kind")
        assert finding.cause != "config.wrong-kind" or provider == "privacyidea"


@pytest.mark.parametrize(
    ("provider", "one", "other"),
    [
        ("privacyidea", "url", "validate_key"),
        ("okta", "org_url", "api_token"),
        ("entra", "client_id", "client_secret"),
        ("duo", "host", "secret_key"),
        ("twilio", "api_key_sid", "api_key_secret"),
    ],
)
def test_exchanged_values_are_one_finding(tmp_path: Path, provider: str, one: str, other: str) -> None:
    healthy = EXAMPLES[provider]
    (finding,) = inspected(tmp_path, provider, {**healthy, one: healthy[other], other: healthy[one]})
    assert finding.cause == "config.values-swapped"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("aB38Q~Zx7wVu6tSr5qPo4nMl3kJi2hGf1eDc0bAz".upper(), "its letters are all of one case"),
        ("aB38Q~Zx7wVu6tSr5qPo4nMl3kJi2hGf1eDc0bAz".lower(), "its letters are all of one case"),
        ("correct horse staple 7", "contains a space"),
    ],
)
def test_a_client_secret_of_entra_keeps_its_case_and_has_no_spaces(tmp_path: Path, value: str, message: str) -> None:
    (finding,) = inspected(tmp_path, "entra", {**EXAMPLES["entra"], "client_secret": value})
    assert message in finding.message


def test_base64_in_a_kubernetes_secret_is_base64_twice() -> None:
    found = wrapped(encoded("right"), right=lambda text: text == "right", encoded_by_store=True)
    assert found is None  # too short to be told from a word
    found = wrapped(encoded("a right value"), right=lambda text: text == "a right value", encoded_by_store=True)
    assert found is not None
    assert found[0].startswith("is base64 twice")


def test_a_key_in_json_is_left_to_the_form_of_its_setting() -> None:
    assert document('{"kty": "EC", "crv": "P-256"}') is None
    assert document('{"keys": []}') is None
    assert document('{"appId": "x", "password": "y"}') is not None


LIKELY = {
    "config.placeholder-left": [
        "skey goes here", "see vault", "ReplaceWithYourKey", "put-your-key-here", "PUT_YOUR_SECRET_HERE",
        "$duo_skey", "[[DUO_SKEY]]",
        "#DUO_SKEY#", "(null)", "<nil>", "{}", "~", "***REDACTED***", "test-secret-key", "secretKeyRef", "tbd by infra",
        "12345678901234567890",
    ],
    "config.reference-unresolved": [
        "credentials('duo')", "@variables('duo')", "[parameters('duoSkey')]", "secret(\"duo\")",
        "kv/data/duo#skey",
        "/mfa/prod/duo/skey", "mfa/prod/duo:skey::", "{RSA}0f1e2d3c", "enc:v1:0f1e2d3c", "OBF:1v2j1uum1xtv1zej",
        "!env DUO_SKEY",
        '{"Ref":"DuoSecret"}', "map[secretKeyRef:map[key:skey name:duo]]", "kv:duo/skey",
        "secret:duo",
    ],
    "config.wrong-kind": ["ghp_16C7e42F292c6912E7710c838347Ae178B4a", "s.1234567890abcdefghijklmn", "hvs.CAESIJ0f1e2d"],
}  # fmt: skip


@pytest.mark.parametrize(("cause", "value"), [(cause, value) for cause, values in LIKELY.items() for value in values])
def test_a_value_without_a_form_is_described_by_its_likely_kind(tmp_path: Path, cause: str, value: str) -> None:
    for provider, name in (("duo", "secret_key"), ("okta", "api_token"), ("privacyidea", "validate_key")):
        (finding,) = inspected(tmp_path, provider, {**EXAMPLES[provider], name: value})
        assert finding.cause == cause
        assert finding.next_step
