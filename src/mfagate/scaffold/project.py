"""``mfagate init``: a configuration, contracts, recordings and a pipeline for somebody's own repository."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap

import mfagate
from mfagate.config.nearest import nearest_to
from mfagate.config.settings import Field
from mfagate.providers import registry
from mfagate.providers.base import Provider
from mfagate.scaffold import Refused, Written, write

CONFIGURATION = Path("integrations.toml")

_WIDTH = 100

_ENVIRONMENT = re.compile("(--environment,? )production")
"""On a command line, and in the list of arguments of a container."""


def init(folder: Path, providers: Sequence[str], environment: str, pipeline: str | None) -> Written:
    """Write what a project with these providers starts with.

    Raises:
        Refused: There is no such provider, there is a configuration already, or the folder cannot be written.
    """
    known = registry.names()
    for name in providers:
        if name not in known:
            raise Refused(f"no provider is named {name!r}{nearest_to(name, known)}; installed: {', '.join(known)}")
    if (folder / CONFIGURATION).exists():
        raise Refused(f"{folder / CONFIGURATION} exists already; nothing was written")
    chosen = [registry.get(name) for name in dict.fromkeys(providers)]
    texts = {CONFIGURATION: configuration(chosen, environment)}
    for provider in chosen:
        texts |= _shipped(provider.name)
    if pipeline is not None:
        texts |= pipeline_files(pipeline, chosen, environment)
    return write(folder, texts)


def configuration(providers: Sequence[Provider], environment: str) -> str:
    """The text of ``integrations.toml``: every secret a reference, every value with where to find it."""
    lines = [
        "# Uses of MFA providers that are about to be deployed. Secrets are references into the very files or",
        "# variables that are deployed: env:NAME, file:PATH, dotenv:PATH#NAME, k8s-secret:PATH#name/key, …",
        "# Checked by: mfagate check (no network), mfagate gate (live).",
        "# With the same MFAGATE_FINGERPRINT_KEY in each run (a secret of your CI; openssl rand -hex 32 makes one),",
        "# reports say whether a value has changed since the last run that passed. No value is kept.",
    ]
    for provider in providers:
        lines += ["", *_integration(provider, environment)]
    return "\n".join(lines) + "\n"


def _integration(provider: Provider, environment: str) -> Iterator[str]:
    name = provider.name
    yield f"[integrations.{name}]"
    yield f'provider = "{name}"'
    yield f'environment = "{environment}"'
    yield "# share_of_users = 0.30        # whose logins depend on it: the report says so"
    yield ""
    yield f"[integrations.{name}.settings]"
    for field in provider.settings.fields():
        yield from _setting(provider, field)
    purpose = "Who must answer: an accepted key of the wrong account is not a pass."
    yield from _described(f"integrations.{name}.expect", purpose, provider.expectations)
    purpose = "For the interactions that need a user in a certain state; never a real person's."
    yield from _described(f"integrations.{name}.test_data", purpose, provider.test_data)
    yield ""
    yield "# How the login service's own client is set."
    yield f"[integrations.{name}.client]"
    yield "timeout_seconds = 3"
    yield "retries = 1"
    yield "login_budget_seconds = 10"
    yield 'when_unavailable = "deny"'
    yield ""
    yield f"[integrations.{name}.documentation]"
    for key in ("owner", "runbook", "provider_docs", "escalation"):
        yield f'# {key} = "…"'
    yield "# rotation_days = 90"
    yield "# reviewed = 2026-01-31"


def _setting(provider: Provider, field: Field) -> Iterator[str]:
    yield from _comment(f"{field.setting.description} Where to find it: {field.setting.where}.")
    in_use = field.name in chosen_settings(provider)
    yield f'{"" if in_use else "# "}{field.name} = "{reference(provider, field)}"'


def _described(table: str, purpose: str, keys: Mapping[str, str]) -> Iterator[str]:
    """A table whose keys are there to be filled in; nothing where the provider has none."""
    if not keys:
        return
    yield ""
    yield f"# {purpose}"
    yield f"[{table}]"
    for key, text in keys.items():
        yield from _comment(text)
        yield f'# {key} = "…"'


def _comment(text: str) -> list[str]:
    return wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="#   ", break_long_words=False)


def chosen_settings(provider: Provider) -> list[str]:
    """The settings of the simplest whole configuration: the required ones, and the first that authenticates."""
    fields = provider.settings.fields()
    one_of = provider.settings.any_of[:1]
    return [field.name for field in fields if field.required or field.name in one_of]


def reference(provider: Provider, field: Field) -> str:
    """Where the value is looked for, until somebody says better."""
    example = field.setting.example
    variable = f"{provider.name}_{field.name}".upper().replace("-", "_")
    return example if field.secret and example.startswith("env:") else f"env:{variable}"


def shipped_folder() -> Path:
    """Where the contracts and recordings of the shipped providers are: in the package, or in a checkout."""
    package = Path(mfagate.__file__).parent
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parents[1]


def _shipped(name: str) -> dict[Path, str]:
    folder = shipped_folder()
    found = [*sorted(folder.glob(f"contracts/{name}/*.json")), *sorted(folder.glob(f"cassettes/{name}/*.yaml"))]
    return {path.relative_to(folder): path.read_text("utf-8") for path in found}


def _shipped_pipeline(pipeline: str) -> dict[Path, str]:
    """The templates of one kind; they lie there as they lie in a project."""
    folder = shipped_folder() / "ci/templates" / pipeline
    return {path.relative_to(folder): path.read_text("utf-8") for path in sorted(folder.rglob("*")) if path.is_file()}


def pipeline_files(pipeline: str, providers: Sequence[Provider], environment: str) -> dict[Path, str]:
    """What runs mfagate in somebody's CI, by path in the project.

    The templates are complete files for Duo in production, which can be pasted as they are. For other
    providers a line that names a variable of Duo becomes one line for each variable of theirs.
    """
    example = _variables([registry.get("duo")])
    names = _variables(providers)
    return {
        path: _ENVIRONMENT.sub(rf"\g<1>{environment}", "\n".join(_renamed(text.split("\n"), example, names)))
        for path, text in _shipped_pipeline(pipeline).items()
    }


def _renamed(lines: Sequence[str], example: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    for line in lines:
        named = next((name for name in example if re.search(rf"\b{name}\b", line)), None)
        if named is None:
            yield line
        elif named == example[0]:
            yield from (line.replace(named, name) for name in names)


def _variables(providers: Sequence[Provider]) -> list[str]:
    """The environment variables that the started configuration of these providers refers to."""
    return [
        reference(provider, field).removeprefix("env:")
        for provider in providers
        for field in provider.settings.fields()
        if field.name in chosen_settings(provider)
    ]
