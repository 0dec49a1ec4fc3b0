"""What holds for every test: a machine like any other, whatever the developer's own is like."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Generated inputs are the same for everybody and for CI; `--hypothesis-profile explore` looks further.
settings.register_profile("repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")

# A proxy or a CA bundle of the developer's machine must not reach servers on loopback.
for variable in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(variable, None)
    os.environ.pop(variable.upper(), None)
os.environ["PACT_DO_NOT_TRACK"] = "true"
os.environ.pop("MFAGATE_FINGERPRINT_KEY", None)
