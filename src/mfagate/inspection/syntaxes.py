"""Recognise references, ciphertexts and variables of other tools in place of values.

A value of this kind reaches the login service as it is written whenever the tool that should have replaced it did
not run, did not have the right to read the secret, or does not look at this file. Examples from the field:
https://github.com/MicrosoftDocs/azure-docs/issues/27555 and
https://github.com/argoproj-labs/argocd-vault-plugin/issues/507.

Whose a form is, by the tools' own documentation: https://developer.1password.com/docs/cli/secret-reference-syntax,
https://learn.microsoft.com/azure/app-service/app-service-key-vault-references, https://github.com/helmfile/vals,
https://bank-vaults.dev/docs/mutating-webhook/, https://github.com/GoogleCloudPlatform/berglas,
https://argocd-vault-plugin.readthedocs.io/en/stable/howitworks/, https://github.com/getsops/sops,
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html,
https://docs.spring.io/spring-cloud-config/reference/server/encryption-and-decryption.html,
http://www.jasypt.org/encrypting-configuration.html, https://docs.ansible.com/ansible/latest/vault_guide/,
https://docs.datadoghq.com/agent/configuration/secrets-management/, https://dotenvx.com/docs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from mfagate.secrets.reference import SCHEMES, Reference


class SyntaxKind(Enum):
    """The kinds of text that other tools put in place of a value."""

    REFERENCE = auto()
    CIPHERTEXT = auto()
    VARIABLE = auto()
    HASH = auto()
    STORE_TOKEN = auto()


@dataclass(frozen=True, slots=True)
class Syntax:
    """A syntax of another tool, with the step that resolves it.

    ``sentence`` is the description where no tool is known; ``remedy`` is then the whole next step.
    """

    kind: SyntaxKind
    whose: str
    remedy: str
    sentence: str = ""

    @property
    def description(self) -> str:
        """The part of a message after the name of the setting."""
        return self.sentence or _DESCRIPTIONS[self.kind].format(self.whose)


_DESCRIPTIONS = {
    SyntaxKind.REFERENCE: "is a reference of {} that was not resolved",
    SyntaxKind.CIPHERTEXT: "is a value that {} encrypted and that was not decrypted",
    SyntaxKind.VARIABLE: "is a variable of {} that was not replaced",
    SyntaxKind.HASH: "is a hash made by {}, from which the secret cannot be recovered",
    SyntaxKind.STORE_TOKEN: "is an access token for {}, not the value that is stored there",
}


def _other_service(service: str) -> Syntax:
    return Syntax(SyntaxKind.STORE_TOKEN, service, "", f"holds what looks like a token of {service}")


_LONGEST_NAME = 300
"""The longest reference or variable, in characters; ciphertexts are longer."""


def _ref(whose: str, remedy: str) -> Syntax:
    return Syntax(SyntaxKind.REFERENCE, whose, remedy)


def _cipher(whose: str, remedy: str) -> Syntax:
    return Syntax(SyntaxKind.CIPHERTEXT, whose, remedy)


def _variable(whose: str, remedy: str) -> Syntax:
    return Syntax(SyntaxKind.VARIABLE, whose, remedy)


_ONEPASSWORD = _ref("1Password", "start the job with `op run`, or fill the file with `op inject`")
_VAULT = _ref("HashiCorp Vault or OpenBao", "read the field with `vault kv get -field=FIELD PATH`")
_AWS_SECRET = _ref("AWS Secrets Manager", "read it with `aws secretsmanager get-secret-value --secret-id ID`")
_AWS_PARAMETER = _ref("AWS Systems Manager", "read it with `aws ssm get-parameter --with-decryption --name NAME`")
_GOOGLE = _ref("Google Secret Manager", "read it with `gcloud secrets versions access latest --secret=NAME`")
_AZURE = _ref(
    "Azure Key Vault",
    "give the app's identity the right to read the secret (the portal shows the state of each Key Vault reference), "
    "or read it with `az keyvault secret show --query value -o tsv`",
)
_AZURE_CONFIGURATION = _ref(
    "Azure App Configuration",
    "give the app's identity the right to read the store, or read the key with `az appconfig`",
)
_DOPPLER = _ref("Doppler", "start the job with `doppler run`")
_BITWARDEN = _ref("Bitwarden", "start the job with `bws run`, or read it with `bw get`")
_CONFIGURATION_SERVER = "a store of secrets that another tool reads"
_GENERIC = _ref(_CONFIGURATION_SERVER, "let that tool write the value")
_KUBERNETES = _ref("Kubernetes", "read it with `kubectl get secret NAME -o yaml`, and point at that manifest")
_VALS = _ref("vals (helmfile)", "fill the file with `vals eval -f FILE`")
_AKEYLESS = _ref("Akeyless", "read it with `akeyless get-secret-value`")
_KEEPER = _ref("Keeper", "start the job with `ksm exec`")
_CONJUR = _ref("CyberArk Conjur", "start the job with `summon`")

_OF_SCHEMES: tuple[tuple[str, Syntax], ...] = (
    ("op onepassword 1password", _ONEPASSWORD),
    ("vault hashivault hcvault hashicorp-vault openbao bao", _VAULT),
    ("aws-sm awssm aws_sm aws-secretsmanager awssecretsmanager awssecret awssecrets asm secretsmanager", _AWS_SECRET),
    ("ssm awsssm aws-ssm aws-ps awsps aws-parameterstore awsparameterstore", _AWS_PARAMETER),
    ("chamber", _ref("chamber", "start the job with `chamber exec SERVICE --`")),
    ("sm gcp-sm gcpsm gcpsecretmanager gcpsecrets gcp-secretmanager gsm secretmanager", _GOOGLE),
    ("berglas", _ref("berglas", "start the job with `berglas exec --`")),
    ("gs", _ref("berglas (a bucket of Google Cloud Storage)", "start the job with `berglas exec --`")),
    ("akv azurekv azure-kv azurekeyvault azure-keyvault keyvault", _AZURE),
    ("doppler", _DOPPLER),
    ("bw bws bitwarden", _BITWARDEN),
    ("infisical", _ref("Infisical", "start the job with `infisical run`")),
    ("akeyless", _AKEYLESS),
    ("keeper ksm", _KEEPER),
    ("conjur", _CONJUR),
    ("dsv", _ref("Delinea DevOps Secrets Vault", "read it with `dsv secret read`")),
    ("tss", _ref("Delinea Secret Server", "read it with `tss`")),
    ("lastpass lpass", _ref("LastPass", "read it with `lpass show`")),
    ("pass", _ref("a password store (pass, Proton Pass)", "read it with `pass show` or `pass-cli`")),
    ("gopass", _ref("gopass", "read it with `gopass show -o`")),
    ("keychain", _ref("the keychain of macOS", "read it with `security find-generic-password -w`")),
    ("keyring", _ref("the system's keyring", "read it with `keyring get`")),
    ("credhub", _ref("CredHub", "read it with `credhub get`")),
    ("consul", _ref("Consul", "read it with `consul kv get`")),
    ("etcd", _ref("etcd", "read it with `etcdctl get`")),
    ("k8s kubernetes secretkeyref", _KUBERNETES),
    ("sops", _ref("SOPS", "start the job with `sops exec-env FILE`")),
    ("scw", _ref("Scaleway Secret Manager", "read it with `scw secret version access`")),
    ("oci", _ref("Oracle Cloud's vault", "read it with `oci secrets secret-bundle get`")),
    ("secret secrets secretref docker-secret kv lp credential credentials secret-manager", _GENERIC),
    ("s3", _ref("a file in Amazon S3", "fetch it with `aws s3 cp`")),
    ("tfvar", _ref("Terraform", "write the output with `terraform output -raw NAME`")),
    ("tfstate", _ref("Terraform's state", "write the output with `terraform output -raw NAME`")),
)
"""Schemes of references, and the tool that resolves each."""

_SCHEMES = {scheme: syntax for schemes, syntax in _OF_SCHEMES for scheme in schemes.split()}

_STORE_IT = "store the value itself where this job can read it"
_PIPELINE = "let the pipeline write it into the environment of this job"
_RENDER = "render the template first, and check what comes out of it"

_ARGO = _ref("argocd-vault-plugin", "render the manifest with `argocd-vault-plugin generate`")
_SOPS = _cipher("SOPS", "start the job with `sops exec-env FILE`, or decrypt the file with `sops --decrypt`")
_ANSIBLE = _cipher("Ansible Vault", "decrypt it with `ansible-vault decrypt`, or read it in a task of Ansible")
_JASYPT = _cipher("jasypt", "decrypt it with `decrypt.sh` of jasypt or the plugin `jasypt:decrypt`")
_SPRING = _cipher("Spring Cloud Config", "let the config server decrypt it: `curl SERVER/decrypt -d @-`")
_AGE = _cipher("age", "decrypt it with `age --decrypt`")
_PGP = _cipher("PGP (GnuPG)", "decrypt it with `gpg --decrypt`")
_KMS = _cipher("AWS KMS", "decrypt it with `aws kms decrypt`")
_DPAPI = _cipher(
    "Windows (DPAPI)", "read it as the same user on the same machine, and store it where this job can read"
)
_WEBLOGIC = _cipher("WebLogic", _STORE_IT)
_WEBSPHERE = _cipher("WebSphere or Liberty", _STORE_IT)
_WILDFLY = _cipher("WildFly's credential store", _STORE_IT)
_HELIDON = _cipher("Helidon", _STORE_IT)
_CLOUDFORMATION = _ref("CloudFormation", "read what the stack has deployed: CloudFormation resolves it only there")
_AZURE_PIPELINES = _variable("Azure Pipelines", f"map the secret under env: of the step, or {_PIPELINE}")
_ACTIONS = _variable("GitHub Actions", "set it under env: of the job's step, where GitHub replaces it")
_GRAFANA = _ref("Grafana's configuration", _STORE_IT)
_AUTHELIA = Syntax(
    SyntaxKind.REFERENCE,
    "",
    "Refer to the file that it names: file:PATH.",
    "is a template of Authelia or a similar tool that reads a file",
)
"""https://www.authelia.com/reference/guides/templating/#secret"""
_CODE = "set the variable in this job, and point at it as env:NAME"
_HASHED = "Copy the secret itself from the provider; if nobody has it, create another one there."

