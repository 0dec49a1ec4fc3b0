"""Say which values of a configuration are secret. Resolving a table adds its secrets to the redactor."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from mfagate.config.resolved import Value
from mfagate.secrets.credentials import learn_addresses
from mfagate.secrets.fingerprint import fingerprint
from mfagate.secrets.redaction import RUN, Redactor
from mfagate.secrets.reference import Reference


@dataclass(frozen=True, slots=True)
class Secrecy:
    """Which values of a table are secret.

    Args:
        secret: The names of secret values.
        known: All known names. A value under another name may be a secret with a misspelt name.
        fingerprinted: Whether a value from a store is shown as a fingerprint.
    """

    secret: Collection[str]
    known: Collection[str]
    fingerprinted: bool = False

    def teach(self, redactor: Redactor, values: Mapping[str, Value]) -> None:
        """Add the secrets of a table to the redactor; the references of the table must be resolved."""
        for name, value in values.items():
            if value.value is None or isinstance(value.value, bool):
                continue
            text = str(value.value)
            if name in self.secret or (name not in self.known and (value.reference or _looks_secret(text))):
                redactor.add(name, text)
            elif self.fingerprinted and value.reference and value.reference.scheme != "sandbox":
                redactor.add_fingerprinted(name, text, fingerprint(text))
            else:
                learn_addresses(redactor, name, text)


def teach_unknown(redactor: Redactor, values: Iterable[tuple[str, str]]) -> None:
    """Add values under unknown keys to the redactor, if they look like secrets."""
    for name, text in values:
        if Reference.parse(text) is None and _looks_secret(text):
            redactor.add(name, text)


def _looks_secret(text: str) -> bool:
    """Return whether a text is too long for a word such as ``production``, or mixes letters and digits."""
    mixed = any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    return "://" not in text and (len(text) >= RUN or (len(text) >= 8 and mixed))
