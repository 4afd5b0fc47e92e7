"""`auth.mode: kubernetes`: tokens of service accounts, Roles of the examples, namespaces as workspaces."""

import base64
import json
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from kubernetes import client
from mlflowops.paths import REPO
from runtime import route_table
from runtime.attacks.test_traces_of_others import begin, new_id, span, whole
from runtime.belongings import Keeper, keep_as
from runtime.routes import distinct_routes
from runtime.strangers import Call
from runtime.test_two_accounts import GATEWAY, SQL_SHOWN, ask, learned

from e2e.forward import port_forward
from e2e.helm import MLFLOW_VERSION, Helm
from e2e.kube import Kube, eventually
from e2e.leaks import remove
from e2e.test_backup import DAY, Release
from e2e.up import load_image, run

EXAMPLES = REPO / "examples/kubernetes-auth"
PLUGIN_IMAGE = {"registry": "localhost", "repository": "mlflow-kubernetes", "tag": MLFLOW_VERSION}
A, B, OUTSIDE = "rbac-a", "rbac-b", "rbac-outside"
CACHE_SECONDS = 5
ACCOUNTS = {
    A: {"editor": "mlflow-editor", "viewer": "mlflow-viewer", "admin": "mlflow-admin", "nobody": ""},
    B: {"editor": "mlflow-editor", "admin": "mlflow-admin"},
}
MARK = "only-b-may-read-this"
GRAPHQL = (
    'query GetRun { mlflowGetRun(input: {runId: "%s"}) { run { info { runId } data { params { value } } } } }'
)
ENV = {name: value for name, value in GATEWAY.items() if name != "MLFLOW_CRYPTO_KEK_PASSPHRASE"}
FILES = "/api/2.0/mlflow-artifacts/artifacts"
SETTINGS: dict[str, Any] = {
    "image": PLUGIN_IMAGE,
    "mlflow": {"launcher": "upstream", "audit": {"enabled": True}, "env": ENV},
    "auth": {
        "mode": "kubernetes",
        "kubernetes": {"cacheSeconds": CACHE_SECONDS, "workspaceLabelSelector": "mlflow=true"},
    },
    "networkPolicy": {
        "enabled": True,
        "ingress": [
            {
                "from": [{"namespaceSelector": {"matchLabels": {"mlflow": "true"}}}],
                "ports": [{"port": 5000}],
            }
        ],
    },
}


@dataclass
class Caller:
    """Somebody with a token, or with none, who names a workspace, or none."""

    url: str
    token: str = ""
    workspace: str = ""

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if self.workspace:
            headers["X-MLFLOW-WORKSPACE"] = self.workspace
        given = options.pop("headers", {})
        where = path if path.startswith("/") else f"/api/2.0/mlflow/{path}"
        return requests.request(
            method, f"{self.url}{where}", headers={**headers, **given}, timeout=60, **options
        )

    def post(self, path: str, **body: Any) -> requests.Response:
        return self("POST", path, json=body)


@dataclass
class Site:
    """MLflow, and the accounts of two namespaces."""

    release: Release
    opened: ExitStack
    url: str = ""

    @property
    def kube(self) -> Kube:
        return self.release.kube

    @property
    def namespace(self) -> str:
        return self.release.namespace

    def connect(self) -> None:
        """Open a way to a pod, which ends with the pod."""
        self.opened.close()
        where = (self.release.kubeconfig, self.namespace, "service/mlflow", 5000)
        self.url = self.opened.enter_context(port_forward(*where))

    def caller(self, account: str, namespace: str = A, workspace: str = "") -> Caller:
        """Return a caller with a token of a service account, as Kubernetes would mount it."""
        return Caller(self.url, token(self.kube, namespace, account), workspace or namespace)


def token(kube: Kube, namespace: str, account: str, *audiences: str) -> str:
    """Ask Kubernetes for a token; without an audience it is for the API server."""
    body = {"spec": {"audiences": list(audiences), "expirationSeconds": 3600}}
    made = kube.core.create_namespaced_service_account_token(account, namespace, body)
    return str(made.status.token)


