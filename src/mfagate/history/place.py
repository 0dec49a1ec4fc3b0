"""Where a history is: a SQLite file, or a PostgreSQL database. A password in its URL is never shown."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from mfagate.history.errors import HistoryError, NoPlace
from mfagate.secrets.redaction import Redactor
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import StoreContext, Stores

DEFAULT = Path(".mfagate", "history.db")
"""Below the folder of ``integrations.toml``."""

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+._-]*)://", re.IGNORECASE)
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")

_SCHEME_OR_SHARE = re.compile(r"postgres[^/]*:|[/\\]{2}", re.IGNORECASE)
_PASSWORD = re.compile(r"(?:password|passwd|pwd)\s*=", re.IGNORECASE)
_DATABASES = ("pg", "sql", "postgres")


def _is_no_path(text: str) -> bool:
    """Whether somebody has meant a database, and slipped: in the scheme, in its slashes, or in leaving it out.

    As a path it would be a file with a password in its name. Nor has a path a NUL in it.
    """
    before, _, behind = text.partition("/")
    database = behind.startswith("/") and any(word in before.lower() for word in _DATABASES)
    slipped = database or _SCHEME_OR_SHARE.match(text) is not None or _PASSWORD.search(text) is not None
    return slipped or "://" in text or "\0" in text or _names_user(text)


def _names_user(text: str) -> bool:
    """Whether there is a user, and perhaps a password, before a host."""
    return 0 <= text.find(":") < text.rfind("@")


@dataclass(frozen=True, slots=True)
class HistoryLocation:
    """One of ``path`` and ``url`` is set. ``shown`` is how messages name it."""

    shown: str
    path: Path | None = None
    url: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, text: str | None, base: Path, environ: Mapping[str, str] = os.environ) -> Self:
        """The place that a path, a URL or a reference to one of them names; None is the default file.

        Relative paths are below ``base``.

        Raises:
            NoPlace: It is neither a path nor a URL of PostgreSQL.
            HistoryError: The reference points at nothing.
        """
        text = str(DEFAULT) if text is None else text.strip()
        reference = Reference.parse(text)
        if reference is not None:
            if _names_user(text.partition(":")[2]):
                raise NoPlace(f"the history {reference.scheme}:… is neither a reference nor a postgresql:// URL")
            try:
                text = str(Stores(StoreContext(base, environ)).resolve(reference).value).strip()
            except Unresolved as error:
                raise HistoryError(f"the history {reference} cannot be read: {error}") from None
        found = _URL.match(text)
        if found is not None and found["scheme"].lower() in _POSTGRESQL:
            shown = str(reference or _without_password(text))
            return cls(shown, url="postgresql+psycopg" + text[found.end("scheme") :])
        if found is not None or _is_no_path(text):
            named = reference or (f"{found['scheme']}://…" if found else "that is given")
            raise NoPlace(f"the history {named} is neither a path nor a postgresql:// URL")
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


_USER = re.compile(r"[^/@:]*:")
_HOSTLESS_USER = re.compile(r"[^/@:?\[]*:(?!\d*(?:[,/?#]|$))")
_PARAMETER = re.compile(r"(?<=[?&])(?P<name>password|sslpassword)=(?P<value>[^&#]*)", re.IGNORECASE)


def _authorities(url: str) -> Iterator[int]:
    """Where something begins that a driver may take for user, host and port."""
    begin = url.find("://")
    while begin >= 0:
        yield begin + 3
        begin = url.find("://", begin + 3)


def _password(url: str) -> tuple[int, int] | None:
    """Where the password begins and ends: at the last @, because an @ in a password is often not escaped."""
    end = url.rfind("@")
    users = (_USER.match(url, begin) for begin in _authorities(url))
    return next(((user.end(), end) for user in users if user and user.end() <= end), None)


def _password_without_host(url: str) -> tuple[int, int] | None:
    """Where the password begins if the URL ends with it: there is no @ behind it, and it is no port."""
    last = url.rfind("@")
    users = (_HOSTLESS_USER.match(url, begin) for begin in _authorities(url))
    return next(((user.end(), len(url)) for user in users if user and user.end() > last), None)


def _passwords(url: str) -> list[str]:
    """As written; of one with an @ in it also the parts that a driver may take for the whole."""
    span = _password(url)
    whole = [url[span[0] : span[1]]] if span else []
    parts = [part for password in whole for part in password.split("@")]
    return [*whole, *parts, *(found["value"] for found in _PARAMETER.finditer(url))]


def _without_password(url: str) -> str:
    span = _password(url) or _password_without_host(url)
    hidden = f"{url[: span[0]]}***{url[span[1] :]}" if span else url
    return _PARAMETER.sub(r"\g<name>=***", hidden)
