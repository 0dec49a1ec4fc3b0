"""Read a pact file of specification version 4; older pacts are converted first.

A pact is untrusted input: every fault in it becomes a :class:`~mfagate.contract.ContractError` with the location and
what to change.
https://github.com/pact-foundation/pact-specification/tree/version-4
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mfagate.config import jwt
from mfagate.contract import media_type, older, rules
from mfagate.contract.errors import ContractError
from mfagate.contract.headers import split
from mfagate.contract.interaction import Contract, Interaction, ProviderState
from mfagate.contract.lines import Where, line_of
from mfagate.contract.media_type import MediaType
from mfagate.contract.node import Node
from mfagate.contract.path import at, is_of_one_place, steps
from mfagate.contract.request import ExampleRequest, StateGenerator
from mfagate.contract.response import ExpectedResponse
from mfagate.contract.safety import fault_of_header, fault_of_method
from mfagate.core import numbers
from mfagate.core.files import OutOfResources, Unreadable, read_text
from mfagate.core.origins import path_fault
from mfagate.core.strict_json import depth

LARGEST_FILE = 16 * 1024 * 1024
# Pact's own JSON reader stops at 128.
DEEPEST_NESTING = 100


def load(path: Path, *, provider: str | None = None) -> Contract:
    """Read a contract.

    Args:
        path: The pact file.
        provider: The name that the provider must have in the pact.

    Raises:
        ContractError: The file cannot be read, is not a pact, or has a part that cannot be checked or sent. Only the
            syntax of rule paths is checked later, by the first match.
    """
    content = _read(path)
    try:
        return _contract(Node(_parsed(path, content), str(path)), path, provider)
    except ContractError as error:
        if error.where:
            error.line = line_of(content, error.where)
        raise


def line_in(path: Path, where: Where) -> int | None:
    """Return the line of a value of a contract that was read before; None if the file has changed since."""
    try:
        return line_of(_read(path), where)
    except ContractError:
        return None


def _contract(pact: Node, path: Path, provider: str | None) -> Contract:
    if type(pact.value) is dict and "messages" in pact.value and "interactions" not in pact.value:
        raise pact.error("is not a pact of HTTP interactions, but of messages: name the pact of the HTTP interactions")
    if type(pact.value) is not dict or "interactions" not in pact.value:
        raise pact.error("is not a pact of HTTP interactions: it has no interactions")
    names = {role: pact.get(role, {}).get("name").a(str) for role in ("consumer", "provider")}
    pact = _as_version_4(pact)
    if provider is not None and names["provider"] != provider:
        raise pact.error(f"is a contract with {names['provider']!r}, not with {provider!r}")
    interactions = tuple(_distinguished([_interaction(node) for node in pact.get("interactions").items()]))
    if not interactions:
        raise pact.error("has no interactions: run the consumer tests that write it")
    for description, number in Counter(interaction.description for interaction in interactions).items():
        if number > 1:
            raise pact.error(f"has two interactions described as {description!r}: rename one of them")
    return Contract(path, names["consumer"], names["provider"], interactions)


def _as_version_4(pact: Node) -> Node:
    """Return the pact, converted if its version is older.

    Raises:
        ContractError: Its version is newer.
    """
    version = older.version_of(pact)
    match numbers.whole(version.partition(".")[0]):
        case older.NEWEST:
            return pact
        case number if number is not None and number > older.NEWEST:
            raise pact.error(f"is a pact of version {version}: mfagate reads versions 1 to {older.NEWEST}")
        case _:
            _require_plain(pact)
            return Node(older.converted(pact.value), pact.where)


def _require_plain(pact: Node) -> None:
    """Refuse pact-ruby's format from before the specification, with Ruby classes in its bodies.

    https://github.com/pact-foundation/pact-ruby/wiki/Using-pact-specification-version-2
    """
    for node in pact.get("interactions").items():
        if '"json_class": "Pact::' in json.dumps(node.value):
            raise node.error(
                "contains matchers as Ruby classes: write the pact again with "
                '`pact_specification_version "2.0.0"` in its `mock_service` block'
            )


def _distinguished(interactions: list[Interaction]) -> Iterator[Interaction]:
    """Yield the interactions; if several have the same description, add their provider states to it.

    Pact identifies an interaction by both.
    """
    number = Counter(interaction.description for interaction in interactions)
    for interaction in interactions:
        states = " and ".join(state.name for state in interaction.states)
        if number[interaction.description] > 1 and states:
            yield replace(interaction, description=f"{interaction.description}, given {states}")
        else:
            yield interaction


def _read(path: Path) -> str:
    try:
        return read_text(path, LARGEST_FILE)
    except OutOfResources:
        raise
    except Unreadable as error:
        raise ContractError(f"{path} {error}") from None


def _parsed(path: Path, content: str) -> Any:
    try:
        document = json.loads(content)
        # Other readers do not accept Infinity, NaN and unpaired surrogates.
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except json.JSONDecodeError as error:
        if content.startswith("\ufeff"):
            raise ContractError(
                f"{path} begins with a byte order mark (U+FEFF), which is not JSON: save it as UTF-8 without one"
            ) from error
        is_cut = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")
        problem = "ends too early: it was cut off" if is_cut else f"is not JSON: {error}"
        raise ContractError(f"{path} {problem}; write it again from the consumer tests") from error
    except (ValueError, RecursionError) as error:
        raise ContractError(f"{path} is not JSON that Pact can read") from error
    if depth(document) > DEEPEST_NESTING:
        raise ContractError(f"{path} is nested more than {DEEPEST_NESTING} levels deep")
    return document


def _interaction(node: Node) -> Interaction:
    description = node.get("description").a(str)
    node = Node(node.value, f"{node.where} ({description!r})", node.steps)
    kind = node.get("type", "Synchronous/HTTP").value
    if kind != "Synchronous/HTTP":
        raise node.error(f"is of type {kind!r}: only HTTP interactions can be checked")
    if node.get("pluginConfiguration", {}).value:
        raise node.error("needs a Pact plugin, which mfagate does not support")
    comments = node.get("comments", {}).get("mfagate", {})
    response = _response(node.get("response", {}))
    return Interaction(
        description=description,
        states=tuple(_state(state) for state in node.get("providerStates", []).items()),
        safe_in_production=comments.get("safe-in-production", False).a(bool),
        note=comments.get("note", "").a(str) or None,
        bound=_bound(comments.get("bound", {}), response),
        claims=_bound_claims(comments.get("claims", {}), response),
        pending=node.get("pending", False).a(bool),
        request=_request(node.get("request", {})),
        response=response,
    )


def _bound(node: Node, response: ExpectedResponse) -> dict[str, str]:
    """Return paths of the answer, and the names of the values that must be there."""
    bound = {path: _value_name(name) for path, name in node.members()}
    document = _example(response) if bound else None
    for path in bound:
        value = _value_at(node, document, path)
        if value is None or isinstance(value, dict | list):
            raise node.error(f"names {path}: the example answer has no text or number there")
    return bound


def _bound_claims(node: Node, response: ExpectedResponse) -> dict[str, dict[str, str]]:
    """Return paths of tokens in the answer, with their claims and the names of the values that these must have."""
    claims = {path: {claim: _value_name(name) for claim, name in names.members()} for path, names in node.members()}
    document = _example(response) if claims else None
    if claims and document is None:
        raise node.error("names paths of a JSON document, but the example answer is not JSON")
    for path, names in claims.items():
        token = _value_at(node, document, path)
        if not names:
            raise node.error(f"names {path} without a claim")
        if token is not None and not (isinstance(token, str) and jwt.claims(token)):
            raise node.error(f"names {path}: the example answer has something other than a JSON Web Token there")
    return claims


def _value_name(node: Node) -> str:
    if not node.a(str):
        raise node.error("is empty: write the name of a value of the provider state")
    return str(node.value)


def _example(response: ExpectedResponse) -> Any:
    is_json = response.media_type is not None and response.media_type.is_json
    return json.loads(response.body) if response.body and is_json else None


def _value_at(node: Node, document: Any, path: str) -> Any:
    """Return the value that the example has at a path, or None.

    Raises:
        ContractError: The path does not lead to exactly one place.
    """
    if not is_of_one_place(path):
        raise node.error(f"names {path}: write the path of a single value, such as $.user.id or $.factors[0].sid")
    try:
        return at(document, steps(path))
    except LookupError:
        return None


def _state(node: Node) -> ProviderState:
    return ProviderState(node.get("name").a(str), node.get("params", {}).a(dict))


def _request(node: Node) -> ExampleRequest:
    headers = _headers(node)
    body, kind = _body(node, headers)
    _require_safe(node, headers)
    return ExampleRequest(
        method=node.get("method", "GET").a(str).upper(),
        path=node.get("path", "/").a(str),
        query={name: _query_values(values) for name, values in node.get("query", {}).members()},
        headers=headers,
        body=body or None,
        media_type=kind,
        generators=_generators(node.get("generators", {})),
    )


def _require_safe(node: Node, headers: Mapping[str, Sequence[str]]) -> None:
    """Refuse a request that could go to another server than the provider's.

    Raises:
        UnsafeContractError: It could. The message quotes no value.
    """
    method, path = node.get("method", "GET"), node.get("path", "/")
    if (fault := fault_of_method(method.a(str).upper())) is not None:
        raise method.unsafe(fault)
    if (fault := path_fault(path.a(str))) is not None:
        raise path.unsafe(f"{fault}: write a path of the provider's API, such as /v1/users")
    generated = node.get("generators", {}).get("header", {}).a(dict)
    for name, values in {**dict.fromkeys(generated, ()), **headers}.items():
        if (fault := fault_of_header(name, values)) is not None:
            place = node.get("headers", {}) if name in headers else node.get("generators").get("header")
            raise place.get(name).unsafe(fault)


def _query_values(node: Node) -> tuple[str | None, ...]:
    values = node.items() if type(node.value) is list else (node,)
    return tuple(None if value.value is None else value.a(str) for value in values)


def _generators(node: Node) -> dict[str, dict[str, StateGenerator]]:
    """Return the ``ProviderState`` generators by category; the path's has the name ``""``."""
    by_category = {category: list(member.members()) for category, member in node.members() if category != "path"}
    by_category["path"] = [("", node.get("path", {}))]
    return {
        category: {
            name: StateGenerator(generator.get("expression").a(str), generator.get("dataType", "").a(str))
            for name, generator in generators
            if generator.get("type").value == "ProviderState"
        }
        for category, generators in by_category.items()
    }


