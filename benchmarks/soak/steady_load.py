"""Clients that send a given number of requests per second, for a pod: steady_load.py URL.

/tmp/rate has the requests per second of all together; 0 lets each send one after the other. No request is
sent a second time. /tmp/state has a list for every window of time: its end, requests, errors, and
milliseconds of the 50th, 95th and 99th percentile and of the slowest.
"""

import json
import random
import sys
import threading
import time
from pathlib import Path

import urllib3

SERVER = sys.argv[1]
CLIENTS, WINDOW = 16, 10
API = "/api/2.0/mlflow"
RATE, STATE = Path("/tmp/rate"), Path("/tmp/state")  # noqa: S108 - of the pod alone
# Calls of a client with one run. Then the run ends, long ago, so that retention removes it.
CALLS_OF_A_RUN = 200
LONG_AGO = (int(time.time()) - 60 * 86400) * 1000
JSON = {"Content-Type": "application/json"}

lock = threading.Lock()
pool = urllib3.HTTPConnectionPool(SERVER, maxsize=CLIENTS, block=True, timeout=60, retries=False)
times = []
failures = []
windows = []


def send(method, path, body):
    """Send one request; its answer, or None."""
    began = time.monotonic()
    try:
        data = json.dumps(body) if body is not None else None
        answer = pool.request(method, API + path, body=data, headers=JSON)
        status = answer.status
    except urllib3.exceptions.HTTPError as error:
        answer, status = None, repr(error)
    took = 1000 * (time.monotonic() - began)
    with lock:
        times.append(took)
        if status != 200:
            failures.append([round(time.time()), f"{method} {path}", status])
    return answer if status == 200 else None


def calls(run, number):
    """The calls of one run: batches, metrics, reads and searches."""
    for step in range(CALLS_OF_A_RUN):
        point = {"key": "loss", "value": random.random(), "timestamp": step, "step": step}
        kind = (step + number) % 5
        if kind < 2:
            points = [{**point, "key": f"metric {each}"} for each in range(10)]
            yield "POST", "/runs/log-batch", {"run_id": run, "metrics": points}
        elif kind == 2:
            yield "POST", "/runs/log-metric", {"run_id": run, **point}
        elif kind == 3:
            yield "GET", f"/runs/get?run_id={run}", None
        else:
            yield "POST", "/runs/search", {"experiment_ids": [EXPERIMENT], "max_results": 20}
    yield "POST", "/runs/update", {"run_id": run, "status": "FINISHED", "end_time": LONG_AGO + 1}


def work(number):
    """One client."""
    due = time.monotonic()
    while True:
        made = send("POST", "/runs/create", {"experiment_id": EXPERIMENT, "start_time": LONG_AGO})
        if made is None:
            continue
        for call in calls(json.loads(made.data)["run"]["info"]["run_id"], number):
            rate = float(RATE.read_text())
            if rate:
                due = max(due + CLIENTS / rate, time.monotonic() - 1)
                time.sleep(max(0, due - time.monotonic()))
            send(*call)


def publish():
    """End a window."""
    with lock:
        taken, times[:] = sorted(times), []
        lost = len(failures)
    errors = lost - sum(each[2] for each in windows)
    at = [taken[min(int(len(taken) * share), len(taken) - 1)] if taken else 0 for share in (0.5, 0.95, 0.99)]
    found = [*at, taken[-1] if taken else 0]
    windows.append([round(time.time()), len(taken), errors, *(round(each, 1) for each in found)])
    new = STATE.with_suffix(".new")
    new.write_text("state " + json.dumps({"windows": windows, "failures": failures[:50]}))
    new.replace(STATE)


def make_experiment():
    body = json.dumps({"name": "steady load"})
    made = pool.request("POST", f"{API}/experiments/create", body=body, headers=JSON)
    return json.loads(made.data)["experiment_id"]


EXPERIMENT = make_experiment()
RATE.write_text("0")
for each in range(CLIENTS):
    threading.Thread(target=work, args=(each,), daemon=True).start()
while True:
    time.sleep(WINDOW)
    publish()