def bind(kube: Kube, namespace: str, account: str, role: str) -> None:
    """Bind a role of the examples to an account."""
    subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    bind_subject(kube, namespace, f"mlflow-{account}", role, subject)


def bind_subject(kube: Kube, namespace: str, name: str, role: str, subject: dict[str, str]) -> None:
    """Create a RoleBinding of a ClusterRole."""
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    body = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
    client.RbacAuthorizationV1Api(kube.api).create_namespaced_role_binding(namespace, body)


@pytest.fixture(scope="module")
def site(kube: Kube, helm: Helm, kubeconfig: Path, shared_namespace: str) -> Iterator[Site]:
    load_image("mlflow-kubernetes", kubeconfig)
    run(f"kubectl apply -f {EXAMPLES / 'roles.yaml'}", kubeconfig)
    for namespace in (A, B, OUTSIDE):
        kube.create_namespace(namespace)
        if namespace != OUTSIDE:
            kube.core.patch_namespace(namespace, {"metadata": {"labels": {"mlflow": "true"}}})
        for account, role in ACCOUNTS.get(namespace, {"editor": "mlflow-editor"}).items():
            kube.core.create_namespaced_service_account(namespace, {"metadata": {"name": account}})
            if role:
                bind(kube, namespace, account, role)
    release = Release(kube, helm, kubeconfig, shared_namespace, SETTINGS, poolSize=10, maxOverflow=40)
    with ExitStack() as opened:
        found = Site(release, opened)
        found.connect()
        yield found
    for namespace in (A, B, OUTSIDE):
        remove(kube, namespace)
    run(f"kubectl delete -f {EXAMPLES / 'roles.yaml'}", kubeconfig)


def run_with_file(caller: Caller, experiment: str, text: str) -> dict[str, str]:
    """Log a run with a file; its id, and where its artifacts are."""
    made = caller.post("runs/create", experiment_id=experiment)
    assert made.ok, made.text
    info = made.json()["run"]["info"]
    place = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    answer = caller("PUT", f"{FILES}/{place}/note.txt", data=text)
    assert answer.ok, answer.text
    return {"run_id": info["run_id"], "place": place}


@pytest.fixture(scope="module")
def secrets_of_b(site: Site) -> dict[str, str]:
    """What B has: ids and names, by their fields."""
    b = site.caller("editor", B)
    experiment = b.post("experiments/create", name="b-experiment").json()["experiment_id"]
    found = run_with_file(b, experiment, MARK)
    for path, body in {
        "runs/log-parameter": {"run_id": found["run_id"], "key": "secret", "value": MARK},
        "registered-models/create": {"name": "b-model"},
        "model-versions/create": {
            "name": "b-model",
            "source": f"runs:/{found['run_id']}/m",
            "run_id": found["run_id"],
        },
    }.items():
        answer = b.post(path, **body)
        assert answer.ok, (path, answer.text)
    return {"experiment_id": experiment, "name": "b-model", **found}


def attempts(b: dict[str, str]) -> list[tuple[str, str, dict[str, Any]]]:
    """Calls that read or change what B has."""
    run_id, experiment, name, place = b["run_id"], b["experiment_id"], b["name"], b["place"]
    return [
        ("GET", f"runs/get?run_id={run_id}", {}),
        ("GET", f"/ajax-api/2.0/mlflow/runs/get?run_id={run_id}", {}),
        ("POST", "runs/search", {"json": {"experiment_ids": [experiment]}}),
        ("POST", "runs/log-parameter", {"json": {"run_id": run_id, "key": "x", "value": "y"}}),
        ("POST", "runs/set-tag", {"json": {"run_id": run_id, "key": "x", "value": "y"}}),
        ("POST", "runs/delete", {"json": {"run_id": run_id}}),
        ("POST", "runs/create", {"json": {"experiment_id": experiment}}),
        ("GET", f"experiments/get?experiment_id={experiment}", {}),
        ("GET", "experiments/get-by-name?experiment_name=b-experiment", {}),
        ("POST", "experiments/delete", {"json": {"experiment_id": experiment}}),
        ("GET", f"registered-models/get?name={name}", {}),
        ("GET", f"model-versions/get?name={name}&version=1", {}),
        ("DELETE", "registered-models/delete", {"json": {"name": name}}),
        ("GET", f"artifacts/list?run_id={run_id}", {}),
        ("GET", f"/get-artifact?run_uuid={run_id}&path=note.txt", {}),
        ("GET", f"{FILES}/{place}/note.txt", {}),
        ("PUT", f"{FILES}/{place}/note.txt", {"data": "changed"}),
        ("DELETE", f"{FILES}/{place}/note.txt", {}),
        ("GET", f"{FILES}?path={place}", {}),
        ("POST", "/graphql", {"json": {"query": GRAPHQL % run_id, "operationName": "GetRun"}}),
    ]


