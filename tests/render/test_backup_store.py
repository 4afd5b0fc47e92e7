"""Where backups go, with whose credentials, and which containers have them, in each cloud."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflowops.paths import REPO
from sweep import sweep

from render.chart import KEYS, MLFLOW, Chart, Json, Manifest, Refused, azure, gcs, postgres, s3

TASKS = ("backup", "restore", "drill")
LOGIN = {"auth": {"mode": "basic"}, **KEYS}
SECRET = {"credentialsFromSecret": {"enabled": True}}
ACCOUNT = {"serviceAccount": {"create": True}}
STORES = {"s3": s3(path="artifacts"), "azure": azure(path="artifacts"), "gcs": gcs(path="artifacts")}
KEYED = {
    "s3": s3(path="artifacts", **SECRET),
    "azure": azure(path="artifacts", **SECRET),
    "gcs": gcs(path="artifacts", **SECRET),
}
# A place that no credentials of the server lead to.
APART = {
    "s3": {"bucket": "backups"},
    "azure": {"bucket": "backups", "storageAccount": "other"},
    "gcs": {"bucket": "backups"},
}


def values(store: Json, *more: Json, **backup: Any) -> Json:
    """A release with PostgreSQL, that store, and backups with a drill."""
    found: Json = {**postgres(cleanupRunsEnabled=True), **store, "jobs": {"enabled": True}}
    for each in more:
        found |= each
    return found | {"backup": {"enabled": True, "drill": {"enabled": True}, **backup}}


def pod(manifest: Manifest, task: str) -> Json:
    job = manifest.component("CronJob", task)["spec"]["jobTemplate"]["spec"]
    return job["template"]["spec"]  # type: ignore[no-any-return]


def boxes(manifest: Manifest) -> dict[str, tuple[Json, Json]]:
    """Every container, by component and name, with its pod's spec."""
    found = {}
    for _, template in manifest.pods():
        component = template["metadata"]["labels"]["app.kubernetes.io/component"]
        spec = template["spec"]
        for box in spec.get("initContainers", []) + spec["containers"]:
            found[f"{component}/{box['name']}"] = (spec, box)
    return found


def reads(spec: Json, box: Json) -> set[str]:
    """Names of the Secrets that a container has: as variables, or as files."""
    mounted = {mount["name"] for mount in box["volumeMounts"]}
    sources = [entry.get("valueFrom", {}).get("secretKeyRef") for entry in box["env"]]
    names = {source["name"] for source in sources if source}
    names |= {each["secretRef"]["name"] for each in box.get("envFrom", []) if "secretRef" in each}
    volumes = [each for each in spec["volumes"] if each["name"] in mounted and "secret" in each]
    return names | {volume["secret"]["secretName"] for volume in volumes}


def env(box: Json) -> dict[str, str | None]:
    entries = box["env"]
    assert len({entry["name"] for entry in entries}) == len(entries)
    return {entry["name"]: entry.get("value") for entry in entries}


@pytest.mark.parametrize("kind", sweep(STORES, 3))
def test_only_what_backs_up_has_the_keys_of_the_backups(chart: Chart, kind: str) -> None:
    """Nothing that runs beside the server has them: the migration is over when it starts."""
    manifest = chart.render(values(KEYED[kind], LOGIN, **APART[kind], **SECRET, beforeMigration=True))
    found = {name: reads(*each) for name, each in boxes(manifest).items()}
    ours = {name for name, secrets in found.items() if "mlflow-backup-secret" in secrets}
    assert ours == {"server/schema", "jobs/schema", *(f"{task}/{task}" for task in TASKS)}
    assert "restartPolicy" not in manifest.container("schema"), "it ends before the server starts"


