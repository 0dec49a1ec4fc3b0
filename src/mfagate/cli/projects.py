"""``init`` and ``new-provider``: files to begin with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from mfagate.cli.options import ENVIRONMENTS, complete_provider
from mfagate.cli.refusal import refused
from mfagate.foreign import quoted

_CI = ["github", "gitlab", "jenkins", "kubernetes", "systemd", "pre-commit"]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_provider,
    help="A provider that the project uses. May be repeated.",
)
@click.option(
    "--environment", type=click.Choice(ENVIRONMENTS), help="Where the integrations are used. Default: production."
)
@click.option("--ci", type=click.Choice([*_CI, "none"]), help="Write the files that run mfagate in it. Default: none.")
def init(folder: Path, providers: tuple[str, ...], environment: str | None, ci: str | None) -> None:
    """Start a project in FOLDER: integrations.toml, contracts, recordings, a pipeline.

    On a terminal it asks for what is not given. A file that exists is never
    changed; with an integrations.toml in FOLDER nothing is written at all.
    """
    from mfagate.providers import registry
    from mfagate.scaffold import Refused, project

    asking = sys.stdin.isatty()
    if not providers:
        known = ", ".join(registry.names())
        if not asking:
            raise click.UsageError(f"name the providers with --provider NAME; installed: {known}")
        answer = click.prompt(f"Providers, separated by commas ({known})")
        providers = tuple(name.strip() for name in answer.split(",") if name.strip())
    if environment is None:
        choice = click.Choice(ENVIRONMENTS)
        environment = click.prompt("Environment", type=choice, default="production") if asking else "production"
    if ci is None:
        ci = click.prompt("CI", type=click.Choice([*_CI, "none"]), default="none") if asking else "none"
    try:
        written = project.init(folder, providers, environment, None if ci == "none" else ci)
    except (Refused, registry.ProviderError) as error:
        raise refused(str(error)) from None
    _say_written(folder, written)
    click.echo(f"\nNext: fill in {quoted(folder / project.CONFIGURATION)}, then run mfagate check")


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
    what to put in the place of what is made up; docs/add-a-provider.md tells how.
    """
    from mfagate.scaffold import Refused, provider_package

    try:
        folder, written = provider_package.new_provider(parent, name, title)
    except Refused as error:
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
    for path in written.kept:
        click.echo(f"kept  {quoted(folder / path)}, which exists already")
