"""Errors of the history."""

from __future__ import annotations


class HistoryError(Exception):
    """A history cannot be read or written. The message says where it is, why, and what to do; it has no password."""


class InvalidLocation(HistoryError):
    """The given location is neither a path nor the URL of a database."""
