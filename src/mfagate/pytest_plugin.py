"""The pytest plugin: ``pytest --mfagate gate`` runs the gate's checks as test items.

Each rung of each integration is an item, and each interaction of a contract
one of its own, so that ``-k``, ``-m``, ``--junitxml`` and xdist work as for any
test. The module also offers the fixtures ``pact`` for consumer tests,
``fail_closed`` for the proof that a client fails closed, and ``contract_strength``
for the proof that a contract rejects what breaks its readers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mfagate.contract.consumer import ConsumerPact, ContractTestFailed, compare
from mfagate.core import check_ids
from mfagate.core.extras import missing, needs
from mfagate.core.foreign import harmless

if TYPE_CHECKING:
    from mfagate import contract_strength as strength
    from mfagate.config.model import Configuration, Integration
    from mfagate.contract import Contract, Interaction
    from mfagate.core.result import Check, IntegrationReport
    from mfagate.fail_closed import Proof

CONSUMER = "auth-service"

_PER_INTERACTION = (check_ids.CONTRACT_INTERACTION, check_ids.CASSETTE)
_OVERRIDDEN, _WAIVED = "mfagate overridden", "mfagate waived"
"""Properties of items that went through with a fault: for JUnit files, and for the end of pytest's own report."""

_REST = "verdict"
"""The item for checks that belong to no rung, such as a sandbox that did not start."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register every option in one group."""
    group = parser.getgroup("mfagate")
    group.addoption(
        "--mfagate",
        choices=["check", "gate"],
        metavar="STAGE",
        help="Run the checks of STAGE (check: offline, gate: live) as test items; alone, unless tests are named.",
    )
    group.addoption(
        "--mfagate-config", default="integrations.toml", metavar="PATH", help="The configuration file of --mfagate."
    )
    group.addoption(
        "--mfagate-override",
        metavar="REASON",
        help="Report red checks of --mfagate as expected failures, so that pytest ends with 0; the reason is shown.",
    )
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


def pytest_configure(config: pytest.Config) -> None:
    """Collect the configuration file, instead of the default folders where no tests are named."""
    config.addinivalue_line("markers", "mfagate: a check that --mfagate runs")
    _judge_override(config)
    if config.getoption("--mfagate") is None:
        return
    if missing("gate"):
        raise pytest.UsageError(needs("--mfagate", "gate"))
    path = str(_config_path(config))
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = [path]
    elif not any(
        (config.invocation_params.dir / argument.partition("::")[0]).resolve() == Path(path) for argument in config.args
    ):
        config.args = [*config.args, path]


def _judge_override(config: pytest.Config) -> None:
    override = config.getoption("--mfagate-override")
    if override is None:
        return
    from mfagate.app.override import says_why

    if config.getoption("--mfagate") is None:
        raise pytest.UsageError("--mfagate-override overrides nothing without --mfagate")
    if not says_why(override):
        raise pytest.UsageError("--mfagate-override: say why")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Items that passed with a fault would not be seen otherwise."""
    told = [
        f"{report.nodeid}: {text}"
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, text in report.user_properties
        if name in (_OVERRIDDEN, _WAIVED)
    ]
    if told:
        terminalreporter.section("mfagate: let through")
        for line in told:
            terminalreporter.write_line(line)


def _config_path(config: pytest.Config) -> Path:
    return (config.invocation_params.dir / str(config.getoption("--mfagate-config"))).resolve()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take the configuration file for a file of tests."""
    if parent.config.getoption("--mfagate") is None or file_path != _config_path(parent.config):
        return None
    return ConfigurationFile.from_parent(parent, path=file_path)


