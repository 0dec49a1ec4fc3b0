"""Find what runs of the gate left at a provider."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mfagate.app.session import Session, prepared
from mfagate.checks import Stage, run_checks
from mfagate.checks.provider_states import StateManager
from mfagate.config.load import load
from mfagate.providers import registry
from mfagate.providers.state_setup import TabledStates


def things_left(configuration: Path, environ: Mapping[str, str]) -> set[str]:
    """Return everything that runs of the gate created at the provider of the only integration."""
    loaded = load(configuration, registry.names())
    session = Session(loaded, environ=environ)
    (integration,) = loaded.integrations.values()
    with prepared(session, integration, live=True) as context:
        live = run_checks(context, Stage.PROBE).live
        if live is None:
            return set()
        manager = StateManager(live)
        try:
            states = manager.states
            return {str(thing) for thing, _ in states.marked()} if isinstance(states, TabledStates) else set()
        finally:
            manager.cleanup.close()
