"""``mfagate scan``: search recordings for possible secrets.

No secret must be known. Of everything that :mod:`mfagate.cassettes.scrub` would remove from a recording, values that
cannot be secrets (words of filters, masks, examples, links and settings) are ignored. A person must check the rest.
The search needs no configuration, and works in a pre-commit hook and on recordings of any program.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from mfagate.cassettes.scrub import Scrubber, Scrubbing, names_secret
from mfagate.core.exchange import Headers
from mfagate.core.foreign import quoted, shown_path
from mfagate.core.foreign.parsing import raw
from mfagate.providers import registry
from mfagate.scan.formats import HttpMessage, NoRecording, NotRead, Recorded, read
from mfagate.scan.scrubbed_values import is_scrubbed, is_words
from mfagate.secrets.shapes import COMMON, SecretShape

_LONGEST_NAME = 80

_SECRET_HEADERS = ("apikey", "authkey", "dpop", "functionskey", "subscriptionkey")
"""Endings of the names of headers with credentials, besides those of fields."""

_COOKIE_HEADERS = frozenset({"cookie", "setcookie"})
_ADDRESS_HEADERS = frozenset({"location", "referer", "refererurl", "contentlocation"})

_NOT_OF_A_CREDENTIAL = (
    "antiforgerytoken", "correlationtoken", "cursortoken", "csrftoken", "deltatoken", "idempotencytoken",
    "requesttoken", "verificationtoken", "xsrftoken",
)  # fmt: skip
"""Tokens that protect one form or one request, and are worthless without its session."""

_PASSWORDS = ("pass", "passcode", "passphrase", "password", "pin", "pwd", "otp")
"""Endings of the names of fields whose values may be short, or words."""

_CODES = frozenset({"code", "otp", "passcode", "pin"})
_DIGITS = re.compile(r"\d{4,10}")

_VALUE_NAMES = frozenset(
    {"value", "values", "plain", "plaintext", "text", "string", "raw", "current", "new", "old", "#text", "equalto"}
)
"""Names of the secret in an object that describes it: ``{"password": {"value": "…"}}``."""

_SHORTEST_TOKEN = 8
_MOST_SPACES = 5
_SHORTEST_COOKIE = 16
"""A session has at least 64 bits: 16 digits in base 16.
https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html#session-id-entropy
"""

_HARMLESS_COOKIES = re.compile(
    r"\A(?:__cf_bm|_?_?cflb|_cfuvid|cf_clearance|aws(?:alb|elb)\w*|arraffinity\w*|applicationgatewayaffinity\w*|bigip\w*|"
    r"ts[0-9a-f]{6,}|incap_ses_.*|visid_incap_.*|nlbi_.*|akm?_bmsc|ak_bmsc|bm_\w+|_abck|fpc|x-ms-gateway-slice|"
    r"x-ms-cpim-\w*|stsservicecookie|esctx\w*|buid|brcap|did(?:_compat)?|dt|_ga\w*|_gid|ajs_\w+|optimizely\w*|nid)\Z|"
    r"xsrf|csrf",
    re.IGNORECASE,
)
"""Cookies that balance load, detect robots, count visitors or protect forms.

- https://developers.cloudflare.com/fundamentals/reference/policies-compliances/cloudflare-cookies/
- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html
- https://learn.microsoft.com/azure/app-service/configure-common#configure-general-settings (affinity)
- https://auth0.com/docs/manage-users/cookies/authentication-api-cookies (did)
"""

_SIGNED_REQUESTS = re.compile(
    r"AWS4-(?:HMAC|ECDSA-P256)-SHA256\b|SharedKey(?:Lite)? |Signature .*signature=", re.IGNORECASE
)
"""Signatures of one request, which contain no secret and are accepted for minutes.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

_SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules"})


@dataclass(frozen=True, slots=True)
class Leak:
    """A place in a recording, without its value.

    Interactions count from 1; 0 is the content outside of them.
    """

    path: Path
    interaction: int
    place: str

    def __str__(self) -> str:
        where = f"interaction {self.interaction}: " if self.interaction else ""
        return f"{shown_path(self.path)}: {where}{self.place}"


