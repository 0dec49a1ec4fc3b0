"""Exit codes of a run, for pipelines. The codes of interrupted commands are in :mod:`mfagate.cli.ending`."""

from __future__ import annotations

from mfagate.core.result import Report, Verdict

_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}


def with_exit_code(report: Report, *, allow_inconclusive: bool) -> Report:
    """Return the report with its exit code, which every format shows. With an override, the code is 0."""
    allowed = allow_inconclusive and report.verdict is Verdict.INCONCLUSIVE
    code = 0 if allowed or report.run.override is not None else _CODES[report.verdict]
    return report.model_copy(update={"run": report.run.model_copy(update={"exit_code": code})})
