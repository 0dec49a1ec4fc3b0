"""Read the recordings of any program that records HTTP, recognised by their content.

The name of a file is ignored. Recorders write YAML or JSON, and all of them write an interaction as an object with a
request and a response. They write addresses, headers and bodies in different ways:

- vcrpy, with the serializers for YAML and JSON: https://vcrpy.readthedocs.io/en/latest/advanced.html
- go-vcr, versions 1 to 4: https://github.com/dnaeon/go-vcr
- Ruby's VCR, betamax for Python, vcr for R: https://github.com/vcr/vcr
- the test proxy of the Azure SDKs: https://github.com/Azure/azure-sdk-tools/tree/main/tools/test-proxy
- HAR, which Polly.JS and browsers write: http://www.softwareishard.com/blog/har-12-spec/
- nock: https://github.com/nock/nock#recording
- MockServer: https://www.mock-server.com/mock_server/_includes/recorded_expectations.html
- WireMock: https://wiremock.org/docs/stubbing/
- Postman, collections of version 2 and environments: https://schema.postman.com/collection/json/v2.1.0/draft-07/docs/
- the serializer of langchain-tests for vcrpy: https://github.com/langchain-ai/langchain/tree/master/libs/standard-tests
"""

from __future__ import annotations

import base64
import binascii
import json
import os.path
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from mfagate.core.files import OutOfResources, open_regular
from mfagate.core.resources import shortage_of
from mfagate.core.yaml_text import YamlError, could_be_deep, documents, loader

LARGEST = 64 << 20
_GZIP = b"\x1f\x8b"
_DEEPEST = 6
"""The depth below the root to which interactions are searched for."""

