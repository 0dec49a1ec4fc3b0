"""Stores of secrets, one module each: ``resolve(context, reference)`` returns the value that a reference names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from mfagate.core.files import OutOfResources, Unreadable, open_regular, read_text
from mfagate.core.finding import Location
from mfagate.core.foreign import quoted
from mfagate.secrets.reference import SCHEMES, Reference, Unresolved

MAX_FILE_BYTES = 1 << 20

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class Resolved:
    """The value of a reference, and its location if it is in a file.

    ``misread`` says which other programs read a different value, each with the reason.
    """

    value: Any = field(repr=False)
    location: Location | None = None
    misread: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class StoreContext:
    """What stores read from. Relative paths are relative to ``base``.

    ``parsed`` caches files by scheme and path, so that a file with the keys of a thousand integrations is parsed only
    once. The contexts of one run share it.
    """

    base: Path
    environ: Mapping[str, str] = field(repr=False)
    sandbox: Mapping[str, str] = field(default_factory=dict, repr=False)
    parsed: dict[tuple[str, Path], Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, scheme: str, path: Path, parse: Callable[[], Parsed]) -> Parsed:
        """Return the result of ``parse``, which is called only once for each file."""
        key = (scheme, path)
        if key not in self.parsed:
            self.parsed[key] = parse()
        found: Parsed = self.parsed[key]
        return found


_MODULES = {**dict.fromkeys(("json", "yaml", "toml", "ini", "tfvars"), "document"), "k8s-secret": "kubernetes"}
"""The module of each scheme that has another name than its module."""


@dataclass(frozen=True, slots=True)
class Stores:
    """All stores of one context. The module of a store is imported when it is first needed."""

    context: StoreContext

    def resolve(self, reference: Reference) -> Resolved:
        """Return the value of a reference.

        Raises:
            Unresolved: It has no value, or cannot be read. The message names the reference and never a value.
        """
        scheme = reference.scheme
        if scheme not in SCHEMES:
            nearest = get_close_matches(scheme.lower(), SCHEMES, n=1, cutoff=0)[0]
            raise Unresolved(
                f"there is no secret store {scheme!r} (did you mean {nearest!r}? known: {', '.join(SCHEMES)})"
            )
        store = import_module(f"{__name__}.{_MODULES.get(scheme, scheme)}")
        resolved: Resolved = store.resolve(self.context, reference)
        if isinstance(resolved.value, str) and (tool := encrypted_by(resolved.value)):
            raise encrypted(reference, tool, resolved.location)
        return resolved


_WITH_FRAGMENT = ("dotenv", "json", "yaml", "toml", "ini", "tfvars", "k8s-secret")


def file_of(reference: Reference, base: Path) -> Path | None:
    """Return the file that a reference reads, or None if it reads no file.

    Raises:
        Unresolved: Its path begins with ``~NAME``, and there is no such user.
    """
    path = reference.locator
    if reference.scheme in _WITH_FRAGMENT:
        path = path.partition("#")[0]
    elif reference.scheme != "file":
        return None
    return full_path(base, path, reference) if path else None


def full_path(base: Path, path: str, reference: Reference) -> Path:
    """Return the absolute path of a file; ``~`` is a home folder.

    Raises:
        Unresolved: The path begins with ``~NAME``, and there is no such user.
    """
    try:
        return base / Path(path).expanduser()
    except RuntimeError:
        raise Unresolved(f"{reference}: there is no home folder {path.partition('/')[0]}") from None


def read_file(path: Path, reference: Reference) -> str:
    """Return the text of a small file; a byte order mark is kept, because it is a fault to report.

    Raises:
        Unresolved: Missing, a directory, not readable, not text, or over 1 MiB.
    """
    try:
        text = read_text(path, MAX_FILE_BYTES)
    except OutOfResources:
        raise
    except Unreadable as error:
        kind, step = _other_kind(path)
        raise Unresolved(f"{reference}: {path} {error}{kind}", next_step=step) from None
    if tool := encrypted_by(text):
        raise encrypted(reference, tool, Location(path, 1))
    if text[1:8:2] == "\0\0\0\0":
        message = f"{reference}: {path} is UTF-16, as PowerShell writes it, without a byte order mark"
        raise Unresolved(message, next_step=_SAVE_AS_UTF8)
    return text


_SAVE_AS_UTF8 = "Save it as UTF-8: Set-Content -Encoding utf8 in PowerShell."

_KINDS = (
    (b"\xff\xfe", "it is UTF-16, as PowerShell writes it", _SAVE_AS_UTF8),
    (b"\xfe\xff", "it is UTF-16", "Save it as UTF-8."),
    (b"\0GITCRYPT\0", "git-crypt encrypted it", "Run git-crypt unlock in the job before the gate."),
    (
        b"age-encryption.org/",
        "age (agenix, sops-nix) encrypted it",
        "Point at the decrypted file, such as file:/run/agenix/NAME, or run age --decrypt -i KEY FILE > OUT.",
    ),
    (b"\xfe\xed\xfe\xed", "it is a Java keystore", "Convert it: keytool -importkeystore to PKCS #12, then to PEM."),
    (
        b"\x30",
        "it is binary, as PKCS #12 (.pfx, .p12) and DER are",
        "Convert it to PEM: openssl pkcs12 -in OLD -nodes -out NEW.",
    ),
)
"""How files that are not text begin. https://github.com/AGWA/git-crypt/blob/master/crypto.hpp names its header."""


