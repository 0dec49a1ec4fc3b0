"""Prove that a client fails closed: with answers that its contract allows, and many that it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mfagate.contract import Contract, Interaction
from mfagate.core import strict_json
from mfagate.fail_closed import login_binding
from mfagate.fail_closed.answer import Ending, ProviderAnswer
from mfagate.fail_closed.call_runner import CallOutcome, CallRunner
from mfagate.fail_closed.interactions import CannotProve, loaded, named, neighbours
from mfagate.fail_closed.loopback import LoopbackUrl, Script, ScriptedAnswer, Servers, serving
from mfagate.fail_closed.mutations import (
    Mutation,
    MutationKind,
    mutations,
    of_impostors,
    of_others,
    random_mutations,
    waits,
)
from mfagate.fail_closed.places import BodyPlace, places, restored
from mfagate.fail_closed.result import Counterexample, Proof, Violation
from mfagate.providers.second_factor import Decision, SecondFactorError

Call = Callable[[LoopbackUrl], Decision | bool]
"""Verifies one login at the provider at an endpoint, with the client under test."""

Expected = Decision | bool | type[Exception]


@dataclass(frozen=True, kw_only=True)
class FailClosedClaim:
    """A claim about a client.

    Args:
        contract: The pact file, or a contract that was loaded.
        interaction: The description of the interaction whose answer is mutated.
        expect: What the call returns or raises for the example; several values if the contract
            leaves it open. True means ALLOW; False means DENY or PENDING.
        allows: Other interactions whose answers may let the user in: a mutated refusal may become
            the answer of one of them.
        given: Interactions that are answered before, with their examples, in this order and
            once per call, such as a request for an access token.
        bound: Places of the answer that name the login, such as ``$.to``, with their values for
            another login; without values, some are made up. Places that repeat a value of the
            request are found automatically. Conforming answers keep their values there.
        unread: Places of the answer that the client does not read, such as ``$.message``. Their
            values are ignored, and the proof reports it.
        another: The same call for another user and transaction.
        secrets: Texts that no error and no log may contain.
        errors: What the client may raise instead of a decision.
        tolerate: Kinds of mutation to skip. The proof reports them.
        deadline_seconds: The time within which each call must end. Give the client less.
        examples: How many answers to generate, inside the contract and outside it.
        explore: Generate different answers in each run.
        tls: Serve over TLS: see :class:`~mfagate.fail_closed.LoopbackUrl`.
    """

    contract: Contract | Path | str
    interaction: str
    expect: Expected | tuple[Expected, ...] = Decision.ALLOW
    allows: Sequence[str] = ()
    given: Sequence[str] = ()
    bound: Mapping[str, Collection[Any]] = field(default_factory=dict)
    unread: Collection[str] = ()
    another: Call | None = None
    secrets: Sequence[str] = ()
    errors: type[Exception] | tuple[type[Exception], ...] = SecondFactorError
    tolerate: Collection[MutationKind | str] = ()
    deadline_seconds: float = 5.0
    examples: int = 100
    explore: bool = False
    tls: bool = False


def prove(call: Call, **claim: Any) -> Proof:
    """Prove that a client fails closed; the keywords are those of :class:`FailClosedClaim`.

    Raises:
        CannotProve: The contract has no such interaction, or the call does not handle its
            example as expected, so that other answers would prove nothing.
        ContractError: The contract cannot be read.
    """
    wanted = FailClosedClaim(**claim)
    contract = loaded(wanted.contract)
    good = ProviderAnswer.example(named(contract, wanted.interaction))
    script = Script([ScriptedAnswer.of(named(contract, name)) for name in wanted.given], good)
    with serving(script, tls=wanted.tls) as servers:
        return _ClientProver(call, wanted, contract, script, servers).prove()


class _ClientProver:
    def __init__(
        self, call: Call, claim: FailClosedClaim, contract: Contract, script: Script, servers: Servers
    ) -> None:
        self._call, self._claim, self._script, self._servers = call, claim, script, servers
        self._interaction = named(contract, claim.interaction)
        self._example = ProviderAnswer.example(self._interaction)
        self._expected = claim.expect if isinstance(claim.expect, tuple) else (claim.expect,)
        self._lets_in = any(expected in (True, Decision.ALLOW) for expected in self._expected)
        letting = [self._interaction] if self._lets_in else []
        letting += [named(contract, name) for name in claim.allows]
        self._letting = [(interaction, _unread(interaction, claim.unread)) for interaction in letting]
        self._others = [other for other in contract.interactions if other is not self._interaction]
        self._neighbours = neighbours(contract, self._interaction)
        self._differing: dict[str, bool] = {}
        self._vocabulary = sorted(_texts(contract.interactions))
        self._tolerated = frozenset(map(MutationKind, claim.tolerate))
        self._bound = dict.fromkeys(login_binding.bound(self._interaction), ()) | dict(claim.bound)
        self._runner = CallRunner(claim.deadline_seconds, claim.secrets)
        self._found: dict[tuple[Violation, MutationKind], Counterexample] = {}
        self._tried: Counter[str] = Counter()
        self._unprovable: list[str] = []
        self._unasked: CallOutcome | None = None

    def prove(self) -> Proof:
        """Run all parts of the proof."""
        with self._runner.logs():
            self._require_example()
            self._inside()
            self._outside()
            if self._lets_in:
                self._other_logins()
            self._try_all("waits", self._untolerated(waits(self._example)))
        if self._unasked is not None and not self._found:
            raise CannotProve(
                f"interaction {self._claim.interaction!r}: after other answers, the call {self._unasked} without a "
                "request to the server: create a new client in each call, without state from earlier calls"
            )
        ranks = {violation: rank for rank, violation in enumerate(Violation)}
        found = sorted(self._found.values(), key=lambda example: (ranks[example.violation], _size(example.answer)))
        return Proof(
            self._claim.interaction,
            tuple(found),
            dict(self._tried),
            tuple(sorted(self._bound)),
            tuple(self._unprovable),
            tuple(sorted(self._claim.unread)),
            tuple(sorted(self._tolerated)),
        )

    def _require_example(self) -> None:
        known = {place.path for _, unread in self._letting for place in unread}
        for path in set(self._claim.unread) - known if self._letting else ():
            raise CannotProve(f"no example of {self._claim.interaction!r}, or of what it allows, has a place {path}")
        self._require_distinct_refusals()
        outcome = self._ask(self._example)
        about = f"interaction {self._claim.interaction!r}: "
        if not self._script.served:
            raise CannotProve(f"{about}the call {outcome} without a request to the server at the given endpoint")
        if not self._is_expected(outcome):
            wanted = " or ".join(map(str, self._expected))
            raise CannotProve(f"{about}for the contract's own example, the call must give {wanted}; it {outcome}")

    def _require_distinct_refusals(self) -> None:
        """Require that no refusal equals an answer that lets the user in, if unread places are ignored."""
        for other in (self._interaction, *self._neighbours):
            example = ProviderAnswer.example(other)
            if self._may_let_in(example) and not any(example.conforms_to(known) for known, _ in self._letting):
                raise CannotProve(
                    f"the answer of {other.description!r} differs only in unread places from an answer that lets the "
                    "user in: add it to `allows` if it lets the user in, too"
                )

    def _place(self, path: str) -> BodyPlace:
        try:
            return next(place for place in places(self._example.document()) if place.path == path)
        except (StopIteration, ValueError):
            raise CannotProve(f"the example of {self._claim.interaction!r} has no place {path}") from None

    @property
    def _hangs(self) -> bool:
        return any(violation is Violation.HANG for violation, _ in self._found)

    # A violation is recorded once for each kind of mutation, with the smallest answer that showed it.

    def _inside(self) -> None:
        from mfagate.fail_closed import conforming

        answers = conforming.answers(self._interaction, self._bound)
        self._generate(answers, self._judge_inside)
        if not self._tried["inside"]:
            self._unprovable.append(
                "another interaction with the same request allows the same answers, and the client decides "
                "differently there: no answers that this interaction allows were tried"
            )

    def _outside(self) -> None:
        single = [*mutations(self._example, self._vocabulary)]
        single += of_impostors(self._example) if self._claim.tls else []
        single += of_others(self._others) if self._lets_in else []
        self._try_all("outside", self._untolerated(single))
        if not self._found:
            several = random_mutations(self._example, self._vocabulary, self._tolerated)
            self._generate(several, self._judge)

    def _untolerated(self, changed: Iterable[Mutation]) -> Iterator[Mutation]:
        return (mutation for mutation in changed if mutation.kind not in self._tolerated)

    def _other_logins(self) -> None:
        for path, values in self._bound.items():
            changed = [*login_binding.foreign(self._example, self._place(path), values)]
            if not changed:
                raise CannotProve(f"no values similar to that of {path} can be made up: give some of another login")
            self._try_all("other logins", changed, Violation.OTHER_LOGIN)
        if not self._bound:
            self._unprovable.append(
                "the answer repeats no value of the request, neither user nor transaction: only the connection shows "
                "that it belongs to this login, and is not the repeated answer of an earlier one"
            )
        if self._claim.another is not None:
            self._judge_another(self._claim.another)

    def _judge_another(self, call: Call) -> None:
        outcome = self._ask(self._example, "other logins", call)
        swapped = Mutation(MutationKind.FIELD, "the answer to one login, served to another", self._example)
        if _lets_in(outcome):
            if self._bound:
                self._record(Violation.OTHER_LOGIN, swapped, outcome)
        elif outcome.ended and isinstance(outcome.raised, ValueError) and not self._script.served:
            pass  # refused before a request was sent
        elif violation := self._common(outcome):
            self._record(violation, swapped, outcome)

    def _try_all(self, what: str, changed: Iterable[Mutation], violation: Violation = Violation.LET_IN) -> None:
        for mutation in changed:
            if self._hangs:
                return
            self._judge(mutation, what, violation)

    def _generate(self, strategy: Any, judge: Callable[[Any], Violation | None]) -> None:
        """Let Hypothesis generate answers, and shrink those that violate the claim."""
        from hypothesis import HealthCheck, Phase, given, settings
        from hypothesis.errors import Flaky

        if strategy.is_empty:
            return

        @settings(
            max_examples=self._claim.examples,
            derandomize=not self._claim.explore,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            print_blob=False,
        )
        @given(strategy)
        def search(value: Any) -> None:
            # A hang takes the whole deadline, so it is not shrunk.
            if self._hangs:
                return
            if judge(value) is not None:
                raise _Found

        try:
            search()
        except (_Found, Flaky):
            return

    def _judge_inside(self, answer: ProviderAnswer) -> Violation | None:
        if any(answer.conforms_to(other) and self._differs(other) for other in self._neighbours):
            return None  # the answer has two meanings in the contract
        outcome = self._ask(answer, "inside")
        violation = None if self._is_expected(outcome) else self._common(outcome) or Violation.NOT_UNDERSTOOD
        if violation is None and outcome.leaked_in:
            violation = Violation.LEAK
        if violation is not None:
            unchanged = Mutation(MutationKind.BODY, "none: the contract allows this answer", answer)
            self._record(violation, unchanged, outcome)
        return violation

    def _differs(self, neighbour: Interaction) -> bool:
        """Return whether the client decides differently for the example of another interaction."""
        name = neighbour.description
        if name not in self._differing:
            self._differing[name] = not self._is_expected(self._ask(ProviderAnswer.example(neighbour)))
        return self._differing[name]

    def _judge(
        self, mutation: Mutation, what: str = "outside", let_in: Violation = Violation.LET_IN
    ) -> Violation | None:
        if let_in is Violation.LET_IN and self._may_let_in(mutation.answer):
            return None
        outcome = self._ask(mutation.answer, what)
        violation = let_in if _lets_in(outcome) else self._common(outcome)
        if violation is not None:
            self._record(violation, mutation, outcome)
        return violation

    def _may_let_in(self, answer: ProviderAnswer) -> bool:
        return any(self._as_read(answer, unread).conforms_to(known) for known, unread in self._letting)

    def _as_read(self, answer: ProviderAnswer, unread: Sequence[BodyPlace]) -> ProviderAnswer:
        """Return the answer with the example's values in the places that the client does not read."""
        if not unread:
            return answer
        try:
            document = strict_json.loads(answer.body)
        except ValueError:
            return answer
        for place in unread:
            document = restored(document, place)
        return answer.with_document(document)

    def _common(self, outcome: CallOutcome) -> Violation | None:
        """Return the violation that does not depend on the answer, or None."""
        if not outcome.ended:
            return Violation.HANG
        if outcome.leaked_in:
            return Violation.LEAK
        if outcome.raised is not None:
            return None if isinstance(outcome.raised, self._claim.errors) else Violation.UNTYPED_ERROR
        return None if isinstance(outcome.returned, Decision | bool) else Violation.NO_DECISION

    def _is_expected(self, outcome: CallOutcome) -> bool:
        if not outcome.ended:
            return False
        return any(_is(outcome, expected) for expected in self._expected)

    def _ask(self, answer: ProviderAnswer, what: str | None = None, call: Call | None = None) -> CallOutcome:
        if what is not None:
            self._tried[what] += 1
        self._script.begin(answer)
        chosen = call or self._call
        outcome = self._runner.run(lambda: chosen(self._servers.of(answer)), self._script.release)
        if chosen is self._call and outcome.ended and not self._script.served and not self._servers.are_others(answer):
            self._unasked = outcome
        return outcome

    def _record(self, violation: Violation, mutation: Mutation, outcome: CallOutcome) -> None:
        before = self._found.get((violation, mutation.kind))
        if before is not None and _size(before.answer) <= _size(mutation.answer):
            return
        summary = str(outcome) + (f"; the secret is in {outcome.leaked_in}" if outcome.leaked_in else "")
        contract = self._verdict_on(mutation.answer)
        found = Counterexample(violation, mutation.kind, mutation.words, contract, mutation.answer, summary)
        self._found[violation, mutation.kind] = found

    def _verdict_on(self, answer: ProviderAnswer) -> str:
        if answer.ending is not Ending.WHOLE:
            return f"allows no answer that {answer.ending}"
        mismatches = self._interaction.match(answer.response)
        return mismatches[0].message if mismatches else "allows this answer"


