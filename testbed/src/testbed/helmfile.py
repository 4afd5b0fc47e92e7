"""`testbed helmfile`: runs the pinned helmfile and helm, with a `diff` plugin."""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import typer
from mlflowops import shell

from testbed import paths, tools

PLUGIN = paths.BED / "helm-diff"


def helmfile(arguments: typer.Context) -> None:
    """Run the pinned helmfile in this repository: `testbed helmfile -e local diff`."""
    os.chdir(paths.REPO)
    binary = tools.ensure("helmfile")
    os.execve(binary, [str(binary), *arguments.args], {**os.environ, **environment()})  # noqa: S606 - becomes it


def apply(name: str, context: str = "", state: str = "") -> None:
    """`helmfile -e <name> apply`, from any directory; what it says goes to a log.

    `state` changes helmfile's own values, as in `platform.enabled=true`.
    """
    log = paths.state("logs") / f"helmfile-{name}.log"
    log.write_text("")
    chosen = ["--kube-context", context] if context else []
    chosen += ["--state-values-set", state] if state else []
    command = [str(tools.ensure("helmfile")), "--environment", name, *chosen, "apply"]
    shell.run(command, cwd=paths.REPO, env=environment(), log=log)


def unlock(namespace: str, context: str = "") -> None:
    """Free releases that a killed helm holds: undo an upgrade, forget a first installation.

    Helm refuses to touch them otherwise. Volumes and Secrets stay.
    """
    chosen = ["--namespace", namespace, *(["--kube-context", context] if context else [])]
    helm = tools.ensure("helm")
    listed = shell.run([helm, "list", "--pending", "--output", "json", *chosen]).stdout
    for release in json.loads(listed):
        first = release["status"] == "pending-install"
        shell.run([helm, "uninstall" if first else "rollback", release["name"], *chosen])


def environment() -> dict[str, str]:
    """The variables that helmfile, helm and our hooks need, on top of the current ones."""
    helm = tools.ensure("helm")
    tools.ensure("helmfile")
    hooks = Path(sys.executable).parent  # where `mlflowops` and `testbed` are
    path = os.pathsep.join([str(tools.bin_dir()), str(hooks), os.environ.get("PATH", "")])
    return {"PATH": path, "HELMFILE_UPGRADE_NOTICE_DISABLED": "1", **_plugins(helm)}


def _plugins(helm: Path) -> dict[str, str]:
    """Nothing where helm-diff is installed; else the user's plugins and our stand-in for it."""
    listed = shell.run([helm, "plugin", "list"]).stdout
    if any(line.split()[:1] == ["diff"] for line in listed.splitlines()):
        return {}
    own = shell.run([helm, "env", "HELM_PLUGINS"]).stdout.strip()
    return {"HELM_PLUGINS": os.pathsep.join([own, str(_installed_plugin())])}


def _installed_plugin() -> Path:
    """A plugins folder with the stand-in, run by the Python that runs us: it has what the script imports."""
    shebang = f"#!{sys.executable}"
    script = (PLUGIN / "diff.py").read_text()
    manifest = (PLUGIN / "plugin.yaml").read_text()
    key = hashlib.sha256("\0".join([shebang, script, manifest]).encode()).hexdigest()[:10]
    folder = paths.cache("helm-plugins") / key
    if not folder.exists():
        partial = Path(f"{folder}.{os.getpid()}")
        shutil.copytree(PLUGIN, partial / "diff", ignore=shutil.ignore_patterns("__pycache__"))
        (partial / "diff/diff.py").write_text("\n".join([shebang, *script.splitlines()[1:], ""]))
        _move_once(partial, folder)
    return folder


def _move_once(partial: Path, folder: Path) -> None:
    try:
        partial.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(partial)
