"""Every variable that MLflow and the libraries of its stores read is decided about (environment.yaml)."""

import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from sweep import sweep

from render.chart import MLFLOW
from render.variables import variables

PACKAGES = ["mlflow", "botocore", "azure.core", "azure.identity", "azure.storage.blob", "google.auth"]
PACKAGES += ["google.cloud.storage", "alembic", "sqlalchemy", "requests"]
STORES = re.compile(
    "_?MLFLOW_.*|(AWS|AZURE|BOTO|BOTOCORE|GOOGLE|GCE|GCLOUD|CLOUDSDK|PG)_?.*|.*_(PROXY|CA_BUNDLE)|ALEMBIC_.*"
)
STORE_VARIABLES = yaml.safe_load((MLFLOW.folder / "validation/env-stores.yaml").read_text())
DECIDED = yaml.safe_load(Path(__file__).with_name("environment.yaml").read_text())


@cache
def patterns() -> list[re.Pattern[str]]:
    """The chart's own lists first, then those of this folder."""
    folder = MLFLOW.folder / "validation"
    owned = yaml.safe_load((folder / "env-owned.yaml").read_text())
    refused = yaml.safe_load((folder / "env-refused.yaml").read_text())
    names = [*map(re.escape, owned), *(name for each in refused for name in each["names"]), *STORE_VARIABLES]
    return [re.compile(each) for each in (*names, *(name for group in DECIDED.values() for name in group))]


def boto() -> set[str]:
    """Those that botocore has in a table."""
    found = [each[1] for each in BOTOCORE_DEFAUT_SESSION_VARIABLES.values() if each[1]]
    return {name for each in found for name in ([each] if isinstance(each, str) else each)}


def undecided(names: set[str]) -> list[str]:
    return sorted(
        name
        for name in names
        if STORES.fullmatch(name) and not any(pattern.fullmatch(name) for pattern in patterns())
    )


@pytest.mark.parametrize("package", sweep(PACKAGES[::-1], 6))
def test_every_variable_of_a_package_is_decided_about(package: str) -> None:
    assert undecided(variables(package) | (boto() if package == "botocore" else set())) == []


@pytest.mark.sweep
def test_the_variables_are_found() -> None:
    """Each way to read one: by a constant, by a class of MLflow, by an option of its command line."""
    assert variables("mlflow") >= {
        "MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION", "MLFLOW_S3_UPLOAD_EXTRA_ARGS", "AWS_REGION",
        "MLFLOW_REGISTRY_STORE_URI", "MLFLOW_WORKSPACE_STORE_URI",
    }  # fmt: skip
    assert "AWS_CA_BUNDLE" in boto()


@pytest.mark.sweep
def test_no_pattern_is_left_over() -> None:
    """One that matches nothing would hide what a new version reads under its name."""
    names = boto().union(*map(variables, PACKAGES))
    idle = [
        each
        for each in DECIDED["server"] + DECIDED["client"]
        if not any(re.fullmatch(each, n) for n in names)
    ]
    assert idle == []
