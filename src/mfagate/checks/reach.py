"""Find out how far the requests of a run got on their way to the hosts, and whether this machine stopped them all.

A host may be misspelt, down, or blocked. But if no request to any of several hosts gets past name resolution, the
proxy, the connection or TLS, the likely fault is what they share: this machine.
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
    """How far one request got on its way to its host.

    ``named`` is the part of the host that the configuration names, or else the whole host: one wrong region explains
    all hosts with the region in their name. ``trust`` is the configured CA bundle. ``integration`` is None if the
    request belongs to none. ``subject`` is that of its checks.
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
        """Make the sighting of an exchange. ``more`` are further fields."""
        url = exchange.request.url
        return cls(url, named or host_of(url), exchange.failure, exchange.proxy, **more)

    @property
    def host(self) -> str:
        """The host of the request, in lower case."""
        return host_of(self.url)

    @property
    def check_id(self) -> str:
        """The id of the check that reports the failure."""
        ping = check_ids.PROVIDER_PING
        return _CHECKS.get(self.failure.phase, ping) if self.failure is not None else ping

    @property
    def is_here(self) -> bool:
        """Whether the request went to this machine, without any network."""
        return is_loopback(self.url)

    @property
    def shows_network(self) -> bool:
        """Whether it shows anything about the network; a lack of file descriptors, say, does not."""
        return self.failure is None or self.failure.cause.family is CauseFamily.NETWORK

    def failed_in(self, phase: Phase) -> bool:
        """Return whether it failed in this phase."""
        return self.failure is not None and self.failure.phase is phase

    def reached(self, phase: Phase) -> bool:
        """Return whether it passed all phases before this one."""
        return not any(self.failed_in(earlier) for earlier in _STEPS[: _STEPS.index(phase)])


def is_stopped(sighting: Sighting) -> bool:
    """Return whether a request to another machine was stopped on its way, so that a further host can show more."""
    stopped = any(map(sighting.failed_in, _STEPS)) or _blames_proxy(sighting)
    return stopped and sighting.shows_network and not sighting.is_here


def is_unresolved(failure: Failure) -> bool:
    """Return whether this machine's resolver, or a proxy, knows no address of the host."""
    return failure.cause is CauseId.NETWORK_DNS_FAILURE or could_not_resolve(failure.evidence.get("proxy error"))


@dataclass(frozen=True, slots=True)
class _Step:
    """One step on the way to a host.

    Args:
        applies: Whether a sighting shows anything about this step.
        failed: Whether it failed in this step.
        group: Only sightings of the same group are compared.
        message: The message of the finding, with placeholders.
        next_step: Makes the next step from the failures.
    """

    applies: Callable[[Sighting], bool]
    failed: Callable[[Sighting], bool]
    group: Callable[[Sighting], str | None]
    message: str
    next_step: Callable[[Sequence[Failure]], str]


def this_machine(sightings: Sequence[Sighting]) -> Iterator[tuple[Sighting, Finding]]:
    """Yield each sighting whose failure is this machine's fault, with the finding.

    It is this machine's fault if at least two hosts were contacted, and no sighting of the group passed a step.
    """
    away = [sighting for sighting in sightings if not sighting.is_here and sighting.shows_network]
    for step in _WAY:
        witnesses = [sighting for sighting in away if step.applies(sighting)]
        for group in dict.fromkeys(map(step.group, witnesses)):
            members = [sighting for sighting in witnesses if step.group(sighting) == group]
            different = min(len({member.host for member in members}), len({member.named for member in members}))
            if different >= _FEWEST_HOSTS and all(map(step.failed, members)):
                yield from _findings(step, members)


def _findings(step: _Step, members: Sequence[Sighting]) -> Iterator[tuple[Sighting, Finding]]:
    hosts = list(dict.fromkeys(member.host for member in members))
    failed = [(member, member.failure) for member in members if member.failure is not None]
    failures = [failure for _, failure in failed]
    # If all messages are equal, they name no host, so they are about what the hosts share.
    shared = f": {failures[0].message}" if len({failure.message for failure in failures}) == 1 else ""
    for member, failure in failed:
        message = step.message.format(number=len(hosts), hosts=some(hosts), proxy=member.proxy or "on the way")
        evidence = {"hosts": ", ".join(hosts), "this host": f"{failure.message} ({failure.cause})"}
        next_step = step.next_step(failures)
        yield member, Finding(CauseId.NETWORK_THIS_MACHINE, message + shared, evidence, next_step=next_step)


