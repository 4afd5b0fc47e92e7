"""Only an administrator makes the server read or write a place that MLflow's permissions do not cover."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests
from mlflow.server.handlers import HANDLERS
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runtime.attacks.logins import ADMIN, LAUNCHERS, SETTINGS, add_account
from runtime.server import FILES, Server, environment, run

ANNA = ("anna", "a long password of anna")
ALLOWED = "s3://shared/models,gs://open,file:///srv/models"
# What only an administrator may name: other stores, the disk, other servers, and ways around the check.
PLACES = [
    "s3://bucket/backups",
    "S3://bucket/backups",
    "s3:/bucket/backups",
    " s3://bucket/backups",
    "s3\n://bucket/backups",
    "gs://bucket/backups",
    "wasbs://container@account.blob.core.windows.net/backups",
    "abfss://container@account.dfs.core.windows.net/backups",
    "hdfs://host/backups",
    "r2://bucket@account.r2.cloudflarestorage.com/backups",
    "b2://bucket/backups",
    "dbfs:/backups",
    "uc:/volumes/backups",
    "ftp://host/backups",
    "sftp://host/backups",
    "http://127.0.0.1:9/backups",
    "https://host/api/2.0/mlflow-artifacts/artifacts/1",
    "file:///etc",
    "file:/etc",
    "/etc",
    "etc",
    "./etc",
    "",
    "mlflow-artifacts:/../backups",
    "mlflow-artifacts:/1/%2e%2e/%2E%2E/backups",
    "mlflow-artifacts:/1/%252e%252e/backups",
    "mlflow-artifacts:/1/..%2fbackups",
    "mlflow-artifacts:/1/..\\backups",
    "mlflow-artifacts:/1%00",
    "mlflow-artifacts://host/1/../../backups",
    "mlflow-artifacts://host:5000/1",
    "mlflow-artifacts:/1?x=/../../backups",
    "mlflow-artifacts:/1#/../../backups",
    "runs:/0123456789abcdef0123456789abcdef/../../backups",
    "runs://profile@databricks/0123456789abcdef0123456789abcdef/model",
    "models:/../backups",
    "models://profile@databricks/name/1",
    "s3://shared/models-of-others/x",
    "s3://shared/models/../backups",
    "s3://shared/models/%2e%2e/backups",
    "s3://shared//models/x",
    "s3://shared/models/x?endpoint=y",
    "s3://shared.evil/models/x",
    "s3://user@shared/models/x",
    "gs://openly/x",
    "file://host/srv/models",
]


@pytest.fixture(scope="module")
def servers(start: Callable[..., Server]) -> Callable[..., Server]:
    """A server of each kind, with an ordinary account that may make experiments and models."""
    running: dict[str, Server] = {}

    def get(launcher: str, **env: str) -> Server:
        name = launcher + json.dumps(env)
        if name not in running:
            settings = {**SETTINGS, "MLFLOW_KUBERNETES_AUTH_PERMISSION": "EDIT", **env}
            server = start(**settings, MLFLOW_KUBERNETES_LAUNCHER=launcher).ready()
            add_account(server, *ANNA)
            running[name] = server
        return running[name]

    return get


@pytest.fixture(params=LAUNCHERS)
def server(request: pytest.FixtureRequest, servers: Callable[..., Server]) -> Server:
    """Under each launcher, with more places allowed."""
    return servers(request.param, MLFLOW_KUBERNETES_ALLOWED_SOURCES=ALLOWED)


def post(server: Server, path: str, who: tuple[str, str] = ANNA, **body: Any) -> requests.Response:
    return requests.post(f"{server.url}{server.prefix}{path}", json=body, auth=who, timeout=60)


def is_refused(answer: requests.Response) -> bool:
    if answer.status_code != 403 or "json" not in answer.headers["Content-Type"]:
        return False
    body = answer.json()
    return body["error_code"] == "PERMISSION_DENIED" and "only an administrator may name" in body["message"]


def experiment(server: Server, who: tuple[str, str] = ANNA, **more: Any) -> requests.Response:
    experiment.count += 1  # type: ignore[attr-defined]
    name = f"experiment {experiment.count}"  # type: ignore[attr-defined]
    return post(server, "/api/2.0/mlflow/experiments/create", who, name=name, **more)


experiment.count = 0  # type: ignore[attr-defined]


@pytest.fixture
def model(server: Server) -> str:
    """A registered model of anna's."""
    post(server, "/api/2.0/mlflow/registered-models/create", name="model")
    return "model"


