"""Find the cause of an answer that was not accepted, with the help of the contract."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from mfagate.cassettes.scrub import showable
from mfagate.checks.context import CheckContext
from mfagate.config.settings import ProviderSettings
from mfagate.core.causes import CauseId, refuses
from mfagate.core.diagnosis import definite_cause, unexpected
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.providers.errors import ProviderDialect
from mfagate.providers.probes import Probe

if TYPE_CHECKING:
    from mfagate.contract import Mismatch
    from mfagate.transport.identity import ClientIdentity

_SHOWN_DIFFERENCES = 5


class Diagnoser:
    """Diagnoses the answers of one integration."""

    def __init__(
        self, context: CheckContext, dialect: ProviderDialect[ProviderSettings], identity: ClientIdentity | None
    ) -> None:
        """Prepare the diagnosis.

        Args:
            context: The integration and its contract.
            dialect: Reads the provider's errors.
            identity: The client certificate that is presented to the server.
        """
        self._context = context
        self._dialect = dialect
        self._identity = identity

    def diagnose(self, exchange: Exchange, probe: Probe | None = None, *, unsigned: bool = False) -> Finding:
        """Return the cause of an answer that was not accepted.

        If no cause is definite, differences from the contract or from the probe's documented answer decide. A refusal
        remains a refusal, whatever its wording, unless the request was ``unsigned``.

        Args:
            exchange: The answer, or the failure to get one.
            probe: The probe that was sent; None for an interaction of the contract.
            unsigned: Whether the request held no credential.
        """
        definite = definite_cause(exchange, self._dialect)
        return self.conclude(exchange, definite, probe, unsigned=unsigned)

    def conclude(
        self, exchange: Exchange, definite: Finding | None, probe: Probe | None = None, *, unsigned: bool = False
    ) -> Finding:
        """Diagnose an exchange whose ``definite`` cause is known, or is None; see :meth:`diagnose`."""
        if definite is not None and definite.cause is CauseId.NETWORK_TLS_CLIENT_CERTIFICATE:
            return self._about_client_certificate(definite)
        if definite is not None and not (unsigned and refuses(definite.cause)):
            return definite
        finding = unexpected(exchange, self._dialect)
        if finding.cause is CauseId.CONTRACT_ENDPOINT_RETIRED:
            return self._absent(exchange, finding)
        refused = refuses(finding.cause) and not unsigned
        differences = [] if refused else self._differences(exchange, probe)
        if not differences:
            return unexpected(exchange, self._dialect, probing=probe is not None and not unsigned)
        shown = [difference.message for difference in differences[:_SHOWN_DIFFERENCES]]
        first = differences[0]
        return replace(
            finding, cause=first.cause, message=first.message, evidence={**finding.evidence, "differences": shown}
        )

    def _about_client_certificate(self, finding: Finding) -> Finding:
        """Locate the setting with the certificate, or the table where it belongs."""
        integration = self._context.integration
        if self._identity is None:
            step = (
                f'In {integration.heads()}, set client_certificate = "PATH" and client_key = "PATH" to the pair '
                "that the login service presents. If it presents none, ask the server's operator why it requests one."
            )
            return replace(finding, location=integration.locate(), next_step=step)
        step = (
            "Ask the operator of the server whether it trusts the issuer of this certificate and accepts its subject. "
            "Compare the certificate with the one that the login service presents."
        )
        evidence = {**finding.evidence, **self._identity.shown}
        return replace(finding, location=integration.locate("client_certificate"), next_step=step, evidence=evidence)

    def _differences(self, exchange: Exchange, probe: Probe | None) -> list[Mismatch]:
        from mfagate.checks.expectation import difference, other_shape
        from mfagate.contract import ContractError

        shown = partial(showable, self._context.provider.scrubbing)
        try:
            differences = difference(self._context.contract, exchange, shown)
        except ContractError:
            differences = []  # The check that reads the contract reports the error.
        if differences or probe is None or probe.shape is None or exchange.response is None:
            return differences
        return other_shape(probe.shape, exchange.response, shown)

    def _absent(self, exchange: Exchange, retired: Finding) -> Finding:
        """Return the finding unchanged, unless the provider's error code means that a user or object is missing."""
        provider, response = self._context.provider, exchange.response
        error = provider.dialect.error_of(response) if response is not None else None
        if response is None or error is None or not provider.dialect.is_about_a_user(error, exchange):
            return retired
        message = (
            f"the provider answered {response.status}: its error code means that an object is missing, not the endpoint"
        )
        return replace(retired, cause=CauseId.CONTRACT_STATUS_CHANGED, message=message)
