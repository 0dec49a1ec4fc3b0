"""Values that someone meant to replace."""

from __future__ import annotations

import re

_PLACEHOLDERS = (
    (r"<[^<>]*>", "it stands in angle brackets"),
    (r"\$\{[^}]*\}|\$[A-Z_][A-Z0-9_]*|\$\([^)]*\)|%[A-Z_][A-Z0-9_]*%", "it is a variable that nothing replaced"),
    (r"\{\{.*\}\}|\{%.*%\}|@@?[A-Z_]+@@?|__[A-Z0-9_]+__", "it is a template that nothing rendered"),
    (r"(?i)(change|replace|fill|insert|set)[-_ ]?(me|this|it|in|here)([-_ ].*)?[!.]*", "it asks to be replaced"),
    (r"(?i)(todo|fixme|tbd|tba|xxx+|placeholder|dummy|sample|example|foo|bar|test|none|null|nil|undefined|n/?a)[!.:]*",
     "it is a placeholder word"),
    (r"(?i)(todo|fixme)\b.*", "it is a note to do something"),
    (r"(?i)(your|my|the|enter|insert|some)[-_ ].*(key|token|secret|password|host|url|id|here|value).*",
     "it asks for the value"),
    (r"(?i)(secret|password|passw(or)?d|token|api[-_]?key|[is]key|key)", "it is the name of a secret, not a secret"),
    (r"(.)\1{3,}|[.…*xX•·-]{3,}", "it is one character repeated"),
    (r"\[?(redacted|hidden|masked|scrubbed)( [^\]]*)?\]?", "it was masked by another tool"),
)  # fmt: skip

_COMPILED = tuple((re.compile(regex), reason) for regex, reason in _PLACEHOLDERS)


def placeholder(value: str) -> str | None:
    """Why the value is a placeholder, or None."""
    bare = value.strip().strip("\"'")
    return next((reason for regex, reason in _COMPILED if regex.fullmatch(bare)), None)