def _other_kind(path: Path) -> tuple[str, str | None]:
    """Say what kind of file cannot be read as text, and what to do; an unknown kind is an empty text."""
    try:
        with open_regular(path) as file:
            start = file.read(24)
    except (OSError, ValueError):  # ValueError: the path holds a NUL character
        return "", None
    return next(((f"; {what}", step) for mark, what, step in _KINDS if start.startswith(mark)), ("", None))


def is_xml(text: str) -> bool:
    """Return whether a text is XML, such as Web.config of .NET or web.xml of Java."""
    start = text.lstrip("\ufeff \t\r\n")[:200]
    return (
        start.startswith("<?xml")
        or re.match(r"<(configuration|appSettings|web-app|beans|properties)[\s>]", start) is not None
    )


def xml_instead(reference: Reference, path: str, location: Location) -> Unresolved:
    """Return the error that no store reads XML, with the command that extracts one value."""
    return Unresolved(
        f"{reference}: {path} is XML, which no store of mfagate reads",
        next_step="Set a variable of the job to the value, and refer to it as env:NAME: NAME=$(xmllint --xpath "
        f"""'string(//add[@key="KEY"]/@value)' {quoted(path, 200)}).""",
        location=location,
    )


_CIPHERTEXTS = (
    ("$ANSIBLE_VAULT;", "Ansible Vault", "ansible-vault view FILE > OUT"),
    ("ENC[AES256_GCM,", "SOPS", "sops decrypt FILE > OUT"),
    ("-----BEGIN AGE ENCRYPTED FILE-----", "age", "age --decrypt -i KEY FILE > OUT"),
    ("encrypted:B", "dotenvx", "dotenvx decrypt -f FILE --stdout > OUT"),
    ("-----BEGIN PGP MESSAGE-----", "GnuPG", "gpg --decrypt FILE > OUT"),
)
"""How a ciphertext begins, the tool that made it, and how that tool decrypts it.

https://docs.ansible.com/ansible/latest/vault_guide/vault_using_encrypted_content.html,
https://getsops.io/docs/, https://dotenvx.com/docs/, https://age-encryption.org/v1, RFC 9580 section 6.2.
"""

Tool = tuple[str, str]


def encrypted_by(text: str) -> Tool | None:
    """Return the tool that encrypted a text and its command, or None for any other text."""
    start = text.lstrip()[:40]
    return next(((tool, command) for mark, tool, command in _CIPHERTEXTS if start.startswith(mark)), None)


def encrypted(reference: Reference, tool: Tool, location: Location | None) -> Unresolved:
    """Return the error that the value is encrypted, with the command that decrypts it."""
    name, command = tool
    file = reference.locator if reference.scheme == "file" else reference.locator.partition("#")[0]
    if location is not None:
        command = command.replace("FILE", quoted(file, 200))
    return Unresolved(
        f"{reference}: the value is encrypted by {name}, and nothing has decrypted it",
        next_step=f"Decrypt it in the job before the gate runs ({command}), as the deployment does, and point the "
        "reference at the decrypted file or at the variable that the deployment sets (env:NAME).",
        location=location,
    )
