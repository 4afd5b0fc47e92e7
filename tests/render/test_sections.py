"""Which settings a section of the values has for its own pods, and that they go before the general ones."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from sweep import sweep

from render.chart import MLFLOW, Json, Refused, merged, nested
from render.test_settings_of_pods import CONTAINERS, DIRECT, EVERY, LIBPQ, reasons

TASKS = "retention, backup, restore, drill, postgres, test, direct test"
# The pods of each section, by their containers.
SECTIONS = {
    "jobs": "jobs, migration of jobs",
    "metrics.exporter": "exporter",
    "tasks": TASKS,
    "test": "test, direct test",
}
CA, LAB = ({"name": name, "configMap": {"name": name}} for name in ("ca", "lab"))
MORE, OWN = ({"configMapRef": {"name": name}} for name in ("more", "own"))
SPREAD = {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}

# A setting: the general value, that of the section, and what a container or its pod shows of the latter then.
Shows = Callable[[Json, Json], bool]


def spec(key: str, value: Any) -> Shows:
    return lambda pod, _: pod["spec"].get(key) == value


def metadata(key: str) -> Shows:
    return lambda pod, _: pod["metadata"].get(key, {}).get("note") == "own"


def security(of: Callable[[Json, Json], Json], own: Json, kept: Json) -> Shows:
    return lambda pod, container: of(pod, container).items() >= {**own, **kept}.items()


def variable(_: Json, container: Json) -> bool:
    values = [each["value"] for each in container.get("env", []) if each["name"] == "TWICE"]
    assert len(values) < 2, values
    return values == ["own"]


def spread(pod: Json, _: Json) -> bool:
    component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
    found = [
        each["labelSelector"]["matchLabels"].get("app.kubernetes.io/component")
        for each in pod["spec"].get("topologySpreadConstraints", [])
        if each.items() >= SPREAD.items()
    ]
    return found == [component]


def mounted(_: Json, container: Json) -> bool:
    names = {each["name"] for each in container["volumeMounts"]}
    return "lab" in names and "ca" not in names


def sources(_: Json, container: Json) -> bool:
    """The general ones win, so they come last."""
    return container.get("envFrom") in ([OWN, MORE], [OWN])


def replaced(general: Any, own: Any) -> Callable[[str], tuple[Any, Any, Shows]]:
    return lambda key: (general, own, spec(key, own))


def joined(general: Json, own: Json) -> Callable[[str], tuple[Any, Any, Shows]]:
    return lambda key: (general, own, spec(key, {**general, **own}))


POD_FIELDS: dict[str, Callable[[str], tuple[Any, Any, Shows]]] = {
    "nodeSelector": joined({"disk": "ssd", "zone": "a"}, {"zone": "b"}),
    "affinity": joined({"nodeAffinity": {}}, {"podAffinity": {}}),
    "dnsConfig": joined({"searches": ["corp"], "nameservers": ["10.0.0.1"]}, {"searches": ["lab"]}),
    "tolerations": replaced([{"key": "ml", "operator": "Exists"}], [{"key": "lab", "operator": "Exists"}]),
    "imagePullSecrets": replaced([{"name": "login"}], [{"name": "own"}]),
    "hostAliases": replaced(
        [{"ip": "10.0.0.5", "hostnames": ["db"]}], [{"ip": "10.0.0.6", "hostnames": ["lab"]}]
    ),
    "priorityClassName": replaced("high", "low"),
    "schedulerName": replaced("volcano", "own"),
    "runtimeClassName": replaced("gvisor", "kata"),
    "dnsPolicy": replaced("Default", "None"),
}
SETTINGS: dict[str, tuple[Any, Any, Shows]] = {
    **{key: of(key) for key, of in POD_FIELDS.items()},
    "podAnnotations": ({"note": "all"}, {"note": "own"}, metadata("annotations")),
    "podLabels": ({"note": "all"}, {"note": "own"}, metadata("labels")),
    "podSecurityContext": (
        {"runAsUser": 777},
        {"runAsUser": 888},
        security(lambda pod, _: pod["spec"]["securityContext"], {"runAsUser": 888}, {"fsGroup": 10001}),
    ),
    "containerSecurityContext": (
        {"procMount": "Default"},
        {"readOnlyRootFilesystem": False},
        security(
            lambda _, one: one["securityContext"], {"readOnlyRootFilesystem": False}, {"procMount": "Default"}
        ),
    ),
    "env": ({"TWICE": "all", "ONCE": "all"}, {"TWICE": "own"}, variable),
    "envFrom": ([MORE], [OWN], sources),
    "extraVolumes": ([CA], [LAB], mounted),
    "extraVolumeMounts": (
        [{"name": "ca", "mountPath": "/etc/ca"}],
        [{"name": "lab", "mountPath": "/etc/lab"}],
        mounted,
    ),
    "topologySpreadConstraints": ([{**SPREAD, "maxSkew": 1}], [SPREAD], spread),
}
# Where a section does not reach one of its containers, and why; everywhere else it does.
NOT = {"env": reasons("postgres", LIBPQ), "envFrom": reasons("postgres", LIBPQ)}


def values_of(section: str) -> Json:
    """The general value of every setting, and that of the section."""
    general = {
        f"mlflow.{key}" if key in ("env", "envFrom") else key: each[0] for key, each in SETTINGS.items()
    }
    return nested(general | {f"{section}.{key}": each[1] for key, each in SETTINGS.items()})


def cells(section: str, key: str) -> dict[str, bool]:
    """Whether each container shows the section's value of a setting."""
    found = {}
    for name, (owner, container_name) in CONTAINERS.items():
        base = DIRECT if name == "direct test" else EVERY
        pod = dict(MLFLOW.render(merged(base, values_of(section))).pods())[owner]
        each = [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
        (container,) = [one for one in each if one["name"] == container_name]
        found[name] = SETTINGS[key][2](pod, container)
    return found


@pytest.mark.parametrize("key", sweep(SETTINGS, 6))
@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_has_settings_of_its_own(section: str, key: str) -> None:
    """They reach each container of its pods, or say why not, and no other."""
    own = set(SECTIONS[section].split(", ")) - NOT.get(key, {}).keys()
    assert cells(section, key) == {name: name in own for name in CONTAINERS}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_of_a_section_is_in_the_table(section: str) -> None:
    node = MLFLOW.default()
    for part in section.split("."):
        node = node[part]
    assert node.keys() - {"enabled", "resources"} == SETTINGS.keys()


def test_the_test_goes_before_the_tasks() -> None:
    """Its pod is one of those that end, so it has the settings of both."""
    both = {"tasks.nodeSelector": {"a": "1", "b": "1"}, "test.nodeSelector": {"b": "2"}}
    pods = dict(MLFLOW.render(merged(EVERY, nested({**both, "tasks.tolerations": [{"key": "x"}]}))).pods())
    assert pods["Pod/mlflow-test"]["spec"]["nodeSelector"] == {"a": "1", "b": "2"}
    assert pods["Pod/mlflow-test"]["spec"]["tolerations"] == [{"key": "x"}]
    assert pods["CronJob/mlflow-backup"]["spec"]["nodeSelector"] == {"a": "1", "b": "1"}


def test_nothing_set_is_the_general_setting() -> None:
    """Empty values of a section, in every form, change nothing."""
    empty = {f"{section}.{key}": type(SETTINGS[key][1])() for section in SECTIONS for key in SETTINGS}
    general = nested({key: each[0] for key, each in SETTINGS.items() if key not in ("env", "envFrom")})
    assert (
        MLFLOW.render(merged(EVERY, general)).text
        == MLFLOW.render(merged(merged(EVERY, general), nested(empty))).text
    )


def test_null_leaves_a_general_key_out() -> None:
    """As at the top level: OpenShift chooses users itself."""
    pods = dict(MLFLOW.render(merged(EVERY, nested({"jobs.podSecurityContext": {"runAsUser": None}}))).pods())
    assert "runAsUser" not in pods["Deployment/mlflow-jobs"]["spec"]["securityContext"]
    assert "runAsUser" in pods["Deployment/mlflow"]["spec"]["securityContext"]


def test_global_pull_secrets_stay() -> None:
    values = {"global.imagePullSecrets": [{"name": "all"}], "jobs.imagePullSecrets": [{"name": "own"}]}
    pods = dict(MLFLOW.render(merged(EVERY, nested(values))).pods())
    assert pods["Deployment/mlflow-jobs"]["spec"]["imagePullSecrets"] == [{"name": "all"}, {"name": "own"}]


STORES = [
    "AWS_ENDPOINT_URL", "AWS_PROFILE", "_X_AMZN_TRACE_ID", "BOTO_CONFIG", "BOTOCORE_EXPERIMENTAL__PLUGINS",
    "AZURE_CLIENT_ID", "SYSTEM_OIDCREQUESTURI", "GOOGLE_CLOUD_PROJECT", "GCE_METADATA_HOST",
    "API_ENDPOINT_OVERRIDE", "PGOPTIONS", "PGSSLROOTCERT", "MLFLOW_MYSQL_SSL_CA",
    "MLFLOW_S3_UPLOAD_EXTRA_ARGS", "MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION", "ALEMBIC_CONFIG",
    "MLFLOW_READ_REPLICA_BACKEND_STORE_URI", "MLFLOW_TRACE_ARCHIVAL_CONFIG",
]  # fmt: skip
WATCHED = [
    "PGHOST",
    "AWS_REGION",
    "MLFLOW_REGISTRY_STORE_URI",
    "MLFLOW_TRACKING_URI",
    "PYTHONPATH",
    "GUNICORN_FD",
]


def refused(section: str, env: Json) -> set[str]:
    """Those of the variables that a section may not set, each with one sentence."""
    try:
        MLFLOW.render(nested({f"{section}.env": env}))
    except Refused as refusal:
        found = re.findall(rf"(?m)^mlflow: {re.escape(section)}\.env\.(\w+): [^;]+; [^;]+\.$", str(refusal))
        assert len(found) == len(set(found))
        return set(found)
    return set()


@pytest.mark.parametrize("section", SECTIONS)
def test_no_section_has_stores_of_its_own(section: str) -> None:
    """Nor anything that `mlflow.env` may not set. What is about no store is its own affair."""
    both = dict.fromkeys([*STORES, *WATCHED], "x")
    assert refused(section, both) == both.keys()
    from_secret = {"valueFrom": {"secretKeyRef": {"name": "other", "key": "id"}}}
    assert refused(section, {"AWS_ACCESS_KEY_ID": from_secret, "TOKEN": from_secret}) == {"AWS_ACCESS_KEY_ID"}
    assert refused(section, {"HTTPS_PROXY": "http://proxy", "GOOGLE_API_KEYS": "x", "TZ": "UTC"}) == set()


def test_every_pattern_of_stores_refuses_something() -> None:
    patterns = yaml.safe_load((MLFLOW.folder / "validation/env-stores.yaml").read_text())
    assert [each for each in patterns if not any(re.fullmatch(each, name) for name in STORES)] == []


@pytest.mark.parametrize("on", [True, False])
def test_secrets_of_a_section_are_waited_for_while_it_has_pods(on: bool) -> None:
    env = {"TOKEN": {"valueFrom": {"secretKeyRef": {"name": "judge", "key": "token"}}}}
    values = merged(EVERY, {"jobs": {"enabled": on, "env": env}, "externalSecrets": {
        "enabled": True, "secretStoreRef": {"name": "vault"}}})  # fmt: skip
    assert ("ExternalSecret/judge" in MLFLOW.render(values).names()) is on


def test_the_chart_mounts_are_known_in_a_section() -> None:
    """A section's volumes do not count as the chart's own when names are compared."""
    volume = {"name": "more", "configMap": {"name": "more"}}
    MLFLOW.render(merged(EVERY, nested({f"{section}.extraVolumes": [volume] for section in SECTIONS})))
