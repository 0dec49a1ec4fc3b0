"""Foreign text: text from a provider, a proxy, a certificate, a file or a library.

Only :meth:`ForeignText.quoted` and :func:`quoted` show foreign text. They redact it, make it harmless
and cut it, in this order, because the redactor would not find a secret that is cut first.
Modules that make decisions by such a text, and do not show it, read it with :mod:`mfagate.core.foreign.parsing`.
"""

from mfagate.core.foreign.harmless import harmless, harmless_json, harmless_lines
from mfagate.core.foreign.quoting import LONGEST, ForeignText, hiding, quoted, quoted_json, shown_path
from mfagate.core.foreign.tree import encodable_tree, harmless_tree, quoted_tree, with_texts

__all__ = [
    "LONGEST",
    "ForeignText",
    "encodable_tree",
    "harmless",
    "harmless_json",
    "harmless_lines",
    "harmless_tree",
    "hiding",
    "quoted",
    "quoted_json",
    "quoted_tree",
    "shown_path",
    "with_texts",
]
