"""``pytest --mfagate gate`` runs the gate's checks as test items.

Each check of each integration is an item, and each interaction of a contract is an item of its own, so that ``-k``,
``-m``, ``--junitxml`` and xdist work as for any test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mfagate.core import check_ids
from mfagate.core.extras import missing, needs
from mfagate.core.foreign import harmless

if TYPE_CHECKING:
    from mfagate.app.run import RunRequest, SelectedRun
    from mfagate.config.model import Integration
    from mfagate.core.result import Check, IntegrationReport

_PER_INTERACTION = (check_ids.CONTRACT_INTERACTION, check_ids.CASSETTE)
_OVERRIDDEN, _WAIVED, _WARNING = "mfagate overridden", "mfagate waived", "mfagate warning"
"""Properties of items, for JUnit files and for the summary of pytest."""

_SECTIONS = {"mfagate: let through": (_OVERRIDDEN, _WAIVED), "mfagate: warnings": (_WARNING,)}

_REST = "verdict"
"""The item for checks that were not planned, such as a sandbox that did not start."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options of ``--mfagate``."""
    group = parser.getgroup("mfagate")
    group.addoption(
        "--mfagate",
        choices=["check", "gate", "nightly"],
        metavar="STAGE",
        help="Run the checks of STAGE (check: offline; gate, nightly: live) as test items, without other tests unless "
        "they are named.",
    )
    group.addoption(
        "--mfagate-config", default="integrations.toml", metavar="PATH", help="The configuration file of --mfagate."
    )
    group.addoption(
        "--mfagate-override",
        metavar="REASON",
        help="Report red checks of --mfagate as expected failures with this reason, so that pytest exits with 0.",
    )
    group.addoption(
        "--mfagate-history",
        metavar="URL|PATH",
        help="Save the run of --mfagate in this history; nightly saves it even without this option.",
    )
    group.addoption(
        "--mfagate-notify",
        action="store_true",
        help="Notify the [notify] URLs of changes since the last run of --mfagate.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect the configuration file, instead of the default folders if no tests are named."""
    config.addinivalue_line("markers", "mfagate: a check that --mfagate runs")
    if config.getoption("--mfagate") is not None and missing("gate"):
        raise pytest.UsageError(needs("--mfagate", "gate"))
    _require_valid_override(config)
    if config.getoption("--mfagate") is None:
        return
    path = str(_config_path(config))
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = [path]
    elif not any(
        (config.invocation_params.dir / argument.partition("::")[0]).resolve() == Path(path) for argument in config.args
    ):
        config.args = [*config.args, path]


def _require_valid_override(config: pytest.Config) -> None:
    override = config.getoption("--mfagate-override")
    if override is None:
        return
    from mfagate.app.override import says_why

    if config.getoption("--mfagate") is None:
        raise pytest.UsageError("--mfagate-override has no effect without --mfagate")
    if not says_why(override):
        raise pytest.UsageError("--mfagate-override: give a reason")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what passed items hide: overrides, waivers, and warnings of the run."""
    found = [
        (name, f"{report.nodeid}: {text}")
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, text in report.user_properties
    ]
    for title, names in _SECTIONS.items():
        if lines := [line for name, line in found if name in names]:
            terminalreporter.section(title)
            for line in lines:
                terminalreporter.write_line(line)


def _config_path(config: pytest.Config) -> Path:
    return (config.invocation_params.dir / str(config.getoption("--mfagate-config"))).resolve()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the configuration file as a test file."""
    if parent.config.getoption("--mfagate") is None or file_path != _config_path(parent.config):
        return None
    return ConfigurationFile.from_parent(parent, path=file_path)


def _request(config: pytest.Config, path: Path) -> RunRequest:
    from mfagate.app.run import RunRequest
    from mfagate.checks import Stage

    return RunRequest(
        Stage(config.getoption("--mfagate")),
        config=path,
        override=config.getoption("--mfagate-override"),
        history=config.getoption("--mfagate-history"),
        notify=config.getoption("--mfagate-notify"),
    )


class ConfigurationFile(pytest.File):
    """``integrations.toml``, with a collector for each integration."""

    selected: SelectedRun

    def collect(self) -> Iterator[pytest.Collector]:
        """Read the file; its errors are shown without a traceback."""
        from mfagate.app.errors import RunRefused
        from mfagate.app.run import select

        try:
            self.selected = select(_request(self.config, self.path))
        except RunRefused as error:
            raise self.CollectError(str(error)) from None
        self._reports: dict[str, IntegrationReport] = {}
        self.override: str | None = None
        for integration in self.selected.integrations:
            yield IntegrationCollector.from_parent(self, name=integration.name, integration=integration)

    def report(self, integration: Integration, warn: Callable[[str], object]) -> IntegrationReport:
        """Return the report on one integration; the first call runs all selected integrations.

        Raises:
            RunRefused: A package that the run needs cannot be used.
        """
        if integration.name not in self._reports:
            from mfagate.app.run import execute
            from mfagate.core.foreign import harmless_tree

            result = execute(replace(self.selected, integrations=self._needed(integration)), warn=warn)
            whole = harmless_tree(result.report)
            self.override = whole.run.override  # Redacted, unlike the option.
            self._reports |= {report.name: report for report in whole.integrations}
        return self._reports[integration.name]

    def _needed(self, integration: Integration) -> Sequence[Integration]:
        """Return the integrations to run: with xdist only this one, otherwise all that have an item."""
        if hasattr(self.config, "workerinput"):
            return [integration]
        items = [item for item in self.session.items if isinstance(item, CheckItem)]
        names = {item.integration.name for item in items if item.parent and item.parent.parent is self}
        return [selected for selected in self.selected.integrations if selected.name in names]


class IntegrationCollector(pytest.Collector):
    """One integration, with an item for each check and each interaction."""

    def __init__(self, *, integration: Integration, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.integration = integration

    def collect(self) -> Iterator[pytest.Item]:
        """Plan the checks without running any."""
        from mfagate.checks import Stage, plan

        for step in plan(Stage(self.config.getoption("--mfagate"))):
            for subject in self._interactions() if step.id in _PER_INTERACTION else [None]:
                yield self._item(step.id, subject)
        yield self._item(_REST, None)

    def _item(self, check_id: str, subject: str | None) -> CheckItem:
        name = f"{check_id}[{subject}]" if subject else check_id
        return CheckItem.from_parent(self, name=name, integration=self.integration, check_id=check_id, subject=subject)

    def _interactions(self) -> list[str | None]:
        from mfagate.contract import ContractError, load

        try:
            contract = load(self.integration.contract_path, provider=self.integration.provider)
        except ContractError:
            return [None]  # The check of the contract reports the error.
        return [harmless(interaction.description) for interaction in contract.interactions]


class CheckFailed(Exception):
    """A red check; only its text is shown."""


class CheckItem(pytest.Item):
    """One check, or one interaction, of one integration."""

    def __init__(self, *, integration: Integration, check_id: str, subject: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.integration, self.check_id, self.subject = integration, check_id, subject
        self.add_marker("mfagate")
        self.extra_keyword_matches.update((integration.provider, integration.environment.value))

    def runtest(self) -> None:
        """Look up what the gate found."""
        from mfagate.app.errors import RunRefused

        assert self.parent is not None
        file = self.parent.parent
        assert isinstance(file, ConfigurationFile)
        try:
            report = file.report(self.integration, self._warn)
        except RunRefused as error:
            raise CheckFailed(str(error)) from None
        checks = self._mine(report.checks)
        red = [check for check in checks if check.outcome.is_red]
        self._show_findings(checks)
        if red:
            if file.override is not None:
                self._let_through(red, file.override)
            raise CheckFailed("\n\n".join(map(_text, red)))
        if checks and all(check.outcome.value == "skipped" for check in checks):
            pytest.skip(checks[0].message)
        if not checks and self.check_id != _REST:
            pytest.skip("not reached")

    def _warn(self, message: str) -> None:
        self.user_properties.append((_WARNING, harmless(message)))

    def _show_findings(self, checks: list[Check]) -> None:
        """Show the warnings and waivers of items that pass."""
        from mfagate.report.words import kind

        for check in checks:
            if check.outcome.value in ("warn", "info"):
                self.add_report_section("call", f"mfagate {kind(check)}", _text(check))
            if check.waiver is not None:
                waiver = check.waiver
                text = f"waived until {waiver.until} by {waiver.owner}: {waiver.reason} ({check.cause})"
                self.user_properties.append((_WAIVED, text))

    def _let_through(self, red: list[Check], override: str) -> None:
        """Report an expected failure; with ``--runxfail`` pytest reports a failure all the same."""
        for check in red:
            self.add_report_section("call", f"mfagate {check.outcome.value}", _text(check))
        causes = ", ".join(dict.fromkeys(str(check.cause) for check in red))
        self.user_properties.append((_OVERRIDDEN, f"{causes} overridden: {override}"))
        pytest.xfail(f"{causes} overridden: {override}")

    def _mine(self, checks: list[Check]) -> list[Check]:
        if self.check_id == _REST:
            planned = {item.check_id for item in self._siblings()}
            return [check for check in checks if check.id not in planned]
        # A run that stopped before the interactions has one check, without a subject, for all of them.
        subjects = (self.subject, None)
        return [
            check for check in checks if check.id == self.check_id and (not self.subject or check.subject in subjects)
        ]

    def _siblings(self) -> list[CheckItem]:
        assert isinstance(self.parent, IntegrationCollector)
        return [item for item in self.parent.collect() if isinstance(item, CheckItem)]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the problem as the console report shows it, without a traceback."""
        if isinstance(excinfo.value, CheckFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where the integration is in the configuration file."""
        location = self.integration.locate()
        line = location.line - 1 if location.line else None
        return location.file, line, f"{self.integration.name}: {self.name}"


def _text(check: Check) -> str:
    from mfagate.report.words import indented, kind, paragraphs

    lines = [f"{kind(check)}: {check.message}"]
    lines += [f"  {label}: {indented(text)}" for label, text in paragraphs(check)]
    return "\n".join(lines)
