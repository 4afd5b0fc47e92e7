"""What bert keeps in a server: one of everything, with a mark in each text that only he may read."""

import json
from dataclasses import dataclass, field
from typing import Any

import requests

from runtime.basic_auth import ADMIN
from runtime.server import Server

ANNA, BERT = ("anna", "a long password of anna"), ("bert", "a long password of bert")
MARK = "only-bert-reads-this"
TRACE = b"bert's own trace"
SECOND = 1_790_000_000_000  # milliseconds
SPAN = '{"traceEvents": [], "mark": "%s"}' % MARK  # noqa: UP031 - braces
EVENTS = [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]


@dataclass
class Keeper:
    """One account of one server, and the ids of what it and others keep there."""

    url: str
    who: tuple[str, str] | None
    ids: dict[str, str] = field(default_factory=dict)
    wrote: set[str] = field(default_factory=set)  # ids of others, into what is its own
    session: requests.Session = field(default_factory=requests.Session)
    helper: "Keeper | None" = None  # makes what only an administrator may make

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send a request as this account."""
        settings: dict[str, Any] = {"auth": self.who, "timeout": 120, "allow_redirects": False, **more}
        return self.session.request(method, self.url + path, **settings)

    def make(self, path: str, body: dict[str, Any], method: str = "POST") -> Any:
        """Send a call that has to succeed; its answer."""
        version = "3.0" if path.startswith(V3) else "2.0"
        answer = self.send(method, f"/api/{version}/mlflow/{path}", json=body)
        if answer.status_code == 403 and self.helper:
            return self.helper.make(path, body, method)
        assert answer.ok, (path, answer.status_code, answer.text)
        return answer.json() if answer.text else {}


V3 = ("traces", "datasets", "label-schemas", "review-queues", "scorers", "issues", "gateway", "mcp-", "roles")


def keep(server: Server) -> tuple[Keeper, Keeper]:
    """Make both accounts and what they keep; anna, who knows all ids, and bert."""
    admin = Keeper(server.url, ADMIN)
    for name, password in (ANNA, BERT):
        admin.make("users/create", {"username": name, "password": password})
    anna, bert = keep_as(admin, Keeper(server.url, ANNA), Keeper(server.url, BERT))
    made = admin.make(
        "roles/create", {"workspace": "default", "name": "berts-role", "description": f"{MARK}-role"}
    )
    bert.ids["role"] = str(made["role"]["id"])
    return anna, bert


def keep_as(admin: Keeper, anna: Keeper, bert: Keeper) -> tuple[Keeper, Keeper]:
    """Make what both keep; anna, who knows all ids, and bert."""
    anna.ids = bert.ids
    for keeper, prefix in ((anna, "annas"), (bert, "berts")):
        _runs(keeper, prefix)
        _models(keeper, prefix)
    _traces(bert)
    _reviews(bert)
    _gateway(bert)
    _others(admin, bert)
    return anna, bert


def _runs(keeper: Keeper, prefix: str) -> None:
    """An experiment, and a run with one of everything."""
    ids, mark = keeper.ids, MARK if prefix == "berts" else "annas"
    tags = [{"key": "note", "value": f"{mark}-experiment"}]
    made = keeper.make("experiments/create", {"name": f"{prefix}-experiment", "tags": tags})
    ids[f"{prefix}-experiment-id"] = experiment = made["experiment_id"]
    body = {"experiment_id": experiment, "run_name": f"{mark}-run-name", "start_time": SECOND}
    ids[f"{prefix}-run"] = run = keeper.make("runs/create", body)["run"]["info"]["run_id"]
    metric = {"key": "loss", "value": 0.5, "timestamp": SECOND, "step": 1}
    texts = [{"key": "note", "value": f"{mark}-text"}]
    keeper.make("runs/log-batch", {"run_id": run, "metrics": [metric], "params": texts, "tags": texts})
    dataset = {"name": f"{mark}-data", "digest": "1", "source_type": "t", "source": f"{mark}-source"}
    keeper.make("runs/log-inputs", {"run_id": run, "datasets": [{"dataset": dataset}]})
    for name in ("note.txt", f"{mark}.txt"):
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/{name}"
        assert keeper.send("PUT", path, data=f"{mark}-file").ok


def _models(keeper: Keeper, prefix: str) -> None:
    """A logged model, a registered model with a version, and a prompt."""
    ids, mark = keeper.ids, MARK if prefix == "berts" else "annas"
    body: dict[str, Any] = {"experiment_id": ids[f"{prefix}-experiment-id"], "name": f"{mark}-logged"}
    body["params"] = [{"key": "note", "value": f"{mark}-param"}]
    ids[f"{prefix}-logged"] = keeper.make("logged-models", body)["model"]["info"]["model_id"]
    note = {"key": "note", "value": f"{mark}-tag"}
    prompt = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    text = {"key": "mlflow.prompt.text", "value": f"{mark}-prompt"}
    for name, tags in ((f"{prefix}-model", []), (f"{prefix}-prompt", prompt)):
        described = {"name": name, "description": f"{mark}-description"}
        keeper.make("registered-models/create", {**described, "tags": [*tags, note]})
        source = f"runs:/{ids[f'{prefix}-run']}/model" if not tags else "dummy-source"
        version = {
            **described,
            "source": source,
            "run_id": ids[f"{prefix}-run"],
            "tags": [*tags, *([text] if tags else [note])],
        }
        keeper.make("model-versions/create", version)
        keeper.make("registered-models/alias", {"name": name, "alias": "champion", "version": "1"})


def _traces(bert: Keeper) -> None:
    """A trace with an assessment, and a data set of an evaluation."""
    ids = bert.ids
    ids["berts-trace"] = trace = f"tr-{TRACE.hex()}"
    where = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": ids["berts-experiment-id"]}}
    info = {"trace_id": trace, "trace_location": where, "request_time": "2026-09-21T14:13:20Z", "state": "OK"}
    info |= {
        "execution_duration": "1s",
        "request_preview": f"{MARK}-request",
        "tags": {"note": f"{MARK}-tag"},
    }
    bert.make("traces", {"trace": {"trace_info": info}})
    path = f"{ids['berts-experiment-id']}/traces/{trace}/artifacts/traces.json"
    assert bert.send("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{path}", data=SPAN).ok
    assessment = {"assessment_name": "quality", "trace_id": trace, "rationale": f"{MARK}-rationale"}
    source = {"source_type": "HUMAN", "source_id": "bert"}
    times = dict.fromkeys(("create_time", "last_update_time"), "2026-09-21T14:13:20Z")
    body = {"assessment": {**assessment, **times, "source": source, "feedback": {"value": f"{MARK}-value"}}}
    made = bert.make(f"traces/{trace}/assessments", body)
    ids["berts-assessment"] = made["assessment"]["assessment_id"]
    named = {"name": f"{MARK}-data", "experiment_ids": [ids["berts-experiment-id"]]}
    made = bert.make("datasets/create", {**named, "tags": json.dumps({"note": f"{MARK}-tag"})})
    ids["berts-dataset"] = made["dataset"]["dataset_id"]
    records = json.dumps([{"inputs": {"question": f"{MARK}-question"}}])
    bert.make(f"datasets/{ids['berts-dataset']}/records", {"records": records})


def _reviews(bert: Keeper) -> None:
    """What people do with traces: label schemas, queues, scorers, issues."""
    ids, experiment = bert.ids, {"experiment_id": bert.ids["berts-experiment-id"]}
    body = {"name": "berts-schema", "type": "FEEDBACK", "instruction": f"{MARK}-instruction"}
    made = bert.make("label-schemas/create", {**experiment, **body, "input": {"text": {"max_length": 9}}})
    ids["berts-schema"] = made["label_schema"]["schema_id"]
    body = {"name": f"{MARK}-queue", "queue_type": "CUSTOM", "created_by": "bert"}
    made = bert.make("review-queues/create", {**experiment, **body})
    ids["berts-queue"] = made["review_queue"]["queue_id"]
    scorer = {"name": "berts-scorer", "serialized_scorer": json.dumps({"note": f"{MARK}-scorer"})}
    ids["berts-scorer"] = bert.make("scorers/register", {**experiment, **scorer})["scorer_id"]
    issue = {"name": f"{MARK}-issue", "description": f"{MARK}-description", "created_by": "bert"}
    made = bert.make("issues", {**experiment, **issue, "status": "pending", "severity": "low"})
    ids["berts-issue"] = made["issue"]["issue_id"]


def _gateway(bert: Keeper) -> None:
    """An endpoint of the gateway, with its key, of a provider that nothing reaches."""
    ids = bert.ids
    provider = {"provider": "openai", "created_by": "bert"}
    secret = {"secret_name": "berts-secret", "secret_value": {"api_key": f"{MARK}-key"}}
    nowhere = {"auth_config": {"api_base": "http://127.0.0.1:9"}}
    made = bert.make("gateway/secrets/create", {**provider, **secret, **nowhere})
    ids["berts-secret"] = made["secret"]["secret_id"]
    model = {"name": "berts-definition", "secret_id": ids["berts-secret"], "model_name": f"{MARK}-llm"}
    made = bert.make("gateway/model-definitions/create", {**provider, **model})
    ids["berts-definition"] = made["model_definition"]["model_definition_id"]
    config = {"model_definition_id": ids["berts-definition"], "linkage_type": "PRIMARY", "weight": 1}
    endpoint = {"name": "berts-endpoint", "model_configs": [config], "created_by": "bert"}
    made = bert.make("gateway/endpoints/create", endpoint)
    ids["berts-endpoint-id"] = made["endpoint"]["endpoint_id"]


def _others(admin: Keeper, bert: Keeper) -> None:
    """What only an administrator makes, a webhook; and a server of tools."""
    webhook = {"name": f"{MARK}-hook", "url": "https://127.0.0.1:9/", "events": EVENTS}
    bert.ids["webhook"] = admin.make("webhooks", {**webhook, "secret": MARK})["webhook"]["webhook_id"]
    server = {"name": "org.example/berts", "description": f"{MARK}-server"}
    bert.make("mcp-servers", server)


def filled(text: str, ids: dict[str, str]) -> str:
    """Write the ids of a server for `<name>`."""
    for name, value in ids.items():
        text = text.replace(f"<{name}>", value)
    return text
