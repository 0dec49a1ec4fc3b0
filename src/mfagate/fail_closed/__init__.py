"""Prove that an MFA client fails closed: it refuses the user after any answer that it does not understand.

>>> prove(lambda url: OurClient(url).verify("alice", "123456"),  # doctest: +SKIP
...       contract="contracts/duo/auth-service-duo.json", interaction="passcode accepted").require()

It needs Hypothesis, which comes with the extra ``pytest``.
"""

from mfagate.fail_closed.answer import Ending, ProviderAnswer
from mfagate.fail_closed.decorator import fail_closed
from mfagate.fail_closed.interactions import CannotProve
from mfagate.fail_closed.loopback import LoopbackUrl
from mfagate.fail_closed.mutations import WAITS, Mutation, MutationKind
from mfagate.fail_closed.proof import Call, FailClosedClaim, prove
from mfagate.fail_closed.result import Counterexample, NotFailClosed, Proof, Violation

__all__ = [
    "WAITS",
    "Call",
    "CannotProve",
    "Counterexample",
    "Ending",
    "FailClosedClaim",
    "LoopbackUrl",
    "Mutation",
    "MutationKind",
    "NotFailClosed",
    "Proof",
    "ProviderAnswer",
    "Violation",
    "fail_closed",
    "prove",
]
