"""The stand-in for helm-diff, without a cluster: what it prints, what it hides, what it refuses.

Against a real cluster it is tested by `helmfile apply` in tests/e2e.
"""

import base64
import importlib.util
import os
import stat
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from helmfile.helmfile import Helmfile, Json
from testbed import helmfile as ops
from testbed import tools


@pytest.fixture(scope="module")
def diff() -> ModuleType:
    spec = importlib.util.spec_from_file_location("helm_diff", ops.PLUGIN / "diff.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def release(*items: Json, hooks: tuple[Json, ...] = ()) -> Json:
    return {
        "namespace": "ml",
        "manifest": yaml.safe_dump_all(items),
        "hooks": [{"events": [event], "manifest": yaml.safe_dump(item)} for event, item in hooks],
    }


def config(**data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "files"}, "data": data}


def secret(field: str = "data", **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, field: data}


def lines(diff: ModuleType, old: Json | None, new: Json, context: int = 3) -> list[str]:
    return list(diff.difference(diff.objects(old, False), diff.objects(new, False), context))


def test_equal_is_silent(diff: ModuleType) -> None:
    """Comments, order of documents and order of keys are no change."""
    old = release(config(a="1", b="2"), secret(x="1"))
    new = {**old, "manifest": "# Source: a\n" + yaml.safe_dump_all([secret(x="1"), config(b="2", a="1")])}
    assert lines(diff, old, new) == []


def test_a_change_shows_its_lines(diff: ModuleType) -> None:
    found = lines(
        diff, release(config(script="one\ntwo\nthree\n")), release(config(script="one\n2\nthree\n"))
    )
    assert found[0] == "ml, files, ConfigMap has changed:"
    assert [line for line in found[2:] if line[0] in "+-"] == ["-    two", "+    2"]


def test_context_is_as_long_as_asked(diff: ModuleType) -> None:
    old, new = (release(config(a="1", b="1", c=value, d="1", e="1")) for value in "12")
    assert len(lines(diff, old, new, context=0)) == 4
    assert len(lines(diff, old, new, context=1)) == 6


def test_added_and_removed(diff: ModuleType) -> None:
    assert lines(diff, None, release(config()))[0] == "ml, files, ConfigMap has been added:"
    assert lines(diff, release(config()), release())[0] == "ml, files, ConfigMap has been removed:"


def test_groups_keep_namesakes_apart(diff: ModuleType) -> None:
    one = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "mlflow"}}
    two = {**one, "apiVersion": "example.com/v1"}
    assert len(diff.objects(release(one, two), False)) == 2


@pytest.mark.parametrize("field", ["data", "stringData"])
@pytest.mark.parametrize("value", ["hunter2", "multi\nline: hunter2\n", "", "  - hunter2"])
def test_no_value_of_a_secret_is_shown(diff: ModuleType, field: str, value: str) -> None:
    value = base64.b64encode(value.encode()).decode() if field == "data" else value
    old, new = (
        release(secret(field, same="keep-me", key="before-it")),
        release(secret(field, same="keep-me", key=value)),
    )
    for a, b in [(old, new), (new, old), (None, new), (new, release())]:
        shown = "\n".join(lines(diff, a, b))
        assert "hunter2" not in shown and "before-it" not in shown and "keep-me" not in shown
        assert shown
    changed = "\n".join(lines(diff, old, new))
    assert "+  key: (masked, another value)" in changed
    assert "  same: (masked)" in changed


def test_hooks_count_but_tests_only_on_demand(diff: ModuleType) -> None:
    both = release(hooks=(("pre-install", config()), ("test", secret())))
    assert [name.split(", ")[2] for name in diff.objects(both, False)] == ["ConfigMap"]
    assert len(diff.objects(both, True)) == 2


@pytest.fixture
def plugin(helmfile: Helmfile, tmp_path: Path) -> Path:
    """The installed plugin, as helm calls it."""
    folder = Path(helmfile.env["HELM_PLUGINS"].split(os.pathsep)[-1])
    return folder / "diff"


def test_an_unknown_flag_is_an_error_and_not_a_change(plugin: Path) -> None:
    done = subprocess.run(
        [plugin / "diff.py", "upgrade", "a", "b", "--nonsense"], capture_output=True, text=True
    )
    assert done.returncode == 1, "2 would mean `changes`"
    assert "unrecognized arguments: --nonsense" in done.stderr


def test_without_a_cluster_it_fails(helmfile: Helmfile) -> None:
    done = helmfile("--environment", "dev", "diff", "--detailed-exitcode")
    assert done.returncode not in (0, 2)


def test_helm_finds_it(helmfile: Helmfile) -> None:
    listed = helmfile.helm("plugin", "list").stdout
    assert ["diff", "3.15.10"] in [line.split()[:2] for line in listed.splitlines()]


def test_it_stays_out_of_the_way_of_the_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "helm-diff"
    real.mkdir()
    (real / "plugin.yaml").write_text(
        "name: diff\nversion: 3.15.10\nusage: x\ndescription: x\ncommand: 'true'\n"
    )
    monkeypatch.setenv("HELM_PLUGINS", str(tmp_path))
    assert "HELM_PLUGINS" not in ops.environment()
    (real / "plugin.yaml").unlink()
    assert ops.environment()["HELM_PLUGINS"].startswith(f"{tmp_path}{os.pathsep}"), "other plugins stay"


def test_helm_3_finds_it_too(helmfile: Helmfile) -> None:
    command = [tools.ensure("helm3"), "plugin", "list"]
    listed = subprocess.run(command, env=helmfile.env, capture_output=True, text=True, check=True).stdout
    assert "diff" in [line.split()[0] for line in listed.splitlines() if line]


def test_it_runs_by_the_python_that_has_its_libraries(plugin: Path) -> None:
    assert (plugin / "diff.py").read_text().startswith(f"#!{os.sys.executable}\n")
    assert (plugin / "diff.py").stat().st_mode & stat.S_IXUSR
