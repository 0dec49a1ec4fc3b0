"""One-time passwords by time, with the vectors of RFC 6238, appendix B (its last six digits)."""

from __future__ import annotations

import base64
from typing import Literal

import pytest

from mfagate.providers.totp import Totp

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_published_vectors(monkeypatch: pytest.MonkeyPatch, seconds: int, code: str) -> None:
    monkeypatch.setattr("mfagate.providers.totp.time.time", lambda: float(seconds))
    assert Totp(SECRET).code() == code
    assert Totp(SECRET.lower()).step_of(code) == seconds // 30


@pytest.mark.parametrize(
    ("seconds", "algorithm", "code"),
    [
        (59, "sha1", "94287082"),
        (59, "sha256", "46119246"),
        (59, "sha512", "90693936"),
        (20000000000, "sha256", "77737706"),
        (20000000000, "sha512", "47863826"),
    ],
)
def test_published_vectors_of_eight_digits(
    monkeypatch: pytest.MonkeyPatch, seconds: int, algorithm: Literal["sha1", "sha256", "sha512"], code: str
) -> None:
    """Each algorithm has a key of its own length there (errata 2866)."""
    monkeypatch.setattr("mfagate.providers.totp.time.time", lambda: float(seconds))
    length = {"sha1": 20, "sha256": 32, "sha512": 64}[algorithm]
    secret = base64.b32encode((b"1234567890" * 7)[:length]).decode()
    assert Totp(secret, digits=8, algorithm=algorithm).code() == code
    assert Totp(secret, digits=3, algorithm=algorithm).code() == code[-3:]


def test_another_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfagate.providers.totp.time.time", lambda: 119.0)
    assert Totp(SECRET, step_seconds=60).code() == "287082"


@pytest.mark.parametrize(("seconds", "slept"), [(3000.0, 0.0), (3027.5, 0.0), (3028.5, 1.5), (3029.99, 0.01)])
def test_a_code_for_enrolment_is_taken_a_while_longer(
    monkeypatch: pytest.MonkeyPatch, seconds: float, slept: float
) -> None:
    """At the very end of a step the code of the one before would be too old when it arrives."""
    clock = [seconds]
    monkeypatch.setattr("mfagate.providers.totp.time.time", lambda: clock[0])
    monkeypatch.setattr("mfagate.providers.totp.time.sleep", lambda left: clock.append(clock.pop() + left))
    one = Totp.generate()
    code = one.code_for_enrolment()
    assert clock[0] == pytest.approx(seconds + slept)
    clock[0] += 2.0
    assert one.step_of(code) is not None
    assert one.code() != code


def test_a_secret_without_padding() -> None:
    assert Totp("JBSWY3DPEHPK3PXP").code(1) == Totp("jbswy3dpehpk3pxp").code(1)


def test_a_code_is_right_near_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Totp.generate()
    monkeypatch.setattr("mfagate.providers.totp.time.time", lambda: 3000.0)
    assert [one.step_of(one.code(steps)) for steps in (-2, -1, 0, 1, 2)] == [None, 99, 100, 101, None]
    assert one.step_of(one.wrong_code(), window=4) is None
