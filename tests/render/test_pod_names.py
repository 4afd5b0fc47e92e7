"""Containers and volumes of the values never have the name of one of the chart's in the same pod."""

import re

import pytest

from render.chart import KEYS, MLFLOW, Chart, Json, Refused, gcs, nested, postgres

EVERYTHING: Json = {
    **postgres(cleanupRunsEnabled=True, sslRootCertFromSecret={"enabled": True, "name": "ca"}),
    **gcs(path="artifacts", credentialsFromSecret={"enabled": True, "name": "mlflow-gcs-secret"}),
    **KEYS,
    "backup": {
        "enabled": True,
        "beforeMigration": True,
        "drill": {"enabled": True},
        "credentialsFromSecret": {"enabled": True, "name": "mlflow-backup-secret"},
    },
    "jobs": {"enabled": True},
}
LOCAL: Json = {"metrics": {"enabled": False}}
VOLUME: Json = {"emptyDir": {}}
IMAGE: Json = {"image": "example"}


def own(part: str, values: Json, kind: str = "") -> set[str]:
    """Names of the chart's containers or volumes in the pods that the values can add some to."""
    return {
        each["name"]
        for name, pod in MLFLOW.render(values).pods()
        if not name.startswith("Pod/") and name.startswith(kind)
        for key in (part, "initContainers" if part == "containers" else part)
        for each in pod["spec"].get(key, [])
    }


def refused(values: Json) -> list[str]:
    with pytest.raises(Refused) as refusal:
        MLFLOW.render(values)
    return re.findall("(?m)^mlflow: .*$", str(refusal.value))


def sentences(key: str, names: set[str]) -> set[str]:
    return {f'mlflow: {key}: "{name}" is used already; choose another name.' for name in names}


def test_the_values_render_every_pod() -> None:
    names = own("containers", EVERYTHING)
    assert names >= {"mlflow", "schema", "metrics", "postgres", "jobs", "exporter", "retention", "backup"}
    assert names >= {"drill", "restore"}


@pytest.mark.parametrize("values", [EVERYTHING, LOCAL], ids=["everything", "local"])
def test_an_init_container_has_a_name_of_its_own_in_every_pod(values: Json) -> None:
    names = own("containers", values)
    said = refused({**values, "extraInitContainers": [{"name": name, **IMAGE} for name in names]})
    assert len(said) == len(names) and set(said) == sentences("extraInitContainers", names)


@pytest.mark.parametrize("values", [EVERYTHING, LOCAL], ids=["everything", "local"])
def test_a_container_has_a_name_of_its_own_in_the_servers_pod(values: Json) -> None:
    names = own("containers", values, "Deployment/mlflow") - {"jobs", "exporter"}
    said = refused({**values, "extraContainers": [{"name": name, **IMAGE} for name in names]})
    assert len(said) == len(names) and set(said) == sentences("extraContainers", names)


@pytest.mark.parametrize("values", [EVERYTHING, LOCAL], ids=["everything", "local"])
def test_a_volume_has_a_name_of_its_own_in_every_pod(values: Json) -> None:
    names = own("volumes", values)
    said = refused({**values, "extraVolumes": [{"name": name, **VOLUME} for name in names]})
    assert len(said) == len(names) and set(said) == sentences("extraVolumes", names)


@pytest.mark.parametrize("key", ["extraContainers", "extraInitContainers", "extraVolumes"])
def test_two_of_the_values_have_two_names(key: str) -> None:
    item = {"name": "twice", **(VOLUME if key == "extraVolumes" else IMAGE)}
    assert refused({key: [item, item]}) == list(sentences(key, {"twice"}))


@pytest.mark.parametrize("key", ["extraVolumes", "extraVolumeMounts"])
@pytest.mark.parametrize("section", ["", "jobs.", "metrics.exporter.", "tasks.", "test."])
def test_each_section_is_looked_at_alone(section: str, key: str) -> None:
    """Pods are rendered for the sake of their names only where the values add some: these do."""
    item = {"name": "tmp", **VOLUME} if key == "extraVolumes" else {"name": "gone", "mountPath": "/x"}
    (said,) = refused(nested({f"{section}{key}": [item]}))
    assert said.startswith(f"mlflow: {section}{key}: ")


def test_a_name_that_no_pod_has_is_free(chart: Chart) -> None:
    """Names of pods that are off are not reserved, nor are those of other pods than the server's."""
    free = ["postgres", "jobs", "exporter", "retention", "backup", "metrics"]
    manifest = chart.render(
        {
            **LOCAL,
            "extraContainers": [{"name": name, **IMAGE} for name in free],
            "extraVolumes": [{"name": name, **VOLUME} for name in ("exchange", "gcs-credentials", "metrics")],
        }
    )
    assert {each["name"] for each in manifest.server()["containers"]} == {"mlflow", *free}
    beside = chart.render({**EVERYTHING, "extraContainers": [{"name": "retention", **IMAGE}]})
    assert "retention" in {each["name"] for each in beside.server()["containers"]}
