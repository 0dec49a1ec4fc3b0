"""Which values of a configuration are secret. A table teaches the redactor its secrets by being resolved."""

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
    """What is declared about the values of a table.

    Args:
        secret: The names of secrets.
        known: The names that mean something; what is under another name may be a misspelt secret.
        fingerprinted: Whether a value that comes out of a store is shown as a fingerprint.
    """

    secret: Collection[str]
    known: Collection[str]
    fingerprinted: bool = False

    def teach(self, redactor: Redactor, values: Mapping[str, Value]) -> None:
        """Let the redactor learn the secrets of a table whose references have been resolved."""
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
    """Let the redactor learn what is written under keys that mean nothing."""
    for name, text in values:
        if Reference.parse(text) is None and _looks_secret(text):
            redactor.add(name, text)


def _looks_secret(text: str) -> bool:
    """Return whether a text is too long, or too mixed, for a word such as ``production``."""
    mixed = any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    return "://" not in text and (len(text) >= RUN or (len(text) >= 8 and mixed))
