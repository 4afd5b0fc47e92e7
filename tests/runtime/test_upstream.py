"""Each page of docs/upstream is about an MLflow that still does so: its script says it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflowops.paths import REPO

FOLDER = REPO / "docs" / "upstream"
SCRIPTS = sorted(FOLDER.glob("*.py"))
NEEDS_DATABASE = {"runs_index", "search_distinct", "concurrent_batches"}
RUNS = "20000"


def test_each_page_has_a_script_and_stands_in_the_list() -> None:
    pages = {path.stem for path in FOLDER.glob("*.md")} - {"README"}
    assert pages == {script.stem.replace("_", "-") for script in SCRIPTS}
    index = (FOLDER / "README.md").read_text()
    for page in pages:
        assert f"({page}.md)" in index, page
        assert f"{page.replace('-', '_')}.py" in (FOLDER / f"{page}.md").read_text(), page


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_still_so(script: Path, database: Callable[[], dict[str, str]], home: Path) -> None:
    arguments = []
    if script.stem in NEEDS_DATABASE:
        where = database()
        place = f"{where['PGHOST']}:{where['PGPORT']}/{where['PGDATABASE']}"
        arguments = [f"postgresql+psycopg2://{where['PGUSER']}:{where['PGPASSWORD']}@{place}"]
        arguments += [RUNS] if script.stem != "concurrent_batches" else []
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [sys.executable, str(script), *arguments]
    done = subprocess.run(command, env=env, cwd=home, capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