class _Found(Exception):
    """A counterexample was recorded."""


def _size(answer: ProviderAnswer) -> int:
    return len(answer.body)


def _lets_in(outcome: CallOutcome) -> bool:
    return outcome.ended and outcome.raised is None and outcome.returned in (True, Decision.ALLOW)


def _is(outcome: CallOutcome, expected: Expected) -> bool:
    if isinstance(expected, type):
        return isinstance(outcome.raised, expected)
    if outcome.raised is not None or not isinstance(outcome.returned, Decision | bool):
        return False
    if isinstance(expected, bool) or isinstance(outcome.returned, bool):
        return _lets_in(outcome) is (expected in (True, Decision.ALLOW))
    return outcome.returned is expected


def _unread(interaction: Interaction, paths: Collection[str]) -> list[BodyPlace]:
    try:
        document = ProviderAnswer.example(interaction).document()
    except ValueError:
        return []
    return [place for place in places(document) if place.path in paths]


def _texts(interactions: Iterable[Interaction]) -> set[str]:
    """Return every string of every example answer: the words that this provider uses."""
    found = set()
    for interaction in interactions:
        try:
            document = ProviderAnswer.example(interaction).document()
        except ValueError:
            continue
        found |= {place.value for place in places(document) if isinstance(place.value, str)}
    return {text for text in found if len(text) <= 40}
