"""The monitor of one integration: it receives every call, counts it and reports problems."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from mfagate.config.settings import ProviderSettings
from mfagate.monitor.answer import host_of
from mfagate.monitor.classification import UNEXPLAINED, CallResult, Classification, Classifier
from mfagate.monitor.incidents import Incidents, logger
from mfagate.monitor.metrics import Series, metrics_of

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from mfagate.core.finding import Finding
    from mfagate.providers.provider import InstalledProvider, Provider

Client = TypeVar("Client")
Done = TypeVar("Done")


class Monitor:
    """Watches the calls of a login service to one provider. Safe for threads and for asyncio.

    Create it with :func:`monitor`. It never raises an error into the login service: an error of the
    monitor is logged once and counted in ``mfagate_client_monitor_errors_total``.
    """

    def __init__(
        self,
        provider: InstalledProvider,
        settings: ProviderSettings | None,
        integration: str,
        *,
        registry: CollectorRegistry | None,
        hosts: Collection[str] | None,
        incidents: Incidents,
    ) -> None:
        self.integration = integration
        self.provider = provider.name
        self._settings = settings
        self._classifier = Classifier(provider, settings)
        self._series = Series(metrics_of(registry), integration, provider.name)
        self._hosts = frozenset(host.lower() for host in hosts) if hosts is not None else None
        self._incidents = incidents
        self._failed_before = False

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes that are active in this process."""
        return self._incidents.active

    def wrap(self, client: Client) -> Client:
        """Watch and return the given ``requests.Session``, ``httpx.Client`` or ``httpx.AsyncClient``.

        Raises:
            TypeError: It is another kind of client: report each call with :meth:`call` or :meth:`observe`.
        """
        self.install(client)
        return client

    def install(self, client: Any) -> Callable[[], None]:
        """Watch an existing client, and return a function that ends it. A second call changes nothing.

        Raises:
            TypeError: As for :meth:`wrap`.
        """
        from mfagate.monitor import clients

        return clients.install(self, client)

    def wants(self, request: Any) -> bool:
        """Return whether the request goes to a host that this monitor watches."""
        return self._hosts is None or host_of(request) in self._hosts

    def observe(
        self, request: Any, outcome: Any, seconds: float, phases: Mapping[str, float] | None = None
    ) -> CallResult | None:
        """Count one call.

        Args:
            request: Anything with ``method`` and ``url``, or None.
            outcome: The response (of requests or httpx, or an :class:`Answer`), or the exception.
            seconds: How long the call took.
            phases: The known seconds by the names of :class:`mfagate.core.exchange.Phase`.

        Returns:
            How the call ended; None if the monitor itself failed.
        """
        return self.guarded(self._observe, request, outcome, seconds, phases)

    def guarded(self, do: Callable[..., Done], *arguments: Any) -> Done | None:
        """Return what ``do`` returns, or None if it fails: an error of the monitor never stops a login."""
        try:
            return do(*arguments)
        except Exception as error:  # noqa: BLE001
            self._fail(error)
            return None

    @contextmanager
    def call(self, request: Any = None) -> Iterator[Call]:
        """Observe one call of an SDK that cannot be wrapped; an exception is classified and re-raised."""
        call = Call()
        began = time.perf_counter()
        try:
            yield call
        except BaseException as error:
            seconds = time.perf_counter() - began
            self.observe(request, call.response if call.response is not None else error, seconds)
            raise
        self.observe(request, call.response if call.response is not None else _DONE, time.perf_counter() - began)

    def _observe(self, request: Any, outcome: Any, seconds: float, phases: Mapping[str, float] | None) -> CallResult:
        classify = self._classifier.exception if isinstance(outcome, BaseException) else self._classifier.answer
        classification = self.guarded(classify, request, outcome) or UNEXPLAINED
        result = classification.result
        series = self._series
        series.results[result].inc()
        series.seconds.observe(seconds)
        for phase, spent in (phases or {}).items():
            self.guarded(series.phase, phase, spent)
        if classification.finding is not None:
            self._problem(request, classification.finding, partial(classify, request, outcome))
        elif result is CallResult.OK or result is CallResult.REFUSED:
            self._incidents.fine()
        return result

    def _problem(self, request: Any, finding: Finding, classify: Callable[[], Classification]) -> None:
        from mfagate.core.causes import CauseId, Outcome
        from mfagate.monitor.log_fields import describe

        self._series.problem(finding.cause)
        self._incidents.seen(
            str(finding.cause),
            # An unrecognised refusal may concern a single user.
            finding.effective_outcome is Outcome.FAIL and finding.cause is not CauseId.PROVIDER_REFUSAL_UNRECOGNISED,
            lambda: describe(classify, request, self._settings, self._classifier.known_codes),
        )

    def _fail(self, error: Exception) -> None:
        """Count an error and log it once, without its message and traceback, which may contain secrets."""
        try:
            self._series.errors.inc()
            if not self._failed_before:
                self._failed_before = True
                place = error.__traceback__
                while place is not None and place.tb_next is not None:
                    place = place.tb_next
                where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "nowhere"
                logger.error(
                    "the monitor of %s failed (%s at %s); calls are not affected. This is logged only once.",
                    self.integration,
                    type(error).__name__,
                    where,
                    extra={"mfagate": {"event": "monitor-error", "integration": self.integration}},
                )
        except Exception:  # noqa: BLE001, S110 - logging itself is broken, so the error cannot be reported
            pass


