"""Exit codes: what a pipeline acts on."""

from __future__ import annotations

from enum import IntEnum

from mfagate.core.result import Report, Verdict


class ExitCode(IntEnum):
    """One meaning each."""

    PASS = 0
    """Deploy."""

    FAIL = 1
    """Do not deploy."""

    USAGE = 2
    """The command line is wrong, or the configuration file cannot be read."""

    INCONCLUSIVE = 3
    """It could not be known now."""

    INTERRUPTED = 130
    """Ctrl-C (128 + SIGINT)."""

    TERMINATED = 143
    """Stopped by SIGTERM (128 + SIGTERM)."""


def of(report: Report, *, allow_inconclusive: bool) -> ExitCode:
    """The exit code of a report; an override lets it through and stands in the report."""
    if report.run.override is not None:
        return ExitCode.PASS
    if report.verdict is Verdict.INCONCLUSIVE:
        return ExitCode.PASS if allow_inconclusive else ExitCode.INCONCLUSIVE
    return ExitCode.PASS if report.verdict is Verdict.PASS else ExitCode.FAIL


def recorded(report: Report, *, allow_inconclusive: bool) -> Report:
    """The report with the exit code in it, as every format has it."""
    code = of(report, allow_inconclusive=allow_inconclusive)
    return report.model_copy(update={"run": report.run.model_copy(update={"exit_code": int(code)})})
