"""``integrations.toml``: its model, its errors, and the declaration of provider settings."""

from mfagate.config.load import ConfigError, ConfigProblem, load, read
from mfagate.config.model import Configuration, Documentation, Environment, GateOptions, Integration, LoginClient
from mfagate.config.settings import ProviderSettings, Setting

__all__ = [
    "ConfigError",
    "ConfigProblem",
    "Configuration",
    "Documentation",
    "Environment",
    "GateOptions",
    "Integration",
    "LoginClient",
    "ProviderSettings",
    "Setting",
    "load",
    "read",
]
