"""Old recordings are one finding for each integration, for any number of recordings."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mfagate.testing.project import Project as AnyProject
from tests.support.project import REPOSITORY, Project, link_shipped

VALUES = {
    "url": "https://mfa.example.com",
    "validate_key": "not-asked",
    "admin_key": "not-asked",
    "expired_validate_key": "not-asked",
}
DAY = timedelta(days=1)

Dated = Callable[[Sequence[date | None]], Project]


@pytest.fixture
def dated(tmp_path: Path) -> Dated:
    """Make a project whose first recordings have these dates, None for no date; the others are of today."""
    project = Project(tmp_path, VALUES)
    project.ask_everything()
    project.settings["more"] = 'cassettes = "tapes"'

    def make(dates: Sequence[date | None]) -> Project:
        today = datetime.now(UTC).date()
        (tmp_path / "tapes").mkdir(exist_ok=True)
        shipped = sorted((REPOSITORY / "cassettes/privacyidea").glob("*.yaml"))
        for path, day in zip(shipped, [*dates, *[today] * (len(shipped) - len(dates))], strict=True):
            line = "" if day is None else f"  recorded_at: {day}\n"
            text, times = re.subn(r"(?m)^  recorded_at: .*\n", line, path.read_text(), count=1)
            assert times == 1
            (tmp_path / "tapes" / path.name).write_text(text)
        return project

    return make


def stale(project: Project) -> list[dict[str, Any]]:
    return [check for check in project.run("check").first["checks"] if check["cause"] == "cassette.stale"]


def test_no_recording_is_stale(dated: Dated) -> None:
    (age,) = dated([]).run("check").checks("cassette.age")
    assert (age["outcome"], age["message"]) == ("pass", "none of 22 recordings is older than 180 days")


def test_many_stale_recordings_are_one_finding(dated: Dated) -> None:
    """The finding says how many, the oldest and the newest age, and how to refresh them."""
    today = datetime.now(UTC).date()
    dates = [today - (200 + number) * DAY for number in range(22)]
    (found,) = stale(dated(dates))
    assert (found["id"], found["subject"], found["outcome"]) == ("cassette.age", None, "warn")
    assert found["message"] == "22 of 22 recordings are 200 to 221 days old; 180 days are allowed"
    evidence = found["evidence"]
    assert (evidence["recordings"], evidence["oldest_days"], evidence["newest_days"]) == (22, 221, 200)
    names = sorted(path.name for path in (REPOSITORY / "cassettes/privacyidea").glob("*.yaml"))
    assert evidence["files"] == names[:-6:-1], "the oldest, and no more than five"
    assert "`mfagate record --integration mfa`" in found["next_step"]
    assert found["location"]["file"] == f"tapes/{names[-1]}"


def test_a_single_stale_recording_is_named(dated: Dated) -> None:
    (found,) = stale(dated([datetime.now(UTC).date() - 181 * DAY]))
    assert found["message"] == "1 of 22 recordings is 181 days old; 180 days are allowed"
    assert len(found["evidence"]["files"]) == 1


def test_the_last_allowed_day_is_allowed(dated: Dated) -> None:
    assert stale(dated([datetime.now(UTC).date() - 180 * DAY])) == []


def test_a_recording_without_a_date_is_stale(dated: Dated) -> None:
    (found,) = stale(dated([None]))
    assert found["message"] == "1 of 22 recordings has no date"
    assert "oldest_days" not in found["evidence"]


def test_undated_and_old_recordings_are_one_finding(dated: Dated) -> None:
    (found,) = stale(dated([None, None, datetime.now(UTC).date() - 500 * DAY]))
    assert found["message"] == (
        "1 of 22 recordings is 500 days old; 180 days are allowed, 2 of 22 recordings have no date"
    )
    assert (found["evidence"]["recordings"], found["evidence"]["without_date"]) == (3, 2)


def test_the_report_on_a_recording_has_its_date_and_no_age(dated: Dated) -> None:
    today = datetime.now(UTC).date()
    checks = dated([today - 3 * DAY]).run("check").checks("cassette")
    checked = [check for check in checks if check["subject"]]
    assert len(checked) == 22
    assert {check["evidence"]["recorded_at"] for check in checked} == {str(today), str(today - 3 * DAY)}
    assert not [check for check in checked if "days old" in check["message"]]


def test_it_can_be_waived(dated: Dated) -> None:
    project = dated([datetime.now(UTC).date() - 500 * DAY])
    until = datetime.now(UTC).date() + 30 * DAY
    project.settings["tables"] = (
        '[[integrations.mfa.waivers]]\ncause = "cassette.stale"\n'
        f'reason = "the sandbox is being replaced"\nowner = "Ada"\nuntil = {until}\n'
    )
    (found,) = stale(project)
    assert (found["outcome"], found["waiver"]["instead_of"]) == ("info", "warn")
    project.settings["tables"] += 'subject = "OTP accepted"\n'
    result = project.run("check")
    (unused,) = result.checks("waiver")
    assert unused["cause"] == "waiver.unused"
    assert "the finding has no subject" in unused["message"]


# A public id in place of a secret

CLIENT_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
"""The shipped recordings contain it, as any recording contains a client ID."""


class Entra(AnyProject):
    """One integration with Entra."""

    def __init__(self, folder: Path, secret: str) -> None:
        link_shipped(folder)
        super().__init__(folder, {"SECRET": secret})

    def text(self) -> str:
        return (
            '[integrations.mfa]\nprovider = "entra"\nenvironment = "staging"\n[integrations.mfa.settings]\n'
            f'tenant_id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"\nclient_id = "{CLIENT_ID}"\n'
            'client_secret = "env:SECRET"\n'
        )


def test_a_public_id_in_place_of_a_secret_is_not_a_leak(tmp_path: Path) -> None:
    """The report asked to rotate the secret in fifteen recordings, but they contained only the client ID."""
    assert any(CLIENT_ID in path.read_text() for path in (REPOSITORY / "cassettes/entra").glob("*.yaml"))
    result = Entra(tmp_path, CLIENT_ID).run("check")
    red = {check["cause"] for check in result.first["checks"] if check["outcome"] == "fail"}
    assert (result.exit_code, red) == (1, {"config.secret-id-not-secret"})


def test_a_secret_that_only_looks_odd_is_a_leak(tmp_path: Path) -> None:
    secret = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
    project = Entra(tmp_path, secret)
    (tmp_path / "cassettes").unlink()
    shutil.copytree(REPOSITORY / "cassettes", tmp_path / "cassettes")
    path = tmp_path / "cassettes/entra/token-issued.yaml"
    path.write_text(path.read_text().replace("scrubbed", secret))
    assert secret in path.read_text()
    causes = [check["cause"] for check in project.run("check").first["checks"]]
    assert causes.count("cassette.secret-leaked") == 1
