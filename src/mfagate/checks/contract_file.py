"""Read the contract, and check that it can verify something."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shlex import quote

from mfagate.checks.context import CheckContext
from mfagate.checks.results import passed
from mfagate.config.environments import base_name
from mfagate.config.model import Integration
from mfagate.contract import Contract, ContractError
from mfagate.contract.shipped import ships_contract
from mfagate.contract.weak_rules import Effort, weak_places
from mfagate.core import check_ids
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding, Location
from mfagate.core.result import Check
from mfagate.providers.states import StateName

_SHOWN_INTERACTIONS = 5
_SHOWN_PLACES = 10


def run(context: CheckContext) -> Iterator[Check]:
    """Read the contract, and report what it lacks."""
    path = context.integration.contract_path
    try:
        contract = context.contract
    except ContractError as error:
        step = missing_contract(context.integration, context.provider.title) or None
        yield Check.from_finding(
            check_ids.CONTRACT_FILE, Finding(error.cause, str(error), {}, Location(path, error.line), step)
        )
        return
    number = len(contract.interactions)
    findings = [*_absent_credentials(context, contract), *_too_few_interactions(context, number)]
    if not findings:
        yield passed(check_ids.CONTRACT_FILE, f"{number} interactions of {contract.consumer} with {contract.provider}")
        findings = [*_weak_rules(contract)]
    yield from (Check.from_finding(check_ids.CONTRACT_FILE, finding) for finding in findings)


def missing_contract(integration: Integration, title: str) -> str:
    """Return the next step for a missing contract; empty if it exists.

    `mfagate init` writes it to the right path only if the integration has its provider's name and the default folder.
    """
    name, path = integration.provider, integration.contract_path
    if os.path.exists(path):  # noqa: PTH110 - Path.exists raises if the name is too long
        return ""
    if not ships_contract(name):
        get = f"Write the contract {path}: mfagate ships none for {title} (docs/how-to/contracts.md)."
    elif integration.contract is None and base_name(integration.name) == name:
        into = "" if integration.base == Path() else f" -- {quote(str(integration.base))}"
        get = (
            f"Run `mfagate init --provider {name}{into}`: it writes the shipped contract for {title} to {path}, and "
            "keeps existing files."
        )
    else:
        get = (
            f"Run `mfagate init --provider {name}` in an empty folder: it writes the shipped contract for {title}. "
            f"Copy it to {path}."
        )
    return (
        f"{get} If your login service has consumer tests, run them instead: they write it. If the contract is "
        f"somewhere else, set contract to its path in {integration.heads()}."
    )


def _absent_credentials(context: CheckContext, contract: Contract) -> Iterator[Finding]:
    """Find credentials that the contract's requests need and that are not configured."""
    needing: dict[str, list[str]] = {}
    for interaction in contract.interactions:
        unsigned = any(state.name == StateName.CREDENTIAL_MISSING for state in interaction.states)
        setting = context.provider.credential_for(interaction.request.path, context.tables.settings.values)
        if setting is not None and setting not in context.tables.settings.values and not unsigned:
            needing.setdefault(setting, []).append(interaction.description)
    for setting, names in needing.items():
        field = next(field for field in context.tables.settings.declared.fields() if field.name == setting)
        yield Finding(
            CauseId.CONFIG_SETTING_MISSING,
            f"settings.{setting} is not set, and {len(names)} of {len(contract.interactions)} interactions of the "
            "contract cannot be sent without it",
            {"contract": str(contract.path), "interactions": names[:_SHOWN_INTERACTIONS]},
            context.integration.locate("settings"),
            f"Set {setting} in {context.integration.heads('settings')}, for example {setting} = "
            f"{field.setting.example!r}. Where to find it: {field.setting.where}. If the login service never sends "
            "these requests, remove the interactions from the contract.",
        )


def _weak_rules(contract: Contract) -> Iterator[Finding]:
    """Report what the contract shows but does not check, in one finding."""
    effort, found = Effort(), []
    for interaction in contract.interactions:
        with suppress(ContractError):  # A rule that Pact does not understand is reported when it is used.
            found += [f"{interaction.description}: {place}" for place in weak_places(interaction.response, effort)]
    if found:
        shown, more = found[:_SHOWN_PLACES], len(found) - _SHOWN_PLACES
        yield Finding(
            CauseId.CONTRACT_WEAK_RULE,
            f"the contract shows more than it checks; {found[0]}{f', and {len(found) - 1} more' if found[1:] else ''}",
            {"places": shown + ([f"and {more} more"] if more > 0 else [])},
            Location(contract.path),
        )


def _too_few_interactions(context: CheckContext, number: int) -> Iterator[Finding]:
    """Report a contract with fewer interactions than ``minimum_interactions``."""
    wanted = context.integration.minimum_interactions or 0
    if number < wanted:
        yield Finding(
            CauseId.GATE_NOTHING_CHECKED,
            f"the contract has {number} interactions, but minimum_interactions is {wanted}",
            {"contract": str(context.integration.contract_path)},
            context.integration.locate("minimum_interactions"),
        )
