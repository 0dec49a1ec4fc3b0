"""What a proof found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

from mfagate.fail_closed.answer import ProviderAnswer
from mfagate.fail_closed.mutations import MutationKind


class Violation(StrEnum):
    """How a client broke its duty. The values are stable."""

    LET_IN = "fail_closed.let_in"
    OTHER_LOGIN = "fail_closed.other_login"
    HANG = "fail_closed.hang"
    LEAK = "fail_closed.leak"
    UNTYPED_ERROR = "fail_closed.untyped_error"
    NO_DECISION = "fail_closed.no_decision"
    NOT_UNDERSTOOD = "fail_closed.not_understood"


_MEANING = {
    Violation.LET_IN: "The client let the user in on an answer that the contract does not allow.",
    Violation.OTHER_LOGIN: "The client let the user in on an answer that names another login.",
    Violation.HANG: "The client was still waiting when the time was over.",
    Violation.LEAK: "A secret is shown.",
    Violation.UNTYPED_ERROR: "The client raised an error that is not one of its declared error types.",
    Violation.NO_DECISION: "The client returned what is no decision.",
    Violation.NOT_UNDERSTOOD: "The client did not understand an answer that the contract allows.",
}

_NEXT = {
    Violation.LET_IN: "Let in on exactly what the contract names; raise an error on everything else.",
    Violation.OTHER_LOGIN: "Compare this field with the user or transaction that was asked about.",
    Violation.HANG: "Give the whole request a deadline, not only each wait for the network.",
    Violation.LEAK: "Raise errors of your own with `from None`, and put no request or header into them.",
    Violation.UNTYPED_ERROR: "Catch it where the answer is read, and raise one of the errors that callers handle.",
    Violation.NO_DECISION: "Return a Decision, or True or False.",
    Violation.NOT_UNDERSTOOD: "Read the answer as the contract has it, or demand more in the contract.",
}


@dataclass(frozen=True, slots=True)
class Counterexample:
    """One answer that a client treated wrongly: of its kind of mutation, the smallest that was found.

    ``kind`` is what was changed and ``change`` the mutation in words, ``contract`` what the
    contract says of the answer, and ``client`` what the client did.
    """

    violation: Violation
    kind: MutationKind
    change: str
    contract: str
    answer: ProviderAnswer
    client: str

    def __str__(self) -> str:
        """Return some lines for people, without any secret."""
        return self.summary()

    def summary(self, others: Sequence[Counterexample] = ()) -> str:
        """Return the same, with the changes of ``others`` that show the same violation."""
        lines = [
            ("change", self.change),
            ("contract", self.contract),
            ("answer", str(self.answer)),
            ("client", self.client),
            *(("also", f"{other.change}; the client {other.client}") for other in others),
            ("next step", _NEXT[self.violation]),
        ]
        heading = f"{self.violation}: {_MEANING[self.violation]}"
        return "\n".join([heading, *(f"  {label}: {text}" for label, text in lines)])


class NotFailClosed(AssertionError):
    """A client is not proved to fail closed; the text has every counterexample."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was tried on a client, and what was found.

    ``tried`` counts the answers: ``inside`` the contract, ``outside``, of ``other logins``, and
    ``waits``. ``bound`` has the places of the answer that name the login. ``unprovable`` says
    what no client could tell from this answer. ``unread`` are the places, and ``tolerated`` the
    kinds of mutation, that were left out by request.
    """

    interaction: str
    counterexamples: tuple[Counterexample, ...] = ()
    tried: Mapping[str, int] = field(default_factory=dict)
    bound: tuple[str, ...] = ()
    unprovable: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    tolerated: tuple[MutationKind, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no counterexample was found."""
        return not self.counterexamples

    def require(self) -> None:
        """Pass in silence, or else raise.

        Raises:
            NotFailClosed: There is a counterexample.
        """
        if not self.passed:
            raise NotFailClosed(str(self))

    def __str__(self) -> str:
        """Return the proof in some lines."""
        tried = ", ".join(f"{count} {what}" for what, count in self.tried.items())
        lines = [f"{self.interaction}: {'fails closed' if self.passed else 'does not fail closed'} ({tried})"]
        lines += [f"  not provable from the answer: {each}" for each in self.unprovable]
        lines += [f"  not read: {', '.join(self.unread)}"] if self.unread else []
        lines += [f"  tolerated: {', '.join(self.tolerated)}"] if self.tolerated else []
        return "\n\n".join(["\n".join(lines), *self._told()])

    def _told(self) -> Iterator[str]:
        """One paragraph a violation, the smallest counterexample in full."""
        for _, group in groupby(self.counterexamples, key=lambda each: each.violation):
            first, *others = group
            yield first.summary(others)
