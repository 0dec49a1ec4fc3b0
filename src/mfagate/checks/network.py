"""Resolve, connect, TLS and ping: one exchange a host without a credential, judged rung by rung."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

from mfagate.checks.context import CheckContext, passed, skipped
from mfagate.checks.reach import Sighting, is_unresolved
from mfagate.checks.retry import Attempts, ask_probe, judging
from mfagate.core.causes import CauseId, Outcome, refuses
from mfagate.core.exchange import Exchange, Phase, host_of
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.inspection.settings import InspectedSettings
from mfagate.providers.base import Probe
from mfagate.transport import CaBundleError

RESOLVE, CONNECT, TLS, PING = "network.resolve", "network.connect", "network.tls", "provider.ping"


def resolve(climb: CheckContext) -> Iterator[Check]:
    """Does the host name resolve?"""
    probes = climb.provider.pings(climb.settings)
    try:
        _ = climb.live  # Made before the threads that share it.
        # At once, because a host that is silent costs a whole timeout.
        with ThreadPoolExecutor(max_workers=max(1, len(probes)), thread_name_prefix="ping") as pool:
            climb.pings = list(zip(probes, pool.map(lambda probe: _ask(climb, probe), probes), strict=True))
    except CaBundleError as error:
        # Set by a variable of the environment; that of the file was looked at on the rung before.
        yield Check.from_finding(RESOLVE, Finding(CauseId.CONFIG_REFERENCE_UNRESOLVED, str(error)))
        return
    yield from _phase(climb, RESOLVE, Phase.RESOLVE, lambda exchange: f"resolved to {exchange.address}")


def connect(climb: CheckContext) -> Iterator[Check]:
    """Does anything answer on the port?"""

    def connected(exchange: Exchange) -> str:
        through = f" through the proxy {exchange.proxy}" if exchange.proxy else ""
        return f"connected to {exchange.address}{through}"

    yield from _phase(climb, CONNECT, Phase.CONNECT, connected)


def _phase(climb: CheckContext, check_id: str, phase: Phase, message: Callable[[Exchange], str]) -> Iterator[Check]:
    for probe, picture in climb.pings:
        subject, exchange = _subject(climb, probe), picture.shown.value
        if _failed_in(exchange, phase):
            yield _failure(climb, check_id, picture, subject)
        else:
            yield passed(check_id, message(exchange), subject=subject, seconds=exchange.phases.get(phase, 0))


def _subject(climb: CheckContext, probe: Probe) -> str | None:
    """Which host, where there are several."""
    return probe.subject if len(climb.pings) > 1 else None


def _failed_in(exchange: Exchange, *phases: Phase) -> bool:
    return exchange.failure is not None and exchange.failure.phase in phases


def _failure(climb: CheckContext, check_id: str, picture: Attempts[Exchange], subject: str | None) -> Check:
    exchange = picture.shown.value
    finding = picture.counted(climb.diagnose(exchange))
    if exchange.failure is not None and is_unresolved(exchange.failure):
        named = what_names(climb.subject, exchange)
        finding = _unresolved(climb, finding, named, str(urlsplit(exchange.request.url).hostname))
    return Check.from_finding(check_id, finding, subject=subject, seconds=exchange.seconds)


@dataclass(frozen=True, slots=True)
class Named:
    """Where the configuration names a host: ``setting`` is None for ``endpoint``, ``part`` what it names of it."""

    setting: str | None
    part: str


def what_names(subject: InspectedSettings, exchange: Exchange) -> Named | None:
    """Find what names the host of a request: the endpoint, or the setting that holds it or a part of it."""
    host, endpoint = host_of(exchange.request.url), subject.integration.endpoint
    if endpoint is not None and _host(endpoint) == host:
        return Named(None, host)
    parts = {
        field.name: _host(str(value.value))
        for field in subject.declared.fields()
        if (value := subject.values.get(field.name)) is not None and value.value and not field.secret
    }
    found = [name for name, part in parts.items() if part and f".{part}." in f".{host}."]
    setting = max(found, key=lambda name: len(parts[name]), default=None)
    return Named(setting, parts[setting]) if setting is not None else None


def _host(text: str) -> str:
    """Return the host of a URL or of a bare host name; empty if there is none."""
    return host_of(text if "://" in text else f"//{text}")


def _unresolved(climb: CheckContext, finding: Finding, named: Named | None, host: str) -> Finding:
    """Point at what names the host, and name both suspects: the name, and the resolver."""
    if finding.effective_outcome is not Outcome.FAIL:
        step = (
            f"Nothing is known of {host}: its name may be right. Look at this machine's resolver: /etc/resolv.conf, "
            "the cluster's DNS, and whether port 53 may leave the network. Then run the gate again."
        )
        step = finding.next_step or step
        return climb.place(replace(finding, next_step=step, setting=named.setting if named else None))
    if named is None:
        step = (
            f"No setting names {host}, it is the provider's own. Look at this machine's resolver, and at a filter "
            "that hides the name."
        )
        return replace(finding, next_step=finding.next_step or step)
    location, where = climb.integration.locate("endpoint"), ""
    if named.setting is not None:
        location = climb.subject.values[named.setting].change_here
        field = next(field for field in climb.subject.declared.fields() if field.name == named.setting)
        where = f" Where to find it: {field.setting.where}."
    step = (
        "Either the name is wrong, or this machine's resolver does not know it. Look up another name here (getent "
        f"hosts www.example.com). If that works, correct {named.setting or 'endpoint'} in {location}.{where} If not, "
        "repair this machine's resolver."
    )
    finding = replace(finding, next_step=finding.next_step or step, location=location, setting=named.setting)
    return climb.place(finding)


def sightings(climb: CheckContext) -> Iterator[Sighting]:
    """Yield how far the pings came, for those who look at all integrations of a run."""
    bundle = climb.integration.ca_bundle
    for probe, picture in climb.pings:
        exchange = picture.shown.value
        named = what_names(climb.subject, exchange)
        yield Sighting.of(
            exchange,
            named.part if named else None,
            trust=str(bundle) if bundle is not None else None,
            integration=climb.integration.name,
            subject=_subject(climb, probe),
        )


def tls(climb: CheckContext) -> Iterator[Check]:
    """Is the certificate trusted, for this name, and valid for a while?"""
    for probe, picture in climb.pings:
        yield _tls(climb, picture, _subject(climb, probe))


def _tls(climb: CheckContext, picture: Attempts[Exchange], subject: str | None) -> Check:
    exchange = picture.shown.value
    seconds = exchange.phases.get(Phase.TLS, 0)
    if _failed_in(exchange, Phase.TLS):
        return _failure(climb, TLS, picture, subject)
    certificate = exchange.certificate
    if certificate is None:
        return skipped(TLS, "the connection is plain http", subject=subject)
    left = certificate.not_after - datetime.now(UTC)
    until = f"{certificate.not_after:%Y-%m-%d}"
    if left <= climb.horizon:
        finding = Finding(
            CauseId.NETWORK_TLS_EXPIRING_SOON,
            f"the server's certificate expires on {until}, in {left.days} days",
            {"subject": certificate.subject.quoted(), "issuer": certificate.issuer.quoted(), "not after": until},
            expires=certificate.not_after,
        )
        return Check.from_finding(TLS, finding, subject=subject, seconds=seconds)
    message = f"certificate of {certificate.subject.quoted()} is trusted and valid until {until}"
    return passed(TLS, message, subject=subject, seconds=seconds).until(certificate.not_after)


def ping(climb: CheckContext) -> Iterator[Check]:
    """Does the provider answer a request that needs no credential?"""
    for probe, picture in climb.pings:
        yield _ping(climb, probe, picture)


def _ask(climb: CheckContext, probe: Probe) -> Attempts[Exchange]:
    return ask_probe(climb, probe, _judge(climb, probe), unsigned=True)


def _judge(climb: CheckContext, probe: Probe) -> Callable[[Exchange], Finding | None]:
    return judging(probe, partial(_wrong, climb))


def _wrong(climb: CheckContext, exchange: Exchange, probe: Probe) -> Finding:
    """Return what a ping's answer shows; a warning where the answer says that there is nothing to ask at its path.

    The provider may be there all the same: older versions lack the path, and proxies let only some paths through.
    So the credential is asked next. Its rung takes the finding up if its own answer is not the provider's either.
    """
    finding = climb.diagnose(exchange, probe, unsigned=True)
    if not _is_refused_or_missing(climb, exchange, finding):
        return finding
    response = exchange.response
    assert response is not None, "a failure is neither"
    return Finding(
        CauseId.PROVIDER_PING_UNAVAILABLE,
        f"{probe.method} {probe.path} is missing or blocked ({response.status}); the credential is asked next",
        {name: shown for name, shown in finding.evidence.items() if name != "differences"},
    )


_NOTHING_TO_ASK = (
    CauseId.PROVIDER_REFUSAL_UNRECOGNISED, CauseId.CONTRACT_ENDPOINT_RETIRED, CauseId.CONTRACT_STATUS_CHANGED,
    CauseId.CONTRACT_NOT_JSON, CauseId.CONTRACT_BODY_UNREADABLE, CauseId.CONTRACT_HEADER_CHANGED,
)  # fmt: skip


_NOT_HERE = (404, 405, 410)


def _is_refused_or_missing(climb: CheckContext, exchange: Exchange, finding: Finding) -> bool:
    """Return whether something answered that it does not serve this path, in no words that the provider is known for.

    A page with status 200, a redirect and a limit on the rate are something else.
    """
    response = exchange.response
    if response is None or not 400 <= response.status < 500 or response.status in (407, 429):
        return False
    known = climb.explain(exchange)
    if known is not None and not (refuses(known.cause) or known.cause is CauseId.CONTRACT_ENDPOINT_RETIRED):
        return False
    # An error in the provider's own form is no form that changed, although a good answer has another one.
    is_an_error = response.status in _NOT_HERE or climb.provider.error_of(response) is not None
    return is_an_error or finding.cause in _NOTHING_TO_ASK


def _elsewhere(climb: CheckContext, probe: Probe, finding: Finding) -> Finding:
    """Return what a missing ping comes to if the credential is not understood there either."""
    return Finding(
        CauseId.CONFIG_MALFORMED_URL,
        f"what answers at this address is not {climb.provider.title}'s API: it has no {probe.path}, and does not "
        "understand the request with the credential",
        finding.evidence,
        climb.integration.locate("settings"),
        next_step="Check host, port and path of the base URL: it may be another application's. If they are those of "
        "the login service, look at what is in front of the server: a proxy, a gateway, a firewall.",
    )


def _ping(climb: CheckContext, probe: Probe, picture: Attempts[Exchange]) -> Check:
    subject, exchange = _subject(climb, probe), picture.shown.value
    finding = _judge(climb, probe)(exchange)
    if finding is None:
        whose = "an emulator of " if climb.target == "emulator" else ""
        message = f"{whose}{climb.provider.title} answers without a credential"
        return passed(PING, message, subject=subject, seconds=exchange.seconds, **picture.told)
    if finding.cause is CauseId.PROVIDER_PING_UNAVAILABLE:
        climb.missing_pings.append(_elsewhere(climb, probe, finding))
    finding = climb.place(picture.counted(finding))
    return Check.from_finding(PING, finding, subject=subject, seconds=exchange.seconds)
