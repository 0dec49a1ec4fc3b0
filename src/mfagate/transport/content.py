"""Decode the content coding of a body."""

from __future__ import annotations

import zlib

GZIP = zlib.MAX_WBITS | 16


class Undecodable(ValueError):
    """A body that is not in the coding that it is said to be in."""


def decode(body: bytes, coding: str, limit: int, complete: bool) -> tuple[bytes, bool] | None:
    """Return the content, and whether it was cut at ``limit`` bytes (RFC 9110 section 8.4.1).

    None if there is no coding, or one that we do not know. Only of a body that is itself not
    ``complete`` is a part enough.

    Raises:
        Undecodable: The body is not in its coding.
    """
    if not body:
        return None
    match coding.strip().lower():
        case "gzip" | "x-gzip":
            windows: tuple[int, ...] = (GZIP,)
        case "deflate":
            # Servers disagree whether zlib's header belongs to it.
            windows = (zlib.MAX_WBITS, -zlib.MAX_WBITS)
        case _:
            return None
    for window in windows:
        inflater = zlib.decompressobj(window)
        try:
            # One byte more than allowed shows that there is more. Never the whole of a bomb.
            content = inflater.decompress(body, limit + 1)
        except zlib.error:
            continue
        if len(content) > limit:
            return content[:limit], True
        if not complete or (inflater.eof and not inflater.unused_data):
            return content, False
    raise Undecodable
