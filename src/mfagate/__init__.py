"""mfagate: a pre-deployment gate for external MFA providers."""

__version__ = "0.1.0"
