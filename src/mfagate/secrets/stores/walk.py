"""Follow a path through a document to one value.

Items of lists are addressed by number. Items that contain a name are also addressed by that name:
``KEY=value`` (``environment`` of Docker Compose, ``literals`` of kustomize), and tables with ``name`` and ``value``
(environments of Kubernetes and of ECS, application settings of Azure).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from mfagate.core.finding import some
from mfagate.core.foreign import quoted
from mfagate.secrets.stores.lines import is_index
from mfagate.secrets.stores.manifests import Maker

_LONGEST_NAME = 60
_MOST_STEPS = 12
"""Longer paths are not searched for keys that contain dots."""

_ASSIGNMENT = re.compile(r"([A-Za-z_][\w.-]*)(?:=(.*))?", re.DOTALL)
_ASSIGNED = re.compile(r"=[^=]")
_PLAIN_NAME = re.compile(r"[A-Z_][A-Z0-9_]*|[a-z]+(?:[-_.][a-z0-9]+)*")
"""Other texts in a list may be values: a token in base64 ends with ``=``."""
_NAMES = ("name", "Name", "key", "Key", "label")
_VALUES = ("value", "Value")


class Missing(Exception):
    """There is no value at the path. The message completes "REFERENCE: …" and names keys, never values.

    Args:
        message: The reason.
        instead: The path that was probably meant.
        reference: The whole reference to write instead, if it has another scheme.
        inside: Names, one of which must be added to the path.
        step: What to do, if no other reference to this file helps.
    """

    def __init__(
        self,
        message: str,
        *,
        instead: Sequence[str] = (),
        reference: str | None = None,
        inside: Sequence[str] = (),
        step: str | None = None,
    ) -> None:
        super().__init__(message)
        self.instead = instead
        self.reference = reference
        self.inside = inside
        self.step = step


@dataclass(frozen=True, slots=True)
class Tagged:
    """A YAML value with a tag of another program, such as ``!vault`` or ``!Ref``."""

    tag: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """An expression that another program evaluates."""


def follow(document: Any, steps: Sequence[str]) -> tuple[Any, Sequence[str]]:
    """Return the scalar or JSON Web Key at a path, and the path as keys and numbers only.

    Raises:
        Missing: A step does not exist, or the path does not end at a scalar.
    """
    value = document
    walked: list[str] = []
    for number, step in enumerate(steps):
        if (made := _made_elsewhere(value, steps[number - 1] if number else "NAME")) is not None and step in value:
            raise Missing(f"{_dotted(steps[:number])} contains no value: {made.what}", step=made.step)
        inner = _enter(value, step)
        if inner is None:
            raise _missing(document, value, steps, number)
        named = isinstance(value, list) and not is_index(step, value)
        key, value = inner
        walked.append(key)
        if named and number + 1 == len(steps):
            inside, value = _value_of_item(value, step)
            walked += inside
    return _scalar(value, steps), walked


def _enter(value: Any, step: str) -> tuple[str, Any] | None:
    """Return the key or number of a step with its value, or None if there is none.

    Raises:
        Missing: Several items of a list have the name.
    """
    if isinstance(value, dict):
        key = _key(value, step)
        return None if key is None else (str(key), value[key])
    if not isinstance(value, list):
        return None
    if is_index(step, value):
        return step, value[int(step)]
    items = [(str(number), item) for number, item in enumerate(value) if _name(item) == step]
    if len(items) > 1:
        numbers = " and ".join(number for number, _ in items)
        name = quoted(step, _LONGEST_NAME)
        raise Missing(f"the list has {name!r} more than once (items {numbers}): write the number of one of them")
    return items[0] if items else None


def _key(table: dict[Any, Any], step: str) -> Any:
    """Return the key that the step names. YAML reads ``1:`` as a number."""
    return step if step in table else next((key for key in table if type(key) is int and str(key) == step), None)


def _name(item: Any) -> str | None:
    """Return the name that an item of a list contains."""
    if isinstance(item, str):
        assignment = _ASSIGNMENT.fullmatch(item)
        return assignment[1] if assignment else None
    if isinstance(item, dict):
        return next((name for key in _NAMES if isinstance(name := item.get(key), str)), None)
    return None


def _scalar(value: Any, steps: Sequence[str]) -> Any:
    if isinstance(value, Tagged):
        meaning, step = _TAGS.get(value.tag, _OTHER_TAG)
        raise Missing(f"{_dotted(steps)} has the tag {quoted(value.tag, _LONGEST_NAME)}: {meaning}", step=step)
    if isinstance(value, Unknown):
        message = f"{_dotted(steps)} is an expression, but only constants can be read here"
        raise Missing(message, step=_EXPRESSION.format(quoted(steps[-1], _LONGEST_NAME)))
    if isinstance(value, dict) and isinstance(value.get("kty"), str):
        return json.dumps(value)  # a JSON Web Key
    if value is None or isinstance(value, dict | list):
        message = f"{_dotted(steps)} is {_kind(value)}, not a value{_names_or_numbers(value)}"
        made = _made_elsewhere(value, steps[-1])
        inside = () if value is None or made else _names(value)
        if made:
            raise Missing(f"{message}; {made.what}", step=made.step)
        raise Missing(message, reference=_of_secret(value), inside=inside)
    return value


_RESULT = "point the reference at the result: env:NAME or file:PATH"
_TAGS = {
    "!vault": (
        "a ciphertext of Ansible Vault that has not been decrypted",
        f"Before the gate runs, write the value with a play or decrypt it with ansible-vault, and {_RESULT}.",
    )
}
_OTHER_TAG = (
    "another program computes its value",
    f"Run that program before the gate, as the deployment does, and {_RESULT}.",
)
_EXPRESSION = (
    "Point the reference at what the expression reads, or set the value in this job as the deployment does, and write "
    "env:NAME (Terraform itself reads a variable from env:TF_VAR_{})."
)


def _made_elsewhere(value: Any, name: str) -> Maker | None:
    """Return what provides the value, if a table says where another program takes it from.

    https://www.pulumi.com/docs/iac/concepts/secrets/, https://docs.travis-ci.com/user/encryption-keys/,
    https://learn.microsoft.com/azure/azure-resource-manager/templates/key-vault-parameter,
    https://docs.docker.com/reference/compose-file/secrets/, https://docs.gitlab.com/ci/yaml/#secrets,
    https://docs.drone.io/secret/, https://render.com/docs/blueprint-spec,
    https://devcenter.heroku.com/articles/app-json-schema#env
    """
    if not isinstance(value, dict) or "value" in value or "Value" in value:
        return None
    keys = set(value)
    if keys == {"secure"} and isinstance(value["secure"], str):
        return Maker(
            "Pulumi, Travis CI or AppVeyor encrypted it",
            f"Get it in the job with `pulumi config get NAME`, or use the variable that the CI service sets, and "
            f"{_RESULT}.",
        )
    if isinstance(reference := value.get("reference"), dict) and "keyVault" in reference and len(keys) == 1:
        return Maker(
            "Azure reads it from Key Vault when it deploys",
            f"Read it in the job with `az keyvault secret show`, and {_RESULT}.",
        )
    if keys <= {"file", "name"} and isinstance(file := value.get("file"), str):
        shown = quoted(file, 2 * _LONGEST_NAME)
        return Maker("Docker Compose reads it from a file", f"Point at that file: file:{shown}.")
    return _of_environment(value, keys, name)


_FROM_STORES = {
    "vault", "gcp_secret_manager", "azure_key_vault", "aws_secrets_manager", "akeyless", "gitlab_secrets_manager",
}  # fmt: skip
_OF_RENDER = {"sync", "generateValue", "fromDatabase", "fromService", "fromGroup"}
_OF_HEROKU = {"description", "required", "generator"}


def _of_environment(value: Mapping[Any, Any], keys: set[Any], name: str) -> Maker | None:
    """Return what sets the environment variable that a table describes."""
    if keys == {"from_secret"}:
        what = "Drone or Woodpecker takes it from its secrets"
    elif keys & _FROM_STORES and keys <= {*_FROM_STORES, "file", "token"}:
        what = "GitLab fetches it from a store of secrets"
    elif keys & _OF_RENDER and isinstance(value.get("key"), str):
        what = "Render sets it"
    elif keys and keys <= _OF_HEROKU:
        what = "Heroku sets it"
    elif set(value) == {"environment"} and isinstance(value["environment"], str):
        what, name = "Docker Compose reads it from a variable", value["environment"]
    else:
        return None
    shown = quoted(name, _LONGEST_NAME)
    return Maker(what, f"Set it in this job as it is set where the login service runs, and write env:{shown}.")


def _of_secret(value: Any) -> str | None:
    """Return the reference for a table that names a Kubernetes Secret and its key, as in values of charts.

    The values in the table are not quoted, because they may be secrets.
    """
    names = set(value) if isinstance(value, dict) else set()
    is_selector = names <= _SELECTOR and "key" in names and names & {"secret", "secretName"}
    return "k8s-secret:MANIFEST#NAME/KEY" if is_selector else None


_SELECTOR = {"secret", "secretName", "name", "key", "optional"}
"""https://docs.gitlab.com/charts/charts/globals/#duo-auth has such a table."""


