"""Steady writers and readers of an MLflow server, for a pod: steady.py URL NAME.

Each writer makes a run, logs to it, uploads an artifact through the server and registers a model version,
again and again. No request is ever sent a second time. /tmp/record has a line per request: what it asked for,
how it was answered, when, and how long that took. /tmp/state is the sum of it, twice a second. The work ends
when /tmp/stop is there. The server's name is looked up once: the cluster's DNS is the server's concern only.
"""

import collections
import functools
import hashlib
import json
import os
import random
import socket
import sys
import threading
import time
from pathlib import Path

import requests

SERVER, NAME = sys.argv[1], sys.argv[2]
FOLDER = Path(os.environ.get("PEOPLE_FOLDER", "/tmp"))
API = f"{SERVER}/api/2.0/mlflow"
FILES = f"{SERVER}/api/2.0/mlflow-artifacts/artifacts"
WRITERS, READERS = 6, 3
TIMEOUT = 60
REST = 0.15
STOP = FOLDER / "stop"

lock = threading.Lock()
record = (FOLDER / "record").open("a")
# What was acknowledged lately, for the readers: (run, items) and (path, digest).
recent = collections.deque(maxlen=50)
state = {
    "requests": 0,
    "refused": {},  # status, or "no answer": how many
    "refused_calls": {},  # call, such as `upload`: how many
    "slowest": 0.0,
    "last_refusal": 0.0,
    "last_write": 0.0,
    "pause": 0.0,  # the longest time between two acknowledged writes to the database, of any client
    "wrong": [],  # reads that lack what was acknowledged
    "whole": [0.0] * WRITERS,  # when each writer began its last cycle without a refusal
    "reads": 0,
    "ended": False,
}


def ask(session, who, call, method, url, holds=(), **what):
    """Send one request and record it; its answer if that is 200, else None."""
    began = time.time()
    try:
        answer = session.request(method, url, timeout=TIMEOUT, **what)
        answer.content  # noqa: B018 - all of it has come
        status = answer.status_code
    except requests.RequestException:
        answer, status = None, "no answer"
    note(who, call, began, status, holds)
    return answer if status == 200 else None


def note(who, call, began, status, holds):
    """Add a request to the record and the sum."""
    now = time.time()
    entry = {"at": began, "took": now - began, "who": who, "call": call, "status": status, "holds": holds}
    with lock:
        record.write(json.dumps(entry) + "\n")
        record.flush()
        state["requests"] += 1
        state["slowest"] = max(state["slowest"], now - began)
        if status != 200:
            state["refused"][str(status)] = state["refused"].get(str(status), 0) + 1
            state["refused_calls"][call] = state["refused_calls"].get(call, 0) + 1
            state["last_refusal"] = now
        elif holds and call != "upload":
            state["pause"] = max(state["pause"], now - (state["last_write"] or now))
            state["last_write"] = now


