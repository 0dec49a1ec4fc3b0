"""Keys of a server, and what happens to them on the way."""

from __future__ import annotations

import pytest

from mfagate.core.causes import CauseId
from mfagate.providers.privacyidea.settings import _role


@pytest.mark.parametrize(
    ("role", "cause"),
    [
        ("validate", None),
        ("admin", CauseId.CONFIG_WRONG_KIND),
        ("reader", CauseId.CONFIG_WRONG_KIND),
        (None, CauseId.CONFIG_WRONG_KIND),
        ("valibate", CauseId.CONFIG_MALFORMED_VALUE),
        ("adnim", CauseId.CONFIG_MALFORMED_VALUE),
    ],
)
def test_a_role_that_reads_nearly_right_was_damaged(role: str | None, cause: CauseId | None) -> None:
    misfit = _role("validate", "admin")({"role": role})
    assert (misfit.cause if misfit else None) == cause


def test_a_claim_that_reads_nearly_like_role_was_damaged() -> None:
    misfit = _role("validate", "admin")({"rold": "validate"})
    assert misfit is not None
    assert misfit.cause is CauseId.CONFIG_MALFORMED_VALUE
