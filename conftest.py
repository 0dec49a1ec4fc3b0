"""What holds for every test: a machine like any other, whatever the developer's own is like."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

# A proxy or a CA bundle of the developer's machine must not reach servers on loopback.
for variable in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(variable, None)
    os.environ.pop(variable.upper(), None)
# Nor may records of earlier runs on it; those of other processes of this session are shared.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="mfagate-tests-state-")
atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)
os.environ["PACT_DO_NOT_TRACK"] = "true"
os.environ.pop("MFAGATE_FINGERPRINT_KEY", None)
# The commit of this repository is not that of the projects that tests make.
for variable in ("MFAGATE_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT", "BUILD_SOURCEVERSION"):
    os.environ.pop(variable, None)
