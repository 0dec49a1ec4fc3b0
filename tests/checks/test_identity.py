"""Without an expected account there is a warning in production, with the lines to add."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mfagate.checks.identity import is_pinned
from mfagate.providers import registry
from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.testing.project import CommandResult, Project
from tests.support.project import link_shipped

HEAD = """\
[integrations.{name}]
provider = "{provider}"
environment = "{environment}"
endpoint = "{endpoint}"
ca_bundle = "{ca_bundle}"

[integrations.{name}.settings]
"""


class Deployed(Project):
    """One deployed integration, checked against an emulator."""

    def __init__(self, folder: Path, provider: str, running: Running, environment: str = "production") -> None:
        super().__init__(folder, {})
        link_shipped(folder)
        named = registry.get(provider)
        about = {"provider": provider, "environment": environment, "endpoint": running.endpoint}
        self.name = '"my.tenant"' if provider == "okta" else provider
        lines = [HEAD.format(name=self.name, ca_bundle=running.ca_bundle, **about)]
        for name in sandboxes.get(provider).settings:
            secret = name in named.settings.secrets()
            if secret:
                self.env[name.upper()] = running.values[name]
            lines.append(f"{name} = {json.dumps(f'env:{name.upper()}' if secret else running.values[name])}\n")
        self.configuration = "".join(lines)

    def text(self) -> str:
        return self.configuration

    def unpinned(self) -> tuple[CommandResult, list[dict[str, object]]]:
        result = self.run("gate")
        return result, [check for check in result.checks("identity") if check["cause"] == "config.identity-unpinned"]


@pytest.fixture(scope="module", params=["auth0", "entra", "okta", "twilio"])
def started(request: pytest.FixtureRequest) -> Iterator[tuple[str, Running]]:
    sandbox = sandboxes.get(request.param)
    with sandbox.start() as running:
        yield request.param, running


@pytest.mark.parametrize("table", ["", '\n[integrations.{}.expect]\n# tenant = "…"\n'], ids=["absent", "empty"])
def test_the_lines_to_add_are_those_that_pass(started: tuple[str, Running], tmp_path: Path, table: str) -> None:
    """The lines in the report can be appended unchanged, and then the account is expected."""
    project = Deployed(tmp_path, *started)
    project.configuration += table.format(project.name)
    result, (found,) = project.unpinned()
    assert (result.exit_code, found["outcome"]) == (0, "warn")
    evidence = found["evidence"]
    assert isinstance(evidence, dict)
    lines = evidence["lines to add"]
    assert lines[0].startswith("[") == (not table)
    project.configuration += "\n" + "\n".join(lines) + "\n"
    document = tomllib.loads(project.configuration)["integrations"]
    (integration,) = document.values()
    result, found_again = project.unpinned()
    assert (result.exit_code, found_again) == (0, []), result.stdout
    passed = {check["subject"] for check in result.checks("identity") if check["outcome"] == "pass"}
    assert passed == set(integration["expect"]) == set(registry.get(started[0]).identifying()) & passed


@pytest.mark.parametrize(
    ("above", "below"),
    [("", ""), ("", "[integrations.{}.expect]\n"), ("expect = {}\n", "")],
    ids=["absent", "empty", "braces"],
)
def test_the_lines_to_add_are_for_one_environment_alone(
    started: tuple[str, Running], tmp_path: Path, above: str, below: str
) -> None:
    """A shared table would apply to the other environments, which have other accounts."""
    project = Deployed(tmp_path, *started)
    own = f"[integrations.{project.name}.environments.production]"
    text = project.configuration.replace('environment = "production"\n', "")
    text = text.replace("provider =", f"{above}provider =", 1)
    project.configuration = f"{text}\n{below.format(project.name)}\n{own}\n"
    project.configuration += f"\n{own.replace('production', 'staging')}\n"
    _, (found,) = project.unpinned()
    evidence = found["evidence"]
    assert isinstance(evidence, dict)
    lines = evidence["lines to add"]
    assert lines[0] == own.replace("]", ".expect]")
    location = found["location"]
    assert isinstance(location, dict)
    assert project.configuration.splitlines()[location["line"] - 1] == own
    project.configuration += "\n" + "\n".join(lines) + "\n"
    (integration,) = tomllib.loads(project.configuration)["integrations"].values()
    assert not integration.get("expect")
    result, found_again = project.unpinned()
    assert (result.exit_code, found_again) == (0, []), result.stdout


def test_a_table_in_braces_is_filled_in_its_braces(started: tuple[str, Running], tmp_path: Path) -> None:
    project = Deployed(tmp_path, *started)
    project.configuration = project.configuration.replace("endpoint =", "expect = {}\nendpoint =")
    _, (found,) = project.unpinned()
    evidence = found["evidence"]
    assert isinstance(evidence, dict)
    (line,) = evidence["lines to add"]
    project.configuration = project.configuration.replace("expect = {}", f"expect = {{ {line} }}")
    result, found_again = project.unpinned()
    assert (result.exit_code, found_again) == (0, [])


def test_outside_production_it_is_not_a_warning(started: tuple[str, Running], tmp_path: Path) -> None:
    _, found = Deployed(tmp_path, *started, environment="staging").unpinned()
    assert found == []


def test_a_key_that_does_not_identify_the_account_pins_nothing() -> None:
    privacyidea, twilio, duo = (registry.get(name) for name in ("privacyidea", "twilio", "duo"))
    assert [is_pinned(privacyidea, {key}) for key in ("version", "realm", "public_key")] == [False, True, True]
    assert [is_pinned(twilio, {key}) for key in ("code_length", "service_name", "account_sid")] == [False, False, True]
    assert is_pinned(duo, ())
