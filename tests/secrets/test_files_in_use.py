"""Files as people really have them: other tools' documents, several documents, keys with dots, lists of assignments."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import StoreContext, Stores
from mfagate.secrets.stores.env_files import DOCKER, SYSTEMD, misread
from mfagate.secrets.stores.json_comments import without_comments
from mfagate.secrets.stores.path import MalformedPath, ValuePath, to_write

from .conftest import Missed, Put, Resolve

CANARY = "c4n4ry-s3cret"

APPSETTINGS = """\
{
  // Okta tenant of production, see https://acme.okta.com
  "Okta": {
    "Token": "c4n4ry//s3cret,]", /* the
      token */
    "Scopes": ["a", "b",],
  },
  "Url:Of:Api": "http://x", "a\\"b": "quoted // not a comment",
}
"""

AUTHPROXY = """\
; comment
[main]
debug=true
[radius_server_auto]
ikey=DI1
skey=first
api_host = api-1.duosecurity.com
[ldap_server_auto]
# skey=old
ikey=DI2
skey=second=
api_host: api-1.duosecurity.com
[Mapping user]
group = Class # a, b
"""

COMPOSE = """\
services:
  login:
    environment:
      - DUO_HOST=api-1a2b3c4e.duosecurity.com
      - DUO_SKEY=a=b=c
      - FROM_SHELL
      - EMPTY=
      - TWICE=1
      - TWICE=2
  other:
    environment:
      DUO_HOST: api-2.duosecurity.com
"""

DEPLOYMENT = """\
kind: Deployment
metadata: {name: login}
spec:
  containers:
    - name: sidecar
      image: proxy
    - name: login
      env:
        - name: DUO_HOST
          value: api-1a2b3c4e.duosecurity.com
        - name: DUO_SKEY
          valueFrom: {secretKeyRef: {name: duo, key: skey}}
        - name: POD
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
---
kind: ConfigMap
metadata: {name: login}
data: {DUO_HOST: one, ONLY: here}
---
---
kind: ConfigMap
metadata: {name: other}
data: {DUO_HOST: two}
"""

TFVARS = """\
# comment
duo_host = "api-1.duosecurity.com" // trailing
/* several
lines */
duo = {
  skey  = "a\\"b\\\\c\\u0041$${x}"
  "i.key" : "DI"
}
hosts = ["a", "b"]
pem = <<-EOT
    line one
      line two
  EOT
