"""Find what gates left at a provider."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mfagate import gate
from mfagate.config import load
from mfagate.ladder import Stage, climb
from mfagate.ladder.arranging import Arranger
from mfagate.providers import registry
from mfagate.providers.arranging import TabledStates


def things_left(configuration: Path, environ: Mapping[str, str]) -> set[str]:
    """Return everything at the provider of the only integration that carries the mark of any run."""
    loaded = load(configuration, registry.names())
    session = gate.Session(loaded, environ=environ)
    (integration,) = loaded.integrations.values()
    with gate.prepared(session, integration, live=True) as state:
        climb(state, Stage.PROBE, lambda check: None)
        arranger = Arranger(state)
        try:
            states = arranger.states
            return {str(thing) for thing, _ in states.marked()} if isinstance(states, TabledStates) else set()
        finally:
            arranger.close()
