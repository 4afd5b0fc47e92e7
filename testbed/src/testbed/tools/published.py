"""The source of published Go modules, checked against the hash that Go itself would write for it."""

import json
import tempfile
import zipfile
from pathlib import Path

from mlflowops import shell
from mlflowops.errors import OpsError

from testbed.tools.go import NeedsGo


def extract(tool: NeedsGo, module: str, known_sum: str, folder: Path) -> None:
    """Unpack a module, of the tool's own version, into `folder`."""
    wanted = f"{module}@v{tool.version}"
    download = ["go", "mod", "download", "-json", wanted]
    with tempfile.TemporaryDirectory() as nowhere:  # outside any module of ours, which may replace it
        done = shell.run(download, cwd=Path(nowhere), env=tool.environment(), check=False)
    found = json.loads(done.stdout or "{}")
    if "Zip" not in found:  # it is there in spite of an error, where the module asks for a newer Go
        wrong = found.get("Error", done.stderr.strip())
        raise OpsError(f"{tool}", wrong, "correct its version, or let your registry serve it")
    if found["Sum"] != known_sum:
        wrong = f"{wanted} has the sum {found['Sum']}, not the one in tools.toml"
        raise OpsError(f"{tool}", wrong, "correct its entry if you trust this sum")
    with tempfile.TemporaryDirectory(dir=folder.parent) as work, zipfile.ZipFile(found["Zip"]) as archive:
        archive.extractall(work)
        (Path(work) / wanted).rename(folder)
