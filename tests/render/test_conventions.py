"""What a reader may rely on in every template and every rendered object."""

import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from render.chart import MLFLOW, MLFLOW_VERSION, Chart, Json, Manifest, postgres, s3
from testbed import tools

OBJECT = [
    "apiVersion", "kind", "metadata", "data", "binaryData", "automountServiceAccountToken", "rules",
    "roleRef", "subjects", "spec",
]  # fmt: skip
METADATA = ["name", "labels", "annotations"]
CONTAINER = [
    "name", "restartPolicy", "image", "imagePullPolicy", "command", "args", "env", "envFrom", "ports",
    "lifecycle", "startupProbe", "readinessProbe", "livenessProbe", "resources", "securityContext",
    "volumeMounts",
]  # fmt: skip
SELECTOR = {
    "app.kubernetes.io/name": "mlflow",
    "app.kubernetes.io/instance": "mlflow",
    "app.kubernetes.io/component": "server",
}
TEMPLATES = sorted(path for path in (MLFLOW.folder / "templates").rglob("*") if path.is_file())
NO_OBJECT = "_validate/first/validate.yaml"
HELPERS = [path for path in TEMPLATES if path.suffix == ".tpl"]


def in_order(mapping: Json, order: list[str]) -> bool:
    return list(mapping) == [key for key in order if key in mapping]


def test_order_of_keys(rendered: Manifest) -> None:
    for item in rendered.objects:
        assert in_order(item, OBJECT), list(item)
        assert in_order(item["metadata"], METADATA), list(item["metadata"])
    for name, pod in rendered.pods():
        for container in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]:
            users = list(container) == sorted(container)  # as Helm writes what comes from the values
            assert users or in_order(container, CONTAINER), (name, list(container))


def test_environment_is_sorted(rendered: Manifest) -> None:
    """Entries that others refer to come first, then all others by name."""
    entries = rendered.container()["env"]
    plain = [entry["name"] for entry in entries if "value" in entry]
    assert plain == sorted(plain)
    assert "value" not in entries[0] and entries[0]["name"] == "POD_IP"
    assert [entry["name"] for entry in entries if "valueFrom" in entry] == [
        entry["name"] for entry in entries[: len(entries) - len(plain)]
    ]


def test_clean_text(rendered: Manifest) -> None:
    assert not re.search(r"(?m)[ \t]+$", rendered.text)
    assert "\t" not in rendered.text


def test_clean_text_of_local_charts(any_chart: Chart) -> None:
    assert not re.search(r"(?m)[ \t]+$", any_chart.render().text)


def test_no_blank_line_in_an_object(rendered: Manifest) -> None:
    """Except in the Python that an object carries."""
    for document in rendered.text.split("\n---\n"):
        if not re.search(r"(?m)^kind: (ConfigMap|Pod)$", document):
            assert "\n\n" not in document.strip(), document


def test_every_object_is_labelled(rendered: Manifest) -> None:
    for item in rendered.objects:
        labels = item["metadata"]["labels"]
        assert {key.removeprefix("app.kubernetes.io/") for key in labels} >= {
            "name", "instance", "component", "version", "part-of", "managed-by", "helm.sh/chart",
        }  # fmt: skip
        assert "namespace" not in item["metadata"]


def test_selectors_never_change(chart: Chart) -> None:
    """A Deployment's selector is immutable: a change here breaks every upgrade."""
    manifest = chart.render({"commonLabels": {"team": "data"}, "podLabels": {"tier": "web"}})
    assert manifest.one("Deployment")["spec"]["selector"] == {"matchLabels": SELECTOR}
    assert manifest.one("Service")["spec"]["selector"] == SELECTOR
    assert manifest.one("Deployment")["spec"]["template"]["metadata"]["labels"] == {
        **SELECTOR,
        "app": "mlflow",
        "app.kubernetes.io/version": MLFLOW_VERSION,
        "app.kubernetes.io/part-of": "mlflow",
        "app.kubernetes.io/managed-by": "Helm",
        "team": "data",
        "tier": "web",
    }


def test_the_service_finds_the_server_only(rendered: Manifest) -> None:
    """The selector matches the server's pods and not the test's, and the ports exist there."""
    service = rendered.component("Service", "server")
    selector = service["spec"]["selector"].items()
    matching = [name for name, pod in rendered.pods() if selector <= pod["metadata"]["labels"].items()]
    assert [name.split("/")[0] for name in matching] == ["Deployment"]
    named = {port["name"]: port["containerPort"] for port in rendered.container()["ports"]}
    assert [named[port["targetPort"]] for port in service["spec"]["ports"]] == [5000, 5000]
    assert [port["port"] for port in service["spec"]["ports"]] == [80, 5000]


