"""``explain``, ``schema`` and ``completion``: what mfagate knows of itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mfagate.cli.options import CONFIG, complete_cause, complete_integration, complete_provider
from mfagate.cli.refusal import refused

if TYPE_CHECKING:
    from mfagate.report.explain import Audience


@click.command()
@click.argument("cause", required=False, shell_complete=complete_cause)
@CONFIG
@click.option(
    "--integration",
    metavar="NAME",
    shell_complete=complete_integration,
    help="Show what concerns the provider of this integration.",
)
@click.option(
    "--provider",
    metavar="PROVIDER",
    shell_complete=complete_provider,
    help="Show what concerns this provider; `all` shows the whole page.",
)
@click.option("--all", "every", is_flag=True, help="Print the whole catalogue as one Markdown document.")
def explain(cause: str | None, config: Path, integration: str | None, provider: str | None, every: bool) -> None:
    """Explain a CAUSE: what it means, its evidence, the first steps, whom to talk to.

    The page shows what concerns the providers of the configuration file, if there is one.
    Without CAUSE, list all of them.
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
        raise refused(str(error)) from None


def _reader(config: Path, integration: str | None, provider: str | None) -> Audience:
    """Return whom a page is for."""
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
        raise refused(f"no provider {provider!r}{nearest_to(provider, known)}; known: {', '.join(known)}, all")
    return Audience(frozenset({provider}))


@click.command()
@click.argument("what", type=click.Choice(["config", "report"]))
def schema(what: str) -> None:
    """Print a JSON schema: of integrations.toml, or of the JSON report.

    Editors with a TOML language server check and complete integrations.toml with
    it: put "#:schema URL-OR-PATH" in its first line.
    """
    import json

    from mfagate import schemas

    document = schemas.config() if what == "config" else schemas.report()
    click.echo(json.dumps(document, indent=2))


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL.

    \b
    bash:  eval "$(mfagate completion bash)"   in ~/.bashrc
    zsh:   eval "$(mfagate completion zsh)"    in ~/.zshrc
    fish:  mfagate completion fish > ~/.config/fish/completions/mfagate.fish
    """
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    assert script is not None, "click knows the three shells"
    click.echo(script(ctx.find_root().command, {}, "mfagate", "_MFAGATE_COMPLETE").source())
