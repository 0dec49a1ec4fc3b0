"""When two behaviours are the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.contract_strength import AnswerChange, Behaviour, ChangeOperator
from mfagate.core.foreign import ForeignText
from mfagate.fail_closed import ProviderAnswer
from mfagate.fail_closed.call_runner import CallOutcome
from mfagate.fail_closed.loopback import Asked

TEXTS = st.text(min_size=1, max_size=6)


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Begun:
    user: str
    transaction: Any


def did(returned: Any = None, *asked: Asked) -> Behaviour:
    return Behaviour.of(CallOutcome(returned=returned), list(asked))


def change(
    before: Any = None, after: Any = None, operator: ChangeOperator = ChangeOperator.OTHER_VALUE
) -> AnswerChange:
    return AnswerChange(operator, "$.x", "", ProviderAnswer(200), before, after)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (1, "1"),
        (None, "None"),
        (None, False),
        ([], {}),
        (["a"], {"a"}),
        (Colour.RED, Colour.BLUE),
        (Colour.RED, "RED"),
        (b"a", b"b"),
        (ForeignText("a"), ForeignText("b")),
        (Begun("alice", "1"), Begun("alice", "2")),
        (Begun("alice", "1"), {"user": "alice", "transaction": "1"}),
        ({"a": 1}, {"a": 1, "b": 2}),
        (["a", "b"], ["b", "a"]),
    ],
)
def test_values_that_callers_tell_apart(one: Any, other: Any) -> None:
    assert did(one).is_same(did(one), change())
    assert not did(one).is_same(did(other), change())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Asked("GET", "/a", b""), Asked("POST", "/a", b"")),
        (Asked("GET", "/a", b""), Asked("GET", "/b", b"")),
        (Asked("GET", "/a?x=1", b""), Asked("GET", "/a?x=2", b"")),
        (Asked("POST", "/a", b"x=1"), Asked("POST", "/a", b"x=2")),
        (Asked("POST", "/a", b'{"x": 1}'), Asked("POST", "/a", b'{"x": "1"}')),
        (Asked("POST", "/a", b""), Asked("POST", "/a", b"x=")),
    ],
)
def test_requests_are_compared_by_method_path_query_and_body(one: Asked, other: Asked) -> None:
    assert did(None, one).is_same(did(None, one), change())
    assert not did(None, one).is_same(did(None, other), change())
    assert not did(None, one).is_same(did(None), change())
    assert not did(None, one).is_same(did(None, one, one), change())


@given(before=TEXTS, after=TEXTS, around=TEXTS)
def test_a_text_that_is_handed_on_verbatim_is_the_same(before: str, after: str, around: str) -> None:
    mine, theirs = Begun("alice", f"{around} {before}"), Begun("alice", f"{around} {after}")
    assert did(mine).is_same(did(theirs), change(before, after))
    assert did([before]).is_same(did([after]), change(before, after))


@given(before=TEXTS, after=TEXTS, returned=TEXTS)
def test_any_other_text_is_a_difference(before: str, after: str, returned: str) -> None:
    same = did(before).is_same(did(returned), change(before, after))
    assert same is (returned in (before, after))


@given(before=st.integers() | st.floats(allow_nan=False), after=st.integers() | st.floats(allow_nan=False))
def test_a_number_that_is_handed_on_is_the_same(before: float, after: float) -> None:
    assert did({"seconds": before}).is_same(did({"seconds": after}), change(before, after))
    assert not did({"seconds": before}).is_same(did({"seconds": str(after)}), change(before, after))


@pytest.mark.parametrize(("before", "after"), [("a", ""), ("a", None), ("a", 1), ("1", 1), (1, True), (None, "a")])
def test_what_is_empty_or_of_another_type_is_never_handed_on(before: Any, after: Any) -> None:
    assert not did(before).is_same(did(after), change(before, after))


def test_a_link_is_followed_by_its_path() -> None:
    before, after = "https://acme.okta.com/poll/1", "https://acme.okta.com/poll/2"
    mine, theirs = did(None, Asked("GET", "/poll/1", b"")), did(None, Asked("GET", "/poll/2", b""))
    assert mine.is_same(theirs, change(before, after))
    assert not mine.is_same(theirs, change("https://acme.okta.com/poll/3", after))


def test_a_set_hands_on_what_was_added_to_a_list() -> None:
    added = change([{"kind": "push"}], [{"kind": "push"}, {"kind": "other"}], ChangeOperator.MORE)
    assert did({"push"}).is_same(did({"push", "other"}), added)
    assert not did({"push"}).is_same(did({"push", "third"}), added)
    assert not did({"push"}).is_same(did({"other"}), added)
    assert not did({"push"}).is_same(did({"push", "other"}), change("push", "other"))


def test_what_a_class_of_another_holds_is_not_looked_at() -> None:
    assert did(object()).is_same(did(object()), change())
    assert not did(object()).is_same(did(None), change())