def _value_of_item(item: Any, name: str) -> tuple[Sequence[str], Any]:
    """Return the value of a named item of a list, with its key."""
    return _named_value(item, name) if isinstance(item, dict) else ((), _assigned(item, name))


def _assigned(item: str, name: str) -> str:
    _, mark, value = item.partition("=")
    if not mark:
        raise Missing(f"{name} is listed without a value, so it comes from the environment", reference=f"env:{name}")
    return value


def _named_value(item: Mapping[str, Any], name: str) -> tuple[Sequence[str], Any]:
    """Return the value of ``{name: …, value: …}``. ``valueFrom`` refers to another place."""
    for key in _VALUES:
        if key in item:
            return (key,), item[key]
    source = item.get("valueFrom")
    if isinstance(source, dict) and isinstance(secret := source.get("secretKeyRef"), dict):
        path = f"{quoted(secret.get('name'), _LONGEST_NAME)}/{quoted(secret.get('key'), _LONGEST_NAME)}"
        raise Missing(f"{name} comes from a Secret of the cluster", reference=f"k8s-secret:MANIFEST#{path}")
    if source is not None:
        message = f"{name} has no value here: the platform sets it from another source (valueFrom) at the start"
        raise Missing(f"{message}; in a job that gets it, it is in the environment", reference=f"env:{name}")
    return (), item