def test_every_mount_has_its_volume(rendered: Manifest) -> None:
    for name, pod in rendered.pods():
        volumes = [each["name"] for each in pod["spec"]["volumes"]]
        assert len(volumes) == len(set(volumes)), name
        for container in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= set(volumes), name


def test_every_container_asks_for_resources(rendered: Manifest) -> None:
    """A namespace with a ResourceQuota admits no other."""
    for name, pod in rendered.pods():
        for container in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]:
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}, name
            assert "memory" in container["resources"]["limits"], name


def test_names_fit_in_dns(chart: Chart, case: Path) -> None:
    """With the longest release name that Helm takes. A CronJob's Jobs have 11 characters more."""
    for item in chart.render(yaml.safe_load(case.read_text()) or {}, release="r" * 53).objects:
        assert len(item["metadata"]["name"]) <= (52 if item["kind"] == "CronJob" else 63)


def test_rendering_is_pure(case: Path) -> None:
    """The same bytes twice, and nothing in the templates that could make them differ."""
    command: list[str | Path] = [
        tools.ensure("helm"),
        "template",
        "mlflow",
        MLFLOW.folder,
        "--namespace",
        "ml",
        "--values",
        case,
    ]
    one, two = (subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2))
    assert one == two


def template_name(path: Path) -> str:
    return str(path.relative_to(MLFLOW.folder / "templates"))


@pytest.mark.parametrize("path", TEMPLATES, ids=template_name)
def test_template(path: Path) -> None:
    """Short, plain, and named after the kind that it holds. A file of helpers has sections."""
    text = path.read_text()
    assert len(text.splitlines()) <= (200 if path.suffix == ".tpl" else 120)
    if path.name not in ("NOTES.txt", "_notes.tpl"):  # their lines are what a person reads
        assert [line for line in text.splitlines() if len(line) > 120] == []
    assert not re.search(
        r"\b(lookup|rand\w+|now|genCA|genSelfSignedCert|uuidv4|tpl)\b|\.Capabilities", _code(text)
    )
    if path.suffix == ".yaml" and template_name(path) != NO_OBJECT:
        (kind,) = re.findall(r"(?m)^kind: (\w+)$", text)
        assert path.stem.split("-")[-1] == kind.lower(), (
            "<component>/<kind>.yaml, or <component>/<part>-<kind>.yaml"
        )


# A line of YAML that ends in a value, and what makes that one node whatever the value is.
SCALAR = re.compile(
    r"^\s*(?:- )?(?:[\w./-]+: |(?<=- ))(?P<before>[^{]*)\{\{ (?P<value>.+) \}\}(?P<after>.*)$"
)
ONE_SCALAR = re.compile(r"(int|toJson|toYaml) |.*\| (int|quote|toJson|toYaml)$")


@pytest.mark.parametrize("path", TEMPLATES, ids=template_name)
def test_every_value_is_one_scalar(path: Path) -> None:
    """A bare one ends at a `#`, becomes a number or begins a mapping, as the values have it."""
    text = _code(path.read_text())
    if path.parent.name != "_validate" and not path.name.startswith(("_notes", "NOTES")):
        lines = [match for match in map(SCALAR.match, text.splitlines()) if match]
        assert [match[0] for match in lines if match["before"] + match["after"]] == []
        assert [match[0] for match in lines if not ONE_SCALAR.match(match["value"])] == []


def _code(text: str) -> str:
    return re.sub(r"(?s)\{\{- /\*.*?\*/ -?\}\}", "", text)


DEFINE = re.compile(
    r"""(?s)(?:\{\{- /\*(?P<comment>(?:(?!\*/).)*)\*/\}\}\n)?"""
    r"""\{\{- define "(?P<name>[^"]+)" -\}\}(?P<body>.*?)\n\{\{- end \}\}\n"""
)


def defines() -> list[Any]:
    """Every helper: its name, its comment, its body."""
    found = [match for path in HELPERS for match in DEFINE.finditer(path.read_text())]
    return [pytest.param(each["name"], each["comment"], each["body"], id=each["name"]) for each in found]