@dataclass(frozen=True, slots=True)
class Searched:
    """The result for one file.

    Args:
        path: The file.
        leaks: Places with possible secrets.
        unread: Why the file, or parts of it, could not be searched.
        other: Why the file is not a recording, if it is not.
    """

    path: Path
    leaks: tuple[Leak, ...] = ()
    unread: tuple[str, ...] = ()
    other: str | None = None


def recordings(paths: Iterable[Path]) -> list[Path]:
    """Return the files, and all files below the folders except those that are hidden or made by tools."""
    return sorted({file for path in paths for file in (_below(path) if path.is_dir() else [path])})


def _below(folder: Path) -> Iterator[Path]:
    """Yield files, and folders that cannot be searched: reading them reports the reason."""
    closed: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _SKIPPED_FOLDERS]
        links = [name for name in folders if Path(place, name).is_symlink()]
        yield from (Path(place, name) for name in (*names, *links) if not name.startswith("."))
    yield from (Path(str(error.filename)) for error in closed if error.filename is not None)


def search(path: Path) -> Searched:
    """Search a file of any content.

    Raises:
        OutOfResources: This machine has no descriptor or memory left.
    """
    try:
        found = read(path)
    except NoRecording as error:
        return Searched(path, other=str(error))
    except NotRead as error:
        return Searched(path, unread=(str(error),))
    leaks: list[Leak] = []
    unread: list[str] = []
    if found.rest:
        rest = _LeakSearch("")
        rest.scrubber.body(found.rest, "")
        places = dict.fromkeys(rest.places("the field {}", "the file, outside of its interactions"))
        leaks += [Leak(path, 0, place) for place in places]
    for number, recorded in enumerate(found.interactions, 1):
        interaction = _Interaction(recorded)
        leaks += [Leak(path, number, place) for place in dict.fromkeys(interaction.places())]
        unread += [f"interaction {number}: {reason}" for reason in dict.fromkeys(interaction.unread)]
    return Searched(path, tuple(leaks), tuple(unread))


@dataclass
class _Interaction:
    """The search of one interaction."""

    recorded: Recorded
    unread: list[str] = field(default_factory=list)

    def places(self) -> Iterator[str]:
        """Yield a description of every place that could contain a secret."""
        request, answer = self.recorded.request, self.recorded.answer
        host = _host(next(iter(request.addresses), ""))
        for address in dict.fromkeys((*request.addresses, *answer.addresses)):
            yield from _in_address(address, host, "the address")
        yield from self._in_message(request, "request", host)
        yield from self._in_message(answer, "answer", host)

    def _in_message(self, message: HttpMessage, part: str, host: str) -> Iterator[str]:
        for name, value in message.headers:
            # Some clients and servers write headers in lower case; this is the same place.
            shown = quoted(name.title() if name.islower() else name, _LONGEST_NAME)
            yield from _in_header(name, value, host, f"the header {shown} of the {part}")
        if message.unread:
            self.unread.append(f"the {part} {message.unread}")
        content_type = raw(Headers(message.headers).get("content-type")) or ""
        for body in message.bodies:
            search = _LeakSearch(host)
            is_json = body.lstrip()[:1] in (b"{", b"[")  # a recorder may write a form as an object
            try:
                search.scrubber.body(body, "" if is_json else content_type)
            except (ValueError, RecursionError):
                self.unread.append(f"the {part} has text or JSON nested too deeply to be searched")
            yield from search.places("the field {}", f"the {part}")


def _in_header(name: str, value: str, host: str, where: str) -> Iterator[str]:
    usual = name.lower().replace("-", "").replace("_", "")
    if usual in _COOKIE_HEADERS:
        yield from _in_cookies(value, where, several=usual == "cookie")
    elif names_secret(name) or usual.endswith(_SECRET_HEADERS):
        if not _SIGNED_REQUESTS.match(value) and could_be_secret(name, value):
            yield where
    elif usual in _ADDRESS_HEADERS:
        yield from _in_address(value, host, where)
    else:
        search = _LeakSearch(host)
        search.scrubber.text(value)
        yield from search.places("", where)


