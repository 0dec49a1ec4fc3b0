"""Prove the strength of a contract: it rejects answers that break a reader, and accepts all others.

>>> prove(lambda url: OurClient(url).verify("alice", "123456"),  # doctest: +SKIP
...       contract="contracts/duo/auth-service-duo.json", interaction="passcode accepted").require()

It needs the extra ``pytest``, as the fail-closed proof does.
"""

from mfagate.contract_strength.behaviour import Behaviour
from mfagate.contract_strength.decorator import contract_strength
from mfagate.contract_strength.operators import Change, Operator, changes
from mfagate.contract_strength.proof import Claim, Judge, Prove, prove
from mfagate.contract_strength.result import Finding, Proof, WeakContract, Weakness
from mfagate.fail_closed import CannotProve

__all__ = [
    "Behaviour",
    "CannotProve",
    "Change",
    "Claim",
    "Finding",
    "Judge",
    "Operator",
    "Proof",
    "Prove",
    "WeakContract",
    "Weakness",
    "changes",
    "contract_strength",
    "prove",
]
