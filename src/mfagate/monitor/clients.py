"""Watch clients of requests and httpx without changing their class.

The method ``send`` of the client object is replaced. In both libraries, it is the only place that
sees the answer with its body, and the exception; hooks see neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

from mfagate.monitor.connections import time_connections, under_way

if TYPE_CHECKING:
    from mfagate.monitor.observer import Monitor

_MARK = "_mfagate_monitor"


def install(monitor: Monitor, client: Any) -> Callable[[], None]:
    """Watch the client, and return a function that ends it."""
    watched = getattr(client, _MARK, None)
    if watched is not None:
        if watched[0] is monitor:
            return watched[1]  # type: ignore[no-any-return]
        raise ValueError(f"this client is already watched as {watched[0].integration}")
    replaced = _REPLACED.get(_kind(client))
    if replaced is None:
        raise TypeError(
            f"a {type(client).__name__} cannot be wrapped, only requests.Session, httpx.Client and "
            "httpx.AsyncClient: report each call with Monitor.call or Monitor.observe"
        )
    methods = replaced(monitor, client)
    # Other code may have replaced these methods before.
    before = {name: client.__dict__[name] for name in methods if name in client.__dict__}

    def remove() -> None:
        for name in (*methods, _MARK):
            client.__dict__.pop(name, None)
        client.__dict__.update(before)

    client.__dict__.update(methods)
    setattr(client, _MARK, (monitor, remove))
    return remove


def _kind(client: Any) -> str:
    """Identify the client by the names of its classes, so that no client library is imported."""
    known = (f"{base.__module__.partition('.')[0]}.{base.__name__}" for base in type(client).__mro__)
    return next((name for name in known if name in _REPLACED), "")


def _requests(monitor: Monitor, session: Any) -> dict[str, Any]:
    send, get_adapter = session.send, session.get_adapter

    def watched_send(request: Any, **options: Any) -> Any:
        noting = under_way.get()
        # requests sends redirects with the same method; they are part of the call.
        if (noting is not None and noting[0] is session) or not monitor.wants(request):
            return send(request, **options)
        phases: dict[str, float] = {}
        token = under_way.set((session, phases))
        began = perf_counter()
        try:
            response = send(request, **options)
        except BaseException as error:
            monitor.observe(request, error, perf_counter() - began, phases)
            raise
        finally:
            under_way.reset(token)
        seconds = perf_counter() - began
        streamed = options.get("stream", session.stream)
        monitor.guarded(_complete, phases, response, seconds, streamed)
        monitor.observe(request, response, seconds, phases)
        return response

    def timed_adapter(url: Any) -> Any:
        adapter = get_adapter(url)
        monitor.guarded(time_connections, adapter)
        return adapter

    return {"send": watched_send, "get_adapter": timed_adapter}


def _complete(phases: dict[str, float], response: Any, seconds: float, streamed: bool) -> None:
    """Add the phases that requests does not report; its ``elapsed`` ends with the headers."""
    headers = sum(hop.elapsed.total_seconds() for hop in (response, *response.history))
    phases["processing"] = max(0.0, headers - sum(phases.values()))
    if not streamed:
        phases["transfer"] = max(0.0, seconds - headers)


def _httpx(monitor: Monitor, client: Any) -> dict[str, Any]:
    send = client.send

    def watched_send(request: Any, **options: Any) -> Any:
        if not monitor.wants(request):
            return send(request, **options)
        with _Trace(monitor, request, asynchronous=False) as trace:
            trace.response = send(request, **options)
        return trace.response

    return {"send": watched_send}


def _httpx_async(monitor: Monitor, client: Any) -> dict[str, Any]:
    send = client.send

    async def watched_send(request: Any, **options: Any) -> Any:
        if not monitor.wants(request):
            return await send(request, **options)
        with _Trace(monitor, request, asynchronous=True) as trace:
            trace.response = await send(request, **options)
        return trace.response

    return {"send": watched_send}


_STAGES = {
    "connection.connect_tcp": "connect",
    "connection.start_tls": "tls",
    "receive_response_headers": "processing",
    "receive_response_body": "transfer",
}
"""Phases by the names of httpcore's events (https://www.encode.io/httpcore/extensions/#trace)."""


class _Trace:
    """One call of httpx. Converts httpcore's events to phases; the time before the first header is processing."""

    def __init__(self, monitor: Monitor, request: Any, *, asynchronous: bool) -> None:
        self.response: Any = None
        self._monitor = monitor
        self._request = request
        # httpx copies the extensions, including this trace, to the request after a redirect.
        self._extensions = {
            name: value
            for name, value in request.extensions.items()
            if not isinstance(getattr(value, "__self__", None), _Trace)
        }
        self._phases: dict[str, float] = {}
        self._began: dict[str, float] = {}
        self._note = self._note_async if asynchronous else self._note_now

    def __enter__(self) -> Self:
        # A trace of the caller takes precedence.
        self._request.extensions = {"trace": self._note, **self._extensions}
        self._start = perf_counter()
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        seconds = perf_counter() - self._start
        self._request.extensions = self._extensions
        self._monitor.observe(self._request, error if error is not None else self.response, seconds, self._phases)

    def _note_now(self, event: str, info: Mapping[str, Any]) -> None:
        name, _, what = event.rpartition(".")
        phase = _STAGES.get(name if name.startswith("connection.") else name.rpartition(".")[2])
        if phase is None:
            return
        if what == "started":
            self._began[phase] = perf_counter()
        elif phase in self._began:
            spent = perf_counter() - self._began.pop(phase)
            self._phases[phase] = self._phases.get(phase, 0.0) + spent

    async def _note_async(self, event: str, info: Mapping[str, Any]) -> None:
        self._note_now(event, info)


_REPLACED: dict[str, Callable[[Monitor, Any], dict[str, Any]]] = {
    "requests.Session": _requests,
    "httpx.Client": _httpx,
    "httpx.AsyncClient": _httpx_async,
}
