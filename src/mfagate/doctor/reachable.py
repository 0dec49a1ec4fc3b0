"""What can be reached: the hosts of each integration, through the proxy that applies, and the clock."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from mfagate.checks.live_target import LiveTarget
from mfagate.checks.network import what_names
from mfagate.checks.reach import Sighting, this_machine
from mfagate.config.model import Integration
from mfagate.config.settings import ProviderSettings
from mfagate.core.causes import load as load_cause
from mfagate.core.exchange import Exchange, Phase
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.doctor.findings import Area, Item, Readiness
from mfagate.doctor.readable import Tables
from mfagate.inspection.settings import InspectedSettings
from mfagate.providers import registry
from mfagate.providers.probes import Probe
from mfagate.transport import CaBundleError, clock_offset

_MOST_AT_ONCE = 8

_CLOCK_SECONDS = 30.0
"""The difference that is reported. In the gate, each provider has its own limit."""

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class _Host:
    """A host, which gets one request. ``users`` are the integrations that need it; ``subject`` is that of the first."""

    url: str
    subject: InspectedSettings
    target: LiveTarget
    probe: Probe
    users: list[str]


def reachable(integrations: Sequence[Integration], tables: Tables) -> Iterator[Item]:
    """Yield an item for each host. The requests are the ones that the gate sends without a credential."""
    yield from _proxies()
    hosts: dict[str, _Host] = {}
    for one in integrations:
        if one.uses_sandbox:
            detail = "a sandbox on this machine, started when needed"
            yield Item(Area.REACHABLE, f"host of {one.name}", Readiness.NOT_NEEDED, detail)
            continue
        try:
            for host in _hosts(one, tables[one.name]["settings"]):
                hosts.setdefault(host.url, host).users.append(one.name)
        except CaBundleError as error:
            step = "Correct the variable that names the CA bundle (REQUESTS_CA_BUNDLE, SSL_CERT_FILE), or ca_bundle."
            yield Item(Area.REACHABLE, f"host of {one.name}", Readiness.NO, str(error), step)
        except Exception:  # noqa: BLE001 - a missing or malformed setting has many effects
            detail = "unknown, because a setting that it depends on is missing or cannot be used: see mfagate check"
            yield Item(Area.REACHABLE, f"host of {one.name}", Readiness.WARNING, detail)
    yield from _asked(list(hosts.values()))


def _proxies() -> Iterator[Item]:
    """Name the variables that are set, but not their values, which may contain a password."""
    named = [name for name in _PROXIES if os.environ.get(name) or os.environ.get(name.lower())]
    detail = f"set: {', '.join(named)}" if named else "none is set: connections are direct"
    yield Item(Area.REACHABLE, "proxy variables", Readiness.YES, detail)


def _hosts(one: Integration, values: Mapping[str, Any]) -> Iterator[_Host]:
    provider = registry.get(one.provider)
    target = LiveTarget(one, provider, _without_secrets(provider.settings, values), endpoint=one.endpoint)
    for probe in provider.probes.pings(target.settings):
        url = urlsplit(one.endpoint or provider.api.url(target.settings, probe.path))
        yield _Host(
            f"{url.scheme}://{url.netloc}", InspectedSettings(one, provider.settings, values), target, probe, []
        )


def _without_secrets(declared: type[ProviderSettings], values: Mapping[str, Any]) -> ProviderSettings:
    """Make settings without secrets, so that no credential can be sent."""
    plain = {name: value.value for name, value in values.items() if name not in declared.secrets()}
    known = {name: value for name, value in plain.items() if isinstance(value, str) and name in declared.model_fields}
    return declared.model_construct(**known)  # type: ignore[arg-type]


def _asked(hosts: Sequence[_Host]) -> Iterator[Item]:
    with ThreadPoolExecutor(max_workers=min(_MOST_AT_ONCE, len(hosts)) or 1, thread_name_prefix="doctor") as pool:
        exchanges = list(pool.map(_ask, hosts))
    offsets = []
    sightings = [_sighting(host, exchange) for host, exchange in zip(hosts, exchanges, strict=True)]
    blamed = {one.subject: finding for one, finding in this_machine(sightings)}
    for host, exchange in zip(hosts, exchanges, strict=True):
        yield _result(host, exchange, blamed.get(host.url))
        if (offset := clock_offset(exchange)) is not None:
            offsets.append(offset)
    if offsets:
        yield _clock(offsets)


def _ask(host: _Host) -> Exchange:
    try:
        return host.target.send_unsigned(host.probe.request())
    finally:
        host.target.close()


def _sighting(host: _Host, exchange: Exchange) -> Sighting:
    named, bundle = what_names(host.subject, exchange), host.subject.integration.ca_bundle
    trust = str(bundle) if bundle is not None else None
    return Sighting.of(exchange, named.part if named else None, trust=trust, subject=host.url)


def _result(host: _Host, exchange: Exchange, shared: Finding | None) -> Item:
    """Return the result of a request. ``shared`` is set if this machine stopped all requests at the same step."""
    item = partial(Item, Area.REACHABLE, host.url)
    users = ", ".join(dict.fromkeys(host.users))
    failure = exchange.failure
    if failure is None:
        return item(Readiness.YES, f"{_way(exchange)}; for {users}")
    step = f"For {host.url} ({failure.phase}): {failure.next_step or load_cause(failure.cause).next_step}"
    detail = f"{failure.phase}: {quoted(failure.message)} ({failure.cause}); for {users}"
    if shared is not None:
        step, detail = str(shared.next_step), f"{detail}; {shared.cause}"
    return item(Readiness.NO, detail, step)


def _way(exchange: Exchange) -> str:
    parts = [f"{exchange.address}"]
    if exchange.proxy:
        parts.append(f"through the proxy {exchange.proxy}")
    if exchange.certificate is not None:
        parts.append(f"TLS, certificate until {exchange.certificate.not_after:%Y-%m-%d}")
    milliseconds = 1000 * sum(exchange.phases.get(phase, 0.0) for phase in (Phase.RESOLVE, Phase.CONNECT, Phase.TLS))
    parts.append(f"{milliseconds:.0f} ms to connect")
    return ", ".join(parts)


def _clock(offsets: Sequence[float]) -> Item:
    """Compare with the closest server, because the clock of another server may be wrong."""
    offset = min(offsets, key=abs)
    if abs(offset) <= _CLOCK_SECONDS:
        return Item(Area.REACHABLE, "clock", Readiness.YES, f"{abs(offset):.0f} s from the clock of the closest server")
    side = "behind" if offset > 0 else "ahead"
    detail = f"at least {abs(offset):.0f} s {side} of every server that sends its time"
    step = "Set this machine's clock, and keep it synchronised with NTP (timedatectl set-ntp true)."
    return Item(Area.REACHABLE, "clock", Readiness.NO, detail, step)