@pytest.mark.parametrize("own", [SECRET, ACCOUNT], ids=["secret", "account"])
@pytest.mark.parametrize("kind", sweep(STORES, 3))
def test_what_backs_up_has_no_keys_of_the_artifacts(chart: Chart, kind: str, own: Json) -> None:
    """They would come before an identity. Retention and the exporter look at artifacts, so they have them."""
    manifest = chart.render(values(KEYED[kind], LOGIN, **APART[kind], **own))
    found = {name: reads(*each) for name, each in boxes(manifest).items()}
    name = f"mlflow-{kind}-secret"
    having = {box for box, secrets in found.items() if name in secrets}
    assert having >= {"server/mlflow", "server/schema", "jobs/jobs", "retention/retention"}
    assert not [box for box in having if box.partition("/")[0] in TASKS]
    for task in TASKS:
        secrets = [each.get("secret", {}).get("secretName") for each in pod(manifest, task)["volumes"]]
        assert name not in secrets, "a pod would wait for it"


@pytest.mark.parametrize("kind", sweep(KEYED, 3))
def test_without_their_own_they_have_the_servers(chart: Chart, kind: str) -> None:
    """As long as there is no login, which they would get around."""
    manifest = chart.render(values(KEYED[kind], beforeMigration=True))
    for task in TASKS:
        assert f"mlflow-{kind}-secret" in reads(*boxes(manifest)[f"{task}/{task}"])
        assert pod(manifest, task)["serviceAccountName"] == "mlflow"
    assert manifest.container("schema")["env"] == boxes(manifest)["jobs/schema"][1]["env"]
    assert f"mlflow-{kind}-secret" in reads(manifest.server(), manifest.container("schema"))


@pytest.mark.parametrize("task", [*TASKS, "server/schema"])
def test_postgresqls_programs_have_no_key_of_google(chart: Chart, task: str) -> None:
    """As a file neither: beside the server they stay as long as it."""
    for own in ({}, SECRET):
        manifest = chart.render(values(KEYED["gcs"], bucket="backups", beforeMigration=True, **own))
        beside = task.partition("/")[0]
        mounts = boxes(manifest)[f"{beside}/postgres"][1]["volumeMounts"]
        assert not [each for each in mounts if each["name"].endswith("credentials")]


def test_keys_of_s3(chart: Chart) -> None:
    keys = {"enabled": True, "name": "writer", "accessKeyIdKey": "id", "secretAccessKeyKey": "secret"}
    place = {"bucket": "backups", "region": "eu-north-1", "endpoint": "https://s3.other.example.com"}
    manifest = chart.render(values(s3(region="us-east-1", **SECRET), credentialsFromSecret=keys, **place))
    for task in TASKS:
        _, box = boxes(manifest)[f"{task}/{task}"]
        sources = {each["name"]: each["valueFrom"].get("secretKeyRef") for each in box["env"][:4]}
        assert sources["AWS_ACCESS_KEY_ID"] == {"name": "writer", "key": "id"}
        assert sources["AWS_SECRET_ACCESS_KEY"] == {"name": "writer", "key": "secret"}
        found = env(box)
        assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"] == "eu-north-1"
        assert found["MLFLOW_S3_ENDPOINT_URL"] == "https://s3.other.example.com"
        assert [word for word in box["command"] if word.endswith("=s3://backups/backups/ml/mlflow")]
    assert manifest.env()["AWS_REGION"] == "us-east-1" and "MLFLOW_S3_ENDPOINT_URL" not in manifest.env()


def test_what_is_not_said_is_as_for_artifacts(chart: Chart) -> None:
    store = s3(region="us-east-1", endpoint="https://s3.example.com")
    _, box = boxes(chart.render(values(store, bucket="backups", **SECRET)))["backup/backup"]
    assert (env(box)["AWS_REGION"], env(box)["MLFLOW_S3_ENDPOINT_URL"]) == (
        "us-east-1",
        "https://s3.example.com",
    )


