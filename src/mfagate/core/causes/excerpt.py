"""Reduce a cause page to what concerns the reader's providers and integration.

Two things are left out: what a nested list says about another provider, and commands that call another one. Steps
keep their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_NAMES = {
    "auth0": ("Auth0",),
    "cognito": ("Cognito",),
    "duo": ("Duo",),
    "entra": ("Entra ID", "Microsoft Graph", "Graph"),
    "okta": ("Okta",),
    "privacyidea": ("privacyIDEA",),
    "twilio": ("Twilio",),
    "vonage": ("Vonage",),
}
"""The names of a provider at the beginning of a sentence."""

_IN_COMMANDS = {
    "auth0": re.compile("auth0"),
    "cognito": re.compile("cognito"),
    "duo": re.compile("duosecurity"),
    "entra": re.compile(r"microsoft|\baz ad\b"),
    "okta": re.compile("okta"),
    "privacyidea": re.compile(r"privacyidea|validate/check|healthz|PI_KEY"),
    "twilio": re.compile("twilio"),
}
"""The mark of a command that calls a provider."""

_ANY = "|".join(name for names in _NAMES.values() for name in names)
_SUBJECTS = re.compile(rf"(?:{_ANY})\b(?:(?:, | and | or )(?:{_ANY})\b)*")
_SENTENCE = re.compile(r"(?<=[.?!]) (?=\S)")
_ITEM = re.compile(r" +- ")
_FENCE = re.compile(r"(?<![^\n])```\n")
_NEXT_COMMAND = re.compile(r"(?<=[^\\]\n)(?!  )")


def concerning(text: str, providers: Collection[str]) -> str:
    """Return the page without what concerns other providers only."""
    parts: list[str] = _FENCE.split(text)
    parts[::2] = [_prose(part, providers) for part in parts[::2]]
    parts[1::2] = [_commands(part, providers) for part in parts[1::2]]
    return "```\n".join(parts)


def named(text: str, integration: str, provider: str) -> str:
    """Return the page with the names of one integration and its provider in place of the examples."""
    text = re.sub(r"(--integration|\bintegrations\.)( ?)NAME\b", rf"\1\2{integration}", text)
    text = re.sub(r"\bsandbox PROVIDER\b", f"sandbox {provider}", text)
    return re.sub(r"\b(contracts|cassettes)/(?:duo|NAME)\b(/auth-service-duo)?", _Paths(provider), text)


class _Paths:
    """Put the provider into a path of an example."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def __call__(self, found: re.Match[str]) -> str:
        file = f"/auth-service-{self._provider}" if found[2] else ""
        return f"{found[1]}/{self._provider}{file}"


def _prose(text: str, providers: Collection[str]) -> str:
    return "".join(_items(text.splitlines(keepends=True), providers))


def _items(lines: list[str], providers: Collection[str]) -> Iterator[str]:
    """Yield lines; treat the lines of a nested item together."""
    item: list[str] = []
    for line in lines:
        if item and _ITEM.match(line) is None and line.startswith(" " * (len(item[0]) - len(item[0].lstrip()) + 2)):
            item.append(line)
            continue
        yield from _kept(item, providers)
        item = [line] if _ITEM.match(line) else []
        if not item:
            yield line
    yield from _kept(item, providers)


def _kept(item: list[str], providers: Collection[str]) -> Iterator[str]:
    """Yield the item with the sentences that concern the providers; keep it unchanged if all do."""
    if not item:
        return
    mark = item[0][: len(item[0]) - len(item[0].lstrip())] + "- "
    sentences = _SENTENCE.split(" ".join(line.strip() for line in item).removeprefix("- "))
    kept, concerns = [], True
    for sentence in sentences:
        subjects = _SUBJECTS.match(sentence)
        if subjects is not None:
            concerns = bool(_owners(subjects[0]) & set(providers))
        kept += [sentence] if concerns else []
    if len(kept) == len(sentences):
        yield from item
    elif kept:
        yield from _wrapped(f"{mark}{' '.join(kept)}", len(mark))


def _owners(subjects: str) -> set[str]:
    said = set(re.split(", | and | or ", subjects))
    return {key for key, names in _NAMES.items() if said & set(names)}


def _wrapped(text: str, indent: int) -> Iterator[str]:
    from textwrap import wrap

    for line in wrap(text, 98, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False):
        yield f"{line}\n"


def _commands(block: str, providers: Collection[str]) -> str:
    """Return the commands that call no provider or one of these; all, marked as examples, if none is left."""
    commands = _NEXT_COMMAND.split(block)
    kept = [command for command in commands if not (asked := _asked(command)) or asked & set(providers)]
    return "".join(kept) or f"# Examples for other providers:\n{block}"


def _asked(command: str) -> set[str]:
    return {name for name, pattern in _IN_COMMANDS.items() if pattern.search(command)}
