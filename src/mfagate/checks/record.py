"""Record each interaction live into its cassette. People run this, never CI."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from mfagate.cassettes.reader import CassetteOrigin, path_for
from mfagate.cassettes.scrub import Scrubber
from mfagate.cassettes.writer import to_yaml
from mfagate.checks.live import LiveContext
from mfagate.checks.provider_states import StateManager, managed_states
from mfagate.checks.replay import replay
from mfagate.checks.results import guarded, passed
from mfagate.checks.user_lock import UsersInUse
from mfagate.config.model import Integration
from mfagate.contract import ContractError, Interaction
from mfagate.contract import load as load_contract
from mfagate.core import check_ids
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange
from mfagate.core.files import open_regular, write_atomically
from mfagate.core.finding import Finding, Location, some
from mfagate.core.result import Check
from mfagate.secrets.shapes import COMMON

_NEW, _CHANGED, _DATED = "new", "changed", "only the date"
"""How the file of a recording has changed: ``change`` in the evidence, which reports read."""

_SCRUBBED_TOO_MUCH = (
    "If the field is not a secret, add it to public_fields of the provider's Scrubbing. "
    "If it is, match its type or pattern in the contract, not its value."
)


class SharedRecordings(Exception):
    """Several integrations would overwrite each other's recordings."""


def require_own_recordings(integrations: Sequence[Integration]) -> None:
    """Make sure that no two integrations write the same recording.

    Raises:
        SharedRecordings: Two do; the message contains the next step.
    """
    writers: dict[Path, list[Integration]] = {}
    for integration in integrations:
        for path in _recordings_of(integration):
            writers.setdefault(path, []).append(integration)
    together = next((several for several in writers.values() if len(several) > 1), None)
    if together is None:
        return
    first, *others = together
    names = some([integration.name for integration in together])
    raise SharedRecordings(
        f"{names} use the same recordings, in {first.cassettes_path}: each would overwrite those of the other. "
        f"Record one of them (--integration {first.name}), or give each its own folder: "
        f'cassettes = "…" in {others[0].head()}'
    )


def _recordings_of(integration: Integration) -> Iterator[Path]:
    """Yield the recordings of an integration; none if the contract cannot be read, which its own check reports."""
    folder = Path(os.path.realpath(integration.cassettes_path))
    try:
        contract = load_contract(integration.contract_path, provider=integration.provider)
    except ContractError:
        return
    for interaction in contract.interactions:
        yield path_for(folder, interaction.description)


def run(live: LiveContext) -> Iterator[Check]:
    """Replay and record each interaction, unless another run uses the test users."""
    try:
        yield from _recorded(live)
    except UsersInUse as error:
        yield Check.from_finding(check_ids.RECORDING, error.finding)


def _recorded(live: LiveContext) -> Iterator[Check]:
    with managed_states(live) as managers:
        for interaction in live.context.interactions:
            record = partial(_record, live, interaction, managers.first)
            yield guarded(live.context, check_ids.RECORDING, interaction.description, record)


def _record(live: LiveContext, interaction: Interaction, manager: StateManager) -> Check:
    check, sent = replay(live, interaction, manager, check_ids.RECORDING)
    if sent is None or check.outcome not in (Outcome.PASS, Outcome.WARN):
        return check  # An answer that breaks the contract is reported, and never recorded.
    return _write(live, interaction, sent.exchange)


def _write(live: LiveContext, interaction: Interaction, exchange: Exchange) -> Check:
    """Scrub an exchange, search it for secrets, and replace the old recording only if both are in order."""
    name, path = interaction.description, path_for(live.integration.cassettes_path, interaction.description)

    def failed(cause: CauseId, problem: str, next_step: str | None = None) -> Check:
        finding = Finding(cause, f"{name}: {problem}", {}, Location(path), next_step)
        return Check.from_finding(check_ids.RECORDING, finding, subject=name)

    shapes = (*COMMON, *live.provider.settings.secret_shapes(own=True))
    scrubber = Scrubber(live.provider.scrubbing, f"{live.provider.name}.invalid", shapes)
    # The request is the contract's example: the values of a state differ each time, and may name an account.
    request, response = scrubber.scrub(replace(exchange, request=interaction.example_request()))
    origin = CassetteOrigin.EMULATOR if live.target_kind == "emulator" else CassetteOrigin.PROVIDER
    text = to_yaml(request, response, recorded_at=datetime.now(UTC).date(), recorded_from=origin)
    if leaked := live.context.redactor.found_in(text):
        problem = f"the scrubbed recording still contains {', '.join(leaked)}; the old recording was kept"
        return failed(CauseId.CASSETTE_SECRET_LEAKED, problem)
    if broken := interaction.match(response):
        problem = f"the scrubbed recording breaks the contract: {broken[0].message}"
        return failed(CauseId.CASSETTE_CONTRACT_MISMATCH, problem, _SCRUBBED_TOO_MUCH)
    try:
        old = _replaced(path, text)
    except OSError as error:
        step = "Make sure that this user can write a regular file there, and record again."
        problem = f"the recording {path} cannot be written: {error.strerror or error}"
        return failed(CauseId.CASSETTE_MISSING, problem, step)
    if old == text:
        return passed(check_ids.RECORDING, "unchanged", subject=name)
    change = _change(old, text)
    return passed(check_ids.RECORDING, f"recorded: {change}", subject=name, file=str(path), change=change)


def _change(old: str | None, new: str) -> str:
    if old is None:
        return _NEW
    return _DATED if _exchanges(old) == _exchanges(new) else _CHANGED


def _exchanges(text: str) -> str:
    """Return a cassette without the lines that say when it was recorded, and with what."""
    return re.sub(r"(?<![^\n])  (recorded_at|tool): .*\n", "", text)


def _replaced(path: Path, text: str) -> str | None:
    """Write the recording if its text has changed, and return the old text.

    Raises:
        OSError: It cannot be read or written.
    """
    old = None
    if path.exists():
        with open_regular(path) as file:
            old = file.read().decode("utf-8", "replace")
    if old != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    return old