@pytest.mark.parametrize("key", ["", "other.json"])
def test_a_key_of_google_is_where_its_variable_says(chart: Chart, key: str) -> None:
    """In the migration's container it lies beside that of the artifacts."""
    own = {"credentialsFromSecret": {"enabled": True, "name": "writer", "key": key}}
    manifest = chart.render(values(KEYED["gcs"], bucket="backups", beforeMigration=True, **own))
    for name in ("backup/backup", "restore/restore", "server/schema", "jobs/schema"):
        spec, box = boxes(manifest)[name]
        (volume,) = [each for each in spec["volumes"] if each["name"] == "backup-credentials"]
        assert volume["secret"] == {
            "secretName": "writer",
            "items": [{"key": key or "credentials.json", "path": "credentials.json"}],
        }
        (mount,) = [each for each in box["volumeMounts"] if each["name"] == "backup-credentials"]
        assert mount["readOnly"] is True
        assert env(box)["GOOGLE_APPLICATION_CREDENTIALS"] == f"{mount['mountPath']}/credentials.json"
        assert mount["mountPath"] not in [e["mountPath"] for e in box["volumeMounts"] if e is not mount]
    assert manifest.env()["GOOGLE_APPLICATION_CREDENTIALS"] == "/etc/mlflow/gcs/credentials.json"


PRIVATE = "https://mine.privatelink.blob.core.windows.net"


@pytest.mark.parametrize(
    ("backup", "host", "connection"),
    [
        ({}, "account", f"AccountName=account;BlobEndpoint={PRIVATE}"),
        ({"storageAccount": "account"}, "account", f"AccountName=account;BlobEndpoint={PRIVATE}"),
        ({"storageAccount": "other"}, "other", None),
        (
            {"storageAccount": "other", "endpoint": "https://private.example.com/"},
            "other",
            "AccountName=other;BlobEndpoint=https://private.example.com",
        ),
    ],
)
def test_azure(chart: Chart, backup: Json, host: str, connection: str | None) -> None:
    """A private name is of one account: the artifacts' is not taken for another."""
    store = azure(endpoint=PRIVATE, path="artifacts", **SECRET)
    _, box = boxes(chart.render(values(store, bucket="backups", **SECRET, **backup)))["backup/backup"]
    found = env(box).get("AZURE_STORAGE_CONNECTION_STRING")
    key = ";AccountKey=$(AZURE_STORAGE_ACCESS_KEY)"
    assert (found or "").replace(key, "") == (connection or "")
    place = f"wasbs://backups@{host}.blob.core.windows.net/backups/ml/mlflow"
    assert f"--destination={place}" in box["command"]
    (source,) = [each["valueFrom"] for each in box["env"] if each["name"] == "AZURE_STORAGE_ACCESS_KEY"]
    assert source["secretKeyRef"] == {"name": "mlflow-backup-secret", "key": "AZURE_STORAGE_ACCESS_KEY"}


def test_azure_by_identity_needs_no_private_name(chart: Chart) -> None:
    store = azure(endpoint=PRIVATE, path="artifacts", **SECRET)
    _, box = boxes(chart.render(values(store, bucket="backups", **ACCOUNT)))["backup/backup"]
    assert not [name for name in env(box) if name.startswith("AZURE")]


ACCOUNTS: dict[str, tuple[Json, str, list[str]]] = {
    "the release's": ({}, "mlflow", ["mlflow"]),
    "made": ({"create": True}, "mlflow-backup", ["mlflow-backup", "mlflow"]),
    "named": ({"create": True, "name": "archive"}, "archive", ["archive", "mlflow"]),
    "theirs": ({"name": "archive"}, "archive", ["mlflow"]),
}


@pytest.mark.parametrize("which", sweep(ACCOUNTS, 3))
def test_the_service_account_of_backups(chart: Chart, which: str) -> None:
    """And of nothing else."""
    account, name, made = ACCOUNTS[which]
    manifest = chart.render(values(STORES["s3"], serviceAccount=account))
    accounts = [item for item in manifest.objects if item["kind"] == "ServiceAccount"]
    assert sorted(item["metadata"]["name"] for item in accounts) == sorted(made)
    for pod_name, template in manifest.pods():
        component = template["metadata"]["labels"]["app.kubernetes.io/component"]
        wanted = name if component in TASKS else "mlflow"
        assert template["spec"]["serviceAccountName"] == wanted, pod_name
        assert template["spec"]["automountServiceAccountToken"] is False


