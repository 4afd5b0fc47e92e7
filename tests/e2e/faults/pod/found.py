"""Compare /tmp/record (see steady.py) with what the server has: found.py URL NAME prints the differences."""

import collections
import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter, Retry

SERVER, NAME = sys.argv[1], sys.argv[2]
FOLDER = Path(os.environ.get("PEOPLE_FOLDER", "/tmp"))
API = f"{SERVER}/api/2.0/mlflow"
FILES = f"{SERVER}/api/2.0/mlflow-artifacts/artifacts"
EXPERIMENT = (FOLDER / "experiment").read_text()
# What is there does not depend on the way to it: the Service may lead to a pod that is gone for some seconds.
session = requests.Session()
again = Retry(10, backoff_factor=0.5, backoff_max=5, allowed_methods=None, status_forcelist=[503])
session.mount("http://", HTTPAdapter(max_retries=again, pool_maxsize=8))


def get(path, **params):
    answer = session.get(f"{API}/{path}", params=params, timeout=60)
    answer.raise_for_status()
    return answer.json()


def pages(path, list_name, **body):
    token = None
    while True:
        answer = session.post(f"{API}/{path}", json={**body, "page_token": token}, timeout=60)
        answer.raise_for_status()
        yield from answer.json().get(list_name, [])
        token = answer.json().get("next_page_token")
        if not token:
            return


def of_run(run):
    """What a run holds."""
    name = run["info"]["run_id"]
    yield "run", run["info"]["run_name"]
    for kind in ("param", "tag"):
        for each in run["data"].get(f"{kind}s", []):
            if not each["key"].startswith("mlflow."):
                yield kind, name, each["key"], each["value"]
    for key in {each["key"] for each in run["data"].get("metrics", [])}:
        history = get("metrics/get-history", run_id=name, metric_key=key)
        for each in history["metrics"]:
            yield "metric", name, key, int(each.get("step", 0)), each["value"]


def versions():
    """The versions of both models, by their description."""
    for model in (f"{NAME} 0", f"{NAME} 1"):
        token = ""
        while token is not None:
            page = get(
                "model-versions/search", filter=f"name = '{model}'", max_results=1000, page_token=token
            )
            for each in page.get("model_versions", []):
                yield "version", model, each.get("description", "")
            token = page.get("next_page_token") or None


def artifact(path):
    """The digest of an artifact, or the status that the server answers."""
    answer = session.get(f"{FILES}/{path}", timeout=60)
    return answer.status_code if answer.status_code != 200 else hashlib.sha256(answer.content).hexdigest()


def main():
    acknowledged, sent = set(), set()
    for line in (FOLDER / "record").read_text().splitlines():
        entry = json.loads(line)
        items = {tuple(each) for each in entry["holds"]}
        sent |= items
        if entry["status"] == 200:
            acknowledged |= items
    found = collections.Counter()
    with ThreadPoolExecutor(4) as pool:
        runs = pages("runs/search", "runs", experiment_ids=[EXPERIMENT], max_results=1000)
        for items in pool.map(lambda run: list(of_run(run)), runs):
            found.update(items)
        found.update(versions())
        paths = [each for each in acknowledged if each[0] == "artifact"]
        for item, digest in zip(paths, pool.map(artifact, (each[1] for each in paths)), strict=True):
            found[item[0], item[1], digest] += 1
    # An upload without an answer may be there; its content is checked if it was acknowledged.
    stray = {each for each in found if each not in sent}
    print("found " + json.dumps({
        "acknowledged": len(acknowledged),
        "lost": sorted(map(str, acknowledged - set(found))),
        "doubled": sorted(str(each) for each, count in found.items() if count > 1),
        "stray": sorted(map(str, stray)),
    }))  # fmt: skip


main()
