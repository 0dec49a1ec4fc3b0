"""The location of a history: a SQLite file or a PostgreSQL database. A password in its URL is never shown."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from mfagate.history.errors import HistoryError, InvalidLocation
from mfagate.secrets.redaction import Redactor
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import StoreContext, Stores

DEFAULT = Path(".mfagate", "history.db")
"""Relative to the folder of ``integrations.toml``."""

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+._-]*)://", re.IGNORECASE)
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")

_SCHEME_OR_SHARE = re.compile(r"postgres[^/]*:|[/\\]{2}", re.IGNORECASE)
_PASSWORD = re.compile(r"(?:password|passwd|pwd)\s*=", re.IGNORECASE)
_DATABASES = ("pg", "sql", "postgres")


def _is_no_path(text: str) -> bool:
    """Return whether a text looks like a mistyped URL of a database, or contains NUL.

    Used as a path, such a text would become a file with a password in its name.
    """
    before, _, after = text.partition("/")
    database = after.startswith("/") and any(word in before.lower() for word in _DATABASES)
    mistyped = database or _SCHEME_OR_SHARE.match(text) is not None or _PASSWORD.search(text) is not None
    return mistyped or "://" in text or "\0" in text or _names_user(text)


def _names_user(text: str) -> bool:
    """Return whether a text has a user, and perhaps a password, before a host."""
    return 0 <= text.find(":") < text.rfind("@")


@dataclass(frozen=True, slots=True)
class HistoryLocation:
    """A path or a URL, of which one is set. Messages show ``shown``."""

    shown: str
    path: Path | None = None
    url: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, text: str | None, base: Path, environ: Mapping[str, str] = os.environ) -> Self:
        """Parse a path, a URL, or a reference to one of them; None is the default file.

        Relative paths are relative to ``base``.

        Raises:
            InvalidLocation: The text is neither a path nor a PostgreSQL URL.
            HistoryError: The reference cannot be resolved.
        """
        text = str(DEFAULT) if text is None else text.strip()
        reference = Reference.parse(text)
        if reference is not None:
            if _names_user(text.partition(":")[2]):
                raise InvalidLocation(
                    f"the history {reference.scheme}:… is neither a reference nor a postgresql:// URL"
                )
            try:
                text = str(Stores(StoreContext(base, environ)).resolve(reference).value).strip()
            except Unresolved as error:
                raise HistoryError(f"the history {reference} cannot be read: {error}") from None
        found = _URL.match(text)
        if found is not None and found["scheme"].lower() in _POSTGRESQL:
            shown = str(reference or _without_password(text))
            return cls(shown, url="postgresql+psycopg" + text[found.end("scheme") :])
        if found is not None or _is_no_path(text):
            named = reference or (f"{found['scheme']}://…" if found else "that was given")
            raise InvalidLocation(f"the history {named} is neither a path nor a postgresql:// URL")
        path = base / text
        return cls(str(reference or path), path=path)

    def hide(self, text: str) -> str:
        """Redact the password in a message of a database driver."""
        redactor = Redactor()
        if self.url is not None:
            from urllib.parse import unquote

            for password in _passwords(self.url):
                redactor.add("password", password)
                redactor.add("password", unquote(password))
        return redactor.redact(text)


_USER = re.compile(r"[^/@:]*:")
_HOSTLESS_USER = re.compile(r"[^/@:?\[]*:(?!\d*(?:[,/?#]|$))")
_PARAMETER = re.compile(r"(?<=[?&])(?P<name>password|sslpassword)=(?P<value>[^&#]*)", re.IGNORECASE)


def _users(match: Callable[[str, int], re.Match[str] | None], url: str) -> Iterator[re.Match[str]]:
    """Yield what a driver may take for the user, before the password."""
    return filter(None, (match(url, scheme.end()) for scheme in re.finditer("://", url)))


def _password(url: str) -> tuple[int, int] | None:
    """Return the span of the password. It ends at the last @, because people often do not escape an @ in a password."""
    end = url.rfind("@")
    return next(((user.end(), end) for user in _users(_USER.match, url) if user.end() <= end), None)


def _password_without_host(url: str) -> tuple[int, int] | None:
    """Return the span of a password at the end of the URL: no @ follows it, and it is not a port."""
    last = url.rfind("@")
    return next(((user.end(), len(url)) for user in _users(_HOSTLESS_USER.match, url) if user.end() > last), None)


def _passwords(url: str) -> list[str]:
    """Return the passwords as written, and the parts of one with an @: a driver may use only a part."""
    span = _password(url)
    whole = [url[span[0] : span[1]]] if span else []
    parts = [part for password in whole for part in password.split("@")]
    return [*whole, *parts, *(found["value"] for found in _PARAMETER.finditer(url))]


def _without_password(url: str) -> str:
    span = _password(url) or _password_without_host(url)
    hidden = f"{url[: span[0]]}***{url[span[1] :]}" if span else url
    return _PARAMETER.sub(r"\g<name>=***", hidden)
