"""Resolve, connect, TLS and ping: one exchange without a credential, judged rung by rung."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from mfagate.causes import CauseId
from mfagate.diagnosis import diagnose
from mfagate.exchange import Exchange, Phase
from mfagate.ladder.rung import Climb, passed, skipped
from mfagate.result import Check, Finding
from mfagate.wire import CaBundleError

RESOLVE, CONNECT, TLS, PING = "network.resolve", "network.connect", "network.tls", "provider.ping"


def _ping(climb: Climb) -> Exchange:
    if climb.ping is None:
        climb.ping = climb.live.send_unsigned(climb.provider.ping().request())
    return climb.ping


def _failed_in(exchange: Exchange, *phases: Phase) -> bool:
    return exchange.failure is not None and exchange.failure.phase in phases


def _failure(climb: Climb, check_id: str, exchange: Exchange) -> Check:
    return Check.from_finding(check_id, diagnose(exchange, climb.explain), seconds=exchange.seconds)


def resolve(climb: Climb) -> Iterator[Check]:
    """Does the host name resolve?"""
    try:
        exchange = _ping(climb)
    except CaBundleError as error:
        # Set by a variable of the environment; that of the file was looked at on the rung before.
        yield Check.from_finding(RESOLVE, Finding(CauseId.CONFIG_REFERENCE_UNRESOLVED, str(error)))
        return
    if _failed_in(exchange, Phase.RESOLVE):
        yield _failure(climb, RESOLVE, exchange)
    else:
        yield passed(RESOLVE, f"resolved to {exchange.address}", seconds=exchange.phases.get(Phase.RESOLVE, 0))


def connect(climb: Climb) -> Iterator[Check]:
    """Does anything answer on the port?"""
    exchange = _ping(climb)
    if _failed_in(exchange, Phase.CONNECT):
        yield _failure(climb, CONNECT, exchange)
    else:
        through = f" through the proxy {exchange.proxy}" if exchange.proxy else ""
        seconds = exchange.phases.get(Phase.CONNECT, 0)
        yield passed(CONNECT, f"connected to {exchange.address}{through}", seconds=seconds)


def tls(climb: Climb) -> Iterator[Check]:
    """Is the certificate trusted, for this name, and valid for a while?"""
    exchange = _ping(climb)
    seconds = exchange.phases.get(Phase.TLS, 0)
    if _failed_in(exchange, Phase.TLS):
        yield _failure(climb, TLS, exchange)
        return
    certificate = exchange.certificate
    if certificate is None:
        yield skipped(TLS, "the connection is plain http")
        return
    left = certificate.not_after - datetime.now(UTC)
    until = f"{certificate.not_after:%Y-%m-%d}"
    if left <= climb.horizon:
        finding = Finding(
            CauseId.NETWORK_TLS_EXPIRING_SOON,
            f"the server's certificate expires on {until}, in {left.days} days",
            {"subject": certificate.subject, "issuer": certificate.issuer, "not after": until},
        )
        yield Check.from_finding(TLS, finding, seconds=seconds)
    else:
        yield passed(TLS, f"certificate of {certificate.subject} is trusted and valid until {until}", seconds=seconds)


def ping(climb: Climb) -> Iterator[Check]:
    """Does the provider answer a request that needs no credential?"""
    exchange = _ping(climb)
    probe = climb.provider.ping()
    if exchange.response is not None and probe.accepted(exchange.response):
        yield passed(PING, f"{climb.provider.title} answers without a credential", seconds=exchange.seconds)
        return
    finding = diagnose(exchange, climb.explain)
    if finding.cause is CauseId.CONTRACT_ENDPOINT_RETIRED:
        # Something answers at this address, but it is not the provider's API.
        finding = Finding(
            CauseId.CONFIG_MALFORMED_URL,
            f"what answers at this address has no {probe.path}, which every {climb.provider.title} has",
            finding.evidence,
            climb.integration.locate("settings"),
            next_step="Check host, port and path of the base URL: it may be another application's.",
        )
    yield Check.from_finding(PING, finding, seconds=exchange.seconds)
