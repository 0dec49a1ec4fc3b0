"""The questions of ``mfagate init``. Each answer is checked at once, and a wrong one is asked for again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mfagate.app.errors import RunRefused
from mfagate.cli.options import ENVIRONMENTS
from mfagate.core.foreign import harmless

if TYPE_CHECKING:
    from mfagate.config.model import Configuration
    from mfagate.config.settings import SettingField
    from mfagate.providers.provider import InstalledProvider
    from mfagate.scaffold.project import Wanted
    from mfagate.scaffold.source import Source


@dataclass(frozen=True, slots=True)
class GivenAnswers:
    """What the command line says. An empty field was not given."""

    folder: Path
    providers: Sequence[str]
    environments: Sequence[str]
    pipelines: Sequence[str]
    source: str | None


def unasked(given: GivenAnswers) -> Wanted:
    """Return what the command line says, without asking a question.

    Raises:
        RunRefused: The source cannot be used, or it is required and missing.
    """
    from mfagate.core.extras import pinned_origin
    from mfagate.scaffold import source
    from mfagate.scaffold.project import Wanted

    pipelines = [kind for kind in given.pipelines if kind != "none"]
    text = given.source or (pinned_origin() if pipelines else None)
    if pipelines and text is None:
        raise RunRefused(f"--ci needs --source SOURCE, which the CI machine installs: {source.FORMS}")
    found = None
    if text is not None:
        try:
            found = source.parse(text, given.folder)
        except source.BadSource as error:
            raise RunRefused(f"--source {harmless(text)}: {error}") from None
    return Wanted(given.providers, given.environments, pipelines, found)


def asked(given: GivenAnswers) -> Wanted:
    """Ask for what the command line does not say.

    Raises:
        RunRefused: The source on the command line cannot be used.
        ScaffoldRefused: The project has a configuration that cannot be read.
    """
    from mfagate.scaffold import project

    for name in given.providers:
        project.require_known(name)
    present = project.existing(given.folder)
    grows = present is not None and bool(given.providers or given.pipelines)
    providers = given.providers or (() if grows else _providers(grows=present is not None))
    new = [name for name in dict.fromkeys(providers) if present is None or not _is_there(present, name)]
    environments = given.environments or (_environments() if providers else ())
    answers = {name: _settings(given.folder, name, environments) for name in new}
    pipelines = given.pipelines or (() if grows else _pipelines())
    kinds = [kind for kind in pipelines if kind != "none"]
    if given.source is not None or not kinds:
        wanted = unasked(GivenAnswers(given.folder, providers, environments, pipelines, given.source))
        return project.Wanted(providers, environments, kinds, wanted.source, answers)
    return project.Wanted(providers, environments, kinds, _source(given.folder), answers)


def _is_there(present: Configuration, name: str) -> bool:
    """Return whether an integration has this name, with or without environments."""
    from mfagate.config.environments import base_name

    return name in map(base_name, present.integrations)


def _several(known: Sequence[str], what: str, *, least: int) -> Callable[[str], tuple[str, ...]]:
    """Return a function that reads names separated by commas. For a wrong name, click asks again."""
    from mfagate.config.nearest import nearest_to

    def read(text: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
        for name in names:
            if name not in known:
                raise click.BadParameter(f"no {what} is named {harmless(name)!r}{nearest_to(name, known)}")
        if "none" in names:
            names = tuple(name for name in names if name != "none")
            if names:
                raise click.BadParameter("none cannot be combined with other names")
            return names
        if len(names) < least:
            raise click.BadParameter(f"name at least one: {', '.join(known)}")
        return names

    return read


def _providers(*, grows: bool) -> tuple[str, ...]:
    from mfagate.providers import registry

    known = registry.names()
    if not grows:
        question = f"Providers, separated by commas ({', '.join(known)})"
        return _ask(question, _several(known, "provider", least=1))
    question = f"Providers to add, separated by commas, or none ({', '.join(known)})"
    return _ask(question, _several([*known, "none"], "provider", least=0), default="none")


def _environments() -> tuple[str, ...]:
    question = f"Environments, separated by commas ({', '.join(ENVIRONMENTS)})"
    return _ask(question, _several(ENVIRONMENTS, "environment", least=1), default="production")


def _pipelines() -> tuple[str, ...]:
    from mfagate.scaffold.pipeline import KINDS

    question = f"CI files, separated by commas ({', '.join(KINDS)}, none)"
    return _ask(question, _several([*KINDS, "none"], "CI", least=1), default="none")


def _ask(question: str, read: Callable[[str], tuple[str, ...]], default: str | None = None) -> tuple[str, ...]:
    found: tuple[str, ...] = click.prompt(question, default=default, value_proc=read)
    return found


def _source(folder: Path) -> Source:
    from mfagate.core.extras import pinned_origin
    from mfagate.scaffold import source

    click.echo(f"\nWhat does the CI machine install? mfagate is not on a public index. Write {source.FORMS}.")

    def read(text: str) -> Source:
        try:
            return source.parse(text.strip(), folder)
        except source.BadSource as error:
            raise click.BadParameter(str(error)) from None

    found: Source = click.prompt("Source", default=pinned_origin(), value_proc=read)
    return found


def _settings(folder: Path, name: str, environments: Sequence[str]) -> Mapping[str, str]:
    """Ask for each setting that the provider needs."""
    from mfagate.providers import registry
    from mfagate.scaffold.project import chosen_settings

    provider = registry.get(name)
    click.echo(
        f"\n{provider.title}: write where each value is read from (env:NAME, file:PATH, dotenv:PATH#NAME, "
        "k8s-secret:PATH#name/key, …), or the value itself if it is not secret. Enter accepts the text in brackets."
    )
    environment, *others = environments
    if others:
        click.echo(f"These are the values of {environment}; {', '.join(others)} gets its own env: references.")
    answers: dict[str, str] = {}
    for field in provider.settings.fields():
        if field.name in chosen_settings(provider):
            answers[field.name] = _setting(folder, provider, environment, field, answers)
    return answers


def _setting(
    folder: Path, provider: InstalledProvider, environment: str, field: SettingField, given: Mapping[str, str]
) -> str:
    from mfagate.scaffold.answers import check_answer
    from mfagate.scaffold.project import reference

    default = reference(provider, field)
    click.echo(harmless(f"{field.name}: {field.setting.description} Where to find it: {field.setting.where}."))
    before = None
    while True:
        answer: str = click.prompt(f"  {field.name}", default=default).strip()
        checked = check_answer(folder, provider, environment, field, answer, given)
        if checked.error is None:
            return answer
        if checked.only_missing and answer in (before, default):
            click.echo(f"  note: {harmless(checked.error)}; set it before you run mfagate check")
            return answer
        again = "; enter it again to keep it" if checked.only_missing else ""
        click.echo(f"  Error: {harmless(checked.error)}{again}")
        before = answer
