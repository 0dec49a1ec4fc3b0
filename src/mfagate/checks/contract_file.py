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
    """Read the pact, and report what it lacks."""
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
    if findings:
        yield from (Check.from_finding(check_ids.CONTRACT_FILE, finding) for finding in findings)
        return
    yield passed(check_ids.CONTRACT_FILE, f"{number} interactions of {contract.consumer} with {contract.provider}")
    yield from (Check.from_finding(check_ids.CONTRACT_FILE, finding) for finding in _weak_rules(contract))


def missing_contract(integration: Integration, title: str) -> str:
    """Return the next step for a contract that is not there; empty for one that is.

    `mfagate init` writes it where it belongs only for an integration that has the name and the folder of its provider.
    """
    name, path = integration.provider, integration.contract_path
    if os.path.exists(path):  # noqa: PTH110 - Path.exists raises if the name is too long
        return ""
    if not ships_contract(name):
        get = f"Write the contract {path}: none ships for {title} (docs/how-to/contracts.md)."
    elif integration.contract is None and base_name(integration.name) == name:
        into = "" if integration.base == Path() else f" -- {quote(str(integration.base))}"
        get = (
            f"Run `mfagate init --provider {name}{into}`: it writes the contract {path}, which ships for {title}, and "
            "keeps what is there."
        )
    else:
        get = (
            f"Run `mfagate init --provider {name}` in an empty folder: it writes the contract that ships for {title}. "
            f"Copy it to {path}."
        )
    return (
        f"{get} If your login service has consumer tests, run them instead: they write it. If the contract lies "
        f"somewhere else, write its path as contract in {integration.heads()}."
    )


def _absent_credentials(context: CheckContext, contract: Contract) -> Iterator[Finding]:
    """Find credentials that the contract's requests cannot do without and that are not configured."""
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
            "contract cannot be asked without it",
            {"contract": str(contract.path), "interactions": names[:_SHOWN_INTERACTIONS]},
            context.integration.locate("settings"),
            f"Set {setting} in {context.integration.heads('settings')}, for example {setting} = "
            f"{field.setting.example!r}. Where to find it: {field.setting.where}. If the login service never sends "
            "these requests, take the interactions out of the contract.",
        )


def _weak_rules(contract: Contract) -> Iterator[Finding]:
    """Report what the pact shows and does not check, in one finding."""
    effort, found = Effort(), []
    for interaction in contract.interactions:
        with suppress(ContractError):  # A rule that the core does not understand is reported when it is used.
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
    """Report a contract that holds fewer interactions than the file demands to be asked."""
    wanted = context.integration.minimum_interactions or 0
    if number < wanted:
        yield Finding(
            CauseId.GATE_NOTHING_CHECKED,
            f"the contract has {number} interactions, but at least {wanted} must be asked",
            {"contract": str(context.integration.contract_path)},
            context.integration.locate("minimum_interactions"),
        )
