"""Somebody starts with mfagate in a repository of their own."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

import jsonschema
import pytest
import yaml

from mfagate import schemas

from ..support.project import REPOSITORY
from ..support.repository import git


def init(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mfagate", "init", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mfagate", "check", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


SHIPPED = sorted(entry.name for entry in distribution("mfagate").entry_points if entry.group == "mfagate.providers")


@pytest.mark.parametrize("name", SHIPPED)
def test_each_provider_starts_sound(tmp_path: Path, name: str) -> None:
    """Its secrets are not here yet, and everything else is in order."""
    assert init(tmp_path, "--provider", name).returncode == 0
    document = tomllib.loads((tmp_path / "integrations.toml").read_text())
    jsonschema.validate(document, schemas.config(), cls=jsonschema.Draft202012Validator)
    result = check(tmp_path, "--without-secrets")
    assert result.returncode == 0, result.stdout
    unset = check(tmp_path)
    assert (unset.returncode, "config.reference-unresolved" in unset.stdout) == (1, True)


SOURCE = "git+https://git.example.com/mfagate@v0.1.0"
"""That of the templates."""

TEMPLATES = REPOSITORY / "ci/templates"
KINDS = sorted(path.name for path in TEMPLATES.iterdir())


def pipeline_of(folder: Path, ci: str, *arguments: str) -> dict[str, str]:
    """What a project gets for its CI, by path."""
    done = init(folder, "--ci", ci, *(() if "--source" in arguments else ("--source", SOURCE)), *arguments)
    assert done.returncode == 0, done.stderr
    started = ("integrations.toml", "contracts/", "cassettes/")
    return {path: text.decode() for path, text in everything(folder).items() if not path.startswith(started)}


def test_each_kind_can_be_asked_for(tmp_path: Path) -> None:
    result = init(tmp_path, "--provider", "duo", "--ci", "?")
    assert all(f"'{kind}'" in result.stderr for kind in KINDS), result.stderr


@pytest.mark.parametrize("ci", KINDS)
def test_what_is_pasted_is_what_init_writes(tmp_path: Path, ci: str) -> None:
    """The templates are the files for Duo in production."""
    templates = {path: text.decode() for path, text in everything(TEMPLATES / ci).items()}
    assert pipeline_of(tmp_path, ci, "--provider", "duo") == templates


@pytest.mark.parametrize("ci", KINDS)
def test_a_pipeline_is_for_these_providers(tmp_path: Path, ci: str) -> None:
    written = pipeline_of(tmp_path, ci, "--provider", "okta", "--provider", "twilio", "--environment", "staging")
    text = "\n".join(written.values())
    assert "DUO" not in text
    # On a command line, and in the list of arguments of a container.
    selected = [re.findall(r"--environment,? (\w+)", one) for one in (text, "\n".join(_texts(ci)))]
    assert selected == [["staging"] * len(selected[1]), ["production"] * len(selected[1])]
    assert bool(selected[1]) == (ci != "pre-commit")
    integrations = tomllib.loads((tmp_path / "integrations.toml").read_text())["integrations"].values()
    names = [value.removeprefix("env:") for one in integrations for value in one["settings"].values()]
    if any("DUO_HOST" in template for template in _texts(ci)):
        assert all(text.count(name) >= 1 for name in names)
    for path, content in written.items():
        if path.endswith((".yml", ".yaml")):
            assert all(isinstance(document, dict | list) for document in yaml.safe_load_all(content)), path


def _texts(ci: str) -> list[str]:
    return [text.decode() for text in everything(TEMPLATES / ci).values()]


def test_other_files_that_exist_are_kept_and_said(tmp_path: Path) -> None:
    mine = tmp_path / "contracts/duo/auth-service-duo.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    result = init(tmp_path, "--provider", "duo")
    assert result.returncode == 0
    assert "kept  contracts/duo/auth-service-duo.json" in result.stdout
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name the providers with --provider NAME; installed: "),
        (["--provider", "dou"], "did you mean 'duo'?"),
        (["--provider", "duo", "--environment", "prod"], "'prod' is not one of"),
        (["--provider", "duo", "--ci", "travis"], "'travis' is not one of"),
        (["--provider", "duo", "--ci", "github"], "--ci needs --source SOURCE, which the CI machine installs: git+htt"),
        (["--provider", "duo,dou"], "no provider is named 'dou' (did you mean 'duo'?)"),
        (["--provider", "duo", "--environment", "staging,prod"], "'prod' is not one of"),
        (
            ["--provider", "duo", "okta"],
            "to add okta as well, write --provider duo,okta; to use it as the folder, create it first: mkdir okta",
        ),
        (["--provider", "duo", "okta", "entra"], "to add okta, entra as well, write --provider duo,okta,entra"),
        (["--provider", "duo", "one", "two"], "name one FOLDER, not one, two"),
        (["duo", "okta"], "to add duo, okta, write --provider duo,okta"),
        (["file", "--provider", "duo"], "is a file"),
        (["file/below", "--provider", "duo"], "file is a file, but a folder of this name is needed"),
    ],
)
def test_bad_input_writes_nothing(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "file").write_text("")
    result = init(tmp_path, *arguments)
    assert (result.returncode, words in result.stderr, "Traceback" in result.stderr) == (2, True, False), result.stderr
    assert everything(tmp_path) == {"file": b""}


def test_names_can_be_separated_by_commas(tmp_path: Path) -> None:
    """As the answers to the questions are."""
    arguments = ("--provider", "duo, okta", "--environment", "staging,production", "--ci", "gitlab,pre-commit")
    result = init(tmp_path, *arguments, "--source", SOURCE)
    assert result.returncode == 0, result.stderr
    for name in ("duo", "okta"):
        assert f"added {name} (staging, production)" in result.stdout
    assert {".gitlab/mfagate.gitlab-ci.yml", ".pre-commit-config.yaml"} <= everything(tmp_path).keys()


def test_a_folder_that_exists_may_be_named_like_a_provider(tmp_path: Path) -> None:
    (tmp_path / "okta").mkdir()
    assert init(tmp_path, "--provider", "duo", "okta").returncode == 0
    assert (tmp_path / "okta/integrations.toml").exists()


def answered(folder: Path, *answers: str, arguments: Sequence[str] = ()) -> tuple[int, str]:
    """Run it on a terminal and type the answers, one a question."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execv(sys.executable, [sys.executable, "-m", "mfagate", "init", *arguments])
    shown, waiting, deadline, interrupt_at = "", list(answers), time.monotonic() + 60, float("inf")
    while (now := time.monotonic()) < deadline:
        try:
            if select.select([terminal], [], [], 0.1)[0]:
                shown += os.read(terminal, 4096).decode()
            if now > interrupt_at:
                # Once more, as a person would: one that comes before readline waits is lost on it.
                os.write(terminal, CTRL_C.encode())
                interrupt_at = now + 1
        except OSError:
            break
        if waiting and shown.rstrip(" ").endswith(":"):
            answer = waiting.pop(0)
            shown += "\n"
            if answer == CTRL_C:
                interrupt_at = now
            else:
                os.write(terminal, f"{answer}\n".encode())
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


