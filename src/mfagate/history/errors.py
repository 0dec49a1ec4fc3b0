"""Why a history cannot be used."""

from __future__ import annotations


class HistoryError(Exception):
    """It cannot be read or written; the message says where it is, why, and what to do, and holds no password."""


class NoPlace(HistoryError):
    """What is given names neither a file nor a database."""