def test_all_helpers_are_seen() -> None:
    text = "".join(path.read_text() for path in HELPERS)
    assert len(defines()) == text.count("{{- define ") > 30


@pytest.mark.parametrize(("name", "comment", "body"), defines())
def test_helper(name: str, comment: str | None, body: str) -> None:
    """Called `mlflow.*`, explained (what it gives, what it takes), used, and short."""
    assert name.startswith("mlflow.")
    assert comment and re.match(
        r"\s*(String|JSON|Predicate|Mapping lines|List lines|Lines?|Nothing[,;])", comment
    ), comment
    logic = [line for line in body.splitlines() if "{{" in line]
    # One that states containers is a page of a pod.
    assert len(logic) <= (50 if "imagePullPolicy:" in body else 25)
    text = "".join(path.read_text() for path in TEMPLATES)
    short = name.removeprefix("mlflow.validate.")
    assert (
        f'include "{name}"' in text
        or f'"{name}"' in text.replace(f'define "{name}"', "")
        or f'"{short}"' in text
    )


def test_a_new_chart_version_restarts_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "mlflow"
    shutil.copytree(MLFLOW.folder, copy)
    meta = copy / "Chart.yaml"
    meta.write_text(re.sub(r"(?m)^version: .*$", "version: 9.9.9", meta.read_text()))
    ours, newer = MLFLOW.render().one("Deployment"), Chart(copy).render().one("Deployment")
    assert newer["metadata"]["labels"]["helm.sh/chart"] == "mlflow-9.9.9"
    assert newer["spec"]["template"] == ours["spec"]["template"]


def test_changed_python_restarts_the_server(tmp_path: Path) -> None:
    copy = tmp_path / "mlflow"
    shutil.copytree(MLFLOW.folder, copy)
    (copy / "files/mlflow_kubernetes/server/main.py").write_text("print('other')\n")
    annotation = "checksum/files"
    ours, other = (each.render().one("Deployment")["spec"]["template"] for each in (MLFLOW, Chart(copy)))
    assert ours["metadata"]["annotations"][annotation] != other["metadata"]["annotations"][annotation]


def test_the_package_holds_what_it_needs(tmp_path: Path) -> None:
    subprocess.run(
        [tools.ensure("helm"), "package", MLFLOW.folder, "-d", tmp_path], check=True, capture_output=True
    )
    (archive,) = tmp_path.glob("*.tgz")
    with tarfile.open(archive) as package:
        names = {name.removeprefix("mlflow/") for name in package.getnames()}
    assert {
        "values.schema.json",
        "files/programs.yaml",
        "files/mlflow_kubernetes/__main__.py",
        "tests/smoke.py",
    } <= names
    assert not [name for name in names if name.startswith("ci/") or "__pycache__" in name]


def test_helpers_take_one_value_or_named_ones() -> None:
    """Positions in a list say nothing to a reader, and a wrong number of them fails nowhere."""
    text = "".join(path.read_text() for path in TEMPLATES)
    assert re.findall(r'include "mlflow\.[\w.]+" \((?:list|concat) ', text) == []
    assert re.findall(r"index \. \d|slice \. \d|Takes \(list", text) == []


def test_every_helper_file_ends_with_one_newline() -> None:
    for path in TEMPLATES:
        assert path.read_text().endswith("\n") and not path.read_text().endswith("\n\n"), path


def test_chart_lints(any_chart: Chart) -> None:
    done = subprocess.run(
        [tools.ensure("helm"), "lint", "--strict", any_chart.folder], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_catalogue_knows_every_image() -> None:
    """Artifact Hub scans the images that Chart.yaml lists: those that the chart runs, no other."""
    notes = yaml.safe_load((MLFLOW.folder / "Chart.yaml").read_text())["annotations"]
    listed = {each["image"] for each in yaml.safe_load(notes["artifacthub.io/images"])}
    pods = MLFLOW.render({**postgres(), **s3(path="artifacts"), "backup": {"enabled": True}}).pods()
    assert listed == {container["image"] for _, pod in pods for container in pod["spec"]["containers"]}


def test_versions_agree() -> None:
    """Chart, image and Python environment hold the same MLflow."""
    from importlib.metadata import version

    meta = yaml.safe_load((MLFLOW.folder / "Chart.yaml").read_text())
    assert str(meta["appVersion"]) == version("mlflow")
    assert f"mlflow:v{meta['appVersion']}-full" in meta["annotations"]["artifacthub.io/images"]
