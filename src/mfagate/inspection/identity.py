"""The client certificate of an integration, judged offline: the pair, the dates, and what it may be used for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mfagate.config.dates import in_words
from mfagate.config.model import Integration
from mfagate.config.pem import CERTIFICATES, PrivateKey, blocks, certificates, load_private_key
from mfagate.config.resolved import Value
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.transport.identity import ClientIdentity

CERTIFICATE, KEY = "client_certificate", "client_key"


@dataclass(frozen=True, slots=True)
class _Subject:
    """The two settings, resolved."""

    integration: Integration
    values: Mapping[str, Value]

    def finding(self, cause: CauseId, name: str, message: str, **more: Any) -> Finding:
        """Return a finding about one of the two."""
        value = self.values.get(name)
        evidence = {"setting": f"{self.integration.name}.{name}", **more.pop("evidence", {})}
        if value is not None:
            evidence["read from"] = value.read_from
        location = value.change_here if value is not None else self.integration.locate()
        return Finding(cause, f"{name} {message}", evidence, location, **more)

    def text(self, name: str) -> str:
        """Return the PEM text, empty if the setting is not there."""
        value = self.values.get(name)
        return str(value.value) if value is not None and value.value is not None else ""

    @property
    def key_setting(self) -> str:
        """The setting that has the key: one file may hold both."""
        return KEY if KEY in self.values else CERTIFICATE


def inspect_identity(integration: Integration, values: Mapping[str, Value], horizon: timedelta) -> list[Finding]:
    """Find what is wrong with ``client_certificate`` and ``client_key``, without any network."""
    subject = _Subject(integration, values)
    if not values or any(value.deferred for value in values.values()):
        return []
    unread = [value for value in values.values() if value.error is not None]
    if unread:
        return [
            subject.finding(
                CauseId.CONFIG_REFERENCE_UNRESOLVED, one.name, f"cannot be read: {one.error}", next_step=one.next_step
            )
            for one in unread
        ]
    return list(_certificate(subject)) or list(_key(subject)) or [*_pair(subject), *_dates(subject, horizon)]


def client_identity(values: Mapping[str, Value]) -> ClientIdentity | None:
    """Return the pair to show, of settings in which nothing was found wrong."""
    subject_values = {name: str(value.value) for name, value in values.items() if value.value is not None}
    if CERTIFICATE not in subject_values:
        return None
    found = list(certificates(subject_values[CERTIFICATE]))
    chain = [block.text for block in blocks(subject_values[CERTIFICATE]) if block.label in CERTIFICATES]
    key = next(block for block in blocks(subject_values.get(KEY) or subject_values[CERTIFICATE]) if block.is_key)
    return ClientIdentity("".join([*chain, key.text]), _shown(found[0]))


def _shown(certificate: Any) -> dict[str, str]:
    return {
        "client certificate": quoted(certificate.subject.rfc4514_string()),
        "its issuer": quoted(certificate.issuer.rfc4514_string()),
        "valid until": f"{certificate.not_valid_after_utc:%Y-%m-%d}",
    }


def _certificate(subject: _Subject) -> Iterator[Finding]:
    if CERTIFICATE not in subject.values:
        yield subject.finding(
            CauseId.CONFIG_SETTING_MISSING,
            CERTIFICATE,
            "is not set, and client_key is: a key alone proves nothing",
            next_step='Set client_certificate = "PATH" to the certificate of the key, with its chain.',
        )
    elif not list(certificates(subject.text(CERTIFICATE))):
        labels = dict.fromkeys(quoted(block.label, 40) for block in blocks(subject.text(CERTIFICATE)))
        what = f", only: {', '.join(labels)}" if labels else ": a PEM file with -----BEGIN CERTIFICATE----- is expected"
        yield subject.finding(
            CauseId.CONFIG_WRONG_KIND if labels else CauseId.CONFIG_MALFORMED_VALUE,
            CERTIFICATE,
            f"contains no readable certificate{what}",
            next_step="Point client_certificate at the PEM file of the certificate, the leaf first, then its chain.",
        )


def _key(subject: _Subject) -> Iterator[Finding]:
    name, text = subject.key_setting, subject.text(subject.key_setting)
    if name == CERTIFICATE and not any(block.is_key for block in blocks(text)):
        yield subject.finding(
            CauseId.CONFIG_SETTING_MISSING,
            KEY,
            "is not set, and client_certificate contains no private key beside the certificate",
            next_step='Set client_key = "PATH" to the private key of the certificate, or a reference to it.',
        )
        return
    if text.lstrip().startswith("{"):
        message = "is a JWK, and TLS needs PEM"
        yield subject.finding(CauseId.CONFIG_WRONG_KIND, name, message, next_step="Store the key in PEM.")
        return
    misfit = PrivateKey().misfit(text)
    if misfit is not None:
        step = misfit.step or "Copy the whole key again from its source."
        yield subject.finding(misfit.cause, name, f"cannot be used as a key: {misfit.reason}", next_step=step)


def _pair(subject: _Subject) -> Iterator[Finding]:
    name = subject.key_setting
    try:
        public = load_private_key(subject.text(name)).public_key()
    except ValueError:
        message = "is well-formed PEM, but not a readable key"
        yield subject.finding(CauseId.CONFIG_MALFORMED_VALUE, name, message)
        return
    leaf, *chain = certificates(subject.text(CERTIFICATE))
    if leaf.public_key() == public:
        return
    if any(one.public_key() == public for one in chain):
        message = "contains the certificate of the key, but not as the first one, which servers take as the client's"
        step = "Put the certificate of the key first and its issuers after it."
        yield subject.finding(CauseId.CONFIG_MALFORMED_VALUE, CERTIFICATE, message, next_step=step)
        return
    message = (
        "is not the key of client_certificate"
        if name == KEY
        else "contains a key that does not belong to the certificate"
    )
    step = "Put certificate and key of one pair there. Was only one of them renewed?"
    yield subject.finding(CauseId.CONFIG_MALFORMED_VALUE, name, message, next_step=step, evidence=_shown(leaf))


def _dates(subject: _Subject, horizon: timedelta) -> Iterator[Finding]:
    leaf = next(certificates(subject.text(CERTIFICATE)))
    now, evidence = datetime.now(UTC), _shown(leaf)
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    renew = "Renew it with its issuer, and put certificate and key of the new pair there."
    if end <= now:
        message = f"expired on {end:%Y-%m-%d %H:%M} UTC"
        yield subject.finding(
            CauseId.CONFIG_EXPIRED, CERTIFICATE, message, next_step=renew, evidence=evidence, expires=end
        )
    elif start > now:
        message = f"is not valid before {start:%Y-%m-%d %H:%M} UTC"
        step = "Use the certificate that is valid now until then; if it should be valid, check this machine's clock."
        yield subject.finding(CauseId.CONFIG_MALFORMED_VALUE, CERTIFICATE, message, next_step=step, evidence=evidence)
    elif end - now <= horizon:
        message = f"expires on {end:%Y-%m-%d %H:%M} UTC, in {in_words(end - now)}"
        yield subject.finding(
            CauseId.CONFIG_EXPIRING_SOON, CERTIFICATE, message, next_step=renew, evidence=evidence, expires=end
        )
    if not _for_clients(leaf):
        message = "is for servers only (extended key usage without clientAuth), and many servers refuse it"
        step = "Ask its issuer for a certificate with clientAuth, unless you know that the server accepts this one."
        yield subject.finding(
            CauseId.CONFIG_WRONG_KIND, CERTIFICATE, message, next_step=step, evidence=evidence, outcome=Outcome.WARN
        )


def _for_clients(certificate: Any) -> bool:
    """Whether the certificate may be used by a client (RFC 5280, section 4.2.1.12)."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID as Usage

    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return True
    return Usage.CLIENT_AUTH in usages or Usage.ANY_EXTENDED_KEY_USAGE in usages
