"""The fixtures of contract tests.

``pact`` writes the pact of consumer tests, ``fail_closed`` proves that a client fails closed, and
``contract_strength`` proves that a contract rejects what breaks its readers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mfagate import contract_strength as strength
    from mfagate.contract import Contract, Interaction
    from mfagate.contract.consumer import ConsumerPact
    from mfagate.fail_closed import Proof

CONSUMER = "auth-service"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options of the fixtures."""
    group = parser.getgroup("mfagate")
    group.addoption(
        "--mfagate-update-pacts",
        action="store_true",
        help="Let consumer tests replace the committed pacts instead of comparing with them.",
    )
    group.addoption(
        "--mfagate-explore",
        action="store_true",
        help="Let fail-closed proofs try ten times as many answers, and others in each run.",
    )
    group.addoption(
        "--mfagate-strength-report",
        metavar="PATH",
        help="Append each proof of a contract's strength to PATH, one JSON object per line.",
    )


@pytest.fixture(scope="module")
def pact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsumerPact]:
    """Write the pact of the consumer tests of a module, and compare it with the committed pact.

    The module names its ``PROVIDER``, and its ``CONSUMER`` if that is not ``auth-service``. The committed pact is
    beside the module. The fixture compares them only if all tests of the module ran, because a selection writes
    only a part.
    """
    from mfagate.contract.consumer import ConsumerPact, ContractTestFailed, compare

    module = request.module
    writer = ConsumerPact(getattr(module, "CONSUMER", CONSUMER), module.PROVIDER, tmp_path_factory.mktemp("pact"))
    failed_before = request.session.testsfailed
    yield writer
    committed = request.path.parent / writer.file.name
    if request.session.testsfailed > failed_before or not _all_ran(request):
        return
    _require_used(request)
    if request.config.getoption("--mfagate-update-pacts"):
        committed.write_bytes(writer.file.read_bytes())
    elif difference := compare(writer.file, committed):
        raise ContractTestFailed(
            f"{difference}\nIf this is intended: pytest {_shown(request.path)} --mfagate-update-pacts"
        )


@pytest.fixture
def fail_closed(request: pytest.FixtureRequest) -> Callable[..., Proof]:
    """Prove that a client fails closed, as :func:`mfagate.fail_closed.prove` does, and fail the test if it does not.

    The path of a contract is relative to pytest's root folder. The proof is shown with ``-rP``.
    """

    def prove(call: Any, **claim: Any) -> Proof:
        from mfagate.fail_closed import FailClosedClaim
        from mfagate.fail_closed import prove as prove_it

        if isinstance(claim.get("contract"), str | Path):
            claim["contract"] = request.config.rootpath / claim["contract"]
        if request.config.getoption("--mfagate-explore"):
            claim |= {"explore": True, "examples": 10 * claim.get("examples", FailClosedClaim.examples)}
        proof = prove_it(call, **claim)
        if not proof.passed:
            pytest.fail(str(proof), pytrace=False)
        request.node.add_report_section("call", "fail closed", str(proof))
        return proof

    return prove


@pytest.fixture
def contract_strength(request: pytest.FixtureRequest) -> Callable[..., strength.StrengthProof]:
    """Prove how strong a contract is, as :func:`mfagate.contract_strength.prove` does, and fail the test if it is weak.

    In a consumer test, leave ``contract`` and ``interaction`` out: the interaction that was described last is
    served to the call by Pact's mock server, which writes it to the pact, and is proved then. Otherwise ``contract``
    is a path relative to pytest's root folder. The module's ``STRICT`` has the strict findings that were reviewed.
    The proof is shown with ``-rP``.
    """

    def prove(call: Any, **claim: Any) -> strength.StrengthProof:
        from mfagate.contract_strength import prove as prove_it

        if "contract" not in claim:
            found = _written(request, call, claim.get("expect", _NOTHING))
            claim |= found | {"judges": {**found["judges"], **claim.get("judges", {})}}
        elif isinstance(claim["contract"], str | Path):
            claim["contract"] = request.config.rootpath / claim["contract"]
        claim.setdefault("reviewed", getattr(request.module, "STRICT", {}))
        proof = prove_it(call, **claim)
        used = request.config.stash.setdefault(_REVIEWED, set())
        used |= {(request.path, pattern) for pattern in proof.reviewed}
        _report_strength(request, proof)
        if not proof.passed:
            pytest.fail(str(proof), pytrace=False)
        request.node.add_report_section("call", "contract strength", str(proof))
        return proof

    return prove


