"""Each error code that a provider publishes has a meaning here, or is said to be not about us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import mfagate.providers
import mfagate_sandbox
from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.providers import registry
from mfagate.providers.errors import ApiError
from mfagate.providers.made_up import new_private_key
from mfagate.providers.provider import InstalledProvider
from mfagate.providers.published import Published, published
from mfagate_sandbox.twilio import answers

FOLDERS = sorted(path.parent for path in Path(mfagate.providers.__file__).parent.glob("*/published.toml"))
HEX = "0123456789abcdef" * 2


@dataclass(frozen=True)
class Case:
    """A provider with settings, and a request that its codes may answer."""

    settings: dict[str, Any]
    url: str

    def exchange(self, status: int) -> Exchange:
        request = Request("POST", self.url)
        return Exchange(request, datetime.now(UTC), Response(status, headers=Headers(()), body=b"{}"))


CASES = {
    "okta": Case({"org_url": "https://acme.okta.com", "client_id": "0oaabcdefg1234567890",
                  "private_key": SecretStr(new_private_key())}, "https://acme.okta.com/api/v1/users/me"),
    "twilio": Case({"account_sid": f"AC{HEX}", "service_sid": f"VA{HEX}", "auth_token": SecretStr(HEX)},
                   f"https://verify.twilio.com/v2/Services/VA{HEX}"),
    "duo": Case({"host": "api-1a2b3c4d.duosecurity.com", "integration_key": "DI" + "X" * 18,
                 "secret_key": SecretStr("s" * 40)}, "https://api-1a2b3c4d.duosecurity.com/auth/v2/check"),
    "auth0": Case({"domain": "acme.eu.auth0.com", "client_id": "c" * 32, "client_secret": SecretStr("s" * 64)},
                  "https://acme.eu.auth0.com/oauth/token"),
    "entra": Case({"tenant_id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
                   "client_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "client_secret": SecretStr("s" * 40)},
                  "https://login.microsoftonline.com/3f2504e0-4f89-41d3-9a0c-0305e82c3301/oauth2/v2.0/token"),
}  # fmt: skip


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def provider(folder: Path) -> InstalledProvider:
    return registry.get(folder.name)


@pytest.fixture
def lists(folder: Path) -> Published:
    return published(folder)


def test_all_five_providers_have_lists() -> None:
    assert {folder.name for folder in FOLDERS} == CASES.keys()


def test_lists_say_where_they_are_from(lists: Published) -> None:
    for each in lists.lists:
        assert each.url.startswith("https://"), each.name
        assert each.read_from, each.name
        assert re.search(r"20\d\d", each.date), each.name
        assert len(each.statuses) == each.count, each.name
        assert all(100 <= status <= 599 for statuses in each.statuses.values() for status in statuses), each.name


def test_each_published_code_has_a_meaning_or_is_not_about_us(provider: InstalledProvider, lists: Published) -> None:
    without = {code for code in lists.codes - lists.elsewhere if not has_meaning(provider, code, lists)}
    assert without == set()


def test_what_is_not_about_us_is_published_and_has_no_meaning(provider: InstalledProvider, lists: Published) -> None:
    assert lists.elsewhere - lists.codes == set()
    assert {code for code in lists.elsewhere if has_meaning(provider, code, lists)} == set()
    named = [code for codes in lists.not_about_us.values() for code in codes]
    assert len(named) == len(set(named)), "each code has one reason"


def test_the_table_has_no_code_without_a_source(provider: InstalledProvider, lists: Published) -> None:
    assert {str(code) for code in provider.dialect.meanings} - lists.codes == set()


def test_codes_about_a_user_are_published(provider: InstalledProvider, lists: Published) -> None:
    assert {str(code) for code in provider.dialect.about_a_user} - lists.codes == set()


def has_meaning(provider: InstalledProvider, code: str, lists: Published) -> bool:
    """Whether the provider explains a code at each of its published statuses; 429 explains itself."""
    case = CASES[provider.name]
    settings = provider.settings.model_validate(case.settings)
    return all(
        status == 429 or provider.dialect.meaning(error, case.exchange(status), settings) is not None
        for error in errors(provider, code)
        for status in lists.statuses(code) or {400}
    )


BY_THEIR_WORDS = {"access_denied": ["Unauthorized", "Service not found: x", "client-grant", "user is blocked"]}
"""Codes of Auth0's that say nothing without their sentences, of which some are known."""


def errors(provider: InstalledProvider, code: str) -> Iterator[ApiError]:
    known = BY_THEIR_WORDS.get(code) if provider.name == "auth0" else None
    for words in known or ["words that nobody knows"]:
        yield ApiError(int(code) if code.isdecimal() else code, words)


SENT = {
    "okta": r'"(E0\d{6})"',
    "twilio": r"\b([1-7]\d{4})\b",
    "duo": r"_fail\((\d{5}),",
    "auth0": r'fail\((?:\d{3}|status), "(\w+)"',
    "entra": r"(?:^    |refuse\(request, )(\d{5,7})\b",
}
"""How a code stands in the source of each emulator."""

WITHOUT_SOURCE = {"auth0": {"not_found"}}
"""What an emulator says where it is not known what the provider says."""


def test_emulators_send_published_codes_alone(folder: Path, lists: Published) -> None:
    emulator = Path(mfagate_sandbox.__file__).parent / folder.name
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted(emulator.glob("*.py")))
    sent = set(re.findall(SENT[folder.name], source, re.MULTILINE))
    prefix = "AADSTS" if folder.name == "entra" else ""
    assert sent, "the pattern finds nothing"
    assert {f"{prefix}{code}" for code in sent} - lists.codes == WITHOUT_SOURCE.get(folder.name, set())


def test_statuses_that_an_emulator_makes_up_are_published_nowhere() -> None:
    """Twilio names a status for few codes; the others of its emulator are from memory."""
    lists = published(Path(mfagate.providers.__file__).parent / "twilio")
    assert {code for code in answers._UNPUBLISHED if lists.statuses(code) or str(code) not in lists.codes} == set()


def test_okta_sends_token_errors_with_their_statuses() -> None:
    folder = Path(mfagate.providers.__file__).parent / "okta"
    emulator = Path(mfagate_sandbox.__file__).parent / "okta"
    source = (emulator / "authorization_server.py").read_text(encoding="utf-8")
    sent = re.findall(r'(\d{3}), "([a-z_]+)",', source)
    assert len(sent) > 10
    assert [pair for pair in sent if int(pair[0]) not in published(folder).statuses(pair[1])] == []


def test_codes_of_duo_begin_with_their_status() -> None:
    lists = published(Path(mfagate.providers.__file__).parent / "duo")
    assert all(lists.statuses(code) == {int(code[:3])} for code in lists.codes)
