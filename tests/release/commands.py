"""Commands of pages, typed; and what they leave."""

import hashlib
import os
import re
import subprocess
from pathlib import Path

from testbed import tools


def shell(script: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Type commands; the first that fails ends them."""
    env = os.environ | {"PATH": f"{tools.bin_dir()}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-euc", script], cwd=folder, env=env, capture_output=True, text=True)


def blocks(text: str) -> list[str]:
    """The commands of a page, block by block."""
    return re.findall(r"(?s)```bash\n(.+?)```", text)


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder, and its digest."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
