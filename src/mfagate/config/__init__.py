"""``integrations.toml``: its model, its errors, and the declaration of provider settings."""

from mfagate.config.load import ConfigError, Problem, load, read
from mfagate.config.model import Client, Configuration, Documentation, Environment, GateOptions, Integration
from mfagate.config.settings import ProviderSettings, Setting

__all__ = [
    "Client",
    "ConfigError",
    "Configuration",
    "Documentation",
    "Environment",
    "GateOptions",
    "Integration",
    "Problem",
    "ProviderSettings",
    "Setting",
    "load",
    "read",
]
