"""Tell how far the requests of a run came on their way to the hosts, and whether this machine stopped all of them.

A host may be misspelt, down, or blocked. If no request to any of several hosts gets past name resolution, the
proxy, the connection or TLS, then what they share is to be looked at first: this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mfagate.config.shapes import is_address, is_loopback
from mfagate.core import check_ids
from mfagate.core.causes import CauseFamily, CauseId
from mfagate.core.exchange import LEADS_TO, Exchange, Failure, Phase, host_of
from mfagate.core.finding import Finding, some
from mfagate.core.intermediaries import could_not_resolve

_CHECKS = {
    Phase.RESOLVE: check_ids.NETWORK_RESOLVE,
    Phase.CONNECT: check_ids.NETWORK_CONNECT,
    Phase.TLS: check_ids.NETWORK_TLS,
}

_STEPS = tuple(_CHECKS)

_FEWEST_HOSTS = 2


@dataclass(frozen=True, slots=True)
class Sighting:
    """What became of one request, as a witness for the way to its host.

    ``named`` is the part of the host that the configuration names, or else the whole host: one wrong region explains
    all hosts that have it in their name. ``trust`` is the configured CA bundle. ``integration`` is None if no
    integration asked. ``subject`` is that of its checks.
    """

    url: str
    named: str
    failure: Failure | None = None
    proxy: str | None = None
    trust: str | None = None
    integration: str | None = None
    subject: str | None = None

    @classmethod
    def of(cls, exchange: Exchange, named: str | None = None, **more: str | None) -> Sighting:
        """Return what an exchange shows. ``more`` are further fields."""
        url = exchange.request.url
        return cls(url, named or host_of(url), exchange.failure, exchange.proxy, **more)

    @property
    def host(self) -> str:
        """Return the host that was asked, in lower case."""
        return host_of(self.url)

    @property
    def check_id(self) -> str:
        """Return the id of the check that reports the failure."""
        ping = check_ids.PROVIDER_PING
        return _CHECKS.get(self.failure.phase, ping) if self.failure is not None else ping

    @property
    def is_here(self) -> bool:
        """Return whether this machine was asked, which takes no network."""
        return is_loopback(self.url)

    @property
    def is_about_the_way(self) -> bool:
        """Return whether it tells anything about the network: a lack of file descriptors, say, does not."""
        return self.failure is None or self.failure.cause.family is CauseFamily.NETWORK

    def failed_in(self, phase: Phase) -> bool:
        """Return whether it failed in this phase."""
        return self.failure is not None and self.failure.phase is phase

    def came_to(self, phase: Phase) -> bool:
        """Return whether it passed all steps before this one."""
        return not any(self.failed_in(earlier) for earlier in _STEPS[: _STEPS.index(phase)])


def is_stopped(one: Sighting) -> bool:
    """Return whether a request to another machine was stopped on its way, so that a further host can tell more."""
    stopped = any(map(one.failed_in, _STEPS)) or _blames_proxy(one)
    return stopped and one.is_about_the_way and not one.is_here


def is_unresolved(failure: Failure) -> bool:
    """Return whether the host's name has no address, as far as this machine's resolver or a proxy knows."""
    return failure.cause is CauseId.NETWORK_DNS_FAILURE or could_not_resolve(failure.evidence.get("proxy error"))


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of the way: whose sightings tell about it, which of them did not pass it, and what is then to be said.

    Sightings with different ``group`` say nothing about each other.
    """

    asks: Callable[[Sighting], bool]
    failed: Callable[[Sighting], bool]
    group: Callable[[Sighting], str | None]
    message: str
    next_step: Callable[[Sequence[Failure]], str]


def this_machine(sightings: Sequence[Sighting]) -> Iterator[tuple[Sighting, Finding]]:
    """Yield each sighting that this machine explains, with the finding.

    That is so if no sighting of its group passed a step, and at least two hosts were asked.
    """
    away = [one for one in sightings if not one.is_here and one.is_about_the_way]
    for step in _WAY:
        asked = [one for one in away if step.asks(one)]
        for group in dict.fromkeys(map(step.group, asked)):
            members = [one for one in asked if step.group(one) == group]
            hosts = list(dict.fromkeys(one.host for one in members))
            apart = {one.named for one in members}
            if len(hosts) < _FEWEST_HOSTS or len(apart) < _FEWEST_HOSTS or not all(map(step.failed, members)):
                continue
            for one in members:
                yield one, _finding(step, one, hosts, members)