CTRL_C = "\x03"


def test_on_a_terminal_it_asks(tmp_path: Path) -> None:
    settings = [""] * 3
    code, shown = answered(tmp_path, "duo", "staging", *settings, "github", SOURCE)
    assert code == 0, shown
    (duo,) = tomllib.loads((tmp_path / "integrations.toml").read_text())["integrations"].values()
    assert duo["environment"] == "staging"
    assert duo["settings"]["host"] == "env:DUO_HOST"
    assert (tmp_path / ".github/workflows/mfagate.yml").exists()


def test_a_wrong_answer_is_asked_for_again(tmp_path: Path) -> None:
    """By the rules of check, and with its words."""
    code, shown = answered(
        tmp_path,
        *("dou", "duo"),
        *("prod", "production"),
        *("https://api-1a2b3c4d.duosecurity.com/", "evn:DUO_HOST", "api-1a2b3c4d.duosecurity.com"),
        *("DI123", "DIABCDEFGHIJKLMNOPQR"),
        *("Wq7pLz3Vn8Kc5Rt2Xb9Ym4Jd6Hf1Gs0Tv7Nw3Qz5", "dotenv:deploy/mfa.env", "dotenv:deploy/mfa.env#DUO_SECRET_KEY"),
        "dotenv:deploy/mfa.env#DUO_SECRET_KEY",
        *("gitlap", "gitlab"),
        *("mfagate", SOURCE),
    )
    assert code == 0, shown
    for words in (
        "no provider is named 'dou' (did you mean 'duo'?)",
        "no environment is named 'prod' (did you mean 'production'?)",
        "it is a host name with a scheme in it",
        "there is no secret store 'evn' (did you mean 'env'?",
        "it has 5 characters instead of 20 (truncated)",
        "secret_key is a secret, but integrations.toml is committed: write where it is read from",
        "dotenv:deploy/mfa.env is incomplete",
        "enter it again to keep it",
        "no CI is named 'gitlap' (did you mean 'gitlab'?)",
        "mfagate is not on a public index, and anyone could claim the name there",
    ):
        assert words in " ".join(shown.split()), (words, shown)
    (duo,) = tomllib.loads((tmp_path / "integrations.toml").read_text())["integrations"].values()
    assert duo["settings"] == {
        "host": "api-1a2b3c4d.duosecurity.com",
        "integration_key": "DIABCDEFGHIJKLMNOPQR",
        "secret_key": "dotenv:deploy/mfa.env#DUO_SECRET_KEY",
    }
    assert duo["environment"] == "production"