@pytest.mark.parametrize(
    "workspace", [A, B, ""], ids=["its own workspace", "the other workspace", "no workspace"]
)
def test_an_editor_of_a_reaches_nothing_of_b(
    site: Site, secrets_of_b: dict[str, str], workspace: str
) -> None:
    """Whichever workspace it names, no answer has what B wrote, and all of it is still there."""
    a = Caller(site.url, token(site.kube, A, "editor"), workspace)
    answers = {}
    for method, path, options in attempts(secrets_of_b):
        answer = a(method, path, **options)
        assert MARK not in answer.text, (method, path, answer.text)
        nothing = answer.status_code == 200 and is_empty(path, answer, secrets_of_b["run_id"])
        answers[f"{method} {path}"] = nothing or answer.status_code
    allowed = {400, 403, 404, True}
    assert {path: each for path, each in answers.items() if each not in allowed} == {}
    b = site.caller("editor", B)
    seen = b("GET", f"runs/get?run_id={secrets_of_b['run_id']}").json()["run"]
    assert seen["info"]["lifecycle_stage"] == "active"
    assert [each["key"] for each in seen["data"]["params"]] == ["secret"]
    note = b("GET", f"{FILES}/{secrets_of_b['place']}/note.txt")
    assert note.text == MARK
    assert b("GET", "model-versions/get?name=b-model&version=1").ok


def is_empty(path: str, answer: requests.Response, run_id: str) -> bool:
    """Whether an answer with status 200 holds no run. GraphQL names it in its error."""
    if path == "/graphql":
        return not ((answer.json().get("data") or {}).get("mlflowGetRun") or {}).get("run")
    return run_id not in answer.text


def test_an_editor_works_in_its_own_workspace(site: Site) -> None:
    a = site.caller("editor")
    experiment = a.post("experiments/create", name="a-experiment").json()["experiment_id"]
    made = a.post("runs/create", experiment_id=experiment).json()["run"]["info"]
    assert made["user_id"] == f"system:serviceaccount:{A}:editor"
    assert a.post("runs/log-metric", run_id=made["run_id"], key="m", value=1, timestamp=1).ok
    names = [each["name"] for each in a.post("experiments/search", max_results=100).json()["experiments"]]
    assert "a-experiment" in names and "b-experiment" not in names
    assert a.post("experiments/delete", experiment_id=experiment).status_code == 403
    assert site.caller("admin").post("experiments/delete", experiment_id=experiment).ok
    listed = a("GET", "/api/3.0/mlflow/workspaces").json()["workspaces"]
    assert [each["name"] for each in listed] == [A]


def test_a_viewer_reads_and_writes_nothing(site: Site) -> None:
    a, viewer = site.caller("editor"), site.caller("viewer")
    experiment = a.post("experiments/create", name="viewed").json()["experiment_id"]
    run_id = a.post("runs/create", experiment_id=experiment).json()["run"]["info"]["run_id"]
    assert viewer("GET", f"runs/get?run_id={run_id}").ok
    refused = {
        "experiments/create": {"name": "no"},
        "runs/create": {"experiment_id": experiment},
        "runs/log-metric": {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1},
        "runs/delete": {"run_id": run_id},
        "registered-models/create": {"name": "no"},
    }
    codes = {path: viewer.post(path, **body).status_code for path, body in refused.items()}
    assert codes == dict.fromkeys(refused, 403)
    assert site.caller("nobody")("GET", f"runs/get?run_id={run_id}").status_code == 403


