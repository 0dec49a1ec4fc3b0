"""Recognise placeholders: values that someone meant to replace."""

from __future__ import annotations

import re
from functools import cache

_WANTED = "key|token|secret|password|host|url|id|here|value"

_OWN = "company|org|organi[sz]ation|tenant|domain|subdomain"

_OWNER = f"{_OWN}|account|team|realm|business|instance|okta|auth0|app|name|server"

_KINDS = "key|token|secret|password|value|id|host|url|sid|domain|tenant"

_HIDDEN = "redacted|hidden|masked|scrubbed|sensitive( value)?|secret value|known after apply"

_PLACEHOLDERS = (
    (r"<[^<>]*>", "it is in angle brackets"),
    (r"\$\{[^}]*\}|\$[A-Z_][A-Z0-9_]*|\$\([^)]*\)|%[A-Z_][A-Z0-9_.]*%", "it is a variable that was not replaced"),
    (r"#\{.*\}#", "it is a template of Replace Tokens (Azure Pipelines) that was not rendered"),
    (r"!vault\b[ |>-]*", "it is Ansible's mark of an encrypted value, without the value"),
    (
        r"\{\{.*\}\}|\{%.*%\}|(@@?|##)[A-Z_][A-Z0-9_]*(@@?|##)|@[a-z]+(\.[A-Za-z_-]+)+@|__[A-Z0-9_]+__",
        "it is a template that was not rendered",
    ),
    (
        r"(?i)(change|replace|fill|insert|set)[-_ ]?(me|this|it|in|here|with)([-_ ].*)?[!.]*|chamberme",
        "it asks to be replaced",
    ),
    (
        r"(?i)(todo|fixme|tbd|tba|xxx+|placeholder|dummy|example|none|null|nil|undefined|nan|n/?a)[!.:]*",
        "it is a placeholder word",
    ),
    (
        rf"(?i)(dummy|fake|placeholder|example|sample)[-_ ]?([a-z0-9]+[-_ ])?({_KINDS})s?",
        "it is a placeholder word",
    ),
    (r"(?i)(todo|fixme)\b.*", "it is a note to do something"),
    (
        (
            rf"(?i)((put|paste|add|set|type|write)[-_ ])?(your|my|the|enter|insert|some)[-_ ](.*[-_. ])?({_WANTED})s?"
            r"([-_. ].*)?"
        ),
        "it asks for the value",
    ),
    (
        rf"(?i)(https?://)?(your[-_]?({_OWNER})[a-z0-9_-]*|my[-_]?({_OWN}))(\.[a-z0-9.-]+)?(/.*)?",
        "it asks for your own name",
    ),
    (
        r"(?i)(client|tenant|app|application|account|integration|service|org)[-_ ]?(id|key|secret|token|sid|name|url)",
        "it is the name of a setting, not its value",
    ),
    (r"(.)\1{3,}|[.…*xX•·-]{3,}", "it is one repeated character"),
    (
        r"\(null\)|<nil>|%![a-z]\(.*\)|\{\}|\[\]|~|-|\[object Object\]",
        "it is how a program prints an empty value",
    ),
    (rf"(?i)[\[<(*]{{0,5}}({_HIDDEN})( [^\]]*)?[\])>*]{{0,5}}|\$encrypted\$", "it was masked by another tool"),
)

_SECRET_PLACEHOLDERS = (
    (r"(?i)(dummy|sample|example|foo|bar|test)[!.:]*", "it is a placeholder word"),
    (r"(?i).*\b(openssl rand|to generate|generated? (by|with|using))\b.*", "it says how to make a value"),
    (r"(1234567890){2,}\d{0,9}", "it is the digits in order"),
    (r"(?i)(secret|password|passw(or)?d|token|api[-_]?key|[is]key|key)", "it is the name of a secret, not a secret"),
)
"""Placeholders in secrets only: a realm or a tenant may have such a name."""

_IN_NAMES = ((r"\{[A-Za-z][A-Za-z_ .-]*\}|\[[A-Za-z][A-Za-z_ .-]*\]", "it is in brackets, as in examples"),)
"""Placeholders in values that no person chose: a password may look like this."""

_TEMPLATE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_.]*\}|\{\{[^{}]*\}\}")

_LONGEST = 200
"""A longer value is no placeholder, and the patterns would be slow on it."""


def placeholder(value: str, *, secret: bool = True, chosen: bool = False) -> str | None:
    """Return why a value is a placeholder, or None.

    Args:
        value: The text.
        secret: Whether it is a secret. A name may be an ordinary word.
        chosen: Whether a person chose it, such as a password, so that it may contain any character.
    """
    bare = value.strip().strip("\"'")
    if len(bare) > _LONGEST:
        return None
    if _TEMPLATE.search(bare) and not (chosen and _TEMPLATE.fullmatch(bare) is None):
        return f"it contains a variable that was not replaced{_whose(bare)}"
    return next((reason for regex, reason in _compiled(secret, chosen) if regex.fullmatch(bare)), None)


def _whose(text: str) -> str:
    """Name the tools that use this syntax of a variable."""
    if "{{" not in text:
        return " (a shell, Compose, Terraform, Spring or Doppler writes it so)"
    return (
        " (Helm writes it so)"
        if "." in text.partition("{{")[2].lstrip()[:1]
        else " (Ansible, Jinja or Helm writes it so)"
    )


@cache
def _compiled(secret: bool, chosen: bool) -> tuple[tuple[re.Pattern[str], str], ...]:
    patterns = _PLACEHOLDERS + (_SECRET_PLACEHOLDERS if secret else ()) + (() if chosen else _IN_NAMES)
    return tuple((re.compile(regex), reason) for regex, reason in patterns)


_WORDS = frozenset(
    {"api", "ask", "client", "domain", "dummy", "enter", "example", "fake", "filtered", "here", "host", "hostname",
     "ikey", "insert", "key", "keeper", "password", "placeholder", "put", "redacted", "replace", "sample", "secret",
     "secrets", "see", "skey", "stored", "tenant", "todo", "token", "url", "value", "vault", "your"}
)  # fmt: skip
"""Words in notes that describe the value."""

_WRAPPERS = "[]{}<>()~|:#!$%@*-_'\"` "

_PLAIN_WORDS = re.compile(r"[A-Za-z][a-z]{0,14}([ _.-]?[A-Za-z][a-z]{1,14}){0,6}|[A-Z]{1,15}([ _.-][A-Z]{1,15}){0,6}")


def words(value: str) -> str | None:
    """Return why a value without the form of its setting is a note, or None."""
    bare = value.strip(_WRAPPERS)
    if len(bare) > 80 or _PLAIN_WORDS.fullmatch(bare) is None:
        return None
    parts = [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", bare)]
    return "it consists of words" if _WORDS.intersection(parts) or " " in bare else None
