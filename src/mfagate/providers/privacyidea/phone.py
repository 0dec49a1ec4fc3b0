"""A simulated phone with the privacyIDEA Authenticator app."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

# Sends a request, as ``TabledStates.ask`` does; returns the JSON of the answer, or raises.
Ask = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class HotpToken:
    """A newly enrolled HOTP token (RFC 4226): its counter is 0."""

    digits: ClassVar[int] = 6

    serial: str
    pin: str
    key: bytes = field(default_factory=lambda: secrets.token_bytes(20), repr=False)

    def otp(self, counter: int = 0) -> str:
        """Return the OTP at a counter."""
        # HOTP is HMAC-SHA-1 (RFC 4226).
        return HOTP(self.key, self.digits, hashes.SHA1()).generate(counter).decode()  # noqa: S303

    def wrong_otp(self) -> str:
        """Return an OTP that the server rejects now."""
        # The server looks ahead by count_window counters, by default 10.
        ahead = {self.otp(counter) for counter in range(100)}
        return next(otp for otp in iter(random_otp, None) if otp not in ahead)

    def passwords(self) -> dict[str, str]:
        """Return the right password and two wrong ones, in the format of ``pass`` of /validate/check."""
        return {
            "pass": self.pin + self.otp(),
            "wrong_pass": self.pin + self.wrong_otp(),
            "wrong_pin_pass": random_pin() + self.otp(),
        }


def random_otp() -> str:
    """Return random digits of the length of an OTP."""
    return f"{secrets.randbelow(10**HotpToken.digits):0{HotpToken.digits}}"


def random_pin() -> str:
    """Return a PIN that cannot be guessed by accident."""
    return secrets.token_hex(4)


class PushToken:
    """A push token without a push service: the phone polls the server instead.

    The app does so when ``push_firebase_configuration`` is ``poll only``. Requests
    and signatures are those of
    https://privacyidea.readthedocs.io/en/latest/modules/lib/tokentypes/push.html.
    """

    _PATH = "/ttype/push"

    def __init__(self, serial: str, ask: Ask) -> None:
        """Create the phone of a token that the server expects."""
        self.serial = serial
        self._ask = ask
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def enrol(self, enrollment_credential: str) -> None:
        """Complete the enrolment by sending this phone's public key to the server."""
        public_key = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._post(
            enrollment_credential=enrollment_credential,
            pubkey=base64.urlsafe_b64encode(public_key).decode(),
            fbtoken="poll only",
        )

    def answer(self, *, accept: bool) -> None:
        """Accept or decline all pending logins."""
        for nonce in self._waiting():
            if accept:
                self._post(signature=self._sign(nonce, self.serial))
            else:
                self._post(signature=self._sign(nonce, self.serial, "decline"), decline="1")

    def _waiting(self) -> list[str]:
        timestamp = datetime.now(UTC).isoformat()
        parameters = {"serial": self.serial, "timestamp": timestamp, "signature": self._sign(self.serial, timestamp)}
        answer = self._ask("GET", self._PATH, params=parameters)
        return [challenge["nonce"] for challenge in answer["result"]["value"]]

    def _post(self, **fields: str) -> None:
        self._ask("POST", self._PATH, data={"serial": self.serial, **fields})

    def _sign(self, *parts: str) -> str:
        signature = self._key.sign("|".join(parts).encode(), padding.PKCS1v15(), hashes.SHA256())
        return base64.b32encode(signature).decode()
