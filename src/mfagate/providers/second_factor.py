"""What a login service asks of any MFA provider, and the errors it must be ready for.

Each provider's reference client implements :class:`SecondFactor`; the consumer
tests drive it and so write the contract. The property that matters most is to
fail closed: for any answer outside the contract a client raises
:class:`ContractViolation` and never returns ``ALLOW``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Factor(StrEnum):
    """How the user proves possession."""

    OTP = "otp"
    PUSH = "push"
    SMS = "sms"


class Decision(StrEnum):
    """The provider's answer to a verification."""

    ALLOW = "allow"
    DENY = "deny"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Challenge:
    """One started verification of one user.

    ``transaction`` is the provider's id for it, or None where the provider
    needs none, as for a plain one-time password. ``decided`` is set where the
    provider decided at once, about a user who is disabled for example; ``verify``
    returns it then.
    """

    user: str
    factor: Factor
    transaction: str | None = None
    decided: Decision | None = None


class SecondFactor(Protocol):
    """The consumer's side of every contract."""

    def start(self, user: str, factor: Factor) -> Challenge:
        """Begin a verification; for a push this is what reaches the phone.

        Raises:
            SecondFactorError: No challenge was started; each subclass says why.
        """

    def verify(self, challenge: Challenge, code: str | None = None) -> Decision:
        """Check the code, or without one ask what became of the challenge.

        Raises:
            SecondFactorError: There is no decision, so the user is not let in.
        """


class SecondFactorError(Exception):
    """There is no decision. The message holds no secret."""


class NotEnrolled(SecondFactorError):
    """The user has no factor that could be challenged."""


class ProviderUnavailable(SecondFactorError):
    """The provider could not be reached, or failed."""


class CredentialRejected(SecondFactorError):
    """The provider refused our credential, or us for a reason that is not known: no user can be verified."""


class RateLimited(SecondFactorError):
    """The provider asks to wait; ``retry_after`` in seconds, where it says how long."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ContractViolation(SecondFactorError):
    """The answer is none that the contract allows."""