def test_an_answer_has_no_line_yet(tmp_path: Path) -> None:
    code, shown = answered(tmp_path, "duo", "production", "", "DIABCDEFGHIJKLMN\u041ePQR", "", "", "none")
    assert (code, "Cyrillic" in shown, "integrations.toml:" in shown) == (0, True, False), shown
    assert "Store the value without it" in shown


def test_a_value_that_is_here_is_judged_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "mfa.env").write_text("SHORT=4b1ckq9zzkey\nGOOD=Wq7pLz3Vn8Kc5Rt2Xb9Ym4Jd6Hf1Gs0Tv7Nw3Qz5\n")
    code, shown = answered(tmp_path, "duo", "production", "", "", "dotenv:mfa.env#SHORT", "dotenv:mfa.env#GOOD", "none")
    assert code == 0, shown
    assert "it has 12 characters instead of 40 (truncated)" in " ".join(shown.split())
    assert "4b1ckq9" not in shown


def test_ctrl_c_at_a_question_writes_nothing(tmp_path: Path) -> None:
    code, shown = answered(tmp_path, "duo", CTRL_C)
    assert (code, "Traceback" in shown) == (130, False), shown
    assert everything(tmp_path) == {}


MINE = """\
# my own file: every line of it stays

[gate]
expiring_soon_days = 14   # two sprints

[integrations.duo]
provider = "duo"
environment = "production"   # read-only
settings = { host = "env:HOST", integration_key = "env:IKEY", secret_key = "env:SKEY" }

# the rest
[history]
retention_days = 100
"""


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def is_kept(before: str, after: str) -> bool:
    """Whether every line is there, in its order."""
    left = iter(lines_of(after))
    return all(line in left for line in lines_of(before))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_provider_is_added_to_a_project(tmp_path: Path, newline: str) -> None:
    path = tmp_path / "integrations.toml"
    path.write_bytes(MINE.replace("\n", newline).encode())
    path.chmod(0o640)
    done = init(tmp_path, "--provider", "okta")
    assert done.returncode == 0, done.stderr
    text = path.read_bytes().decode()
    assert is_kept(MINE, text)
    assert text.count("\r") == (text.count("\n") if newline == "\r\n" else 0)
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tomllib.loads(text)["integrations"]) == ["duo", "okta"]
    assert (tmp_path / "contracts/okta/auth-service-okta.json").exists()
    assert not (tmp_path / "contracts/duo").exists()
    again = init(tmp_path, "--provider", "okta")
    assert "kept okta, which is already in integrations.toml" in again.stdout
    assert path.read_bytes().decode() == text


