"""No healthy value of any provider is refused, whatever characters a provider or a person put into it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfagate.inspection.characters import stray_characters
from mfagate.inspection.placeholders import placeholder
from mfagate.inspection.syntaxes import foreign_syntax

from .healthy import EXAMPLES, SETTINGS, inspected

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("provider", sorted(EXAMPLES))
def test_the_examples_are_healthy(tmp_path: Path, provider: str) -> None:
    assert inspected(tmp_path, provider, EXAMPLES[provider]) == []


@pytest.mark.parametrize("provider", sorted(SETTINGS))
@SLOW
@given(data=st.data())
def test_healthy_settings_raise_no_alarm(provider: str, data: st.DataObject) -> None:
    values = data.draw(st.fixed_dictionaries(dict(SETTINGS[provider])))
    with tempfile.TemporaryDirectory() as folder:
        found = [f"{finding.cause}: {finding.message}" for finding in inspected(Path(folder), provider, values)]
    assert found == []


@settings(max_examples=500)
@given(st.from_regex(r"(?a:[!-~]{8,40})", fullmatch=True))
def test_a_password_of_a_person_may_hold_any_sign(password: str) -> None:
    if password[0] + password[-1] in ('""', "''", "``", "<>", "[]", "{}", "()") or len(set(password)) < 5:
        return
    if any(mark in password for mark in ("://", "{{", "}}", "${", "%{", "#{", "\\n", "\\r", "\\t")):
        return
    assert stray_characters(password, prefixes=("Bearer ", "Basic "), chosen=True) is None
    assert foreign_syntax(password, secret=True, literal=False) is None
    assert placeholder(password, chosen=True) is None


@pytest.mark.parametrize(
    "password",
    ["p%40ss$word{1}", "100%sure,yes;", "a$(b)c", "Tr0ub4dor&3", "correct horse battery", "${x", "$ecret-Passw0rd",
     "#1{ok}", "it's", "<3 mfa 4ever", "C:\\temp", "x=y", "KEY=value", "50%DV", "{braces}42", "(parens)1", "vault:door",
     "p|pe", "~/", "a#b"],
)  # fmt: skip
def test_odd_passwords_are_no_slips(password: str) -> None:
    assert stray_characters(password, prefixes=("Bearer ", "Basic "), chosen=True) is None
    assert foreign_syntax(password, secret=True, literal=False) is None
    assert placeholder(password, chosen=True) is None


@pytest.mark.parametrize(
    ("provider", "name", "value"),
    [
        ("duo", "host", "API-1A2B3C4E.DUOSECURITY.COM"),
        ("duo", "host", "api-1a2b3c4e.duofederal.com"),
        ("okta", "org_url", "HTTPS://CONTOSO.OKTA.COM"),
        ("okta", "org_url", "https://login.contoso.com"),
        ("auth0", "domain", "CONTOSO.EU.AUTH0.COM"),
        ("entra", "tenant_id", "CONTOSO.ONMICROSOFT.DE"),
        ("entra", "tenant_id", "3F2504E0-4F89-41D3-9A0C-0305E82C3301"),
        ("entra", "client_id", "7C9E6679-7425-40DE-944B-E07FC1F90AE7"),
        ("privacyidea", "url", "HTTPS://MFA.CONTOSO.COM"),
        ("privacyidea", "url", "https://MFA.contoso.com/privacyidea"),
        ("privacyidea", "url", "https://mfa.contoso.com:8443/prefix/two"),
        ("privacyidea", "url", "https://[2001:db8::1]:8443"),
        ("privacyidea", "realm", "your.realm"),
        ("privacyidea", "realm", "@contoso"),
        ("privacyidea", "realm", "DEFAULT"),
    ],
)
def test_unusual_names_are_right(tmp_path: Path, provider: str, name: str, value: str) -> None:
    assert inspected(tmp_path, provider, {**EXAMPLES[provider], name: value}) == []
