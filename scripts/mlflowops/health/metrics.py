"""Checks the metrics of the exporters: stores, database connections, failed requests."""

from collections.abc import Iterator

import requests

from mlflowops.health import indexes, release, replica
from mlflowops.health.check import Check, green, red, unknown, yellow
from mlflowops.health.metrics_page import MetricsPage
from mlflowops.health.release import Release
from mlflowops.health.thresholds import Thresholds, read_thresholds
from mlflowops.kube import Json, Reader, forwarded_session

POOLS_PER_WORKER = 2
"""Of each worker: one for tracking, one for the registry."""

CONNECTIONS_PER_REQUEST = 2
"""Connections that one request may hold: logging a batch opens a second while it has the first."""

STORES = {
    "mlflow_database": ("the database", "backendStore"),
    "mlflow_artifact_store": ("the artifact store", "artifactStore"),
}


def checks(found: Release, reader: Reader) -> Iterator[Check]:
    """Yield the checks, if the release has exporters."""
    exporters = [pod for pod in reader.pods(found.labels) if release.container_port(pod, "metrics")]
    if not exporters:
        return
    page, failed = _read_exporters(exporters, reader)
    if failed:
        name, why = failed[0]
        fix = f"`kubectl logs -n {found.namespace} {name} --all-containers` says why"
        yield red("metrics", f"{len(failed)} of {len(exporters)} exporters are silent; {name}: {why}", fix)
    else:
        yield green("metrics", f"{len(exporters)} exporters answer")
    yield from evaluate(page, found, read_thresholds(found.name, reader))


def evaluate(page: MetricsPage, found: Release, thresholds: Thresholds) -> Iterator[Check]:
    """Evaluate the samples."""
    yield from (
        stores(page, thresholds),
        *connections(page, found, thresholds),
        *replica.checks(page, thresholds),
        *indexes.checks(page),
        logging_requests(page, thresholds),
    )


def stores(page: MetricsPage, thresholds: Thresholds) -> Check:
    """Check that the stores answered the exporter, and how fast the database did."""
    up = {metric: page.values(f"{metric}_up") for metric in STORES}
    for metric, values in up.items():
        if 0 in values:
            what, setting = STORES[metric]
            return red(
                "stores",
                f"{what} did not answer the exporter's last look",
                f"is it up, and is {setting} right?",
            )
    if not up["mlflow_database"]:
        return unknown("stores", "the exporter has not looked yet", "wait metrics.storeIntervalSeconds")
    seconds = max(page.values("mlflow_database_latency_seconds"))
    names = " and ".join(STORES[metric][0] for metric, values in up.items() if values)
    detail = f"{names} answered the last look; the database in {1000 * seconds:.0f} ms"
    if seconds <= thresholds["databaseLatencySeconds"]:
        return green("stores", detail)
    return yellow("stores", detail, "is it overloaded or far away? docs/runbooks/MLflowDatabaseSlow.md")


def connections(page: MetricsPage, found: Release, thresholds: Thresholds) -> Iterator[Check]:
    """Check the connections of the database, in use and with every pool full. SQLite has none."""
    allowed = page.values("mlflow_database_connections_limit")
    if not allowed:
        return
    limit, others = allowed[0], sum(page.values("mlflow_database_connections", role="others"))
    used = sum(page.values("mlflow_database_connections"))  # of all roles
    worst_case = others + _worst_case(found)
    detail = f"{used:.0f} of {limit:.0f} in use; with every pool full {worst_case:.0f}"
    fix = "raise max_connections, lower mlflow.threads or backendStore.postgres.poolSize, or use a pooler"
    if 100 * used > thresholds["usagePercent"] * limit:
        yield red("connections", detail, fix)
    elif worst_case > limit:
        yield yellow("connections", detail, fix)
    else:
        yield green("connections", detail)


def _worst_case(found: Release) -> int:
    """Return how many connections the server pods may open together."""
    env = found.env
    pool = int(env.get("MLFLOW_SQLALCHEMYSTORE_POOL_SIZE") or 5) + int(
        env.get("MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW") or 10
    )
    threads = int(env.get("MLFLOW_KUBERNETES_THREADS") or 40)
    workers = int(env.get("MLFLOW_WORKERS") or 1)
    # The primary answers in place of a read replica that is away, which has pools of its own.
    engines = 2 if env.get("MLFLOW_KUBERNETES_READ_REPLICA_HOST") else 1
    return (
        int(found.deployment["spec"]["replicas"])
        * workers
        * POOLS_PER_WORKER
        * engines
        * min(pool, CONNECTIONS_PER_REQUEST * threads)
    )


def logging_requests(page: MetricsPage, thresholds: Thresholds) -> Check:
    """Check the share of POST requests, which write or search, that failed since the pods started."""
    counts = [
        each for each in page.samples.get("mlflow_http_request_total", []) if each[0]["method"] == "POST"
    ]
    total = sum(count for _, count in counts)
    failed = sum(count for labels, count in counts if labels["status"] >= "500")
    if not total:
        return green("logging", "no request has logged anything since the pods started")
    detail = (
        f"{100 - 100 * failed / total:.2f} % of {total:.0f} POST requests succeeded since the pods started"
    )
    if 100 * failed <= thresholds["errorPercent"] * total:
        return green("logging", detail)
    return yellow("logging", detail, "if it goes on, see docs/runbooks/MLflowErrors.md")


def _read_exporters(exporters: list[Json], reader: Reader) -> tuple[MetricsPage, list[tuple[str, str]]]:
    """Return the samples of all exporters, and (pod, error) of those that do not answer."""
    page, failed = MetricsPage(), []
    for pod in exporters:
        try:
            with forwarded_session(reader.api, pod, release.container_port(pod, "metrics") or 0) as session:
                answer = session.get("http://localhost/metrics", timeout=reader.seconds)
                answer.raise_for_status()
            page.add(answer.text)
        except requests.RequestException as error:
            failed.append((pod["metadata"]["name"], str(error)))
    return page, failed
