"""What a login service needs from any MFA provider, and the errors that it must handle.

Each provider's reference client implements :class:`SecondFactor`, and the consumer tests of the contract call it. Its
most important property is to fail closed: for any answer outside the contract, a client raises
:class:`ContractViolation` and never returns ``ALLOW``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Factor(StrEnum):
    """How the user proves possession of a second factor."""

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

    ``transaction`` is the provider's id of the verification; None if the provider needs none, as for a plain one-time
    password. ``decided`` is set if the provider decided immediately, for example about a disabled user; ``verify`` then
    returns it.
    """

    user: str
    factor: Factor
    transaction: str | None = None
    decided: Decision | None = None


class SecondFactor(Protocol):
    """The consumer's side of every contract."""

    def start(self, user: str, factor: Factor) -> Challenge:
        """Start a verification; with a push, this is what reaches the phone.

        Raises:
            SecondFactorError: No challenge was started; the subclass says why.
        """

    def verify(self, challenge: Challenge, code: str | None = None) -> Decision:
        """Check the code, or without a code, query the result of the challenge.

        Raises:
            SecondFactorError: There is no decision, so the user must not be let in.
        """


class SecondFactorError(Exception):
    """There is no decision. The message contains no secret."""


class NotEnrolled(SecondFactorError):
    """The user has no suitable factor."""


class ProviderUnavailable(SecondFactorError):
    """The provider is unreachable or failed."""


class CredentialRejected(SecondFactorError):
    """The provider refused the client's credential, or the client for an unknown reason: no user can be verified."""


class RateLimited(SecondFactorError):
    """The provider asks the client to wait, for ``retry_after`` seconds if it says how long."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ContractViolation(SecondFactorError):
    """The answer does not conform to the contract."""
