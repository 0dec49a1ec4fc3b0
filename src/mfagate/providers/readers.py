"""Find the code that reads a contract's answers, apart from the client, for the proof of the contract's strength.

The monitor and the gate read errors: the code, and whether it is about a user or about the integration. Probes read the
answers of the endpoints that they call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mfagate.config.settings import ProviderSettings
from mfagate.contract import Interaction
from mfagate.contract_strength import Judge
from mfagate.core.exchange import Exchange, Response
from mfagate.providers.probes import Probe
from mfagate.providers.provider import InstalledProvider


def judges(
    provider: InstalledProvider, settings: ProviderSettings | None, interaction: Interaction
) -> Mapping[str, Judge]:
    """Return the readers of an interaction's answer that need no network, by name.

    Args:
        provider: The provider of the contract.
        settings: If given, the probes of this endpoint are among the readers.
        interaction: One interaction of the contract.
    """
    found: dict[str, Judge] = {"diagnosis": partial(_diagnosed, provider, settings, interaction)}
    if settings is None:
        return found
    for probe in _probes(provider, settings):
        if _asks(probe, interaction):
            found[f"probe of {probe.subject}"] = partial(_probed, provider, settings, probe)
    return found


def _diagnosed(
    provider: InstalledProvider, settings: ProviderSettings | None, interaction: Interaction, response: Response
) -> Any:
    """Return the provider's error code, whether the error is about a user, and its cause."""
    error = provider.dialect.error_of(response)
    if error is None:
        return None
    exchange = Exchange(interaction.example_request(), datetime.now(UTC), response)
    about_a_user = provider.dialect.is_about_a_user(error, exchange)
    found = provider.dialect.explain(exchange, settings) if settings is not None else None
    return {"code": error.code, "about a user": about_a_user, "cause": str(found.cause) if found else None}


def _probes(provider: InstalledProvider, settings: ProviderSettings) -> Iterator[Probe]:
    yield from provider.probes.pings(settings)
    yield from provider.probes.credentials(settings)
    yield from provider.probes.permissions(settings)
    yield from (expiry.probe for expiry in provider.probes.expiries(settings))


def _asks(probe: Probe, interaction: Interaction) -> bool:
    """Return whether the probe sends this request; one path may serve several OAuth grants."""
    request = interaction.example_request()
    if (probe.method, urlsplit(probe.path).path) != (request.method, urlsplit(request.url).path):
        return False
    grant = parse_qs(request.body.decode("utf-8", "replace")).get("grant_type")
    return grant is None or grant == [probe.data.get("grant_type")]


def _probed(provider: InstalledProvider, settings: ProviderSettings, probe: Probe, response: Response) -> Any:
    """Return whether the probe accepts the answer, the cause of a fault that it finds, and expiry dates."""
    accepted = probe.accepted(response)
    finding = probe.review(response) if accepted and probe.review is not None else None
    expiries = [
        expiry.read(response) for expiry in provider.probes.expiries(settings) if expiry.probe == probe and accepted
    ]
    return {"accepted": accepted, "fault": str(finding.cause) if finding else None, "expiries": expiries}
