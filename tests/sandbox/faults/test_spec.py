"""Faults as they are written on a command line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.sandbox.faults import FAULTS, BadFault, Fault
from mfagate.sandbox.faults.spec import Trigger

ARGUMENTS = {
    "status": "503",
    "html": "200",
    "value": "a.b=[1]",
    "reworded": "a=b",
    "content-type": "text/html",
    "added": "x",
}


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    kind = draw(st.sampled_from(sorted(FAULTS)))
    argument = ""
    if FAULTS[kind].argument is not None:
        argument = ARGUMENTS.get(kind) or ("5" if "seconds" in str(FAULTS[kind].argument) else "7")
    modifiers: dict[str, st.SearchStrategy[Any]] = {
        "path": st.none() | st.from_regex(r"/[a-z0-9/._-]{0,20}", fullmatch=True),
        "rate": st.just(1.0) | st.integers(1, 99).map(lambda percent: percent / 100),
        "after": st.integers(0, 50),
        "times": st.none() | st.integers(0, 9),
        "jitter": st.integers(0, 1000).map(float),
        "loss": st.integers(0, 50).map(float),
        "bandwidth": st.none() | st.integers(1, 1000).map(float),
    }
    return Fault(FAULTS[kind], argument, **{name: draw(modifiers[name]) for name in FAULTS[kind].modifiers})


@given(fault=faults())
def test_what_is_written_is_read(fault: Fault) -> None:
    assert Fault.parse(str(fault)) == fault


@given(text=st.text(max_size=30))
def test_anything_else_is_an_error_that_says_what_to_write(text: str) -> None:
    try:
        fault = Fault.parse(text)
    except BadFault as error:
        assert str(error)
    else:
        assert fault.kind.name in FAULTS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rest", "did you mean 'reset'?"),
        ("refuse:1", "refuse takes no argument"),
        ("removed", "removed needs an argument (FIELD: its dotted path"),
        ("status:abc", "expected a status from 200 to 599"),
        ("status:99", "expected a status from 200 to 599"),
        ("slow:long", "expected a number of seconds from 0 to 86400"),
        ("slow:-1", "expected a number of seconds from 0 to 86400"),
        ("slow-connect:1e300", "expected a number of seconds from 0 to 86400"),
        ("slow-body:nan", "expected a number of seconds from 0 to 86400"),
        ("unavailable:0.5", "expected a whole number of seconds from 0 to 86400"),
        ("clock:1e18", "expected a number of seconds from -315360000 to 315360000"),
        ("tls-expiring:-100", "expected a number of days from 0 to 3650"),
        ("tls-expiring:1e9", "expected a number of days from 0 to 3650"),
        ("content-type:text/€", "expected a media type in ASCII"),
        ("value:x", "write FIELD=VALUE"),
        ("reworded:x", "write WORD=OTHER"),
        ("stall,rate=2", "expected a number above 0 and up to 1"),
        ("stall,rate=nan", "expected a number above 0 and up to 1"),
        ("stall,after=-1", "expected 0 or more"),
        ("stall,after=x", "expected a number"),
        ("stall,path=x", "a path starts with /"),
        ("refuse,rate=0.5", "refuse lasts until it is removed: remove rate=0.5"),
        ("tls-expired,times=1", "tls-expired lasts until it is removed: remove times=1"),
        ("reset,path=/x", "reset takes only rate, after, times: remove path=/x"),
        ("stall,when=now", "is not one of path, rate, after, times"),
    ],
)
def test_slips(text: str, words: str) -> None:
    with pytest.raises(BadFault) as raised:
        Fault.parse(text)
    assert words in str(raised.value)


def test_defaults() -> None:
    assert Fault.parse("status").argument == "500"
    assert Fault.parse("clock,times=2") == Fault(FAULTS["clock"], "3600", times=2)


def strikes(text: str, *paths: str, seed: int = 0) -> list[bool]:
    trigger = Trigger(Fault.parse(text), seed)
    return [trigger.fires(path) for path in paths]


def test_when_a_fault_strikes() -> None:
    assert strikes("stall,after=1,times=2", "/", "/", "/", "/") == [False, True, True, False]
    assert strikes("stall,path=/a", "/b", "/a", "/a/b") == [False, True, True]
    # Requests of other paths do not count.
    assert strikes("stall,path=/a,after=1", "/b", "/a", "/b", "/a") == [False, False, False, True]


def test_chance_is_repeatable_and_near_its_rate() -> None:
    paths = ["/"] * 2000
    first = strikes("stall,rate=0.3", *paths, seed=7)
    assert first == strikes("stall,rate=0.3", *paths, seed=7) != strikes("stall,rate=0.3", *paths, seed=8)
    assert 0.25 < sum(first) / len(first) < 0.35
