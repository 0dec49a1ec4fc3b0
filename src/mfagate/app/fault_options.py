"""Options for the faults that a drill injects into a sandbox, in ``mfagate sandbox`` or in a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from mfagate.app.errors import RunRefused
from mfagate.config.environments import base_name
from mfagate.config.model import Integration
from mfagate.config.nearest import nearest_to
from mfagate.core import files
from mfagate.core.foreign import quoted, shown_path
from mfagate.sandbox import SandboxError
from mfagate.sandbox import registry as sandboxes

if TYPE_CHECKING:
    from mfagate.sandbox import Running
    from mfagate.sandbox.faults import FaultKind

_LARGEST_FILE = 1 << 16
_LOOK_SECONDS = 0.2


def by_integration(texts: Sequence[str], integrations: Sequence[Integration]) -> Mapping[str, list[str]]:
    """Return the faults of each integration from texts of the form ``INTEGRATION=FAULT``.

    Raises:
        RunRefused: A text is malformed, or the integration has no sandbox.
    """
    found: dict[str, list[str]] = {}
    known = {integration.name: integration for integration in integrations}
    for text in texts:
        name, equals, fault = text.partition("=")
        if not equals or not fault:
            raise RunRefused(
                f"--fault {text}: write INTEGRATION=FAULT, for example {next(iter(known), 'mfa')}=status:503"
            )
        meant = [known_name for known_name in known if name in (known_name, base_name(known_name))]
        if not meant:
            raise RunRefused(
                f"--fault {text}: no integration {name!r} is selected{nearest_to(name, known)}; "
                f"selected: {', '.join(known) or 'none'}"
            )
        for target in meant:
            if not known[target].uses_sandbox:
                raise RunRefused(
                    f"--fault {text}: faults need a sandbox that mfagate starts, but {target} does not have "
                    'endpoint = "sandbox"'
                )
            found.setdefault(target, []).append(fault)
    for name, faults in found.items():
        _require_sound(known[name], faults)
    return found


def _require_sound(integration: Integration, faults: Sequence[str]) -> None:
    from mfagate.sandbox.faulty_sandbox import BadFault, read_faults

    try:
        read_faults(faults, sandboxes.get(integration.provider).faults)
    except (BadFault, SandboxError) as error:
        raise RunRefused(f"--fault {integration.name}=…: {error}") from None


def broken(faults: Sequence[str]) -> str:
    """Return a sentence about the faults that are injected now."""
    return f"Injected faults: {', '.join(faults)}" if faults else "No fault is injected."


class FaultsFile:
    """A file of faults, one per line, that a person changes during a drill. Text after # is a comment.

    ``always`` are faults that do not depend on the file. The file may be missing.
    """

    def __init__(self, path: Path, always: Sequence[str]) -> None:
        self._path = path
        self._always = list(always)

    def read(self) -> list[str]:
        """Return the current faults.

        Raises:
            BadFault: The file cannot be read.
        """
        from mfagate.sandbox.faulty_sandbox import BadFault

        try:
            text = files.read_text(self._path, _LARGEST_FILE)
        except files.Unreadable as error:
            if error.missing:
                return list(self._always)
            raise BadFault(f"{self._path} {error}") from None
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        return self._always + [line for line in lines if line]

    def follow(self, running: Running, now: list[str], say: Callable[[str], object]) -> None:
        """Inject the faults of the file into a sandbox until Ctrl-C. An unreadable file changes nothing.

        Args:
            running: The sandbox.
            now: The faults that it was started with; the file may have changed since.
            say: Prints each change.
        """
        from mfagate.sandbox.faulty_sandbox import BadFault

        problem = ""
        while True:
            time.sleep(_LOOK_SECONDS)
            try:
                wanted = self.read()
                if wanted != now:
                    running.change_faults(wanted)
                    now = wanted
                    say(broken(now))
                problem = ""
            except BadFault as error:
                if str(error) != problem:
                    problem = str(error)
                    say(f"{shown_path(self._path)}: {quoted(error)}; {broken(now)}")


_PLACES = {
    "line": "the line between this machine and the sandbox",
    "tcp": "the connection, in transit",
    "tls": "TLS, in transit (one at a time)",
    "http": "the answer, in transit",
    "body": "a field of the answer, in transit",
}


def listed(title: str, own: Sequence[FaultKind]) -> str:
    """Return all faults of a provider's sandbox as text."""
    from mfagate.sandbox.faulty_sandbox import known_faults

    kinds = list(known_faults(own).values())
    return "\n".join(_lines(title, kinds))


def _shown(kind: FaultKind) -> str:
    """Return the fault as written in an option, with the default or the name of its argument."""
    argument = kind.argument
    return f"{kind.name}:{argument.default or argument.name.partition(':')[0]}" if argument else kind.name


def _lines(title: str, kinds: Sequence[FaultKind]) -> Iterator[str]:
    shown = [_shown(kind) for kind in kinds]
    width = max(map(len, shown))
    pairs = zip(kinds, shown, strict=True)
    for (layer, modifiers), group in groupby(pairs, lambda pair: (pair[0].layer, tuple(pair[0].modifiers))):
        takes = f"takes {', '.join(modifiers)}" if modifiers else "lasts until it is removed"
        yield f"{_PLACES.get(layer, f'{title} itself')}; {takes}:"
        for kind, name in group:
            needs = f" (with {', '.join(kind.needs)})" if kind.needs else ""
            yield f"  {name.ljust(width)}  {kind.summary}{needs}"
        yield ""
