"""Configure a healthy integration of each provider on its sandbox, and run the gate on it."""

from __future__ import annotations

import base64
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mfagate.app import gate
from mfagate.checks import Stage
from mfagate.config.load import load
from mfagate.core.result import Report
from mfagate.providers import registry
from mfagate.report import console
from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one run of the gate, its duration in seconds, and the number of secrets that it showed."""

    verdict: str
    cause: str | None
    warnings: tuple[str, ...]
    seconds: float
    leaked: int


def providers() -> list[str]:
    """Return the providers of the shipped project, in its order."""
    shipped = tomllib.loads((REPOSITORY / "integrations.toml").read_text(encoding="utf-8"))
    return [table["provider"] for table in shipped["integrations"].values()]


@contextmanager
def sandbox(provider: str, faults: Sequence[str] = ()) -> Iterator[Running]:
    """Start the sandbox of a provider; ``faults`` are faults of the provider itself."""
    started = sandboxes.get(provider)
    with started.start(faults=faults) if faults else started.start() as running:
        yield running


def run(
    provider: str, running: Running, endpoint: str, ca_bundle: Path | str | None, needs: Sequence[str] = ()
) -> Answer:
    """Run the gate once, with a valid configuration for ``running``, against ``endpoint``.

    ``needs`` replaces the usual settings if these do not include all of it.
    """
    with tempfile.TemporaryDirectory(prefix="mfagate-diagnosis-") as folder:
        path = _write(Path(folder), provider, running, endpoint, ca_bundle, needs)
        configuration = load(path, registry.names())
        began = time.perf_counter()
        report = gate.run(gate.GatePlan(configuration, configuration.select(), Stage.GATE)).report
        shown = console.render(report)
        seconds = time.perf_counter() - began
    first = report.integrations[0]
    return Answer(
        verdict=report.verdict.value,
        cause=str(first.cause) if first.cause else None,
        warnings=tuple(str(check.cause) for check in first.checks if check.outcome.value == "warn"),
        seconds=seconds,
        leaked=_leaked(running, report, shown),
    )


def _write(
    folder: Path, provider: str, running: Running, endpoint: str, ca_bundle: Path | str | None, needs: Sequence[str]
) -> Path:
    definition = registry.get(provider)
    settings = sandboxes.get(definition.name).settings
    if not {*needs} <= {*settings}:
        settings = needs
    secret = definition.settings.secrets() | definition.test_secrets | running.secrets
    test_data = [name for name in definition.test_data if name in running.values]
    lines = [
        "[integrations.mfa]",
        f'provider = "{provider}"',
        'environment = "staging"',
        f'endpoint = "{endpoint}"',
        f'contract = "{REPOSITORY}/contracts/{provider}/auth-service-{provider}.json"',
        f'cassettes = "{REPOSITORY}/cassettes/{provider}"',
        *([f'ca_bundle = "{ca_bundle}"'] if ca_bundle else []),
    ]
    for table, names in (("settings", settings), ("test_data", test_data)):
        lines.append(f"[integrations.mfa.{table}]")
        for name in names:
            if name in secret:
                (folder / name).write_text(running.values[name])
                lines.append(f'{name} = "file:{name}"')
            else:
                value = running.values[name].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
                lines.append(f'{name} = "{value}"')
    path = folder / "integrations.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _leaked(running: Running, report: Report, shown: str) -> int:
    """Count the secrets of the sandbox in the output, literally or in a usual encoding."""
    written = shown + report.model_dump_json()
    secrets = [value for name in running.secrets if len(value := running.values[name]) >= 8]
    return sum(any(form in written for form in _forms(secret)) for secret in secrets)


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield base64.b64encode(secret.encode()).decode().rstrip("=")
