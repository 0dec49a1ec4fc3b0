"""The request of an interaction, filled with the values of its provider states."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from mfagate.contract.errors import StateValueError, UnsafeValueError
from mfagate.contract.media_type import MediaType
from mfagate.contract.path import steps
from mfagate.contract.safety import fault_of_header
from mfagate.core.origins import path_fault

if TYPE_CHECKING:
    import requests

PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
_DATA_TYPES = {"STRING": str, "INTEGER": int, "FLOAT": float, "DECIMAL": float, "BOOLEAN": bool}
# What a path may contain besides letters, digits and escapes; "?" and "#" would end it.
_PATH_SAFE = "/:@!$&'()*+,;=~%"


@dataclass(frozen=True, slots=True)
class StateGenerator:
    """A ``ProviderState`` generator: ``expression`` is like ``/tx/${txid}``, or a bare name.

    https://github.com/pact-foundation/pact-specification/tree/version-4#supported-generators
    """

    expression: str
    data_type: str = ""

    def text(self, values: Mapping[str, str]) -> str:
        """Return the expression with the ``values`` inserted.

        Raises:
            StateValueError: One of them is missing.
        """
        if "${" not in self.expression:
            return _look_up(self.expression, values)
        return PLACEHOLDER.sub(lambda name: _look_up(name[1], values), self.expression)

    def used(self, values: Mapping[str, str]) -> list[str]:
        """Return the values that the expression uses."""
        names = PLACEHOLDER.findall(self.expression) or [self.expression]
        return [values[name] for name in names if name in values]

    def value(self, example: object, values: Mapping[str, str]) -> Any:
        """Return the text as a JSON value of the stated data type, or else of the example's type if possible.

        Raises:
            StateValueError: A value is missing, or is not of the data type.
        """
        text = self.text(values)
        stated = _DATA_TYPES.get(self.data_type)
        wanted = stated or type(example)
        if wanted not in (int, float, bool):
            return text
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if type(value) is wanted or (wanted is float and type(value) is int):
            return value
        if stated is not None:
            raise StateValueError(self.expression, f"must be of type {self.data_type}")
        return text


@dataclass(frozen=True, slots=True)
class ExampleRequest:
    """A request of the pact: example values, and generators for some of them.

    ``generators`` maps ``query``, ``header`` and ``body`` to their generators by name or path, and ``path`` to its
    generator with the key ``""``. Generators of other types (``RandomInt``, ``Uuid``, ``DateTime`` ...) are dropped, so
    the example is sent.
    """

    method: str = "GET"
    path: str = "/"
    query: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: bytes | None = None
    media_type: MediaType | None = None
    generators: Mapping[str, Mapping[str, StateGenerator]] = field(default_factory=dict)

    def without_states(self) -> ExampleRequest:
        """Return the request without generators."""
        return replace(self, generators={})

    def build(self, values: Mapping[str, str]) -> requests.Request:
        """Return the request to send; its URL is path and query, without scheme and host.

        As in Pact, a generator adds a header or query parameter that the example lacks, but no field of a body.

        Raises:
            StateValueError: A generator needs a value that is missing or of the wrong type.
            UnsafeValueError: With the values, the request could go to another server.
        """
        import requests
        from requests.structures import CaseInsensitiveDict

        path = self._path(values)
        query = "&".join(self._query(values))
        headers = CaseInsensitiveDict({name: ", ".join(example) for name, example in self.headers.items()})
        for name, generator in self.generators.get("header", {}).items():
            headers[name] = generator.text(values)
            if (fault := fault_of_header(name, [headers[name]])) is not None:
                raise UnsafeValueError(generator.expression, fault, ("generators", "header", name))
        return requests.Request(
            self.method, f"{path}?{query}" if query else path, headers=headers, data=self._body(values)
        )

    def _path(self, values: Mapping[str, str]) -> str:
        generator = self.generators.get("path", {}).get("")
        if generator is None:
            return quote(self.path, safe=_PATH_SAFE)
        path = quote(generator.text(values), safe=_PATH_SAFE)
        if (fault := path_fault(path)) is not None:
            raise UnsafeValueError(
                generator.expression, f"makes a path that {fault}", ("generators", "path"), generator.used(values)
            )
        return path

    def _query(self, values: Mapping[str, str]) -> Iterator[str]:
        generators = self.generators.get("query", {})
        # Sorted, as in Pact.
        for name, examples in sorted({**dict.fromkeys(generators, ("",)), **self.query}.items()):
            for example in examples:
                value = generators[name].text(values) if name in generators else example
                # As in Pact, a space becomes "+", and null is a name without "=".
                yield urlencode({name: value}) if value is not None else quote(name)

    def _body(self, values: Mapping[str, str]) -> bytes | None:
        generators = self.generators.get("body", {})
        if not generators or self.body is None or self.media_type is None:
            return self.body
        if self.media_type.is_json:
            document = [json.loads(self.body)]
            for path, generator in generators.items():
                _put(document, [0, *steps(path)], partial(generator.value, values=values))
            return json.dumps(document[0], ensure_ascii=False).encode()
        return self._form(generators, values) if self.media_type.is_form else self.body

    def _form(self, generators: Mapping[str, StateGenerator], values: Mapping[str, str]) -> bytes:
        """Return the form with its fields filled in: ``$.name`` is the first of that name, ``$.name[1]`` the second.

        This follows Pact's core: pact_models/src/generators/form_urlencoded.rs.
        """
        by_steps = {tuple(steps(path)): generator for path, generator in generators.items()}
        fields: list[tuple[str, str]] = []
        for name, example in parse_qsl((self.body or b"").decode(), keep_blank_values=True):
            index = sum(1 for earlier, _ in fields if earlier == name)
            generator = by_steps.get((name, index)) or (by_steps.get((name,)) if index == 0 else None)
            fields.append((name, generator.text(values) if generator else example))
        return urlencode(fields).encode()


def _look_up(name: str, values: Mapping[str, str]) -> str:
    try:
        value = values[name]
        value.encode()
    except KeyError:
        raise StateValueError(name, "is missing: no provider state provides it") from None
    except UnicodeEncodeError:
        raise StateValueError(name, "contains half a surrogate pair, which cannot be sent") from None
    return value


def _put(node: Any, steps: Sequence[str | int], change: Callable[[object], object]) -> None:
    """Apply ``change`` to every value at ``steps`` in ``node``."""
    step, *rest = steps
    if not isinstance(node, dict | list):
        return
    keys: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node)))
    for key in keys if step == "*" else [key for key in keys if key == step]:
        if rest:
            _put(node[key], rest, change)
        else:
            node[key] = change(node[key])