def _through_proxy(sighting: Sighting) -> bool:
    return sighting.proxy is not None or _blames_proxy(sighting)


def _blames_proxy(sighting: Sighting) -> bool:
    return sighting.failure is not None and sighting.failure.cause is CauseId.NETWORK_PROXY


_FILTERED = (
    "Check this machine's name resolution first: the names lead to no server. Look for them in /etc/hosts. If they are "
    "not there, ask the operator of this machine's name servers (/etc/resolv.conf) to remove them from the filter."
)


def _is_filtered(failures: Sequence[Failure]) -> bool:
    return all(LEADS_TO in failure.evidence for failure in failures)


def _resolver(failures: Sequence[Failure]) -> str:
    if _is_filtered(failures):
        return _FILTERED
    return (
        "Check this machine's resolver first: see whether other names resolve here (getent hosts www.example.com), "
        "and check /etc/resolv.conf, the cluster's DNS, and outgoing traffic to port 53. If other names resolve, "
        "compare the hosts with the provider's console."
    )


def _route(failures: Sequence[Failure]) -> str:
    if _is_filtered(failures):
        return _FILTERED
    return (
        "Check this machine's network first: its default route (ip route), the egress rules of its network, and "
        "whether it must use a proxy (HTTPS_PROXY is not set for these hosts). If other hosts answer from here, "
        "ask the network team to allow these."
    )


def _proxy(failures: Sequence[Failure]) -> str:
    first = failures[0].next_step or (
        "Check that it is the right one (HTTPS_PROXY, NO_PROXY), that it answers, and that it allows connections from "
        "this machine to these hosts."
    )
    return f"Check the proxy first. {first}"


def _trust(failures: Sequence[Failure]) -> str:
    causes = {failure.cause for failure in failures}
    evidence = failures[0].evidence
    if causes == {CauseId.NETWORK_TLS_EXPIRED}:
        return "Compare this machine's clock with the real time first: date -u."
    if CauseId.NETWORK_TLS_UNTRUSTED in causes:
        missing = evidence.get("issuer not sent", evidence.get("issuer", "an unknown issuer"))
        return (
            f"Check this machine's trust store first: the CA bundle in use is {evidence.get('ca_bundle')}, and the "
            f"certificates lead to {missing}. If that is your company's own authority (a device on the way decrypts "
            "TLS), add its certificate to the bundle, or set ca_bundle or REQUESTS_CA_BUNDLE. If it is a public "
            "authority, update the bundle (certifi, ca-certificates). Never disable verification."
        )
    return (
        "Ask the network team which device between this machine and the Internet interrupts or answers TLS (a "
        "firewall, an inspecting proxy, a login page of the network)."
    )


_WAY = (
    _Step(
        applies=lambda one: not _through_proxy(one) and not is_address(one.host),
        failed=lambda one: one.failed_in(Phase.RESOLVE),
        group=lambda one: None,
        message="this machine resolves none of the {number} hosts of this run: {hosts}",
        next_step=_resolver,
    ),
    _Step(
        applies=lambda one: not _through_proxy(one) and one.reached(Phase.CONNECT),
        failed=lambda one: one.failed_in(Phase.CONNECT),
        group=lambda one: None,
        message="this machine connects to none of the {number} hosts of this run: {hosts}",
        next_step=_route,
    ),
    _Step(
        applies=_through_proxy,
        failed=_blames_proxy,
        group=lambda one: one.proxy,
        message="the proxy {proxy} connects this machine to none of the {number} hosts of this run: {hosts}",
        next_step=_proxy,
    ),
    _Step(
        applies=lambda one: one.url.startswith("https:") and one.reached(Phase.TLS) and not _blames_proxy(one),
        failed=lambda one: one.failed_in(Phase.TLS),
        group=lambda one: one.trust,
        message="TLS succeeds from this machine with none of the {number} hosts of this run: {hosts}",
        next_step=_trust,
    ),
)