number = 5
yes = true
nothing = null
computed = file("x")
joined = "${var.a}-b"
"""


@pytest.mark.parametrize(
    ("name", "text", "fragment", "value", "line"),
    [
        ("a.json", APPSETTINGS, "Okta.Token", "c4n4ry//s3cret,]", 4),
        ("a.json", APPSETTINGS, "Okta.Scopes.1", "b", 6),
        ("a.json", APPSETTINGS, "Url:Of:Api", "http://x", 8),
        ("a.json", APPSETTINGS, '"a\\"b"', "quoted // not a comment", 8),
        ("a.json", '{"a.b": {"c": 1}, "d": "e"}', '"a.b".c', 1, 1),
        ("a.json", '{"a.b": {"c": 1}, "d": "e"}', "'a.b'.c", 1, 1),
        ("a.json", '[{"name": "A", "value": "1"}, {"name": "B", "value": "2", "slotSetting": false}]', "B", "2", 1),
        ("a.json", '{"environment": [{"Name": "A", "Value": "x"}]}', "environment.A", "x", 1),
        ("a.json", '{"key": {"kty": "EC", "d": "x"}}', "key", '{"kty": "EC", "d": "x"}', 1),
        ("a.json", '{"token": "token", "name": "name"}', "token", "token", 1),
        ("a.json", '{"a": {"name": "a", "value": "no"}}', "a.name", "a", 1),
        ("a.yaml", "okta.client.orgUrl: https://acme.okta.com\n", '"okta.client.orgUrl"', "https://acme.okta.com", 1),
        ("a.yaml", COMPOSE, "services.login.environment.DUO_HOST", "api-1a2b3c4e.duosecurity.com", 4),
        ("a.yaml", COMPOSE, "services.login.environment.0", "DUO_HOST=api-1a2b3c4e.duosecurity.com", 4),
        ("a.yaml", COMPOSE, "services.login.environment.DUO_SKEY", "a=b=c", 5),
        ("a.yaml", COMPOSE, "services.login.environment.EMPTY", "", 7),
        ("a.yaml", COMPOSE, "services.other.environment.DUO_HOST", "api-2.duosecurity.com", 12),
        ("a.yaml", DEPLOYMENT, "spec.containers.login.env.DUO_HOST", "api-1a2b3c4e.duosecurity.com", 10),
        ("a.yaml", DEPLOYMENT, "data.ONLY", "here", 18),
        ("a.yaml", DEPLOYMENT, "[ConfigMap/other].data.DUO_HOST", "two", 23),
        ("a.yaml", DEPLOYMENT, "[1].data.DUO_HOST", "one", 18),
        ("a.yaml", DEPLOYMENT, "[3].data.DUO_HOST", "two", 23),
        ("a.yaml", "kind: Kustomization\nmetadata: {name: x}\nsecretGenerator:\n- name: duo\n  literals:\n  - skey=x\n",
         "secretGenerator.duo.literals.skey", "x", 6),
        ("a.ini", AUTHPROXY, "ldap_server_auto.skey", "second=", 11),
        ("a.ini", AUTHPROXY, "radius_server_auto.ikey", "DI1", 5),
        ("a.ini", AUTHPROXY, "'Mapping user'.group", "Class # a, b", 14),
        ("a.ini", "a.b.url : https\\://x\n! c\nkey\\:1=\\u0041\\\n  b\n", "'key:1'", "Ab", 3),
        ("a.ini", "a.b.url : https\\://x\n", "'a.b.url'", "https://x", 1),
        ("a.ini", "[mysqld]\nskip-networking\n[a]\ndeps =\n    x\n    y>=1\nskey=z\n", "a.skey", "z", 7),
        ("a.ini", "[Default]\nURL = https://x:8443/a\\b\n", "Default.URL", "https://x:8443/a\\b", 2),
        ("a.tfvars", TFVARS, "duo_host", "api-1.duosecurity.com", 2),
        ("a.tfvars", TFVARS, "duo.skey", 'a"b\\cA${x}', 6),
        ("a.tfvars", TFVARS, 'duo."i.key"', "DI", 7),
        ("a.tfvars", TFVARS, "hosts.1", "b", 9),
        ("a.tfvars", TFVARS, "pem", "line one\n  line two\n", 10),
        ("a.tfvars", TFVARS, "number", 5, 14),
        ("a.tfvars", TFVARS, "yes", True, 15),
    ],
)  # fmt: skip
def test_the_value_is_found_with_its_line(
    put: Put, resolve: Resolve, name: str, text: str, fragment: str, value: Any, line: int
) -> None:
    put(name, text)
    resolved = resolve(f"{name.partition('.')[2]}:{name}#{fragment}")
    assert resolved.value == value
    assert resolved.location is not None
    assert resolved.location.line == line


@pytest.mark.parametrize(
    ("name", "text", "fragment", "message"),
    [
        ("v.json", '{"duo.host": "h", "duo": {"skey": "c4n4ry"}}', "duo.host", "write 'json:v.json#\"duo.host\"'"),
        ("v.json", '{"a": {"b.c": {"d": 1}}}', "a.b.c.d", "write 'json:v.json#a.\"b.c\".d'"),
        ("v.json", '{"Okta:Token": 1}', "Okta.Token", "write json:v.json#Okta:Token"),
        ("v.json", '{"Okta": {"OktaDomain": 1}}', "Okta.oktaDomain", "did you mean 'OktaDomain'?; it has OktaDomain;"),
        ("v.json", '{"Okta": {"org_url": 1}}', "Okta.orgUrl", "write json:v.json#Okta.org_url"),
        ("v.json", '{"a": 1, "b": 2}', "zzz", "there is no 'zzz' under the top; it has a, b"),
        ("v.json", '{"a": ["c4n4ry", "x"]}', "a.zzz", "there is no 'zzz' under a; its items are 0 to 1"),
        ("v.json", '{"a": ["c4n4ryB64==", "c4n4ry1=x"]}', "a.zzz", "there is no 'zzz' under a; its items are 0 to 1"),
        ("v.json", '{"a": {"b": "c4n4ry"}}', "a", "a is a table, not a value; it has b"),
        ("v.json", '{"a": "c4n4ry", // unclosed', "a", "v.json is not valid json (line 1)"),
        ("v.json", "{'a': 'c4n4ry'}", "a", "v.json is not valid json (line 1)"),
        ("v.json", '{"a": "c4n4ry"}', "a.b", "there is no 'b' under a, which is a value, not a table"),
        ("v.json", '{"a": 1}', 'a."b', "a quote is missing or misplaced"),
        ("v.json", '{"a": 1}', '"a"b', "a quote is missing or misplaced"),
        ("v.yaml", COMPOSE, "services.login.environment.FROM_SHELL", "write env:FROM_SHELL"),
        ("v.yaml", COMPOSE, "services.login.environment.TWICE", "the list has 'TWICE' more than once (items 4 and 5)"),
        ("v.yaml", COMPOSE, "services.login.environment.DUO_HOTS", "did you mean 'DUO_HOST'?"),
        ("v.yaml", DEPLOYMENT, "[0].spec.containers.login.env.DUO_SKEY", "write k8s-secret:MANIFEST#duo/skey"),
        ("v.yaml", DEPLOYMENT, "[0].spec.containers.login.env.POD", "sets it from another source (valueFrom)"),
        ("v.yaml", DEPLOYMENT, "data.DUO_HOST", "as in yaml:v.yaml#[ConfigMap/login].data.DUO_HOST"),
        ("v.yaml", DEPLOYMENT, "data.NOPE", "none of its 3 documents in v.yaml has data.NOPE"),
        ("v.yaml", DEPLOYMENT, "[Secret/x].data.NOPE", "no document [Secret/x]; it has Deployment/login"),
        ("v.yaml", "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  c4n4ry\n", "a", "has the tag !vault"),
        ("v.yaml", "a: !Ref Token\n", "a", "has the tag !Ref: another program computes its value"),
        ("v.yaml", "a: {{ .Values.c4n4ry }}\n", "a", "it contains {{ … }}"),
        ("v.ini", AUTHPROXY, "skey", "there is no 'skey' under the top; it has main, radius_server_auto"),
        ("v.ini", AUTHPROXY, "ldap_server.skey", "write ini:v.ini#ldap_server_auto.skey"),
        ("v.ini", "okta.token = c4n4ry\n", "okta.token", "write 'ini:v.ini#\"okta.token\"'"),
        ("v.ini", "# a\nc4n4ry\n", "a", "v.ini is not valid ini (line 2)"),
        ("v.tfvars", TFVARS, "computed", "computed is an expression, but only constants can be read here"),
        ("v.tfvars", TFVARS, "nothing", "nothing is null, not a value"),
        ("v.tfvars", 'a = "c4n4ry"\nb = \n', "a", "v.tfvars is not valid tfvars (line 2)"),
        ("v.tfvars", 'resource "x" "y" {}\n', "a", "v.tfvars is not valid tfvars (line 1)"),
        ("v.yaml", "$ANSIBLE_VAULT;1.1;AES256\n6238\n", "a", "is encrypted by Ansible Vault"),
        ("v.json", '{"a": "ENC[AES256_GCM,data:c4n4ry,type:str]"}', "a", "is encrypted by SOPS"),
    ],
)
def test_a_miss_shows_what_is_there_and_what_to_write(
    put: Put, missed: Missed, name: str, text: str, fragment: str, message: str
) -> None:
    put(name, text)
    said = missed(f"{name.partition('.')[2]}:{name}#{fragment}")
    assert message in said
    assert "c4n4ry" not in said


def test_a_name_with_a_value_in_each_of_several_sections_is_ambiguous(put: Put, missed: Missed) -> None:
    put("authproxy.cfg", AUTHPROXY)
    said = missed("dotenv:authproxy.cfg#skey")
    assert "2 of them define skey with different values" in said
    assert "second" not in said


@pytest.mark.parametrize("text", ["a.url=https\\://x\nb=1\n", "a.url: https://x\nb=1\n"])
def test_javas_properties_have_a_scheme_of_their_own(put: Put, tmp_path: Path, resolve: Resolve, text: str) -> None:
    """Java writes ``:`` with a backslash: https://docs.oracle.com/javase/8/docs/api/java/util/Properties.html#store."""
    put("a.properties", text)
    reference = Reference.parse("dotenv:a.properties#a.url")
    assert reference is not None
    with pytest.raises(Unresolved) as caught:
        Stores(StoreContext(tmp_path, {})).resolve(reference)
    assert "'ini:a.properties#\"a.url\"'" in str(caught.value.next_step)
    put("b.properties", "b = 1\n")
    resolved = resolve("dotenv:b.properties#b")
    assert (resolved.value, resolved.misread) == ("1", ())


