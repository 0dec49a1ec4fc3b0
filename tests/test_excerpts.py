"""The excerpt of a cause page shows what concerns its reader."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.core.causes import CauseId, load
from mfagate.core.causes.excerpt import concerning, named
from mfagate.providers import registry
from mfagate.testing.project import Project

HEADINGS = ["## What it means", "## Evidence", "## First steps", "## Who to talk to"]

TEXT = """\
1. Compare:
   - Okta E1: the token. Auth0: the client.
     Twilio: the SID.
   - Entra ID and Auth0: the tenant.
   - Others: the account.
2. Twilio and Okta are alike.

```
curl https://ORG.okta.com/ \\
  | jq .
az ad app list
mfagate gate --integration NAME
```
"""


def test_other_providers_are_left_out() -> None:
    assert (
        concerning(TEXT, {"okta"})
        == """\
1. Compare:
   - Okta E1: the token.
   - Others: the account.
2. Twilio and Okta are alike.

```
curl https://ORG.okta.com/ \\
  | jq .
mfagate gate --integration NAME
```
"""
    )
    assert "   - Auth0: the client.\n   - Entra ID and Auth0: the tenant.\n" in concerning(TEXT, {"auth0"})
    assert "az ad" in concerning(TEXT, {"entra"})


def test_a_block_with_only_commands_for_other_providers_is_marked() -> None:
    only = "```\naz ad app list\n```\n"
    assert concerning(only, {"duo"}) == "```\n# Examples for other providers:\naz ad app list\n```\n"


def test_the_integration_is_named() -> None:
    page = "`mfagate gate --integration NAME`, `[integrations.NAME.expect]`, contracts/duo/auth-service-duo.json"
    shown = named(page, "okta/eu", "okta")
    assert shown == (
        "`mfagate gate --integration okta/eu`, `[integrations.okta/eu.expect]`, contracts/okta/auth-service-okta.json"
    )


@given(st.sampled_from(CauseId), st.sets(st.sampled_from(["auth0", "duo", "entra", "okta", "privacyidea", "other"])))
def test_an_excerpt_keeps_the_structure_of_the_page(cause: CauseId, providers: set[str]) -> None:
    page = load(cause).text
    excerpt = concerning(page, providers)
    assert [line for line in excerpt.splitlines() if line.startswith("## ")] == HEADINGS
    assert re.findall(r"(?m)^\d+\. .*", excerpt) == re.findall(r"(?m)^\d+\. .*", page)
    assert excerpt.count("```") == page.count("```")
    assert concerning(excerpt.replace("# Examples for other providers:\n", ""), providers) == excerpt


def test_a_user_of_every_provider_gets_the_whole_page() -> None:
    everything = {*registry.names(), "cognito", "vonage"}
    assert [cause for cause in CauseId if concerning(load(cause).text, everything) != load(cause).text] == []


class Two(Project):
    """Two integrations with different providers."""

    def text(self) -> str:
        return '[integrations.a]\nprovider = "okta"\n[integrations.b]\nprovider = "duo"\n'


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path, {})


def explained(project: Project, *arguments: str) -> str:
    project.write()
    done = project.execute("explain", "credential.rejected", *arguments)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_the_configuration_selects_the_providers(two: Two) -> None:
    assert [word in explained(two) for word in ("Okta E0", "Duo 401", "Twilio 2")] == [True, True, False]
    one = explained(two, "--integration", "b")
    assert ("Okta E0" in one, "Duo 401" in one, "--integration b" in one) == (False, True, True)
    assert "--provider all" in one
    assert "Twilio 2" in explained(two, "--provider", "twilio")
    assert "Twilio 2" in explained(two, "--provider", "all")


@pytest.mark.parametrize(
    "text", ["", "not toml [", "integrations = 3", "[integrations]\na = 3", "[integrations.a]\nb = 1"]
)
def test_a_broken_configuration_hides_no_page(two: Two, text: str) -> None:
    two.write()
    (two.folder / "integrations.toml").write_text(text)
    done = two.execute("explain", "credential.rejected")
    assert "Twilio 2" in done.stdout
    assert done.stderr == ""
    assert two.execute("explain", "credential.rejected", "--integration", "a").exit_code == 2


def test_unknown_names_are_refused(two: Two) -> None:
    two.write()
    for arguments, message in (
        (("--integration", "c"), "has no integration 'c'"),
        (("--provider", "octa"), "did you mean 'okta'?"),
        (("--provider", "okta", "--integration", "a"), "use either --integration or --provider"),
    ):
        done = two.execute("explain", "credential.rejected", *arguments)
        assert (done.exit_code, message in done.stderr) == (2, True), done.stderr
