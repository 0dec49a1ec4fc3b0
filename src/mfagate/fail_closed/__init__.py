"""The fail-closed proof: an MFA client lets nobody in on an answer that it does not understand.

>>> prove(lambda url: OurClient(url).verify("alice", "123456"),  # doctest: +SKIP
...       contract="contracts/duo/auth-service-duo.json", interaction="passcode accepted").require()

It needs Hypothesis, which comes with the extra ``pytest``.
"""

from mfagate.fail_closed.answer import Answer, Ending
from mfagate.fail_closed.decorator import fail_closed
from mfagate.fail_closed.interactions import CannotProve
from mfagate.fail_closed.loopback import Endpoint
from mfagate.fail_closed.outside import WAITS, Kind, Mutation
from mfagate.fail_closed.proof import Call, Claim, prove
from mfagate.fail_closed.result import Counterexample, NotFailClosed, Proof, Violation

__all__ = [
    "WAITS",
    "Answer",
    "Call",
    "CannotProve",
    "Claim",
    "Counterexample",
    "Ending",
    "Endpoint",
    "Kind",
    "Mutation",
    "NotFailClosed",
    "Proof",
    "Violation",
    "fail_closed",
    "prove",
]