def test_an_environment_is_added_to_an_integration(tmp_path: Path) -> None:
    path = tmp_path / "integrations.toml"
    path.write_text(MINE)
    done = init(tmp_path, "--provider", "duo", "--environment", "staging")
    assert done.returncode == 0, done.stderr
    assert (
        'line 8, environment = "production", is now the table [integrations.duo.environments.production]' in done.stdout
    )
    text = path.read_text()
    assert is_kept(MINE.replace('environment = "production"   # read-only', "# read-only"), text)
    assert "\n# the rest\n[history]" in text
    result = check(tmp_path, "--without-secrets", "--output", "json")
    assert [one["name"] for one in json.loads(result.stdout)["integrations"]] == ["duo/production", "duo/staging"]
    settings = tomllib.loads(text)["integrations"]["duo"]["environments"]["staging"]["settings"]
    assert settings == {
        "host": "env:DUO_STAGING_HOST",
        "integration_key": "env:DUO_STAGING_INTEGRATION_KEY",
        "secret_key": "env:DUO_STAGING_SECRET_KEY",
    }
    third = init(tmp_path, "--provider", "duo", "--environment", "staging", "--environment", "development")
    assert "added the environment development to duo" in third.stdout
    assert is_kept(text, path.read_text())


def test_environments_of_a_new_integration_share_a_table(tmp_path: Path) -> None:
    assert (
        init(tmp_path, "--provider", "duo", "--environment", "production", "--environment", "staging").returncode == 0
    )
    result = check(tmp_path, "--without-secrets", "--output", "json")
    report = json.loads(result.stdout)
    assert [one["name"] for one in report["integrations"]] == ["duo/production", "duo/staging"]
    assert report["verdict"] == "pass"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('integrations = { duo = { provider = "duo", environment = "staging" } }\n', "add the table by hand"),
        ('[integrations]\nduo = { provider = "duo", environment = "staging" }\n', ""),
        ('[integrations.okta]\nprovider = "duo"\nenvironment = "staging"\n', "calls an integration of duo okta"),
        ("[integrations.okta\n", "is not TOML"),
        ('[integrations.okta]\nprovider = "okta"\n', "environment: is missing"),
    ],
)
def test_what_cannot_be_added_to_is_left_alone(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "integrations.toml"
    path.write_text(text)
    done = init(tmp_path, "--provider", "okta", "--environment", "production")
    assert "Traceback" not in done.stderr
    if words:
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
        assert everything(tmp_path) == {"integrations.toml": text.encode()}
    else:
        assert done.returncode == 0, done.stderr
        assert is_kept(text, path.read_text())


def test_an_environment_on_a_line_with_more_is_left_alone(tmp_path: Path) -> None:
    text = '[integrations]\nduo = { provider = "duo", environment = "staging" }\n'
    (tmp_path / "integrations.toml").write_text(text)
    done = init(tmp_path, "--provider", "duo", "--environment", "production")
    assert (done.returncode, "write the tables of environments by hand" in done.stderr) == (2, True), done.stderr
    assert everything(tmp_path) == {"integrations.toml": text.encode()}


def test_a_waiver_does_not_spread_to_another_environment(tmp_path: Path) -> None:
    waiver = '[[integrations.duo.waivers]]\ncause = "cassette.stale"\nreason = "r"\nowner = "o"\nuntil = 2026-12-31\n'
    (tmp_path / "integrations.toml").write_text(MINE + waiver)
    done = init(tmp_path, "--provider", "duo", "--environment", "staging")
    assert (done.returncode, "duo has waivers, which would apply to every environment" in done.stderr) == (2, True)


def test_nothing_to_add_is_refused(tmp_path: Path) -> None:
    (tmp_path / "integrations.toml").write_text(MINE)
    done = init(tmp_path, "--environment", "staging")
    assert (done.returncode, "name what to add with --provider NAME or --ci KIND" in done.stderr) == (2, True)


def test_ci_files_are_added_for_the_variables_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "integrations.toml").write_text(MINE)
    hooks = tmp_path / ".pre-commit-config.yaml"
    hooks.write_text("repos: []\n")
    done = init(tmp_path, "--ci", "github", "--ci", "gitlab", "--ci", "pre-commit", "--source", SOURCE)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "integrations.toml").read_text() == MINE
    for name in ("HOST", "IKEY", "SKEY"):
        assert f"{name}: ${{{{ secrets.{name} }}}}" in (tmp_path / ".github/workflows/mfagate.yml").read_text()
    assert "secrets: HOST, IKEY, SKEY" in done.stdout
    assert hooks.read_text() == "repos: []\n"
    assert "mfagate check" in (tmp_path / ".pre-commit-config.yaml.mfagate").read_text()
    assert ".pre-commit-config.yaml was kept. Copy what it lacks from" in done.stdout


