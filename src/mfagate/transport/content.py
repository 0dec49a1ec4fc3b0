"""Decode the content coding of a body."""

from __future__ import annotations

import zlib

GZIP = zlib.MAX_WBITS | 16


class Undecodable(ValueError):
    """A body does not have the coding that its header claims."""


def decode(body: bytes, coding: str, limit: int, complete: bool) -> tuple[bytes, bool] | None:
    """Return the content, and whether it was cut at ``limit`` bytes (RFC 9110 section 8.4.1).

    Return None for an unknown coding or none. A partial result is accepted only for a body that is not
    ``complete``.

    Raises:
        Undecodable: The body is not in its coding.
    """
    if not body:
        return None
    match coding.strip().lower():
        case "gzip" | "x-gzip":
            windows: tuple[int, ...] = (GZIP,)
        case "deflate":
            # Some servers send zlib's header, others do not.
            windows = (zlib.MAX_WBITS, -zlib.MAX_WBITS)
        case _:
            return None
    for window in windows:
        inflater = zlib.decompressobj(window)
        try:
            # One byte more than allowed shows that there is more, without decoding a whole zip bomb.
            content = inflater.decompress(body, limit + 1)
        except zlib.error:
            continue
        if len(content) > limit:
            return content[:limit], True
        if not complete or (inflater.eof and not inflater.unused_data):
            return content, False
    raise Undecodable