def test_places_outside_are_refused(server: Server, model: str) -> None:
    wrong = []
    for place in PLACES:
        # An empty location is none; an empty source is MLflow's to refuse.
        if place and not is_refused(answer := experiment(server, artifact_location=place)):
            wrong.append(("experiments/create", place, answer.status_code, answer.text))
        answer = post(server, "/api/2.0/mlflow/model-versions/create", name=model, source=place)
        # MLflow's rules of permission read `models:` first, and refuse what is no model of this registry.
        if not is_refused(answer) and not (place[:7] in ("", "models:") and answer.status_code in (400, 403)):
            wrong.append(("model-versions/create", place, answer.status_code, answer.text))
    assert wrong == []


def test_every_spelling_of_a_request_is_refused(server: Server, model: str) -> None:
    url, place = server.url, "s3://bucket/backups"
    body = {"name": model, "source": place, "artifact_location": place, "artifactLocation": place}
    kind = {"Content-Type": "application/json"}
    plain = '{"name": "n", "artifact_location": "s3://bucket/backups"}'
    texts: list[tuple[str, dict[str, str]]] = [
        (plain, kind),
        (plain, {"Content-Type": "text/plain"}),
        (plain, {}),
        (plain.replace("artifact_location", "artifactLocation"), kind),
        (plain.replace('"n"', '"n", "artifact_location": ""'), kind),
        (plain.replace("_", r"\u005f"), kind),
        (json.dumps(plain), kind),
    ]
    for prefix in ("/api/2.0", "/ajax-api/2.0", "/api/3.0", "/ajax-api/3.0"):
        for text, headers in texts:
            path = f"{url}{prefix}/mlflow/experiments/create"
            answer = requests.post(path, data=text, headers=headers, auth=ANNA, timeout=60)
            assert not answer.ok, (prefix, text, answer.text)
            assert is_refused(answer) or answer.status_code in (400, 403, 404), answer.text
        answer = post(server, f"{prefix}/mlflow/model-versions/create", **body)
        assert is_refused(answer) or answer.status_code in (403, 404), answer.text
    made = requests.get(
        f"{url}/api/2.0/mlflow/experiments/search?max_results=1000", auth=ADMIN, timeout=60
    ).json()
    assert "n" not in [each["name"] for each in made["experiments"]]


def test_what_accounts_do_every_day_works(server: Server, model: str) -> None:
    """A run, a model of the run by each of its names, a version of that version, a prompt."""
    for location in ({}, {"artifact_location": "mlflow-artifacts:/mine"}):
        answer = experiment(server, **location)
        assert answer.ok, answer.text
    made = post(server, "/api/2.0/mlflow/runs/create", experiment_id=answer.json()["experiment_id"]).json()
    info = made["run"]["info"]
    logged = post(
        server,
        "/api/2.0/mlflow/logged-models",
        experiment_id=info["experiment_id"],
        source_run_id=info["run_id"],
    ).json()
    model_id = logged["model"]["info"]["model_id"]
    sources = [
        {"source": f"{info['artifact_uri']}/model", "run_id": info["run_id"]},
        {"source": f"runs:/{info['run_id']}/model", "run_id": info["run_id"]},
        {"source": f"models:/{model_id}", "model_id": model_id},
        {"source": f"models:/{model}/1"},
        {"source": "s3://shared/models/x", "run_id": info["run_id"]},
        {"source": "gs://open/x"},
    ]
    for source in sources:
        answer = post(server, "/api/2.0/mlflow/model-versions/create", name=model, **source)
        assert answer.ok, (source, answer.text)
    prompt = [
        {"key": "mlflow.prompt.is_prompt", "value": "true"},
        {"key": "mlflow.prompt.text", "value": "hi"},
    ]
    post(server, "/api/2.0/mlflow/registered-models/create", name="prompt", tags=prompt[:1])
    answer = post(
        server, "/api/2.0/mlflow/model-versions/create", name="prompt", source="dummy-source", tags=prompt
    )
    assert answer.ok, answer.text


