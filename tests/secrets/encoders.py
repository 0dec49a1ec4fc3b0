"""How other programs write a text down. Nothing of it is taken from mfagate's own decoder."""

from __future__ import annotations

import base64
import html
import json
import quopri
import shlex
import unicodedata
from binascii import hexlify
from collections.abc import Callable, Mapping
from html.entities import codepoint2name, html5
from textwrap import wrap
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import quoteattr

import yaml
from markupsafe import escape as jinja_escape

Encoder = Callable[[str], str]


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _percent_in_part(text: str) -> str:
    """A proxy that encodes each third byte, in small letters."""
    return "".join(f"%{byte:02x}" if at % 3 == 0 else quote(bytes([byte])) for at, byte in enumerate(text.encode()))


def _javascript_escape(text: str) -> str:
    """``escape()``: ECMAScript, annex B.2.1.1."""
    units = memoryview(text.encode("utf-16-be")).cast("B")
    codes = [units[at] << 8 | units[at + 1] for at in range(0, len(units), 2)]
    kept = {ord(one) for one in "@*_+-./"}
    return "".join(
        chr(code) if code < 128 and (chr(code).isalnum() or code in kept)
        else f"%{code:02X}" if code < 256 else f"%u{code:04X}"
        for code in codes
    )  # fmt: skip


def _named(text: str) -> str:
    return "".join(f"&{codepoint2name[ord(one)]};" if ord(one) in codepoint2name else one for one in text)


_HTML5 = {text: name for name, text in html5.items() if len(text) == 1 and name.endswith(";")}


def _named_html5(text: str) -> str:
    """Every character that has a name in HTML 5: ``&plus;``, ``&sol;``, ``&equals;``."""
    return "".join(f"&{_HTML5[one]}" if one in _HTML5 else one for one in text)


ESCAPES: Mapping[str, Encoder] = {
    "as it is": str,
    "html.escape": html.escape,
    "Jinja": lambda text: str(jinja_escape(text)),
    "an XML attribute": quoteattr,
    "named entities": _named,
    "named entities of HTML 5": _named_html5,
    "decimal references": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "decimal references with zeros and without a semicolon": lambda text: "".join(f"&#000{ord(one)};" for one in text),
    "hexadecimal references": lambda text: "".join(f"&#X{ord(one):X};" for one in text),
    "JSON": json.dumps,
    "JSON unescaped": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON of PHP": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON safe in HTML": lambda text: json.dumps(text).replace("&", "\\u0026").replace("'", "\\u0027"),
    "all escaped as by Java": lambda text: "".join(f"\\u{ord(one):04X}" for one in text if ord(one) < 65536),
    "quote": lambda text: quote(text, safe=""),
    "quote in small letters": lambda text: quote(text, safe="").replace("%2F", "%2f").replace("%3D", "%3d"),
    "quote_plus": quote_plus,
    "encodeURIComponent": lambda text: quote(text, safe="!~*'()"),
    "encodeURI": lambda text: quote(text, safe=";,/?:@&=+$-_.!~*'()#"),
    "escape of JavaScript": _javascript_escape,
    "each byte percent-encoded": _percent,
    "percent-encoded in part": _percent_in_part,
    "repr": repr,
    "repr of bytes": lambda text: repr(text.encode()),
    "C in hexadecimal": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "C in octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "shell": shlex.quote,
    "YAML": lambda text: str(yaml.safe_dump({"key": text})),
    "YAML, quoted": lambda text: str(yaml.safe_dump({"key": text}, default_style='"', width=30)),
    "wrapped": lambda text: "\n    ".join(wrap(text, 21)),
    "quoted-printable": lambda text: quopri.encodestring(text.encode()).decode(),
    "NFC": lambda text: unicodedata.normalize("NFC", text),
    "NFD": lambda text: unicodedata.normalize("NFD", text),
}

DIGITS: Mapping[str, Encoder] = {
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal in capitals": lambda text: text.encode().hex().upper(),
    "hexadecimal with colons": lambda text: text.encode().hex(":"),
    "hexadecimal as a hash is shown": lambda text: hexlify(text.encode(), " ", -4).decode(),
    "xxd -p": lambda text: "\n".join(wrap(text.encode().hex(), 60)),
    "a list of C": lambda text: ", ".join(f"0x{byte:02x}" for byte in text.encode()),
    "a list of Python": lambda text: repr([*text.encode()]),
    "a Buffer of Node.js": lambda text: json.dumps({"type": "Buffer", "data": [*text.encode()]}, separators=(",", ":")),
    "a slice of Go": lambda text: f"[{' '.join(map(str, text.encode()))}]",
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "base32 in small letters": lambda text: base64.b32encode(text.encode()).decode().lower().rstrip("="),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64url without padding": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 of MIME": lambda text: base64.encodebytes(text.encode()).decode(),
    "base64 of PowerShell": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    "Basic header": lambda text: base64.b64encode(f"me:{text}".encode()).decode(),
    "Basic header of a longer name": lambda text: base64.b64encode(f"some:{text}".encode()).decode(),
}

CASES: Mapping[str, Encoder] = {"in capitals": str.upper, "in small letters": str.lower}

ALL: Mapping[str, Encoder] = {**ESCAPES, **DIGITS}
