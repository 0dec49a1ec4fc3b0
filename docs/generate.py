"""Write the reference pages that are made from the program: commands, configuration keys, causes.

    python docs/generate.py

tests/test_docs.py compares the pages with what this module makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from mfagate import schemas
from mfagate.cli import cli
from mfagate.core.causes import Cause, CauseId, load
from mfagate.report.explain import to_markdown

REFERENCE = Path(__file__).parent / "reference"
_MARK = "<!-- Made by `python docs/generate.py`. Do not edit this page. -->"


def pages() -> dict[Path, str]:
    """Return the text of each generated page."""
    causes = [load(cause) for cause in CauseId]
    return {
        REFERENCE / "commands.md": commands(),
        REFERENCE / "configuration-keys.md": configuration_keys(),
        REFERENCE / "causes/index.md": index_of_causes(causes),
        **{REFERENCE / f"causes/{cause.id}.md": page_of(cause) for cause in causes},
    }


def main() -> None:
    """Write all pages, and delete pages of causes that are gone."""
    made = pages()
    for path in set((REFERENCE / "causes").glob("*.md")) - set(made):
        path.unlink()
    for path, text in made.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def page_of(cause: Cause) -> str:
    """Return the page of a cause, as ``mfagate explain`` prints it."""
    title, _, rest = to_markdown(cause).partition("\n")
    return f"{title}\n\n*Reference*\n\n{_MARK}\n{rest}"


def index_of_causes(causes: list[Cause]) -> str:
    """Return the list of all causes, grouped by the first word of the id."""
    lines = ["# Causes", "", "*Reference*", "", _MARK, "", _ABOUT_CAUSES]
    family = ""
    for cause in causes:
        if cause.id.partition(".")[0] != family:
            family = cause.id.partition(".")[0]
            lines += ["", f"## {family}", "", "| cause | outcome | title |", "|---|---|---|"]
        outcomes = " or ".join(dict.fromkeys([cause.outcome.value, *(other.value for other in cause.other_outcomes)]))
        lines.append(f"| [{cause.id}]({cause.id}.md) | {outcomes} | {cause.title} |")
    return "\n".join(lines) + "\n"


_ABOUT_CAUSES = """\
A *cause* is the named reason why a check did not pass. `mfagate explain CAUSE` prints the page of a cause, and
`mfagate explain --all` prints all of them as one document. An id is [stable](../stability.md).

[Verdicts](../../explanation/verdicts.md) explains the outcomes."""


def commands() -> str:
    """Return the page of all commands, with every argument and option."""
    lines = ["# Commands", "", "*Reference*", "", _MARK, "", _ABOUT_COMMANDS]
    for name, command in cli.commands.items():
        lines += _command(f"mfagate {name}", command)
    return "\n".join(lines) + "\n"


_ABOUT_COMMANDS = """\
This page lists every command and option. `mfagate COMMAND --help` prints the same text, and `mfagate --version` prints
the version. [Exit codes](exit-codes.md) lists the exit codes of all commands."""


def _command(path: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    yield from ("", f"## {path}", "", *_prose(command.help or ""), "")
    yield from ("```text", command.get_usage(context).removeprefix("Usage: "), "```")
    options = [
        _option(parameter, context)
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
    ]
    if options:
        yield from ("", "| option | meaning |", "|---|---|", *options)
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from _command(f"{path} {name}", child)


def _prose(text: str) -> Iterator[str]:
    """Return the help text of a command in Markdown: a paragraph that click must not wrap becomes a block of text."""
    for index, paragraph in enumerate(text.partition("\f")[0].strip().split("\n\n")):
        if index:
            yield ""
        if paragraph.startswith("\b"):
            yield from ("```text", paragraph.removeprefix("\b\n"), "```")
        else:
            yield " ".join(paragraph.split())


def _option(option: click.Option, context: click.Context) -> str:
    """Return the row of an option: its names and what it takes, what it does, and its default."""
    _, meaning = option.get_help_record(context) or ("", "")
    flag = option.is_flag or option.count
    names = ", ".join([*option.opts, *option.secondary_opts]) + ("" if flag else f" {option.make_metavar(context)}")
    shown = re.sub(r"\s*\[default: +(.*?)\]", r" Default: `\1`.", _cell(meaning))
    return f"| `{_cell(names)}` | {shown} |"


def _cell(text: str) -> str:
    """Return text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "\\<")


def configuration_keys() -> str:
    """Return the page of all keys of ``integrations.toml``, from its JSON schema."""
    schema = schemas.config()
    lines = ["# Configuration keys", "", "*Reference*", "", _MARK, "", _ABOUT_KEYS]
    for title, name in _TABLES.items():
        table = schema["$defs"][name]
        lines += ["", f"## {title}", "", *_MORE.get(title, ()), *_keys(table, schema)]
    for name, table in schema["$defs"].items():
        if name.startswith("Tables of "):
            lines += _provider(name.removeprefix("Tables of "), table, schema)
    return "\n".join(lines) + "\n"


