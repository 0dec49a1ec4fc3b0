"""Whole commands on the files that people have: what is read passes, what is not is named with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from mfagate.testing.project import Project
from tests.support.project import link_shipped

SKEY = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7jKl0n"
HOST, IKEY = "api-1a2b3c4e.duosecurity.com", "DIABCDEFGH1234567890"

CONFIGURATION = """\
[integrations.app]
provider = "duo"
environment = "production"
{more}
[integrations.app.settings]
host = {host}
integration_key = {integration_key}
secret_key = {secret_key}
"""


class Deployment(Project):
    """A Duo integration whose settings are read from files; ``references`` are written as TOML."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"SKEY": SKEY})
        link_shipped(folder)
        self.more = ""
        self.references = {"host": f'"{HOST}"', "integration_key": f'"{IKEY}"', "secret_key": '"env:SKEY"'}

    def text(self) -> str:
        """The configuration."""
        return CONFIGURATION.format(**self.references, more=self.more)

    def put(self, name: str, text: str) -> None:
        """Write a file beside the configuration."""
        (self.folder / name).write_text(text)


@pytest.fixture
def project(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "reference"),
    [
        ("v.json", f'{{"duo.skey": "{SKEY}", // note\n}}', "'json:v.json#\"duo.skey\"'"),
        ("v.json", f'{{"duo.skey": "{SKEY}"}}', "\"json:v.json#'duo.skey'\""),
        (
            "c.yml",
            f"services:\n  a:\n    environment:\n    - SKEY={SKEY}\n",
            '"yaml:c.yml#services.a.environment.SKEY"',
        ),
        ("m.yaml", f"data: {{a: b}}\n---\ndata: {{skey: {SKEY}}}\n", '"yaml:m.yaml#data.skey"'),
        ("t.tfvars", f'duo = {{\n  skey = "{SKEY}"\n}}\n', '"tfvars:t.tfvars#duo.skey"'),
        (
            "s.yaml",
            (
                f"kind: Secret\nmetadata: {{name: duo, namespace: a}}\nstringData: {{skey: x}}\n---\n"
                f"kind: Secret\nmetadata: {{name: duo, namespace: b}}\nstringData: {{skey: {SKEY}}}\n"
            ),
            '"k8s-secret:s.yaml#b/duo/skey"',
        ),
    ],
)
def test_values_that_can_be_read(project: Deployment, name: str, text: str, reference: str) -> None:
    project.put(name, text)
    project.references["secret_key"] = reference
    result = project.run_in_process("check")
    assert result.exit_code == 0, result.stdout


def test_a_variable_in_a_dotenv_file_is_expanded_and_the_other_readers_are_named(project: Deployment) -> None:
    project.put(".env", f'ACCOUNT=1a2b3c4e\nHOST="api-${{ACCOUNT}}.duosecurity.com"\nSKEY="{SKEY}"\n')
    project.references |= {"host": '"dotenv:.env#HOST"', "secret_key": '"dotenv:.env#SKEY"'}
    result = project.run_in_process("check")
    (warning,) = [check for check in result.first["checks"] if check["outcome"] == "warn"]
    assert (result.exit_code, warning["cause"]) == (0, "config.read-differently")
    assert warning["message"] == "another program would read settings.host, settings.secret_key from .env differently"
    assert warning["location"]["line"] == 2
    assert "(.env:3): docker run --env-file keeps the quotes" in warning["evidence"]["differences"][1]