def _response(node: Node) -> ExpectedResponse:
    headers = _headers(node)
    body, kind = _body(node, headers)
    status = node.get("status", 200)
    if not 100 <= status.a(int) <= 599:
        raise status.error("is not an HTTP status")
    by_category = node.get("matchingRules", {})
    header_rules = rules.category(by_category.get("header", {}))
    return ExpectedResponse(
        status=status.value,
        headers=headers,
        body=None if body is None else _text(body, node),
        media_type=kind,
        status_rule=_status_rule(by_category.get("status", {})),
        header_rules={_header_of(name): rule for name, rule in header_rules.items()},
        body_rules=rules.category(by_category.get("body", {})),
        where=node.where,
    )


def _header_of(path: str) -> str:
    """Return the header of a rule, in lower case: ``Location``, ``$.Location`` or ``$['Location']``.

    A rule with an index applies to no header, and Pact's core ignores it.
    """
    found = steps(path) if path.startswith(("$.", "$[")) else []
    return str(found[0] if len(found) == 1 else path).lower()


def _status_rule(node: Node) -> dict[str, Any] | None:
    # pact-python writes {"$": rule}, others only the rule.
    if not node.a(dict):
        return None
    return rules.rule(node if "matchers" in node.value else next(member for _, member in node.members()))