_ENCLOSED: tuple[tuple[str, str, Syntax], ...] = (
    ("@microsoft.keyvault(", ")", _AZURE),
    ("@microsoft.appconfiguration(", ")", _AZURE_CONFIGURATION),
    ("{{resolve:ssm", "}}", _CLOUDFORMATION),
    ("{{resolve:", "}}", _CLOUDFORMATION),
    ("enc[aes256_gcm,", "]", _SOPS),
    ("enc[pkcs7,", "]", _cipher("hiera-eyaml (Puppet)", "decrypt it with `eyaml decrypt`")),
    ("enc[gpg,", "]", _cipher("hiera-eyaml (Puppet)", "decrypt it with `eyaml decrypt`")),
    ("enc[", "]", _ref("Datadog's agent or a similar tool", _STORE_IT)),
    ("enc(", ")", _JASYPT),
    ("dec(", ")", _JASYPT),
    ("ej[1:", "]", _cipher("ejson", "decrypt the file with `ejson decrypt`")),
    ("ev[1:", "]", _cipher("DigitalOcean's App Platform", "read the value where it was made; DigitalOcean keeps it")),
    ("![", "]", _cipher("MuleSoft's secure properties", "decrypt it with `secure-properties-tool`")),
    ("{aqaaabaaaa", "}", _cipher("Jenkins", "let the pipeline read it with `withCredentials`")),
    ("<path:", ">", _ARGO),
    ("<secret:", ">", _ARGO),
    ("<vault:", ">", _ARGO),
    ("<+", ">", _ref("Harness", _PIPELINE)),
    ("((", "))", _variable("Cloud Foundry, BOSH or Concourse", "write the file with `bosh interpolate -l VARIABLES`")),
    ("<<", ">>", _variable("CircleCI", _PIPELINE)),
    ("<%", "%>", _variable("an ERB or EJS template", _RENDER)),
    ("${{", "}}", _ACTIONS),
    ("$[[", "]]", _variable("GitLab CI", _PIPELINE)),
    ("$[", "]", _AZURE_PIPELINES),
    ("$__file{", "}", _GRAFANA),
    ("$__env{", "}", _GRAFANA),
    ("$__vault{", "}", _GRAFANA),
    ("${enc::", "}", _WILDFLY),
    ("${vault::", "}", _WILDFLY),
    ("${gcm=", "}", _HELIDON),
    ("${aes=", "}", _HELIDON),
    ("${rsa", "}", _HELIDON),
    ("${aes-gcm", "}", _cipher("Quarkus (SmallRye Config)", _STORE_IT)),
    ("${ssm:", "}", _AWS_PARAMETER),
    ("${ssm(", "}", _AWS_PARAMETER),
    ("${aws:", "}", _AWS_SECRET),
    ("${sm://", "}", _GOOGLE),
    ("${sm@", "}", _GOOGLE),
    ("${secretsmanager:", "}", _AWS_SECRET),
    ("${vault:", "}", _VAULT),
    ("${op:", "}", _ONEPASSWORD),
    ("${akv:", "}", _AZURE),
    ("${keyvault:", "}", _AZURE),
    ("${secret:", "}", _GENERIC),
    ("${secrets:", "}", _GENERIC),
    ("${file(", "}", _ref("the Serverless Framework", "let `serverless print` resolve it")),
    ("{{op:", "}}", _ONEPASSWORD),
    ('{{secret"/', "}}", _AUTHELIA),
    ("{{withsecret", "}}", _VAULT),
    ("{{secret", "}}", _VAULT),
    ("{{lookup(", "}}", _ref("Ansible", "run the play that fills the file, and check what it wrote")),
    ("{{query(", "}}", _ref("Ansible", "run the play that fills the file, and check what it wrote")),
    ('{{key"', "}}", _ref("consul-template", "run `consul-template` first, and check what it wrote")),
    ("%env(", ")%", _variable("Symfony", _CODE)),
    ("%{", "}", _variable("Puppet (Hiera) or Terraform", _RENDER)),
    (
        "%(",
        ")s",
        _variable("Python (ConfigParser, % formatting)", "fill the file first, and check what comes out of it"),
    ),
    ("#{", "}", _variable("Octopus Deploy (or Ruby, Spring)", "let Octopus replace it during the deployment")),
)
"""First and last characters of the whole value, in small letters and without blanks."""