def test_a_prompt_optimization_needs_its_data_set(site: Site) -> None:
    """A job reads the data set without an account, so the account that starts it needs `get` on it."""
    group, verbs = {"apiGroups": ["mlflow.kubeflow.org"]}, ["get", "list", "create", "update"]
    named = {**group, "resources": ["datasets"], "resourceNames": ["readable"], "verbs": ["get"]}
    role = {
        "metadata": {"name": "mlflow-without-data-sets"},
        "rules": [{**group, "resources": ["experiments", "registeredmodels"], "verbs": verbs}, named],
    }
    rbac = client.RbacAuthorizationV1Api(site.kube.api)
    rbac.create_cluster_role(role)
    site.kube.core.create_namespaced_service_account(A, {"metadata": {"name": "optimizer"}})
    bind(site.kube, A, "optimizer", role["metadata"]["name"])
    editor, optimizer = site.caller("editor"), site.caller("optimizer")
    eventually(lambda: optimizer.post("experiments/search", max_results=1).ok, 20, "the role")
    experiment = editor.post("experiments/create", name="optimized").json()["experiment_id"]

    def data_set(name: str) -> str:
        body = {"name": name, "experiment_ids": [experiment]}
        return str(editor.post("/api/3.0/mlflow/datasets/create", **body).json()["dataset"]["dataset_id"])

    def optimize(caller: Caller, body: Any = None, **config: str) -> int:
        config = {"optimizer_type": "OPTIMIZER_TYPE_GEPA", **config}
        whole = {"experiment_id": experiment, "source_prompt_uri": "prompts:/p/1", "config": config}
        path = "/api/3.0/mlflow/prompt-optimization/jobs"
        return caller("POST", path, json=json.dumps(whole) if body is str else whole).status_code

    readable, secret = data_set("readable"), data_set("secret")
    assert 403 not in [optimize(editor, dataset_id=each) for each in (readable, secret)]
    assert 403 not in [optimize(optimizer), optimize(optimizer, dataset_id=readable)]
    assert optimize(optimizer, dataset_id=secret) == optimize(optimizer, datasetId=secret) == 403
    assert optimize(optimizer, str, dataset_id=secret) == 403, "JSON in a string of JSON"
    role["rules"][0]["resources"] = ["experiments"]
    rbac.replace_cluster_role(role["metadata"]["name"], role)
    eventually(lambda: optimize(optimizer) == 403, CACHE_SECONDS + 20, "no right on prompts")
    job = {"job_name": "optimize_prompts", "params": {"dataset_id": secret}}
    for path in ("/ajax-api/3.0/jobs/", "/ajax-api/3.0/jobs"):
        assert [each.post(path, **job).status_code for each in (editor, optimizer)] == [403, 403], path
    rbac.delete_cluster_role(role["metadata"]["name"])


def test_a_parameter_of_the_path_has_one_value(site: Site) -> None:
    a = site.caller("editor")
    experiment = a.post("experiments/create", name="logged").json()["experiment_id"]
    made = a.post("logged-models", experiment_id=experiment, name="m").json()["model"]["info"]
    path, body = f"logged-models/{made['model_id']}", {"status": "LOGGED_MODEL_READY"}
    refused = a("PATCH", path, json={**body, "model_id": "m-another"})
    assert refused.status_code == 400 and "model_id: the path has another value" in refused.text
    assert a("PATCH", path, json={**body, "model_id": made["model_id"]}).ok


