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
from mfagate.checks.interaction_judge import judge
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
"""What became of a file that was written: ``change`` in the evidence, which reports read."""

_SCRUBBED_TOO_MUCH = (
    "If the field is no secret, name it in public_fields of the provider's Scrubbing; "
    "if it is one, let the contract match its type or pattern instead of its value."
)


class SharedRecordings(Exception):
    """Several integrations would write the same recordings, each in place of the other's."""


def require_own_recordings(integrations: Sequence[Integration]) -> None:
    """Make sure that no two integrations write the same recording.

    Raises:
        SharedRecordings: Two do; the message says what to do.
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
        f"{names} have the same recordings, in {first.cassettes_path}: each would "
        f"overwrite those of the other. Record one of them (--integration {first.name}), or give each a folder of its "
        f'own: cassettes = "…" in {others[0].head()}'
    )


def _recordings_of(integration: Integration) -> Iterator[Path]:
    """Yield the recordings of an integration; none where the contract cannot be read, which its own check reports."""
    folder = Path(os.path.realpath(integration.cassettes_path))
    try:
        contract = load_contract(integration.contract_path, provider=integration.provider)
    except ContractError:
        return
    for interaction in contract.interactions:
        yield path_for(folder, interaction.description)


def run(live: LiveContext) -> Iterator[Check]:
    """Replay, scrub, scan, and only then replace the old recording."""
    try:
        yield from _recorded(live)
    except UsersInUse as error:
        yield Check.from_finding(check_ids.RECORDING, error.finding)


def _recorded(live: LiveContext) -> Iterator[Check]:
    with managed_states(live) as manager:
        for interaction in live.context.interactions:
            record = partial(_record, live, interaction, manager)
            yield guarded(live.context, check_ids.RECORDING, interaction.description, record)


def _record(live: LiveContext, interaction: Interaction, manager: StateManager) -> Check:
    sent = replay(live, interaction, manager, check_ids.RECORDING)
    if isinstance(sent, Check):
        return sent
    check = judge(live, interaction, sent, check_ids.RECORDING)
    # An answer that breaks the contract is reported, and never recorded.
    agreed = check.outcome in (Outcome.PASS, Outcome.WARN)
    return _write(live, interaction, sent.exchange) if agreed else check


def _write(live: LiveContext, interaction: Interaction, exchange: Exchange) -> Check:
    name, path = interaction.description, path_for(live.integration.cassettes_path, interaction.description)
    shapes = (*COMMON, *live.provider.settings.secret_shapes(own=True))
    scrubber = Scrubber(live.provider.scrubbing, f"{live.provider.name}.invalid", shapes)
    # The request as the contract has it: what a state fills in differs each time, and may name an account.
    request, response = scrubber.scrub(replace(exchange, request=interaction.example_request()))
    origin = CassetteOrigin.EMULATOR if live.target_kind == "emulator" else CassetteOrigin.PROVIDER
    text = to_yaml(request, response, recorded_at=datetime.now(UTC).date(), recorded_from=origin)
    leaked = live.context.redactor.found_in(text)
    if leaked:
        message = f"{name}: the scrubbed recording still holds {', '.join(leaked)}; the old one was kept"
        return Check.from_finding(
            check_ids.RECORDING, Finding(CauseId.CASSETTE_SECRET_LEAKED, message, {}, Location(path)), subject=name
        )
    if broken := interaction.match(response):
        message = f"{name}: what is left after scrubbing breaks the contract: {broken[0].message}"
        finding = Finding(CauseId.CASSETTE_CONTRACT_MISMATCH, message, {}, Location(path), _SCRUBBED_TOO_MUCH)
        return Check.from_finding(check_ids.RECORDING, finding, subject=name)
    try:
        old = _replaced(path, text)
    except OSError as error:
        message = f"{name}: the recording {path} cannot be written: {error.strerror or error}"
        step = "Make sure that this user can write a regular file there, and record again."
        finding = Finding(CauseId.CASSETTE_MISSING, message, {}, Location(path), step)
        return Check.from_finding(check_ids.RECORDING, finding, subject=name)
    if old == text:
        return passed(check_ids.RECORDING, "unchanged", subject=name)
    change = _change(old, text)
    return passed(check_ids.RECORDING, f"recorded: {change}", subject=name, file=str(path), change=change)


def _change(old: str | None, new: str) -> str:
    """Return what became of a file that was written."""
    if old is None:
        return _NEW
    return _DATED if _exchanges(old) == _exchanges(new) else _CHANGED


def _exchanges(text: str) -> str:
    """Return a cassette without the lines that say when it was recorded, and with what."""
    return re.sub(r"(?<![^\n])  (recorded_at|tool): .*\n", "", text)


def _replaced(path: Path, text: str) -> str | None:
    """Replace the recording where it is another one, and return the old one.

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