_ABOUT_KEYS = """\
All keys of `integrations.toml`, from the JSON schema that `mfagate schema config` prints.
[Configuration](configuration.md) describes the file, and [references](references.md) the values in other places."""

_TABLES = {
    "gate": "GateOptions",
    "history": "HistoryOptions",
    "notify": "NotifyOptions",
    "notify.flapping": "Flapping",
    "integrations.NAME": "Integration",
    "integrations.NAME.client": "Client",
    "integrations.NAME.documentation": "Documentation",
    "integrations.NAME.waivers": "Waiver",
}

_MORE = {
    "gate": ("Limits for all integrations.", ""),
    "history": ("Where runs are kept: see [history](../how-to/history.md).", ""),
    "notify": ("Who is notified of changes: see [notifications](../how-to/notifications.md).", ""),
    "integrations.NAME": (
        "One use of one provider. `NAME` has up to 64 letters, digits, `.`, `_` and `-`.",
        "",
    ),
    "integrations.NAME.client": ("The client of the login service. Each value may be a reference.", ""),
    "integrations.NAME.documentation": ("Who owns the integration. Plain values, no references.", ""),
    "integrations.NAME.waivers": ("Accepted findings, a list of tables: see [waivers](../how-to/waivers.md).", ""),
}


_DEFAULTS = {"provider": "required", "environment": "required, unless there are `environments`"}
"""What the schema cannot say of a key: it demands the two in each environment, wherever they are written."""

_SEE = {
    "deadline_seconds": "[More than one answer](../explanation/evidence.md#more-than-one-answer).",
    "witness_host": "[This machine first](../explanation/evidence.md#this-machine-first).",
    "provider": "[Another package](../how-to/add-a-provider.md) can add a provider.",
    "environment": "[Production](../explanation/what-a-run-sends.md#production).",
    "environments": "[Environments](../how-to/environments.md).",
    "client_certificate": "[Use a client certificate](../how-to/client-certificate.md).",
    "control": "[Add a control credential](../how-to/control-credential.md).",
    "production_allows": "[Production](../explanation/what-a-run-sends.md#production).",
    "flapping": "[Keys](#notifyflapping).",
    "client": "[Keys](#integrationsnameclient).",
    "documentation": "[Keys](#integrationsnamedocumentation).",
    "waivers": "[Keys](#integrationsnamewaivers).",
}
"""Where a key is explained."""


def _keys(table: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    yield from ("| key | type | default | meaning |", "|---|---|---|---|")
    required = table.get("required", ())
    for key, field in table.get("properties", {}).items():
        default = _DEFAULTS.get(key) or ("required" if key in required else _default(field))
        meaning = _cell(field.get("description") or "") + (f" See: {_SEE[key]}" if key in _SEE else "")
        yield f"| `{key}` | {_type(field, schema)} | {default} | {meaning.strip()} |"


def _provider(name: str, table: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Return the tables of a provider. The keys of ``control`` are those of ``settings``."""
    yield from ("", f"## {name}", "", f"See [{name}](providers/{name}.md). `control` has the keys of `settings`.")
    for part in ("settings", "expect", "test_data"):
        keys = table["properties"][part].get("properties") or {}
        if keys:
            fields = {key: {"type": "string", **field} for key, field in keys.items()}
            yield from ("", f"### {name}: {part}", "")
            yield from _keys({"properties": fields, "required": table["properties"][part].get("required", ())}, schema)


def _default(field: Mapping[str, Any]) -> str:
    value = field.get("default")
    if value in (None, [], {}):
        return ""
    return f"`{', '.join(value)}`" if isinstance(value, list) else f"`{value}`"


_TYPE_NAMES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "table",
}


def _type(field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return the type of a value in words, with its limits."""
    variants = [variant for variant in field.get("anyOf", [field]) if variant.get("type") != "null"]
    return " or ".join(dict.fromkeys(_variant(variant, schema) for variant in variants))


def _variant(field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "$ref" in field:
        field = schema["$defs"][field["$ref"].rpartition("/")[2]]
    if "enum" in field:
        words = field["enum"]
        return ", ".join(f"`{word}`" for word in words) if len(words) <= 9 else _A_CAUSE
    if field.get("format") == "date":
        return "date"
    if "items" in field:
        return f"list of {_variant(field['items'], schema)}"
    return _TYPE_NAMES.get(str(field.get("type")), "text") + _limits(field)


_A_CAUSE = "a cause that [can be waived](waivers.md#what-can-be-waived)"


def _limits(field: Mapping[str, Any]) -> str:
    low, high, above = (field.get(name) for name in ("minimum", "maximum", "exclusiveMinimum"))
    if above is not None:
        return f", above {above}" + ("" if high is None else f", up to {high}")
    if low is None:
        return ""
    return f", {low} or more" if high is None else f", {low} to {high}"


if __name__ == "__main__":
    main()
