"""What a proof of strength found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mfagate.contract_strength.operators import Operator

_SHOWN = 3


class Weakness(StrEnum):
    """How a contract and its readers disagree. The values are stable."""

    BLIND = "contract_strength.blind"
    STRICT = "contract_strength.strict"


_MEANING = {
    Weakness.BLIND: "The contract accepts a change that breaks a reader.",
    Weakness.STRICT: "The contract rejects a change that every reader copes with.",
}

_NEXT = {
    Weakness.BLIND: "Demand more in the contract: the exact value, a pattern, or one element of the list "
    "(array_containing, or each_like with min=1). Do not make the client accept more.",
    Weakness.STRICT: "If the provider documents the change as possible, accept it in the contract; "
    "otherwise name it with the reason in `strict`.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The changes of one place by one operator that show the same weakness.

    Args:
        weakness: Blind or strict.
        place: The changed place.
        operator: The operator.
        changes: Each change in words.
        readers: For a blind contract, the readers that behaved otherwise, each with what it did.
        contract: For a strict one, what the contract says of the first change.
        reason: Why it is accepted, where an exception names it.
    """

    weakness: Weakness
    place: str
    operator: Operator
    changes: tuple[str, ...]
    readers: tuple[str, ...] = ()
    contract: str = ""
    reason: str | None = None

    @property
    def name(self) -> str:
        """The place and the operator: what an exception names."""
        return f"{self.place} {self.operator}"

    def __str__(self) -> str:
        """Describe it in some lines."""
        shown, left = self.changes[:_SHOWN], len(self.changes) - _SHOWN
        lines = [("change" if number == 0 else "also", each) for number, each in enumerate(shown)]
        lines += [("also", f"{left} more changes of this kind")] if left > 0 else []
        lines += [("reader", each) for each in self.readers]
        lines += [("contract", self.contract)] if self.contract else []
        lines.append(("exception", self.reason) if self.reason else ("next step", _NEXT[self.weakness]))
        return "\n".join(
            [f"{self.weakness}: {self.name}: {_MEANING[self.weakness]}", *(f"  {key}: {text}" for key, text in lines)]
        )


class WeakContract(AssertionError):
    """A contract accepts what breaks a reader; the text has every finding."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was tried on one interaction, and what was found.

    Args:
        interaction: Its description.
        readers: The names of the readers.
        findings: All of them, those with an exception included.
        tried: How many changes were tried, how many the contract rejects, and how many break a reader.
        unused: Exceptions that name nothing that was found.
        breaking: The changes that break a reader and are rejected: place, operator, and where it is told
            the new value.
        reviewed: The patterns of ``Claim.reviewed`` that named a finding.
    """

    interaction: str
    readers: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    tried: Mapping[str, int] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    reviewed: frozenset[str] = frozenset()
    breaking: tuple[tuple[str, Operator, Any], ...] = ()

    @property
    def blind(self) -> tuple[Finding, ...]:
        """Blind findings without an exception."""
        return self._without_reason(Weakness.BLIND)

    @property
    def strict(self) -> tuple[Finding, ...]:
        """Strict findings that nobody has reviewed yet."""
        return self._without_reason(Weakness.STRICT)

    @property
    def passed(self) -> bool:
        """Whether no blind finding is without an exception, and no exception without its finding."""
        return not self.blind and not self.unused

    def require(self) -> None:
        """Return if the contract is strong, and raise otherwise.

        Raises:
            WeakContract: It is blind to a change, or an exception names nothing that was found.
        """
        if not self.passed:
            raise WeakContract(str(self))

    def _without_reason(self, weakness: Weakness) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.weakness is weakness and each.reason is None)

    def __str__(self) -> str:
        """Describe the proof: a line, then each finding without an exception, blind ones first."""
        tried = ", ".join(f"{count} {what}" for what, count in self.tried.items())
        verdict = "is strong" if self.passed else "is weak"
        lines = [f"{self.interaction}: the contract {verdict} ({tried})"]
        excepted = [each for each in self.findings if each.reason is not None]
        lines += [f"  exception: {each.weakness} {each.name}: {each.reason}" for each in excepted]
        lines += [f"  exception that excepts nothing, remove it: {each}" for each in self.unused]
        return "\n\n".join(["\n".join(lines), *map(str, (*self.blind, *self.strict))])

    def record(self) -> dict[str, Any]:
        """The proof as JSON, for listings."""
        return {
            "interaction": self.interaction,
            "readers": list(self.readers),
            "tried": dict(self.tried),
            "breaking": [[place, operator.value, value] for place, operator, value in self.breaking],
            "findings": [
                {
                    "weakness": each.weakness.value,
                    "place": each.place,
                    "operator": each.operator.value,
                    "changes": list(each.changes),
                    "readers": list(each.readers),
                    "contract": each.contract,
                    "reason": each.reason,
                }
                for each in self.findings
            ],
        }