def test_an_administrator_names_anything(server: Server, model: str) -> None:
    answer = experiment(server, ADMIN, artifact_location="s3://bucket/backups")
    assert answer.ok, answer.text
    answer = post(server, "/api/2.0/mlflow/model-versions/create", ADMIN, name=model, source="s3://bucket/x")
    assert answer.ok, answer.text


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_static_prefix_changes_nothing(servers: Callable[..., Server], launcher: str) -> None:
    server = servers(launcher, MLFLOW_STATIC_PREFIX="/tools/mlflow")
    place = "s3://shared/models/x"  # allowed on the other server
    answers = [
        requests.post(
            f"{server.url}{path}/mlflow/experiments/create",
            json={"name": "n", "artifact_location": place}, auth=ANNA, timeout=60,
        )
        for path in ("/tools/mlflow/api/2.0", "/tools/mlflow/ajax-api/2.0")
    ]  # fmt: skip
    assert [is_refused(answer) for answer in answers] == [True, True]


LOCATION, ARCHIVE = "mlflow.artifactLocation", "mlflow.trace.archiveLocation"


def trace(server: Server, trace_id: str, who: tuple[str, str] = ANNA, **tags: str) -> requests.Response:
    info = {
        "trace_id": trace_id,
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}},
        "request_time": "2026-01-01T00:00:00Z",
        "state": "OK",
        "tags": tags,
    }
    return post(server, "/api/3.0/mlflow/traces", who, trace={"trace_info": info})


def tags_of(server: Server, trace_id: str) -> dict[str, str]:
    path = f"{server.url}/api/3.0/mlflow/traces/{trace_id}"
    return dict(requests.get(path, auth=ADMIN, timeout=60).json()["trace"]["trace_info"]["tags"])


@pytest.mark.parametrize("tag", [LOCATION, ARCHIVE])
@pytest.mark.parametrize(
    "place", ["s3://bucket/backups", "file:///etc", "mlflow-artifacts:/1/traces/x/artifacts"]
)
def test_a_trace_stays_where_it_is(server: Server, tag: str, place: str) -> None:
    name = f"tr-{uuid.uuid4().hex}"
    assert is_refused(trace(server, name, **{tag: place}))
    assert trace(server, name).ok
    before = tags_of(server, name)
    for version in ("2.0", "3.0"):
        path = f"{server.url}/api/{version}/mlflow/traces/{name}/tags"
        answer = requests.patch(path, json={"key": tag, "value": place}, auth=ANNA, timeout=60)
        assert is_refused(answer), answer.text
    end = {"request_id": name, "timestamp_ms": 1, "status": "OK", "tags": [{"key": tag, "value": place}]}
    path = f"{server.url}/api/2.0/mlflow/traces/{name}"
    assert is_refused(requests.patch(path, json=end, auth=ANNA, timeout=60))
    begin = {"experiment_id": "0", "timestamp_ms": 1, "tags": [{"key": tag, "value": place}]}
    assert is_refused(post(server, "/api/2.0/mlflow/traces", **begin))
    assert tags_of(server, name) == before


def test_older_clients_may_return_the_tags_of_a_trace(server: Server) -> None:
    assert trace(server, "tr-returned").ok
    tags = [{"key": key, "value": value} for key, value in tags_of(server, "tr-returned").items()]
    assert LOCATION in [tag["key"] for tag in tags]
    end = {"request_id": "tr-returned", "timestamp_ms": 1, "status": "OK", "tags": tags}
    path = f"{server.url}/api/2.0/mlflow/traces/tr-returned"
    answer = requests.patch(path, json=end, auth=ANNA, timeout=60)
    assert answer.ok, answer.text


@pytest.mark.parametrize(
    "trace_id", ["tr/../../x", "..", ".", "tr/x", "/tr", "tr%2f..", "tr\\x", "tr\0", "tr x"]
)
def test_the_id_of_a_trace_is_no_path(server: Server, trace_id: str) -> None:
    for who in (ANNA, ADMIN):
        answer = trace(server, trace_id, who)
        assert answer.status_code == 400 and "is not the id of a trace" in answer.text, answer.text


