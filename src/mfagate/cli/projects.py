"""``init`` and ``new-provider``: write files to start with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mfagate.app.errors import RunRefused
from mfagate.cli.options import ENVIRONMENTS, Words, complete_provider, separated
from mfagate.core.foreign import harmless, quoted

if TYPE_CHECKING:
    from mfagate.scaffold import Written

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
    help="A provider that the project uses. May be repeated, or take several separated by commas.",
)
@click.option(
    "--environment",
    "environments",
    multiple=True,
    type=Words(ENVIRONMENTS),
    callback=separated,
    help="An environment in which the providers are used. May be repeated, or take several separated by commas; they "
    "share a table. Default: production.",
)
@click.option(
    "--ci",
    "pipelines",
    multiple=True,
    type=Words([*_CI, "none"]),
    callback=separated,
    help="Write the files that run mfagate in this CI system. May be repeated, or take several separated by commas. "
    "Default: none.",
)
@click.option(
    "--source",
    metavar="SOURCE",
    help="What the CI files install: git+https://HOST/mfagate@TAG, a wheel or a clone in FOLDER, or the URL of your "
    "own package index. mfagate is not on a public index.",
)
def init(
    folders: tuple[Path, ...],
    providers: tuple[str, ...],
    environments: tuple[str, ...],
    pipelines: tuple[str, ...],
    source: str | None,
) -> None:
    """Start a project, or add to one.

    Write integrations.toml, contracts, recordings and CI files into FOLDER. Default: this folder. In an existing
    project, add the providers, environments and CI files that are missing. Existing files are kept; tables are added
    to integrations.toml without changing its other lines. On a terminal, ask for what the options do not say, and
    check each answer.

    \b
    mfagate init --provider duo,okta
    mfagate init --provider duo --environment staging      # add an environment
    mfagate init --ci github --source vendor/mfagate-0.1.0-py3-none-any.whl
    """
    from mfagate.app.errors import refusing
    from mfagate.cli import questions
    from mfagate.scaffold import project
    from mfagate.scaffold.next_steps import next_steps

    folder = _folder(folders, providers)
    with refusing():
        given = questions.GivenAnswers(folder, providers, environments, pipelines, source)
        wanted = questions.asked(given) if sys.stdin.isatty() else questions.unasked(given)
        started = project.init(folder, wanted)
    _say_written(folder, started.written)
    for line in started.said:
        click.echo(quoted(line))
    click.echo("\nNext:")
    for line in next_steps(folder, started, wanted):
        click.echo(harmless(line))


def _folder(folders: tuple[Path, ...], providers: tuple[str, ...]) -> Path:
    """Return the folder of the project.

    Raises:
        RunRefused: A provider's name was given without its option, or several folders were given.
    """
    from mfagate.providers import registry

    new = [str(folder) for folder in folders if str(folder) in registry.names() and not folder.exists()]
    if new:
        known = ",".join(dict.fromkeys([*providers, *new]))
        as_well = " as well" if providers else ""
        raise RunRefused(
            f"to add {', '.join(new)}{as_well}, write --provider {known}; to use it as the folder, create it first: "
            f"mkdir {new[0]}"
        )
    if len(folders) > 1:
        raise RunRefused(f"name one FOLDER, not {', '.join(map(str, folders))}")
    return folders[0] if folders else Path()


@click.command("new-provider")
@click.argument("name")
@click.option("--title", help="The provider's own spelling of its name. Default: NAME, capitalised.")
@click.option(
    "--into",
    "parent",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Create the folder mfagate-NAME in this folder. Default: the current folder.",
)
def new_provider(name: str, title: str | None, parent: Path) -> None:
    """Create a package for a provider that mfagate does not have.

    The package works as it is created, with an invented API and its emulator. Its tests fail, and say what to replace
    by the real API of the provider; docs/how-to/add-a-provider.md explains each step.
    """
    from mfagate.scaffold import provider_package

    folder, written = provider_package.new_provider(parent, name, title)
    _say_written(folder, written)
    click.echo(f"\nNext: cd {quoted(folder)}, then follow its README.md")


def _say_written(folder: Path, written: Written) -> None:
    """Print each file, but of a folder of recordings only the number of files."""
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
