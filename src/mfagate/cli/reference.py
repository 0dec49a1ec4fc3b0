"""``explain``, ``schema`` and ``completion``: information about mfagate itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mfagate.app.errors import RunRefused
from mfagate.cli.options import CONFIG, complete_cause, complete_integration, complete_provider

if TYPE_CHECKING:
    from mfagate.report.explain import Audience


@click.command()
@click.argument("cause", required=False, shell_complete=complete_cause)
@CONFIG
@click.option(
    "--integration",
    metavar="NAME",
    shell_complete=complete_integration,
    help="Show only what applies to the provider of this integration.",
)
@click.option(
    "--provider",
    metavar="PROVIDER",
    shell_complete=complete_provider,
    help="Show only what applies to this provider; `all` shows the whole page.",
)
@click.option("--all", "every", is_flag=True, help="Print the pages of all causes as one Markdown document.")
def explain(cause: str | None, config: Path, integration: str | None, provider: str | None, every: bool) -> None:
    """Explain a cause, or list all causes.

    The page of a CAUSE explains what it means, its evidence, the first steps, and whom to talk to. If there is a
    configuration file, only what applies to its providers is shown.
    """
    from mfagate.report import explain as pages

    try:
        if every:
            click.echo(pages.runbook(), nl=False)
        elif cause:
            pages.show(cause, _reader(config, integration, provider))
        else:
            pages.show_all()
    except (pages.UnknownCause, pages.UnknownIntegration) as error:
        raise RunRefused(str(error)) from None


def _reader(config: Path, integration: str | None, provider: str | None) -> Audience:
    """Return the providers whose parts of a page are shown."""
    from mfagate.config.nearest import nearest_to
    from mfagate.providers import registry
    from mfagate.report.explain import EVERYBODY, Audience, reader_of

    if provider is None:
        return reader_of(config, integration)
    if integration is not None:
        raise click.UsageError("use either --integration or --provider")
    if provider == "all":
        return EVERYBODY
    known = registry.names()
    if provider not in known:
        raise RunRefused(f"no provider {provider!r}{nearest_to(provider, known)}; known: {', '.join(known)}, all")
    return Audience(frozenset({provider}))


@click.command()
@click.argument("what", type=click.Choice(["config", "report"]))
def schema(what: str) -> None:
    """Print the JSON schema of integrations.toml or of the JSON report.

    An editor with a TOML language server uses the schema to check and complete integrations.toml, if the first line of
    the file is "#:schema URL-OR-PATH".
    """
    import json

    from mfagate import schemas

    document = schemas.config() if what == "config" else schemas.report()
    click.echo(json.dumps(document, indent=2))


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    \b
    bash:  eval "$(mfagate completion bash)"   in ~/.bashrc
    zsh:   eval "$(mfagate completion zsh)"    in ~/.zshrc
    fish:  mfagate completion fish > ~/.config/fish/completions/mfagate.fish
    """
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    assert script is not None, "click knows the three shells"
    click.echo(script(ctx.find_root().command, {}, "mfagate", "_MFAGATE_COMPLETE").source())
