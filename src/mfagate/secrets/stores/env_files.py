"""What other programs read in a line of a .env file: ``docker run --env-file``, systemd, and Docker Compose.

Docker takes everything after the first ``=`` unchanged, and refuses a name that contains white space
(https://github.com/docker/cli/blob/master/pkg/kvfile/kvfile.go, https://github.com/docker/cli/issues/3630).
systemd removes quotes, has no comments after values, and expands nothing
(https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#EnvironmentFile=). Docker Compose also
expands ``$NAME``, but nothing in single quotes
(https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

DOCKER = "docker run --env-file"
SYSTEMD = "systemd's EnvironmentFile"

COMPOSE = "Docker Compose"

_BARE = re.compile(r"(?<![\\$])\$([A-Za-z_]\w*)")
_EXPORT = re.compile(r"export[ \t]")
_QUOTED = re.compile(r"""[ \t]*(?:'([^']*)'|"((?:[^"\\]|\\.)*)")""", re.DOTALL)
_UNQUOTED = re.compile(r"(?:\\.|[^\n\r\\])*+", re.DOTALL)


def misread(line: str, value: str, variables: Sequence[str]) -> Sequence[str]:
    """Say which programs read a different value than python-dotenv, and why.

    Args:
        line: The definition as written in the file.
        value: The value that python-dotenv reads, before it expands variables.
        variables: The variables that it expands.
    """
    line = line.strip("\n\r").lstrip()
    name, _, written = line.partition("=")
    if _EXPORT.match(line):
        return [f"{DOCKER} refuses a line that begins with export, and {SYSTEMD} ignores it"]
    found = list(_compose(written.lstrip(" \t"), variables))
    for program, reads in ((DOCKER, written.partition("\n")[0].rstrip("\r")), (SYSTEMD, _systemd(written))):
        reasons = list(_reasons(program, written, value, reads, variables))
        if program == DOCKER and name.rstrip() != name:
            reasons = ["refuses the space before ="]
        if reasons:
            found.append(f"{program} {' and '.join(reasons)}")
    return found


def _compose(written: str, variables: Sequence[str]) -> Iterator[str]:
    if written.startswith("'"):
        if variables:
            yield f"{COMPOSE} does not expand ${{{variables[0]}}} in single quotes"
    elif bare := _BARE.search(written):
        yield f"{COMPOSE} expands ${bare[1]}"


def _reasons(program: str, written: str, value: str, reads: str, variables: Sequence[str]) -> Iterator[str]:
    if variables:
        yield f"does not expand ${{{variables[0]}}}"
    if reads == value:
        return
    start = written.lstrip(" \t")
    is_quoted = start[:1] in ("'", '"')
    if program == DOCKER and is_quoted:
        yield "keeps the quotes"
    if "\n" in written and program == DOCKER:
        yield "reads only the first line"
    elif "#" in reads and "#" not in value:
        yield "keeps the comment after the value"
    elif program != DOCKER or not is_quoted:
        yield "reads its spaces, quotes or backslashes differently"


def _systemd(written: str) -> str:
    value, at = "", 0
    while found := _QUOTED.match(written, at):
        value += found[1] if found[1] is not None else re.sub(r'\\(["\\`$])', r"\1", found[2])
        at = found.end()
    found = _UNQUOTED.match(written[at:].lstrip(" \t"))
    return value + re.sub(r"\\(.)", r"\1", found[0].rstrip() if found else "", flags=re.DOTALL)
