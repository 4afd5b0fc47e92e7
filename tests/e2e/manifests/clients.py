"""Steady clients of an MLflow server, for a pod: twelve that read and write, and one that uploads 50 MB.

Half keep their connection, half take a new one for each request. None retries, so each lost request shows.
Twice a second, what they saw is in /tmp/state. Each rests as many seconds as /tmp/pause says; who does not
rest at all asks for much, too.
"""

import contextlib
import functools
import itertools
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

import requests

SERVER = sys.argv[1]
API = f"{SERVER}/api/2.0/mlflow"
FILES = f"{SERVER}/api/2.0/mlflow-artifacts/artifacts"
ACCOUNT = tuple(json.loads(os.environ.get("ACCOUNT", "[]"))) or None
COUNT = 12
MEGABYTE = os.urandom(1_000_000)
UPLOAD, UPLOAD_SECONDS = 50, 15

state = {"answered": [0] * COUNT, "uploads": 0, "uploading": 0, "slowest": 0.0, "failures": []}


def asked(session, who, method, path, **what):
    """The answer to one request; None, and a failure on record, if there is no good one."""
    started = time.time()
    try:
        answer = session.request(method, path, timeout=60, auth=ACCOUNT, **what)
        answer.raise_for_status()
    except requests.RequestException as error:
        state["failures"].append(f"{started:.1f} {who}: {method} {path}: {error!r}")
        return None
    if who.startswith("client"):
        state["slowest"] = max(state["slowest"], round(time.time() - started, 2))
    return answer


def work(number):
    """One client: make a run, write to it, read it, find it; again and again."""
    keep = requests.Session() if number % 2 else None
    who = f"client {number} ({'kept' if keep else 'new'} connections)"
    run = None
    for step in itertools.cycle(range(4)):
        pause = float(Path("/tmp/pause").read_text())
        with contextlib.nullcontext(keep) if keep else requests.Session() as session:
            if step == 0 or run is None:
                made = asked(session, who, "POST", f"{API}/runs/create", json={"experiment_id": "0"})
                run = made and made.json()["run"]["info"]["run_id"]
                good = made is not None
            elif step == 1:
                metric = {"run_id": run, "key": "loss", "value": 0.5, "timestamp": 1}
                good = asked(session, who, "POST", f"{API}/runs/log-metric", json=metric)
            elif step == 2:
                good = asked(session, who, "GET", f"{API}/runs/get", params={"run_id": run})
            else:
                page = {"experiment_ids": ["0"], "max_results": 3 if pause else 100}
                good = asked(session, who, "POST", f"{API}/runs/search", json=page)
            state["answered"][number] += good is not None
        time.sleep(pause)


class Slow:
    """A file that takes its time to be read."""

    def __init__(self):
        self.left = UPLOAD

    def __len__(self):
        return self.left * len(MEGABYTE)

    def read(self, _size=-1):
        if not self.left:
            return b""
        time.sleep(UPLOAD_SECONDS / UPLOAD)
        self.left -= 1
        state["uploading"] = UPLOAD - self.left
        return MEGABYTE


def upload():
    """Upload, look whether all of it arrived, remove it; again and again."""
    with requests.Session() as session:
        for number in itertools.count():
            if asked(session, "upload", "PUT", f"{FILES}/big/{number}", data=Slow()) is None:
                continue
            there = asked(session, "listing", "GET", FILES, params={"path": "big"})
            sizes = {each["path"]: each["file_size"] for each in there.json()["files"]} if there else {}
            if there and sizes.get(str(number)) != UPLOAD * len(MEGABYTE):
                state["failures"].append(f"upload {number} is there as {sizes}")
            with contextlib.suppress(requests.RequestException):  # only to save room
                session.delete(f"{FILES}/big/{number}", timeout=60, auth=ACCOUNT)
            state["uploads"] += 1


def ended(thread):
    """Record that a client came to an end, which none of them should."""
    state["failures"].append(f"{thread.thread.name} ended: {thread.exc_value!r}")
    threading.__excepthook__(thread)


def main():
    # Looked up once: what is tried is the server, not how the cluster's DNS bears a busy machine.
    socket.getaddrinfo = functools.cache(socket.getaddrinfo)
    Path("/tmp/pause").write_text("0.2")
    threading.excepthook = ended
    for target, *what in [(upload,), *((work, number) for number in range(COUNT))]:
        threading.Thread(target=target, args=what, name=str((target.__name__, *what)), daemon=True).start()
    while True:
        Path("/tmp/state.new").write_text("state " + json.dumps(state))
        Path("/tmp/state.new").replace("/tmp/state")
        time.sleep(0.5)


main()
