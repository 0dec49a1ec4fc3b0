"""``init`` and ``new-provider``: files to begin with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from mfagate.cli.options import ENVIRONMENTS, Words, complete_provider, separated
from mfagate.cli.refusal import refused
from mfagate.core.foreign import harmless, quoted

_CI = ["github", "gitlab", "jenkins", "kubernetes", "systemd", "pre-commit"]


@click.command()
@click.argument("folders", metavar="[FOLDER]", nargs=-1, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME",
    callback=separated,
    shell_complete=complete_provider,
    help="A provider that the project uses. May be repeated, or take several with commas.",
)
@click.option(
    "--environment",
    "environments",
    multiple=True,
    type=Words(ENVIRONMENTS),
    callback=separated,
    help="Where the providers are used. May be repeated, or take several with commas: the environments share a table. "
    "Default: production.",
)
@click.option(
    "--ci",
    "pipelines",
    multiple=True,
    type=Words([*_CI, "none"]),
    callback=separated,
    help="Write the files that run mfagate in it. May be repeated, or take several with commas. Default: none.",
)
@click.option(
    "--source",
    metavar="SOURCE",
    help="What the CI files install: git+https://HOST/mfagate@TAG, a wheel or a clone in FOLDER, or the URL of an "
    "index of your own. mfagate is on no public index.",
)
def init(
    folders: tuple[Path, ...],
    providers: tuple[str, ...],
    environments: tuple[str, ...],
    pipelines: tuple[str, ...],
    source: str | None,
) -> None:
    """Start a project in FOLDER, or add to one: integrations.toml, contracts, recordings, CI files.

    In a project that exists it adds the providers, environments and CI files that are missing. A file that exists is
    kept; to integrations.toml tables are added, and no line of it is lost. On a terminal it asks for what is not
    given, and checks each answer.

    \b
    mfagate init --provider duo,okta
    mfagate init --provider duo --environment staging      adds an environment
    mfagate init --ci github --source vendor/mfagate-0.1.0-py3-none-any.whl
    """
    from mfagate.cli import questions
    from mfagate.providers import registry
    from mfagate.scaffold import ScaffoldRefused, project
    from mfagate.scaffold.next_steps import next_steps

    folder = _folder(folders, providers)
    try:
        given = questions.GivenAnswers(folder, providers, environments, pipelines, source)
        wanted = questions.asked(given) if sys.stdin.isatty() else questions.unasked(given)
        started = project.init(folder, wanted)
    except (ScaffoldRefused, registry.ProviderError) as error:
        raise refused(*str(error).split("\n")) from None
    _say_written(folder, started.written)
    for line in started.said:
        click.echo(quoted(line))
    click.echo("\nNext:")
    for line in next_steps(folder, started, wanted):
        click.echo(harmless(line))


def _folder(folders: tuple[Path, ...], providers: tuple[str, ...]) -> Path:
    """Return the folder of the project. A provider's name in its place is a provider without its option.

    Raises:
        Refusal: It is such a name and no folder is there, or there are several.
    """
    from mfagate.providers import registry

    new = [str(folder) for folder in folders if str(folder) in registry.names() and not folder.exists()]
    if new:
        known = ",".join(dict.fromkeys([*providers, *new]))
        as_well = " as well" if providers else ""
        raise refused(
            f"to add {', '.join(new)}{as_well}, write --provider {known}; to name the folder, make it before: "
            f"mkdir {new[0]}"
        )
    if len(folders) > 1:
        raise refused(f"name one FOLDER, not {', '.join(map(str, folders))}")
    return folders[0] if folders else Path()


@click.command("new-provider")
@click.argument("name")
@click.option("--title", help="The provider's own spelling of its name. Default: NAME with capitals.")
@click.option(
    "--into",
    "parent",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where the folder mfagate-NAME is made. Default: here.",
)
def new_provider(name: str, title: str | None, parent: Path) -> None:
    """Write a package that adds the provider NAME.

    What it holds works, with a made-up API on an emulator. Its tests fail and say
    what to put in the place of what is made up; docs/how-to/add-a-provider.md tells how.
    """
    from mfagate.scaffold import ScaffoldRefused, provider_package

    try:
        folder, written = provider_package.new_provider(parent, name, title)
    except ScaffoldRefused as error:
        raise refused(str(error)) from None
    _say_written(folder, written)
    click.echo(f"\nNext: cd {quoted(folder)}, then as its README.md says")


def _say_written(folder: Path, written: Any) -> None:
    """Files one by one, but of a folder of recordings only how many."""
    from collections import Counter

    def shown(path: Path) -> Path:
        return path.parent if "cassettes" in path.parts else path

    for path, number in Counter(map(shown, written.new)).items():
        click.echo(f"wrote {quoted(folder / path)}" + (f" ({number} files)" if number > 1 else ""))
    for path in written.changed:
        click.echo(f"added to {quoted(folder / path)}")
    for path, number in Counter(map(shown, written.kept)).items():
        many = f" ({number} files), which exist" if number > 1 else ", which exists"
        click.echo(f"kept  {quoted(folder / path)}{many} already")