def test_a_project_without_variables_gets_sound_files(tmp_path: Path) -> None:
    (tmp_path / "integrations.toml").write_text(MINE.replace("env:", "file:"))
    for ci in KINDS:
        assert init(tmp_path, "--ci", ci, "--source", SOURCE).returncode == 0
    for path in [*tmp_path.rglob(".g*/**/*.yml"), *tmp_path.rglob("deploy/**/*.yaml")]:
        assert list(yaml.safe_load_all(path.read_text())), path
        assert "env: null" not in yaml.safe_dump_all(yaml.safe_load_all(path.read_text())), path


def test_next_says_all_that_is_needed(tmp_path: Path) -> None:
    done = init(tmp_path, "--provider", "duo", "--ci", "jenkins", "--source", SOURCE)
    shown = " ".join(done.stdout.partition("Next:")[2].split())
    for words in (
        "1. Set these environment variables",
        "DUO_SECRET_KEY secret_key of duo: Duo Admin Panel",
        "mfagate check --without-secrets",
        "mfagate doctor",
        "mfagate gate",
        "ids of credentials: DUO_HOST, DUO_INTEGRATION_KEY, DUO_SECRET_KEY, MFAGATE_FINGERPRINT_KEY",
        "Fill in the table documentation (owner, runbook, …)",
        "Make sure that the CI machine can install mfagate @ git+https://git.example.com/mfagate@v0.1.0",
    ):
        assert words in shown, done.stdout
    more = init(tmp_path, "--provider", "okta")
    assert "Jenkinsfile does not pass on OKTA_ORG_URL, OKTA_API_TOKEN" in " ".join(more.stdout.split())


def test_ci_files_that_pass_on_nothing_are_named_too(tmp_path: Path) -> None:
    """The first provider was read from a file; staging is not what the file checks."""
    path = tmp_path / "integrations.toml"
    path.write_text(MINE.replace("env:", "file:"))
    assert init(tmp_path, "--ci", "github", "--source", SOURCE).returncode == 0
    (tmp_path / "Jenkinsfile").write_text("pipeline { }")
    more = init(tmp_path, "--provider", "okta", "--environment", "production", "--environment", "staging")
    shown = " ".join(more.stdout.partition("Next:")[2].split())
    for name in ("mfagate", "mfagate-nightly"):
        assert f".github/workflows/{name}.yml does not pass on OKTA_ORG_URL, OKTA_API_TOKEN: add them" in shown
    assert "Jenkinsfile" not in shown
    assert "action.yml does not" not in shown


def test_commands_for_a_folder_with_a_space_can_be_pasted(tmp_path: Path) -> None:
    shown = init(tmp_path, "--provider", "duo", "my login").stdout
    assert "mfagate gate --config 'my login/integrations.toml'" in shown


def test_next_knows_the_contracts_that_ship(tmp_path: Path) -> None:
    """A file written by hand has none yet."""
    path = tmp_path / "integrations.toml"
    path.write_text(MINE)
    shown = " ".join(init(tmp_path, "--ci", "jenkins", "--source", SOURCE).stdout.split())
    assert "it writes the shipped contract for Duo to contracts/duo/auth-service-duo.json" in shown
    path.write_text(MINE.replace("settings =", 'contract = "mine.json"\nsettings ='))
    shown = " ".join(init(tmp_path, "--ci", "jenkins", "--source", SOURCE).stdout.split())
    assert "Copy it to mine.json." in shown


