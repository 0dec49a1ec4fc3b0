"""Provider states: the states that the ``given`` of a contract requires.

All providers share one vocabulary, so that contracts read alike. Each provider sets up the states that are possible
with its API and reports the others as unavailable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from mfagate.contract import ProviderState


class StateName(StrEnum):
    """The shared vocabulary, as it appears in the pacts."""

    WORKING_OTP = "a user with a working OTP"
    USED_OTP = "a user whose OTP was already used"
    PIN_AND_OTP = "a user with a PIN and a working OTP"
    NO_FACTOR = "a user without a factor"
    DISABLED_FACTOR = "a user whose factor is disabled"
    LOCKED_FACTOR = "a user whose factor is locked"
    UNKNOWN_USER = "no such user"
    BYPASSED_USER = "a user who needs no second factor"
    DISABLED_USER = "a user who is disabled"
    CHALLENGE_FACTOR = "a user with a challenge-response factor"
    CHALLENGE_STARTED = "a started challenge"
    CODE_KNOWN = "a started challenge whose code is known"
    CHALLENGE_ANSWERED = "a challenge that was already answered"
    CHALLENGE_EXHAUSTED = "a challenge with too many wrong answers"
    CHALLENGE_UNKNOWN = "no such challenge"
    PUSH_PENDING = "a push that waits for an answer"
    PUSH_ACCEPTED = "a push that was accepted"
    PUSH_DECLINED = "a push that was declined"
    PUSH_TIMED_OUT = "a push that nobody answered"
    CREDENTIAL_ACCEPTED = "the credential is accepted"
    CREDENTIAL_MISSING = "the credential is missing"
    CREDENTIAL_MALFORMED = "the credential is malformed"
    CREDENTIAL_WRONG = "the credential is wrong"
    CREDENTIAL_UNKNOWN = "the credential belongs to no known client"
    CREDENTIAL_REVOKED = "the credential was revoked"
    CREDENTIAL_EXPIRED = "the credential has expired"
    CREDENTIAL_WRONG_KIND = "the credential is of the wrong kind"
    PERMISSION_MISSING = "the credential lacks the permission"
    RESOURCE_MISSING = "no such resource"

    @property
    def is_about_the_credential(self) -> bool:
        """Whether the provider then refuses the client, not a user."""
        return self.value.startswith("the credential ") and self is not StateName.CREDENTIAL_ACCEPTED

    @property
    def is_about_a_user(self) -> bool:
        """Whether a refusal in this state is about a user. A missing resource may be about either."""
        return not self.value.startswith("the credential ") and self is not StateName.RESOURCE_MISSING


@dataclass(frozen=True, slots=True)
class StateValues:
    """A state that was set up.

    ``values`` fill the pact's ProviderState generators; the values named in ``secrets`` are masked in all output.
    ``credential`` replaces settings before the request is signed; ``None`` removes a setting.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    credential: Mapping[str, str | None] = field(default_factory=dict)


class StateNotConfigured(Exception):
    """The configuration lacks what the state needs: the interaction is skipped.

    ``setting`` is the missing key in ``integrations.toml``.
    """

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


class StateUnavailable(Exception):
    """The state is configured, but could not be set up. The message contains no secret."""


class AskedTooSoon(Exception):
    """The provider accepts the next request about this user, number or factor only later: the interaction is skipped.

    ``seconds`` is the longest wait. The message contains no secret.
    """

    def __init__(self, seconds: float, message: str) -> None:
        super().__init__(message)
        self.seconds = seconds


NOT_ARRANGED = (StateNotConfigured, StateUnavailable, AskedTooSoon)
"""Failures that the configuration or the provider causes; any other exception is a defect."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What some states share at the provider. Interactions of one lane are sent in order, and lanes run at once.

    Args:
        name: What is shared, such as a test user.
        most: The number of interactions in a lane, if each lane makes a user of its own; further ones get another lane.
        waits: Whether a state waits for the provider's clock or a person, so that its lane begins first.
        test_data: Entries that replace those of ``test_data`` in this lane.
    """

    name: str = ""
    most: int | None = None
    waits: bool = False
    test_data: Mapping[str, str] = field(default_factory=dict)


class States(Protocol):
    """Sets up states on one target; ``close`` removes what was created there."""

    def arrange(self, state: ProviderState) -> StateValues:
        """Put the provider into the state.

        Raises:
            StateNotConfigured: The configuration does not allow it.
            StateUnavailable: The provider refused or failed.
        """

    def close(self) -> None:
        """Remove what ``arrange`` created, as far as the provider allows it.

        The only exceptions are defects, which the gate writes to its log.
        """