def test_its_annotations_and_labels(chart: Chart) -> None:
    more = {"annotations": {"eks.amazonaws.com/role-arn": "arn"}, "labels": {"team": "a"}}
    manifest = chart.render(values(STORES["s3"], serviceAccount={"create": True, **more}))
    account = manifest.one("ServiceAccount", "mlflow-backup")
    assert account["metadata"]["annotations"] == more["annotations"]
    assert account["metadata"]["labels"]["team"] == "a"
    assert "annotations" not in manifest.one("ServiceAccount", "mlflow")["metadata"]


def test_there_is_none_without_backups(chart: Chart) -> None:
    manifest = chart.render({"backup": ACCOUNT})
    assert [item["metadata"]["name"] for item in manifest.objects if item["kind"] == "ServiceAccount"] == [
        "mlflow"
    ]


def test_the_servers_identity_stays_with_the_server(chart: Chart) -> None:
    """What `mlflow.env` and `mlflow.envFrom` say about it does not reach backups with their own."""
    server = {
        "env": {
            "AWS_PROFILE": "server",
            "AWS_ROLE_ARN": "arn",
            "AWS_CA_BUNDLE": "/ca",
            "AZURE_CLIENT_ID": "a",
        },
        "envFrom": [{"secretRef": {"name": "keys"}}, {"configMapRef": {"name": "proxy"}}],
    }
    apart = chart.render(values(STORES["s3"], {"mlflow": server}, bucket="backups", **ACCOUNT))
    for task in TASKS:
        _, box = boxes(apart)[f"{task}/{task}"]
        assert box["envFrom"] == [{"configMapRef": {"name": "proxy"}}]
        assert env(box)["AWS_CA_BUNDLE"] == "/ca"
        assert not {"AWS_PROFILE", "AWS_ROLE_ARN", "AZURE_CLIENT_ID"} & env(box).keys()
    assert env(boxes(apart)["retention/retention"][1])["AWS_PROFILE"] == "server"
    _, shared = boxes(chart.render(values(STORES["s3"], {"mlflow": server})))["backup/backup"]
    assert shared["envFrom"] == server["envFrom"] and env(shared)["AWS_PROFILE"] == "server"


def egress(manifest: Manifest, port: int) -> list[Json]:
    rules = manifest.one("NetworkPolicy")["spec"]["egress"]
    wanted = [rule for rule in rules if {"protocol": "TCP", "port": port} in rule.get("ports", [])]
    return [peer for rule in wanted for peer in rule["to"]]


def test_the_network_policy_changes_with_the_address_only(chart: Chart) -> None:
    policy = {"networkPolicy": {"enabled": True}}
    store = s3(path="artifacts", endpoint="http://s3.store.svc:8333", **SECRET)
    same, own = (
        chart.render(values(store, policy, **each)).one("NetworkPolicy")
        for each in ({}, {"bucket": "backups", **SECRET})
    )
    assert same == own
    other = chart.render(values(store, policy, endpoint="http://s3.vault.svc:9000", **SECRET))
    namespace = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "vault"}}}
    assert egress(other, 9000) == [namespace]
    peers = {"networkPolicy": {"enabled": True, "peers": {"backupStore": [namespace]}}}
    far = chart.render(values(store, peers, endpoint="https://s3.example.com", **SECRET))
    assert egress(far, 443) == [namespace]


@pytest.mark.parametrize("own", [SECRET, ACCOUNT], ids=["secret", "account"])
def test_an_identity_of_backups_gets_its_credentials(chart: Chart, own: Json) -> None:
    """From the agent of EKS, which a server with keys does not need."""
    policy = {"networkPolicy": {"enabled": True}}
    manifest = chart.render(values(KEYED["s3"], policy, bucket="backups", **own))
    assert egress(manifest, 80) == ([{"ipBlock": {"cidr": "169.254.170.23/32"}}] if own is ACCOUNT else [])


def test_notes_name_the_secret(chart: Chart) -> None:
    notes = chart.notes(values(KEYED["s3"], LOGIN, bucket="backups", **SECRET))
    assert "mlflow-backup-secret: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY" in notes
    assert "mlflow-backup-secret" not in chart.notes({**KEYED["s3"], "backup": SECRET})