def _in_cookies(value: str, where: str, *, several: bool) -> Iterator[str]:
    """Find sessions. An empty or short value or a word is not a session."""
    if re.fullmatch(r"<[^=]*>|\[[^=]*\]|\{[^=]*\}", value.strip()):  # written by a filter, and may contain a semicolon
        return
    for pair in value.split(";") if several else value.split(";")[:1]:
        name, equals, content = pair.strip().partition("=")
        if not equals:
            name, content = "", name
        content = content.strip().strip('"')
        shortest = _SHORTEST_TOKEN if not equals or _names_session(name) else _SHORTEST_COOKIE
        if len(content) >= shortest and not _HARMLESS_COOKIES.search(name) and could_be_secret("token", content):
            yield f"the cookie {quoted(name, _LONGEST_NAME)} in {where}" if name else where


def _names_session(name: str) -> bool:
    return names_secret(name) or re.search(r"(?i)sess|sid$|^sid|auth|jwt|login|remember", name) is not None


def _host(address: str) -> str:
    return _split(address)[0].rpartition("@")[2].partition(":")[0].lower()


def _split(address: str) -> tuple[str, str, str]:
    """Return what is before the path, the path, and the parameters of an address, which may be an invalid URL.

    Parameters after ``#`` have the same form as those after ``?``.
    """
    before, _, fragment = address.partition("#")
    before, _, query = before.partition("?")
    scheme, slashes, rest = before.partition("://")
    place, slash, path = (rest if slashes else "").partition("/")
    return place, slash + path if slashes else scheme, "&".join(filter(None, (query, fragment)))


def _in_address(address: str, host: str, where: str) -> Iterator[str]:
    """Find credentials before the host, secrets in the path, and parameters."""
    place, path, parameters = _split(address)
    user, at, _ = place.rpartition("@")
    name, _, password = user.partition(":")
    if at and could_be_secret("password" if password else "token", password or name):
        yield f"the user name or password in {where}"
    search = _LeakSearch(host)
    search.scrubber.text(path)
    search.scrubber.form(parameters)
    yield from search.places("the query parameter {}", where)


def could_be_secret(name: str, value: Any) -> bool:
    """Return whether a value under the name of a secret could be one.

    Args:
        name: The name of the field, parameter or header.
        value: A JSON value. For an object or a list, its content counts.
    """
    if isinstance(value, dict):
        return any(could_be_secret(name if _is_value_name(inner) else str(inner), item) for inner, item in value.items()
                   if _is_value_name(inner) or isinstance(item, dict | list) or names_secret(str(inner)))  # fmt: skip
    if isinstance(value, list):
        return any(could_be_secret(name, item) for item in value)
    usual = name.lower().replace("_", "").replace("-", "")
    if isinstance(value, bool) or value is None or usual.endswith(_NOT_OF_A_CREDENTIAL):
        return False
    if isinstance(value, int | float):
        return usual.endswith(_PASSWORDS) and _DIGITS.fullmatch(str(value)) is not None
    return _is_text_of_secret(usual, value) if isinstance(value, str) else False


def _is_value_name(name: Any) -> bool:
    return str(name).lower() in _VALUE_NAMES


def _is_text_of_secret(usual: str, value: str) -> bool:
    bare = value.strip().strip("\"'")
    if usual in _CODES and _DIGITS.fullmatch(bare):
        return len(set(bare)) > 1
    if is_scrubbed(value):
        return False
    if re.match(r"https?://", bare):
        return _is_secret_link(bare)
    if usual.endswith(_PASSWORDS) and usual not in _CODES:
        return bare.lower() not in _NAMES_OF_THINGS and not _is_sentence(bare) and not _NAME_OF_SECRET.fullmatch(bare)
    secret = _without_scheme(bare)
    if usual in _CODES or usual.endswith("token"):  # else a program, or a token of a language model
        return len(secret) >= _SHORTEST_TOKEN and not re.search(r"\s", secret) and not is_words(secret)
    return len(bare) >= _SHORTEST_TOKEN and not is_words(secret)


