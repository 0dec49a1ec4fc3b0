"""How a command says that something has to be corrected."""

from __future__ import annotations

import click

from mfagate.foreign import harmless


def refused(*messages: str) -> click.ClickException:
    """Exit code 2, and the messages one below the other."""
    return Refusal("\n       ".join(map(harmless, messages)))


class Refusal(click.ClickException):
    """Something to correct in the command line or the configuration file."""

    exit_code = 2
