"""References, ciphertexts and variables of other tools are named, in every setting of every provider."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from mfagate.inspection.syntaxes import foreign_syntax

from .healthy import EXAMPLES, inspected

FORMS = [
    "((duo_skey))",
    "((duo-skey.value))",
    "((vault:duo.skey))",
    '((vault:"my secret"."a.b"))',
    "(( duo_skey ))",
    "((/vault/path:duo.skey))",
    '{{ secret "/config/secrets/duo" | squote }}',
    "@Microsoft.KeyVault(SecretUri=https://myvault.vault.azure.net/secrets/mysecret/)",
    "@Microsoft.KeyVault(VaultName=myvault;SecretName=mysecret)",
    "@Microsoft.AppConfiguration(Endpoint=https://x.azconfig.io; Key=duo)",
    "https://myvault.vault.azure.net/secrets/duo/abc",
    "op://vault/item/field",
    "op://Private/Duo Prod/secret key",
    "vault:kv/data/mfa#skey",
    "vault://secret/data/mfa#skey",
    "vault:secret/data/accounts/aws#AWS_SECRET",
    ">>vault:secret/data/mfa#skey",
    "vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQAVZRkFM13ok481zoCmHnSeDX9vyf7w==",
    "ref+vault://secret/mfa#/skey",
    "ref+awssecrets://mfa/skey",
    "secretref+gcpsecrets://p/s",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mfa/duo-AbCdEf",
    "arn:aws:ssm:eu-west-1:123456789012:parameter/mfa/duo",
    "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:x",
    "{{resolve:secretsmanager:mfa:SecretString:skey}}",
    "{{resolve:ssm-secure:/mfa/skey:1}}",
    "projects/my-project/secrets/duo-skey",
    "projects/123/secrets/duo-skey/versions/latest",
    "sm://my-project/duo-skey",
    "sm://duo-skey",
    "berglas://bucket/duo",
    "secret://duo/skey",
    "ENC(G6N718UuyPE5bHyWKyuLQSm02auQPUtm)",
    "ENC[AES256_GCM,data:p673w4DVbNqnc6Ch3NVY9g==,iv:kYjIJIzfHO3=,tag:PM1fdn==,type:str]",
    "ENC[PKCS7,MIIBeQYJKoZIhvcNAQcDoIIBajCCAWYCAQAxggEhMIIBHQ==]",
    "ENC[my_secret]",
    "{cipher}AQA1b2c3d4e5f6",
    "$ANSIBLE_VAULT;1.1;AES256\n6239613062\n",
    "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  62396130",
    "#{Duo.SecretKey}",
    "#{DUO_SKEY}",
    "%(DUO_SKEY)s",
    "${{ secrets.DUO_SKEY }}",
    "${{secrets.DUO_SKEY}}",
    "${{ variables.duoSkey }}",
    "$(DUO_SKEY)",
    "$(duo.skey)",
    "$[variables.duo]",
    "$[[ inputs.duo ]]",
    "<path:secret/data/duo#skey>",
    "<path:kv/data/duo#skey | base64encode>",
    '<+secrets.getValue("duo")>',
    "<< pipeline.parameters.duo >>",
    '<%= ENV["DUO_SKEY"] %>',
    "${ssm:/mfa/duo}",
    "${sm://duo}",
    "$__vault{kv:duo:skey}",
    "%env(DUO_SKEY)%",
    "%{hiera('duo::skey')}",
    "doppler://project/config/DUO_SKEY",
    "bws://d4105690-0bc3-4d90-9e6d-b0a9012c0b62",
    "infisical://prod/DUO_SKEY",
    "akeyless:/mfa/duo",
    "keeper://UID/field/password",
    "gcp-sm://project/secret",
    "aws-sm://mfa/duo",
    "ssm:/mfa/duo",
    "ssm:///mfa/duo",
    "chamber://login/duo",
    "EJ[1:abc:def:ghi]",
    "EV[1:abc:def]",
    "encrypted:BDqDBibm4wsYqMpCjTQ6BsDHmMadg9K3dAt+Z9HPMfLEIRVz50hmLXPXRuDBXaJi",
    "gAAAAABfH-abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz012345==",
    "U2FsdGVkX1+vupppZksvRf5pq5g5XjFRlipRkwB0K1Y=",
    "CfDJ8abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz",
    "2.6DmdNKlm3a+9k/5DFg==|qwerasdfqwerasdf==|zxcvzxcvasdf+9k/=",
    "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----",
    "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----",
    "![nHWo5gyZ]",
    "{AES}abcdef",
    "{xor}LDo8LTor",
    "env://DUO_SKEY",
    "file:///run/secrets/duo",
    "env:DUO_SKEY",
    "k8s://ns/secret/key",
    "s3://bucket/duo",
    "process.env.DUO_SKEY",
    'os.environ["DUO_SKEY"]',
    "!Ref DuoSecret",
    '!Sub "{{resolve:secretsmanager:duo}}"',
    "${{ env.DUO }}",
    "/subscriptions/0000/resourceGroups/x/providers/Microsoft.KeyVault/vaults/v/secrets/duo",
    "pass://vault/item/field",
]

SETTINGS = [(provider, name) for provider, values in EXAMPLES.items() for name in values]

RIGHT_BY_CHANCE = {("auth0", "client_secret", "CfDJ8")}
"""A ciphertext that consists of the letters of a secret."""


@pytest.mark.parametrize("form", FORMS)
def test_no_setting_takes_what_another_tool_has_to_resolve(tmp_path: Path, form: str) -> None:
    for provider, name in SETTINGS:
        if (provider, name, form[:5]) in RIGHT_BY_CHANCE:
            continue
        for literal in (None, name):
            found = inspected(tmp_path, provider, {**EXAMPLES[provider], name: form}, literal=literal)
            assert [str(finding.cause) for finding in found] == ["config.reference-unresolved"], (provider, name)
            shown = json.dumps([found[0].message, dict(found[0].evidence), found[0].next_step], default=str)
            assert found[0].location is not None
            assert "rotate" not in shown


@pytest.mark.parametrize(
    ("form", "whose"),
    [
        ("@Microsoft.KeyVault(VaultName=v;SecretName=s)", "a reference of Azure Key Vault"),
        ("op://Private/Duo Prod/secret key", "a reference of 1Password"),
        ("vault:kv/data/mfa#skey", "a reference of HashiCorp Vault"),
        ("vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQAVZRkFM13ok481zoCm==", "Vault's transit engine encrypted"),
        ("ref+awsssm://mfa/skey", "a reference of vals"),
        ("arn:aws:ssm:eu-west-1:1:parameter/mfa", "a reference of AWS Systems Manager"),
        ("arn:aws-cn:secretsmanager:cn-north-1:1:secret:mfa", "a reference of AWS Secrets Manager"),
        ("projects/p/locations/europe-west3/secrets/s/versions/1", "a reference of Google Secret Manager"),
        ("ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]", "SOPS encrypted"),
        ("{cipher}0f1e2d", "Spring Cloud Config encrypted"),
        ("ENC(0f1e2d==)", "jasypt encrypted"),
        ("$ANSIBLE_VAULT;1.2;AES256;prod", "Ansible Vault encrypted"),
        ("${{ secrets.DUO_SKEY }}", "a variable of GitHub Actions"),
        ("${{ variables.duo }}", "a variable of Azure Pipelines"),
        ("$(DUO_SKEY)", "a variable of Azure Pipelines or Kubernetes"),
        ("#{Duo.SecretKey}", "a variable of Octopus Deploy"),
        ("%(DUO_SKEY)s", "a variable of Python"),
        ("dp.st.prd.0123456789abcdef", "an access token for Doppler"),
        ("$2b$12$" + "a" * 53, "a hash made by bcrypt"),
        ("/run/secrets/duo_skey", "the path of a file"),
        ("DUO_SECRET_KEY", "the name of a variable"),
        ("env://DUO_SKEY", "a reference with ://"),
        ("acme-store://duo", "a reference of another tool"),
        ("https://secrets.contoso.com/duo", "a web address"),
    ],
)
def test_the_tool_is_named(form: str, whose: str) -> None:
    syntax = foreign_syntax(form, secret=True, literal=True)
    assert syntax is not None
    assert whose in syntax.description


@pytest.mark.parametrize(
    "host", ["api-#{DuoApi}.duosecurity.com", "$(H).duosecurity.com", "${{ vars.H }}.duosecurity.com"]
)
def test_a_part_of_an_address_may_be_a_variable(tmp_path: Path, host: str) -> None:
    (finding,) = inspected(tmp_path, "duo", {**EXAMPLES["duo"], "host": host})
    assert finding.cause == "config.reference-unresolved"


@pytest.mark.parametrize(
    "scheme",
    [
        "vault:kv/mfa#key",
        "op://vault/item/field",
        "env://DUO_SKEY",
        "acme-store://duo",
        "aws-secrets-manager:mfa/duo",
        "azure-key-vault:duo",
        "hashicorp-vault:duo",
        "my-secret-store:duo",
        "gcp-sm:duo",
        "ssm-parameter:duo",
    ],
)
def test_an_unknown_scheme_is_never_a_leaked_secret(tmp_path: Path, scheme: str) -> None:
    (finding,) = inspected(tmp_path, "duo", {**EXAMPLES["duo"], "secret_key": scheme}, literal="secret_key")
    assert finding.cause == "config.reference-unresolved"
    assert "env:" in (finding.next_step or "")
    assert "rotate" not in (finding.next_step or "")


def test_what_nothing_resolved_may_have_been_encoded(tmp_path: Path) -> None:
    for form in ("ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]", "op://vault/item/field", "vault:kv/mfa#key"):
        encoded = base64.b64encode(form.encode()).decode()
        (finding,) = inspected(tmp_path, "duo", {**EXAMPLES["duo"], "secret_key": encoded})
        assert finding.cause == "config.reference-unresolved"


def test_a_secret_behind_a_name_and_a_colon_is_a_leaked_secret(tmp_path: Path) -> None:
    for name in ("key", "vault", "skey"):
        value = f"{name}:{EXAMPLES['duo']['secret_key']}"
        (finding,) = inspected(tmp_path, "duo", {**EXAMPLES["duo"], "secret_key": value}, literal="secret_key")
        assert finding.cause == "config.literal-secret"


@pytest.mark.parametrize("text", ["((Tr0ub4dor&3))", "((x)y(z))", "((pass!word))", "((a b+c))", "((x))y", "(((x)))"])
def test_a_password_in_double_parentheses_is_no_variable(text: str) -> None:
    """Only a name or a path that Concourse takes is one: https://concourse-ci.org/vars.html."""
    assert foreign_syntax(text, secret=True, literal=False) is None
