"""Where a history is: a SQLite file, or a PostgreSQL database. A password in its URL is never shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from mfagate.history.errors import HistoryError
from mfagate.secrets.redaction import Redactor
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import StoreContext, Stores

DEFAULT = Path(".mfagate", "history.db")
"""Below the folder of ``integrations.toml``."""

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+._-]*)://", re.IGNORECASE)
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")

_NO_PATH = re.compile(
    r"postgres[^/]*:|[^/]*(?:pg|sql|postgres)[^/]*//|[/\\]{2}|.*(?:://|:.*@|(?:password|passwd|pwd)\s*=|\0)",
    re.IGNORECASE | re.DOTALL,
)
"""Somebody has meant a database, and slipped: in the scheme, in its slashes, or with the whole of it forgotten before
``user:password@host``. As a path it would be a file with a password in its name. Nor has a path a NUL in it."""

_NO_REFERENCE = re.compile(r":.*@", re.DOTALL)
"""A user, and perhaps a password, before a host: a URL with the scheme of a store of secrets by mistake."""


@dataclass(frozen=True, slots=True)
class Place:
    """One of ``path`` and ``url`` is set. ``shown`` is how messages name it."""

    shown: str
    path: Path | None = None
    url: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, text: str | None, base: Path, environ: Mapping[str, str] = os.environ) -> Self:
        """The place that a path, a URL or a reference to one of them names; None is the default file.

        Relative paths are below ``base``.

        Raises:
            HistoryError: The reference points at nothing, or the URL is not one of PostgreSQL.
        """
        text = str(DEFAULT) if text is None else text.strip()
        reference = Reference.parse(text)
        if reference is not None:
            if _NO_REFERENCE.search(text.partition(":")[2]):
                raise HistoryError(f"the history {reference.scheme}:… is neither a reference nor a postgresql:// URL")
            try:
                text = str(Stores(StoreContext(base, environ)).resolve(reference).value).strip()
            except Unresolved as error:
                raise HistoryError(f"the history {reference} cannot be read: {error}") from None
        found = _URL.match(text)
        if found is not None and found["scheme"].lower() in _POSTGRESQL:
            shown = str(reference or _without_password(text))
            return cls(shown, url="postgresql+psycopg" + text[found.end("scheme") :])
        if found is not None or _NO_PATH.match(text):
            named = reference or (f"{found['scheme']}://…" if found else "that is given")
            raise HistoryError(f"the history {named} is neither a path nor a postgresql:// URL")
        path = base / text
        return cls(str(reference or path), path=path)

    def hide(self, text: str) -> str:
        """A message of a database driver without the password."""
        return self._redactor().redact(text)

    def _redactor(self) -> Redactor:
        redactor = Redactor()
        if self.url is not None:
            from urllib.parse import unquote

            for password in _passwords(self.url):
                redactor.add("password", password)
                redactor.add("password", unquote(password))
        return redactor


# To the last @: whoever has not escaped a password has meant all of it.
_USER_INFO = re.compile(r"(?<=://)(?P<user>[^/@:]*):(?P<password>.*)@", re.DOTALL)
# No @, and no port either: the host was forgotten.
_HOSTLESS = re.compile(r"(?<=://)(?P<user>[^/@:?[]*):(?!\d*(?:[,/?#]|$))[^@]*$")
_PARAMETER = re.compile(r"(?<=[?&])(?P<name>password|sslpassword)=(?P<value>[^&#]*)", re.IGNORECASE)


def _passwords(url: str) -> list[str]:
    """As written; of one with an @ in it also the parts that a driver may take for the whole."""
    whole = [found["password"] for found in _USER_INFO.finditer(url)]
    parts = [part for password in whole for part in password.split("@")]
    return [*whole, *parts, *(found["value"] for found in _PARAMETER.finditer(url))]


def _without_password(url: str) -> str:
    hidden = _HOSTLESS.sub(r"\g<user>:***", _USER_INFO.sub(r"\g<user>:***@", url))
    return _PARAMETER.sub(r"\g<name>=***", hidden)
