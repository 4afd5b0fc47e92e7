"""What the health check makes of what belongs to a release; tests/e2e asks real ones."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mlflowops.health import (
    backup_age,
    certificate,
    external_secret_status,
    indexes,
    metrics,
    thresholds,
    volume,
)
from mlflowops.health.check import Check
from mlflowops.health.release import Release
from mlflowops.kube import Json

from cli.certificates import self_signed

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
WELL = """
mlflow_database_up 1
mlflow_database_latency_seconds 0.004
mlflow_database_replica_up 1
mlflow_database_replica_lag_seconds 0.4
mlflow_artifact_store_up 1
mlflow_database_connections_limit 97
mlflow_database_connections{role="mlflow"} 5
mlflow_database_connections{role="others"} 2
mlflow_http_request_total{method="POST",status="200"} 980
mlflow_http_request_total{method="POST",status="404"} 10
mlflow_http_request_total{method="POST",status="500"} 10
mlflow_http_request_total{method="GET",status="500"} 1000
"""


def release(replicas: int = 2, **more: Any) -> Release:
    env = {"POOL_SIZE": "20", "MAX_OVERFLOW": "40"}
    variables = [{"name": f"MLFLOW_SQLALCHEMYSTORE_{key}", "value": value} for key, value in env.items()]
    variables += [
        {"name": "MLFLOW_WORKERS", "value": "2"},
        {"name": "MLFLOW_KUBERNETES_THREADS", "value": "8"},
    ]
    template = {"spec": {"containers": [{"name": "mlflow", "env": variables}], **more}}
    metadata = {"name": "mlflow", "namespace": "ml"}
    return Release({"metadata": metadata, "spec": {"replicas": replicas, "template": template}}, [], [])


def lines(text: str, replicas: int = 1) -> dict[str, Check]:
    page = metrics.MetricsPage()
    page.add(text)
    return {check.name: check for check in metrics.evaluate(page, release(replicas), thresholds.defaults())}


def test_numbers_that_are_well() -> None:
    found = lines(WELL)
    assert {name: check.status for name, check in found.items()} == {
        "stores": "ok",
        "connections": "ok",
        "replica": "ok",
        "logging": "ok",
    }
    assert found["stores"].detail.endswith("the database in 4 ms")
    # 1 pod x 2 workers x 2 pools x 16: eight threads cannot use a pool of 60.
    assert found["connections"].detail == "7 of 97 in use; with every pool full 66"
    assert found["logging"].detail.startswith("99.00 % of 1000 POST requests")


@pytest.mark.parametrize(
    ("old", "new", "name", "status", "words"),
    [
        ("database_up 1", "database_up 0", "stores", "red", "is backendStore right"),
        ("artifact_store_up 1", "artifact_store_up 0", "stores", "red", "is artifactStore right"),
        ("mlflow_database_up 1", "", "stores", "unknown", "storeIntervalSeconds"),
        ("seconds 0.004", "seconds 1.2", "stores", "warn", "MLflowDatabaseSlow"),
        ("replica_up 1", "replica_up 0", "replica", "warn", "MLflowReplicaUnreachable"),
        ("lag_seconds 0.4", "lag_seconds 31", "replica", "warn", "MLflowReplicaLagging"),
        ('"others"} 2', '"others"} 90', "connections", "red", "max_connections"),
        ("_limit 97", "_limit 60", "connections", "warn", "poolSize"),
        ('"POST",status="500"} 10', '"POST",status="503"} 100', "logging", "warn", "MLflowErrors"),
    ],
)
def test_a_number_that_is_not(old: str, new: str, name: str, status: str, words: str) -> None:
    assert old in WELL
    found = lines(WELL.replace(old, new))
    assert found[name].status == status
    assert words in found[name].fix


def test_the_connections_of_all_pods_count() -> None:
    assert lines(WELL, replicas=2)["connections"].status == "warn"


def test_pools_for_a_read_replica_may_all_lead_to_the_primary() -> None:
    page = metrics.MetricsPage()
    page.add(WELL)
    found = release(replicas=1)
    variable = {"name": "MLFLOW_KUBERNETES_READ_REPLICA_HOST", "value": "replica"}
    found.deployment["spec"]["template"]["spec"]["containers"][0]["env"].append(variable)
    lines = {check.name: check for check in metrics.evaluate(page, found, thresholds.defaults())}
    assert "with every pool full 130" in lines["connections"].detail


def test_sqlite_has_no_connections() -> None:
    assert "connections" not in lines("mlflow_database_up 1\nmlflow_database_latency_seconds 0.1\n")


def job(suspend: bool = False, **status: float) -> Json:
    """A CronJob whose times are so many hours ago."""
    times = {key: (NOW - timedelta(hours=hours)).isoformat() for key, hours in status.items()}
    made = (NOW - timedelta(days=2)).isoformat()
    return {
        "metadata": {"name": "mlflow-backup", "namespace": "ml", "creationTimestamp": made},
        "spec": {"schedule": "0 3 * * *", "suspend": suspend},
        "status": times,
    }


@pytest.mark.parametrize(
    ("found", "status", "words"),
    [
        (job(lastScheduleTime=9.1, lastSuccessfulTime=9), "ok", "9.0 hours old"),
        (job(lastScheduleTime=1, lastSuccessfulTime=25), "ok", "25.0 hours old"),  # it may be running
        (job(lastScheduleTime=9, lastSuccessfulTime=33), "red", "33.0 hours old"),
        (job(lastScheduleTime=200, lastSuccessfulTime=200), "red", "8 days old"),
        (job(lastScheduleTime=9), "red", "none succeeded, although one began at 2026-05-04 03:00"),
        (job(lastScheduleTime=1), "warn", "none yet"),
        (job(), "warn", "none yet"),
        (job(suspend=True, lastSuccessfulTime=1), "warn", "is suspended"),
    ],
)
def test_a_backup(found: Json, status: str, words: str) -> None:
    check = backup_age.evaluate(found, NOW)
    assert check.status == status
    assert words in check.detail
    assert ("-n ml" in check.fix) is (status != "ok")


@pytest.mark.parametrize(
    ("missing", "rows", "status", "words"),
    [
        (0, 5e6, "ok", "no large table lacks one; the metrics table has 2.0 GiB"),
        (1, 5e6, "warn", "no index on runs (run_uuid)"),
        (1, 5e3, "ok", "no large table lacks one"),
    ],
)
def test_indexes(missing: int, rows: float, status: str, words: str) -> None:
    page = metrics.MetricsPage()
    page.add(
        f'mlflow_database_index_missing{{table="runs",columns="run_uuid"}} {missing}\n'
        f'mlflow_database_table_rows{{table="runs"}} {rows}\n'
        f'mlflow_database_table_size_bytes{{table="metrics"}} {2**31}\n'
    )
    [check] = indexes.checks(page)
    assert check.status == status and words in check.detail
    assert bool(check.fix) is (status != "ok")
    assert indexes.checks(metrics.MetricsPage()) == []


def external(*conditions: Json) -> Json:
    status = {"conditions": list(conditions), "refreshTime": "2026-05-04T11:00:00Z"}
    return {"metadata": {"name": "postgres", "namespace": "ml"}, "spec": {}, "status": status}


def test_external_secrets() -> None:
    ready = external({"type": "Ready", "status": "True"})
    failed = external({"type": "Ready", "status": "False", "message": "could not get secret"})
    assert external_secret_status.evaluate([ready]).detail == "1 synced, the oldest at 2026-05-04T11:00:00Z"
    assert (
        external_secret_status.evaluate([ready, failed]).detail
        == "postgres is not synced: could not get secret"
    )
    assert (
        external_secret_status.evaluate([external()]).detail
        == "postgres is not synced: no controller has processed it"
    )


@pytest.mark.parametrize(("instance", "ours"), [("mlflow", True), ("other", False)])
def test_external_secrets_of_a_task(instance: str, ours: bool) -> None:
    """The Secret of backups is read by no pod of the server: the chart's labels say whose it is."""
    labels = {"app.kubernetes.io/name": "mlflow", "app.kubernetes.io/instance": instance}
    found = release()
    selector = {**labels, "app.kubernetes.io/instance": "mlflow", "app.kubernetes.io/component": "server"}
    found.deployment["spec"]["selector"] = {"matchLabels": selector}
    each = external()
    each["metadata"] |= {"name": "mlflow-backup-secret", "labels": labels}
    assert external_secret_status.belongs_to_release(each, found) is ours