_NAMES_OF_THINGS = frozenset(
    {
        "active", "disabled", "enabled", "false", "federation", "imported", "none", "optional", "otp", "pass", "passwd",
        "password", "pin", "pwd", "required", "string", "text", "true", "user",
    }
)  # fmt: skip
"""Values of settings and examples under the name of a password."""

_NAME_OF_SECRET = re.compile(r"(?i)[a-z_-]{0,20}(?:password|passwd|passphrase|secret|token)[a-z_-]{0,20}")
"""Such as ``USER_PASSWORD`` and ``mypassword``."""


def _is_sentence(text: str) -> bool:
    """Return whether a text is a label or a message, such as "Forgot your password?"."""
    return (" " in text and is_words(text) and text[-1:] in ".?!:…") or text.count(" ") > _MOST_SPACES


def _without_scheme(text: str) -> str:
    scheme, space, rest = text.partition(" ")
    return rest.strip() if space and scheme.isalpha() else text


def _is_secret_link(link: str) -> bool:
    """Return whether a link is a secret: its parameters hold one, or its last part is random."""
    _, path, _ = _split(link)
    last = path.rstrip("/").rpartition("/")[2]
    random = len(last) >= _SHORTEST_COOKIE and not is_words(last) and not is_scrubbed(last)
    return random or any(_in_address(link, "", ""))


class _LeakSearch:
    """A scrubber whose output is not used: it reports what it would remove."""

    def __init__(self, host: str) -> None:
        self._taken: list[tuple[str | None, str]] = []
        rules, shapes = _known_of(host)
        self.scrubber = Scrubber(rules, host, shapes, self._notice)

    def _notice(self, name: str | None, what: str, value: Any) -> None:
        if name is None or could_be_secret(name, value):
            self._taken.append((name, what))

    def places(self, field: str, where: str) -> Iterator[str]:
        """Yield a description of what was removed; ``field`` is the template for the name of a field."""
        for name, what in self._taken:
            yield (
                f"{field.format(quoted(name, _LONGEST_NAME))} of {where}" if name is not None else f"{what} in {where}"
            )


def _unscrubbed(shape: SecretShape) -> SecretShape:
    return replace(shape, sure=lambda text: shape.sure(text) and not is_scrubbed(text))


@lru_cache(maxsize=64)
def _known_of(host: str) -> tuple[Scrubbing, tuple[SecretShape, ...]]:
    """Return the scrubbing of the provider that the host of a recording names, or else of all providers."""
    names = registry.names()
    name = host.removesuffix(".invalid")
    if host.endswith(".invalid") and name in names:
        provider = registry.get(name)
        shapes = (*COMMON, *provider.settings.secret_shapes(own=True))
        return provider.scrubbing, tuple(map(_unscrubbed, shapes))
    providers = [registry.get(one) for one in names]
    fields = frozenset().union(*(one.scrubbing.secret_fields for one in providers))
    shapes = (*COMMON, *(shape for one in providers for shape in one.settings.secret_shapes(own=False)))
    return Scrubbing(fields), tuple(map(_unscrubbed, shapes))


_WORTH_PROCESSES = 4 << 20
"""Starting processes takes as long as searching this many bytes."""

_MOST_PROCESSES = 8


def search_all(paths: Sequence[Path]) -> Iterator[Searched]:
    """Search files, in several processes if there is much to search, and yield the results in order.

    Raises:
        OutOfResources: This machine has no descriptor or memory left.
    """
    processes = min(os.cpu_count() or 1, _MOST_PROCESSES)
    if processes == 1 or sum(map(_size, paths)) < _WORTH_PROCESSES:
        yield from map(search, paths)
        return
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
    from multiprocessing import get_context

    done = 0
    try:
        # Spawned, because forking a process that has threads is not safe.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            for result in pool.map(search, paths, chunksize=max(1, min(32, len(paths) // (4 * processes)))):
                yield result
                done += 1
    except (BrokenExecutor, OSError, ImportError):  # too few processes or too little shared memory
        yield from map(search, paths[done:])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
