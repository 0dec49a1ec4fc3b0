"""The next steps after ``mfagate init``, each with the commands or names that it needs."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from textwrap import TextWrapper

from mfagate.checks.contract_file import missing_contract
from mfagate.config.environments import base_name
from mfagate.config.model import Configuration, Integration
from mfagate.core.extras import install_command, missing
from mfagate.core.files import Unreadable, read_text
from mfagate.core.git import is_ignored
from mfagate.providers import registry
from mfagate.scaffold.pipeline import KINDS, checked_environments, passing_paths
from mfagate.scaffold.project import CONFIGURATION, Started, Wanted, variables
from mfagate.secrets.fingerprint import KEY_VARIABLE
from mfagate.secrets.fingerprint_key import MAKE_ONE
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import file_of

_EXTRAS = (("history", "mfagate nightly"), ("record", "mfagate record"))
"""The extras of the commands that are needed first, each with its command."""

_WIDTH = 100


def next_steps(folder: Path, started: Started, wanted: Wanted) -> Iterator[str]:
    """Yield the lines of the steps, numbered from 1."""
    steps = [
        *_variables(started.configuration),
        *_files(started.configuration),
        *_shared(started.configuration, wanted),
        *_contracts(started.configuration),
        *_extras(),
        *_commands(folder, started.configuration),
        *_pipelines(started, wanted),
        *_not_passed_on(folder, started, wanted),
        *_ignored_files(started, wanted),
        *_of_the_repository(folder, wanted),
    ]
    wrapped = TextWrapper(
        _WIDTH, initial_indent="  ", subsequent_indent="     ", break_long_words=False, break_on_hyphens=False
    )
    for number, (head, details) in enumerate(steps, 1):
        yield from wrapped.wrap(f"{number}. {head}")
        yield from (f"       {detail}" for detail in details)


Step = tuple[str, Sequence[str]]


def _variables(configuration: Configuration) -> Iterator[Step]:
    wanted: dict[str, str] = {}
    for integration in configuration.integrations.values():
        for name, about in _read_by(integration):
            wanted.setdefault(name, about)
    if not wanted:
        return
    width = max(map(len, wanted))
    lines = [f"{name.ljust(width)}  {'(set) ' if name in os.environ else ''}{about}" for name, about in wanted.items()]
    head = (
        f"Set these environment variables, or name in {CONFIGURATION} where each value is read from instead "
        "(a value that is not secret, file:PATH, dotenv:PATH#NAME, k8s-secret:PATH#name/key, …):"
    )
    yield head, lines


def _read_by(integration: Integration) -> Iterator[tuple[str, str]]:
    fields = {each.name: each for each in registry.get(integration.provider).settings.fields()}
    for name, raw in integration.settings.items():
        reference = Reference.parse(raw)
        if reference is not None and reference.scheme == "env":
            where = f": {fields[name].setting.where}" if name in fields else ""
            yield reference.locator, f"{name} of {integration.name}{where}"


def _files(configuration: Configuration) -> Iterator[Step]:
    """Name the files with values that do not exist on this machine."""
    missing: dict[Path, list[str]] = {}
    for path, what in _sources(configuration.integrations.values()):
        if not path.exists():
            missing.setdefault(path, []).append(what)
    if missing:
        yield "Create these files where you run mfagate:", [f"{path}  {', '.join(of)}" for path, of in missing.items()]


def _sources(integrations: Iterable[Integration]) -> Iterator[tuple[Path, str]]:
    """Yield the files that settings are read from, with the setting."""
    for integration in integrations:
        for name, raw in integration.settings.items():
            reference = Reference.parse(raw)
            with suppress(Unresolved):
                path = None if reference is None else file_of(reference, integration.base)
                if path is not None:
                    yield path, f"{name} of {integration.name}"


_OF_AN_ACCOUNT = ("expect", "control", "test_data")
"""Tables whose values usually belong to one account, as settings do."""

_OF_A_PLACE = ("endpoint", "ca_bundle", "client_certificate", "client_key")


def _shared(configuration: Configuration, wanted: Wanted) -> Iterator[Step]:
    """Name values that an environment takes from the shared table although they may belong to another account."""
    for integration in configuration.integrations.values():
        name = integration.name
        if base_name(name) not in wanted.providers or integration.environment.value not in wanted.environments:
            continue
        shared = [key for key in _OF_A_PLACE if key in integration.model_fields_set and _is_shared(integration, key)]
        for table in _OF_AN_ACCOUNT:
            shared += [f"{table}.{key}" for key in getattr(integration, table) if _is_shared(integration, table, key)]
        if shared:
            head = f"{name} takes {', '.join(shared)} from the table of all environments: override what differs in "
            yield f"{head}{integration.head()}.", ()


def _is_shared(integration: Integration, *keys: str) -> bool:
    return integration.written_head(*keys) != integration.head(*keys[:-1])


def _contracts(configuration: Configuration) -> Iterator[Step]:
    for integration in {one.contract_path: one for one in configuration.integrations.values()}.values():
        if step := missing_contract(integration, registry.get(integration.provider).title):
            yield step, ()


def _extras() -> Iterator[Step]:
    if absent := {extra: command for extra, command in _EXTRAS if missing(extra)}:
        names = " and ".join(f"{command} ({extra})" for extra, command in absent.items())
        yield f"Install what {names} need: {install_command(','.join(absent))}", ()


def _commands(folder: Path, configuration: Configuration) -> Iterator[Step]:
    path = folder / CONFIGURATION
    option = "" if folder == Path() else f" --config {shlex.quote(str(path))}"
    lines = [
        (f"mfagate check --without-secrets{option}", "offline, without secrets: is everything well-formed?"),
        (f"mfagate check{option}", "offline, with the secrets"),
        (f"mfagate doctor{option}", "can this machine read, write and reach what is needed?"),
        (f"mfagate gate{option}", "live: may this be deployed?"),
    ]
    width = max(len(command) for command, _ in lines)
    yield "Run these commands in this order:", [f"{command.ljust(width)}  {about}" for command, about in lines]
    yield from _after_the_gate(configuration)


def _after_the_gate(configuration: Configuration) -> Iterator[Step]:
    """Yield what production needs besides a gate that passes."""
    production = [one for one in configuration.integrations.values() if one.environment.is_production]
    unpinned = [one.name for one in production if registry.get(one.provider).expectations and not one.expect]
    if unpinned:
        names = ", ".join(unpinned)
        yield f"After the first gate that passes, fill in the table expect of {names}: the report shows how.", ()
    unowned = [one.name for one in production if not one.documentation.owner]
    if unowned:
        head = f"Fill in the table documentation (owner, runbook, …) of {', '.join(unowned)}: "
        yield f"{head}without it, mfagate nightly fails in production.", ()


def _pipelines(started: Started, wanted: Wanted) -> Iterator[Step]:
    names = [*variables(started.configuration, started.environment), f"{KEY_VARIABLE} ({MAKE_ONE})"]
    for kind in wanted.pipelines:
        yield _DO[kind], [f"{_CALLED[kind]}: {', '.join(names)}"] if kind in _CALLED else ()
    for path, beside in started.beside.items():
        yield f"{path} was kept. Copy what it lacks from {beside}, then delete that file.", ()
    if wanted.source is not None and wanted.source.path is not None:
        yield f"Commit {wanted.source.path}, which the CI files install.", ()
    if wanted.source is not None and wanted.source.doubt:
        text = wanted.source.requirement("")
        yield f"Make sure that the CI machine can install {text} ({wanted.source.doubt}, so it was not checked).", ()


def _not_passed_on(folder: Path, started: Started, wanted: Wanted) -> Iterator[Step]:
    """Name the variables that earlier CI files do not pass on."""
    for kind in KINDS:
        if kind in wanted.pipelines:
            continue
        for path in passing_paths(kind):
            text = _text_of(folder / path)
            known = set(re.findall(r"\w+", text))
            environments = checked_environments(text) or [started.environment]
            names = [name for one in environments for name in variables(started.configuration, one)]
            missing = [name for name in dict.fromkeys(names) if name not in known]
            if missing and "mfagate" in known:
                yield f"{path} does not pass on {', '.join(missing)}: add them beside the other variables.", ()


_AT_THE_ROOT = ("github", "gitlab", "jenkins", "pre-commit")
"""Kinds of CI files that are read only at the root of a repository."""

_CLONES = ("github", "gitlab", "jenkins")
"""Kinds of CI files that work in a clone of the repository."""


def _ignored_files(started: Started, wanted: Wanted) -> Iterator[Step]:
    """Name the files with values that a clone does not contain."""
    if not set(_CLONES) & set(wanted.pipelines):
        return
    read = dict.fromkeys(path for path, _ in _sources(started.configuration.select((), (started.environment,))))
    if found := list(filter(is_ignored, read)):
        names = ", ".join(os.path.relpath(path) for path in found)
        yield f"git ignores {names}: create it in the CI job before mfagate starts, or use env: references.", ()


def _of_the_repository(folder: Path, wanted: Wanted) -> Iterator[Step]:
    """Yield the steps for a working tree of git."""
    here = folder.resolve()
    root = next((path for path in (here, *here.parents) if (path / ".git").exists()), None)
    if root is None:
        return
    if root != here and (kinds := [kind for kind in wanted.pipelines if kind in _AT_THE_ROOT]):
        head = (
            f"The files of {' and '.join(kinds)} are read only at the root of the repository: move them to {root}, "
            f"and add --config {here.relative_to(root) / CONFIGURATION} to the commands in them."
        )
        yield head, ()
    if not _is_ignored(here, root):
        path = os.path.relpath(root / ".gitignore")
        yield f"Add the line .mfagate/ to {path}: mfagate nightly keeps its history in that folder.", ()


def _is_ignored(folder: Path, root: Path) -> bool:
    paths = [path / ".gitignore" for path in (folder, *folder.parents) if path.is_relative_to(root)]
    return any(".mfagate" in _text_of(path) for path in paths)


def _text_of(path: Path) -> str:
    """Return the text of a file; empty if it does not exist or cannot be read."""
    try:
        return read_text(path, 1 << 20)
    except Unreadable:
        return ""


_DO: Mapping[str, str] = {
    "github": "GitHub: create the environments mfa-gate and mfa-nightly (Settings > Environments) with these secrets, "
    "and let the workflow that deploys call .github/workflows/mfagate.yml, whose first lines show how.",
    "gitlab": "GitLab: put include: .gitlab/mfagate.gitlab-ci.yml into .gitlab-ci.yml, needs: [mfa-gate] into the job "
    "that deploys, make a pipeline schedule, and set these variables (Settings > CI/CD > Variables; masked, "
    "protected).",
    "jenkins": "Jenkins: put your deployment into the stage Deploy, and make credentials of the kind Secret text.",
    "kubernetes": "Kubernetes: build the image with mfagate.Dockerfile, name it in deploy/mfagate/gate.yaml and "
    "nightly.yaml, and name the Secret that holds these keys there (login-mfa).",
    "systemd": "systemd: install mfagate and copy the files as the first lines of systemd/mfagate-nightly.service say. "
    "The references read the file of secrets that is named there.",
    "pre-commit": "pre-commit: run pre-commit install.",
}

_CALLED = {
    "github": "secrets",
    "gitlab": "variables",
    "jenkins": "ids of credentials",
    "kubernetes": "keys",
    "systemd": "names in that file",
}
"""What the variables are called in each kind of CI files."""
