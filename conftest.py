"""What holds for every test: a machine like any other, whatever the developer's own is like."""

from __future__ import annotations

import os

# A proxy or a CA bundle of the developer's machine must not reach servers on loopback.
for variable in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(variable, None)
    os.environ.pop(variable.upper(), None)
os.environ["PACT_DO_NOT_TRACK"] = "true"
os.environ.pop("MFAGATE_FINGERPRINT_KEY", None)
