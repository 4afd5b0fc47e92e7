"""Every Secret that a pod reads is fetched, from where the values say, and the examples fit the operator."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from mlflowops.paths import REPO

from render import custom
from render.chart import MLFLOW, Chart, Json, Manifest, postgres, s3

EXAMPLES = sorted((REPO / "examples/external-secrets").glob("*.yaml"))
VAULT = {"enabled": True, "secretStoreRef": {"name": "vault"}}


# What each reference says besides, as the API server would store it (test_stored.py).
STORED = {"conversionStrategy": "Default", "decodingStrategy": "None", "metadataPolicy": "None"}


def place(reference: Json) -> Json:
    """A reference without them."""
    assert STORED.items() <= reference.items()
    return {key: value for key, value in reference.items() if key not in STORED}


def fetched(manifest: Manifest) -> dict[str, dict[str, Json]]:
    """Each Secret that an ExternalSecret makes, its keys, and where each is found."""
    specs = [each["spec"] for each in manifest.objects if each["kind"] == "ExternalSecret"]
    return {
        spec["target"]["name"]: {each["secretKey"]: place(each["remoteRef"]) for each in spec.get("data", [])}
        for spec in specs
    }


def read(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Each (Secret, key) that the chart makes a pod read: as a variable or as a file."""
    for _, pod in manifest.pods():
        for container in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]:
            for entry in container.get("env", []):
                if reference := entry.get("valueFrom", {}).get("secretKeyRef"):
                    yield reference["name"], reference["key"]
        for volume in pod["spec"]["volumes"]:
            for item in volume.get("secret", {}).get("items", []):
                yield volume["secret"]["secretName"], item["key"]


def with_vault(case: Path) -> Json:
    """An example's values with every Secret from a vault."""
    values: Json = yaml.safe_load(case.read_text())
    values["externalSecrets"] = copy.deepcopy(VAULT)
    return values


def test_every_secret_that_a_pod_reads_is_fetched(case: Path) -> None:
    """In every example: a new feature that reads a Secret cannot forget this one."""
    plain: Json = yaml.safe_load(case.read_text()) or {}
    wanted = set(read(MLFLOW.render({**plain, "externalSecrets": {"enabled": False}})))
    if not wanted:
        return
    found = fetched(MLFLOW.render(with_vault(case)))
    assert {(name, key) for name, keys in found.items() for key in keys} == wanted


def test_some_example_reads_secrets() -> None:
    """Else the test above proves nothing."""
    verified = MLFLOW.render(MLFLOW.folder / "ci/verified-tls-values.yaml")
    assert len(set(read(verified))) == 4


def test_off_makes_nothing(chart: Chart) -> None:
    manifest = chart.render({**postgres(), "externalSecrets": {**VAULT, "enabled": False}})
    assert not [item for item in manifest.objects if "external-secrets" in item["apiVersion"]]


def test_a_secret_is_found_under_its_own_name(chart: Chart) -> None:
    manifest = chart.render({**postgres(), "externalSecrets": {**VAULT, "keyPrefix": "prod/"}})
    assert fetched(manifest) == {
        "mlflow-postgres-secret": {"password": {"key": "prod/mlflow-postgres-secret", "property": "password"}}
    }
    spec = manifest.one("ExternalSecret", "mlflow-postgres-secret")["spec"]
    assert spec["secretStoreRef"] == {"name": "vault", "kind": "ClusterSecretStore"}


PLACES: dict[str, tuple[Json, Any]] = {
    "another place": ({"key": "db"}, {"password": {"key": "db", "property": "password"}}),
    "a whole value": ({"data": {"password": {"key": "db-password"}}}, {"password": {"key": "db-password"}}),
    "one property": (
        {"key": "db", "data": {"password": {"property": "pw", "version": "3"}}},
        {"password": {"key": "db", "property": "pw", "version": "3"}},
    ),
    "made by a template": (
        {"key": "db", "data": {"raw": {}}, "template": {"data": {"password": "{{ .raw }}"}}},
        {"raw": {"key": "db"}},
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_may_live_elsewhere(chart: Chart, place: str) -> None:
    where, wanted = PLACES[place]
    secrets = {"mlflow-postgres-secret": where}
    manifest = chart.render({**postgres(), "externalSecrets": {**VAULT, "secrets": secrets}})
    assert fetched(manifest) == {"mlflow-postgres-secret": wanted}
    target = manifest.one("ExternalSecret", "mlflow-postgres-secret")["spec"]["target"]
    assert target.get("template", {}).get("data") == where.get("template", {}).get("data")


def test_one_secret_with_the_keys_of_two_stores_is_fetched_once(chart: Chart) -> None:
    values = {
        **postgres(passwordFromSecret={"name": "all"}),
        **s3(credentialsFromSecret={"enabled": True, "name": "all"}),
        "externalSecrets": VAULT,
    }
    assert {name: set(keys) for name, keys in fetched(chart.render(values)).items()} == {
        "all": {"password", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    }


def test_a_secret_may_come_from_elsewhere(chart: Chart) -> None:
    secrets = {"mlflow-s3-secret": {"enabled": False}}
    values = {**postgres(), **s3(credentialsFromSecret={"enabled": True})}
    manifest = chart.render({**values, "externalSecrets": {**VAULT, "secrets": secrets}})
    assert fetched(manifest).keys() == {"mlflow-postgres-secret"}


def test_a_mentioned_secret_is_fetched_on_demand(chart: Chart) -> None:
    """All of its properties: its keys are unknown."""
    values = {**postgres(), "mlflow": {"envFrom": [{"secretRef": {"name": "more"}}]}}
    assert "more" not in fetched(chart.render({**values, "externalSecrets": VAULT}))
    manifest = chart.render({**values, "externalSecrets": {**VAULT, "secrets": {"more": {}}}})
    assert manifest.one("ExternalSecret", "more")["spec"]["dataFrom"] == [
        {"extract": {"key": "more", **STORED}}
    ]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_fit_the_operator(example: Path) -> None:
    """On top of a database whose password is a Secret; render() holds each object to its definition."""
    values: Json = yaml.safe_load(example.read_text())
    if "kind" in values:
        custom.validate(values)
        return
    manifest = MLFLOW.render({**postgres(), **values})
    assert fetched(manifest).keys() == {"mlflow-postgres-secret"}
    stores = [item for item in manifest.objects if item["kind"] == "SecretStore"]
    assert len(stores) == ("provider" in values["externalSecrets"])
    accounts = [item["metadata"]["name"] for item in manifest.objects if item["kind"] == "ServiceAccount"]
    assert all(f"name: {name}" in yaml.safe_dump(store) for store in stores for name in accounts)


def test_examples_cover_every_cloud() -> None:
    assert {path.stem for path in EXAMPLES} >= {"aws", "azure", "gcp", "vault"}


def test_the_definition_is_strict() -> None:
    """A misspelt field of a provider, which the operator would drop without a message."""
    provider = {"vault": {"server": "https://vault.example.com", "pth": "secret"}}
    with pytest.raises(jsonschema.ValidationError, match="pth"):
        MLFLOW.render({**postgres(), "externalSecrets": {"enabled": True, "provider": provider}})


def test_the_notes_say_who_fills_the_secrets(chart: Chart) -> None:
    assert "vault" not in chart.notes(postgres())
    notes = chart.notes({**postgres(), "externalSecrets": VAULT})
    assert "ClusterSecretStore vault creates them. Check: mlflowops external-secrets" in notes
