"""Prove the strength of a contract: it rejects answers that break a reader, and accepts all others.

>>> prove(lambda url: OurClient(url).verify("alice", "123456"),  # doctest: +SKIP
...       contract="contracts/duo/auth-service-duo.json", interaction="passcode accepted").require()

It needs the extra ``pytest``, like the fail-closed proof.
"""

from mfagate.contract_strength.behaviour import Behaviour
from mfagate.contract_strength.decorator import contract_strength
from mfagate.contract_strength.operators import AnswerChange, ChangeOperator, changes
from mfagate.contract_strength.proof import Judge, Prove, StrengthClaim, prove
from mfagate.contract_strength.result import StrengthFinding, StrengthProof, WeakContract, Weakness
from mfagate.fail_closed import CannotProve

__all__ = [
    "AnswerChange",
    "Behaviour",
    "CannotProve",
    "ChangeOperator",
    "Judge",
    "Prove",
    "StrengthClaim",
    "StrengthFinding",
    "StrengthProof",
    "WeakContract",
    "Weakness",
    "changes",
    "contract_strength",
    "prove",
]
