"""Recording: scrubbed, scanned, byte-identical, atomic."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from tests.support.faults import on_path
from tests.support.project import REPOSITORY, Project

from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import Handler, faulty_proxy


@pytest.fixture
def tapes(project: Project) -> Path:
    """Where this project keeps its recordings."""
    project.settings["more"] = 'cassettes = "tapes"'
    return project.folder / "tapes"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_unchanged_provider_gives_the_same_bytes(project: Project, tapes: Path) -> None:
    project.ask_everything()
    first = project.run("record")
    assert first.exit_code == 0, first.stdout
    recorded = contents(tapes)
    again = project.run("record")
    assert again.exit_code == 0
    assert contents(tapes) == recorded
    assert {check["message"] for check in again.checks("recording")} == {"unchanged"}
    shipped = contents(REPOSITORY / "cassettes/privacyidea")
    assert recorded.keys() == shipped.keys()
    assert project.run("check").exit_code == 0


def test_it_says_which_files_changed(project: Project, tapes: Path) -> None:
    project.run("record")
    names = sorted(contents(tapes))
    gone, edited, old = (tapes / name for name in names[:3])
    gone.unlink()
    edited.write_text(edited.read_text().replace("code: ", "code: 9"))
    old.write_text(re.sub("recorded_at: .*", "recorded_at: 2026-01-02", old.read_text()))
    result = project.run("record", "--output", "markdown=report.md")
    output = " ".join(result.stdout.split())
    assert f"mfa: new recordings in tapes: {gone.name} " in output
    assert f"mfa: changed recordings in tapes: {edited.name} " in output
    assert f"mfa: recordings with only a new date in tapes: {old.name} " in output
    assert f"mfa: unchanged recordings: {len(names) - 3}" in output
    assert edited.name in (project.folder / "report.md").read_text()
    again = " ".join(project.run("record").stdout.split())
    assert f"PASS: recorded mfa: unchanged recordings: {len(names)} integration" in again


def test_recordings_hold_no_secret(project: Project, tapes: Path, server: Running) -> None:
    project.run("record")
    text = "".join(path.read_text() for path in tapes.iterdir())
    for name in server.secrets:
        assert server.values[name] not in text
    assert "Authorization" not in text
    assert "127.0.0.1" not in text


def test_an_answer_that_breaks_the_contract_is_not_recorded(project: Project, tapes: Path, server: Running) -> None:
    project.ask_everything()
    project.run("record")
    before = contents(tapes)

    def other_shape(handler: Handler) -> bool:
        return handler.answer(200, b'{"result": {"status": true, "value": "yes"}}', "application/json")

    def fault(handler: Handler) -> bool:
        return len(handler.server.requests) > 20 and on_path("/validate/check", other_shape)(handler)

    with faulty_proxy(server.endpoint, fault) as changed:
        project.settings["url"] = changed.url
        result = project.run("record")
    assert result.exit_code == 1
    assert contents(tapes) == before


def test_a_secret_that_scrubbing_misses_keeps_the_old_recording(project: Project, tapes: Path, server: Running) -> None:
    project.run("record")
    before = contents(tapes)

    def echoes_the_key(handler: Handler) -> bool:
        message = "ERR904: User <mfagate-no-such-user@lab> does not exist."
        error = {"status": False, "error": {"code": 904, "message": message}}
        body = json.dumps({"detail": {"you sent": str(handler.headers.get("Authorization"))[:150]}, "result": error})
        is_sentinel = b"no-such-user" in handler.rfile.read(int(handler.headers["Content-Length"]))
        return is_sentinel and handler.answer(400, body.encode(), "application/json")

    with faulty_proxy(server.endpoint, on_path("/validate/check", echoes_the_key)) as leaky:
        project.settings["url"] = leaky.url
        project.settings["environment"] = "production"
        result = project.run("record")
    leaked = [check for check in result.checks("recording") if check["cause"] == "cassette.secret-leaked"]
    assert [check["subject"] for check in leaked] == ["unknown user"]
    assert result.exit_code == 1
    assert contents(tapes) == before


def test_a_recording_that_scrubbing_breaks_is_not_written(project: Project, tapes: Path) -> None:
    """The contract wants of a volatile field what its stand-in has not."""
    pact = json.loads((project.folder / "contracts/privacyidea/auth-service-privacyidea.json").read_text())
    accepted = next(one for one in pact["interactions"] if one["description"] == "OTP accepted")
    accepted["response"]["body"]["content"]["detail"] = {"serial": "MFAGATE-1"}
    rule = {"combine": "AND", "matchers": [{"match": "regex", "regex": "^MFAGATE-.*[1-9A-F].*$"}]}
    accepted["response"]["matchingRules"] = {"body": {"$.detail.serial": rule}}
    (project.folder / "strict.json").write_text(json.dumps(pact))
    project.settings["more"] += '\ncontract = "strict.json"'
    result = project.run("record")
    broken = [check for check in result.checks("recording") if check["outcome"] == "fail"]
    assert [(one["subject"], one["cause"]) for one in broken] == [("OTP accepted", "cassette.contract-mismatch")]
    assert "public_fields" in broken[0]["next_step"]
    assert not (tapes / "otp-accepted.yaml").exists()


@pytest.mark.parametrize(
    ("strange", "kind"),
    [("tapes", "file"), ("tapes", "pipe"), ("tapes/otp-accepted.yaml", "pipe"), ("tapes/otp-accepted.yaml", "folder")],
)
def test_a_place_where_nothing_can_be_recorded(project: Project, tapes: Path, strange: str, kind: str) -> None:
    path = project.folder / strange
    path.parent.mkdir(exist_ok=True)
    if kind == "file":
        path.write_text("")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    result = project.run("record")
    assert (result.exit_code, result.first["cause"]) == (1, "cassette.missing")
    assert "cannot be written" in result.first_red["message"]
    assert "Traceback" not in result.stderr