def test_a_trace_stays_in_its_namespace(site: Site) -> None:
    """An editor of another namespace who knows its id neither takes it nor writes to it."""
    headers = {name: {"Authorization": f"Bearer {site.caller('editor', name).token}"} for name in (A, B)}
    keepers = {}
    for name, own in headers.items():
        keeper = keepers[name] = Keeper(site.url, None)
        keeper.session.headers.update({**own, "X-MLFLOW-WORKSPACE": name})
        keeper.ids = {
            "mine": keeper.make("experiments/create", {"name": f"traces-of-{name}"})["experiment_id"]
        }
    trace = new_id()
    assert span(keepers[B], trace, "mine").ok and begin(keepers[B], trace, "mine").ok
    before = whole(keepers[B], trace)
    answers = [begin(keepers[A], trace, "mine"), span(keepers[A], trace, "mine")]
    assert {each.status_code for each in answers} == {403}, [each.text for each in answers]
    assert whole(keepers[B], trace) == before
    a, b = keepers[A], keepers[B]
    made = b.make("logged-models", {"experiment_id": b.ids["mine"], "name": "m"})
    model = made["model"]["info"]["model_id"]
    run = a.make("runs/create", {"experiment_id": a.ids["mine"]})["run"]["info"]["run_id"]
    metric = {"run_id": run, "key": "loss", "value": 1, "timestamp": 1}
    rename = {"runId": run, "run_uuid": "x", "run_name": "x"}
    search = {"pageToken": 5, "experiment_ids": [a.ids["mine"]]}
    assert a.send("POST", "/api/2.0/mlflow/runs/log-metric", json=metric).ok
    refused = {
        "/api/2.0/mlflow/runs/log-metric": ({**metric, "model_id": model}, 404),
        "/api/2.0/mlflow/runs/update": (rename, 400),
        "/api/3.0/mlflow/datasets/search": (search, 400),
        "/api/2.0/mlflow/runs/set-tag": (json.dumps({"run_id": run, "key": "x", "value": "y"}), 400),
        "/ajax-api/3.0/mlflow/demo/generate": ({}, 404),
    }
    codes = {path: a.send("POST", path, json=body).status_code for path, (body, _) in refused.items()}
    assert codes == {path: code for path, (_, code) in refused.items()}


def test_an_endpoint_needs_rights_on_its_experiment(site: Site) -> None:
    """Each call of an endpoint of the gateway is a trace in its experiment."""
    group, name = {"apiGroups": ["mlflow.kubeflow.org"]}, "mlflow-gateway-only"
    resources = ["gatewayendpoints", "gatewaysecrets", "gatewaymodeldefinitions"]
    resources += [f"{each}/use" for each in resources]
    rule = {**group, "resources": resources, "verbs": ["get", "list", "create", "update"]}
    rbac = client.RbacAuthorizationV1Api(site.kube.api)
    rbac.create_cluster_role({"metadata": {"name": name}, "rules": [rule]})
    site.kube.core.create_namespaced_service_account(A, {"metadata": {"name": "gateway-only"}})
    bind(site.kube, A, "gateway-only", name)
    experiment = (
        site.caller("editor").post("experiments/create", name="of-an-endpoint").json()["experiment_id"]
    )
    caller, path = site.caller("gateway-only"), "/api/3.0/mlflow/gateway"
    secret = {"provider": "openai", "secret_name": "own", "secret_value": {"api_key": "x"}}
    eventually(lambda: caller("GET", f"{path}/secrets/list").ok, CACHE_SECONDS + 20, "the role")
    secret_id = caller.post(f"{path}/secrets/create", **secret).json()["secret"]["secret_id"]
    model = {"name": "own", "provider": "openai", "model_name": "x", "secret_id": secret_id}
    made = caller.post(f"{path}/model-definitions/create", **model).json()["model_definition"]
    config = {"model_definition_id": made["model_definition_id"], "linkage_type": "PRIMARY", "weight": 1}
    endpoint = {"model_configs": [config], "usage_tracking": False}
    answer = caller.post(f"{path}/endpoints/create", name="own", **endpoint)
    assert answer.ok, answer.text
    with_tracking = {**endpoint, "usage_tracking": True, "experiment_id": experiment}
    assert caller.post(f"{path}/endpoints/create", name="other", **with_tracking).status_code == 403
    update = {"endpoint_id": answer.json()["endpoint"]["endpoint_id"], "experiment_id": experiment}
    assert caller.post(f"{path}/endpoints/update", **update).status_code == 403
    rbac.delete_cluster_role(name)


