"""Nothing that takes time is left for the first users: handlers import what they need before the fork."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from runtime.server import FILES, environment

# Opens the apps as the launcher does, then answers what people and clients ask first.
FIRST_REQUESTS = """
import json, os, sys
sys.path.append(os.environ["TEST_FILES"])
import gunicorn, http.client, threading, time, uvicorn
from mlflow_kubernetes.server.apps import open_apps
from mlflow_kubernetes.server.edge.protocol import Protocol

class Answer:
    def __init__(self, answer):
        self.status_code, self.text = answer.status, answer.read()
        self.json = json.loads(self.text) if self.text.startswith(b"{") else None

class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask(self, method, path, body=None):
        self.connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        return Answer(self.connection.getresponse())

    def get(self, path):
        return self.ask("GET", path)

    def put(self, path, data):
        return self.ask("PUT", path, data)

    def post(self, path, json):
        return self.ask("POST", path, __import__("json").dumps(json))

server = uvicorn.Server(uvicorn.Config(open_apps(""), http=Protocol, lifespan="off", ws="none", port=0))
threading.Thread(target=server.run, daemon=True).start()
while not server.started:
    time.sleep(0.1)
client = Client(server.servers[0].sockets[0].getsockname()[1])
client.get("/health")
loaded = set(sys.modules)
api = "/api/2.0/mlflow/"
answers = [client.get("/health"), client.get("/"), client.get("/api/3.0/mlflow/server-info")]
answers.append(client.post(api + "runs/create", json={"experiment_id": "0", "start_time": 1}))
run = answers[-1].json["run"]["info"]["run_id"]
metric = {"key": "m", "value": 1, "timestamp": 1}
answers.append(client.post(api + "runs/log-batch", json={"run_id": run, "metrics": [metric]}))
answers.append(client.post(api + "runs/search", json={"experiment_ids": ["0"], "filter": "metrics.m > 0"}))
answers.append(client.post(api + "experiments/search", json={"max_results": 5}))
answers.append(client.post(api + "logged-models/search", json={"experiment_ids": ["0"]}))
answers.append(client.post(api + "registered-models/create", json={"name": "model"}))
answers.append(client.get(api + "registered-models/search"))
answers.append(client.post("/graphql", json={"query": '{ test(inputString: "a") { output } }'}))
answers.append(client.put(api[:-1] + "-artifacts/artifacts/file", data=b"x"))
answers.append(client.get(api[:-1] + "-artifacts/artifacts/file"))
print(json.dumps([[answer.status_code for answer in answers], sorted(set(sys.modules) - loaded)]))
"""


def test_first_requests_import_next_to_nothing(
    ready_database: Callable[[], dict[str, str]], home: Path
) -> None:
    env = environment(home, TEST_FILES=str(FILES), **ready_database())
    command = [sys.executable, "-c", FIRST_REQUESTS]
    done = subprocess.run(command, env=env, cwd=home, stdout=subprocess.PIPE, text=True, check=True)
    statuses, imported = json.loads(done.stdout.splitlines()[-1])
    assert set(statuses) == {200}
    assert len(imported) < 10, imported
