"""The interaction that a proof is about, and those with the same request."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from mfagate.contract import Contract, Interaction, load


class CannotProve(ValueError):
    """There is nothing to prove yet: the message says what does not fit together."""


def loaded(contract: Contract | Path | str) -> Contract:
    """Return a contract, which is read if it is given by its path.

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
    return [each for each in contract.interactions if each is not interaction and _asked(each) == _asked(interaction)]


def _asked(interaction: Interaction) -> tuple[str, str]:
    request = interaction.example_request()
    return request.method, urlsplit(request.url).path
