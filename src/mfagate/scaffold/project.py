"""``mfagate init``: write a configuration, contracts, recordings and CI files into a repository.

In an existing project it adds a provider, an environment or a CI file that is missing. It never replaces anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap

from mfagate.config.environments import KEY
from mfagate.config.load import ConfigError, read
from mfagate.config.model import Configuration
from mfagate.config.nearest import nearest_to
from mfagate.config.settings import SettingField
from mfagate.contract.shipped import shipped_folder
from mfagate.core.files import Unreadable, read_text
from mfagate.core.toml_lines import parse, string
from mfagate.providers import registry
from mfagate.providers.provider import InstalledProvider
from mfagate.scaffold import ScaffoldRefused, Written, write
from mfagate.scaffold.growing import Grown, environment_block
from mfagate.scaffold.pipeline import pipeline_files
from mfagate.scaffold.source import Source
from mfagate.secrets.reference import Reference

CONFIGURATION = Path("integrations.toml")

_WIDTH = 100

_MAX_BYTES = 1 << 20

_HEAD = """\
# MFA providers as they will be deployed. Secrets are references to the files or variables that are
# deployed: env:NAME, file:PATH, dotenv:PATH#NAME, k8s-secret:PATH#name/key, …
# Check them with: mfagate check (offline), mfagate gate (live).
# With the same MFAGATE_FINGERPRINT_KEY in each run (a secret of your CI; openssl rand -hex 32 makes one),
# reports say whether a value has changed since the last run that passed. No value is kept.

