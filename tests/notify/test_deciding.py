"""Each change is sent once, and a flapping problem does not send a message each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from mfagate.config.model import NotifyOptions
from mfagate.notify.changes import ChangeKind, ProblemChange, ProblemStatus
from mfagate.notify.deciding import notification
from mfagate.notify.wording import Notification

START = datetime(2026, 11, 1, tzinfo=UTC)

CAUSES = ["credential.rejected", "provider.outage", "network.dns-failure"]


def options(**values: object) -> NotifyOptions:
    return NotifyOptions.model_validate(values)


def change(name: str, before: str | None, now: str | None, when: datetime) -> list[ProblemChange]:
    if before == now:
        return []
    kind = ChangeKind.NEW if before is None else ChangeKind.RECOVERED if now is None else ChangeKind.CHANGED
    return [ProblemChange(name, kind, now or before or "", f"about {now}", when)]


def play(
    causes: dict[str, list[str | None]], chosen: NotifyOptions, pause: timedelta = timedelta(hours=1)
) -> list[list[Notification]]:
    """Return the messages of each run; each integration has one of the given causes in each run."""
    states: dict[str, ProblemStatus] = {}
    before: dict[str, str | None] = dict.fromkeys(causes)
    messages = []
    for number, now in enumerate(zip(*causes.values(), strict=True)):
        when = START + number * pause
        seen = dict(zip(causes, now, strict=True))
        changes = [one for name in causes for one in change(name, before[name], seen[name], when)]
        message, states = notification(changes, states, when, chosen)
        # The statuses survive storage as JSON.
        states = {key: ProblemStatus.model_validate_json(state.model_dump_json()) for key, state in states.items()}
        before = seen
        messages.append([message] if message else [])
    return messages


def sent_for(messages: list[list[Notification]], name: str) -> list[tuple[int, ChangeKind]]:
    """Return the kinds that were sent about an integration, with the number of the run."""
    return [
        (number, one.kind)
        for number, sent in enumerate(messages)
        for message in sent
        for one in message.changes
        if one.integration == name
    ]


RUNS = st.lists(st.sampled_from([None, None, *CAUSES]), min_size=1, max_size=60)
OPTIONS = st.builds(
    lambda changes, more: options(flapping={"changes": changes, "runs": changes + more}),
    st.integers(2, 6),
    st.integers(0, 6),
)


@given(runs=RUNS, chosen=OPTIONS)
def test_no_message_without_a_change(runs: list[str | None], chosen: NotifyOptions) -> None:
    calm = chosen.flapping.runs
    for number, kind in sent_for(play({"a": runs}, chosen), "a"):
        changed = runs[number] != (runs[number - 1] if number else None)
        # The end of flapping is reported after some runs without a change.
        assert changed or (kind is not ChangeKind.NEW and len(set(runs[number - calm : number + 1])) == 1)


@given(runs=RUNS, chosen=OPTIONS)
def test_each_outage_is_opened_once_and_closed_once(runs: list[str | None], chosen: NotifyOptions) -> None:
    ending: list[str | None] = [None] * (chosen.flapping.runs + 1)
    is_open = False
    for _, kind in sent_for(play({"a": [*runs, *ending]}, chosen), "a"):
        if is_open:
            assert kind is not ChangeKind.NEW
            is_open = kind is not ChangeKind.RECOVERED
        else:
            assert kind in (ChangeKind.NEW, ChangeKind.FLAPPING)
            is_open = True
    assert not is_open


@given(runs=RUNS, chosen=OPTIONS)
@example(runs=[CAUSES[0], None, None, None, None, CAUSES[0], None], chosen=options(flapping={"changes": 2, "runs": 3}))
def test_flapping_limits_the_number_of_messages(runs: list[str | None], chosen: NotifyOptions) -> None:
    """The message at the end of flapping comes on top of the limit."""
    numbers = [number for number, _ in sent_for(play({"a": runs}, chosen), "a")]
    for first in numbers:
        within = [number for number in numbers if first <= number < first + chosen.flapping.runs]
        assert len(within) <= chosen.flapping.changes + 1


@given(runs=RUNS, last=st.sampled_from([None, *CAUSES]), chosen=OPTIONS)
def test_the_last_message_has_the_current_status(
    runs: list[str | None], last: str | None, chosen: NotifyOptions
) -> None:
    messages = play({"a": [*runs, *[last] * (chosen.flapping.runs + 1)]}, chosen)
    known: str | None = None
    for sent in messages:
        for message in sent:
            for one in message.changes:
                known = None if one.kind is ChangeKind.RECOVERED else one.cause
    assert known == last


@given(a=RUNS, b=RUNS)
def test_a_run_sends_at_most_one_message(a: list[str | None], b: list[str | None]) -> None:
    length = min(len(a), len(b))
    together = play({"a": a[:length], "b": b[:length]}, options())
    assert all(len(sent) <= 1 for sent in together)
    for name, runs in (("a", a), ("b", b)):
        assert sent_for(together, name) == sent_for(play({name: runs[:length]}, options()), name)


def test_an_outage() -> None:
    runs = [None, "provider.outage", "provider.outage", "credential.rejected", None, None]
    assert sent_for(play({"a": runs}, options()), "a") == [
        (1, ChangeKind.NEW),
        (3, ChangeKind.CHANGED),
        (4, ChangeKind.RECOVERED),
    ]


def test_a_problem_in_the_first_run_is_new() -> None:
    assert sent_for(play({"a": ["provider.outage"]}, options()), "a") == [(0, ChangeKind.NEW)]


def test_a_flapping_problem_is_reported_once_and_again_when_it_is_stable() -> None:
    up, down = None, "provider.outage"
    runs = [down, up, down, up, down, up, down, *[up] * 5]
    chosen = options(flapping={"changes": 3, "runs": 4})
    assert sent_for(play({"a": runs}, chosen), "a") == [
        (0, ChangeKind.NEW),
        (1, ChangeKind.RECOVERED),
        (2, ChangeKind.FLAPPING),
        (11, ChangeKind.RECOVERED),
    ]
    assert sent_for(play({"a": [*runs[:7], *[down] * 5]}, chosen), "a")[-1] == (10, ChangeKind.CHANGED)


def test_a_lasting_problem_sends_reminders() -> None:
    runs: list[str | None] = ["credential.rejected"] * 8
    daily = timedelta(days=1)
    chosen = options(remind_after_days=3)
    assert sent_for(play({"a": runs}, chosen, daily), "a") == [
        (0, ChangeKind.NEW),
        (3, ChangeKind.REMINDER),
        (6, ChangeKind.REMINDER),
    ]
    assert sent_for(play({"a": runs}, options(), daily), "a") == [(0, ChangeKind.NEW)]


def test_only_the_selected_kinds_are_sent() -> None:
    runs = [None, "provider.outage", "credential.rejected", None]
    assert sent_for(play({"a": runs}, options(on=["recovered"])), "a") == [(3, ChangeKind.RECOVERED)]
    assert sent_for(play({"a": runs}, options(on=[])), "a") == []


def test_the_words_of_a_message() -> None:
    sent = play({"duo-eu": ["credential.rejected"], "okta": ["provider.outage"]}, options(report_url="https://ci/1"))
    ((message,),) = sent
    assert message.title == "mfagate: 2 new"
    assert message.level == "failure"
    assert message.body == (
        "NEW duo-eu: credential.rejected\nabout credential.rejected\nsince 2026-11-01 00:00 UTC\n\n"
        "NEW okta: provider.outage\nabout provider.outage\nsince 2026-11-01 00:00 UTC\n\n"
        "report: https://ci/1"
    )
    (_, (over,)) = play({"duo-eu": ["credential.rejected", None]}, options())
    assert (over.title, over.level) == ("mfagate: duo-eu: recovered from credential.rejected", "success")
