"""Watch the calls of a login service to an MFA provider, and report why they fail.

``monitor("duo", integration="duo-eu").wrap(requests.Session())`` counts requests, results, times
and *causes* (the same as those of the gate) for Prometheus, and logs each new cause and each
recovery once. It never raises, and never reveals a secret or a body. See ``docs/how-to/monitor.md``.

It needs no extra of the package mfagate.
"""

from mfagate.monitor.answer import Answer
from mfagate.monitor.classification import CallResult
from mfagate.monitor.observer import Call, Monitor, monitor

__all__ = ["Answer", "Call", "CallResult", "Monitor", "monitor"]
