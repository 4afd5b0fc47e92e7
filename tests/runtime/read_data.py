"""Things to read: experiments, histories of metrics, registered models, logged models and traces."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

import requests

API = "/api/2.0/mlflow"
API_3 = "/api/3.0/mlflow"
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
    traces: list[str] = field(default_factory=list)

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
        self.make_traces()
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

    def make_traces(self) -> None:
        """In each state, some of a run or a session, with usage, previews and assessments, or without all."""
        for number in range(14):
            self.traces.append(f"tr-{number:032x}")
            usage = {"input_tokens": 3, "output_tokens": number, "total_tokens": 3 + number}
            metadata = {"mlflow.trace.tokenUsage": json.dumps(usage), "mlflow.sourceRun": self.runs[0]}
            metadata |= {"mlflow.trace.session": f"s{number % 3}", "long": "ü" * 250}
            metadata |= (
                {"mlflow.trace.cost": '{"input_cost": 0.25, "total_cost": 1e-9}'} if number % 2 else {}
            )
            tags = {each["key"]: each["value"] for each in self.tags()} | {
                "mlflow.traceName": f"n{number % 3}"
            }
            info: dict[str, Any] = {"trace_id": self.traces[-1], "tags": tags if number % 4 else {}}
            place = {"experiment_id": self.experiments[number % 2]}
            info["trace_location"] = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": place}
            info["request_time"] = f"2026-01-0{number // 2 + 1}T00:00:0{number % 2}.{number % 3:03d}Z"
            info["state"] = self.chance.choice(["OK", "ERROR", "IN_PROGRESS", "STATE_UNSPECIFIED"])
            if number % 3:
                info |= {"execution_duration": f"{number * 0.25}s", "trace_metadata": metadata}
                info |= {"request_preview": self.chance.choice(TEXTS), "response_preview": "answer"}
                info["client_request_id"] = f"c{number}"
            self.send("POST", f"{API_3}/traces", {"trace": {"trace_info": info}})
            for name in ("good", "score")[: number % 3]:
                self.make_assessment(self.traces[-1], name)

    def make_assessment(self, trace: str, name: str) -> None:
        """A judgement of a trace, by a person."""
        source = {"source_type": "HUMAN", "source_id": "bob"}
        body = {"trace_id": trace, "assessment_name": name, "source": source}
        body |= {"create_time": "2026-01-01T00:00:00Z", "last_update_time": "2026-01-01T00:00:00.5Z"}
        body["feedback"] = {"value": self.chance.choice([1, 0.5, "yes", True])}
        self.send("POST", f"{API_3}/traces/{trace}/assessments", {"assessment": body})
