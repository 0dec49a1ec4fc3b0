"""Whole commands on the files that people have: what is read passes, what is not is named with what to do."""

from __future__ import annotations

import json
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
            "write 'json:v.json#\"a.b\"' instead of json:v.json#a.b",
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
    assert (red["cause"], "example address" in red["message"]) == ("config.placeholder-left", True)


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
         "under stringData, write it in one line, or |- instead of |"),
        ("v.yaml", "a: |\n  {0}\n", "yaml:v.yaml#a", "write it in one line, or |- instead of |"),
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


FOLDED = "data:\n  skey: >-\n    QWIzZEVmNmhJajlsTW4ycFFyNXRVdjh4\n    WXoxYkNkNGZHaDdqS2wwbg==\n"
SETTINGS = '<appSettings><add key="ida:AppKey" value="x" /></appSettings>'
WEB_CONFIG = f'<?xml version="1.0"?>\n<configuration>{SETTINGS}</configuration>'

ELSEWHERE: dict[str, tuple[str, str, str, str, str]] = {
    # What, file, its text, the reference, and what the message and the next step say.
    "https://github.com/rackerlabs/genestack/issues/340": (
        "s.yaml",
        f"kind: Secret\nmetadata: {{name: duo}}\n{FOLDED}",
        "k8s-secret:s.yaml#duo/skey",
        "a space or tab in it, which Kubernetes refuses",
        "on one line",
    ),
    "https://docs.docker.com/reference/compose-file/secrets/": (
        "c.yml",
        "secrets:\n  skey:\n    file: ./skey.txt\n",
        "yaml:c.yml#secrets.skey",
        "Compose",
        "file:./skey.txt",
    ),
    "https://docs.docker.com/reference/compose-file/secrets/#example-2": (
        "c.yml",
        "secrets:\n  skey:\n    environment: DUO_SKEY\n",
        "yaml:c.yml#secrets.skey",
        "Compose",
        "env:DUO_SKEY",
    ),
    "https://docs.gitlab.com/ci/yaml/#secrets": (
        ".gitlab-ci.yml",
        "job:\n  secrets:\n    SKEY:\n      vault: production/duo/skey@ops\n",
        "yaml:.gitlab-ci.yml#job.secrets.SKEY",
        "GitLab",
        "env:SKEY",
    ),
    "https://docs.drone.io/secret/": (
        ".drone.yml",
        "steps:\n- name: a\n  environment:\n    SKEY:\n      from_secret: skey\n",
        "yaml:.drone.yml#steps.a.environment.SKEY",
        "Drone",
        "env:SKEY",
    ),
    "https://docs.travis-ci.com/user/encryption-keys/": (
        ".travis.yml",
        'env:\n  global:\n  - secure: "Xb1c2="\n',
        "yaml:.travis.yml#env.global.0.secure",
        "Travis",
        "env:NAME",
    ),
    "https://www.appveyor.com/docs/build-configuration/#secure-variables": (
        "a.yml",
        "environment:\n  SKEY:\n    secure: abc==\n",
        "yaml:a.yml#environment.SKEY",
        "AppVeyor",
        "env:NAME",
    ),
    "https://devcenter.heroku.com/articles/app-json-schema#env": (
        "app.json",
        '{"env": {"SKEY": {"generator": "secret"}}}',
        "json:app.json#env.SKEY",
        "Heroku",
        "env:SKEY",
    ),
    "https://render.com/docs/blueprint-spec": (
        "r.yaml",
        "envVars:\n- key: SKEY\n  sync: false\n",
        "yaml:r.yaml#envVars.SKEY",
        "Render",
        "env:SKEY",
    ),
    "https://github.com/Azure-Samples/active-directory-dotnet-daemon/blob/master/TodoListDaemon/App.config": (
        "Web.config",
        WEB_CONFIG,
        "json:Web.config#ida:AppKey",
        "is XML",
        "xmllint",
    ),
    "https://learn.microsoft.com/aspnet/core/fundamentals/configuration/": (
        "a.json",
        f'{{"Duo": {{"Skey": "{SKEY}"}}}}',
        "json:a.json#Duo:Skey",
        "no 'Duo:Skey'",
        "json:a.json#Duo.Skey",
    ),
    "https://learn.microsoft.com/aspnet/core/fundamentals/configuration/#naming-of-environment-variables": (
        "a.json",
        f'{{"Duo": {{"Skey": "{SKEY}"}}}}',
        "json:a.json#Duo__Skey",
        "no 'Duo__Skey'",
        "json:a.json#Duo.Skey",
    ),
    "https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version": (
        "v.json",
        f'{{"data": {{"data": {{"skey": "{SKEY}"}}, "metadata": {{}}}}}}',
        "json:v.json#data.skey",
        "no 'skey'",
        "json:v.json#data.data.skey",
    ),
    "https://github.com/dani-garcia/vaultwarden/blob/main/.env.template": (
        ".env",
        "# DUO_SKEY=<Client Secret>\n",
        "dotenv:.env#DUO_SKEY",
        "in a comment",
        "Remove the #",
    ),
    "https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_environment_variables": (
        "e.ps1",
        f'$env:SKEY = "{SKEY}"\n',
        "dotenv:e.ps1#SKEY",
        "PowerShell",
        "env:SKEY",
    ),
    "https://learn.microsoft.com/windows-server/administration/windows-commands/set_1": (
        "e.bat",
        f"set SKEY={SKEY}\n",
        "dotenv:e.bat#SKEY",
        "batch file",
        "env:SKEY",
    ),
    "https://docs.docker.com/reference/dockerfile/#env": (
        "Dockerfile",
        f"FROM a\nENV SKEY={SKEY}\n",
        "dotenv:Dockerfile#SKEY",
        "Dockerfile",
        "env:SKEY",
    ),
    "https://github.com/joho/godotenv#usage": (
        ".env",
        f"SKEY: {SKEY}\n",
        "dotenv:.env#SKEY",
        "a colon instead of =",
        "SKEY=VALUE",
    ),
    "https://www.unicode.org/charts/PDF/U2000.pdf": (
        ".env",
        f"\u200bSKEY={SKEY}\n",
        "dotenv:.env#SKEY",
        "invisible character",
        "Retype the name",
    ),
    "https://www.rfc-editor.org/rfc/rfc8259#section-7": (
        "v.json",
        f"{{\u201cskey\u201d: \u201c{SKEY}\u201d}}",
        "json:v.json#skey",
        "typographic",
        "json:v.json#skey",
    ),
    "https://www.rfc-editor.org/rfc/rfc8259#section-2": (
        "v.json",
        f'{{\u00a0"skey": "{SKEY}"}}',
        "json:v.json#skey",
        "no-break spaces",
        "json:v.json#skey",
    ),
    "https://vercel.com/docs/project-configuration/vercel-json#env": (
        "vercel.json",
        '{"env": {"SKEY": "@duo-skey"}}',
        "json:vercel.json#env.SKEY",
        "Vercel",
        "vercel env pull",
    ),
    "https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html": (
        "b.yml",
        "env:\n  parameter-store:\n    SKEY: /CodeBuild/duoSkey\n",
        "yaml:b.yml#env.parameter-store.SKEY",
        "a path in a store",
        "env:NAME",
    ),
}


