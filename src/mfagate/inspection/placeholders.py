"""Values that someone meant to replace."""

from __future__ import annotations

import re
from functools import cache

_WANTED = "key|token|secret|password|host|url|id|here|value"

_PLACEHOLDERS = (
    (r"<[^<>]*>", "it stands in angle brackets"),
    (r"\$\{[^}]*\}|\$[A-Z_][A-Z0-9_]*|\$\([^)]*\)|%[A-Z_][A-Z0-9_]*%", "it is a variable that nothing replaced"),
    (r"\{\{.*\}\}|\{%.*%\}|@@?[A-Z_]+@@?|__[A-Z0-9_]+__", "it is a template that nothing rendered"),
    (r"(?i)(change|replace|fill|insert|set)[-_ ]?(me|this|it|in|here)([-_ ].*)?[!.]*", "it asks to be replaced"),
    (r"(?i)(todo|fixme|tbd|tba|xxx+|placeholder|none|null|nil|undefined|n/?a)[!.:]*", "it is a placeholder word"),
    (r"(?i)(todo|fixme)\b.*", "it is a note to do something"),
    (rf"(?i)(your|my|the|enter|insert|some)[-_ ](.*[-_. ])?({_WANTED})s?([-_. ].*)?", "it asks for the value"),
    (r"(.)\1{3,}|[.…*xX•·-]{3,}", "it is one character repeated"),
    (r"(?i)\[?(redacted|hidden|masked|scrubbed)( [^\]]*)?\]?", "it was masked by another tool"),
)  # fmt: skip

_SECRET_PLACEHOLDERS = (
    (r"(?i)(dummy|sample|example|foo|bar|test)[!.:]*", "it is a placeholder word"),
    (r"(?i)(secret|password|passw(or)?d|token|api[-_]?key|[is]key|key)", "it is the name of a secret, not a secret"),
)
"""A realm or a tenant may well be called so."""

_TEMPLATE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_.]*\}|\{\{[^{}]*\}\}")

_LONGEST = 200
"""A longer value is a value; the patterns would take long over it."""


def placeholder(value: str, *, secret: bool = True) -> str | None:
    """Why the value is a placeholder, or None. A name (not ``secret``) may be an ordinary word."""
    bare = value.strip().strip("\"'")
    if len(bare) > _LONGEST:
        return None
    if _TEMPLATE.search(bare):
        return "it holds a variable that nothing replaced"
    return next((reason for regex, reason in _compiled(secret) if regex.fullmatch(bare)), None)


@cache
def _compiled(secret: bool) -> tuple[tuple[re.Pattern[str], str], ...]:
    patterns = _PLACEHOLDERS + (_SECRET_PLACEHOLDERS if secret else ())
    return tuple((re.compile(regex), reason) for regex, reason in patterns)
