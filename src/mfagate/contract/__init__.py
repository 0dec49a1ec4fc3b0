"""Contracts: pact files, the requests that they describe, and the comparison of answers.

>>> contract = load(Path("contracts/privacyidea/auth-service-privacyidea.json"))  # doctest: +SKIP
>>> contract.interactions[0].match(answer)  # doctest: +SKIP
[Mismatch(cause=<CauseId.CONTRACT_FIELD_MISSING ...>, path='$.result.value', ...)]
"""

from mfagate.contract.errors import ContractError, StateValueError, UnsafeValueError
from mfagate.contract.interaction import Contract, Interaction, ProviderState
from mfagate.contract.mismatch import Mismatch
from mfagate.contract.pact_file import line_in, load

__all__ = [
    "Contract",
    "ContractError",
    "Interaction",
    "Mismatch",
    "ProviderState",
    "StateValueError",
    "UnsafeValueError",
    "line_in",
    "load",
]
