"""What each alert is told, and what it makes of it: series, minute by minute, in promtool's notation."""

from dataclasses import dataclass, field
from typing import Any

Series = dict[str, str]


def of(name: str, **labels: str) -> str:
    """A series of the release; `pod` is the server's own label."""
    given = {"namespace": "ml", "job": "mlflow", **labels}
    pairs = ", ".join(f'{label}="{value}"' for label, value in given.items())
    return f"{name}{{{pairs}}}"


@dataclass(frozen=True)
class Case:
    """An alert that fires at a minute, with the labels and the description that an on-call person reads."""

    series: Series
    minute: int
    description: str
    labels: dict[str, str] = field(default_factory=lambda: {"namespace": "ml", "job": "mlflow"})


def pod(name: str, **more: str) -> dict[str, str]:
    return {"namespace": "ml", "job": "mlflow", "pod": name, **more}


def requests(failed: int, fine: int, start: int = 0) -> Series:
    """So many requests a minute, for half an hour."""
    return {
        of("mlflow_http_request_total", pod="a", method="GET", status="200"): f"{start}+{fine}x30",
        of("mlflow_http_request_total", pod="b", method="POST", status="503"): f"0+{failed}x30",
    }


def durations(method: str, slow: int) -> Series:
    """100 requests a minute, of which some take between 5 and 7.5 s, the others less than 0.1 s."""
    name = "mlflow_http_request_duration_seconds_bucket"
    counts = {"0.1": 100 - slow, "5.0": 100 - slow, "7.5": 100, "10.0": 100, "+Inf": 100}
    return {of(name, method=method, status="200", le=le): f"0+{count}x30" for le, count in counts.items()}


def pair(first: str, second: str, used: str, limit: str, **labels: str) -> Series:
    return {of(first, **labels): used, of(second, **labels): limit}


TASK = {"namespace": "ml", "job": "mlflow", "task": "backup"}
FAILED, SUCCESS, MAX_AGE = (
    f"mlflow_task_{name}" for name in ("failed", "last_success_timestamp_seconds", "max_age_seconds")
)


def success(at: str) -> Series:
    """A backup that must not be older than an hour."""
    return {of(SUCCESS, pod="e", task="backup"): at, of(MAX_AGE, pod="e", task="backup"): "3600x200"}


CLAIM = {"namespace": "ml", "persistentvolumeclaim": "mlflow"}
USED, CAPACITY = ("kubelet_volume_stats_used_bytes", "kubelet_volume_stats_capacity_bytes")


def volume(used: int, claim: str = "mlflow") -> Series:
    labels = f'{{namespace="ml", persistentvolumeclaim="{claim}"}}'
    return {f"{USED}{labels}": f"{used}x30", f"{CAPACITY}{labels}": "100x30"}


def logins(refused: int, throttled: int) -> Series:
    """This number of requests fails each minute, on two pods."""
    name = "mlflow_failed_logins_total"
    return {
        of(name, pod="a", reason="refused"): f"0+{refused}x30",
        of(name, pod="b", reason="throttled"): f"0+{throttled}x30",
    }


def index_missing(rows: str) -> Series:
    return {
        of("mlflow_database_index_missing", pod="e", table="runs", columns="run_uuid"): "1x30",
        of("mlflow_database_table_rows", pod="e", table="runs"): rows,
        of("mlflow_database_table_rows", pod="e", table="tags"): "900000x30",
    }


POOL = ("mlflow_database_pool_used", "mlflow_database_pool_limit")
THREADS = ("mlflow_http_requests_in_progress", "mlflow_http_threads")
CONNECTIONS = ("mlflow_database_connections", "mlflow_database_connections_limit")
LOST = "mlflow_audit_lost_lines_total"
LOGINS = "logins failed within 10 minutes. An attacker guesses passwords, or a job has an old one."
DOWN = "None of the server's pods answers its health check: clients cannot track runs or load models."
BLIND = "The metrics of database and artifact store are missing, so their alerts cannot fire."

OVERDUE = "The last successful backup is longer ago than prometheusRule.thresholds allows, or never was."

