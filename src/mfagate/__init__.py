"""mfagate: a pre-deployment gate for external MFA providers.

    import mfagate

    report = mfagate.gate(config="integrations.toml", integration="duo-eu")
    if report.run.exit_code != 0:
        print(report.integrations[0].headline)

``import mfagate`` alone loads nothing else; the first use of a name loads what it needs.
"""

from __future__ import annotations

from importlib import import_module

from mfagate.core.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mfagate.app.api import check, gate, nightly
    from mfagate.app.errors import MfagateError, ReportNotWritten, RunRefused
    from mfagate.core.result import Report

_HOMES = {
    "check": "mfagate.app.api",
    "gate": "mfagate.app.api",
    "nightly": "mfagate.app.api",
    "MfagateError": "mfagate.app.errors",
    "RunRefused": "mfagate.app.errors",
    "ReportNotWritten": "mfagate.app.errors",
    "Report": "mfagate.core.result",
}

__all__ = [
    "MfagateError",
    "Report",
    "ReportNotWritten",
    "RunRefused",
    "__version__",
    "check",
    "gate",
    "nightly",
]


if not TYPE_CHECKING:  # A type checker would accept any name.

    def __getattr__(name: str) -> object:
        """Load a name of the Python API at its first use."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)