def test_the_step_names_the_sections(put: Put, tmp_path: Path) -> None:
    put("authproxy.cfg", AUTHPROXY)
    reference = Reference.parse("dotenv:authproxy.cfg#skey")
    assert reference is not None
    with pytest.raises(Unresolved) as caught:
        Stores(StoreContext(tmp_path, {})).resolve(reference)
    assert "ini:authproxy.cfg#radius_server_auto.skey" in str(caught.value.next_step)
    assert "ini:authproxy.cfg#ldap_server_auto.skey" in str(caught.value.next_step)


def test_sections_that_agree_are_not_ambiguous_and_no_program_misreads_them(put: Put, resolve: Resolve) -> None:
    put("authproxy.cfg", AUTHPROXY.replace("api_host: ", "api_host = "))
    resolved = resolve("dotenv:authproxy.cfg#api_host")
    assert (resolved.value, resolved.misread) == ("api-1.duosecurity.com", ())


def secret(name: str, namespace: str | None = None, key: str = "skey", value: str = "v") -> str:
    where = f", namespace: {namespace}" if namespace else ""
    return f"kind: Secret\nmetadata: {{name: {name}{where}}}\nstringData: {{{key}: {value}}}\n---\n"


TWO = secret("duo", "staging", value="s") + secret("duo", "production", value="p")

