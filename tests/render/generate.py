"""Values as people and machines write them, right, nearly right and hostile, made from the schema."""

import copy
import functools
from typing import Any

import yaml
from hypothesis import strategies as st
from mlflowops.paths import REPO

from render.chart import CASES, MLFLOW, Json, nested
from render.hostile import HOSTILE
from render.test_contract import LEAVES, resolve

# What surrounds a free string, so that a rendering shows whether it arrived as a whole.
BEFORE, AFTER = "zq7", "7qz"
# JSON writes other characters as two halves, which YAML does not read.
ALPHABET = st.characters(codec="utf-8", max_codepoint=0xFFFF)
WRONG: list[Any] = [
    None, "", " ", "x", "1", "true", "null", "1e3", "ünï\u2028", "{{ fail `x` }}", "$(HOME)", [], {}, [None],
    [1], [[]], {"x": None}, {"a": {"b": 1}}, True, False, 0, -1, 1.5, 1e30, -1e30, 1234567, 2**31, 1e-7,
]  # fmt: skip
FREE_KEYS = ["a", "example.com/a", "1e3", "yes", "A_B", "a b", "{{x}}", "a: b", 'a"b']
# Below these the values have the format of Kubernetes or an operator, and the chart passes them on.
FOREIGN: dict[str, list[Any]] = {
    "affinity": [{"nodeAffinity": {}}],
    "autoscaling.behavior": [{"scaleDown": {"stabilizationWindowSeconds": 1234567}}],
    "autoscaling.metrics": [[{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Value"}}}]],
    "strategy": [{"type": "Recreate"}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}],
    "mlflow.envFrom": [[{"secretRef": {"name": "tokens"}}]],
    "httpRoute.filters": [[{"type": "URLRewrite", "urlRewrite": {"hostname": "a.example.com"}}]],
    "serviceMonitor.endpoint": [{"scheme": "http"}, {"honorLabels": True}],
    "tolerations": [[{"key": "a", "operator": "Exists"}]],
    "topologySpreadConstraints": [
        [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
    ],
    "dnsConfig": [{"nameservers": ["10.0.0.10"]}],
    "hostAliases": [[{"ip": "10.0.0.5", "hostnames": ["a.example.com"]}]],
    "podSecurityContext": [{"runAsUser": 1234567}, {"fsGroup": 0}],
    "containerSecurityContext": [{"readOnlyRootFilesystem": True}],
    "extraVolumes": [[{"name": "more", "emptyDir": {}}], [{"name": "tmp", "emptyDir": {}}]],
    "extraContainers": [[{"name": "proxy", "image": "proxy:1"}], [{"name": "mlflow", "image": "x"}]],
    "extraInitContainers": [[{"name": "wait", "image": "busybox:1"}]],
    "externalSecrets.provider": [{"kubernetes": {"remoteNamespace": "vault"}}],
    "externalSecrets.secrets": [{"mlflow-postgres-secret": {"key": "prod/db"}}],
    "global": [{"imageRegistry": "registry.example.com", "other": {"any": 1}}],
}
BASES = [{}, *(yaml.safe_load(case.read_text()) or {} for case in CASES)]
PEERS = [
    path
    for file in sorted((REPO / "tests/render/peers").glob("*.yaml"))
    for path in yaml.safe_load(file.read_text())["keys"]
]


@functools.cache
def schema() -> Json:
    """What the chart allows."""
    return MLFLOW.schema()


def node(path: str) -> Json:
    """The schema of the value at a path."""
    found: Json = schema()
    for key in path.split("."):
        found = resolve(resolve(found, schema())["properties"][key], schema())
    return found


def words() -> st.SearchStrategy[str]:
    """A string that no schema restricts."""
    marked = st.sampled_from(["", *HOSTILE]).map(lambda word: f"{BEFORE}{word}{AFTER}")
    return st.one_of(marked, marked, st.sampled_from(HOSTILE), st.text(ALPHABET, max_size=12))


def numbers(at: Json) -> st.SearchStrategy[Any]:
    """A number within the bounds, near one of them or far from both."""
    low = at.get("minimum", at.get("exclusiveMinimum", 0) + 1)
    high = at.get("maximum", at.get("exclusiveMaximum", 2**31) - 1)
    whole = st.one_of(st.integers(low, min(high, low + 40)), st.integers(low, high), st.just(high))
    return whole if at["type"] == "integer" else st.one_of(whole, st.floats(low, high))


def right(at: Json, path: str = "") -> st.SearchStrategy[Any]:
    """A value that the schema allows."""
    at = resolve(at, schema())
    kinds = at.get("type", "")
    if path in FOREIGN:
        return st.sampled_from(FOREIGN[path])
    if "enum" in at or "const" in at:
        return st.sampled_from(at.get("enum", [at.get("const")]))
    if isinstance(kinds, list):
        return st.one_of(*(right({**at, "type": kind}, path) for kind in kinds))
    if kinds == "boolean":
        return st.booleans()
    if kinds in ("integer", "number"):
        return numbers(at)
    if kinds == "string":
        form = at.get("pattern")
        return st.from_regex(form, fullmatch=True, alphabet=ALPHABET) if form else words()
    return _list(at) if kinds == "array" else _mapping(at)


def wrong(path: str) -> list[Any]:
    """Values of any type. Unknown fields of what the chart passes on are the API server's to refuse."""
    at = node(path)
    passed_on = at.get("type") == "object" and not {"properties", "additionalProperties"} & set(at)
    return [each for each in WRONG if not (passed_on and isinstance(each, dict) and each)]


def _list(at: Json) -> st.SearchStrategy[Any]:
    items = resolve(at["items"], schema())
    if items.get("type") == "object" and "properties" not in items:
        return st.just([])
    return st.lists(right(items), min_size=at.get("minItems", 0), max_size=2)


def _mapping(at: Json) -> st.SearchStrategy[Any]:
    if "properties" in at:
        needed = {
            key: right(at["properties"][key]) for key in at.get("required", []) if key in at["properties"]
        }
        more = {key: right(below) for key, below in at["properties"].items() if key not in needed}
        return st.fixed_dictionaries(needed, optional=more)
    below = at.get("additionalProperties")
    if not isinstance(below, dict):
        return st.just({})
    return st.dictionaries(st.sampled_from(FREE_KEYS), right(below), max_size=2)


def _merge(below: Json, above: Json) -> Json:
    """Values with others above them, as Helm merges files."""
    merged = copy.deepcopy(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


@st.composite
def values(draw: st.DrawFn) -> Json:
    """An example of ci/, or nothing, with some keys changed."""
    changed = copy.deepcopy(draw(st.sampled_from(BASES)))
    for path in draw(st.lists(st.sampled_from(LEAVES), min_size=1, max_size=5, unique=True)):
        changed = _merge(changed, nested({path: draw(right(node(path), path))}))
    kind = draw(st.integers(0, 9))
    if kind < 3:
        path = draw(st.sampled_from(LEAVES))
        depth = draw(st.integers(1, path.count(".") + 1))
        place = ".".join(path.split(".")[:depth])
        changed = _merge(changed, nested({place: draw(st.sampled_from(wrong(place)))}))
    if kind == 3:
        path = draw(st.sampled_from([*PEERS, "colour", "mlflow.colour", "ingress.hosst"]))
        changed = _merge(changed, nested({path: draw(st.sampled_from(WRONG))}))
    return changed
