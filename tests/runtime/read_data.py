"""Things to read: experiments, histories of metrics, registered models, logged models and traces."""

import random
from dataclasses import dataclass, field
from typing import Any

import requests

API = "/api/2.0/mlflow"
TEXTS = ["v", "", "ü€𝄞", 'quo"te\\', "line\nbreak", "</script>", "tab\t\x7f\u2028", "100 %", "%s"]
NAMES = ["alpha", "beta", "gämma", "50% off", "a'b", "Δ"]
NUMBERS: list[Any] = [0, 1, -1.5, 1e-320, 1e300, 0.1 + 0.2, 1e15, 1e16, "NaN", "Infinity", "-Infinity"]
TAGS = ["team", "стадия", "a b"]
PROMPT = {"key": "mlflow.prompt.is_prompt", "value": "true"}


@dataclass
class Data:
    """What was made, from one seed."""

    url: str
    seed: int
    experiments: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.session = requests.Session()
        self.models = [f"{name} {number}" for number in range(3) for name in NAMES]

    def send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """Make a thing, and return the server's answer."""
        answer = self.session.request(method, f"{self.url}{path}", json=body, timeout=120)
        assert answer.ok, (path, body, answer.text)
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Make a thing by the API's usual version and method."""
        return self.send("POST", API + path, body)

    def tags(self) -> list[dict[str, str]]:
        """Return some tags."""
        return [
            {"key": key, "value": self.chance.choice(TEXTS)} for key in TAGS if self.chance.random() < 0.6
        ]

    def make(self) -> "Data":
        """Make everything."""
        self.make_experiments()
        self.make_runs()
        self.make_registry()
        self.make_logged_models()
        return self

    def make_experiments(self) -> None:
        """Some have tags, some are deleted."""
        for number, name in enumerate(NAMES * 2):
            made = self.post("/experiments/create", {"name": f"{name}/{number}", "tags": self.tags()})
            self.experiments.append(made["experiment_id"])
            if number % 4 == 3:
                self.post("/experiments/delete", made)

    def make_runs(self) -> None:
        """Each has a metric of many values: some steps have two, or none."""
        for number in range(4):
            body = {"experiment_id": self.experiments[0], "start_time": 1700000000000 + number}
            self.runs.append(self.post("/runs/create", body)["run"]["info"]["run_id"])
            points = []
            for step in range(self.chance.choice([1, 2, 7, 40])):
                point = {"key": "loss", "step": step // 2 * self.chance.choice([1, -1]), "timestamp": step}
                points.append(point | {"value": self.chance.choice(NUMBERS)})
            points.append({"key": "ключ/a", "step": 0, "timestamp": 0, "value": 0.5})
            self.post("/runs/log-batch", {"run_id": self.runs[-1], "metrics": points})

    def make_registry(self) -> None:
        """Models with versions, stages, tags and aliases; some are prompts, some versions are deleted."""
        for number, name in enumerate(self.models):
            tags = self.tags() + ([PROMPT] if number % 5 == 4 else [])
            body = {"name": name, "tags": tags, "description": self.chance.choice(TEXTS)}
            self.post("/registered-models/create", body)
            for version in range(1, 3 if number == 0 else self.chance.choice([1, 2, 4, 12])):
                self.make_version(name, str(version), [PROMPT] if number % 5 == 4 else [])

    def make_version(self, name: str, version: str, more: list[dict[str, str]]) -> None:
        """One version, in any stage."""
        source = "dummy-source" if more else "s3://b/m"
        body: dict[str, Any] = {"name": name, "source": source, "tags": self.tags() + more}
        if self.chance.random() < 0.5:
            body |= {"description": self.chance.choice(TEXTS), "run_link": self.chance.choice(TEXTS)}
        if not more and self.chance.random() < 0.5:
            body["run_id"] = self.chance.choice(self.runs)
        self.post("/model-versions/create", body)
        which = {"name": name, "version": version}
        if self.chance.random() < 0.3:
            stage = {"stage": self.chance.choice(["Staging", "Production", "Archived"])}
            self.post("/model-versions/transition-stage", which | stage)
        for alias in ("champion", "alias-2"):
            if version == "1" or self.chance.random() < 0.4:
                self.post("/registered-models/alias", which | {"alias": alias})
        if version != "1" and self.chance.random() < 0.2:
            self.send("DELETE", f"{API}/model-versions/delete", which)

    def make_logged_models(self) -> None:
        """In each state, with params, tags and metrics, some of a dataset; one is deleted."""
        for number in range(12):
            body: dict[str, Any] = {"experiment_id": self.experiments[number % 2], "name": f"m{number % 3}"}
            body |= {"tags": self.tags(), "params": self.tags(), "source_run_id": self.runs[0]}
            body |= {"model_type": self.chance.choice(TEXTS)} if number % 2 else {}
            self.logged.append(self.post("/logged-models", body)["model"]["info"]["model_id"])
            point = {"timestamp": 1, "step": number, "model_id": self.logged[-1]}
            data = {"dataset_name": "d", "dataset_digest": "1"} if number % 3 == 1 else {}
            points = [
                point | data | {"key": key, "value": self.chance.choice(NUMBERS[:8])}
                for key in ("acc", "a/b")
            ]
            self.post("/runs/log-batch", {"run_id": self.runs[number % 4], "metrics": points[: number % 4]})
            state = self.chance.choice(["LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED", ""])
            if state:
                body = {"model_id": self.logged[-1], "status": state}
                self.send("PATCH", f"{API}/logged-models/{self.logged[-1]}", body)
        self.send("DELETE", f"{API}/logged-models/{self.logged[-1]}", {})