"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to write.

    Args:
        providers: Names of providers.
        environments: Where they are used. In an existing project, empty means the environments that it has.
        pipelines: Kinds of CI files.
        source: What the CI files install.
        answers: Values or references, by provider and setting. Other settings get an ``env:`` reference.
    """

    providers: Sequence[str] = ()
    environments: Sequence[str] = ()
    pipelines: Sequence[str] = ()
    source: Source | None = None
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Started:
    """What was written.

    Args:
        written: The files.
        said: Messages about what was added to the configuration.
        configuration: The new configuration.
        environment: The environment that the CI files check.
        beside: Existing CI files that differ from the new ones, each with the new file beside it.
    """

    written: Written
    said: tuple[str, ...]
    configuration: Configuration
    environment: str
    beside: Mapping[Path, Path]


def existing(folder: Path) -> Configuration | None:
    """Return the configuration of an existing project, or None.

    Raises:
        ScaffoldRefused: The configuration cannot be read.
    """
    path = folder / CONFIGURATION
    if not path.exists() and not path.is_symlink():
        return None
    try:
        return read(path, read_text(path, _MAX_BYTES), registry.names())
    except Unreadable as error:
        raise ScaffoldRefused(f"{path} {error}; nothing was written") from None
    except ConfigError as error:
        raise ScaffoldRefused(*map(str, error.problems), "correct this first; nothing was written") from None


def init(folder: Path, wanted: Wanted) -> Started:
    """Write what is missing. All problems are found before the first file is written.

    Raises:
        ScaffoldRefused: There is no such provider, the configuration cannot be added to, or a file cannot be written.
    """
    for name in wanted.providers:
        require_known(name)
    present = existing(folder)
    if present is None and not wanted.providers:
        raise ScaffoldRefused(f"name the providers with --provider NAME; installed: {', '.join(registry.names())}")
    if present is not None and not wanted.providers and not wanted.pipelines:
        there = ", ".join(present.integrations) or "no integration"
        raise ScaffoldRefused(f"{CONFIGURATION} has {there}: name what to add with --provider NAME or --ci KIND")
    if wanted.pipelines and wanted.source is None:
        raise ScaffoldRefused("name what the CI machine installs with --source")
    grown, said = _grown(present, wanted)
    configuration = read(folder / CONFIGURATION, grown.text, registry.names())
    environment = _checked_environment(configuration, wanted)
    texts: dict[Path, str] = {} if present else {CONFIGURATION: grown.text}
    for name in dict.fromkeys(wanted.providers):
        texts |= _shipped(name)
    pipelines = _pipelines(wanted, configuration, environment)
    beside = {path: path.with_name(f"{path.name}.mfagate") for path in _different(folder, pipelines)}
    texts |= pipelines | {other: pipelines[path] for path, other in beside.items()}
    changed = {CONFIGURATION: grown.text} if present and grown.text != present.text else {}
    return Started(write(folder, texts, changed), (*said, *grown.moved), configuration, environment, beside)


def _pipelines(wanted: Wanted, configuration: Configuration, environment: str) -> dict[Path, str]:
    texts: dict[Path, str] = {}
    for kind in wanted.pipelines:
        assert wanted.source is not None, "init refuses CI files without a source"
        texts |= pipeline_files(kind, variables(configuration, environment), environment, wanted.source)
    return texts


def _different(folder: Path, texts: Mapping[Path, str]) -> Iterator[Path]:
    """Yield the files that exist with a different text."""
    for path, text in texts.items():
        try:
            if read_text(folder / path, _MAX_BYTES) != text:
                yield path
        except Unreadable as error:
            if not error.missing:
                yield path


def require_known(name: str) -> None:
    """Refuse the name of a provider that is not installed.

    Raises:
        ScaffoldRefused: It is such a name.
    """
    known = registry.names()
    if name not in known:
        raise ScaffoldRefused(f"no provider is named {name!r}{nearest_to(name, known)}; installed: {', '.join(known)}")


def variables(configuration: Configuration, environment: str) -> list[str]:
    """Return the environment variables that the integrations of an environment refer to."""
    found = [
        reference.locator
        for integration in configuration.select((), (environment,))
        for table in (integration.settings, integration.control, integration.expect, integration.test_data)
        for raw in table.values()
        if (reference := Reference.parse(raw)) is not None and reference.scheme == "env"
    ]
    return list(dict.fromkeys(found))


def _checked_environment(configuration: Configuration, wanted: Wanted) -> str:
    """Return the environment that the pipeline checks: production if the project has it, or else its first."""
    known = list(wanted.environments) or [one.environment.value for one in configuration.integrations.values()]
    return "production" if "production" in known else known[0] if known else "production"


def _grown(present: Configuration | None, wanted: Wanted) -> tuple[Grown, list[str]]:
    """Return the text with the providers added, and messages about what was added or kept."""
    grown, said = Grown(_HEAD if present is None else present.text), list[str]()
    for name in dict.fromkeys(wanted.providers):
        document = parse(grown.text).get("integrations", {})
        if name not in document:
            environments = list(dict.fromkeys(wanted.environments)) or ["production"]
            block = "\n".join(_integration(registry.get(name), environments, wanted.answers.get(name, {})))
            grown = grown.with_integration(name, block)
            said.append(f"added {name} ({', '.join(environments)})")
        elif document[name].get("provider", name) != name:
            raise ScaffoldRefused(
                f"{CONFIGURATION} calls an integration of {document[name]['provider']} {name}: rename that table, or "
                f"add one for {name} under another name by hand"
            )
        else:
            grown = _with_environments(grown, name, wanted, said)
    return grown, said


def _with_environments(grown: Grown, name: str, wanted: Wanted, said: list[str]) -> Grown:
    table = parse(grown.text)["integrations"][name]
    known = [*table.get(KEY, {}), table.get("environment")]
    missing = [environment for environment in dict.fromkeys(wanted.environments) if environment not in known]
    if not missing:
        said.append(f"kept {name}, which is already in {CONFIGURATION}")
    for environment in missing:
        settings = dict.fromkeys([*table.get("settings", {}), *chosen_settings(registry.get(name))])
        values = {setting: f"env:{variable(name, environment, setting)}" for setting in settings}
        grown = grown.with_environment(name, environment, environment_block(values))
        said.append(f"added the environment {environment} to {name}: its name is {name}/{environment}")
    return grown


def _integration(provider: InstalledProvider, environments: Sequence[str], answers: Mapping[str, str]) -> Iterator[str]:
    name = provider.name
    yield f"[integrations.{name}]"
    yield f'provider = "{name}"'
    if len(environments) == 1:
        yield f'environment = "{environments[0]}"'
    yield "# share_of_users = 0.30        # the share of users who log in with it, for the report"
    yield ""
    yield f"[integrations.{name}.settings]"
    for each in provider.settings.fields():
        yield from _setting(provider, each, answers)
    purpose = "The expected account: a key of another account must not pass."
    yield from _described(f"integrations.{name}.expect", purpose, provider.expectations)
    purpose = "Users for the interactions that need a user in a certain state. Never use a real person's."
    yield from _described(f"integrations.{name}.test_data", purpose, provider.test_data)
    yield ""
    yield "# The settings of the login service's own client."
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
    if len(environments) > 1:
        yield from _environments(provider, environments)


def _environments(provider: InstalledProvider, environments: Sequence[str]) -> Iterator[str]:
    """Write the values of the first environment at the top, and a table for each other environment."""
    name = provider.name
    yield ""
    yield "# The tables above apply to every environment. The table of an environment overrides single keys."
    yield f"[integrations.{name}.{KEY}.{environments[0]}]"
    for environment in environments[1:]:
        yield ""
        yield f"[integrations.{name}.{KEY}.{environment}]"
        values = {each: f"env:{variable(name, environment, each)}" for each in chosen_settings(provider)}
        yield from environment_block(values).splitlines()


def _setting(provider: InstalledProvider, each: SettingField, answers: Mapping[str, str]) -> Iterator[str]:
    yield from _comment(f"{each.setting.description} Where to find it: {each.setting.where}.")
    in_use = each.name in chosen_settings(provider) or each.name in answers
    yield f"{'' if in_use else '# '}{each.name} = {string(answers.get(each.name, reference(provider, each)))}"


def _described(table: str, purpose: str, keys: Mapping[str, str]) -> Iterator[str]:
    """Yield a table with commented keys to fill in; nothing if the provider has no such keys."""
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


def chosen_settings(provider: InstalledProvider) -> list[str]:
    """Return the settings of the simplest complete configuration: the required ones, and the first to authenticate."""
    fields = provider.settings.fields()
    one_of = provider.settings.any_of[:1]
    return [field.name for field in fields if field.required or field.name in one_of]


def reference(provider: InstalledProvider, each: SettingField) -> str:
    """Return the reference of a setting if no other is given."""
    example = each.setting.example
    return example if each.secret and example.startswith("env:") else f"env:{variable(provider.name, each.name)}"


def variable(*parts: str) -> str:
    """Return the name of an environment variable."""
    return re.sub(r"[^A-Z0-9]", "_", "_".join(parts).upper())


def _shipped(name: str) -> dict[Path, str]:
    folder = shipped_folder()
    found = [*sorted(folder.glob(f"contracts/{name}/*.json")), *sorted(folder.glob(f"cassettes/{name}/*.yaml"))]
    return {path.relative_to(folder): path.read_text("utf-8") for path in found}
