"""The limits of requests that providers publish."""

from __future__ import annotations

from dataclasses import dataclass

PAID = "paid"
"""The plan of an integration that names none."""


@dataclass(frozen=True, slots=True)
class PublishedLimit:
    """A limit for all requests to one account, or for those to some paths.

    Args:
        source: The provider's page.
        at_once: The number of requests that may wait for an answer at the same time.
        per_second: The number of requests per second, over a longer time.
        burst: The number of requests that may follow each other at once after a pause.
        path: The beginning of the paths that ``per_second`` applies to.
    """

    source: str
    at_once: int | None = None
    per_second: float | None = None
    burst: int = 1
    path: str = "/"