@pytest.mark.parametrize("tag", [LOCATION, ARCHIVE])
def test_spans_bring_no_place(server: Server, tag: str) -> None:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = (tag * 2).encode()[:16], b"12345678", "name"
    span.start_time_unix_nano, span.end_time_unix_nano = 1, 2
    for key, value in ((f"mlflow.traceTag.{tag}", "s3://bucket/backups"), ("mlflow.traceTag.mine", "kept")):
        attribute = span.attributes.add()
        attribute.key, attribute.value.string_value = key, value
    headers = {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": "0"}
    answer = requests.post(
        f"{server.url}/v1/traces", data=request.SerializeToString(), headers=headers, auth=ANNA, timeout=60
    )
    assert answer.ok, answer.text
    tags = tags_of(server, f"tr-{span.trace_id.hex()}")
    assert tags["mine"] == "kept"
    assert "s3://bucket/backups" not in tags.values()


# Fields of requests that change something and that sound like a place.
KNOWN = {
    "CreateExperiment.artifact_location": "checked",
    "CreateModelVersion.source": "checked",
    "CreateWorkspace.default_artifact_root": "MLflow lets administrators alone do it",
    "CreateWorkspace.trace_archival_config.location": "MLflow lets administrators alone do it",
    "UpdateWorkspace.default_artifact_root": "MLflow lets administrators alone do it",
    "UpdateWorkspace.trace_archival_config.location": "MLflow lets administrators alone do it",
    "CompleteMultipartUpload.path": "a path in the server's own artifact store, under its permissions",
    "CompleteMultipartUpload.parts.url": "not read",
    "CreateMultipartUpload.path": "a path in the server's own artifact store, under its permissions",
    "AbortMultipartUpload.path": "a path in the server's own artifact store, under its permissions",
    "CreatePresignedUploadUrl.path": "a path in a run's own place",
    "CreatePresignedDownloadUrl.path": "a path in a run's own place",
    "CreateAssessment.assessment.source": "who assessed",
    "UpdateAssessment.assessment.source": "who assessed",
    "StartTraceV3.trace.trace_info.assessments.source": "who assessed",
    "StartTraceV3.trace.trace_info.trace_location": "an experiment",
    "CreateDataset.source": "text",
    "LogInputs.datasets.dataset.source": "text",
    "CreatePromptOptimizationJob.source_prompt_uri": "a prompt of the registry",
    "CreateWebhook.url": "MLflow has rules of its own for webhooks",
    "UpdateWebhook.url": "MLflow has rules of its own for webhooks",
}


def test_no_request_of_this_mlflow_names_a_place_that_nobody_has_looked_at() -> None:
    """A new version of MLflow may have more: look at what its handler does with it, then add it here."""
    changes = ("Abort", "Complete", "Create", "End", "Log", "Register", "Set", "Start", "Update", "Upsert")
    found = set()
    for message in HANDLERS:
        if message.__name__.startswith(changes):
            found |= set(places(message.DESCRIPTOR, message.__name__, ()))
    assert found == set(KNOWN)


def places(descriptor: Any, path: str, seen: tuple[str, ...]) -> list[str]:
    """The fields that sound like a place, of a message and of those in it."""
    found = []
    for field in descriptor.fields if descriptor.full_name not in seen else ():
        name = f"{path}.{field.name}"
        if field.name in ("source", "path", "url", "location") or field.name.endswith(
            ("_uri", "_location", "_root", "_url", "_path")
        ):
            found.append(name)
        if field.message_type:
            found += places(field.message_type, name, (*seen, descriptor.full_name))
    return found


@pytest.mark.parametrize("value", ["bucket/folder", "s3://bucket/../x", "s3:", "s3://bucket/a b,s3\t://x"])
def test_a_wrong_list_of_places_ends_the_server(home: Any, value: str) -> None:
    env = {**SETTINGS, "MLFLOW_KUBERNETES_ALLOWED_SOURCES": value}
    process = run("server", environment(home, **env))
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert output.splitlines()[-1].startswith("mlflow: server: MLFLOW_KUBERNETES_ALLOWED_SOURCES: "), output
    assert "set artifactStore.allowedSources to URIs such as s3://bucket/folder." in output


@pytest.mark.parametrize("env", [{"MLFLOW_SERVE_ARTIFACTS": "false"}, {"MLFLOW_KUBERNETES_APP_NAME": ""}])
def test_without_login_or_proxy_all_is_as_in_mlflow(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str]
) -> None:
    monkeypatch.syspath_prepend(FILES)
    from mlflow_kubernetes.server import sources

    monkeypatch.setenv("MLFLOW_KUBERNETES_APP_NAME", "basic-auth")
    monkeypatch.delenv("MLFLOW_SERVE_ARTIFACTS", raising=False)
    assert sources.active()
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert not sources.active()
