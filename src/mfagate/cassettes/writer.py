"""Write cassettes with vcrpy's own serializer, so that vcrpy can load them."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from mfagate.cassettes.reader import CassetteOrigin
from mfagate.core.exchange import Headers, Request, Response
from mfagate.core.extras import missing, needs
from mfagate.core.foreign.parsing import raw
from mfagate.core.version import __version__


class MissingExtra(Exception):
    """An optional dependency is needed; the message says how to install it."""


def require_vcrpy() -> None:
    """Check, before any request is sent, that recordings can be written.

    Raises:
        MissingExtra: vcrpy is not installed.
    """
    if missing("record"):
        raise MissingExtra(needs("recording", "record"))


def to_yaml(request: Request, response: Response, *, recorded_at: date, recorded_from: CassetteOrigin) -> str:
    """Return the text of a cassette with one exchange.

    It has the day, not the time, so that two recordings of an unchanged provider are equal.
    """
    import vcr.request
    import vcr.serialize
    from vcr.serializers import yamlserializer

    vcr_request, serialize = cast(Any, vcr.request).Request, cast(Any, vcr.serialize).serialize
    recorded = vcr_request(request.method, request.url, request.body or None, _lists(request.headers))
    answer: dict[str, Any] = {
        "status": {"code": response.status, "message": raw(response.reason)},
        "headers": _lists(response.headers),
        "body": {"string": response.body},
    }
    about = f"mfagate:\n  recorded_at: {recorded_at}\n  recorded_from: {recorded_from}\n  tool: mfagate {__version__}\n"
    text: str = serialize({"requests": [recorded], "responses": [answer]}, yamlserializer)
    return about + text


def _lists(headers: Headers) -> dict[str, list[str]]:
    names = dict.fromkeys(name for name, _ in headers.items_in_order)
    return {name: [raw(value) for value in headers.all(name)] for name in names}