def _missing(document: Any, value: Any, steps: Sequence[str], number: int) -> Missing:
    step, before = steps[number], _dotted(steps[:number])
    message = f"there is no {quoted(step, _LONGEST_NAME)!r} under {before or 'the top'}"
    if (joined := _joined(document, steps)) is not None:
        return Missing(f"{message}, but there is a key with the full name", instead=joined)
    if (apart := _apart(value, step)) is not None:
        return Missing(message, instead=[*steps[:number], *apart, *steps[number + 1 :]])
    if (deeper := _deeper(value, steps[number:])) is not None:
        return Missing(message + _names_or_numbers(value), instead=[*steps[:number], *deeper])
    if isinstance(value, str):
        return _in_text(message, before, value)
    near = _nearest(step, _names(value))
    if near is not None:
        hint = f"{message}; did you mean {quoted(near, _LONGEST_NAME)!r}?"
        return Missing(hint + _names_or_numbers(value), instead=[*steps[:number], near, *steps[number + 1 :]])
    return Missing(message + _names_or_numbers(value))


def _apart(value: Any, step: str) -> list[str] | None:
    """Return the steps that .NET joins with ``:`` or ``__``."""
    for separator in (":", "__"):
        parts = step.split(separator)
        inner = value
        for part in parts if len(parts) > 1 else ():
            inner = inner.get(part) if isinstance(inner, dict) else None
        if len(parts) > 1 and isinstance(inner, str):
            return parts
    return None


def _deeper(value: Any, steps: Sequence[str]) -> list[str] | None:
    """Return the path through the only inner table that has the rest, such as ``data.data`` of Vault."""
    found = [key for key, inner in value.items() if _leads_to_text(inner, steps)] if isinstance(value, dict) else []
    return [str(found[0]), *steps] if len(found) == 1 else None


def _leads_to_text(value: Any, steps: Sequence[str]) -> bool:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return isinstance(value, str)


def _in_text(message: str, before: str, value: str) -> Missing:
    """Return the error for a path into a text, which may be JSON, as in ``aws secretsmanager get-secret-value``."""
    if not value.lstrip().startswith(("{", "[")):
        return Missing(f"{message}, which is a value, not a table")
    last = before.rpartition(".")[2]
    return Missing(
        f"{message}, which is JSON in a text",
        step=f"Write that text to a separate file in the job (jq -r .{last} IN > OUT), and point at json:OUT#KEY.",
    )


def _nearest(step: str, names: Sequence[str]) -> str | None:
    same = [name for name in names if _folded(name) == _folded(step)]
    return next(iter(same or get_close_matches(step, names, n=1)), None)


def _folded(name: str) -> str:
    """Return the name for comparison: many programs treat ``orgUrl``, ``org_url`` and ``ORG-URL`` as one name."""
    return re.sub(r"[-_]", "", name).lower()


def _names(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [str(key) for key in value]
    names = (
        [_name(item) for item in value if not isinstance(item, str) or _ASSIGNED.search(item)]
        if isinstance(value, list)
        else []
    )
    return [name for name in names if name is not None and _PLAIN_NAME.fullmatch(name)]


def _names_or_numbers(value: Any) -> str:
    """Return the names in a table, or the numbers of the items of a list, which may be values themselves."""
    names = [quoted(name, _LONGEST_NAME) for name in _names(value)]
    if names:
        return f"; it has {some(names)}"
    return f"; its items are 0 to {len(value) - 1}" if isinstance(value, list) and value else ""


def _joined(document: Any, steps: Sequence[str]) -> Sequence[str] | None:
    """Return the path with steps joined, if the document has such a key: ``okta.token``, ``Okta:Token``."""
    if len(steps) > _MOST_STEPS:
        return None
    return next(_paths(document, steps, lambda key, parts: key in (sep.join(parts) for sep in (".", ":", "__"))), None)


def _paths(value: Any, steps: Sequence[str], fits: Callable[[str, Sequence[str]], bool]) -> Iterator[list[str]]:
    if not steps:
        if not isinstance(value, dict | list):
            yield []
        return
    if isinstance(value, dict):
        for length in range(1, len(steps) + 1):
            for key in [str(key) for key in value if fits(str(key), steps[:length])]:
                yield from ([key, *rest] for rest in _paths(value.get(key), steps[length:], fits))


def _dotted(steps: Sequence[str]) -> str:
    return quoted(".".join(steps), 2 * _LONGEST_NAME)


def _kind(value: Any) -> str:
    return "a table" if isinstance(value, dict) else "a list" if isinstance(value, list) else "null"
