"""Which prefixes `artifactStore.allowedSources` takes: none that leads to a backup, in any spelling."""

import re

import pytest
from sweep import sweep

from render.chart import MLFLOW, Json, Refused, azure, postgres, s3

BACKUP: Json = {**postgres(), "backup": {"enabled": True, "bucket": "vault", "path": "backups/mlflow"}}
BLOB = "wasbs://vault@account.blob.core.windows.net"


def refused(source: str, store: Json, more: Json = BACKUP) -> bool:
    """Whether it is, with one sentence about it."""
    values = {**more, "artifactStore": {**store["artifactStore"], "allowedSources": [source]}}
    try:
        MLFLOW.render(values)
    except Refused as refusal:
        said = re.findall(r"(?m)^mlflow: artifactStore\.allowedSources: .*; .*\.$", str(refusal))
        assert len(said) == 1, refusal
        return True
    return False


@pytest.mark.parametrize(
    "source",
    sweep(
        ["s3://vault", "s3://vault/", "s3://vault/back", "s3://vault/backups/mlflow",
         "s3://vault/backups/mlflow/", "s3://vault/backups/mlflow/2026", "S3://vault",
         "s3a://vault", "s3n://VAULT/backups", "s3:///vault", "s3:/vault", "s3://vau"],
        4,
    ),
)  # fmt: skip
def test_no_prefix_leads_to_a_backup(source: str) -> None:
    assert refused(source, s3(path="artifacts"))
    assert not refused(source, s3(path="artifacts"), {}), "without backups there is none to protect"


@pytest.mark.parametrize("scheme", sweep(["wasbs", "wasb", "abfss", "abfs", "WASBS"], 5))
@pytest.mark.parametrize("service", ["blob", "dfs"])
def test_nor_by_another_service_of_azure(scheme: str, service: str) -> None:
    source = f"{scheme}://vault@account.{service}.core.windows.net/backups"
    assert refused(source, azure(path="artifacts"))


@pytest.mark.parametrize(
    "source",
    sweep(
        ["/etc", "models", "s3", "s3:", "s3:/", "s3://", "s3:///", "://x", "//x", "file:///x",
         "FILE:/x", "file:x", "s3://a/../b", "s3://a/./b", "s3://a/..", "s3://a//b", "s3://a/%2e%2e/b",
         "s3://a?x", "s3://a#x", "s3://a\\b", "s3://a b", "s3://a\n", "s3://a\tb", "s3://a,b", "1s3://a"],
        4,
    ),
)  # fmt: skip
def test_a_prefix_has_one_meaning(source: str) -> None:
    assert refused(source, s3(path="artifacts"), {})


@pytest.mark.parametrize(
    "source",
    sweep(
        ["s3://other-bucket/models", "s3://other-bucket/", "gs://other/models", f"{BLOB}/models",
         "dbfs:/models", "hdfs://name:8020/models", "s3://vault-2/models", "s3://vault/other",
         "r2://bucket@account/models"],
        4,
    ),
)  # fmt: skip
def test_other_places_are_fine(source: str) -> None:
    assert not refused(source, s3(path="artifacts"))
