"""``explain``, ``schema`` and ``completion``: what mfagate knows of itself."""

from __future__ import annotations

import click

from mfagate.cli.options import complete_cause
from mfagate.cli.refusal import refused


@click.command()
@click.argument("cause", required=False, shell_complete=complete_cause)
@click.option("--all", "every", is_flag=True, help="Print the whole catalogue as one Markdown document.")
def explain(cause: str | None, every: bool) -> None:
    """Explain a CAUSE: what it means, its evidence, the first steps, whom to talk to.

    Without CAUSE, list all of them.
    """
    from mfagate.report.explain import UnknownCause, show, show_all, show_every_page

    try:
        if every:
            show_every_page()
        elif cause:
            show(cause)
        else:
            show_all()
    except UnknownCause as error:
        raise refused(str(error)) from None


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