def test_without_a_valid_token_nothing_is_answered(site: Site) -> None:
    right = token(site.kube, A, "editor")
    head, claims, signature = right.split(".")
    told = json.loads(base64.urlsafe_b64decode(f"{claims}=="))
    forged = (
        base64.urlsafe_b64encode(json.dumps({**told, "sub": "system:admin"}).encode()).decode().rstrip("=")
    )
    tokens = {
        "none": "",
        "garbage": "garbage",
        "another audience": token(site.kube, A, "editor", "vault"),
        "other claims": f"{head}.{forged}.{signature}",
    }
    path = "experiments/get-by-name?experiment_name=Default"
    codes = {what: Caller(site.url, each, A)("GET", path).status_code for what, each in tokens.items()}
    assert codes == dict.fromkeys(tokens, 401)
    headers = {
        "kubeflow-userid": "system:admin",
        "X-Remote-User": "system:admin",
        "X-Remote-Groups": "system:masters",
    }
    assert Caller(site.url, "", A)("GET", path, headers=headers).status_code == 401
    assert Caller(site.url, "", A)("GET", path, auth=("admin", "password1234")).status_code == 401
    assert requests.get(f"{site.url}/health", timeout=60).status_code == 200


def test_a_namespace_without_the_label_is_no_workspace(site: Site) -> None:
    """Its accounts have the role there, which counts for nothing."""
    outside = site.caller("editor", OUTSIDE)
    assert outside.post("experiments/create", name="outside").status_code == 404
    site.kube.core.patch_namespace(OUTSIDE, {"metadata": {"labels": {"mlflow": "true"}}})
    eventually(lambda: outside.post("experiments/search", max_results=1).ok, 20, "a new workspace")


def test_a_request_without_a_workspace_is_refused(site: Site) -> None:
    a = Caller(site.url, token(site.kube, A, "editor"))
    assert a.post("experiments/search", max_results=1).status_code == 400


def test_a_revoked_binding_takes_effect_within_the_cache_time(site: Site) -> None:
    site.kube.core.create_namespaced_service_account(A, {"metadata": {"name": "leaving"}})
    bind(site.kube, A, "leaving", "mlflow-editor")
    leaving = site.caller("leaving")
    eventually(lambda: leaving.post("experiments/search", max_results=1).ok, 20, "the right")
    client.RbacAuthorizationV1Api(site.kube.api).delete_namespaced_role_binding("mlflow-leaving", A)
    since = time.monotonic()
    eventually(lambda: not search_is_allowed(leaving), CACHE_SECONDS, "no right", every=0.2)
    assert time.monotonic() - since < CACHE_SECONDS + 5


def search_is_allowed(caller: Caller) -> bool:
    return caller.post("experiments/create", name="x").status_code != 403


def test_a_job_logs_a_run_with_two_variables(site: Site) -> None:
    """The Job of the examples, as far as it does not depend on the site."""
    text = (EXAMPLES / "job.yaml").read_text().replace(".ml.svc.", f".{site.namespace}.svc.")
    job = yaml.safe_load(text)
    spec = job["spec"]["template"]["spec"]
    spec["serviceAccountName"] = "editor"
    spec["containers"][0] |= {"image": f"localhost/client:{MLFLOW_VERSION}", "imagePullPolicy": "Never"}
    client.BatchV1Api(site.kube.api).create_namespaced_job(A, job)
    site.kube.end_of_job(A, "train")
    a = site.caller("editor")
    found = a("GET", "experiments/get-by-name?experiment_name=nightly").json()["experiment"]
    (made,) = a.post("runs/search", experiment_ids=[found["experiment_id"]]).json()["runs"]
    assert made["data"]["metrics"][0]["value"] == 0.875


