"""CI files that run mfagate: templates with the project's variables, environment and source filled in.

The templates are complete files for Duo in production, which can be used as they are once the source is filled in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mfagate.contract.shipped import shipped_folder
from mfagate.scaffold.source import EXAMPLE, Source

KINDS = ("github", "gitlab", "jenkins", "kubernetes", "systemd", "pre-commit")

_ENVIRONMENT = re.compile("(--environment,? )production")
"""On a command line, or in the list of arguments of a container."""

_PACKAGE = re.compile(rf"mfagate(?P<extras>\[\w+\])? @ {re.escape(EXAMPLE)}")

_INDEX = "https://index.example.com/simple"

_VARIABLES = ("DUO_HOST", "DUO_INTEGRATION_KEY", "DUO_SECRET_KEY")
"""The variables in the templates."""


def pipeline_files(kind: str, variables: Sequence[str], environment: str, source: Source) -> Mapping[Path, str]:
    """Return the files of one kind, by their path in the project.

    Args:
        kind: One of ``KINDS``.
        variables: The environment variables that the configuration reads.
        environment: The environment that the pipeline checks.
        source: What the pipeline installs.
    """
    folder = _templates(kind)
    texts = {path: (folder / path).read_text("utf-8") for path in template_paths(kind)}
    return {path: _filled(path, text, variables, environment, source) for path, text in texts.items()}


def template_paths(kind: str) -> list[Path]:
    """Return the paths of the files of one kind, which are the same in the templates and in a project."""
    folder = _templates(kind)
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def passing_paths(kind: str) -> list[Path]:
    """Return the paths of the files of one kind that name each variable of the configuration."""
    folder = _templates(kind)
    return [path for path in template_paths(kind) if _VARIABLES[0] in (folder / path).read_text("utf-8")]


def checked_environments(text: str) -> list[str]:
    """Return the environments that the commands in a CI file select; empty if they select none."""
    found = re.findall(r"--environment[ =]([a-z,]+)", text)
    return list(dict.fromkeys(name for names in found for name in names.split(",") if name))


def _templates(kind: str) -> Path:
    return shipped_folder() / "ci/templates" / kind


def _filled(path: Path, text: str, variables: Sequence[str], environment: str, source: Source) -> str:
    text = "\n".join(_renamed(text.split("\n"), variables))
    text = _ENVIRONMENT.sub(rf"\g<1>{environment}", text)
    if source.path is not None:
        text = _with_path(path, text, source.path)
    if source.index:
        text = _with_index(path, text, source.index)
    return _PACKAGE.sub(lambda found: source.requirement(found["extras"] or ""), text)


def _renamed(lines: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Replace each line that names a variable of Duo by one line for each variable of the project."""
    for number, line in enumerate(lines):
        named = next((name for name in _VARIABLES if name in _words(line)), None)
        if named == _VARIABLES[0]:
            yield from (line.replace(named, name) for name in names)
        elif named is None and not (line.strip() == "env:" and not names and _VARIABLES[0] in lines[number + 1]):
            yield line


def _words(line: str) -> list[str]:
    return re.findall(r"\w+", line)


_OF_THE_SOURCE = ("additional_dependencies:", "# mfagate is on no public index:")
"""Lines of the hooks about what is installed."""


def _with_index(path: Path, text: str, index: str) -> str:
    if path.name == ".pre-commit-config.yaml":
        return text.replace('additional_dependencies: ["', f'additional_dependencies: ["--index-url={index}", "')
    if path.suffix == ".service":
        return text.replace("/pip install ", f"/pip install --index-url {index} ")
    lines = (_in_use(line).replace(_INDEX, index) if _INDEX in line else line for line in text.split("\n"))
    return "\n".join(lines)


def _in_use(line: str) -> str:
    """Uncomment a line."""
    setting = line.lstrip()
    return line[: len(line) - len(setting)] + setting.removeprefix("# ").removeprefix("// ")


def _with_path(path: Path, text: str, package: Path) -> str:
    """Fill in a path of the project, in the way that each tool needs."""
    if path.name == ".pre-commit-config.yaml":
        # pre-commit installs a local hook from a separate folder, so the hooks use the installed command instead.
        lines = (line for line in text.split("\n") if not line.lstrip().startswith(_OF_THE_SOURCE))
        return "\n".join(lines).replace("language: python", "language: system # mfagate has to be installed")
    if path.suffix == ".Dockerfile":
        copied = f"COPY {package.as_posix()} /source/{package.name}\nARG MFAGATE_PACKAGE="
        text = text.replace("ARG MFAGATE_PACKAGE=", copied)
        return _PACKAGE.sub(lambda found: f"/source/{package.name}{found['extras'] or ''}", text)
    return f"{text}!{package.as_posix()}\n" if path.suffix == ".dockerignore" else text
