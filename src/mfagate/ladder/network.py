"""Resolve, connect, TLS and ping: one exchange a host without a credential, judged rung by rung."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from mfagate.causes import CauseId
from mfagate.diagnosis import diagnose
from mfagate.exchange import Exchange, Phase
from mfagate.ladder.rung import Climb, passed, skipped
from mfagate.providers.base import Probe
from mfagate.result import Check, Finding
from mfagate.wire import CaBundleError

RESOLVE, CONNECT, TLS, PING = "network.resolve", "network.connect", "network.tls", "provider.ping"


def resolve(climb: Climb) -> Iterator[Check]:
    """Does the host name resolve?"""
    probes = climb.provider.pings(climb.settings)
    try:
        climb.pings = [(probe, climb.live.send_unsigned(probe.request())) for probe in probes]
    except CaBundleError as error:
        # Set by a variable of the environment; that of the file was looked at on the rung before.
        yield Check.from_finding(RESOLVE, Finding(CauseId.CONFIG_REFERENCE_UNRESOLVED, str(error)))
        return
    yield from _phase(climb, RESOLVE, Phase.RESOLVE, lambda exchange: f"resolved to {exchange.address}")


def connect(climb: Climb) -> Iterator[Check]:
    """Does anything answer on the port?"""

    def connected(exchange: Exchange) -> str:
        through = f" through the proxy {exchange.proxy}" if exchange.proxy else ""
        return f"connected to {exchange.address}{through}"

    yield from _phase(climb, CONNECT, Phase.CONNECT, connected)


def _phase(climb: Climb, check_id: str, phase: Phase, message: Callable[[Exchange], str]) -> Iterator[Check]:
    for probe, exchange in climb.pings:
        subject = _subject(climb, probe)
        if _failed_in(exchange, phase):
            yield _failure(climb, check_id, exchange, subject)
        else:
            yield passed(check_id, message(exchange), subject=subject, seconds=exchange.phases.get(phase, 0))


def _subject(climb: Climb, probe: Probe) -> str | None:
    """Which host, where there are several."""
    return probe.subject if len(climb.pings) > 1 else None


def _failed_in(exchange: Exchange, *phases: Phase) -> bool:
    return exchange.failure is not None and exchange.failure.phase in phases


def _failure(climb: Climb, check_id: str, exchange: Exchange, subject: str | None) -> Check:
    return Check.from_finding(check_id, diagnose(exchange, climb), subject=subject, seconds=exchange.seconds)


def tls(climb: Climb) -> Iterator[Check]:
    """Is the certificate trusted, for this name, and valid for a while?"""
    for probe, exchange in climb.pings:
        yield _tls(climb, exchange, _subject(climb, probe))


def _tls(climb: Climb, exchange: Exchange, subject: str | None) -> Check:
    seconds = exchange.phases.get(Phase.TLS, 0)
    if _failed_in(exchange, Phase.TLS):
        return _failure(climb, TLS, exchange, subject)
    certificate = exchange.certificate
    if certificate is None:
        return skipped(TLS, "the connection is plain http", subject=subject)
    left = certificate.not_after - datetime.now(UTC)
    until = f"{certificate.not_after:%Y-%m-%d}"
    if left <= climb.horizon:
        finding = Finding(
            CauseId.NETWORK_TLS_EXPIRING_SOON,
            f"the server's certificate expires on {until}, in {left.days} days",
            {"subject": certificate.subject, "issuer": certificate.issuer, "not after": until},
        )
        return Check.from_finding(TLS, finding, subject=subject, seconds=seconds)
    message = f"certificate of {certificate.subject} is trusted and valid until {until}"
    return passed(TLS, message, subject=subject, seconds=seconds)


def ping(climb: Climb) -> Iterator[Check]:
    """Does the provider answer a request that needs no credential?"""
    for probe, exchange in climb.pings:
        yield _ping(climb, probe, exchange)


def _ping(climb: Climb, probe: Probe, exchange: Exchange) -> Check:
    subject = _subject(climb, probe)
    if exchange.response is not None and probe.accepted(exchange.response):
        whose = "an emulator of " if climb.target == "emulator" else ""
        message = f"{whose}{climb.provider.title} answers without a credential"
        return passed(PING, message, subject=subject, seconds=exchange.seconds)
    finding = diagnose(exchange, climb)
    if finding.cause is CauseId.CONTRACT_ENDPOINT_RETIRED:
        # Something answers at this address, but it is not the provider's API.
        finding = Finding(
            CauseId.CONFIG_MALFORMED_URL,
            f"what answers at this address has no {probe.path}, which every {climb.provider.title} has",
            finding.evidence,
            climb.integration.locate("settings"),
            next_step="Check host, port and path of the base URL: it may be another application's.",
        )
    finding = climb.place(finding)
    return Check.from_finding(PING, finding, subject=subject, seconds=exchange.seconds)
