"""The same objects are valid on every supported Kubernetes, by two validators, and under Helm 3 and 4."""

import json
import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from sweep import sweep

from render import custom
from render.chart import CASES, MLFLOW, NEWEST, OTHERS, VERSIONS, Chart, Refused
from testbed import tools

NEWEST_FIRST = VERSIONS[::-1]
SCHEMAS = files("kubernetes_validate") / "kubernetes-json-schema"
KINDS = (
    "clusterrole-rbac-v1",
    "clusterrolebinding-rbac-v1",
    "configmap-v1",
    "cronjob-batch-v1",
    "deployment-apps-v1",
    "horizontalpodautoscaler-autoscaling-v2",
    "ingress-networking-v1",
    "networkpolicy-networking-v1",
    "persistentvolumeclaim-v1",
    "poddisruptionbudget-policy-v1",
    "pod-v1",
    "service-v1",
    "serviceaccount-v1",
)


@pytest.mark.parametrize("version", sweep(NEWEST_FIRST, 5))
def test_every_example_is_valid(case: Path, version: str) -> None:
    """Each rendering validates itself (chart.py); the objects do not depend on the version."""
    assert MLFLOW.render(case, kube_version=version).objects == MLFLOW.render(case).objects


@pytest.mark.parametrize("version", sweep(NEWEST_FIRST, 5))
@pytest.mark.parametrize("chart", OTHERS, ids=lambda chart: chart.folder.name)
def test_local_charts_are_valid(chart: Chart, version: str) -> None:
    assert chart.render(kube_version=version).objects


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the schemas that `write_schemas` makes."""
    return tmp_path_factory.mktemp("schemas")


def write_schemas(folder: Path, version: str) -> None:
    """The wheel's schemas, each in one file: kubeconform does not resolve the addresses they refer to."""
    source = SCHEMAS / f"v{version}-local-strict"
    definitions = json.loads((source / "_definitions.json").read_text())["$defs"]
    folder.mkdir()
    for kind in KINDS:
        schema = json.loads((source / f"{kind}.json").read_text()) | {"$defs": definitions}
        del schema["$id"]
        text = json.dumps(schema).replace("/api/_definitions.json#", "#")
        (folder / f"{kind}.json").write_text(text)
    for group in custom.DEFINITIONS:
        for (api, kind), schema in custom.schemas(group).items():
            name = f"{kind.lower()}-{group.split('.')[0]}-{api.split('/')[1]}"
            (folder / f"{name}.json").write_text(json.dumps(schema))


def kubeconform(schemas: Path, version: str, text: str) -> tuple[int, dict[str, int]]:
    if not (schemas / version).exists():
        write_schemas(schemas / version, version)
    location = f"{schemas / version}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    done = subprocess.run(
        [tools.ensure("kubeconform"), "-strict", "-kubernetes-version", version, "-summary",
         "-output", "json", "-schema-location", location],
        input=text, capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)["summary"]


@pytest.mark.parametrize("version", sweep(NEWEST_FIRST, 5))
@pytest.mark.parametrize("cases", sweep([CASES[::8], CASES], 2), ids=["some", "all"])
def test_kubeconform_agrees(schemas: Path, version: str, cases: list[Path]) -> None:
    text = "---\n".join(MLFLOW.render(case, kube_version=version).text for case in cases)
    count = sum(len(MLFLOW.render(case).objects) for case in cases)
    assert kubeconform(schemas, version, text) == (
        0,
        {"valid": count, "invalid": 0, "errors": 0, "skipped": 0},
    )


def test_kubeconform_can_fail(schemas: Path) -> None:
    service = MLFLOW.render().one("Service")
    service = {**service, "spec": {**service["spec"], "ports": [{"port": 80, "taregtPort": 1}]}}
    code, summary = kubeconform(schemas, NEWEST, yaml.safe_dump(service))
    assert code and summary["invalid"] == 1


def test_older_kubernetes_is_refused(chart: Chart) -> None:
    with pytest.raises(Refused, match=re.escape(f"requires kubeVersion: >={VERSIONS[0]}-0")):
        chart.render(kube_version="1.32.9")


def test_kubernetes_of_a_cloud_is_taken(chart: Chart) -> None:
    """EKS and GKE put a suffix behind the version, which plain comparison takes for a pre-release."""
    assert chart.render(kube_version="v1.33.2-eks-1a2b3c4").objects == chart.render().objects


@pytest.mark.sweep
def test_helm_3_renders_the_same(case: Path) -> None:
    assert MLFLOW.render(case, helm="helm3").objects == MLFLOW.render(case).objects