FIRES: dict[str, list[Case]] = {
    "MLflowDown": [
        Case({of("mlflow_server_up", pod="a"): "1 0x30", of("mlflow_server_up", pod="b"): "0x30"}, 4, DOWN),
        Case({of("mlflow_server_up", pod="a"): "1 1 _x30"}, 12, DOWN),
    ],
    "MLflowServerUnhealthy": [
        Case(
            {of("mlflow_server_up", pod="a"): "1x30", of("mlflow_server_up", pod="b"): "0x30"},
            16,
            "Pod b has not answered its health check for 15 minutes.",
            pod("b"),
        )
    ],
    "MLflowErrors": [
        Case(requests(6, 94), 20, "6.0 % of the requests ended with a status of 500 or more."),
    ],
    "MLflowSlow": [
        Case(durations("GET", 10), 20, "95 of 100 requests take up to 6.25s."),
    ],
    "MLflowSaturated": [
        Case(
            pair(*THREADS, "16x30", "16x30", pod="a"),
            20,
            "100 % of the request threads are taken: new requests wait.",
        ),
    ],
    "MLflowDatabaseUnreachable": [
        Case(
            {of("mlflow_database_up", pod="e"): "1 0x30"},
            5,
            "Every request that needs runs, models or experiments fails with 503 until it is back.",
            pod("e"),
        )
    ],
    "MLflowDatabaseSlow": [
        Case(
            {of("mlflow_database_latency_seconds", pod="e"): "2x30"},
            20,
            "Connecting and asking for the schema revision takes 2s.",
            pod("e"),
        )
    ],
    "MLflowReplicaLagging": [
        Case(
            {of("mlflow_database_replica_lag_seconds", pod="e"): "0+60x30"},
            15,
            "Reads are 15m 0s behind. Jobs do not find what they have just written.",
            pod("e"),
        )
    ],
    "MLflowReplicaUnreachable": [
        Case(
            {of("mlflow_database_replica_up", pod="e"): "1 0x30"},
            10,
            "The primary answers all reads until the replica is back.",
            pod("e"),
        )
    ],
    "MLflowDatabaseConnectionsLow": [
        Case(
            {
                of(CONNECTIONS[0], role="mlflow"): "35x30",
                of(CONNECTIONS[0], role="others"): "60x30",
                of(CONNECTIONS[1]): "100x30",
            },
            10,
            "95 % of the connections that PostgreSQL allows are taken.",
        )
    ],
    "MLflowConnectionPoolFull": [
        Case(
            {
                **pair(*POOL, "1x30", "15x30", pod="a"),
                **pair(*POOL, "15x30", "15x30", pod="b"),
            },
            15,
            "100 % of a pool of pod b is in use. Requests that get no connection fail after 30 s, with 400.",
            pod("b"),
        )
    ],
    "MLflowArtifactStoreUnreachable": [
        Case(
            {of("mlflow_artifact_store_up", pod="e"): "1 0x30"},
            7,
            "Artifacts and models can be neither logged nor loaded.",
            pod("e"),
        )
    ],
    "MLflowSchemaOutOfDate": [
        Case(
            {of("mlflow_schema_up_to_date", pod="e"): "0x30"},
            16,
            "The migration of new pods fails, or has not run. Old pods keep serving; new ones do not start.",
            pod("e"),
        )
    ],
    "MLflowIndexMissing": [
        Case(
            index_missing("200000x30"),
            20,
            "Table runs has no valid index on (run_uuid): requests read all of it.",
            {"namespace": "ml", "job": "mlflow", "pod": "e", "table": "runs", "columns": "run_uuid"},
        )
    ],
    "MLflowStoresUnobserved": [Case({of("mlflow_server_up", pod="a"): "1x30"}, 11, BLIND)],
    "MLflowTaskFailed": [
        Case(
            {
                of(FAILED, pod="e", task="backup"): "0 1x30",
                of(FAILED, pod="e", task="retention"): "0x30",
            },
            10,
            "The last backup failed or was interrupted. Its log has the cause.",
            TASK,
        )
    ],
    "MLflowTaskOverdue": [
        Case(success("0x200"), 125, OVERDUE, TASK),
        # A new exporter pod reports the same success.
        Case(
            {
                of(SUCCESS, pod="e", task="backup"): "600x30 _x200",
                **{name.replace('"e"', '"f"'): value for name, value in success("600x200").items()},
            },
            140,
            OVERDUE,
            TASK,
        ),
    ],
    "MLflowJobsWaiting": [
        Case(
            {of("mlflow_jobs_waiting_seconds", pod="e"): "0+60x60"},
            25,
            "The oldest has waited for 1500 s. The runner does not take it, or is full.",
        )
    ],
    "MLflowFailedLogins": [Case(logins(8, 4), 16, f"120 {LOGINS}")],
    "MLflowAuditLinesLost": [
        Case(
            {of(LOST, pod="a"): "0x10 2x30", of(LOST, pod="b"): "0x10 1x30"},
            16,
            "3 lines could not be written within 15 minutes. The calls themselves were answered.",
        )
    ],
    "MLflowVolumeFull": [Case(volume(90), 10, "90 % of claim mlflow is in use.", CLAIM)],
}