class ConfigurationFile(pytest.File):
    """``integrations.toml``: one collector an integration."""

    configuration: Configuration

    def collect(self) -> Iterator[pytest.Collector]:
        """Read the file; its errors are shown as they are, without a traceback."""
        from mfagate.config.load import ConfigError, load
        from mfagate.providers import registry

        try:
            self.configuration = load(self.path, registry.names())
        except ConfigError as error:
            raise self.CollectError("\n".join(harmless(str(problem)) for problem in error.problems)) from None
        try:
            integrations = self.configuration.select()
        except KeyError as error:
            raise self.CollectError(harmless(error.args[0])) from None
        self._reports: dict[str, IntegrationReport] = {}
        self.override: str | None = None
        for integration in integrations:
            yield IntegrationCollector.from_parent(self, name=integration.name, integration=integration)

    def report(self, integration: Integration) -> IntegrationReport:
        """The report on one integration; the first call runs the gate on all that are needed."""
        if integration.name not in self._reports:
            from mfagate.app import gate
            from mfagate.checks import Stage
            from mfagate.core.foreign import harmless_tree
            from mfagate.history.keeper import HistoryReader

            stage = Stage(self.config.getoption("--mfagate"))
            override = self.config.getoption("--mfagate-override")
            earlier = HistoryReader(self.configuration, offline=stage is Stage.CHECK)
            with earlier.key_in_use():
                made = gate.run(
                    self.configuration, self._needed(integration), stage, override=override, earlier=earlier
                )
            whole = harmless_tree(made)
            self.override = whole.run.override  # Redacted, unlike the option.
            self._reports |= {report.name: report for report in whole.integrations}
        return self._reports[integration.name]

    def _needed(self, integration: Integration) -> list[Integration]:
        """With xdist a worker runs what it was handed; alone, all selected integrations run at once."""
        if hasattr(self.config, "workerinput"):
            return [integration]
        items = [item for item in self.session.items if isinstance(item, CheckItem)]
        names = {item.integration.name for item in items if item.parent and item.parent.parent is self}
        return [one for one in self.configuration.integrations.values() if one.name in names]


