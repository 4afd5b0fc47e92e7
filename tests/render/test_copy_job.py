"""The Job of `mlflowops copy`, made from the Deployment that the chart renders."""

import pytest
from mlflowops.copier.job import FOLDER, PORT, job

from render import kubernetes_schemas
from render.chart import MLFLOW, NEWEST, PYTHON, Json, Manifest, postgres, s3
from render.pss import restricted


def stored(deployment: Json) -> Json:
    """A Deployment as the API server returns it."""
    return {**deployment, "metadata": {**deployment["metadata"], "uid": "u1"}}


@pytest.fixture
def made(rendered: Manifest) -> Json:
    return job(stored(rendered.component("Deployment", "server")), "mlflow-copy-1")


def test_it_is_valid_and_restricted(made: Json) -> None:
    kubernetes_schemas.validate(made, NEWEST)
    assert not restricted(made["spec"]["template"]["spec"])


def test_it_has_what_the_server_has(made: Json, rendered: Manifest) -> None:
    spec, server = made["spec"]["template"]["spec"], rendered.server()
    (container,), mlflow = spec["containers"], rendered.container()
    assert container["command"] == [*PYTHON, "copy", f"--folder={FOLDER}", f"--port={PORT}"]
    same = ("image", "env", "envFrom", "resources", "securityContext")
    assert [container.get(key) for key in same] == [mlflow.get(key) for key in same]
    assert container["volumeMounts"][:-1] == mlflow["volumeMounts"]
    assert spec["volumes"][:-1] == server["volumes"]
    assert (spec["serviceAccountName"], spec["restartPolicy"]) == (server["serviceAccountName"], "Never")
    assert not {"ports", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe"} & set(container)


def test_no_service_and_no_deployment_selects_it_and_the_network_policy_does(
    made: Json, rendered: Manifest
) -> None:
    labels = made["spec"]["template"]["metadata"]["labels"].items()
    for item in rendered.objects:
        if item["kind"] == "Service" and item["spec"].get("selector"):
            assert not item["spec"]["selector"].items() <= labels, item["metadata"]["name"]
        if item["kind"] in ("Deployment", "PodDisruptionBudget"):
            assert not item["spec"]["selector"]["matchLabels"].items() <= labels, item["metadata"]["name"]
        if item["kind"] == "NetworkPolicy" and item["metadata"]["name"] == "mlflow":
            assert item["spec"]["podSelector"]["matchLabels"].items() <= labels


def test_a_postgresql_comes_from_a_secret() -> None:
    deployment = stored(MLFLOW.render({**postgres(), **s3()}).component("Deployment", "server"))
    made = job(deployment, "x", ("old", "uri"))
    (container,) = made["spec"]["template"]["spec"]["containers"]
    reference = {"secretKeyRef": {"name": "old", "key": "uri"}}
    assert container["env"][-1] == {"name": "MLFLOW_KUBERNETES_COPY_SOURCE", "valueFrom": reference}
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Deployment", "mlflow", "u1")
