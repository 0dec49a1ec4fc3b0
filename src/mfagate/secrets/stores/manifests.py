"""Manifests from which something in the cluster makes a Secret, and where to read its values instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mfagate.core.finding import some
from mfagate.core.foreign import quoted


@dataclass(frozen=True, slots=True)
class Maker:
    """Another program that provides a value.

    Args:
        what: A description that completes "there is no value, but …".
        step: What to point the reference at instead.
        names: Names of the Secrets that it makes, besides its own name.
    """

    what: str
    step: str
    names: Sequence[str] = ()


_WHERE_IT_ARRIVES = (
    "Point the reference at what the login service reads: env:NAME or file:PATH in a job of the cluster that gets the "
    "Secret in the same way"
)

_FROM_THE_CLUSTER = (
    _WHERE_IT_ARRIVES + ", or k8s-secret:OUT#… after kubectl get secret {name} -o yaml > OUT in the job."
)

_KINDS: Mapping[str, str] = {
    "SealedSecret": "a SealedSecret: only the controller in the cluster can decrypt its values",
    "ExternalSecret": "an ExternalSecret: its values are in another store, and the operator fetches them",
    "ClusterExternalSecret": "a ClusterExternalSecret: its values are in another store, and the operator fetches them",
    "SecretProviderClass": "a SecretProviderClass: its values are in another store, and the CSI driver mounts them",
    "VaultStaticSecret": "a VaultStaticSecret: its values are in Vault, and the operator fetches them",
    "VaultDynamicSecret": "a VaultDynamicSecret: Vault makes its values when the operator asks",
    "OnePasswordItem": "a OnePasswordItem: its values are in 1Password, and the operator fetches them",
    "InfisicalSecret": "an InfisicalSecret: its values are in Infisical, and the operator fetches them",
    "DopplerSecret": "a DopplerSecret: its values are in Doppler, and the operator fetches them",
    "AzureKeyVaultSecret": "an AzureKeyVaultSecret: its values are in Azure Key Vault, and akv2k8s fetches them",
    "SopsSecret": "a SopsSecret: SOPS encrypted its values, and the operator decrypts them",
    "BitwardenSecret": "a BitwardenSecret: its values are in Bitwarden, and the operator fetches them",
}
"""https://github.com/bitnami-labs/sealed-secrets, https://external-secrets.io/latest/api/externalsecret/,
https://secrets-store-csi-driver.sigs.k8s.io/concepts, https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso,
https://developer.1password.com/docs/k8s/operator/, https://infisical.com/docs/integrations/platforms/kubernetes,
https://docs.doppler.com/docs/kubernetes-operator, https://akv2k8s.io/, https://github.com/isindir/sops-secrets-operator,
https://bitwarden.com/help/secrets-manager-kubernetes-operator/."""


def makes_secrets(kind: str, manifest: Mapping[str, Any], path: str, wanted: tuple[str, str]) -> Maker | None:
    """Return what makes the Secret, if one is made from the manifest.

    Args:
        kind: Its kind.
        manifest: The manifest.
        path: Its file.
        wanted: The name and the key that a reference asks for.
    """
    name, key = wanted
    if kind == "Kustomization":
        return _kustomization(manifest, path, key)
    if kind not in _KINDS:
        return None
    step = _FROM_THE_CLUSTER.format(name=quoted(name, 80))
    if kind == "SopsSecret":
        how = f"sops decrypt {quoted(path, 200)} > OUT"
        step = f"Decrypt it in the job ({how}) and point at OUT with yaml:OUT#…. Or: {step}"
    origin = next(_remote(manifest, key), None)
    return Maker(_KINDS[kind] + (f" ({origin})" if origin else ""), step, tuple(_targets(manifest)))


def _spec(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = manifest.get("spec")
    return spec if isinstance(spec, dict) else {}


def _targets(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the Secrets, if the manifest states other names than its own."""
    spec = _spec(manifest)
    for table in (
        spec.get("target"),
        spec.get("destination"),
        _at(spec, "template", "metadata"),
        _at(spec, "managedSecretReference"),
    ):
        if isinstance(table, dict):
            yield from (str(table[name]) for name in ("name", "secretName") if name in table)
    listed = spec.get("secretObjects") or spec.get("secretTemplates")
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict):
            yield from (str(item[name]) for name in ("secretName", "name") if name in item)


def _remote(manifest: Mapping[str, Any], key: str) -> Iterator[str]:
    """Yield where an ExternalSecret takes a key from."""
    entries = _spec(manifest).get("data")
    for entry in entries if isinstance(entries, list) else ():
        remote = entry.get("remoteRef") if isinstance(entry, dict) and entry.get("secretKey") == key else None
        if isinstance(remote, dict):
            named = " ".join(quoted(remote[part], 80) for part in ("key", "property") if part in remote)
            store = _at(_spec(manifest), "secretStoreRef", "name")
            yield f"{quoted(key, 80)} is {named} of the store {quoted(store, 80)}" if store else f"{key} is {named}"


def _at(table: Any, *keys: str) -> Any:
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def _kustomization(manifest: Mapping[str, Any], path: str, key: str) -> Maker | None:
    """``secretGenerator`` (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/secretgenerator/)."""
    generators = manifest.get("secretGenerator")
    generators = [one for one in generators if isinstance(one, dict)] if isinstance(generators, list) else []
    if not generators:
        return None
    names = [str(one["name"]) for one in generators if "name" in one]
    read = dict.fromkeys(place for one in generators for place in _generated_from(one, path, key))
    step = (
        f"Point at what the generator reads: {' or '.join(read) or 'its files'}. "
        "Or: kustomize build … > OUT in the job, and k8s-secret:OUT#…."
    )
    return Maker(
        f"a secretGenerator of kustomize makes {some([quoted(name, 80) for name in names])}", step, tuple(names)
    )


def _generated_from(generator: Mapping[str, Any], path: str, key: str) -> Iterator[str]:
    """Yield references to the sources of a generator that may have the key."""
    name = quoted(generator.get("name"), 80)
    literals, files = (generator.get(part) for part in ("literals", "files"))
    envs = [generator.get("env"), *(generator["envs"] if isinstance(generator.get("envs"), list) else [])]
    if isinstance(literals, list) and any(str(one).startswith(f"{key}=") for one in literals):
        yield f"yaml:{path}#secretGenerator.{name}.literals.{key}"
    for file in files if isinstance(files, list) else ():
        target, mark, source = str(file).partition("=")
        if target.rpartition("/")[2] == key:
            yield f"file:{quoted(source if mark else target, 200)}"
    yield from (f"dotenv:{quoted(one, 200)}#{key}" for one in envs if isinstance(one, str))