_ANYWHERE = (
    "@microsoft.keyvault(",
    "@microsoft.appconfiguration(",
    "{{resolve:",
    "enc[aes256_gcm,",
    "${{",
    "$__vault{",
)
"""They mean this tool inside any value."""

_INSIDE_NAMES = ("#{", "%env(", "<%", "<<", "<+", "$__env{", "$__file{", "${ssm:", "${sm://", "${vault:", "%(")
"""They cannot be a part of a host, an id or an address."""

_BEGINNINGS: tuple[tuple[str, Syntax], ...] = (
    ("{cipher}", _SPRING),
    ("$ANSIBLE_VAULT;", _ANSIBLE),
    ("-----BEGIN AGE ENCRYPTED FILE-----", _AGE),
    ("age-encryption.org/", _AGE),
    ("-----BEGIN PGP MESSAGE-----", _PGP),
    ("-----BEGIN PKCS7-----", _cipher("PKCS #7 (eyaml, S/MIME)", "decrypt it with `openssl cms -decrypt`")),
    ("-----BEGIN CMS-----", _cipher("CMS (S/MIME)", "decrypt it with `openssl cms -decrypt`")),
    ("-----BEGIN ENCRYPTED MESSAGE-----", _cipher("Chef or a similar tool", "decrypt it where it was made")),
    ("\x00GITCRYPT", _cipher("git-crypt", "unlock the repository with `git-crypt unlock`")),
    ("U2FsdGVkX1", _cipher("openssl enc", "decrypt it with `openssl enc -d -a`")),
    ("AQAAANCMnd8BFdERjHoAwE/Cl", _DPAPI),
    ("01000000d08c9ddf0115d1118c7a00c04fc297eb", _DPAPI),
    ("encrypted:", _cipher("dotenvx", "start the job with `dotenvx run`")),
    ("encryptedFile:", _cipher("Spinnaker", _STORE_IT)),
    ("{AES}", _WEBLOGIC),
    ("{AES256}", _WEBLOGIC),
    ("{3DES}", _WEBLOGIC),
    ("{xor}", _WEBSPHERE),
    ("{aes}", _WEBSPHERE),
    ("ref+", _VALS),
    ("secretref+", _VALS),
    ("arn:aws", _AWS_SECRET),
    ("/aws/reference/secretsmanager/", _AWS_SECRET),
    ("//secretmanager.googleapis.com/", _GOOGLE),
    ("https://secretmanager.googleapis.com/", _GOOGLE),
    ("https://1password.com/", _ONEPASSWORD),
    ("ocid1.vaultsecret.", _SCHEMES["oci"]),
    ("crn:v1:", _ref("IBM Cloud Secrets Manager", "read it with `ibmcloud secrets-manager secret`")),
    ("/subscriptions/", _AZURE),
    (">>vault:", _VAULT),
    ("!Ref ", _CLOUDFORMATION),
    ("!Sub ", _CLOUDFORMATION),
    ("!GetAtt ", _CLOUDFORMATION),
    ("!ImportValue ", _CLOUDFORMATION),
    ("Fn::", _CLOUDFORMATION),
    ("!var ", _CONJUR),
    ("!var:", _CONJUR),
    ("!secret ", _ref("Home Assistant or ESPHome (secrets.yaml)", "point at the key in secrets.yaml itself")),
    ("process.env.", _variable("a program in JavaScript", _CODE)),
    ("import.meta.env.", _variable("a program in JavaScript", _CODE)),
    ("os.environ", _variable("a program in Python", _CODE)),
    ("os.getenv(", _variable("a program in Python", _CODE)),
    ("System.getenv(", _variable("a program in Java", _CODE)),
    ("Environment.GetEnvironmentVariable(", _variable("a program in .NET", _CODE)),
    ("ENV[", _variable("a program in Ruby", _CODE)),
    ("ENV.fetch(", _variable("a program in Ruby", _CODE)),
    ("getenv(", _variable("a program in PHP or C", _CODE)),
    ("env('", _variable("a program in PHP (Laravel)", _CODE)),
    ("$env:", _variable("PowerShell", _CODE)),
    ("$env.", _variable("Nushell or a similar tool", _CODE)),
    ('{"Ref":', _CLOUDFORMATION),
    ('{"Fn::', _CLOUDFORMATION),
    ('{"valueFrom":', _KUBERNETES),
    ("map[secretKeyRef:", _KUBERNETES),
    ('{"uri":"https://', _AZURE_CONFIGURATION),
    ("!kms ", _KMS),
    ("!env ", _variable("a reader of YAML", _CODE)),
    ("!ENV ", _variable("a reader of YAML", _CODE)),
    ("!file ", _ref("a reader of YAML", "refer to the file itself: file:PATH")),
    ("!include ", _ref("a reader of YAML", "refer to the value in the included file: yaml:FILE#KEY")),
    ("age1", _cipher("age", "this is the key for which it was encrypted; decrypt the file with `age --decrypt`")),
    ("ghp_", _other_service("GitHub")),
    ("github_pat_", _other_service("GitHub")),
    ("glpat-", _other_service("GitLab")),
    ("xoxb-", _other_service("Slack")),
    ("hvs.", Syntax(SyntaxKind.STORE_TOKEN, "HashiCorp Vault", _VAULT.remedy)),
    ("dp.st.", Syntax(SyntaxKind.STORE_TOKEN, "Doppler", _DOPPLER.remedy)),
    ("dp.pt.", Syntax(SyntaxKind.STORE_TOKEN, "Doppler", _DOPPLER.remedy)),
    ("ops_eyJ", Syntax(SyntaxKind.STORE_TOKEN, "1Password", _ONEPASSWORD.remedy)),
    ("AGE-SECRET-KEY-1", Syntax(SyntaxKind.STORE_TOKEN, "files that age encrypted", _AGE.remedy)),
    ("$argon2", Syntax(SyntaxKind.HASH, "Argon2", _HASHED)),
    ("$pbkdf2", Syntax(SyntaxKind.HASH, "PBKDF2", _HASHED)),
    ("$scrypt$", Syntax(SyntaxKind.HASH, "scrypt", _HASHED)),
    ("{bcrypt}", Syntax(SyntaxKind.HASH, "bcrypt", _HASHED)),
    ("{pbkdf2}", Syntax(SyntaxKind.HASH, "PBKDF2", _HASHED)),
    ("{SSHA}", Syntax(SyntaxKind.HASH, "salted SHA-1", _HASHED)),
)