RIGHT: dict[str, tuple[str, Json]] = {
    "keys": ("s3", {"bucket": "backups", **SECRET}),
    "account": ("s3", {"bucket": "backups", **ACCOUNT}),
    "keys before a migration": ("s3", {"bucket": "backups", "beforeMigration": True, **SECRET}),
    "account and keys": ("s3", {"bucket": "backups", "beforeMigration": True, **SECRET, **ACCOUNT}),
    "their account": ("gcs", {"bucket": "backups", "serviceAccount": {"name": "archive"}}),
    "another account of Azure": ("azure", {"storageAccount": "other", **SECRET}),
    "another container": ("azure", {"bucket": "backups", **ACCOUNT}),
}


@pytest.mark.parametrize("right", sweep(RIGHT, 4))
def test_a_login_and_backups_go_together(chart: Chart, right: str) -> None:
    kind, backup = RIGHT[right]
    assert chart.render(values(STORES[kind], LOGIN, **backup)).objects


# With a login: what still shares something with the server, and the key that a sentence is about.
SHARED: dict[str, tuple[Json, Json, Json, str]] = {
    "nothing of its own": (STORES["s3"], {}, {}, "bucket"),
    "a bucket": (STORES["s3"], {"bucket": "backups"}, {}, "credentialsFromSecret"),
    "keys": (STORES["s3"], SECRET, {}, "bucket"),
    "account": (STORES["gcs"], ACCOUNT, {}, "bucket"),
    "the bucket by its name": (STORES["s3"], {"bucket": "models", **SECRET}, {}, "bucket"),
    "the bucket in capitals": (STORES["s3"], {"bucket": "MODELS", **SECRET}, {}, "bucket"),
    "the bucket by another address": (
        STORES["s3"],
        {"endpoint": "https://s3.eu-west-1.amazonaws.com", **SECRET},
        {},
        "bucket",
    ),
    "the container": (STORES["azure"], ACCOUNT, {}, "bucket"),
    "the account, whose key opens all": (
        KEYED["azure"],
        {"bucket": "backups", **SECRET},
        {},
        "storageAccount",
    ),
    "the account by its name": (
        KEYED["azure"],
        {"bucket": "backups", "storageAccount": "account", **ACCOUNT},
        {},
        "storageAccount",
    ),
    "the Secret": (
        KEYED["s3"],
        {"bucket": "backups", "credentialsFromSecret": {"enabled": True, "name": "mlflow-s3-secret"}},
        {},
        "credentialsFromSecret.name",
    ),
    "the Secret by other keys": (
        KEYED["s3"],
        {
            "bucket": "backups",
            "credentialsFromSecret": {
                "enabled": True,
                "name": "mlflow-s3-secret",
                "accessKeyIdKey": "id",
                "secretAccessKeyKey": "secret",
            },
        },
        {},
        "credentialsFromSecret.name",
    ),
    "the Secret of the password": (
        STORES["s3"],
        {"bucket": "backups", "credentialsFromSecret": {"enabled": True, "name": "mlflow-postgres-secret"}},
        {},
        "credentialsFromSecret.name",
    ),
    "a Secret of envFrom": (
        STORES["s3"],
        {"bucket": "backups", **SECRET},
        {"mlflow": {"envFrom": [{"secretRef": {"name": "mlflow-backup-secret"}}]}},
        "credentialsFromSecret.name",
    ),
    "a mounted Secret": (
        STORES["s3"],
        {"bucket": "backups", **SECRET},
        {"extraVolumes": [{"name": "more", "secret": {"secretName": "mlflow-backup-secret"}}]},
        "credentialsFromSecret.name",
    ),
    "a projected Secret": (
        STORES["s3"],
        {"bucket": "backups", **SECRET},
        {
            "extraVolumes": [
                {"name": "more", "projected": {"sources": [{"secret": {"name": "mlflow-backup-secret"}}]}}
            ]
        },
        "credentialsFromSecret.name",
    ),
    "the ServiceAccount": (
        STORES["s3"],
        {"bucket": "backups", "serviceAccount": {"name": "mlflow"}},
        {},
        "credentialsFromSecret",
    ),
    "an existing ServiceAccount": (
        STORES["s3"],
        {"bucket": "backups", "serviceAccount": {"name": "shared"}},
        {"serviceAccount": {"create": False, "name": "shared"}},
        "credentialsFromSecret",
    ),
    "the role": (
        STORES["s3"],
        {
            "bucket": "backups",
            "serviceAccount": {"create": True, "annotations": {"eks.amazonaws.com/role-arn": "a"}},
        },
        {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "a"}}},
        "serviceAccount.annotations",
    ),
    "the pod of the server": (
        STORES["s3"],
        {"bucket": "backups", "beforeMigration": True, **ACCOUNT},
        {},
        "beforeMigration",
    ),
}


