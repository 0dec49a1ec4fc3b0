"""Measure how long urllib3 takes for new connections, which requests does not report.

The adapter's pools get connections that measure how long they take to open, and note it for the
call in progress in the same thread.
"""

from __future__ import annotations

from contextvars import ContextVar
from threading import Lock
from time import perf_counter
from typing import Any
from weakref import WeakSet

under_way: ContextVar[tuple[Any, dict[str, float]] | None] = ContextVar("mfagate_under_way", default=None)
"""The session whose call is in progress in this context, and its phases."""

_timed: WeakSet[Any] = WeakSet()
_timing_one = Lock()
"""Held while an adapter is wrapped: if two threads wrapped it, every connection would count twice."""


def time_connections(adapter: Any) -> None:
    """Make an HTTPAdapter of requests measure its new connections; other adapters stay unchanged.

    Connections in existing pools are not measured, even if they are opened again.
    """
    with _timing_one:
        if adapter in _timed:
            return
        _timed.add(adapter)
    manager = getattr(adapter, "poolmanager", None)
    if manager is None or not hasattr(adapter, "proxy_manager_for"):
        return
    _time_pools(manager)
    original = adapter.proxy_manager_for

    def proxy_manager_for(proxy: str, **options: Any) -> Any:
        known = proxy in adapter.proxy_manager
        made = original(proxy, **options)
        if not known:
            _time_pools(made)
        return made

    adapter.proxy_manager_for = proxy_manager_for


def _time_pools(manager: Any) -> None:
    manager.pool_classes_by_scheme = {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": _timing(pool.ConnectionCls)})
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def _timing(connection: type[Any]) -> type[Any]:
    return type(connection.__name__, (_Timing, connection), {})


class _Timing:
    """Measures the TCP connection, including name resolution, and TLS.

    Through a proxy, TLS includes the proxy's answer to CONNECT.
    """

    def _new_conn(self) -> Any:
        began = perf_counter()
        try:
            return super()._new_conn()  # type: ignore[misc]  # a method of the other base class
        finally:
            _note("connect", perf_counter() - began)

    def connect(self) -> None:
        began = perf_counter()
        before = _noted("connect")
        try:
            super().connect()  # type: ignore[misc]
        finally:
            rest = perf_counter() - began - (_noted("connect") - before)
            if getattr(self, "default_port", None) == 443:
                _note("tls", rest)


def _noted(phase: str) -> float:
    noting = under_way.get()
    return noting[1].get(phase, 0.0) if noting is not None else 0.0


def _note(phase: str, seconds: float) -> None:
    noting = under_way.get()
    if noting is not None:
        noting[1][phase] = noting[1].get(phase, 0.0) + seconds