_AZURE_SECRET_URL = re.compile(
    r"https://[a-z0-9-]+\.(vault|managedhsm)\.(azure\.net|azure\.cn|usgovcloudapi\.net)/.*", re.I
)
_LONG: tuple[tuple[str, int, Syntax], ...] = (
    ("AQICAH", 100, _KMS),
    ("CfDJ8", 80, _cipher("ASP.NET Data Protection", _STORE_IT)),
    ("gAAAAA", 100, _cipher("Fernet (Python, Airflow)", "decrypt it with the key of Fernet")),
    ("Ag", 400, _cipher("Sealed Secrets", "read what the controller made of it: `kubectl get secret NAME -o yaml`")),
)
"""Ciphertexts known by their first bytes, which need some length to be told from a key."""

_TERRAFORM = _variable("Terraform", "write the output with `terraform output -raw NAME`")

_SPECIAL = (
    (re.compile(r"projects/[^/\s]+/(locations/[^/\s]+/)?secrets/[^\s]+"), _GOOGLE),
    (
        re.compile(r"projects/[^/\s]+/locations/[^/\s]+/keyRings/[^\s]+"),
        _cipher("Google Cloud KMS", "`gcloud kms decrypt`"),
    ),
    (re.compile(r"s\.[A-Za-z0-9]{24}"), Syntax(SyntaxKind.STORE_TOKEN, "HashiCorp Vault", _VAULT.remedy)),
    (re.compile(r"(AKIA|ASIA)[A-Z0-9]{16}"), _other_service("AWS")),
    (
        re.compile(r"vault:v\d+:[A-Za-z0-9+/=]+"),
        _cipher("Vault's transit engine", "decrypt it with `vault write transit/decrypt/KEY`"),
    ),
    (re.compile(r"2\.[A-Za-z0-9+/=]+\|[A-Za-z0-9+/=]+\|[A-Za-z0-9+/=]+"), _cipher("Bitwarden", _BITWARDEN.remedy)),
    (re.compile(r"\$2[aby]?\$\d\d\$[./A-Za-z0-9]{53}"), Syntax(SyntaxKind.HASH, "bcrypt", _HASHED)),
    (re.compile(r"\$[156y]\$[^$\s]*\$.+"), Syntax(SyntaxKind.HASH, "crypt", _HASHED)),
    (
        re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{8,}={0,2}--[A-Za-z0-9+/=]{16}--[A-Za-z0-9+/=]{24}"),
        _cipher("Rails (credentials)", "read it with `rails credentials:show`"),
    ),
    (re.compile(r"v1:[A-Za-z0-9+/=]{16}:[A-Za-z0-9+/=]+"), _cipher("Pulumi", "read it with `pulumi config get NAME`")),
    (
        re.compile(r"0\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[A-Za-z0-9]+:[A-Za-z0-9+/=]+"),
        Syntax(SyntaxKind.STORE_TOKEN, "Bitwarden", _BITWARDEN.remedy),
    ),
    (
        re.compile(r"(var|local)\.[a-z_][A-Za-z0-9_]{0,60}|(data|module)\.[a-z_][A-Za-z0-9_.\[\]\"-]{3,120}"),
        _TERRAFORM,
    ),
)
_PIPELINE_OR_POD = re.compile(r"\$\([A-Za-z_][\w.-]*\)")
_IN_PIPELINE_OR_POD = re.compile(r"\$\([A-Za-z_][\w.-]{0,80}\)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+._-]{0,40}):(//)?")
_PLACE_IN_FILE = re.compile(r"[\w./ -]{0,120}\.[A-Za-z]{2,12}(#[^\s#]{1,200})")
"""Such as ``xml:Web.config#configuration.appSettings``."""
_OF_A_STORE = re.compile("vault|secrets?[-_.]|[-_.]secret|kms|ssm|param|keyring|aws|gcp|azure|store|keeper|warden")
_PATH = re.compile(
    r"(/(run|var|etc|mnt|vault|secrets?|home|opt|app|tmp|usr|root|srv|data|certs?|keys?)/|\.{1,2}/|~/|[A-Za-z]:\\[^\s:\\]{1,80}\\)[^\s:]{2,200}"
)
_NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
_WORDS_OF_NAMES = frozenset(
    {"KEY", "SECRET", "TOKEN", "ID", "HOST", "URL", "SKEY", "IKEY", "SID", "DOMAIN", "PASSWORD", "TENANT",
     "CLIENT", "API"}
)  # fmt: skip


