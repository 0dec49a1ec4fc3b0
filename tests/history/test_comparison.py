"""The words of a comparison, and when there is none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.result import Check
from mfagate.history.comparison import LABEL, Comparison
from mfagate.history.prior_runs import LastPass

from .runs import integration, problem

NOW = {"host": "a", "secret_key": "b", "expect.tenant": "c", "control.secret_key": "d"}
COMMIT = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
WHEN = "the last run that passed (2026-11-29, commit 1a2b3c4)"
RED = Outcome.FAIL
TODAY = Comparison(date(2026, 11, 30), "key")


def last(key: str | None = "key", commit: str | None = COMMIT, **prints: str) -> LastPass:
    changed = {name.replace("__", "."): value for name, value in prints.items()}
    return LastPass(None, datetime(2026, 11, 29, 7, 5, tzinfo=UTC), commit, key, {**NOW, **changed})


def compared(check: Check, then: LastPass, comparison: Comparison = TODAY, now: Mapping[str, str] = NOW) -> str | None:
    report = integration("duo", [check]).model_copy(update={"fingerprints": dict(now)})
    (seen,) = comparison.added(report, lambda name: then).checks
    if LABEL not in seen.evidence:
        return None
    assert next(iter(seen.evidence)) == LABEL
    assert {name: value for name, value in seen.evidence.items() if name != LABEL} == check.evidence
    return str(seen.evidence[LABEL])


def found(cause: CauseId, **evidence: Any) -> Check:
    return problem(cause, "credential.accepted", outcome=RED, **evidence)


SECRET = {"setting": "duo.eu.settings.secret_key"}


@pytest.mark.parametrize(
    ("cause", "evidence", "then", "text"),
    [
        (CauseId.CREDENTIAL_REJECTED, SECRET, last(secret_key="x"), f"this value was different in {WHEN}"),
        (
            CauseId.CREDENTIAL_REJECTED,
            SECRET,
            last(),
            f"the same value as in {WHEN}: the change was made at the provider",
        ),
        (CauseId.CREDENTIAL_REJECTED, SECRET, last(host="x"), f"the same value as in {WHEN}, but host differed"),
        (
            CauseId.CREDENTIAL_REJECTED,
            SECRET,
            last(host="x", secret_key="x"),
            f"this value was different in {WHEN}; host differed, too",
        ),
        (CauseId.CREDENTIAL_EXPIRED, SECRET, last(), f"the same value as in {WHEN}: it has expired since"),
        (
            CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
            {},
            last(),
            f"the same values as in {WHEN}: the change was made at the provider",
        ),
        (
            CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
            {},
            last(secret_key="x", host="y"),
            f"host, secret_key differed in {WHEN}",
        ),
        (CauseId.CREDENTIAL_REJECTED, SECRET, last(expect__tenant="x", control__secret_key="x"), None),
        (CauseId.CREDENTIAL_WRONG_ACCOUNT, {}, last(expect__tenant="x"), f"expect.tenant differed in {WHEN}"),
        (
            CauseId.PROVIDER_AUTH_OUTAGE,
            SECRET,
            last(control__secret_key="x"),
            f"the same value as in {WHEN}, but control.secret_key differed",
        ),
        (
            CauseId.CONFIG_MALFORMED_VALUE,
            {"setting": "duo.control.secret_key"},
            last(control__secret_key="x", host="x"),
            f"this value was different in {WHEN}",
        ),
        (CauseId.CONFIG_MALFORMED_VALUE, SECRET, last(host="x"), f"the same value as in {WHEN}"),
    ],
)
def test_the_words(cause: CauseId, evidence: dict[str, Any], then: LastPass, text: str | None) -> None:
    expected = text or f"the same value as in {WHEN}: the change was made at the provider"
    assert compared(found(cause, **evidence, more=1), then) == expected


def test_a_run_today_has_a_time_and_an_unknown_commit_is_left_out() -> None:
    today = Comparison(date(2026, 11, 29), "key")
    comparison = compared(found(CauseId.CREDENTIAL_REJECTED, **SECRET), last(secret_key="x", commit=None), today)
    assert comparison == "this value was different in the last run that passed (2026-11-29 07:05 UTC)"
    dirty = compared(found(CauseId.CREDENTIAL_REJECTED), last(secret_key="x", commit=f"{COMMIT}-dirty"))
    assert dirty is not None
    assert dirty.endswith("(2026-11-29, commit 1a2b3c4-dirty)")


@pytest.mark.parametrize(
    ("comparison", "then", "words"),
    [
        (TODAY, LastPass("there is none"), "there is none"),
        (TODAY, last(key=None), f"{WHEN} stored no fingerprints"),
        (TODAY, last(key="other"), f"{WHEN} used another fingerprint key (other, now key)"),
        (Comparison(date(2026, 11, 30), None), last(), "set MFAGATE_FINGERPRINT_KEY"),
        (Comparison(date(2026, 11, 30), None, "it is lost"), last(), "it is lost"),
    ],
)
def test_only_credentials_explain_why_there_is_no_comparison(
    comparison: Comparison, then: LastPass, words: str
) -> None:
    text = compared(found(CauseId.CREDENTIAL_UNKNOWN_KEY, **SECRET), then, comparison)
    assert text is not None
    assert text.startswith(words)
    assert compared(found(CauseId.CONFIG_STRAY_CHARACTERS, **SECRET), then, comparison) is None


def test_other_problems_have_no_comparison_and_read_no_history() -> None:
    report = integration("duo", [found(CauseId.PROVIDER_OUTAGE), found(CauseId.CONTRACT_FIELD_MISSING)])
    report = report.model_copy(update={"fingerprints": NOW})
    assert TODAY.added(report, lambda name: pytest.fail("nothing needs the history")) is report


def test_a_sandbox_and_a_drill_are_not_compared() -> None:
    rejected = found(CauseId.CREDENTIAL_REJECTED)
    report = integration("duo", [rejected])
    assert TODAY.added(report, lambda name: last()) is report
    drill = report.model_copy(update={"fingerprints": NOW, "faults": ["credential-revoked"]})
    assert TODAY.added(drill, lambda name: last()) is drill


prints = st.dictionaries(st.sampled_from([*NOW, "new", "endpoint"]), st.sampled_from("xyz"))


@given(st.sampled_from(list(CauseId)), prints, prints, st.sampled_from([None, *NOW]))
def test_a_value_is_called_different_only_if_it_was(
    cause: CauseId, now: dict[str, str], then: dict[str, str], setting: str | None
) -> None:
    evidence = {"setting": f"duo.settings.{setting}"} if setting and "." not in setting else {}
    run = LastPass(None, datetime(2026, 11, 29, tzinfo=UTC), None, "key", then)
    text = compared(found(cause, **evidence), run, now=now)
    if text is None or text.startswith("not compared") or "did not read" in text:
        return
    own = setting if evidence and setting in now else None
    if text.startswith("this value was different"):
        assert own is not None
        assert now[own] != then[own]
    if "the same value as" in text:
        assert own is not None
        assert now[own] == then[own]
    if "the change was made at the provider" in text:
        relevant = {name for name in {*now, *then} if "." not in name}
        assert {name: now.get(name) for name in relevant} == {name: then.get(name) for name in relevant}
