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
        help="Let fail-closed proofs try ten times as many answers, with different ones in each run.",
    )
    group.addoption(
        "--mfagate-strength-report",
        metavar="PATH",
        help="Append each proof of a contract's strength to PATH, one JSON object per line.",
    )


@pytest.fixture(scope="module")
def pact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsumerPact]:
    """Write the pact of the consumer tests of a module, and compare it with the committed pact.

    The module defines ``PROVIDER``, and ``CONSUMER`` if it is not ``auth-service``. The committed pact is next to the
    module. The fixture compares the pacts only if all tests of the module ran, because a selection of tests writes
    only a part of the pact.
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

    The path of a contract is relative to pytest's root folder. The option ``-rP`` shows the proof.
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

    In a consumer test, omit ``contract`` and ``interaction``: Pact's mock server sends the interaction that was
    described last to the call and writes it to the pact, and then it is proved. In other tests, ``contract`` is a path
    relative to pytest's root folder. ``STRICT`` of the module lists the reviewed strict findings. The option ``-rP``
    shows the proof.
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
    """Serve the described interaction to the client of a consumer test, and find it in the pact."""
    from contextlib import suppress

    from mfagate.fail_closed import LoopbackUrl

    if "pact" not in request.fixturenames:
        raise pytest.UsageError("contract_strength: give a contract and an interaction, or use the fixture pact")
    writer: ConsumerPact = request.getfixturevalue("pact")
    raised = (expect,) if isinstance(expect, type) and issubclass(expect, Exception) else ()
    with writer.serve() as url, suppress(*raised):
        call(LoopbackUrl(url))
    contract = _contract(request, writer)
    (interaction,) = (known for known in contract.interactions if known.description == writer.description)
    return {"contract": contract, "interaction": writer.description, "judges": _judges(request, interaction)}


def _judges(request: pytest.FixtureRequest, interaction: Interaction) -> Mapping[str, strength.Judge]:
    """Return the readers of the module's provider, if it is installed; with ``SETTINGS``, also its probes."""
    from mfagate.config.settings import ProviderSettings
    from mfagate.providers import registry
    from mfagate.providers.readers import judges

    if request.module.PROVIDER not in registry.names():
        return {}
    settings = getattr(request.module, "SETTINGS", None)
    provider = registry.get(request.module.PROVIDER)
    return judges(provider, settings if isinstance(settings, ProviderSettings) else None, interaction)


def _require_used(request: pytest.FixtureRequest) -> None:
    """Require that each pattern of ``STRICT`` matches a finding, because an unused one could hide a new finding."""
    from mfagate.contract.consumer import ContractTestFailed

    strict: Mapping[str, str] = getattr(request.module, "STRICT", {})
    used = request.config.stash.get(_REVIEWED, set())
    if unused := [pattern for pattern in strict if (request.path, pattern) not in used]:
        raise ContractTestFailed(f"STRICT contains findings that do not exist; remove them: {', '.join(unused)}")


_REVIEWED = pytest.StashKey[set[tuple[Path, str]]]()
"""The patterns of each module that matched a finding."""


def _contract(request: pytest.FixtureRequest, writer: ConsumerPact) -> Contract:
    """Return the pact that this run wrote, with the other interactions of the committed pact."""
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
    return not (option.keyword or option.markexpr or any("::" in argument for argument in request.config.args))


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