def _no_value(sentence: str, next_step: str) -> Syntax:
    return Syntax(SyntaxKind.REFERENCE, "", next_step, sentence)


_WITH_SLASHES = _no_value(
    "holds a reference with ://, and mfagate's references have none",
    "Write it without the slashes, such as env:NAME or file:/path/of/file.",
)
_SECOND_REFERENCE = _no_value(
    "holds a reference of mfagate's own, which is followed once only",
    "Store the value itself there, or let this setting refer to where the value is.",
)
_WEB_ADDRESS = _no_value(
    "holds a web address, not the value that is fetched from there",
    "Let the job fetch the value before mfagate starts, and refer to it as env:NAME or file:PATH.",
)
_UNKNOWN_SCHEME = _no_value(
    "is a reference of another tool (NAME:…) that was not resolved",
    "Let that tool write the value into a variable or a file before mfagate starts, and refer to it as env:NAME or "
    "file:PATH.",
)
_FILE_PATH = _no_value("holds the path of a file, not what is in the file", "Refer to the file itself: file:PATH.")
_VARIABLE_NAME = _no_value(
    "holds the name of a variable, not its value",
    "Refer to the variable itself: env:NAME; in a source, store the value there.",
)


def foreign_syntax(value: str, *, secret: bool, literal: bool, formless: bool = False) -> Syntax | None:
    """Return the syntax of another tool that a value is written in, or None.

    Args:
        value: The text of the setting.
        secret: Whether the setting is a secret; then fewer marks count inside of it.
        literal: Whether it is written in ``integrations.toml`` itself, where a reference of mfagate's was possible.
        formless: Whether it has not the form that the setting must have; then more is told of it.
    """
    text = value.strip().strip("\"'").strip()
    short = text if len(text) <= _LONGEST_NAME else ""
    return (
        _beginning(text)
        or _enclosed(text, secret=secret)
        or _own(short, literal=literal)
        or _special(text, secret=secret or formless)
        or _by_scheme(short, secret=secret, literal=literal or formless)
        or (_place_of_a_secret(short) if secret or formless else None)
        or (_VERCEL_SECRET if formless and secret and _VERCEL.fullmatch(short) else None)
    )