def test_the_secrets_of_a_pod() -> None:
    key = {"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": {"name": "one", "key": "x"}}}
    volumes = [
        {"secret": {"secretName": "three"}},
        {"projected": {"sources": [{"secret": {"name": "four"}}]}},
    ]
    init = [{"env": [key], "envFrom": [{"secretRef": {"name": "two"}}]}]
    assert release(initContainers=init, volumes=volumes).secrets == {"one", "two", "three", "four"}


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        ("[1073741824, 536870912, 0]", "ok", "50 % of 1.0 GiB in use"),
        ("[1073741824, 934155386, 0]", "red", "87 %"),
        ("FileNotFoundError: /mlflow", "red", "the pod's check failed: FileNotFoundError"),
    ],
)
def test_a_volume(answer: str, status: str, words: str) -> None:
    check = volume.evaluate(answer, 85)
    assert check.status == status
    assert words in check.detail


def tls(data: bytes) -> Json:
    return {"data": {"tls.crt": base64.b64encode(data).decode()}}


@pytest.mark.parametrize(
    ("host", "status"),
    [("mlflow.example.com", "ok"), ("a.mlflow.example.com", "red"), ("example.com", "red")],
)
def test_a_wildcard_certificate_is_for_one_more_word(host: str, status: str) -> None:
    check = certificate.evaluate("tls", [host], tls(self_signed("*.example.com", 60)), "ml")
    assert check.status == status


def test_a_secret_without_a_certificate() -> None:
    assert certificate.evaluate("tls", [], tls(b"nonsense"), "ml").detail.startswith(
        "Secret tls holds no cert"
    )
    assert certificate.evaluate("tls", [], {}, "ml").status == "red"