def test_the_audit_log_names_the_account_and_no_token(site: Site) -> None:
    viewer = site.caller("viewer")
    assert viewer.post("experiments/create", name="audited").status_code == 403
    assert site.caller("editor").post("experiments/create", name="audited").ok
    lines = []
    for pod in site.kube.pods(site.namespace):
        log = site.kube.logs(site.namespace, pod.metadata.name, "mlflow")
        assert viewer.token not in log and viewer.token.split(".")[2] not in log
        lines += [json.loads(line) for line in log.splitlines() if '"mlflow.audit"' in line]
    found = {
        (each["user"].rpartition(":")[2], each["workspace"], each["result"], each["login"])
        for each in lines
        if each["route"] == "/api/2.0/mlflow/experiments/create"
    }
    assert {("viewer", A, "denied", "kubernetes"), ("editor", A, "ok", "kubernetes")} <= found


@contextmanager
def silent_api_server(site: Site) -> Iterator[None]:
    """Drop all that the server sends to others, so that the API server seems to answer nothing."""
    networking = client.NetworkingV1Api(site.kube.api)
    policy = networking.read_namespaced_network_policy("mlflow", site.namespace)
    egress = site.kube.api.sanitize_for_serialization(policy.spec.egress)
    networking.patch_namespaced_network_policy("mlflow", site.namespace, {"spec": {"egress": []}})
    try:
        yield
    finally:
        networking.patch_namespaced_network_policy("mlflow", site.namespace, {"spec": {"egress": egress}})


def test_a_silent_api_server_delays_no_health(site: Site) -> None:
    """Requests whose permissions are not cached get 503; the probes of the pod are answered meanwhile."""

    def stranger(number: int) -> int:
        caller = Caller(site.url, f"token-{number}", A)
        return caller("GET", "experiments/get-by-name?experiment_name=Default").status_code

    assert stranger(0) == 401
    with silent_api_server(site), ThreadPoolExecutor(8) as pool:
        eventually(lambda: stranger(1) == 503, 60, "a silent API server")
        asked = [pool.submit(stranger, number) for number in range(2, 10)]
        slowest = 0.0
        while not all(each.done() for each in asked):
            since = time.monotonic()
            assert requests.get(f"{site.url}/health", timeout=60).status_code == 200
            slowest = max(slowest, time.monotonic() - since)
        assert {each.result() for each in asked} == {503}
        assert slowest < 4
    eventually(lambda: stranger(10) == 401, 60, "an API server that answers")
    eventually(lambda: site.caller("editor").post("experiments/search", max_results=1).ok, 60, "the database")


def test_the_server_has_the_least_rights(site: Site, kubeconfig: Path) -> None:
    """To list and watch namespaces, and nothing else; pods of tasks have no token."""
    account = f"system:serviceaccount:{site.namespace}:mlflow"
    asked = {
        "list namespaces": "yes",
        "get secrets": "no",
        "create subjectaccessreviews.authorization.k8s.io": "no",
        "list pods": "no",
        "impersonate users": "no",
        "list mlflowconfigs.mlflow.kubeflow.org": "no",
    }
    said = {
        what: run(
            f"kubectl auth can-i {what} --all-namespaces --as {account}", kubeconfig, check=False
        ).stdout.strip()
        for what in asked
    }
    assert said == asked


@pytest.fixture
def runs(site: Site) -> dict[str, dict[str, dict[str, str]]]:
    """Of each namespace: a run, one that its editor deleted and one that ended long ago, each with a file."""
    made = {}
    for namespace in (A, B):
        editor = site.caller("editor", namespace)
        name = f"operations-{secrets.token_hex(3)}"
        experiment = editor.post("experiments/create", name=name).json()["experiment_id"]
        of = {each: run_with_file(editor, experiment, namespace) for each in ("live", "deleted", "old")}
        assert editor.post("runs/delete", run_id=of["deleted"]["run_id"]).ok
        ended = {"status": "FINISHED", "end_time": int(time.time() * 1000) - 31 * DAY}
        assert editor.post("runs/update", run_id=of["old"]["run_id"], **ended).ok
        made[namespace] = of
    return made