def _beginning(text: str) -> Syntax | None:
    if text.startswith("!vault") and "$ANSIBLE_VAULT" in text:
        return _ANSIBLE
    if text.startswith("arn:aws") and ":ssm:" in text:
        return _AWS_PARAMETER
    if text.startswith("arn:aws") and ":kms:" in text:
        return _KMS
    found = next((syntax for mark, syntax in _BEGINNINGS if text.startswith(mark)), None)
    return found or next(
        (syntax for mark, least, syntax in _LONG if text.startswith(mark) and len(text) >= least), None
    )


def _enclosed(text: str, *, secret: bool) -> Syntax | None:
    bare = "".join(text.lower().split())
    if bare.startswith("#{") and bare.endswith("}#"):
        return None  # a placeholder of the task "Replace Tokens"
    for first, last, syntax in _ENCLOSED:
        if bare.startswith(first) and bare.endswith(last) and (first != "((" or _CONCOURSE.fullmatch(bare)):
            return _of_pipeline(bare) if first == "${{" else syntax
    inside = _ANYWHERE if secret else (*_ANYWHERE, *_INSIDE_NAMES)
    for first, last, syntax in _ENCLOSED:
        if first in inside and first in bare and last in bare[bare.index(first) :] and f"{last}#" not in bare:
            return syntax
    if _PIPELINE_OR_POD.fullmatch(text) or (not secret and _IN_PIPELINE_OR_POD.search(text)):
        return _variable(
            "Azure Pipelines or Kubernetes", f"map it under env: of the step or of the container, or {_PIPELINE}"
        )
    return None