def _text(body: bytes, response: Node) -> str:
    """Return the expected body as text for the core."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise response.error("has a binary body: only text can be checked") from None
    if "\0" in text:
        raise response.error("has a body with a NUL character: only text can be checked")
    if '"pact:matcher:type"' in text:  # The core would read it as a matching rule.
        raise response.error("has a matcher inside its body: write it again with the Pact library")
    return text


def _headers(node: Node) -> dict[str, tuple[str, ...]]:
    return {name: _header_values(name, values) for name, values in node.get("headers", {}).members()}


def _header_values(name: str, node: Node) -> tuple[str, ...]:
    if type(node.value) is not list:
        return split(name.lower(), [node.a(str)])
    if not node.value:
        raise node.error("is empty: remove the header or give it a value")
    return tuple(value.a(str) for value in node.items())


def _body(node: Node, headers: dict[str, tuple[str, ...]]) -> tuple[bytes | None, MediaType | None]:
    """Return the body and its type; None if the pact allows any body, empty if it allows none.

    This follows pact_models (``body_from_json`` in v4/http_parts.rs).
    """
    if "body" not in node.a(dict):
        return None, None
    named = next((values[0] for name, values in headers.items() if name.lower() == "content-type"), "")
    body = node.get("body", {"content": None})
    if "content" not in body.a(dict):
        raise body.error('has no "content", which a pact of version 4 needs: write it again with the Pact library')
    content = body.value["content"]
    if content is None or content == "":
        return b"", media_type.parse(named)
    kind = media_type.parse(body.get("contentType", named).a(str))
    if body.value.get("encoded") == "base64":
        try:
            data = base64.b64decode(body.get("content").a(str), validate=True)
        except ValueError:
            raise body.error("is marked as base64, but is not base64") from None
    elif isinstance(content, str) and (body.value.get("encoded") or kind is None or not kind.is_json):
        data = content.encode()
    else:
        data = json.dumps(content, ensure_ascii=False).encode()
    return data, kind or media_type.detect(data.decode("utf-8", "replace"))
