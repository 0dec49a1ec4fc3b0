"""The interaction that a proof is about, and those with the same request."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from mfagate.contract import Contract, Interaction, load


class CannotProve(ValueError):
    """Nothing can be proved; the message says why."""


def loaded(contract: Contract | Path | str) -> Contract:
    """Return a contract, and read it if it is a path.

    Raises:
        ContractError: It cannot be read.
    """
    return contract if isinstance(contract, Contract) else load(Path(contract))


def named(contract: Contract, description: str) -> Interaction:
    """Return the interaction with this description.

    Raises:
        CannotProve: The contract has no such interaction.
    """
    for interaction in contract.interactions:
        if interaction.description == description:
            return interaction
    raise CannotProve(f"{contract.path} has no interaction {description!r}")


def neighbours(contract: Contract, interaction: Interaction) -> list[Interaction]:
    """Return the other interactions with the same method and path."""
    endpoint = _endpoint(interaction)
    return [other for other in contract.interactions if other is not interaction and _endpoint(other) == endpoint]


def _endpoint(interaction: Interaction) -> tuple[str, str]:
    request = interaction.example_request()
    return request.method, urlsplit(request.url).path
