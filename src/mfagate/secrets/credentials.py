"""Find credentials inside URLs: of proxies, databases, webhooks, and any other URL in a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

from mfagate.secrets.fingerprint import KEY_VARIABLE
from mfagate.secrets.redaction import RUN, Redactor

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s\"'<>]{1,4096}")
_USER = re.compile(r"[^:/]{1,31}://(?P<user>[^\s/?#@:]*)(?::(?P<password>[^\s/?#]*))?@")
_PROXY = re.compile(r"(?:[^:/]{1,31}://)?(?P<user>[^:@]*)(?::(?P<password>.*))?@", re.DOTALL)
"""The password ends at the last ``@``, because an ``@`` in a password is not always encoded."""
_BETWEEN = re.compile(r"://|[/@?&=#]")
_HOST = re.compile(r"(?:[\w-]+\.)+[\w-]+(?::\d+)?|localhost:\d+", re.ASCII)
_PARAMETER = re.compile(r"[?&;#]\w{0,30}(?:pass|pwd|secret|token|key|sig)\w{0,30}=(?P<value>[^&;#\s]+)", re.IGNORECASE)


def learn_surroundings(
    redactor: Redactor, text: str, environ: Mapping[str, str], arguments: Iterable[str] = ()
) -> None:
    """Learn the credentials in the URLs of a file, of the environment and of the command line.

    These are the proxies that requests uses, which are ``*_proxy`` in upper or lower case
    (https://requests.readthedocs.io/en/latest/user/advanced/#proxies), and every URL with a password.
    """
    learn_addresses(redactor, "address", text)
    for argument in arguments:
        learn_addresses(redactor, "argument", argument)
    redactor.add(KEY_VARIABLE, environ.get(KEY_VARIABLE, ""))
    for name, value in environ.items():
        if name.lower().endswith("_proxy") and name.lower() != "no_proxy":
            _learn(redactor, name, _of_proxy(value))
        elif "://" in value:
            learn_addresses(redactor, name, value)


def learn_addresses(redactor: Redactor, name: str, text: str, *, whole: bool = False) -> None:
    """Learn the credentials of all URLs in a text. With ``whole``, learn all parts but the host, as for a webhook."""
    for address in _ADDRESS.findall(text):
        _learn(redactor, name, credentials_in(address))
        if whole:
            parts = _BETWEEN.split(address)
            _learn(redactor, name, (part for part in parts if len(part) >= RUN and not _HOST.fullmatch(part)))


def credentials_in(address: str) -> Iterator[str]:
    """Yield the password of a URL, or the user name if there is no password, and the values of secret parameters."""
    if found := _USER.match(address):
        yield found["password"] or found["user"]
    for parameter in _PARAMETER.finditer(address):
        yield parameter["value"]


def _of_proxy(address: str) -> Iterator[str]:
    if found := _PROXY.match(address):
        yield found["password"] or found["user"]


def _learn(redactor: Redactor, name: str, values: Iterator[str]) -> None:
    for value in values:
        redactor.add(name, value)
        redactor.add(name, unquote(value))