FILLED = "is a template that has not been rendered"

EXTERNAL = """\
kind: ExternalSecret
metadata: {name: login-secrets}
spec:
  secretStoreRef: {name: vault}
  target: {name: duo}
  data: [{secretKey: skey, remoteRef: {key: login/duo, property: skey}}]
"""


@pytest.mark.parametrize(
    ("text", "fragment", "value"),
    [
        (TWO, "production/duo/skey", "p"),
        (TWO, "staging/duo/skey", "s"),
        (secret("duo", "production"), "duo/skey", "v"),
        ("kind: List\nitems:\n- kind: Secret\n  metadata: {name: duo}\n  data: {skey: dg==}\n", "duo/skey", "v"),
        ("kind: SecretList\nitems:\n- kind: Secret\n  metadata: {name: duo}\n  data: {skey: dg==}\n", "duo/skey", "v"),
    ],
)
def test_secrets_by_namespace_and_in_lists(put: Put, resolve: Resolve, text: str, fragment: str, value: str) -> None:
    put("s.yaml", text)
    assert resolve(f"k8s-secret:s.yaml#{fragment}").value == value


@pytest.mark.parametrize(
    ("text", "fragment", "message"),
    [
        (TWO, "duo/skey", "has 2 Secrets named duo: staging/duo (line 1) and production/duo (line 5)"),
        (TWO, "test/duo/skey", "no Secret duo in the namespace test; it has staging/duo, production/duo"),
        (secret("duo") + secret("duo"), "duo/skey", "duo (line 1) and duo (line 5); the last one applied"),
        (secret("duo", "a") + secret("duo", "a"), "a/duo/skey", "has 2 Secrets named duo"),
        (secret("duo"), "a/b/duo/skey", "is incomplete: write it like k8s-secret:secret.yaml#mfa/token"),
        (secret("duo"), "/duo/skey", "is incomplete"),
        (EXTERNAL, "duo/skey", "an ExternalSecret: its values are in another store"),
        (EXTERNAL, "duo/skey", "(skey is login/duo skey of the store vault)"),
        (EXTERNAL, "login-secrets/skey", "an ExternalSecret"),
        (EXTERNAL, "other/skey", "no Secret named other, but an ExternalSecret"),
        (secret("a") + EXTERNAL, "other/skey", "no Secret named other; it has a"),
        ("kind: SealedSecret\nmetadata: {name: duo}\nspec: {encryptedData: {skey: A}}\n", "duo/skey", "SealedSecret"),
        ("kind: SecretProviderClass\nmetadata: {name: x}\nspec: {secretObjects: [{secretName: duo}]}\n", "duo/skey",
         "a SecretProviderClass"),
        ("kind: VaultStaticSecret\nmetadata: {name: x}\nspec: {destination: {name: duo}}\n", "duo/skey", "in Vault"),
        ("kind: OnePasswordItem\nmetadata: {name: duo}\nspec: {itemPath: a}\n", "duo/skey", "a OnePasswordItem"),
        ("kind: ConfigMap\nmetadata: {name: duo}\ndata: {skey: x}\n", "duo/skey", "duo is a ConfigMap, not a Secret"),
        ("secretGenerator: [{name: duo, envs: [.env]}]\n", "duo/skey", "a secretGenerator of kustomize makes duo"),
        ("kind: Secret\nmetadata: {name: duo}\ndata:\n  skey: {{ .Values.c4n4ry | b64enc }}\n", "duo/skey", "template"),
        ("kind: Secret\nmetadata: {name: duo}\ndata: {skey: '{{ .Values.c4n4ry }}'}\n", "duo/skey", FILLED),
        ("kind: Secret\nmetadata: {name: duo}\ndata: {skey: '${DUO_SKEY_B64}'}\n", "duo/skey", FILLED),
        ("kind: Secret\nmetadata: {name: duo}\ndata: {skey: <path:kv/data/duo#skey>}\n", "duo/skey", FILLED),
        ("kind: Secret\nmetadata: {name: duo}\ndata: {skey: 'ENC[AES256_GCM,data:c4n4ry]'}\n", "duo/skey", "by SOPS"),
    ],
)  # fmt: skip
def test_what_is_no_secret_is_named(put: Put, missed: Missed, text: str, fragment: str, message: str) -> None:
    put("s.yaml", text)
    said = missed(f"k8s-secret:s.yaml#{fragment}")
    assert message in said
    assert "c4n4ry" not in said