class Call:
    """The outcome of an SDK's call. A block that ends without an exception is a success by default."""

    def __init__(self) -> None:
        self.response: Any = None

    def answered(self, response: Any) -> None:
        """Classify this response or :class:`Answer`, whatever exception the SDK raises for it."""
        self.response = response


class _Done:
    status_code = 200
    headers: Mapping[str, str] = {}


_DONE = _Done()


def monitor(
    provider: str | Provider[Any],
    settings: ProviderSettings | Mapping[str, Any] | None = None,
    *,
    integration: str | None = None,
    registry: CollectorRegistry | None = None,
    hosts: Collection[str] | None = None,
    quiet_seconds: float = 60.0,
) -> Monitor:
    """Return the monitor of one integration.

    Args:
        provider: Name of an installed provider, such as ``"duo"``, or a provider.
        settings: The provider's settings as in ``integrations.toml``, with plain values. They make some
            explanations more precise, and never appear in any output.
        integration: The label in metrics and log; default: the provider's name.
        registry: Where the metrics go; default: prometheus_client's own.
        hosts: The hosts whose calls are watched; default: all.
        quiet_seconds: How long a cause must be absent before its recovery is logged.

    Raises:
        ValueError: The provider is not installed, or the settings are not valid.
    """
    chosen = _provider(provider) if isinstance(provider, str) else provider
    name = integration or chosen.name
    return Monitor(
        chosen,
        _settings(chosen, settings),
        name,
        registry=registry,
        hosts=hosts,
        incidents=Incidents(name, quiet_seconds),
    )


def _provider(name: str) -> InstalledProvider:
    from mfagate.providers import registry

    if name not in registry.names():
        raise ValueError(f"no provider {name!r} is installed; installed: {', '.join(registry.names())}")
    return registry.get(name)


def _settings(
    provider: InstalledProvider, settings: ProviderSettings | Mapping[str, Any] | None
) -> ProviderSettings | None:
    if settings is None or isinstance(settings, ProviderSettings):
        return settings
    from pydantic import ValidationError

    try:
        return provider.settings.model_validate(dict(settings))
    except ValidationError as error:
        # Without values and unknown names, because both may contain a secret.
        problems = "; ".join(f"{_place(problem['loc'], provider)}: {problem['msg']}" for problem in error.errors())
        raise ValueError(f"invalid settings of {provider.name}: {problems}") from None


def _place(location: tuple[int | str, ...], provider: InstalledProvider) -> str:
    return next((str(part) for part in location if part in provider.settings.model_fields), "another setting")
