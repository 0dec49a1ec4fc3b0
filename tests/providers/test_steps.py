"""The next step of each meaning says who does what, and where."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from mfagate.core.causes import CauseId, load
from mfagate.providers import registry
from mfagate.providers.auth0.errors import BY_SENTENCE
from mfagate.providers.errors import ErrorMeaning
from mfagate.providers.okta.errors import BY_DESCRIPTION
from mfagate.providers.privacyidea.errors import HIDDEN_STATUS, MASKED_LOGIN, MASKED_REFUSAL, POLICY_MESSAGES

NEEDS_ITS_OWN = {
    CauseId.ACCOUNT_QUOTA_EXHAUSTED,
    CauseId.CONFIG_MALFORMED_VALUE,
    CauseId.CONFIG_SETTING_MISSING,
    CauseId.CONFIG_WRONG_KIND,
    CauseId.CONTRACT_STATUS_CHANGED,
    CauseId.CREDENTIAL_EXPIRED,
    CauseId.CREDENTIAL_REVOKED,
    CauseId.CREDENTIAL_WRONG_KIND,
    CauseId.CREDENTIAL_WRONG_REGION,
}
"""Causes whose own step is about a value or a new credential, and helps with no code of a provider."""


def meanings() -> Iterator[tuple[str, ErrorMeaning]]:
    for name in registry.names():
        for code, meaning in sorted(registry.get(name).dialect.meanings.items(), key=lambda item: str(item[0])):
            yield f"{name} {code}", meaning
    for code, parts in BY_DESCRIPTION.items():
        yield from ((f"okta {code} {part}", meaning) for part, meaning in parts.items())
    yield from ((f"auth0 {sentence}", meaning) for (_, sentence), meaning in BY_SENTENCE.items())
    yield from ((f"privacyidea {part}", meaning) for part, meaning in POLICY_MESSAGES.items())
    yield from ((f"privacyidea {one.text}", one) for one in (MASKED_REFUSAL, MASKED_LOGIN, HIDDEN_STATUS))


ALL = [pytest.param(meaning, id=name) for name, meaning in meanings()]
FEWEST_WORDS = 7
BY_HAND = re.compile(
    r"(compare|look|ask|open|set|put|use|let|add|find|leave|give|verify|make|do "
    r"not|request|switch|correct|delete|run|read"
    r"|start|cancel|take|upgrade|name|set up|wait until|read in|issue|top up)\b|[A-Z][\w. ]+ > ",
    re.IGNORECASE,
)


@pytest.mark.parametrize("meaning", ALL)
def test_a_step_can_be_taken(meaning: ErrorMeaning) -> None:
    step = meaning.next_step or load(meaning.cause).next_step
    assert len(step.split()) >= FEWEST_WORDS, step
    assert not re.match(r"(wait|see|look)\b[^.:]{0,3}[.,]", step, re.IGNORECASE), step
    assert BY_HAND.search(step), step
    assert step.rstrip().endswith((".", ")")), step


@pytest.mark.parametrize(
    "meaning", [pytest.param(one, id=name) for name, one in meanings() if one.cause in NEEDS_ITS_OWN]
)
def test_a_code_whose_cause_cannot_say_what_to_do_has_a_step_of_its_own(meaning: ErrorMeaning) -> None:
    assert meaning.next_step, f"{meaning.text} ({meaning.cause})"
