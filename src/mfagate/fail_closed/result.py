"""The result of a proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

from mfagate.fail_closed.answer import ProviderAnswer
from mfagate.fail_closed.mutations import MutationKind


class Violation(StrEnum):
    """How a client failed. The values are stable."""

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
    Violation.HANG: "The client was still waiting at the deadline.",
    Violation.LEAK: "The client revealed a secret.",
    Violation.UNTYPED_ERROR: "The client raised an error that is not one of its declared error types.",
    Violation.NO_DECISION: "The client returned a value that is not a decision.",
    Violation.NOT_UNDERSTOOD: "The client did not understand an answer that the contract allows.",
}

_NEXT = {
    Violation.LET_IN: "Let the user in only after an answer that the contract names; raise an error for any other.",
    Violation.OTHER_LOGIN: "Compare this field with the user or transaction of the request.",
    Violation.HANG: "Give the whole request a deadline, not only each wait for the network.",
    Violation.LEAK: "Raise your own errors with `from None`, without the request or its headers.",
    Violation.UNTYPED_ERROR: "Catch the error where the answer is read, and raise an error that callers handle.",
    Violation.NO_DECISION: "Return a Decision, or True or False.",
    Violation.NOT_UNDERSTOOD: "Read the answer as the contract describes it, or make the contract stricter.",
}


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An answer that a client handled wrongly, the smallest found for its kind of mutation.

    ``kind`` and ``change`` describe the mutation, ``contract`` is the contract's verdict on the
    answer, and ``client`` is what the client did.
    """

    violation: Violation
    kind: MutationKind
    change: str
    contract: str
    answer: ProviderAnswer
    client: str

    def __str__(self) -> str:
        """Return a text of several lines without any secret."""
        return self.summary()

    def summary(self, others: Sequence[Counterexample] = ()) -> str:
        """Return the text, with the changes of ``others`` that caused the same violation."""
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
    """A client does not fail closed; the text contains every counterexample."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The result of a proof.

    ``tried`` counts the answers: ``inside`` the contract, ``outside``, of ``other logins``, and
    ``waits``. ``bound`` lists the places of the answer that name the login. ``unprovable`` lists
    what no client can detect in this answer. ``unread`` lists the places, and ``tolerated`` the
    kinds of mutation, that the claim excludes.
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
        """Raise an error if there is a counterexample.

        Raises:
            NotFailClosed: There is a counterexample.
        """
        if not self.passed:
            raise NotFailClosed(str(self))

    def __str__(self) -> str:
        """Return the proof as a text of several lines."""
        tried = ", ".join(f"{count} {what}" for what, count in self.tried.items())
        lines = [f"{self.interaction}: {'fails closed' if self.passed else 'does not fail closed'} ({tried})"]
        lines += [f"  not provable from the answer: {reason}" for reason in self.unprovable]
        lines += [f"  not read: {', '.join(self.unread)}"] if self.unread else []
        lines += [f"  tolerated: {', '.join(self.tolerated)}"] if self.tolerated else []
        return "\n\n".join(["\n".join(lines), *self._paragraphs()])

    def _paragraphs(self) -> Iterator[str]:
        """Yield one paragraph per violation, with the smallest counterexample in full."""
        for _, group in groupby(self.counterexamples, key=lambda found: found.violation):
            first, *others = group
            yield first.summary(others)
