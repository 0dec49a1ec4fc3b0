"""The search for secrets in the output of commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mfagate.testing.project import CommandResult, Project, telling_runs

KEY = "00kQ7xV2mZ9sT4bR8nW1cY6pL3dF5gH0jK_aEuIo-S"
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoidmFsaWRhdGUifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
PEM = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "written", [KEY[:12], KEY[-12:], f"x{KEY[20:32]}y", f"{KEY[5:11]}\n  {KEY[11:17]}", JWT[45:57]]
)
def test_a_part_of_a_secret_is_found(tmp_path: Path, written: str) -> None:
    project = Project(tmp_path, {"KEY": KEY, "JWT": JWT, "PEM": PEM})
    for result in (CommandResult(0, written, ""), CommandResult(0, "", written)):
        with pytest.raises(AssertionError, match=r"KEY|JWT|PEM"):
            project.assert_no_secret(result)
    (tmp_path / "report.txt").write_text(written)
    with pytest.raises(AssertionError, match=r"KEY|JWT|PEM"):
        project.assert_no_secret(CommandResult(0, "", ""), tmp_path / "report.txt")


@pytest.mark.parametrize(
    "written", ["", KEY[:11], JWT.partition(".")[0], PEM.splitlines()[0], PEM.splitlines()[1][:30]]
)
def test_public_parts_are_not_secret(tmp_path: Path, written: str) -> None:
    Project(tmp_path, {"KEY": KEY, "JWT": JWT, "PEM": PEM}).assert_no_secret(CommandResult(0, written, ""))


def test_the_runs_of_a_secret() -> None:
    assert list(telling_runs("short")) == []
    assert list(telling_runs("a" * 13)) == ["a" * 12] * 2
    assert len(list(telling_runs(KEY))) == len(KEY) - 11
