"""The result of a proof of strength."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mfagate.contract_strength.operators import ChangeOperator

_SHOWN = 3


class Weakness(StrEnum):
    """How a contract and its readers disagree. The values are stable."""

    BLIND = "contract_strength.blind"
    STRICT = "contract_strength.strict"


_MEANING = {
    Weakness.BLIND: "The contract accepts a change that breaks a reader.",
    Weakness.STRICT: "The contract rejects a change that every reader accepts.",
}

_NEXT = {
    Weakness.BLIND: "Demand more in the contract: the exact value, a pattern, or one element of the list "
    "(array_containing, or each_like with min=1). Do not make the client accept more.",
    Weakness.STRICT: "If the provider documents the change as possible, accept it in the contract. "
    "If not, add it with the reason to `strict`.",
}


@dataclass(frozen=True, slots=True)
class StrengthFinding:
    """The changes of one place by one operator that show the same weakness.

    Args:
        weakness: Blind or strict.
        place: The changed place.
        operator: The operator.
        changes: Each change in words.
        readers: For a blind finding, the readers that behaved differently, each with what it did.
        contract: For a strict finding, the contract's message about the first change.
        reason: Why the finding is accepted, if an exception names it.
    """

    weakness: Weakness
    place: str
    operator: ChangeOperator
    changes: tuple[str, ...]
    readers: tuple[str, ...] = ()
    contract: str = ""
    reason: str | None = None

    @property
    def name(self) -> str:
        """The place and the operator, by which an exception names the finding."""
        return f"{self.place} {self.operator}"

    def __str__(self) -> str:
        """Describe the finding in several lines."""
        shown, left = self.changes[:_SHOWN], len(self.changes) - _SHOWN
        lines = [("change" if number == 0 else "also", change) for number, change in enumerate(shown)]
        lines += [("also", f"{left} more changes of this kind")] if left > 0 else []
        lines += [("reader", reader) for reader in self.readers]
        lines += [("contract", self.contract)] if self.contract else []
        lines.append(("exception", self.reason) if self.reason else ("next step", _NEXT[self.weakness]))
        return "\n".join(
            [f"{self.weakness}: {self.name}: {_MEANING[self.weakness]}", *(f"  {key}: {text}" for key, text in lines)]
        )


class WeakContract(AssertionError):
    """A contract accepts a change that breaks a reader; the message contains every finding."""


@dataclass(frozen=True, slots=True)
class StrengthProof:
    """What was tried on one interaction, and what was found.

    Args:
        interaction: Its description.
        readers: The names of the readers.
        findings: All findings, including those with an exception.
        tried: How many changes were tried, how many the contract rejects, and how many break a reader.
        unused: Exceptions that match no finding.
        breaking: The changes that break a reader and are rejected: place, operator, and for some operators
            the new value.
        reviewed: The patterns of ``StrengthClaim.reviewed`` that matched a finding.
    """

    interaction: str
    readers: tuple[str, ...] = ()
    findings: tuple[StrengthFinding, ...] = ()
    tried: Mapping[str, int] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    reviewed: frozenset[str] = frozenset()
    breaking: tuple[tuple[str, ChangeOperator, Any], ...] = ()

    @property
    def blind(self) -> tuple[StrengthFinding, ...]:
        """The blind findings without an exception."""
        return self._without_reason(Weakness.BLIND)

    @property
    def strict(self) -> tuple[StrengthFinding, ...]:
        """The strict findings that are not reviewed yet."""
        return self._without_reason(Weakness.STRICT)

    @property
    def passed(self) -> bool:
        """Whether every blind finding has an exception, and every exception matches a finding."""
        return not self.blind and not self.unused

    def require(self) -> None:
        """Raise an error if the contract is weak.

        Raises:
            WeakContract: It is blind to a change, or an exception matches no finding.
        """
        if not self.passed:
            raise WeakContract(str(self))

    def _without_reason(self, weakness: Weakness) -> tuple[StrengthFinding, ...]:
        return tuple(finding for finding in self.findings if finding.weakness is weakness and finding.reason is None)

    def __str__(self) -> str:
        """Describe the proof: one line, then each finding without an exception, blind findings first."""
        tried = ", ".join(f"{count} {what}" for what, count in self.tried.items())
        verdict = "is strong" if self.passed else "is weak"
        lines = [f"{self.interaction}: the contract {verdict} ({tried})"]
        excepted = [finding for finding in self.findings if finding.reason is not None]
        lines += [f"  exception: {finding.weakness} {finding.name}: {finding.reason}" for finding in excepted]
        lines += [f"  unused exception, remove it: {pattern}" for pattern in self.unused]
        return "\n\n".join(["\n".join(lines), *map(str, (*self.blind, *self.strict))])

    def record(self) -> dict[str, Any]:
        """Return the proof as JSON."""
        return {
            "interaction": self.interaction,
            "readers": list(self.readers),
            "tried": dict(self.tried),
            "breaking": [[place, operator.value, value] for place, operator, value in self.breaking],
            "findings": [
                {
                    "weakness": finding.weakness.value,
                    "place": finding.place,
                    "operator": finding.operator.value,
                    "changes": list(finding.changes),
                    "readers": list(finding.readers),
                    "contract": finding.contract,
                    "reason": finding.reason,
                }
                for finding in self.findings
            ],
        }