_TEXT_CODINGS = frozenset({"", "identity"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")

_START = re.compile(r"(?:\s*#.*\n)*\s*(?:---|[{\[]|-\s|![a-z]|%YAML|[\w\"'-]{1,40}:(?:\s|$))")
_MARK_NAMES = r"(https?_interactions|interactions|requests?|responses?|recorded_with|recorded_at|entries|requesturi)"
_MARKS = re.compile(
    rf"^[ \t-]{{0,200}}+{_MARK_NAMES}[ \t]{{0,20}}+:|[\"']{_MARK_NAMES}[\"'][ \t]{{0,20}}+:",
    re.IGNORECASE | re.MULTILINE,
)
_FEWEST_MARKS = 2

_ADDRESSES = ("uri", "url", "request_uri", "requesturi", "urlpath")
_BODIES = ("body", "postdata", "content", "jsonbody", "base64body", "parsed_body", "form", "json", "data", "trailer")
_PARTS = ("log", "request", "response", "requests", "responses", "interactions", "http_interactions", "entries")
_HANDLED = frozenset(
    {
        *_ADDRESSES, *_BODIES, "header", "headers", "bodysize", "code", "content_length", "cookies", "duration",
        "headerssize", "host", "bodyfilename", "http_version", "httpversion", "id", "method", "proto", "proto_major",
        "proto_minor", "reason",
        "recorded_at", "remote_addr", "status", "statustext", "time", "timings", "transfer_encoding", "uncompressed",
        "version",
    }
)  # fmt: skip
"""Members of a request or an answer with their own search, or without content. All others are searched as JSON."""

_TEXTS = ("string", "text", "content", "body", "data")
_ENCODED = ("base64_string", "base64string", "base64", "base64body")


class NotRead(Exception):
    """The file could not be searched. The text completes "PATH …" and quotes nothing of the file."""


class NoRecording(Exception):
    """The file is not a recording. The text completes "PATH …"."""


@dataclass(frozen=True, slots=True)
class HttpMessage:
    """A request or an answer. ``unread`` says what cannot be searched."""

    addresses: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    bodies: tuple[bytes, ...] = field(default=(), repr=False)
    unread: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request and its answer."""

    request: HttpMessage
    answer: HttpMessage


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording. ``rest`` is its content outside of the interactions, as JSON."""

    interactions: tuple[Recorded, ...]
    rest: bytes = field(default=b"", repr=False)


def read(path: Path) -> Recording:
    """Return the interactions of a recording, and its other content.

    Raises:
        NotRead: It cannot be read, but may be a recording.
        NoRecording: It is not a recording.
        OutOfResources: This machine has no descriptor or memory left.
    """
    text = _text(_content(path))
    roots = _roots(text)
    budget = _AliasBudget(len(text))
    found = [_with_body_file(path, pair) for root in roots for pair in _interactions(root, _DEEPEST)]
    if not found and not any(_is_environment(root) for root in roots):
        _refuse_unknown(roots, text)
    try:
        return Recording(tuple(_recorded(pair, budget) for pair in found), _rest(roots, budget))
    except RecursionError:
        raise NotRead("is nested too deeply to be searched") from None


def _rest(roots: list[Any], budget: _AliasBudget) -> bytes:
    """Return other members of the root, such as the variables of Azure's test proxy and of Postman."""
    rest = [
        {name: value for name, value in _low(root).items() if name not in _PARTS and not _is_other_list(value)}
        for root in roots
        if isinstance(root, dict)
    ]
    budget.weigh(rest)
    return json.dumps(_plain(rest)).encode() if any(rest) else b""


def _is_other_list(value: Any) -> bool:
    return isinstance(value, list) and not all(_named_value(item) for item in value)


def _named_value(item: Any) -> tuple[str, Any] | None:
    """Return the name and the value of an object that states both, as HAR and Postman write parameters."""
    if not isinstance(item, dict) or "value" not in (low := _low(item)):
        return None
    name = next((low[each] for each in ("name", "key") if isinstance(low.get(each), str)), None)
    return None if name is None else (name, low["value"])


def _is_environment(root: Any) -> bool:
    """Return whether a document is an environment or the globals of Postman."""
    return isinstance(root, dict) and "_postman_variable_scope" in root


def _with_body_file(mapping: Path, pair: _Pair) -> _Pair:
    """Add the body to a WireMock answer that keeps it in the folder ``__files``.

    https://wiremock.org/docs/stubbing/#specifying-the-response-body
    """
    name = _low(pair[1]).get("bodyfilename")
    if not isinstance(name, str) or "{{" in name or pair is _UNKNOWN:
        return pair
    folders = [folder / "__files" for folder in mapping.parents][:_NEAREST_FOLDERS]
    for folder in folders:
        file = folder / name
        if os.path.isfile(file) and file.resolve().is_relative_to(folder.resolve()):  # noqa: PTH113 - a long name
            return pair[0], {**pair[1], "body": _content_of(file)}
    return pair[0], {**pair[1], "body": NotRead("is in a file of WireMock (__files) that is not here")}


_NEAREST_FOLDERS = 4


def _content_of(file: Path) -> bytes | NotRead:
    try:
        return _content(file)
    except NotRead as error:
        return error


def _content(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        if shortage_of(error) is not None:
            raise OutOfResources(f"cannot be read: {error.strerror}") from error
        raise NotRead(f"cannot be read: {error.strerror or 'it is not a regular file'}") from None
    except ValueError:
        raise NotRead("cannot be read: its name is not a valid file name") from None
    if content.startswith(_GZIP):
        content = _inflated(content, zlib.MAX_WBITS | 16)
    if len(content) > LARGEST:
        raise NotRead(f"is larger than {LARGEST >> 20} MiB")
    return content


def _inflated(content: bytes, window: int) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        inflated = inflater.decompress(content, LARGEST + 1)
    except zlib.error:
        raise NotRead("is compressed and damaged") from None
    if len(inflated) <= LARGEST and not inflater.eof:
        raise NotRead("is compressed and was cut off")
    return inflated


_OTHER_FILES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x00\x00\x01\x00", b"RIFF", b"%PDF", b"wOF", b"\x7fELF")
"""The first bytes of images, fonts, documents and programs."""


def _text(content: bytes) -> str:
    if not content.strip():
        raise NoRecording("is empty")
    if content.startswith(_OTHER_FILES):
        raise NoRecording("is an image, a document or a program")
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                break
    raise NotRead("is not text in UTF-8")


def _roots(text: str) -> list[Any]:
    """Return the documents of the file."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return [json.loads(text)]
        except RecursionError:
            raise NotRead("is nested too deeply to be searched") from None
        except ValueError:
            if (lines := _json_lines(text)) is not None:
                return lines
    if not _START.match(text):
        raise NoRecording("is not YAML or JSON")
    try:
        return documents(text, _tolerant(could_be_deep(text)))
    except YamlError as error:
        if _marks(text) < _FEWEST_MARKS:
            raise NoRecording("is not YAML or JSON") from None
        kind = "JSON" if text.lstrip()[:1] in ("{", "[") else "YAML"
        where = f" (line {error.line})" if error.line else ""
        raise NotRead(f"is not {kind}{where}, but looks like a recording") from None


def _json_lines(text: str) -> list[Any] | None:
    """Return the documents of a file with one document per line, or None."""
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return None


def _marks(text: str) -> int:
    """Count the words in a text that are typical of recordings."""
    return len({(bare or in_quotes).lower() for bare, in_quotes in _MARKS.findall(text)})


@cache
def _tolerant(deep: bool) -> Any:
    """Return a loader that ignores the types of other languages (``!ruby/hash``)."""
    base: Any = loader(deep)

    class Tolerant(base):  # type: ignore[misc]
        def plain(self, _suffix: str, node: Any) -> Any:
            import yaml

            if isinstance(node, yaml.ScalarNode):
                return self.binary(node) if node.tag in ("!binary", "tag:yaml.org,2002:binary") else node.value
            return (self.construct_mapping if isinstance(node, yaml.MappingNode) else self.construct_sequence)(
                node, deep=True
            )

        def binary(self, node: Any) -> Any:
            try:
                return base64.b64decode(node.value)
            except (binascii.Error, ValueError):
                return node.value

        def as_text(self, node: Any) -> Any:
            return node.value

    Tolerant.add_multi_constructor("!", Tolerant.plain)
    Tolerant.add_multi_constructor("tag:yaml.org,2002:python/", Tolerant.plain)
    Tolerant.add_constructor("tag:yaml.org,2002:binary", Tolerant.binary)
    Tolerant.add_constructor("tag:yaml.org,2002:timestamp", Tolerant.as_text)
    return Tolerant


_Pair = tuple[dict[str, Any], dict[str, Any]]

_LISTS = ("interactions", "http_interactions", "entries")
"""Names of the list of interactions."""

_UNKNOWN: _Pair = ({}, {})
"""An interaction in an unknown format."""


def _interactions(node: Any, levels: int) -> Iterator[_Pair]:
    """Yield the request and the answer of each interaction below a node."""
    if isinstance(node, list):
        for item in node if levels else ():
            yield from _interactions(item, levels - 1)
    if not isinstance(node, dict) or _is_of_pact(low := _low(node)):
        return
    if (pair := _pair(low)) is not None:
        yield pair
        yield from _examples(low.get("response"))
    elif isinstance(low.get("requests"), list) and isinstance(low.get("responses"), list):
        pairs = zip_longest(low["requests"], low["responses"])  # the serializer of langchain-tests
        yield from ((_object(request), _object(answer)) for request, answer in pairs)
    elif levels:
        for name, value in low.items():
            yield from _below(name, value, levels - 1)


def _below(name: str, value: Any, levels: int) -> Iterator[_Pair]:
    """Yield the interactions below a member. In a list of interactions, each item must be one."""
    if name in _LISTS and isinstance(value, list):
        for item in value:
            yield from list(_interactions(item, levels)) or [_UNKNOWN]
    elif isinstance(value, dict | list):
        yield from _interactions(value, levels)


def _pair(low: dict[str, Any]) -> _Pair | None:
    """Return the request and the answer in an object, or None."""
    request, answer = low.get("request", low.get("httprequest")), low.get("response", low.get("httpresponse"))
    if isinstance(request, dict) and isinstance(messages := low.get("_websocketmessages"), list):
        answer = {**_object(answer), "_webSocketMessages": messages}
    if isinstance(request, dict) and (isinstance(answer, dict) or _is_request(request)):
        return request, _object(answer)
    if "requesturi" in low:  # the test proxy of the Azure SDKs
        return _members_of(low, "request"), _members_of(low, "response")
    if "scope" in low and "path" in low:  # nock
        asked = {"url": f"{low['scope']}{low['path']}", "body": low.get("body"), "headers": low.get("reqheaders")}
        return asked, {"body": _of_nock(low.get("response")), "headers": low.get("rawheaders", low.get("headers"))}
    return None


def _examples(answers: Any) -> Iterator[_Pair]:
    """Yield the saved answers of a Postman request, each with the request as sent."""
    for answer in answers if isinstance(answers, list) else ():
        if isinstance(answer, dict) and "originalRequest" in answer:
            rest = {name: value for name, value in answer.items() if name != "originalRequest"}
            yield _object(answer["originalRequest"]), rest


def _of_nock(answer: Any) -> Any:
    """Return the bytes of a binary or compressed answer, which nock writes in hexadecimal."""
    parts = answer if isinstance(answer, list) else [answer]
    if not parts or not all(isinstance(part, str) and _HEXADECIMAL.fullmatch(part) for part in parts):
        return answer
    return bytes.fromhex("".join(parts))


_HEXADECIMAL = re.compile(r"(?:[0-9a-f]{2}){8,}")


def _low(node: dict[Any, Any]) -> dict[str, Any]:
    """Return the members with names in lower case. Old recordings of Ruby have symbols (``:request``)."""
    return {str(name).lower().removeprefix(":"): value for name, value in node.items()}


def _object(node: Any) -> dict[str, Any]:
    return node if isinstance(node, dict) else {}


def _is_request(node: dict[str, Any]) -> bool:
    return not _low(node).keys().isdisjoint(("uri", "url", "method"))


def _is_of_pact(low: dict[str, Any]) -> bool:
    """Return whether an object is a pact, whose keys and codes are invented and look real on purpose."""
    return isinstance(low.get("consumer"), dict) and isinstance(low.get("provider"), dict)


def _members_of(low: dict[str, Any], part: str) -> dict[str, Any]:
    return {name.removeprefix(part): value for name, value in low.items() if name.startswith(part)}


def _refuse_unknown(roots: list[Any], text: str) -> None:
    """Refuse a file without interactions, except an empty list of them.

    Raises:
        NotRead: It looks like a recording of an unknown program.
        NoRecording: It does not look like a recording, or is a pact.
    """
    members = {name: value for root in roots if isinstance(root, dict) for name, value in _low(root).items()}
    if {"consumer", "provider"} <= members.keys():
        raise NoRecording("is a pact, which contains invented values")
    if members.keys() & {"__export_format", "imposters", "stubs"} or _is_first_postman(members):
        raise NotRead("is of Insomnia, Mountebank or version 1 of Postman, which mfagate does not read: save it as HAR")
    lists = [members[name] for name in _LISTS if name in members]
    if lists and not any(lists):
        return  # a recording of nothing
    if (lists and "entries" not in members) or _marks(text) >= _FEWEST_MARKS:
        raise NotRead("looks like a recording, but its format is not supported")
    raise NoRecording("is not a recording: it has no request with an answer")


def _is_first_postman(members: dict[str, Any]) -> bool:
    return isinstance(members.get("requests"), list) and isinstance(members.get("order"), list)


class _AliasBudget:
    """A limit on the size to which YAML aliases can expand a small file."""

    def __init__(self, characters: int) -> None:
        self._left = 20 * characters + 100_000

    def spend(self, amount: int) -> None:
        self._left -= amount
        if self._left < 0:
            raise NotRead("has aliases that make it too large to be searched")

    def weigh(self, node: Any) -> None:
        """Spend the size of a document before it is written out."""
        waiting = [node]
        while waiting:
            item = waiting.pop()
            self.spend(1 + (len(item) if isinstance(item, str | bytes) else 0))
            if isinstance(item, dict):
                waiting += [*item.keys(), *item.values()]
            elif isinstance(item, list | tuple | set):
                waiting += item


def _recorded(pair: _Pair, budget: _AliasBudget) -> Recorded:
    if pair is _UNKNOWN:
        return Recorded(HttpMessage(unread="has a format that is not supported"), HttpMessage())
    budget.weigh(pair)
    return Recorded(_message(pair[0]), _message(pair[1]))


def _message(node: dict[str, Any]) -> HttpMessage:
    low = _low(node)
    headers = (*_headers(low.get("headers", low.get("header"))), *_cookies(low.get("cookies")))
    codings = [value.strip().lower() for name, value in headers if name.lower() == "content-encoding"]
    bodies: list[bytes] = []
    unread = None
    for name in _BODIES:
        for content in _contents(low.get(name), name):
            try:
                bodies.append(_decoded(content, codings))
            except NotRead as error:
                unread = str(error)
    if rest := {name: value for name, value in low.items() if name not in _HANDLED}:
        bodies.append(json.dumps(_plain(rest)).encode())
    return HttpMessage(tuple(_addresses(low)), headers, tuple(body for body in bodies if body), unread)


def _addresses(low: dict[str, Any]) -> Iterator[str]:
    for name in _ADDRESSES:
        value = low.get(name)
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        yield from (each for each in parts if isinstance(each, str) and each)


def _headers(node: Any) -> Iterator[tuple[str, str]]:
    """Yield headers from an object, or from a list of names and values, of pairs or of objects."""
    if isinstance(node, dict):
        for name, values in node.items():
            yield from ((str(name), text) for text in _header_texts(values))
    elif isinstance(node, list) and all(isinstance(item, str) for item in node):
        yield from zip(node[::2], node[1::2], strict=False)
    elif isinstance(node, list):
        for item in node:
            if isinstance(item, dict):
                low = _low(item)
                name = str(low.get("name", low.get("key", "")))
                yield from ((name, text) for text in _header_texts(low.get("value", low.get("values"))))
            elif isinstance(item, list) and len(item) == 2:
                yield from ((str(item[0]), text) for text in _header_texts(item[1]))


def _cookies(node: Any) -> Iterator[tuple[str, str]]:
    """Yield cookies from a list, which HAR has besides the headers."""
    for item in node if isinstance(node, list) else ():
        if (pair := _named_value(item)) is not None and isinstance(pair[1], str):
            yield "Cookie", f"{pair[0]}={pair[1]}"


def _header_texts(values: Any) -> Iterator[str]:
    if isinstance(values, bytes):
        yield values.decode("utf-8", "replace")
    elif isinstance(values, dict | list | tuple):
        for value in values.values() if isinstance(values, dict) else values:
            yield from _header_texts(value)
    elif values is not None:
        yield str(values)


def _contents(node: Any, name: str) -> Iterator[bytes | NotRead]:
    """Yield the content of a body, in any of its notations."""
    if node is None or isinstance(node, bool) or node in ("", b""):
        return
    if isinstance(node, bytes | NotRead):
        yield node
    elif isinstance(node, str):
        yield _unencoded(node) if name in _ENCODED else _unescaped(node)
    elif isinstance(node, dict) and isinstance(state := node.get("state"), list) and set(node) == {"state"}:
        yield from _contents(state[0] if state else None, name)  # BytesIO, as old versions of vcrpy write it
    elif isinstance(node, dict) and (known := _known_members(node)):
        for member, value in known.items():
            encoded = member in _TEXTS and str(node.get("encoding", "")).lower() == "base64"
            yield from _contents(value, "base64" if encoded else member)
    elif name == "form" and isinstance(node, dict):
        yield urlencode(node, doseq=True, errors="replace").encode()
    else:
        yield json.dumps(_plain(node), ensure_ascii=True).encode()


def _known_members(node: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a body that is written as a description, such as ``{string: …, encoding: …}``."""
    low = _low(node)
    about = {*_TEXTS, *_ENCODED, "encoding", "mimetype", "size", "compression", "params", "file", "$fixed", "comment",
             "status", "url"}  # fmt: skip
    named = {name: low[name] for name in (*_TEXTS, *_ENCODED) if name in low}
    if not (named or "params" in low) or not set(low) <= about:
        return {}
    if isinstance(low.get("params"), list):
        pairs = [(item.get("name"), item.get("value")) for item in low["params"] if isinstance(item, dict)]
        named["params"] = urlencode([(str(name), "" if value is None else str(value)) for name, value in pairs])
    return named


def _plain(node: Any) -> Any:
    """Convert a YAML document to JSON types."""
    if isinstance(node, dict):
        return {str(name): _plain(value) for name, value in node.items()}
    if isinstance(node, list | tuple | set):
        return [_plain(item) for item in node]
    if isinstance(node, bytes):
        return node.decode("utf-8", "replace")
    return node if isinstance(node, str | int | float | bool) or node is None else str(node)


def _unencoded(text: str) -> bytes:
    try:
        return base64.b64decode(re.sub(r"\s", "", text), validate=True)
    except (binascii.Error, ValueError):
        return text.encode("utf-8", "surrogatepass")


def _unescaped(text: str) -> bytes:
    """Return the bytes of a text body. Compressed bytes may be written as characters, or in base64."""
    if text.startswith("\x1f\x8b") and all(ord(sign) < 256 for sign in text):
        return text.encode("latin-1")
    if text.startswith("H4sI") and (content := _unencoded(text)).startswith(_GZIP):
        return content
    return text.encode("utf-8", "surrogatepass")


def _decoded(content: bytes | NotRead, codings: list[str]) -> bytes:
    """Undo compression by content, because recorders often keep the header of a body that they decoded.

    Raises:
        NotRead: It cannot be decompressed, or it is in another file that could not be read.
    """
    if isinstance(content, NotRead):
        raise content
    if content.startswith(_GZIP):
        return _inflated(content, zlib.MAX_WBITS | 16)
    if not set(codings) - _TEXT_CODINGS or _is_text(content):
        return content
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS) if "deflate" in codings else ():
        try:
            return _inflated(content, window)
        except NotRead:
            continue
    raise NotRead("is compressed and cannot be searched: record it decoded (`decode_compressed_response` of vcrpy)")


def _is_text(content: bytes) -> bool:
    try:
        return not _CONTROL.search(content.decode())
    except UnicodeDecodeError:
        return False