_CONCOURSE = re.compile(r"""\(\((?:[\w./-]+:)?(?:[\w/-]+|"[^"]+")(?:\.(?:[\w-]+|"[^"]+"))*\)\)""")
"""A variable: its source, its path and fields (https://concourse-ci.org/vars.html). Other text in double parentheses
may be a password."""


def _of_pipeline(bare: str) -> Syntax:
    if bare.startswith(("${{variables", "${{parameters")):
        return _AZURE_PIPELINES
    if bare.startswith(("${{secrets.", "${{vars.", "${{env.", "${{inputs.", "${{github.", "${{steps.", "${{needs.")):
        return _ACTIONS
    return _variable("GitHub Actions, Azure Pipelines or OpenShift", _PIPELINE)


def _own(text: str, *, literal: bool) -> Syntax | None:
    """Recognise mfagate's own references: with slashes, or in a source, where they are not followed."""
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() in SCHEMES:
        return _WITH_SLASHES
    reference = None if literal else Reference.parse(text)
    if reference is not None and reference.scheme in SCHEMES and " " not in reference.locator:
        return _SECOND_REFERENCE
    return None


def _by_scheme(text: str, *, secret: bool, literal: bool) -> Syntax | None:
    if _AZURE_SECRET_URL.fullmatch(text):
        return _AZURE
    match = _SCHEME.match(text)
    if match is None:
        return None
    scheme, rest = match[1].lower(), text[match.end() :]
    known = _SCHEMES.get(scheme) or (_UNKNOWN_SCHEME if literal and _OF_A_STORE.search(scheme) else None)
    if match[2]:
        if known in (None, _UNKNOWN_SCHEME) and secret and rest:
            return _WEB_ADDRESS if scheme in ("http", "https") else _UNKNOWN_SCHEME
        return known
    if known is None and literal and _PLACE_IN_FILE.fullmatch(rest):
        return _UNKNOWN_SCHEME
    likely = literal or "/" in rest or "#" in rest
    return known if likely and rest and not rest.isdigit() and " " not in rest else None