@pytest.mark.parametrize(
    ("content", "message", "step"),
    [
        ("secret".encode("utf-16"), "it is UTF-16, as PowerShell writes it", "Save it as UTF-8"),
        (b"\x30\x82\x09\xff\x02\x01\x03", "as PKCS #12 (.pfx, .p12) and DER are", "openssl pkcs12 -in OLD"),
        (b"\0GITCRYPT\0\xff", "git-crypt encrypted it", "git-crypt unlock"),
        (b"\xfe\xed\xfe\xed\xff", "it is a Java keystore", "keytool"),
        (b"age-encryption.org/v1\n-> ssh-ed25519 a b\n\xff", "age (agenix, sops-nix) encrypted it", "/run/agenix/NAME"),
        (b"caf\xe9", "is not text in UTF-8", None),
    ],
)
def test_files_that_are_no_text_are_named(
    put: Put, tmp_path: Path, content: bytes, message: str, step: str | None
) -> None:
    put("f", content)
    reference = Reference.parse("file:f")
    assert reference is not None
    with pytest.raises(Unresolved) as caught:
        Stores(StoreContext(tmp_path, {})).resolve(reference)
    assert message in str(caught.value)
    assert (step or "None") in str(caught.value.next_step)


@pytest.mark.parametrize(
    ("name", "text", "reference", "step"),
    [
        ("a.properties", "okta.token=x\n", "yaml:a.properties#okta.token", "write dotenv:a.properties#okta.token"),
        ("a.properties", "# c\nokta.token = x\n", "yaml:a.properties#okta.token", "dotenv:a.properties#okta.token"),
        ("a.ini", "[okta]\ntoken = x y\n", "toml:a.ini#okta.token", "Write dotenv:a.ini#token instead of toml:"),
        ("a.tfvars", "a = {\n b = 1\n}\n", "toml:a.tfvars#a.b", "Write tfvars:a.tfvars#a.b instead of toml:"),
        ("v.yaml", "a: {secret: c4n4ry, key: c4n4ry}\n", "yaml:v.yaml#a", "write k8s-secret:MANIFEST#NAME/KEY instead"),
        ("v.yaml", "a: {b: c4n4ry, c.d: 1}\n", "yaml:v.yaml#a", "these: yaml:v.yaml#a.b, 'yaml:v.yaml#a.\"c.d\"'"),
        ("v.yaml", "a: !vault |\n  $ANSIBLE_VAULT;1.1\n", "yaml:v.yaml#a", "decrypt it with ansible-vault"),
        ("v.yaml", "a: {secure: AAABAOz8}\n", "yaml:v.yaml#a", "with `pulumi config get NAME`, or use"),
        ("v.json", '{"a": {"reference": {"keyVault": {"id": "x"}, "secretName": "y"}}}', "json:v.json#a",
         "with `az keyvault secret show`"),
        ("v.json", '{"SecretString": "{\\"skey\\": \\"c4n4ry\\"}"}', "json:v.json#SecretString.skey",
         "jq -r .SecretString IN > OUT"),
        ("v.yaml", "a: !Sub x\n", "yaml:v.yaml#a", "Run that program before the gate"),
        ("a.tfvars", "a = var.b\n", "tfvars:a.tfvars#a", "reads a variable from env:TF_VAR_a"),
        ("a.tf", 'provider "x" {}\n', "tfvars:a.tf#x", "point at the *.tfvars file that sets the value"),
        ("k.yaml", "kind: Secret\nmetadata: {name: duo}\ndata: {a: c4n4ry}\n", "k8s-secret:k.yaml#duo/a",
         "Move the plain value from data to stringData"),
        ("a.yml", "a: 1\n", "json:a.yml#a", "Write yaml:a.yml#a instead of json:a.yml#a."),
        ("a.json", '{"a": {"b": ["x"]}}', "json:a.json#/a/b/0", "write json:a.json#a.b.0 instead"),
        ("a.json", '{"a": {"b": ["x"]}}', "json:a.json#$.a.b[0]", "write json:a.json#a.b.0 instead"),
        ("a.json", '{"a": {"b": ["x"]}}', "json:a.json#a.b[0]", "write json:a.json#a.b.0 instead"),
        ("k.yaml", "secretGenerator: [{name: duo, literals: [skey=x]}]\n", "k8s-secret:k.yaml#duo/skey",
         "Point at what the generator reads: yaml:k.yaml#secretGenerator.duo.literals.skey. Or"),
        ("k.yaml", "secretGenerator: [{name: duo, envs: [.env], files: [skey=s.txt, b/skey, x]}]\n",
         "k8s-secret:k.yaml#duo/skey", "reads: file:s.txt or file:b/skey or dotenv:.env#skey. Or"),
        ("k.yaml", "kind: Secret\nmetadata: {name: '{{ .Name }}'}\nstringData: {a: b}\n", "k8s-secret:k.yaml#duo/a",
         "helm template … > OUT"),
        ("k.yaml", secret("duo", "b"), "k8s-secret:k.yaml#duo/b/skey", "as in k8s-secret:k.yaml#b/duo/skey."),
        ("k.yaml", secret("duo"), "k8s-secret:k.yaml#duo/sKey", "as in k8s-secret:k.yaml#duo/skey."),
        ("k.yaml", secret("duo", "a", "x") + secret("duo", "b"), "k8s-secret:k.yaml#duo/skey", "k.yaml#b/duo/skey"),
        ("k.yaml", "kind: Secret\nmetadata: {name: duo, namespace: b}\ndata: {a.b: dg==}\n", "yaml:k.yaml#data.'a.b'",
         "Write k8s-secret:k.yaml#b/duo/a.b instead of"),
        ("k.yaml", "a: 1\n---\nkind: Secret\nmetadata: {name: duo}\ndata: {skey: dg==}\n", "yaml:k.yaml#data.skey",
         "Write k8s-secret:k.yaml#duo/skey instead of"),
        ("k.yaml", "kind: SealedSecret\nmetadata: {name: duo}\nspec: {encryptedData: {skey: Ag}}\n",
         "yaml:k.yaml#spec.encryptedData.skey", "kubectl get secret duo -o yaml > OUT"),
        ("a.env", "SKEY=encrypted:BN4hgnzQqxSsjzXnP\n", "dotenv:a.env#SKEY", "dotenvx decrypt -f a.env --stdout > OUT"),
    ],
)  # fmt: skip
def test_what_to_write_instead(put: Put, tmp_path: Path, name: str, text: str, reference: str, step: str) -> None:
    put(name, text)
    parsed = Reference.parse(reference)
    assert parsed is not None
    with pytest.raises(Unresolved) as caught:
        Stores(StoreContext(tmp_path, {})).resolve(parsed)
    assert step in str(caught.value.next_step)


