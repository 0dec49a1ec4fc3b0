"""Prove a contract: pass every change of an answer to the contract and to every reader of that answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mfagate.contract import Contract, Mismatch
from mfagate.contract_strength.behaviour import Behaviour
from mfagate.contract_strength.operators import AnswerChange, ChangeOperator, changes
from mfagate.contract_strength.result import StrengthFinding, StrengthProof, Weakness
from mfagate.core.exchange import Response
from mfagate.fail_closed.answer import ProviderAnswer
from mfagate.fail_closed.call_runner import CallOutcome, CallRunner
from mfagate.fail_closed.interactions import CannotProve, loaded, named, neighbours
from mfagate.fail_closed.loopback import LoopbackUrl, Script, ScriptedAnswer, Servers, serving

Call = Callable[[LoopbackUrl], Any]
"""A function that calls the provider at an endpoint with the client, and returns the client's result."""

Judge = Callable[[Response], Any]
"""A function that reads an answer without a network, and returns its result: a probe, or a provider state."""

Prove = Callable[..., StrengthProof]
"""The type of the fixture ``contract_strength``."""

CLIENT = "client"


class _Anything:
    def __repr__(self) -> str:
        return "anything"


ANYTHING = _Anything()


@dataclass(frozen=True, kw_only=True)
class StrengthClaim:
    """What to prove about an interaction.

    Args:
        contract: The pact file, or a loaded contract.
        interaction: The description of the interaction whose answer is changed.
        expect: What the call returns for the example, or the type of the error that it raises.
        further: Other calls that read the same answer, by name.
        judges: Readers that need no network, by name.
        given: Interactions that the client sends first, such as the request for an access token. Each call gets their
            example answers once, in this order.
        blind: Accepted blind findings: a pattern of ``PLACE OPERATOR`` and the reason. ``*`` matches any text.
        strict: Reviewed strict findings, in the same form.
        reviewed: Reviewed strict findings of several interactions: patterns of ``INTERACTION: PLACE OPERATOR`` and the
            reasons. A pattern may match nothing here.
        deadline_seconds: The time limit for each call.
        tls: Serve over TLS: see :class:`~mfagate.fail_closed.Endpoint`.
    """

    contract: Contract | Path | str
    interaction: str
    expect: Any = ANYTHING
    further: Mapping[str, Call] = field(default_factory=dict)
    judges: Mapping[str, Judge] = field(default_factory=dict)
    given: Sequence[str] = ()
    blind: Mapping[str, str] = field(default_factory=dict)
    strict: Mapping[str, str] = field(default_factory=dict)
    reviewed: Mapping[str, str] = field(default_factory=dict)
    deadline_seconds: float = 10.0
    tls: bool = False


def prove(call: Call | None, **claim: Any) -> StrengthProof:
    """Prove how strong a contract is; the keywords are those of :class:`StrengthClaim`.

    Args:
        call: Calls the provider at an endpoint with the client, and returns the client's result; None if only
            ``judges`` read the answer.
        claim: See :class:`StrengthClaim`.

    Raises:
        CannotProve: The contract has no such interaction, nothing reads its answer, or a reader does not behave as
            expected with the example.
        ContractError: The contract cannot be read.
    """
    wanted = StrengthClaim(**claim)
    contract = loaded(wanted.contract)
    calls = ({CLIENT: call} if call is not None else {}) | dict(wanted.further)
    if not calls and not wanted.judges:
        raise CannotProve(f"nothing reads the answer of {wanted.interaction!r}")
    script = Script([ScriptedAnswer.of(named(contract, name)) for name in wanted.given])
    with serving(script, tls=wanted.tls) as servers:
        return _StrengthProver(calls, wanted, contract, script, servers).prove()