class Cycle:
    """One run of a writer, and all that belongs to it."""

    def __init__(self, session, who, number, model):
        self.session, self.who, self.model = session, who, model
        self.name = f"{who} {number}"
        self.items = []
        self.run = None

    def work(self):
        """Whether everything was acknowledged."""
        new = {"experiment_id": EXPERIMENT, "run_name": self.name, "start_time": 1}
        made = ask(
            self.session, self.who, "create", "POST", f"{API}/runs/create", [["run", self.name]], json=new
        )
        if made is None:
            return False
        self.run = made.json()["run"]["info"]["run_id"]
        steps = [self.metric, self.param, self.tag, self.metric, self.batch, self.artifact, self.version]
        done = [step(number) for number, step in enumerate(steps)]
        return all(done)

    def send(self, call, items, **body):
        """One writing call on the run, which holds these items."""
        time.sleep(REST)
        holds = [[kind, self.run, *rest] for kind, *rest in items]
        body = {"run_id": self.run, **body}
        if ask(self.session, self.who, call, "POST", f"{API}/runs/{call}", holds, json=body) is None:
            return False
        self.items = [*self.items, *holds]
        recent.append((self.run, self.items))
        return True

    def metric(self, step):
        point = {"key": "loss", "value": step / 2, "timestamp": 1000 + step, "step": step}
        return self.send("log-metric", [("metric", "loss", step, step / 2)], **point)

    def param(self, step):
        return self.send("log-parameter", [("param", "rate", self.name)], key="rate", value=self.name)

    def tag(self, step):
        return self.send("set-tag", [("tag", "team", self.name)], key="team", value=self.name)

    def batch(self, step):
        points = [{"key": "batch", "value": n, "timestamp": n, "step": n} for n in range(20)]
        items = [("metric", "batch", n, n) for n in range(20)]
        items += [("param", "batch", self.name), ("tag", "batch", self.name)]
        fields = [{"key": "batch", "value": self.name}]
        return self.send("log-batch", items, metrics=points, params=fields, tags=fields)

    def artifact(self, step):
        time.sleep(REST)
        content = random.randbytes(20_000)
        path = f"{EXPERIMENT}/{self.run}/artifacts/weights.bin"
        digest = hashlib.sha256(content).hexdigest()
        holds = [["artifact", path, digest]]
        if ask(self.session, self.who, "upload", "PUT", f"{FILES}/{path}", holds, data=content) is None:
            return False
        recent.append((None, holds))
        return True

    def version(self, step):
        time.sleep(REST)
        source = f"mlflow-artifacts:/{EXPERIMENT}/{self.run}/artifacts"
        body = {"name": self.model, "source": source, "run_id": self.run, "description": self.name}
        holds = [["version", self.model, self.name]]
        url = f"{API}/model-versions/create"
        return ask(self.session, self.who, "register", "POST", url, holds, json=body) is not None


def write(number):
    """One writer; half of them keep their connections."""
    who, kept = f"writer {number}", requests.Session()
    cycle = 0
    while not STOP.exists():
        began = time.time()
        cycle += 1
        session = kept if number % 2 else requests
        if Cycle(session, who, cycle, f"{NAME} {number % 2}").work():
            state["whole"][number] = began
        time.sleep(REST)


def read(number):
    """One reader: what was acknowledged before it asked must be in the answer."""
    who = f"reader {number}"
    while not STOP.exists():
        time.sleep(REST)
        if not recent:
            continue
        run, items = random.choice(list(recent))
        missing = lacks_file(who, *items[0][1:]) if run is None else lacks(who, run, items)
        state["reads"] += 1
        if missing:
            state["wrong"].append(missing)


def lacks(who, run, items):
    """What an answered read of a run lacks."""
    answer = ask(requests, who, "get", "GET", f"{API}/runs/get", params={"run_id": run})
    if answer is None:
        return []
    data = answer.json()["run"]["data"]
    found = {("param", each["key"], each["value"]) for each in data.get("params", [])}
    found |= {("tag", each["key"], each["value"]) for each in data.get("tags", [])}
    return [each for each in items if each[0] != "metric" and (each[0], *each[2:]) not in found]


def lacks_file(who, path, digest):
    """The path, if an answered download has other bytes."""
    answer = ask(requests, who, "download", "GET", f"{FILES}/{path}")
    if answer is None or hashlib.sha256(answer.content).hexdigest() == digest:
        return []
    return [path]


def publish():
    with lock:
        (FOLDER / "state.new").write_text("state " + json.dumps(state))
    (FOLDER / "state.new").replace(FOLDER / "state")


def post(path, body):
    answer = requests.post(f"{API}/{path}", json=body, timeout=TIMEOUT)
    answer.raise_for_status()
    return answer.json()


socket.getaddrinfo = functools.cache(socket.getaddrinfo)
EXPERIMENT = post("experiments/create", {"name": NAME})["experiment_id"]
(FOLDER / "experiment").write_text(EXPERIMENT)
for each in range(2):
    post("registered-models/create", {"name": f"{NAME} {each}"})
workers = [threading.Thread(target=write, args=(each,), daemon=True) for each in range(WRITERS)]
workers += [threading.Thread(target=read, args=(each,), daemon=True) for each in range(READERS)]
for worker in workers:
    worker.start()
while any(worker.is_alive() for worker in workers):
    publish()
    time.sleep(0.5)
state["ended"] = True
publish()
while True:
    time.sleep(3600)