def test_each_of_them_says_what_to_do_and_where(put: Put, tmp_path: Path) -> None:
    put("s.yaml", EXTERNAL)
    put("two.yaml", TWO)
    put(".env", "A=${NOT_SET}\n")
    for text, step, place in (
        ("k8s-secret:s.yaml#duo/skey", "env:NAME or file:PATH", "s.yaml:1"),
        ("k8s-secret:two.yaml#duo/skey", "as in k8s-secret:two.yaml#staging/duo/skey", None),
        ("dotenv:.env#A", "Define NOT_SET in the file above line 1", ".env:1"),
    ):
        reference = Reference.parse(text)
        assert reference is not None
        with pytest.raises(Unresolved) as caught:
            Stores(StoreContext(tmp_path, {})).resolve(reference)
        assert step in str(caught.value.next_step)
        assert (str(caught.value.location) if caught.value.location else None) == (place and str(tmp_path / place))


DOTENV = """\
ACCOUNT=1a2b3c4e
HOST="api-${ACCOUNT}.duosecurity.com"
SINGLE='api-${ACCOUNT}'
DEFAULT=${NOT_SET:-d}
PLAIN=$ACCOUNT
FROM_ENVIRONMENT=${REGION}
UNSET=x-${NOT_SET}-${NEITHER}
DEEP=${UNSET}
LATER=${BELOW}
BELOW=1
OWN=a
OWN=${OWN}b
"""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", "api-1a2b3c4e.duosecurity.com"),
        ("SINGLE", "api-1a2b3c4e"),
        ("DEFAULT", "d"),
        ("PLAIN", "$ACCOUNT"),
        ("FROM_ENVIRONMENT", "eu"),
        ("OWN", "ab"),
    ],
)
def test_variables_are_expanded_as_python_dotenv_does(
    put: Put, resolve: Resolve, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    from dotenv import dotenv_values

    monkeypatch.setenv("REGION", "eu")
    path = put(".env", DOTENV)
    assert resolve(f"dotenv:.env#{name}").value == value == dotenv_values(path)[name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("UNSET", "NOT_SET, NEITHER are not set, neither above in the file nor in the environment"),
        ("DEEP", "NOT_SET, NEITHER are not set"),
        ("LATER", "BELOW is defined below, on line 10, but only lines above count"),
        ("ZZZ", "does not define ZZZ; it has ACCOUNT, HOST, SINGLE, DEFAULT, PLAIN and 6 more"),
    ],
)
def test_an_unset_variable_is_named(put: Put, missed: Missed, name: str, message: str) -> None:
    put(".env", DOTENV)
    assert message in missed(f"dotenv:.env#{name}")


