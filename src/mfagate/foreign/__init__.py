"""Text of others: what a provider, a proxy, a certificate, a file or a library says.

It is shown through :meth:`ForeignText.quoted` or :func:`quoted` alone, which redact it, make it
harmless and cut it, in this order: of a secret that is cut first, the redactor would find nothing.
Modules that decide by such a text, and show none of it, read it with :mod:`mfagate.foreign.parsing`.
"""

from mfagate.foreign.harmless import harmless, harmless_json, harmless_lines
from mfagate.foreign.quoting import LONGEST, hiding, quoted, quoted_json, shown_path
from mfagate.foreign.text import ForeignText
from mfagate.foreign.tree import encodable_tree, harmless_tree, quoted_tree, with_texts

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