class IntegrationCollector(pytest.Collector):
    """One integration: an item a rung, and one for each interaction."""

    def __init__(self, *, integration: Integration, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.integration = integration

    def collect(self) -> Iterator[pytest.Item]:
        """Plan the checks without running any."""
        from mfagate.checks import Stage, plan

        for rung in plan(Stage(self.config.getoption("--mfagate"))):
            for subject in self._interactions() if rung.id in _PER_INTERACTION else [None]:
                yield self._item(rung.id, subject)
        yield self._item(_REST, None)

    def _item(self, check_id: str, subject: str | None) -> CheckItem:
        name = f"{check_id}[{subject}]" if subject else check_id
        return CheckItem.from_parent(self, name=name, integration=self.integration, check_id=check_id, subject=subject)

    def _interactions(self) -> list[str | None]:
        from mfagate.contract import ContractError, load

        try:
            contract = load(self.integration.contract_path, provider=self.integration.provider)
        except ContractError:
            return [None]  # The rung that reads the contract says what is wrong with it.
        return [harmless(interaction.description) for interaction in contract.interactions]


class CheckFailed(Exception):
    """A check that is red; its text is all that is shown."""


class CheckItem(pytest.Item):
    """One rung, or one interaction, of one integration."""

    def __init__(self, *, integration: Integration, check_id: str, subject: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.integration, self.check_id, self.subject = integration, check_id, subject
        self.add_marker("mfagate")
        self.extra_keyword_matches.update((integration.provider, integration.environment.value))

    def runtest(self) -> None:
        """Look up what the gate found."""
        assert self.parent is not None
        file = self.parent.parent
        assert isinstance(file, ConfigurationFile)
        checks = self._mine(file.report(self.integration).checks)
        red = [check for check in checks if check.outcome.is_red]
        self._tell_beside(checks)
        if red:
            if file.override is not None:
                self._let_through(red, file.override)
            raise CheckFailed("\n\n".join(map(_text, red)))
        if checks and all(check.outcome.value == "skipped" for check in checks):
            pytest.skip(checks[0].message)
        if not checks and self.check_id != _REST:
            pytest.skip("not reached")

    def _tell_beside(self, checks: list[Check]) -> None:
        """What a person should read of items that pass."""
        from mfagate.report.words import kind

        for check in checks:
            if check.outcome.value in ("warn", "info"):
                self.add_report_section("call", f"mfagate {kind(check)}", _text(check))
            if check.waiver is not None:
                waiver = check.waiver
                text = f"waived until {waiver.until} by {waiver.owner}: {waiver.reason} ({check.cause})"
                self.user_properties.append((_WAIVED, text))

    def _let_through(self, red: list[Check], override: str) -> None:
        """An expected failure, unless pytest was told (``--runxfail``) to take none for expected."""
        for check in red:
            self.add_report_section("call", f"mfagate {check.outcome.value}", _text(check))
        causes = ", ".join(dict.fromkeys(str(check.cause) for check in red))
        self.user_properties.append((_OVERRIDDEN, f"{causes} overridden: {override}"))
        pytest.xfail(f"{causes} overridden: {override}")

    def _mine(self, checks: list[Check]) -> list[Check]:
        if self.check_id == _REST:
            planned = {item.check_id for item in self._siblings()}
            return [check for check in checks if check.id not in planned]
        mine = [check for check in checks if check.id == self.check_id]
        # A rung that stopped before the interactions has one check for all of them.
        return (
            [check for check in mine if check.subject == self.subject or check.subject is None]
            if self.subject
            else mine
        )

    def _siblings(self) -> list[CheckItem]:
        assert isinstance(self.parent, IntegrationCollector)
        return [item for item in self.parent.collect() if isinstance(item, CheckItem)]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The problem as the console report has it, and no traceback."""
        if isinstance(excinfo.value, CheckFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the integration stands in the configuration file."""
        location = self.integration.locate()
        line = location.line - 1 if location.line else None
        return location.file, line, f"{self.integration.name}: {self.name}"


def _text(check: Check) -> str:
    from mfagate.report.words import indented, kind, paragraphs

    lines = [f"{kind(check)}: {check.message}"]
    lines += [f"  {label}: {indented(text)}" for label, text in paragraphs(check)]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def pact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsumerPact]:
    """The pact that the consumer tests of a module write, compared with the committed one.

    The module names its ``PROVIDER``, and ``CONSUMER`` where it is not ``auth-service``.
    The committed pact stands beside the module. It is compared only when all
    tests of the module ran, because a selection writes a part.
    """
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
            f"{difference}\nIf that is meant: pytest {_shown(request.path)} --mfagate-update-pacts"
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
    (interaction,) = (each for each in contract.interactions if each.description == writer.description)
    return {"contract": contract, "interaction": writer.description, "judges": _judges(request, interaction)}


def _judges(request: pytest.FixtureRequest, interaction: Interaction) -> Mapping[str, strength.Judge]:
    """The readers of the module's provider, if it is one of mfagate's: with its ``SETTINGS``, the probes as well."""
    from mfagate.config.settings import ProviderSettings
    from mfagate.providers import registry
    from mfagate.providers.readers import judges

    if request.module.PROVIDER not in registry.names():
        return {}
    settings = getattr(request.module, "SETTINGS", None)
    provider = registry.get(request.module.PROVIDER)
    return judges(provider, settings if isinstance(settings, ProviderSettings) else None, interaction)


def _require_used(request: pytest.FixtureRequest) -> None:
    """Each pattern of the module's ``STRICT`` has to name a finding, or it hides the next one."""
    strict: Mapping[str, str] = getattr(request.module, "STRICT", {})
    used = request.config.stash.get(_REVIEWED, set())
    if unused := [pattern for pattern in strict if (request.path, pattern) not in used]:
        raise ContractTestFailed(f"STRICT names findings that do not exist, remove them: {', '.join(unused)}")


_REVIEWED = pytest.StashKey[set[tuple[Path, str]]]()
"""Which patterns of which module named a finding."""


def _contract(request: pytest.FixtureRequest, writer: ConsumerPact) -> Contract:
    """The pact as far as it is written, and the rest of the committed one."""
    from dataclasses import replace

    from mfagate.contract import load

    written = load(writer.file)
    committed = request.path.parent / writer.file.name
    if not committed.exists():
        return written
    known = {each.description for each in written.interactions}
    rest = [each for each in load(committed).interactions if each.description not in known]
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