OTHERWISE = "systemd's EnvironmentFile reads its spaces, quotes or backslashes differently"
EXPORT = f"{DOCKER} refuses a line that begins with export, and {SYSTEMD} ignores it"


def test_variables_that_double_each_other_end(put: Put, missed: Missed) -> None:
    lines = ["A0=0123456789", *(f"A{number}=${{A{number - 1}}}${{A{number - 1}}}" for number in range(1, 60))]
    put(".env", "\n".join([*lines, "B=${A59}x", "C=ok"]))
    assert "longer than 1 MiB" in missed("dotenv:.env#A59")
    assert "longer than 1 MiB" in missed("dotenv:.env#B")


KEEPS, COMMENT = "docker run --env-file keeps the quotes", "keeps the comment after the value"


@pytest.mark.parametrize(
    ("line", "value", "variables", "expected"),
    [
        ("A=plain", "plain", [], []),
        ("A=with=equals#and:more", "with=equals#and:more", [], []),
        ("A=a b", "a b", [], []),
        ('A="x"', "x", [], [KEEPS]),
        ("A='x'\r\n", "x", [], [KEEPS]),
        ("A=x # note", "x", [], [f"docker run --env-file {COMMENT}", f"systemd's EnvironmentFile {COMMENT}"]),
        ('A="x" # note', "x", [], [f"{KEEPS} and {COMMENT}", f"systemd's EnvironmentFile {COMMENT}"]),
        ("A=x${B}", "x${B}", ["B"], ["docker run --env-file does not expand ${B}",
                                     "systemd's EnvironmentFile does not expand ${B}"]),
        ('A="a\\nb"', "a\nb", [], [KEEPS, OTHERWISE]),
        ('A="a\nb"', "a\nb", [], [f"{KEEPS} and reads only the first line"]),
        ("A=m$word", "m$word", [], ["Docker Compose expands $word"]),
        ("A=m$$word", "m$$word", [], []),
        ("A='m$word'", "m$word", [], [KEEPS]),
        ("A='m${B}'", "m${B}", ["B"], ["Docker Compose does not expand ${B} in single quotes",
                                       "docker run --env-file does not expand ${B} and keeps the quotes",
                                       "systemd's EnvironmentFile does not expand ${B}"]),
        ("A=a\\b", "a\\b", [], [OTHERWISE]),
        ("export A=x", "x", [], [EXPORT]),
        ("A =x", "x", [], ["docker run --env-file refuses the space before ="]),
        ("A= x", "x", [], ["docker run --env-file reads its spaces, quotes or backslashes differently"]),
        ("A=x  ", "x", [], ["docker run --env-file reads its spaces, quotes or backslashes differently"]),
    ],
)  # fmt: skip
def test_values_that_other_programs_read_differently(
    line: str, value: str, variables: list[str], expected: list[str]
) -> None:
    assert list(misread(line, value, variables)) == expected