@pytest.mark.parametrize(
    ("name", "text", "reference", "place", "step"),
    [
        (".env", "SKEY=${NOT_SET}\n", "dotenv:.env#SKEY", ".env:1", "Define NOT_SET in the file above line 1"),
        (
            "v.json",
            '{"a.b": 1}',
            "json:v.json#a.b",
            None,
            "write 'json:v.json#\"a.b\"' in the place of json:v.json#a.b",
        ),
        ("s.yaml", "kind: SealedSecret\nmetadata: {name: duo}\n", "k8s-secret:s.yaml#duo/skey", "s.yaml:1", "env:NAME"),
        ("s.yaml", "a: $ANSIBLE_VAULT;1.1;AES256\n", "yaml:s.yaml#a", "s.yaml:1", "ansible-vault view s.yaml > OUT"),
    ],
)
def test_what_cannot_be_read_points_at_the_file_and_says_what_to_do(
    project: Deployment, name: str, text: str, reference: str, place: str | None, step: str
) -> None:
    project.put(name, text)
    project.references["secret_key"] = f'"{reference}"'
    result = project.run_in_process("check")
    red = result.first_red
    assert (result.exit_code, red["cause"]) == (1, "config.reference-unresolved")
    assert step in red["next_step"]
    shown = f"{red['location']['file']}:{red['location']['line']}"
    assert shown.endswith(place or f"integrations.toml:{project.line_of('secret_key')}")


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("${SKEY}", 'set SKEY in this job as it is set there, and write secret_key = "env:SKEY"'),
        ("${DUO_SECRET_KEY:?required}", 'write secret_key = "env:DUO_SECRET_KEY". If it does not, put the real value'),
        ("${DUO_SECRET_KEY:-}", 'write secret_key = "env:DUO_SECRET_KEY"'),
        ("${env:DUO_SECRET_KEY}", 'set DUO_SECRET_KEY in this job as it is set there, and write secret_key = "env:DUO'),
        ("${self:custom.skey}", "Let the job fill compose.yml:1 in before mfagate starts"),
        ("${csm.platform.skey}", "Let the job fill compose.yml:1 in before mfagate starts"),
        ("$(op read op://prod/duo/skey)", "A shell makes the value of compose.yml:1: let it read the file"),
        ("%DUO_SECRET_KEY%", 'write secret_key = "env:DUO_SECRET_KEY"'),
        ("{{ vault_duo_secret_key }}", "Let the job fill compose.yml:1 in before mfagate starts"),
    ],
)
def test_a_variable_that_another_program_replaces_may_stay_where_it_is(
    project: Deployment, text: str, step: str
) -> None:
    """Never "put the real value there" alone: the file is committed."""
    project.put("compose.yml", f'DUO_SECRET_KEY: "{text}"\n')
    project.references["secret_key"] = '"yaml:compose.yml#DUO_SECRET_KEY"'
    red = project.run_in_process("check").first_red
    assert red["cause"] == "config.placeholder-left"
    assert step in red["next_step"]
    assert red["evidence"]["read from"] == "yaml:compose.yml#DUO_SECRET_KEY"


@pytest.mark.parametrize("host", ["api-123456789.example.com", "https://duo.example.org/x", "duo.invalid"])
def test_an_address_of_documentation_is_a_placeholder(project: Deployment, host: str) -> None:
    project.references["host"] = f'"{host}"'
    red = project.run_in_process("check").first_red
    assert (red["cause"], "address of documentation" in red["message"]) == ("config.placeholder-left", True)


def test_a_setting_under_a_vendors_other_name_is_no_secret(project: Deployment) -> None:
    """Recordings hold the host; nobody is to rotate anything because of it."""
    recordings = project.folder / "recordings"
    recordings.mkdir()
    shipped = sorted((project.folder / "cassettes" / "duo").glob("*.yaml"))
    for path in shipped:
        (recordings / path.name).write_text(f"{path.read_text()}# {HOST}\n")
    project.references["host"] += f'\napi_host = "{HOST}"'
    project.more = 'cassettes = "recordings"'
    result = project.run_in_process("check")
    assert result.first_red["cause"] == "config.unknown-setting"
    assert "cassette.secret-leaked" not in {check.get("cause") for check in result.first["checks"]}


WHOLE = ("host: x\\nskey: {0}\\n", "DUO_HOST=x\\nexport DUO_SKEY={0}\\n", "[duo]\\nhost = x\\nskey = {0}\\n")


@pytest.mark.parametrize("content", WHOLE)
def test_a_file_inside_a_secret_is_no_value(project: Deployment, content: str) -> None:
    project.put("s.yaml", f'kind: Secret\nmetadata: {{name: duo}}\nstringData: {{c: "{content.format(SKEY)}"}}\n')
    project.references["secret_key"] = '"k8s-secret:s.yaml#duo/c"'
    red = project.run_in_process("check").first_red
    assert (red["cause"], "is a whole file of names and values" in red["message"]) == ("config.malformed-value", True)
    assert 'secret_key = "yaml:FILE#KEY", "dotenv:FILE#NAME"' in red["next_step"]


@pytest.mark.parametrize(
    ("name", "text", "reference", "step"),
    [
        ("s.yaml", "kind: Secret\nmetadata: {name: duo}\nstringData:\n  a: |\n    {0}\n", "k8s-secret:s.yaml#duo/a",
         "under stringData, write it in one line, or |- in the place of |"),
        ("v.yaml", "a: |\n  {0}\n", "yaml:v.yaml#a", "write it in one line, or |- in the place of |"),
        ("k", "{0}\n", "file:k", 'printf %s "$VALUE" > FILE'),
    ],
)  # fmt: skip
def test_a_line_break_behind_a_value_has_a_step_for_the_file(
    project: Deployment, name: str, text: str, reference: str, step: str
) -> None:
    project.put(name, text.replace("{0}", SKEY))
    project.references["secret_key"] = f'"{reference}"'
    red = project.run_in_process("check").first_red
    assert (red["cause"], step in red["next_step"]) == ("config.stray-characters", True), red
