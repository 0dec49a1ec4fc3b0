"""Exit codes: what a pipeline acts on."""

from __future__ import annotations

from enum import IntEnum

from mfagate.core.result import Report, Verdict


class ExitCode(IntEnum):
    """What the exit code tells a pipeline."""

    PASS = 0
    """Deploy."""

    FAIL = 1
    """Do not deploy."""

    USAGE = 2
    """The command line is wrong, or the configuration file cannot be read."""

    INCONCLUSIVE = 3
    """The verdict could not be determined."""

    INTERRUPTED = 130
    """Ctrl-C (128 + SIGINT)."""

    TERMINATED = 143
    """Stopped by SIGTERM (128 + SIGTERM)."""


def of(report: Report, *, allow_inconclusive: bool) -> ExitCode:
    """Return the exit code of a report; it is 0 with an override."""
    if report.run.override is not None:
        return ExitCode.PASS
    if report.verdict is Verdict.INCONCLUSIVE:
        return ExitCode.PASS if allow_inconclusive else ExitCode.INCONCLUSIVE
    return ExitCode.PASS if report.verdict is Verdict.PASS else ExitCode.FAIL


def recorded(report: Report, *, allow_inconclusive: bool) -> Report:
    """Return the report with its exit code, which every format shows."""
    code = of(report, allow_inconclusive=allow_inconclusive)
    return report.model_copy(update={"run": report.run.model_copy(update={"exit_code": int(code)})})