# For each alert: a deployment that is well in this respect, or not long enough unwell. At minute 20.
SILENT: dict[str, list[Series]] = {
    "MLflowDown": [
        {of("mlflow_server_up", pod="a"): "0x30", of("mlflow_server_up", pod="b"): "1x30"},
        {of("mlflow_server_up", pod="a"): "1x17 0 0 1x10"},
    ],
    "MLflowServerUnhealthy": [{of("mlflow_server_up", pod="a"): "0x14 1x16"}],
    "MLflowErrors": [
        requests(4, 96),
        requests(0, 0),
        # One failure among hardly any requests is not an outage.
        {of("mlflow_http_request_total", pod="a", method="GET", status="500"): "0x14 1x16"},
        # A restarted pod counts from 0 again.
        {of("mlflow_http_request_total", pod="a", method="GET", status="200"): "5000+100x15 0+100x15"},
    ],
    "MLflowSlow": [durations("GET", 4), durations("PUT", 50)],
    "MLflowSaturated": [
        pair(*THREADS, "4x30", "16x30", pod="a"),
        {**pair(*THREADS, "16x30", "16x30", pod="a"), **pair(*THREADS, "1x30", "16x30", pod="b")},
    ],
    "MLflowDatabaseUnreachable": [{of("mlflow_database_up", pod="e"): "1x17 0 0 1x10"}],
    "MLflowDatabaseSlow": [{of("mlflow_database_latency_seconds", pod="e"): "0.1x18 3 0.1x10"}],
    "MLflowReplicaLagging": [{of("mlflow_database_replica_lag_seconds", pod="e"): "20x17 60 60 20x11"}, {}],
    "MLflowReplicaUnreachable": [{of("mlflow_database_replica_up", pod="e"): "1x17 0 0 1x10"}, {}],
    "MLflowDatabaseConnectionsLow": [
        {of(CONNECTIONS[0], role="mlflow"): "85x30", of(CONNECTIONS[1]): "100x30"},
    ],
    "MLflowConnectionPoolFull": [pair(*POOL, "12x30", "15x30", pod="a")],
    "MLflowArtifactStoreUnreachable": [{of("mlflow_artifact_store_up", pod="e"): "1x17 0x13"}, {}],
    "MLflowSchemaOutOfDate": [{of("mlflow_schema_up_to_date", pod="e"): "1x10 0x20"}],
    "MLflowIndexMissing": [index_missing("5000x30")],
    "MLflowStoresUnobserved": [{of("mlflow_database_up", pod="e"): "0x30"}],
    "MLflowTaskFailed": [
        {of(FAILED, pod="e", task="backup"): "1x10 0x20"},
        {of(FAILED, pod="old", task="backup"): "1x10", of(FAILED, pod="new", task="backup"): "_x10 0x20"},
    ],
    "MLflowTaskOverdue": [success("0x200"), success("0+60x200"), {}],
    # Each waits a while, and none for long.
    "MLflowJobsWaiting": [{of("mlflow_jobs_waiting_seconds", pod="e"): "0 300 600 0 300 600 840x20"}, {}],
    "MLflowFailedLogins": [logins(5, 4), {}],
    "MLflowAuditLinesLost": [{of(LOST, pod="a"): "7x30"}, {}],
    "MLflowVolumeFull": [volume(80), volume(99, claim="somebody-elses")],
}


def promtool(alert: str, rule: dict[str, Any]) -> list[dict[str, Any]]:
    """All cases of an alert, as `promtool test rules` reads them."""
    tests = [_test(alert, case.series, case.minute, [_expected(case, rule)]) for case in FIRES[alert]]
    return tests + [_test(alert, series, 20, []) for series in SILENT[alert]]


def _expected(case: Case, rule: dict[str, Any]) -> dict[str, Any]:
    said = {**rule["annotations"], "description": case.description}
    return {"exp_labels": {**case.labels, **rule["labels"]}, "exp_annotations": said}


def _test(alert: str, series: Series, minute: int, expected: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": expected}],
    }
