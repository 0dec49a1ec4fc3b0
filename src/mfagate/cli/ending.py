"""Turn every way in which a command ends into its exit code."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from mfagate.app.errors import without_surrounding_secrets
from mfagate.core.foreign import harmless, quoted

_COMPLETION = "_MFAGATE_COMPLETE"
_LONGEST_NAME = 200


class Refusal(click.ClickException):
    """An error in the command line or the configuration, with one line for each message."""

    exit_code = 2

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__("\n       ".join(messages))


def run(command: click.Command) -> NoReturn:
    """Run the command, and turn every way to end into its exit code."""
    # A closed stream gets no output; the exit code is enough.
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that the locale cannot encode must not lose the report. stderr escapes it by default.
        sys.stdout.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminate)
    # A background job of a script starts with SIGINT ignored, but a sandbox must still be stoppable.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.argv[1:]:
        # A shell asks for completions with variables alone. With arguments this is a run, which must not end as a
        # completion does: with 0, and with nothing checked.
        os.environ.pop(_COMPLETION, None)
    try:
        code = _exit_code(command)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has closed our output.
        discard_stdout()
        code = 1
    except OSError as error:
        discard_stdout()
        click.echo(f"Error: {_reason(error)}", err=True)
        code = 2
    sys.stderr.flush()
    # Not sys.exit: it would wait for threads that an interrupt left in an exchange.
    os._exit(code)


def _exit_code(command: click.Command) -> int:
    try:
        command.main(prog_name="mfagate", standalone_mode=False)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except (click.Abort, KeyboardInterrupt):
        # Everything has been stopped. Another Ctrl-C must not interrupt the end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        click.echo("interrupted", err=True)
        return 130
    except click.ClickException as error:
        click.echo(_shown(error), err=True)
        return error.exit_code
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 1
    return 0


def _shown(error: click.ClickException) -> str:
    """Return what click would print, with quoted arguments that cannot start or overwrite a line."""
    usage = []
    if isinstance(error, click.UsageError) and error.ctx is not None:
        usage.append(error.ctx.get_usage())
        if error.ctx.command.get_help_option(error.ctx) is not None:
            usage.append(f"Try '{error.ctx.command_path} {error.ctx.help_option_names[0]}' for help.\n")
    if isinstance(error, click.NoSuchOption) and error.possibilities:
        # A misspelt option must not suggest the option that lets a failed deployment through.
        error.possibilities[:] = [option for option in error.possibilities if option != "--override"]
    # The messages of a Refusal are harmless already, and their line breaks are meant.
    message = error.format_message()
    # There may be no session yet that redacts the secrets of the command line and the environment.
    return without_surrounding_secrets(
        "\n".join([*usage, f"Error: {message if isinstance(error, Refusal) else harmless(message)}"])
    )


def _reason(error: OSError) -> str:
    """Return a message for an error of the system: a full disk, a name that is too long, a loop of links, …"""
    reason = error.strerror or type(error).__name__
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        return f"the output cannot be written: {reason}"
    name = quoted(os.fsdecode(error.filename), _LONGEST_NAME) if isinstance(error.filename, str | bytes) else "a file"
    return f"{name} cannot be used: {reason}"


def discard_stdout() -> None:
    """Prevent the interpreter from flushing again what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