def seen_by(caller: Caller, logged: dict[str, str]) -> tuple[int, str]:
    """What a caller gets: the status of the run, and the file or the status of the refusal."""
    file = caller("GET", f"{FILES}/{logged['place']}/note.txt")
    return (
        caller("GET", f"runs/get?run_id={logged['run_id']}").status_code,
        file.text if file.ok else str(file.status_code),
    )


def test_retention_works_in_each_namespace(site: Site, runs: dict[str, dict[str, dict[str, str]]]) -> None:
    """What its editor deleted goes at once; what is old is deleted first, and goes the next time."""

    def stored(namespace: str) -> set[str]:
        keys = site.release.keys(f"artifacts/workspaces/{namespace}/")
        return {what for what, each in runs[namespace].items() if any(each["run_id"] in key for key in keys)}

    assert all(stored(namespace) == {"live", "deleted", "old"} for namespace in runs)
    site.release.job("retention")
    assert all(stored(namespace) == {"live", "old"} for namespace in runs)
    site.release.job("retention")
    for namespace, of in runs.items():
        editor = site.caller("editor", namespace)
        assert stored(namespace) == {"live"}
        assert seen_by(editor, of["live"]) == (200, namespace)
        assert [seen_by(editor, of[gone])[0] for gone in ("deleted", "old")] == [404, 404]


def test_each_namespace_comes_back_from_a_backup(
    site: Site, runs: dict[str, dict[str, dict[str, str]]]
) -> None:
    """Its editor reads its run and its file again; that of the other one does in no workspace."""
    site.release.job("backup")
    site.release.query("TRUNCATE experiments CASCADE")
    for namespace, of in runs.items():
        assert seen_by(site.caller("editor", namespace), of["live"])[0] == 404
    site.release.ops("restore latest --yes")
    site.connect()
    for namespace, other in ((A, B), (B, A)):
        live = runs[namespace]["live"]
        assert seen_by(site.caller("editor", namespace), live) == (200, namespace)
        # In its own workspace there is no such run, and the path is one of another workspace.
        assert seen_by(site.caller("editor", other, namespace), live) == (403, "403")
        assert seen_by(site.caller("editor", other), live) == (404, "400")


def keeper(site: Site, account: str, namespace: str, workspace: str) -> Keeper:
    """An account of a namespace that names a workspace, for the calls of tests/runtime."""
    found = Keeper(site.url, None)
    found.session.trust_env = False
    bearer = {"Authorization": f"Bearer {token(site.kube, namespace, account)}"}
    found.session.headers.update({**bearer, "X-MLFLOW-WORKSPACE": workspace})
    return found


def test_the_page_of_routes(site: Site, tmp_path: Path) -> None:
    """An editor of A learns nothing of B, whichever workspace it names. Last, as it removes things."""
    admin, editor = keeper(site, "admin", B, B), keeper(site, "editor", A, A)
    own, bert = keep_as(admin, editor, admin)
    other = keeper(site, "editor", A, B)
    other.ids = own.ids
    wrong: list[str] = []

    def checked(who: Keeper, call: Call) -> requests.Response:
        if who is bert:
            return ask(bert, call)
        for anna in (own, other):
            answer = ask(anna, call)
            # MLflow answers a name that anna has twice with the SQL of her own row.
            told = [what for what in learned(call, anna, answer) if what != SQL_SHOWN]
            wrong.extend(f"{what}: {call}: {answer.text[:400]!r}" for what in told)
        return answer

    found = route_table.answers(checked, other, bert, distinct_routes(tmp_path))
    assert wrong == [], "\n".join(wrong)
    route_table.record("kubernetes", found)
    assert route_table.opened(route_table.read()["kubernetes"], found) == []
    assert sum(there in (401, 403) and here < 300 for there, here in found.values()) > 50, found
