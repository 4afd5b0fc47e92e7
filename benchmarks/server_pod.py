"""Memory and start of a server pod: our default beside what peers run, on the same cluster in one run.

    make up && PYTHONPATH=tests .venv/bin/python -m benchmarks.server_pod

The peer is plain `mlflow server` with MLflow's own defaults (4 workers, background jobs), which is what the
official and the community chart start, in a pod made from the same image, database and object store.
Prints, per variant: seconds from `apply` to Ready on an empty database and on one that has its schema, idle
PSS in MiB of all containers together (`/proc/*/smaps_rollup`), processes; then the ratios.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

import yaml
from e2e.helm import CHART, OUR_IMAGE, Helm
from e2e.kube import Kube, eventually
from e2e.stores import Database, shared_stores
from mlflowops import shell
from mlflowops.console import as_json, out, step, table

from testbed import tools
from testbed.cluster import DEFAULT_NAME, current

SUM_PSS = """
import glob, json, os
total = processes = 0
for path in set(glob.glob('/proc/[0-9]*/smaps_rollup')) - {f'/proc/{os.getpid()}/smaps_rollup'}:
    try:
        total += next(int(line.split()[1]) for line in open(path) if line.startswith('Pss:'))
        processes += 1
    except (OSError, StopIteration):
        pass
print(json.dumps({'mib': round(total / 1024), 'processes': processes}))
"""
VARIANTS: dict[str, dict[str, Any]] = {
    "ours (direct, defaults)": {},
    "plain mlflow server (4 workers, jobs)": {
        "launcher": "upstream",
        "workers": 4,
        "resources": {"limits": {"memory": "6Gi"}},  # ours would kill it
    },
}
# What a peer's server has and our chart refuses to set: jobs in the server's own pod.
PEER_ENV = {"name": "MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "value": "true"}
# As in the root values.yaml; plain `mlflow server` has 40 threads, which must not lock each other out.
POOL = {"poolSize": 20, "maxOverflow": 40}
SETTLE_SECONDS = 15


def measure(kube: Kube, helm: Helm, variant: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Install one variant twice (empty database, then with its schema) and read its memory at rest."""
    name = f"bench-{int(time.time())}"
    kube.create_namespace(name)
    try:
        values = {**shared_stores(kube, name, Database.create(kube, name)), "mlflow": settings}
        values["backendStore"]["postgres"] |= POOL
        objects = _objects(helm, name, values)
        empty = _seconds_to_ready(kube, name, objects)
        _kubectl("delete", name, objects)
        eventually(lambda: not kube.pods(name), 120, "the end of its pods")
        ready = _seconds_to_ready(kube, name, objects)
        return {"variant": variant, "empty_s": empty, "ready_s": ready, **_at_rest(kube, name)}
    finally:
        kube.delete_namespace(name)


def _at_rest(kube: Kube, namespace: str) -> dict[str, int]:
    """Memory of the only pod once it no longer grows: plain `mlflow server` is Ready before its workers."""
    (pod,) = [pod for pod in kube.pods(namespace) if not pod.metadata.deletion_timestamp]
    before = {"mib": 0}
    while True:
        time.sleep(SETTLE_SECONDS)
        said = kube.exec(namespace, pod.metadata.name, ["python", "-c", SUM_PSS], "mlflow")
        now: dict[str, int] = json.loads(said.replace("'", '"'))
        if abs(now["mib"] - before["mib"]) <= now["mib"] / 50:
            return now
        before = now


def _objects(helm: Helm, namespace: str, values: dict[str, Any]) -> str:
    """What the chart renders, in YAML; a peer's server with its own variable."""
    given = yaml.safe_dump({"image": OUR_IMAGE, **values})
    words = ("template", "mlflow", str(CHART), "--namespace", namespace, "--no-hooks", "--values", "-")
    objects = list(yaml.safe_load_all(helm(*words, stdin=given).stdout))
    for each in objects:
        if each["kind"] == "Deployment" and values["mlflow"].get("launcher") == "upstream":
            for container in each["spec"]["template"]["spec"]["containers"]:
                container["env"] = [env for env in container["env"] if env["name"] != PEER_ENV["name"]]
                container["env"].append(PEER_ENV)
    return yaml.safe_dump_all(objects)


def _kubectl(verb: str, namespace: str, objects: str) -> None:
    words = (tools.ensure("kubectl"), verb, "--namespace", namespace, "--filename", "-")
    shell.run(words, stdin=objects)


def _seconds_to_ready(kube: Kube, namespace: str, objects: str) -> float:
    start = time.monotonic()
    _kubectl("apply", namespace, objects)
    kube.wait_ready(namespace, 1, seconds=300)
    return round(time.monotonic() - start, 1)


def main() -> None:
    kubeconfig: Path = current(os.environ.get("MLFLOWOPS_CLUSTER", DEFAULT_NAME)).kubeconfig
    os.environ["KUBECONFIG"] = str(kubeconfig)
    kube, helm = Kube(kubeconfig), Helm(kubeconfig)
    results = []
    for variant, settings in VARIANTS.items():
        with step(variant):
            results.append(measure(kube, helm, variant, settings))
    rows = [[str(value) for value in each.values()] for each in results]
    table(["variant", "Ready, empty db (s)", "Ready (s)", "PSS (MiB)", "processes"], rows, "One server pod")
    ours, peer = results
    out.print(
        f"memory {peer['mib'] / ours['mib']:.1f}x less, Ready {peer['ready_s'] / ours['ready_s']:.1f}x sooner"
    )
    as_json(results)


if __name__ == "__main__":
    main()
