"""The reference of an image: registry, repository, tag and digest, each once."""

import pytest

from render.chart import MLFLOW_VERSION, Chart, Json, postgres, s3

TAG = f"v{MLFLOW_VERSION}-full"


def images(chart: Chart, values: Json) -> dict[str, str]:
    """The images of the server and of PostgreSQL's programs."""
    backup = {"enabled": True, **values.get("backup", {})}
    manifest = chart.render({**postgres(), **s3(path="a"), **values, "backup": backup})
    pod = manifest.one("CronJob", "mlflow-backup")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return {each["name"]: each["image"] for each in [*pod["containers"], manifest.container()]}


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ({"repository": "ghcr.io/mlflow/mlflow"}, f"ghcr.io/mlflow/mlflow:{TAG}"),
        ({"repository": "quay.io/ml/mlflow"}, f"quay.io/ml/mlflow:{TAG}"),
        ({"repository": "localhost/mlflow"}, f"localhost/mlflow:{TAG}"),
        ({"repository": "registry:5000/mlflow"}, f"registry:5000/mlflow:{TAG}"),
        ({"registry": "quay.io", "repository": "quay.io/ml/mlflow"}, f"quay.io/ml/mlflow:{TAG}"),
        (
            {"registry": "", "repository": "mirror.example.com/ghcr.io/m"},
            f"mirror.example.com/ghcr.io/m:{TAG}",
        ),
        ({"repository": "ml/v1.2"}, f"ghcr.io/ml/v1.2:{TAG}"),
        ({"registry": "", "repository": "mlflow.local"}, f"mlflow.local:{TAG}"),
    ],
)
def test_a_registry_in_the_repository(chart: Chart, image: Json, reference: str) -> None:
    assert images(chart, {"image": image})["mlflow"] == reference


def test_a_registry_in_the_repository_of_the_backups(chart: Chart) -> None:
    values: Json = {"backup": {"image": {"repository": "quay.io/postgres", "tag": "17"}}}
    assert images(chart, values)["postgres"] == "quay.io/postgres:17"


def test_the_same_registry_globally(chart: Chart) -> None:
    values: Json = {"global": {"imageRegistry": "quay.io"}, "image": {"repository": "quay.io/ml/mlflow"}}
    assert images(chart, values)["mlflow"] == f"quay.io/ml/mlflow:{TAG}"
