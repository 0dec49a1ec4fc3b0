"""Check name resolution, connection, TLS and ping with one request without a credential to each host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

from mfagate.checks.live import LiveContext, Ping
from mfagate.checks.probing import check_of, fault_of, send_probe
from mfagate.checks.reach import Sighting, is_unresolved
from mfagate.checks.results import passed, skipped
from mfagate.core import check_ids
from mfagate.core.causes import CauseId, Outcome, refuses
from mfagate.core.exchange import Exchange, Phase, Response, host_of
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.core.workers import at_once
from mfagate.inspection.settings import InspectedSettings
from mfagate.providers.probes import Probe
from mfagate.transport import CaBundleError


def resolve(live: LiveContext) -> Iterator[Check]:
    """Send the pings, and report whether the host names resolve."""
    probes = live.provider.probes.pings(live.settings)
    try:
        _ = live.target  # Made before the threads that share it.
        # All at once, because each host that does not answer takes a whole timeout.
        pings = [partial(_send, live, probe, is_only=len(probes) == 1) for probe in probes]
        live.evidence.pings = at_once(pings, len(pings))
    except CaBundleError as error:
        # An environment variable names this bundle; the configuration check has read that of the file.
        yield Check.from_finding(check_ids.NETWORK_RESOLVE, Finding(CauseId.CONFIG_REFERENCE_UNRESOLVED, str(error)))
        return
    yield from _phase(live, check_ids.NETWORK_RESOLVE, Phase.RESOLVE, lambda answer: f"resolved to {answer.address}")


def connect(live: LiveContext) -> Iterator[Check]:
    """Report whether a server accepts connections on the port."""

    def connected(exchange: Exchange) -> str:
        through = f" through the proxy {exchange.proxy}" if exchange.proxy else ""
        return f"connected to {exchange.address}{through}"

    yield from _phase(live, check_ids.NETWORK_CONNECT, Phase.CONNECT, connected)


def _phase(live: LiveContext, check_id: str, phase: Phase, message: Callable[[Exchange], str]) -> Iterator[Check]:
    for ping in live.evidence.pings:
        finding, exchange = _failed_in(ping, phase), ping.exchange
        if finding is not None:
            yield _failure(live, check_id, ping, finding)
        else:
            yield passed(check_id, message(exchange), subject=ping.subject, seconds=exchange.phases.get(phase, 0))


def _failed_in(ping: Ping, phase: Phase) -> Finding | None:
    """Return the finding of a ping that failed in this phase."""
    failure = ping.exchange.failure
    return ping.finding if failure is not None and failure.phase is phase else None


def _failure(live: LiveContext, check_id: str, ping: Ping, finding: Finding) -> Check:
    exchange = ping.exchange
    finding = ping.attempts.counted(finding)
    if exchange.failure is not None and is_unresolved(exchange.failure):
        named = what_names(live.context.tables.settings, exchange)
        finding = _unresolved(live, finding, named, str(urlsplit(exchange.request.url).hostname))
    return Check.from_finding(check_id, finding, subject=ping.subject, seconds=exchange.seconds)


@dataclass(frozen=True, slots=True)
class Named:
    """Where the configuration names a host.

    ``setting`` is None for ``endpoint``; ``part`` is the part of the host name that is configured.
    """

    setting: str | None
    part: str


def what_names(settings: InspectedSettings, exchange: Exchange) -> Named | None:
    """Find what names the host of a request: the endpoint, or the setting that holds it or a part of it."""
    host, endpoint = host_of(exchange.request.url), settings.integration.endpoint
    if endpoint is not None and _host(endpoint) == host:
        return Named(None, host)
    parts = {
        field.name: _host(str(value.value))
        for field in settings.declared.fields()
        if (value := settings.values.get(field.name)) is not None and value.value and not field.secret
    }
    found = [name for name, part in parts.items() if part and f".{part}." in f".{host}."]
    setting = max(found, key=lambda name: len(parts[name]), default=None)
    return Named(setting, parts[setting]) if setting is not None else None


def _host(text: str) -> str:
    """Return the host of a URL or of a bare host name; empty if there is none."""
    return host_of(text if "://" in text else f"//{text}")


def _unresolved(live: LiveContext, finding: Finding, named: Named | None, host: str) -> Finding:
    """Locate the setting that names the host, and name both suspects: the name and the resolver."""
    if finding.effective_outcome is not Outcome.FAIL:
        step = (
            f"The name {host} may be right, but this machine cannot look it up. Check its resolver: /etc/resolv.conf, "
            "the cluster's DNS, and outgoing traffic to port 53. Then run the gate again."
        )
        setting = named.setting if named else None
        return live.locate(replace(finding, next_step=finding.next_step or step, setting=setting))
    if named is None:
        step = (
            f"No setting contains {host}: it is the provider's own name. Check this machine's resolver, and any filter "
            "that blocks the name."
        )
        return replace(finding, next_step=finding.next_step or step)
    location, where, settings = live.integration.locate("endpoint"), "", live.context.tables.settings
    if named.setting is not None:
        location = settings.values[named.setting].change_here
        field = next(field for field in settings.declared.fields() if field.name == named.setting)
        where = f" Where to find it: {field.setting.where}."
    step = (
        "Either the name is wrong, or this machine's resolver does not know it. Look up another name here (getent "
        f"hosts www.example.com). If that works, correct {named.setting or 'endpoint'} in {location}.{where} If not, "
        "fix this machine's resolver."
    )
    finding = replace(finding, next_step=finding.next_step or step, location=location, setting=named.setting)
    return live.locate(finding)


def sightings(live: LiveContext) -> Iterator[Sighting]:
    """Yield how far each ping got, to compare all integrations of a run."""
    bundle = live.integration.ca_bundle
    for ping in live.evidence.pings:
        named = what_names(live.context.tables.settings, ping.exchange)
        yield Sighting.of(
            ping.exchange,
            named.part if named else None,
            trust=str(bundle) if bundle is not None else None,
            integration=live.integration.name,
            subject=ping.subject,
        )


def tls(live: LiveContext) -> Iterator[Check]:
    """Report whether the certificate is trusted, matches the host, and does not expire soon."""
    for ping in live.evidence.pings:
        yield _tls(live, ping)


def _tls(live: LiveContext, ping: Ping) -> Check:
    exchange, subject = ping.exchange, ping.subject
    seconds = exchange.phases.get(Phase.TLS, 0)
    if (failure := _failed_in(ping, Phase.TLS)) is not None:
        return _failure(live, check_ids.NETWORK_TLS, ping, failure)
    certificate = exchange.certificate
    if certificate is None:
        return skipped(check_ids.NETWORK_TLS, "the connection is plain http", subject=subject)
    left = certificate.not_after - datetime.now(UTC)
    until = f"{certificate.not_after:%Y-%m-%d}"
    if left <= live.context.horizon:
        finding = Finding(
            CauseId.NETWORK_TLS_EXPIRING_SOON,
            f"the server's certificate expires on {until}, in {left.days} days",
            {"subject": certificate.subject.quoted(), "issuer": certificate.issuer.quoted(), "not after": until},
            expires=certificate.not_after,
        )
        return Check.from_finding(check_ids.NETWORK_TLS, finding, subject=subject, seconds=seconds)
    message = f"certificate of {certificate.subject.quoted()} is trusted and valid until {until}"
    return passed(check_ids.NETWORK_TLS, message, subject=subject, seconds=seconds).until(certificate.not_after)


def ping(live: LiveContext) -> Iterator[Check]:
    """Report whether the provider answers a request that needs no credential."""
    for ping in live.evidence.pings:
        yield _ping(live, ping)


def _send(live: LiveContext, probe: Probe, *, is_only: bool) -> Ping:
    find_fault = partial(fault_of, live, probe, diagnose=partial(_diagnose, live))
    return Ping(probe, send_probe(live, probe, find_fault, unsigned=True), None if is_only else probe.subject)


def _diagnose(live: LiveContext, exchange: Exchange, probe: Probe) -> Finding:
    """Return what a ping's answer shows; a warning if the path is missing or blocked.

    The provider may still be available: older versions lack the path, and some proxies block it. So the credential is
    checked next. That check uses this finding if its own answer is not the provider's either.
    """
    finding = live.diagnoser.diagnose(exchange, probe, unsigned=True)
    response = exchange.response
    if response is None or not _is_refused_or_missing(live, exchange, response, finding):
        return finding
    return Finding(
        CauseId.PROVIDER_PING_UNAVAILABLE,
        f"{probe.method} {probe.path} is missing or blocked ({response.status}); the credential is checked next",
        {name: shown for name, shown in finding.evidence.items() if name != "differences"},
    )


_NOT_THE_PROVIDER = (
    CauseId.PROVIDER_REFUSAL_UNRECOGNISED, CauseId.CONTRACT_ENDPOINT_RETIRED, CauseId.CONTRACT_STATUS_CHANGED,
    CauseId.CONTRACT_NOT_JSON, CauseId.CONTRACT_BODY_UNREADABLE, CauseId.CONTRACT_HEADER_CHANGED,
)  # fmt: skip


_NOT_HERE = (404, 405, 410)


def _is_refused_or_missing(live: LiveContext, exchange: Exchange, response: Response, finding: Finding) -> bool:
    """Return whether a server answered that it does not serve this path, with no known error of the provider.

    A page with status 200, a redirect and a rate limit are different cases.
    """
    if not 400 <= response.status < 500 or response.status in (407, 429):
        return False
    known = live.dialect.explain(exchange)
    if known is not None and not (refuses(known.cause) or known.cause is CauseId.CONTRACT_ENDPOINT_RETIRED):
        return False
    # An error in the provider's own format is not a changed format, although a successful answer has another one.
    is_an_error = response.status in _NOT_HERE or live.provider.dialect.error_of(response) is not None
    return is_an_error or finding.cause in _NOT_THE_PROVIDER


def _ping(live: LiveContext, ping: Ping) -> Check:
    attempts = ping.attempts
    finding = attempts.finding and live.locate(attempts.counted(attempts.finding))
    whose = "an emulator of " if live.target_kind == "emulator" else ""
    message = f"{whose}{live.provider.title} answers without a credential"
    return check_of(check_ids.PROVIDER_PING, ping.subject, ping.exchange, finding, message, **attempts.summary)
