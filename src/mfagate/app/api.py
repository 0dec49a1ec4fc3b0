"""The Python API: each function does what the command of the same name does, and returns the report.

The functions keep no state between calls, set no signal handler, and may be called from any thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from mfagate.app.errors import RunRefused
from mfagate.app.run import RunRequest, run
from mfagate.checks import Stage
from mfagate.config.model import Environment
from mfagate.core.result import Report
from mfagate.report.formats import Output
from mfagate.report.pushgateway import Gateway

Texts = str | Sequence[str]
"""One text, or several."""


class RunOptions(TypedDict, total=False):
    """The keyword arguments of every function. Each is an option of the command and has the same default."""

    config: str | Path
    """The configuration file. Default: ``integrations.toml``."""
    integration: Texts
    """Check only these integrations. Default: all."""
    environment: Texts
    """Check only integrations of these environments. Default: all."""
    output: Texts
    """Reports to write, as ``FORMAT=PATH``; a format alone goes to stdout. Default: none."""
    push_gateway: str
    """The Prometheus Pushgateway for the metrics. Default: the variable ``MFAGATE_PUSH_GATEWAY``."""
    on_inconclusive: Literal["block", "allow"]
    """Exit code of an inconclusive verdict: 3 (``block``, the default) or 0 (``allow``)."""
    override: str
    """Exit with 0 whatever the verdict. Every report contains this reason."""
    changed_since: str
    """Check only integrations that changed since this git revision."""


class CheckOptions(RunOptions, total=False):
    """The keyword arguments of :func:`check`."""

    without_secrets: bool
    """Do not fail if a reference cannot be read on this machine."""


class LiveOptions(RunOptions, total=False):
    """The keyword arguments of :func:`gate` and :func:`nightly`."""

    fault: Texts
    """Faults to inject into the sandbox of an integration, as ``INTEGRATION=FAULT``."""
    concurrency: int
    """How many requests may wait for an answer of one account at the same time. Default: ``[gate] concurrency``."""
    notify: bool
    """Notify the ``[notify]`` URLs of changes since the last run, and keep this run in the history."""
    history: str | Path
    """Where runs are kept: a SQLite file, a ``postgresql://`` URL, or a reference to one of them."""


def check(**options: Unpack[CheckOptions]) -> Report:
    """Check configuration, contracts and recordings offline, as ``mfagate check`` does.

    Args:
        options: See :class:`CheckOptions`.

    Returns:
        The report of the JSON schema. ``report.run.exit_code`` is the exit code of the command.

    Raises:
        RunRefused: The options or the configuration cannot be used.
        ReportNotWritten: A report of ``output`` could not be written.
    """
    return _run(Stage.CHECK, _known("check", options, CheckOptions.__optional_keys__))


def gate(**options: Unpack[LiveOptions]) -> Report:
    """Check live whether this configuration may be deployed, as ``mfagate gate`` does.

    Args:
        options: See :class:`LiveOptions`.

    Returns:
        The report of the JSON schema. ``report.run.exit_code`` is the exit code of the command.

    Raises:
        RunRefused: The options or the configuration cannot be used.
        ReportNotWritten: A report of ``output`` could not be written.
    """
    return _run(Stage.GATE, _known("gate", options, LiveOptions.__optional_keys__))


def nightly(**options: Unpack[LiveOptions]) -> Report:
    """Check live what has changed, and keep the run in the history, as ``mfagate nightly`` does.

    Args:
        options: See :class:`LiveOptions`.

    Returns:
        The report of the JSON schema. ``report.run.exit_code`` is the exit code of the command.

    Raises:
        RunRefused: The options or the configuration cannot be used.
        ReportNotWritten: A report of ``output`` could not be written.
    """
    return _run(Stage.NIGHTLY, _known("nightly", options, LiveOptions.__optional_keys__))


class _Options(CheckOptions, LiveOptions, total=False):
    """The keyword arguments of any function."""


def _known(function: str, options: CheckOptions | LiveOptions, known: frozenset[str]) -> _Options:
    """Return the options. Refuse unknown names with a TypeError, as Python does."""
    for name in options:
        if name not in known:
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")
    return _Options(**options)


def _run(stage: Stage, options: _Options) -> Report:
    history = options.get("history")
    url = options.get("push_gateway", os.environ.get("MFAGATE_PUSH_GATEWAY"))
    with _refusing("output"):
        outputs = Output.parse_all(_texts(options.get("output", ())))
    with _refusing("push_gateway"):
        gateway = Gateway.parse(url) if url else None
    request = RunRequest(
        stage,
        config=Path(options.get("config", "integrations.toml")),
        integrations=_texts(options.get("integration", ())),
        environments=_environments(options),
        changed_since=options.get("changed_since"),
        without_secrets=options.get("without_secrets", False),
        faults=_texts(options.get("fault", ())),
        concurrency=options.get("concurrency"),
        override=options.get("override"),
        allow_inconclusive=_allows_inconclusive(options),
        history=None if history is None else str(history),
        notify=options.get("notify", False),
        outputs=outputs,
        gateway=gateway,
    )
    return run(request).report


def _texts(given: Texts) -> Sequence[str]:
    return [given] if isinstance(given, str) else [*given]


def _environments(options: _Options) -> Sequence[str]:
    names = _texts(options.get("environment", ()))
    if unknown := [name for name in names if name not in [*Environment]]:
        raise RunRefused(f"environment: no environment {unknown[0]!r}: {', '.join(Environment)}")
    return names


def _allows_inconclusive(options: _Options) -> bool:
    given = options.get("on_inconclusive", "block")
    if given not in ("block", "allow"):
        raise RunRefused(f"on_inconclusive: {given!r} is neither 'block' nor 'allow'")
    return given == "allow"


@contextmanager
def _refusing(option: str) -> Iterator[None]:
    """Turn a ValueError about an option into RunRefused."""
    try:
        yield
    except ValueError as error:
        raise RunRefused(f"{option}: {error}") from None
