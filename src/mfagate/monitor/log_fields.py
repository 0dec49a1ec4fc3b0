"""The log fields of a problem: messages and the provider's code, without secrets."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mfagate.config.settings import ProviderSettings
from mfagate.core.causes import CauseFamily, load
from mfagate.core.foreign import hiding, quoted
from mfagate.monitor.answer import host_of
from mfagate.monitor.classification import Classification
from mfagate.monitor.incidents import Described
from mfagate.secrets.redaction import Redactor

_SECRET_HEADER = re.compile(r"auth|cookie|key|token|secret|session|assertion", re.IGNORECASE)
_SHORTEST = 4
_LONGEST_METHOD = 20
_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,60}")


def describe(
    classify: Callable[[], Classification], request: Any, settings: ProviderSettings | None, known: frozenset[str | int]
) -> Described:
    """Return the sentence and the fields of the log line of a new problem.

    Args:
        classify: Classifies the call again, now with its secrets hidden. The first classification of every call
            determines only the cause.
        request: The request, or None.
        settings: The settings of the integration, or None.
        known: The documented codes of the provider, which are safe to log.
    """
    redactor = Redactor()
    for number, value in enumerate(_values(request)):
        redactor.add(f"request {number}", value)
    for name, secret in _secrets(settings):
        redactor.add(name, secret)
    with hiding(redactor.redact):
        classification = classify()
        finding = classification.finding
        assert finding is not None, "only a problem is logged, and it has a finding"
        shown = _code(classification.code, request, known)
    page = load(finding.cause)
    # Without settings, the explanation may name the wrong one, so the title of the cause is used.
    vague = settings is None and finding.cause.family is CauseFamily.CREDENTIAL
    sentence = page.title if vague else finding.message
    fields = {
        "message": redactor.redact(sentence),
        "outcome": str(finding.effective_outcome),
        "provider_code": shown,
        "method": quoted(getattr(request, "method", "") or "", _LONGEST_METHOD) or None,
        "host": quoted(host_of(request)) or None,
        "phase": finding.evidence.get("phase"),
        "exception": finding.evidence.get("exception"),
        "setting": finding.setting,
        "next_step": redactor.redact(finding.next_step or page.next_step),
    }
    given = {name: value for name, value in fields.items() if value is not None}
    return f"{given['message']}. {given['next_step']}", given


def _code(code: str | int | None, request: Any, known: frozenset[str | int]) -> str | int | None:
    """Return the code if it is safe to log: an undocumented code may repeat a part of the request."""
    if code is None or isinstance(code, int) or code in known:
        return code
    body = _body(request)
    if not getattr(request, "headers", None) or body is None or code in body or not _WORD.fullmatch(code):
        return None
    return quoted(code)


def _secrets(settings: ProviderSettings | None) -> Iterator[tuple[str, str]]:
    for name in settings.secrets() if settings is not None else ():
        if secret := getattr(settings, name):
            yield name, secret.get_secret_value()


def _values(request: Any) -> Iterator[str]:
    """Yield the values of a request that may be secret and may be repeated in an answer."""
    for name, value in dict(getattr(request, "headers", None) or {}).items():
        if _SECRET_HEADER.search(str(name)):
            yield from _header(_text(value))
    url, body = str(getattr(request, "url", "") or ""), _body(request) or ""
    sent = [value for query in (urlsplit(url).query, body) for _, value in parse_qsl(query)]
    yield from (value for value in (*sent, *_in_json(body)) if len(value) >= _SHORTEST)


def _body(request: Any) -> str | None:
    """Return the body of a request: ``body`` of requests, or what httpx has read of it; None if there is none."""
    body = (request.body or b"") if hasattr(request, "body") else getattr(request, "_content", None)
    return _text(body) if isinstance(body, str | bytes) else None


def _in_json(text: str) -> Iterator[str]:
    try:
        waiting = [json.loads(text)]
    except (ValueError, RecursionError):
        return
    while waiting:
        match waiting.pop():
            case str() as value:
                yield value
            case list() as items:
                waiting += items
            case dict() as fields:
                waiting += fields.values()


def _header(value: str) -> Iterator[str]:
    yield value
    for part in value.split()[1:]:
        yield part
        try:
            yield base64.b64decode(part, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            continue


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