def _special(text: str, *, secret: bool) -> Syntax | None:
    found = next((syntax for pattern, syntax in _SPECIAL if pattern.fullmatch(text)), None)
    # A host may be called so.
    return None if found is _TERRAFORM and not secret else found


_ASKING = {"YOUR", "MY", "ENTER", "INSERT", "SOME", "CHANGE", "CHANGEME", "EXAMPLE", "REPLACE", "FILL"}
"""Words of a placeholder, such as YOUR_CLIENT_SECRET, which is the name of no variable."""


def _place_of_a_secret(text: str) -> Syntax | None:
    """Recognise the path of a file or the name of a variable."""
    if _PATH.fullmatch(text):
        return _FILE_PATH
    words = set(text.split("_"))
    if _NAME.fullmatch(text) and _WORDS_OF_NAMES & words and not _ASKING & words:
        return _VARIABLE_NAME
    return None


_CALL = re.compile(r"[\[@$!{%]{0,3}[A-Za-z_][\w.]{0,40}\(([\'\"][^\'\"]{0,200}[\'\"]|[\w.]{0,80})\)[\]}]{0,2}")
_WORD = r"[A-Z]?[a-z][a-z0-9_-]{0,60}(?:[A-Z][a-z0-9_-]{1,60}){0,4}"
_STORE_PATH = re.compile(rf"/?{_WORD}(/{_WORD}){{1,8}}([#:@][\w.-]{{0,60}}){{0,3}}:{{0,2}}")
_VERCEL = re.compile(r"@[a-z][a-z0-9]{0,40}([_-][a-z0-9]{1,40}){0,8}")
_MARKED = re.compile(
    r"(?i)(\{[a-z0-9]{2,12}[}:]|(enc|encrypted|encrypt|crypt|cipher|aes|rsa|des|kms|obf|secure)[:~(]|\$encrypt:).{4,4000}"
)


def likely_syntax(value: str) -> Syntax | None:
    """Return what a value seems to be that has not the form of its setting, or None."""
    text = value.strip().strip("\"'")
    if _CALL.fullmatch(text):
        return _CALLED
    if _STORE_PATH.fullmatch(text):
        return _STORED
    return _MARKED_CIPHER if _MARKED.fullmatch(text) else None


_CALLED = _variable("a template or program (a call)", _RENDER)
_STORED = _no_value(
    "holds a path in a store of secrets, not what is kept there",
    "Let the job read it before mfagate starts, and refer to the result as env:NAME or file:PATH.",
)
_VERCEL_SECRET = _ref("Vercel (or a similar tool)", "read the variable with `vercel env pull FILE`")
"""https://vercel.com/docs/project-configuration/vercel-json#env"""
_MARKED_CIPHER = _cipher("another tool (by the mark in front)", "decrypt it with the tool that wrote it")
