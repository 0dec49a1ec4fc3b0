"""The base class of emulators: routes, and the errors for requests that reach no route."""

from __future__ import annotations

import json
import logging
import re
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from mfagate.sandbox.emulator.faults import FaultInjector

LARGEST_BODY = 1 << 20

log = logging.getLogger("mfagate.emulator")


class RequestProblem(Enum):
    """Why a request reaches no handler."""

    UNKNOWN_ROUTE = auto()
    WRONG_METHOD = auto()
    BODY_TOO_LARGE = auto()
    WRONG_CONTENT_TYPE = auto()
    MALFORMED_BODY = auto()
    DEFECT = auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers: a JSON document, or text of another content type; None sends no body."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    def encoded(self) -> bytes:
        """Return the body as it is sent."""
        if self.body is None:
            return b""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class RequestRejected(Exception):
    """Raised by a handler, or by what it calls, to answer with an error."""

    def __init__(self, answer: Reply) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Malformed(Exception):
    """The body does not match its content type, or what the route expects."""

    def __init__(self, problem: RequestProblem) -> None:
        super().__init__(problem.name)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """A request as handlers see it. ``variables`` are the named parts of the route's path."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    variables: Mapping[str, str] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()

    def parameter(self, name: str, default: str = "") -> str:
        """Return the last value of a query parameter."""
        return self.query.get(name, [default])[-1]

    @property
    def local_host(self) -> str:
        """The Host header if it names this machine, else an empty string."""
        host = self.headers.get("host", "").lower()
        return host if re.fullmatch(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", host) else ""

    @property
    def content_type(self) -> str:
        """The media type of the body without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def form(self) -> dict[str, str]:
        """Return the fields of a form; the last value of a repeated field counts.

        Raises:
            Malformed: The body is not a form.
        """
        from urllib.parse import parse_qsl

        if self.body and self.content_type != "application/x-www-form-urlencoded":
            raise Malformed(RequestProblem.WRONG_CONTENT_TYPE)
        try:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True, errors="strict"))
        except ValueError:
            raise Malformed(RequestProblem.MALFORMED_BODY) from None

    def json(self) -> dict[str, Any]:
        """Return the JSON object in the body.

        Raises:
            Malformed: The body is not a JSON object.
        """
        if self.content_type != "application/json":
            raise Malformed(RequestProblem.WRONG_CONTENT_TYPE)
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            raise Malformed(RequestProblem.MALFORMED_BODY) from None
        if not isinstance(document, dict):
            raise Malformed(RequestProblem.MALFORMED_BODY)
        return document

    def basic(self) -> tuple[str, str] | None:
        """Return user and password of a Basic header (RFC 7617), or None."""
        import base64
        import binascii

        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        return (user, password) if colon else None

    def bearer(self) -> str | None:
        """Return the token of a Bearer header (RFC 6750), or None."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None


Handler = TypeVar("Handler", bound=Callable[..., Reply])


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Let a method of an :class:`Emulator` answer a path, written as ``/users/<user>/factors``."""

    def mark(handler: Handler) -> Handler:
        routes: list[tuple[str, str]] = getattr(handler, "routes", [])
        handler.routes = [*routes, (method, path)]  # type: ignore[attr-defined]
        return handler

    return mark


class Emulator(ABC):
    """An imitation of a provider's API: a WSGI application.

    Subclasses decorate handlers (``IncomingRequest -> Reply``) with :func:`route`. Requests are
    handled in threads. ``hosts`` are the provider's own host names, for the certificate.
    ``values`` are what ``sandbox:NAME`` references resolve to; those named in ``secrets`` never
    appear in any output.
    """

    hosts: Sequence[str] = ()
    secrets: frozenset[str] = frozenset()
    values: Mapping[str, str]
    fault_injector: FaultInjector | None = None
    runs_one_at_a_time: bool = True
    """Whether only one handler runs at a time. An emulator whose handlers wait uses ``lock`` itself."""

    def __init__(self) -> None:
        from werkzeug.routing import Map, Rule

        self.lock = threading.RLock()
        handlers = [getattr(self, name) for name in dir(type(self)) if hasattr(getattr(type(self), name), "routes")]
        self._map = Map(
            [Rule(path, methods=[method], endpoint=handler) for handler in handlers for method, path in handler.routes],
            strict_slashes=True,
            merge_slashes=False,
            redirect_defaults=False,
        )

    @abstractmethod
    def problem(self, problem: RequestProblem, request: IncomingRequest) -> Reply:
        """Return the provider's own answer to a request that reaches no handler."""

    def before(self, request: IncomingRequest) -> Reply | None:
        """Check a request for a known route before its handler runs; an answer ends the request."""
        return None

    def headers(self, request: IncomingRequest) -> Mapping[str, str]:
        """Return the headers of every answer."""
        return {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = _request(environ)
        answer = self._answer(environ, request)
        content = answer.encoded()
        headers = {"Content-Type": answer.content_type, **self.headers(request), **answer.headers}
        if not content:
            del headers["Content-Type"]
        headers["Content-Length"] = str(len(content))
        status = HTTPStatus(answer.status)
        start_response(f"{status.value} {status.phrase}", list(headers.items()))
        return [b"" if request.method == "HEAD" else content]

    def _answer(self, environ: WSGIEnvironment, request: IncomingRequest) -> Reply:
        try:
            return self._dispatch(environ, request)
        except RequestRejected as refused:
            return refused.answer
        except Malformed as malformed:
            return self.problem(malformed.problem, request)
        except Exception:  # noqa: BLE001 - a defect must look like an outage, not like a closed connection
            log.error("%s %s\n%s", request.method, request.path, traceback.format_exc())
            return self.problem(RequestProblem.DEFECT, request)

    def _dispatch(self, environ: WSGIEnvironment, request: IncomingRequest) -> Reply:
        from dataclasses import replace

        from werkzeug.exceptions import MethodNotAllowed, NotFound
        from werkzeug.routing import RequestRedirect

        if self.fault_injector is not None and (fault := self.fault_injector.answer(request)) is not None:
            return fault
        if len(request.body) > LARGEST_BODY:
            return self.problem(RequestProblem.BODY_TOO_LARGE, request)
        try:
            handler, variables = self._map.bind_to_environ(environ).match()
        except MethodNotAllowed as error:
            allowed = tuple(error.valid_methods or ())
            return self.problem(RequestProblem.WRONG_METHOD, replace(request, allowed=allowed))
        except (NotFound, RequestRedirect):
            return self.problem(RequestProblem.UNKNOWN_ROUTE, request)
        request = replace(request, variables=variables)
        with self.lock if self.runs_one_at_a_time else nullcontext():
            answer: Reply = self.before(request) or handler(request)
        return answer


def _request(environ: WSGIEnvironment) -> IncomingRequest:
    from urllib.parse import parse_qs

    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if isinstance(value, str) and (name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH"))
    }
    # WSGI carries the bytes of a path as Latin-1 (PEP 3333).
    path = environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    return IncomingRequest(environ["REQUEST_METHOD"], path, query, headers, _body(environ))


def _body(environ: WSGIEnvironment) -> bytes:
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        body: bytes = environ["wsgi.input"].read(LARGEST_BODY + 1)
        return body
    length = environ.get("CONTENT_LENGTH") or "0"
    return environ["wsgi.input"].read(min(int(length), LARGEST_BODY + 1)) if length.isdecimal() else b""