def test_next_names_what_environments_share(tmp_path: Path) -> None:
    init(tmp_path, "--provider", "okta")
    path = tmp_path / "integrations.toml"
    text = path.read_text().replace('# org_id = "…"', 'org_id = "00o1"').replace('# user = "…"', 'user = "a@b.c"')
    path.write_text(text.replace("environment =", 'endpoint = "https://okta.example.com"\nenvironment =', 1))
    shown = " ".join(init(tmp_path, "--provider", "okta", "--environment", "staging").stdout.split())
    assert (
        "okta/staging takes endpoint, expect.org_id, test_data.user from the table of all environments: override what "
        "differs in [integrations.okta.environments.staging]."
    ) in shown
    assert "okta/production takes" not in shown
    path.write_text(path.read_text() + 'expect.org_id = "00o2"\n')
    shown = " ".join(init(tmp_path, "--provider", "okta", "--environment", "staging").stdout.split())
    assert "okta/staging takes endpoint, test_data.user from" in shown


def test_next_names_files_that_git_leaves_out(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text(".mfagate/\n.env\n")
    for name in (".env", "public.env"):
        (tmp_path / name).write_text("HOST=api-1a2b3c4d.duosecurity.com\n")
    text = MINE.replace('"env:HOST"', '"dotenv:public.env#HOST"').replace('"env:IKEY"', '"dotenv:.env#IKEY"')
    (tmp_path / "integrations.toml").write_text(text)
    done = init(tmp_path, "--ci", "github", "--source", SOURCE)
    assert "git ignores .env: create it in the CI job before mfagate starts" in " ".join(done.stdout.split()), (
        done.stdout
    )


def test_next_knows_the_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    folder = tmp_path / "services/login"
    folder.mkdir(parents=True)
    done = init(folder, "--provider", "duo", "--ci", "github", "--source", SOURCE)
    shown = " ".join(done.stdout.split())
    assert f"move them to {tmp_path}, and add --config services/login/integrations.toml to the commands" in shown
    assert "Add the line .mfagate/ to ../../.gitignore" in shown
    (tmp_path / ".gitignore").write_text(".mfagate/\n")
    again = init(folder, "--provider", "duo")
    assert ".gitignore" not in again.stdout
    assert "move them" not in again.stdout


def test_on_a_terminal_a_project_grows(tmp_path: Path) -> None:
    """Without options it asks what to add; of what is there it asks for no value."""
    (tmp_path / "integrations.toml").write_text(MINE)
    code, shown = answered(tmp_path, "duo", "production, staging", "jenkins", SOURCE)
    assert code == 0, shown
    duo = tomllib.loads((tmp_path / "integrations.toml").read_text())["integrations"]["duo"]
    assert list(duo["environments"]) == ["production", "staging"]
    assert (tmp_path / "Jenkinsfile").exists()
    code, shown = answered(tmp_path, "none", "none")
    assert (code, "name what to add" in shown) == (2, True), shown


def tree(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder, with what a file holds."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


BLOCKED = [
    ("contracts", "file"),
    ("contracts/duo", "file"),
    ("cassettes", "file"),
    ("cassettes/duo", "file"),
    ("contracts/duo/auth-service-duo.json", "folder"),
    (".github", "file"),
    (".github/workflows/mfagate.yml", "folder"),
    ("integrations.toml", "folder"),
    ("contracts/duo", "link to nothing"),
]


@pytest.mark.parametrize(("path", "kind"), BLOCKED, ids=[f"{path} is a {kind}" for path, kind in BLOCKED])
def test_nothing_is_written_where_one_path_is_of_the_wrong_kind(tmp_path: Path, path: str, kind: str) -> None:
    blocked = tmp_path / path
    blocked.parent.mkdir(parents=True, exist_ok=True)
    match kind:
        case "file":
            blocked.write_text("mine")
        case "folder":
            blocked.mkdir()
        case _:
            blocked.symlink_to("/nowhere/at/all")
    before = tree(tmp_path)
    result = init(tmp_path, "--provider", "duo", "--ci", "github", "--source", SOURCE)
    assert result.returncode == 2, result.stdout
    assert path in result.stderr
    assert "nothing was written" in result.stderr
    assert tree(tmp_path) == before


def test_a_project_is_not_grown_where_one_path_is_of_the_wrong_kind(tmp_path: Path) -> None:
    assert init(tmp_path, "--provider", "duo").returncode == 0
    (tmp_path / "contracts/okta").write_text("mine")
    before = tree(tmp_path)
    result = init(tmp_path, "--provider", "okta")
    assert (result.returncode, tree(tmp_path)) == (2, before)
    assert "contracts/okta is a file, but a folder of this name is needed" in result.stderr