@pytest.mark.parametrize(("name", "text", "reference", "message", "step"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_another_program_makes_or_reads_is_named_with_what_to_do(
    project: Deployment, name: str, text: str, reference: str, message: str, step: str
) -> None:
    project.put(name, text)
    project.references["secret_key"] = f"'{reference}'"
    result = project.run_in_process("check")
    red = result.first_red
    assert (result.exit_code, red["cause"]) == (1, "config.reference-unresolved")
    assert message in red["message"] and step in red["next_step"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("'xml:Web.config#configuration.appSettings.key'", "a reference of another tool"),
        ("'properties:application.properties#duo.skey'", "a reference of another tool"),
    ],
)
def test_a_scheme_that_does_not_exist_is_no_leaked_secret(project: Deployment, value: str, said: str) -> None:
    project.references["secret_key"] = value
    red = project.run_in_process("check").first_red
    assert red["cause"] == "config.reference-unresolved" and said in red["message"]
    assert "rotate" not in red["next_step"]


@pytest.mark.parametrize("value", ["@@AUTH0_SKEY@@", "##AUTH0_SKEY##"])
def test_the_keywords_of_the_deploy_cli_of_auth0_are_placeholders(project: Deployment, value: str) -> None:
    """https://auth0.com/docs/deploy-monitor/deploy-cli-tool/keyword-replacement."""
    project.put("c.json", f'{{"skey": "{value}"}}')
    project.references["secret_key"] = '"json:c.json#skey"'
    assert project.run_in_process("check").first_red["cause"] == "config.placeholder-left"


def test_the_name_of_a_variable_without_braces_is_shown(project: Deployment) -> None:
    """https://docs.gitlab.com/ci/variables/#use-variables-in-other-variables."""
    project.put("c.yml", "variables:\n  SKEY: $DUO_PRODUCTION_SKEY\n")
    project.references["secret_key"] = '"yaml:c.yml#variables.SKEY"'
    assert '"env:DUO_PRODUCTION_SKEY"' in project.run_in_process("check").first_red["next_step"]


def test_a_text_that_ansible_does_not_template_is_a_value(project: Deployment) -> None:
    """https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_advanced_syntax.html."""
    project.put("v.yml", f'skey: !unsafe "{SKEY}"\n')
    project.references["secret_key"] = '"yaml:v.yml#skey"'
    assert project.run_in_process("check").exit_code == 0


@pytest.mark.parametrize(
    ("text", "what", "step"),
    [
        (f'{{\n  "skey": "{SKEY}"\n}}\n', "a whole JSON document", "json:FILE#KEY"),
        (WEB_CONFIG.replace("><", ">\r\n<"), "a whole XML document", "xmllint"),
    ],
)
def test_a_whole_document_is_named_before_its_line_breaks(project: Deployment, text: str, what: str, step: str) -> None:
    """The answer of https://docs.aws.amazon.com/cli/latest/reference/secretsmanager/get-secret-value.html is one."""
    project.put("s", text)
    project.references["secret_key"] = '"file:s"'
    red = project.run_in_process("check").first_red
    assert red["cause"] == "config.malformed-value" and what in red["message"] and step in red["next_step"]


PACT = {
    "consumer": {"name": "login"},
    "provider": {"name": "duo"},
    "metadata": {"pactSpecification": {"version": "4.0"}},
}
MESSAGES = {
    **PACT,
    "messages": [{"description": "m", "contents": {}}],
    "metadata": {"pactSpecification": {"version": "3.0.0"}},
}
PROTOBUF = {
    **PACT,
    "interactions": [
        {
            "type": "Synchronous/HTTP",
            "description": "ping",
            "request": {"method": "GET", "path": "/auth/v2/ping"},
            "response": {"status": 200},
            "pluginConfiguration": {"protobuf": {"descriptorKey": "a"}},
        }
    ],
}


@pytest.mark.parametrize(
    ("pact", "said"),
    [
        # https://github.com/pact-foundation/pact-specification/tree/version-3#introduces-messages-for-services-that-communicate-via-event-streams-and-message-queues
        (json.dumps(MESSAGES), "but of messages"),
        # https://github.com/pact-foundation/pact-plugins/blob/main/docs/interaction-contents.md
        (json.dumps(PROTOBUF), "needs a Pact plugin"),
        ("\ufeff" + json.dumps(PACT), "begins with a byte order mark"),
    ],
)
def test_a_pact_that_cannot_be_compared_says_why(project: Deployment, pact: str, said: str) -> None:
    project.put("p.json", pact)
    project.more = 'contract = "p.json"'
    red = project.run_in_process("check").first_red
    assert (red["cause"], said in red["message"]) == ("contract.out-of-date", True), red


def test_utf_16_without_its_mark_is_named(project: Deployment) -> None:
    """https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_character_encoding."""
    (project.folder / ".env").write_bytes(f"SKEY={SKEY}\r\n".encode("utf-16-le"))
    project.references["secret_key"] = '"dotenv:.env#SKEY"'
    red = project.run_in_process("check").first_red
    assert red["cause"] == "config.reference-unresolved" and "is UTF-16" in red["message"]
    assert "Save it as UTF-8" in red["next_step"]