class _StrengthProver:
    def __init__(
        self, calls: Mapping[str, Call], claim: StrengthClaim, contract: Contract, script: Script, servers: Servers
    ) -> None:
        self._calls, self._claim, self._script, self._servers = calls, claim, script, servers
        self._interaction = named(contract, claim.interaction)
        self._neighbours = neighbours(contract, self._interaction)
        self._example = ProviderAnswer.example(self._interaction)
        self._runner = CallRunner(claim.deadline_seconds, ())
        self._usual: dict[str, Behaviour] = {}
        self._breaking: dict[tuple[str, ChangeOperator, bool], Any] = {}
        self._volatile: dict[str, frozenset[str]] = {}

    def prove(self) -> StrengthProof:
        found: dict[tuple[Weakness, str, ChangeOperator], StrengthFinding] = {}
        tried: Counter[str] = Counter({"changes": 0, "rejected": 0, "break a reader": 0})
        with self._runner.logs():
            self._learn()
            for change in changes(self._interaction, self._neighbours):
                mismatches = self._mismatches(change.answer)
                broken = self._broken(change)
                if broken and mismatches:
                    self._note(change)
                tried += Counter({"changes": 1, "rejected": bool(mismatches), "break a reader": bool(broken)})
                if bool(broken) is bool(mismatches):
                    continue
                weakness = Weakness.BLIND if broken else Weakness.STRICT
                key = (weakness, change.place, change.operator)
                message = "" if broken else mismatches[0].message
                new = StrengthFinding(*key, (change.words,), tuple(broken), message)
                found[key] = _merged(found[key], new) if key in found else new
        return self._reviewed([*found.values()], tried)

    def _reviewed(self, found: Sequence[StrengthFinding], tried: Mapping[str, int]) -> StrengthProof:
        """Return the proof, with the reasons of exceptions added to the findings."""
        claim = self._claim
        exceptions = {Weakness.BLIND: claim.blind, Weakness.STRICT: claim.strict}
        used: set[tuple[Weakness, str]] = set()
        reviewed: set[str] = set()
        findings = []
        for finding in found:
            own, shared = exceptions[finding.weakness], f"{claim.interaction}: {finding.name}"
            reason = None
            if (pattern := _matching(own, finding.name)) is not None:
                reason = own[pattern]
                used.add((finding.weakness, pattern))
            elif finding.weakness is Weakness.STRICT and (pattern := _matching(claim.reviewed, shared)) is not None:
                reason = claim.reviewed[pattern]
                reviewed.add(pattern)
            findings.append(replace(finding, reason=reason))
        stated = [(weakness, pattern) for weakness, patterns in exceptions.items() for pattern in patterns]
        unused = [
            f"{weakness.name.lower()} {pattern}" for weakness, pattern in stated if (weakness, pattern) not in used
        ]
        return StrengthProof(
            claim.interaction,
            (*self._calls, *claim.judges),
            tuple(findings),
            dict(tried),
            tuple(unused),
            frozenset(reviewed),
            self._breaking_changes,
        )

    @property
    def _breaking_changes(self) -> tuple[tuple[str, ChangeOperator, Any], ...]:
        return tuple((place, operator, value) for (place, operator, _), value in self._breaking.items())

    def _note(self, change: AnswerChange) -> None:
        """Record the first breaking change of each place and operator.

        Lists that keep their elements and lists that lose them are recorded separately.
        """
        mixed = change.operator is ChangeOperator.OTHER_KIND and len(change.after) > 1
        with_value = change.operator in (ChangeOperator.OTHER_VALUE, ChangeOperator.OTHER_KIND)
        self._breaking.setdefault((change.place, change.operator, mixed), change.after if with_value else None)

    def _learn(self) -> None:
        """Learn what each reader does with the example, and which parts of that differ in every call."""
        about = f"interaction {self._claim.interaction!r}: "
        if self._mismatches(self._example):
            raise CannotProve(f"{about}the contract does not accept its own example")
        for name in (*self._calls, *self._claim.judges):
            outcome, usual = self._read(name, self._example)
            if name in self._calls and not self._script.served:
                raise CannotProve(f"{about}{name} {outcome} without a request to the server at the given endpoint")
            if name == CLIENT and not _is_expected(outcome, self._claim.expect):
                wanted = self._claim.expect
                raise CannotProve(f"{about}for the contract's own example the call must give {wanted!r}; it {outcome}")
            self._usual[name] = usual
            self._volatile[name] = usual.volatile(self._read(name, self._example)[1])

    def _mismatches(self, answer: ProviderAnswer) -> list[Mismatch]:
        """Match an answer as the gate does, with the example's values in place of those of the state."""
        return self._interaction.match(answer.response, values=self._interaction.example_values())

    def _broken(self, change: AnswerChange) -> list[str]:
        """Return the readers that behave differently, each with what it does."""
        broken = []
        for name, usual in self._usual.items():
            now = self._read(name, change.answer)[1]
            if not usual.is_same(now, change, self._volatile[name]):
                broken.append(f"{name}: {usual.words}, and with the change {now.words}")
        return broken

    def _read(self, name: str, answer: ProviderAnswer) -> tuple[CallOutcome, Behaviour]:
        if name in self._calls:
            self._script.begin(answer)
            call, endpoint = self._calls[name], self._servers.endpoint
            outcome = self._runner.run(lambda: call(endpoint), self._script.release)
            return outcome, Behaviour.of(outcome, self._script.asked)
        outcome = _read_by(self._claim.judges[name], answer.response)
        return outcome, Behaviour.of(outcome, [])


def _read_by(judge: Judge, response: Response) -> CallOutcome:
    try:
        return CallOutcome(returned=judge(response))
    except Exception as error:  # noqa: BLE001 - the proof compares the type of the error
        return CallOutcome(raised=error)


def _is_expected(outcome: CallOutcome, expected: Any) -> bool:
    if not outcome.ended:
        return False
    if isinstance(expected, _Anything):
        return True
    if isinstance(expected, type) and issubclass(expected, BaseException):
        return isinstance(outcome.raised, expected)
    return outcome.raised is None and bool(outcome.returned == expected)


def _merged(first: StrengthFinding, more: StrengthFinding) -> StrengthFinding:
    return replace(
        first, changes=(*first.changes, *more.changes), readers=tuple(dict.fromkeys((*first.readers, *more.readers)))
    )


def _matching(patterns: Mapping[str, str], name: str) -> str | None:
    return next((pattern for pattern in patterns if names(pattern, name)), None)


def names(pattern: str, name: str) -> bool:
    """Return whether the pattern of an exception matches the name of a finding; ``*`` matches any text."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None
