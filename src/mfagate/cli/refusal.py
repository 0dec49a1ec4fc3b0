"""Errors that a person corrects in the command line or the configuration file."""

from __future__ import annotations

import click

from mfagate.core.foreign import harmless


def refused(*messages: str) -> click.ClickException:
    """Return the exception for exit code 2; the messages are printed one below the other."""
    return Refusal("\n       ".join(map(harmless, messages)))


class Refusal(click.ClickException):
    """An error in the command line or the configuration file."""

    exit_code = 2
