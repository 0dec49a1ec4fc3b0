"""The version of mfagate; the build reads it here."""

__version__ = "0.1.0"