quick = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(st.lists(st.text(max_size=8), min_size=1, max_size=5), st.sampled_from([None, "0", "ConfigMap/a.b"]))
def test_every_path_that_is_written_is_read_back(steps: list[str], document: str | None) -> None:
    path = ValuePath(steps, document)
    assert ValuePath.parse(str(path)) == path


@given(st.text(alphabet="ab.\"'[]\\ #", max_size=20))
def test_any_text_is_a_path_or_a_malformed_one(text: str) -> None:
    try:
        path = ValuePath.parse(text)
    except MalformedPath:
        return
    assert path.steps
    assert ValuePath.parse(str(path)) == path


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
comments = st.sampled_from([" ", "\n", '// c " [ ,\n', '/* c " ,] */', "/**/"])


@given(st.data(), values)
def test_comments_and_trailing_commas_change_nothing(data: st.DataObject, value: object) -> None:
    def written(node: object) -> str:
        gap = data.draw(comments)
        comma = data.draw(st.sampled_from(["", ","]))
        if isinstance(node, dict) and node:
            pairs = ",".join(f"{gap}{json.dumps(key)}{gap}:{written(item)}" for key, item in node.items())
            return f"{{{pairs}{comma}{gap}}}"
        if isinstance(node, list) and node:
            return f"[{','.join(map(written, node))}{comma}{gap}]"
        return f"{gap}{json.dumps(node)}{gap}"

    text = written(value)
    plain = without_comments(text)
    assert json.loads(plain) == value
    assert len(plain) == len(text)
    assert plain.count("\n") == text.count("\n")


@given(st.text(alphabet='"/*,]}\\ \na', max_size=40))
def test_any_text_keeps_its_lines(text: str) -> None:
    assert without_comments(text).count("\n") == text.count("\n")


@pytest.mark.parametrize("text", ["/*" * 400_000, "//" * 400_000, "," * 800_000, '"' * 800_000, "{,\n" * 200_000])
def test_hostile_comments_take_no_long_time(text: str) -> None:
    assert len(without_comments(text)) == len(text)


hcl = st.recursive(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8) | st.integers(0, 10**6) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.c", max_size=3), inner, max_size=3),
    max_leaves=6,
)


@quick
@given(hcl)
def test_every_constant_of_terraform_is_read_back(value: object) -> None:
    from mfagate.secrets.stores import tfvars

    def written(node: object) -> str:
        if isinstance(node, dict):
            return "{" + ", ".join(f"{string(key)} = {written(item)}" for key, item in node.items()) + "}"
        if isinstance(node, list):
            return "[" + ", ".join(map(written, node)) + "]"
        return string(node) if isinstance(node, str) else json.dumps(node)

    def string(text: str) -> str:
        return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")

    assert tfvars.parse(f"a = {written(value)}\n") == {"a": value}


VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x17E, exclude_characters="\x7f\x85\xa0"), max_size=9)


@quick
@given(VISIBLE, st.sampled_from(["", "[duo]\n"]))
def test_every_value_of_one_line_is_read_back(value: str, section: str) -> None:
    from mfagate.secrets.stores import ini

    written = value if section else value.replace("\\", "\\\\")
    expected = {"duo": {"skey": value}} if section else {"skey": value}
    assert ini.parse(f"{section}skey = {written}\n") == expected


@quick
@given(st.text(st.sampled_from("[]=:#;!\\ \n\tau0"), max_size=30))
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    from mfagate.secrets.stores import ini

    try:
        found = ini.parse(text)
    except ini.IniError as error:
        assert 1 <= error.line <= text.count("\n") + 1
    else:
        assert all(isinstance(value, str | dict) for value in found.values())


def test_the_reference_to_write_can_be_pasted_into_toml() -> None:
    import tomllib

    written = to_write("json", "v.json", ValuePath(["a.b", "c"]))
    assert tomllib.loads(f"x = {written}")["x"] == 'json:v.json#"a.b".c'


def test_the_value_behind_base64_is_not_shown_when_it_is_not_text(put: Put, missed: Missed) -> None:
    encoded = base64.b64encode(b"\xff" + CANARY.encode()).decode()
    put("s.yaml", f"kind: Secret\nmetadata: {{name: duo}}\ndata: {{skey: {encoded}}}\n")
    said = missed("k8s-secret:s.yaml#duo/skey")
    assert "is not text in base64" in said
    assert encoded not in said
