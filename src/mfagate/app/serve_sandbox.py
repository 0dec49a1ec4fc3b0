"""``mfagate sandbox``: run a local sandbox of a provider until Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mfagate.app.errors import RunRefused
from mfagate.app.fault_options import FaultsFile, broken, listed
from mfagate.config.nearest import nearest_to
from mfagate.core.files import require_regular
from mfagate.core.foreign import quoted
from mfagate.leftovers.folders import temporary_folder
from mfagate.providers import registry
from mfagate.providers.provider import InstalledProvider
from mfagate.sandbox import Running, Sandbox, SandboxError
from mfagate.sandbox import registry as sandboxes
from mfagate.sandbox.faulty_sandbox import BadFault

Say = Callable[[str], object]

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,-]+")
"""Values that a shell, python-dotenv, systemd and ``docker run --env-file`` read alike without quotes."""


def keep_running(name: str, env_file: Path | None, faults: Sequence[str], faults_file: Path | None, say: Say) -> None:
    """Start a sandbox, print how to reach it, and wait for Ctrl-C.

    Args:
        name: The provider.
        env_file: Where to write the keys of the sandbox; None is a temporary file.
        faults: Faults to inject all the time.
        faults_file: A file of faults to inject while the file contains them.
        say: Prints a message.

    Raises:
        RunRefused: There is no such provider or sandbox, it did not start, or a fault cannot be read.
    """
    provider, local = _local(name)
    watched = FaultsFile(faults_file, faults) if faults_file else None
    try:
        first = watched.read() if watched else list(faults)
        with (
            local.start(first if first or watched else None) as running,
            _keys_in(env_file, running) as keys,
        ):
            say(_directions(provider, local, running, keys))
            if watched:
                say(f"Its faults are read from {quoted(faults_file)} whenever the file changes.")
            if first:
                say(broken(first))
            if watched is None:
                signal.pause()
            else:
                watched.follow(running, first, say)
    except (SandboxError, BadFault) as error:
        raise RunRefused(str(error)) from None
    except OSError as error:
        raise RunRefused(f"{error.filename or env_file} cannot be written: {error.strerror}") from None


def list_faults(name: str) -> str:
    """Return the faults of a provider's sandbox, with name, argument and summary.

    Raises:
        RunRefused: There is no such provider or sandbox.
    """
    provider, local = _local(name)
    return listed(provider.title, local.faults)


def _local(name: str) -> tuple[InstalledProvider, Sandbox]:
    if name not in registry.names():
        known = ", ".join(registry.names())
        raise RunRefused(f"no provider is named {name!r}{nearest_to(name, registry.names())}; installed: {known}")
    try:
        return registry.get(name), sandboxes.get(name)
    except SandboxError as error:
        raise RunRefused(str(error)) from None


@contextmanager
def _keys_in(path: Path | None, running: Running) -> Iterator[Path]:
    """Write the values of the sandbox to a .env file that only its owner may read, and never to the terminal."""
    if path is not None:
        _write(path, running)
        yield path.absolute()
        return
    with temporary_folder("sandbox") as folder:
        temporary = folder / "sandbox.env"
        _write(temporary, running)
        yield temporary


def _write(path: Path, running: Running) -> None:
    if path.exists():
        require_regular(path)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        path.chmod(0o600)
        file.writelines(_line(name, value) for name, value in sorted(running.values.items()))


def _line(name: str, value: str) -> str:
    """Return a line of a .env file, with quotes only if a program needs them."""
    return f"{name}={value}\n" if _PLAIN.fullmatch(value) else f"{name}='{value}'\n"


def _directions(provider: InstalledProvider, local: Sandbox, running: Running, keys: Path) -> str:
    name = f"{provider.name}-local"
    lines = [
        f"A local {provider.title} is running at {running.endpoint}",
        f"Its keys are in {quoted(keys)} (mode 0600): {', '.join(sorted(running.values))}",
        "",
        "To check it, write this to a file integrations.toml:",
        "",
        f"  [integrations.{name}]",
        f'  provider = "{provider.name}"',
        '  environment = "development"',
    ]
    if local.is_emulator:
        lines.append(f'  endpoint = "{running.endpoint}"')
    if running.ca_bundle:
        lines.append(f'  ca_bundle = "{quoted(running.ca_bundle)}"')
    lines.append(f"  [integrations.{name}.settings]")
    secret = provider.settings.secrets()
    for setting in local.settings:
        shown = f"dotenv:{quoted(keys)}#{setting}" if setting in secret else running.values[setting]
        lines.append(f'  {setting} = "{shown}"')
    data = [key for key in provider.test_data if key in running.values]
    if data:
        lines.append(f"  [integrations.{name}.test_data]")
        lines += [f'  {key} = "dotenv:{quoted(keys)}#{key}"' for key in data]
    return "\n".join([*lines, "", "Ctrl-C stops it and removes all its data."])