def _finding(step: _Step, one: Sighting, hosts: Sequence[str], members: Sequence[Sighting]) -> Finding:
    failure = one.failure
    assert failure is not None, "a sighting that failed at a step has a failure"
    evidence = {"hosts": ", ".join(hosts), "this host": f"{failure.message} ({failure.cause})"}
    message = step.message.format(number=len(hosts), hosts=some(hosts), proxy=one.proxy or "on the way")
    failures = [each.failure for each in members if each.failure is not None]
    if len({each.message for each in failures}) == 1:  # It names no host, so it is about what they share.
        message += f": {failure.message}"
    return Finding(CauseId.NETWORK_THIS_MACHINE, message, evidence, next_step=step.next_step(failures))


def _through_proxy(one: Sighting) -> bool:
    return one.proxy is not None or _blames_proxy(one)


def _blames_proxy(one: Sighting) -> bool:
    return one.failure is not None and one.failure.cause is CauseId.NETWORK_PROXY


_FILTERED = (
    "Look at this machine's name resolution first: the names lead to no server. Look for them in /etc/hosts. If they "
    "are not there, ask who runs this machine's name servers (/etc/resolv.conf) to take them out of their filter."
)


def _is_filtered(failures: Sequence[Failure]) -> bool:
    return all(LEADS_TO in failure.evidence for failure in failures)


def _resolver(failures: Sequence[Failure]) -> str:
    if _is_filtered(failures):
        return _FILTERED
    return (
        "Look at this machine's resolver first: see whether other names resolve here (getent hosts www.example.com), "
        "and check /etc/resolv.conf, the cluster's DNS, and whether port 53 may leave the network. If other names "
        "resolve, compare the hosts with the provider's console."
    )


def _route(failures: Sequence[Failure]) -> str:
    if _is_filtered(failures):
        return _FILTERED
    return (
        "Look at this machine's network first: its default route (ip route), the egress rules of its network, and "
        "whether it has to use a proxy (HTTPS_PROXY is not set for these hosts). If other hosts answer from here, "
        "have these allowed."
    )


def _proxy(failures: Sequence[Failure]) -> str:
    first = failures[0].next_step or (
        "See whether it is the right one (HTTPS_PROXY, NO_PROXY), whether it answers, and whether it may connect "
        "this machine to these hosts."
    )
    return f"Look at the proxy first. {first}"


def _trust(failures: Sequence[Failure]) -> str:
    causes = {failure.cause for failure in failures}
    evidence = failures[0].evidence
    if causes == {CauseId.NETWORK_TLS_EXPIRED}:
        return "Compare this machine's clock with the real time first: date -u."
    if CauseId.NETWORK_TLS_UNTRUSTED in causes:
        missing = evidence.get("issuer not sent", evidence.get("issuer", "an unknown issuer"))
        return (
            f"Look at this machine's trust store first: the CA bundle in use is {evidence.get('ca_bundle')}, and the "
            f"certificates lead to {missing}. If that is your company's own authority (a device opens TLS on the "
            "way), add its certificate to the bundle, or name one with ca_bundle or REQUESTS_CA_BUNDLE. If it is a "
            "public one, update the bundle (certifi, ca-certificates). Never switch verification off."
        )
    return (
        "Ask the network team which device between this machine and the Internet interrupts or answers TLS (a "
        "firewall, an inspecting proxy, a login page of the network)."
    )


_WAY = (
    _Step(
        asks=lambda one: not _through_proxy(one) and not is_address(one.host),
        failed=lambda one: one.failed_in(Phase.RESOLVE),
        group=lambda one: None,
        message="this machine resolves none of the {number} hosts of this run: {hosts}",
        next_step=_resolver,
    ),
    _Step(
        asks=lambda one: not _through_proxy(one) and one.came_to(Phase.CONNECT),
        failed=lambda one: one.failed_in(Phase.CONNECT),
        group=lambda one: None,
        message="this machine connects to none of the {number} hosts of this run: {hosts}",
        next_step=_route,
    ),
    _Step(
        asks=_through_proxy,
        failed=_blames_proxy,
        group=lambda one: one.proxy,
        message="the proxy {proxy} connects this machine to none of the {number} hosts of this run: {hosts}",
        next_step=_proxy,
    ),
    _Step(
        asks=lambda one: one.url.startswith("https:") and one.came_to(Phase.TLS) and not _blames_proxy(one),
        failed=lambda one: one.failed_in(Phase.TLS),
        group=lambda one: one.trust,
        message="TLS succeeds from this machine with none of the {number} hosts of this run: {hosts}",
        next_step=_trust,
    ),
)