_NOTHING = object()


def _written(request: pytest.FixtureRequest, call: Any, expect: Any) -> dict[str, Any]:
    """Serve the interaction that a consumer test described to its client, and find it in the pact."""
    from contextlib import suppress

    from mfagate.fail_closed import LoopbackUrl

    if "pact" not in request.fixturenames:
        raise pytest.UsageError("contract_strength: name a contract and an interaction, or use the fixture pact")
    writer: ConsumerPact = request.getfixturevalue("pact")
    raised = (expect,) if isinstance(expect, type) and issubclass(expect, Exception) else ()
    with writer.serve() as url, suppress(*raised):
        call(LoopbackUrl(url))
    contract = _contract(request, writer)
    (interaction,) = (known for known in contract.interactions if known.description == writer.description)
    return {"contract": contract, "interaction": writer.description, "judges": _judges(request, interaction)}


def _judges(request: pytest.FixtureRequest, interaction: Interaction) -> Mapping[str, strength.Judge]:
    """Return the readers of the module's provider, if mfagate has it; with ``SETTINGS``, its probes as well."""
    from mfagate.config.settings import ProviderSettings
    from mfagate.providers import registry
    from mfagate.providers.readers import judges

    if request.module.PROVIDER not in registry.names():
        return {}
    settings = getattr(request.module, "SETTINGS", None)
    provider = registry.get(request.module.PROVIDER)
    return judges(provider, settings if isinstance(settings, ProviderSettings) else None, interaction)


def _require_used(request: pytest.FixtureRequest) -> None:
    """Require that each pattern of the module's ``STRICT`` names a finding; otherwise it would hide the next one."""
    from mfagate.contract.consumer import ContractTestFailed

    strict: Mapping[str, str] = getattr(request.module, "STRICT", {})
    used = request.config.stash.get(_REVIEWED, set())
    if unused := [pattern for pattern in strict if (request.path, pattern) not in used]:
        raise ContractTestFailed(f"STRICT names findings that do not exist, remove them: {', '.join(unused)}")


_REVIEWED = pytest.StashKey[set[tuple[Path, str]]]()
"""Which patterns of which module named a finding."""


def _contract(request: pytest.FixtureRequest, writer: ConsumerPact) -> Contract:
    """Return the pact that this run has written, completed with the interactions of the committed pact."""
    from dataclasses import replace

    from mfagate.contract import load

    written = load(writer.file)
    committed = request.path.parent / writer.file.name
    if not committed.exists():
        return written
    known = {interaction.description for interaction in written.interactions}
    rest = [interaction for interaction in load(committed).interactions if interaction.description not in known]
    return replace(written, interactions=(*written.interactions, *rest))


def _report_strength(request: pytest.FixtureRequest, proof: strength.StrengthProof) -> None:
    path = request.config.getoption("--mfagate-strength-report")
    if path is None:
        return
    import json

    about = {"provider": getattr(request.module, "PROVIDER", None), "test": request.node.nodeid}
    with (request.config.invocation_params.dir / path).open("a", encoding="utf-8") as report:
        report.write(json.dumps(about | proof.record()) + "\n")


def _all_ran(request: pytest.FixtureRequest) -> bool:
    option = request.config.option
    selected = bool(option.keyword or option.markexpr) or any("::" in argument for argument in request.config.args)
    return not selected


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