@pytest.mark.parametrize("shared", sweep(SHARED, 5))
def test_with_a_login_nothing_is_shared(chart: Chart, shared: str) -> None:
    store, backup, more, key = SHARED[shared]
    with pytest.raises(Refused, match=rf"(?m)^mlflow: backup\.{key}: .*; .*\.$"):
        chart.render(values(store, LOGIN, more, **backup))


@pytest.mark.parametrize("shared", sweep([name for name in SHARED if name != "the pod of the server"], 5))
def test_without_a_login_all_of_it_is_allowed(chart: Chart, shared: str) -> None:
    store, backup, more, _ = SHARED[shared]
    assert chart.render(values(store, more, **backup)).objects


@pytest.mark.parametrize("case", ["values-prod.yaml", "charts/mlflow/ci/backup-values.yaml"])
def test_an_example_with_a_login_that_shares_is_refused(chart: Chart, case: str) -> None:
    """Without what it says of the bucket and the keys."""
    given: Json = yaml.safe_load(Path(REPO / "values.yaml").read_text()) if "prod" in case else {}
    given |= yaml.safe_load(Path(REPO / case).read_text())
    given |= {"artifactStore": STORES["s3"]["artifactStore"], "externalSecrets": {}}
    given["backendStore"] = postgres()["backendStore"]
    assert chart.render(given).objects
    for key in ("bucket", "credentialsFromSecret"):
        less = {name: value for name, value in given["backup"].items() if name != key}
        with pytest.raises(Refused, match=rf"mlflow: backup\.{key}: "):
            chart.render({**given, "backup": less})


PAGE = (REPO / "docs/backup.md").read_text()


def test_the_page_names_policies_for_the_two_buckets_of_production() -> None:
    """Neither has a right in the other's."""
    given = yaml.safe_load(Path(REPO / "values-prod.yaml").read_text())
    base = yaml.safe_load(Path(REPO / "values.yaml").read_text())
    server, backups = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    place = given["artifactStore"]["s3"]["bucket"], base["artifactStore"]["s3"]["path"]
    for policy, bucket, path in ((server, *place), (backups, given["backup"]["bucket"], "backups/ml/mlflow")):
        arn = f"arn:aws:s3:::{bucket}"
        assert [each["Resource"] for each in policy["Statement"]] == [f"{arn}/{path}/*", arn]
        assert all(each["Effect"] == "Allow" for each in policy["Statement"])


def test_the_examples_of_the_page_go_with_a_login(chart: Chart) -> None:
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    found = [each for each in blocks if "bucket" in each.get("backup", {}) and "store" not in each["backup"]]
    assert len(found) == 2
    for each in found:
        assert chart.render({**postgres(), **s3(), **LOGIN, **each}).objects


def test_the_example_of_the_embedded_default_renders(chart: Chart) -> None:
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    (found,) = [each for each in blocks if "store" in each.get("backup", {})]
    assert "CronJob/mlflow-drill" in chart.render(found).names()


def test_the_default_of_the_chart_shares_nothing_by_itself() -> None:
    backup = MLFLOW.default()["backup"]
    assert not backup["credentialsFromSecret"]["enabled"] and not backup["serviceAccount"]["create"]
