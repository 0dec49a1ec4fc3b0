"""Convert pacts of specification 1 to 3 to version 4, in memory.

Pact's core does the same: it converts every pact to its model of version 4. This module follows its sources, and the
tests compare the results of Pact's Verifier for the original and the converted pact.

- https://github.com/pact-foundation/pact-specification/tree/version-2
- https://github.com/pact-foundation/pact-specification/tree/version-3
- https://github.com/pact-foundation/pact-reference/tree/master/rust/pact_models/src: ``request.rs``, ``json_utils.rs``,
  ``query_strings.rs``, ``sync_interaction.rs`` and ``matchingrules/mod.rs``

A value of an unexpected type is not changed; reading the converted pact reports it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any
from urllib.parse import unquote_plus

from mfagate.contract import media_type
from mfagate.contract.node import Node

NEWEST = 4

_IMPLIED = ("regex", "min", "max", "timestamp", "time", "date")
"""Members that identify a matcher without ``match``, in the order in which Pact searches for them."""

_HEADER = re.compile(r"\$\.headers?(?:\.(?P<dotted>.+)|\['(?P<quoted>.+)'\])")

_TEXTS = {("application", "xml"), ("application", "x-www-form-urlencoded"), ("application", "javascript")}
"""Media types, besides ``text/*`` and JSON, whose bodies Pact never reads as base64."""


def version_of(pact: Node) -> str:
    """Return the version of the specification from the metadata, or an empty text.

    pact-ruby, pact-js, pact-jvm and Pact's core have used these three names.

    Raises:
        ContractError: It is neither a text nor an object with a text.
    """
    metadata = pact.get("metadata", pact.get("metaData", {}).value)
    stated = metadata.get("pactSpecificationVersion", "").value
    for name in ("pactSpecification", "pact-specification"):
        found = metadata.get(name, {})
        stated = stated or (found.value if isinstance(found.value, str) else found.get("version", "").value)
    if not isinstance(stated, str | int | float) or isinstance(stated, bool):
        raise metadata.error("does not state the version of the Pact specification as a text")
    return str(stated)


def converted(pact: dict[str, Any]) -> dict[str, Any]:
    """Return a pact of version 1 to 3 as version 4. The argument is not changed."""
    interactions = pact.get("interactions")
    if not isinstance(interactions, list):
        return pact
    metadata = pact["metadata"] if isinstance(pact.get("metadata"), dict) else {}
    return {
        **pact,
        "interactions": [_interaction(item) if isinstance(item, dict) else item for item in interactions],
        "metadata": {**metadata, "pactSpecification": {"version": f"{NEWEST}.0"}},
    }


def _interaction(interaction: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in interaction.items() if name not in ("providerState", "provider_state")}
    state = interaction.get("providerState") or interaction.get("provider_state")
    if state and not interaction.get("providerStates"):
        kept["providerStates"] = [{"name": state}]
    for part in ("request", "response"):
        if isinstance(kept.get(part), dict):
            kept[part] = _part(kept[part], f"{part}MatchingRules")
    return kept


def _part(part: dict[str, Any], older_name: str) -> dict[str, Any]:
    """Convert a request or a response; ``older_name`` is the former name of its matching rules."""
    new = dict(part)
    if isinstance(part.get("query"), str):
        new["query"] = _query(part["query"])
    found = part.get("matchingRules", new.pop(older_name, None))
    if isinstance(found, dict):
        new["matchingRules"] = _rules(found)
    if "body" in part:
        new["body"] = _body(part["body"], _content_type(part.get("headers")))
    return new


def _query(text: str) -> dict[str, list[str | None]]:
    query: dict[str, list[str | None]] = {}
    for name, equals, value in (pair.partition("=") for pair in text.split("&") if pair):
        query.setdefault(unquote_plus(name), []).append(unquote_plus(value) if equals else None)
    return query


def _content_type(headers: Any) -> str:
    if not isinstance(headers, dict):
        return ""
    value = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, str) else ""


def _body(body: Any, content_type: str) -> Any:
    """Return the body in the format of version 4, with the type by which Pact compares it."""
    if body is None or body == "":
        return {"content": body}
    stated = media_type.parse(content_type)
    kind = stated or media_type.detect(body if isinstance(body, str) else json.dumps(body))
    new: dict[str, Any] = {"content": body, "encoded": False}
    if stated is None and not isinstance(body, str):
        new["contentType"] = "application/json"
    elif stated is None:
        new["contentType"] = str(kind)
    if isinstance(body, str) and kind.is_json:
        new["content"] = _json_in(body)
    elif isinstance(body, str) and kind.main != "text" and (kind.main, kind.sub) not in _TEXTS and _is_base64(body):
        new["encoded"] = "base64"
    return new


def _json_in(text: str) -> Any:
    """Return the JSON object or string in a text, as Pact does; any other text is the value itself."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict | str) else text


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _rules(rules: dict[str, Any]) -> dict[str, Any]:
    """Return matching rules by category; a pact of version 3 may have those of version 2, by path from the root."""
    if any(path.startswith("$") for path in rules):
        return _by_category(rules)
    return {category: _category(found) if isinstance(found, dict) else found for category, found in rules.items()}


def _category(rules: dict[str, Any]) -> dict[str, Any]:
    return _rule(rules) if "matchers" in rules else {path: _rule(rule) for path, rule in rules.items()}


def _rule(rule: Any) -> Any:
    if not isinstance(rule, dict) or not isinstance(rule.get("matchers"), list):
        return rule
    combined = {"combine": rule["combine"].upper()} if isinstance(rule.get("combine"), str) else {}
    return {**rule, **combined, "matchers": [_matcher(matcher) for matcher in rule["matchers"]]}


def _by_category(rules: dict[str, Any]) -> dict[str, Any]:
    """Convert rules such as ``$.body.id``, ``$.headers.Location`` (or ``$.header``), ``$.path``, ``$.query.name``."""
    new: dict[str, Any] = {}
    for path, matcher in rules.items():
        rule = {"combine": "AND", "matchers": [_matcher(matcher)]}
        if path.startswith("$.body"):
            new.setdefault("body", {})["$" + path.removeprefix("$.body")] = rule
        elif path.startswith("$['body']"):
            new.setdefault("body", {})["$" + path.removeprefix("$['body']")] = rule
        elif header := _HEADER.fullmatch(path):
            new.setdefault("header", {})[header["dotted"] or header["quoted"]] = rule
        else:
            category, _, name = path.removeprefix("$.").partition(".")
            new.setdefault(category, {}).update({name: rule} if name else rule)
    return new


def _matcher(matcher: Any) -> Any:
    """Return a matcher with its name, and with numbers as bounds."""
    if not isinstance(matcher, dict):
        return matcher
    bounds = {
        name: int(value)
        for name, value in matcher.items()
        if name in ("min", "max") and isinstance(value, str) and value.isascii() and value.isdigit()
    }
    named = {} if "match" in matcher else {"match": next((name for name in _IMPLIED if name in matcher), "type")}
    if named.get("match") in ("min", "max"):
        named = {"match": "type"}
    return {**named, **matcher, **bounds}
