"""What has been told, in a file beside the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mfagate.core.files import Unreadable, read_text, write_atomically
from mfagate.notify.changes import ProblemStatus

_MAX_BYTES = 4 << 20


class Trouble(Exception):
    """The file cannot be used; the message says what follows from it."""


class _Content(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    format: Literal["mfagate.notifications/1"] = Field("mfagate.notifications/1", alias="schema")
    states: dict[str, ProblemStatus]


def read(path: Path) -> dict[str, ProblemStatus]:
    """What is remembered; nothing where there is no file yet.

    Raises:
        Trouble: It is unreadable, or holds something else.
    """
    try:
        return _Content.model_validate_json(read_text(path, _MAX_BYTES)).states
    except Unreadable as error:
        if error.missing:
            return {}
        raise Trouble(f"{path} {error}, so that known problems are told again") from None
    except ValidationError:
        raise Trouble(
            f"{path} holds something else than what was told, so that known problems are told again"
        ) from None


def write(path: Path, states: Mapping[str, ProblemStatus]) -> None:
    """Replace what is remembered.

    Raises:
        Trouble: It cannot be written.
    """
    content = _Content(states=dict(sorted(states.items())))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content.model_dump_json(by_alias=True, indent=2) + "\n")
    except OSError as error:
        raise Trouble(
            f"{path} cannot be written: {error.strerror or error}; the next run tells the same again"
        ) from None
