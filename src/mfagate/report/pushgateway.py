"""Push metrics to a Prometheus Pushgateway (https://github.com/prometheus/pushgateway).

Each integration is a group of its own, so that a run of one integration does not replace the metrics of the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from mfagate.core.foreign import hiding, quoted
from mfagate.core.result import Report
from mfagate.report.openmetrics import Exposition, Sample, of_integration, of_the_run
from mfagate.secrets.redaction import Redactor

_SECONDS = 5.0
"""Timeout for one group; the first failure ends the push."""


class PushFailed(Exception):
    """The gateway did not accept the metrics; the message contains no credential."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A Pushgateway. ``url`` does not contain the credentials."""

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``http[s]://[USER:PASSWORD@]HOST[:PORT][/PREFIX]``.

        Raises:
            ValueError: The text is not such a URL. The message does not quote it.
        """
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("it is not a URL") from None
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
            raise ValueError("it must be http[s]://[USER:PASSWORD@]HOST[:PORT][/PREFIX]")
        address = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
        return cls(
            f"{parts.scheme}://{address}{parts.path.rstrip('/')}",
            None if parts.username is None else unquote(parts.username),
            None if parts.password is None else unquote(parts.password),
        )

    def push(self, report: Report) -> None:
        """Replace the metrics of the run and of each integration in it.

        Raises:
            PushFailed: The gateway cannot be reached, or refuses the metrics.
        """
        self._put(of_the_run(report), stage=report.run.stage)
        for integration in report.integrations:
            self._put(of_integration(integration, report), stage=report.run.stage, integration=integration.name)

    def _put(self, samples: Iterable[Sample], **group: Any) -> None:
        from http.client import HTTPException
        from urllib.error import HTTPError, URLError

        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import basic_auth_handler, default_handler, push_to_gateway

        registry = CollectorRegistry()
        registry.register(Exposition(samples))
        handler = default_handler
        if self.username is not None:
            handler = partial(basic_auth_handler, username=self.username, password=self.password or "")
        try:
            push_to_gateway(
                self.url, job="mfagate", registry=registry, grouping_key=group, timeout=_SECONDS, handler=handler
            )
        except HTTPError as error:
            raise PushFailed(f"it answered {error.code}") from None
        except URLError as error:
            raise PushFailed(self._shown(error.reason)) from None
        except (OSError, HTTPException, ValueError) as error:
            raise PushFailed(self._shown(error) or type(error).__name__) from None

    def _shown(self, error: object) -> str:
        with hiding(Redactor({"password": self.password or ""}).redact):
            return quoted(error)
