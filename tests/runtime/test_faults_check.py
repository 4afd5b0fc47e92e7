"""The check of the fault suite finds what is lost, there twice or made up, and nothing where all is well."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from e2e.faults.people import SCRIPTS

from runtime.network import wait_until
from runtime.postgres import Postgres
from runtime.server import Server

NAME = "faults"


class Tracked:
    """What people tracked on a real server, and the record of it."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.api = f"{server.url}/api/2.0/mlflow"

    def script(self, name: str) -> list[str]:
        return [sys.executable, str(SCRIPTS / name), self.server.url, NAME]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PEOPLE_FOLDER": str(self.folder)}

    def work(self) -> None:
        """Each writer has tracked one run with all that belongs to it."""
        people = subprocess.Popen(self.script("steady.py"), env=self.environment())
        try:
            wait_until("whole cycles", lambda: min(self.state().get("whole", [0])) > 0)
            (self.folder / "stop").touch()
            wait_until("the end of their work", lambda: self.state().get("ended"))
        finally:
            people.kill()
            people.wait()
        assert self.state()["wrong"] == []

    def state(self) -> dict[str, Any]:
        path = self.folder / "state"
        return dict(json.loads(path.read_text().removeprefix("state "))) if path.exists() else {}

    def found(self) -> dict[str, Any]:
        done = subprocess.run(self.script("found.py"), env=self.environment(), text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.removeprefix("found ")))

    def acknowledged(self, kind: str) -> list[str]:
        """The first item of a kind that was acknowledged."""
        entries = map(json.loads, (self.folder / "record").read_text().splitlines())
        held = [item for each in entries if each["status"] == 200 for item in each["holds"]]
        return next(item for item in held if item[0] == kind)

    def forget(self, *items: list[Any]) -> None:
        """Add items to the record that were acknowledged, and that the server never got."""
        entry = {"status": 200, "holds": items}
        with (self.folder / "record").open("a") as record:
            record.write(json.dumps(entry) + "\n")


@pytest.fixture(scope="module")
def tracked(
    ready_database: Callable[[], dict[str, str]],
    start: Callable[..., Server],
    tmp_path_factory: pytest.TempPathFactory,
) -> Tracked:
    people = Tracked(start(**ready_database()).ready(), tmp_path_factory.mktemp("people"))
    people.work()
    return people


def test_all_is_there(tracked: Tracked) -> None:
    found = tracked.found()
    assert found.pop("acknowledged") > 6 * 20, "six writers, each with a run and all that belongs to it"
    assert found == {"lost": [], "doubled": [], "stray": []}


def test_what_is_wrong_is_found(tracked: Tracked, postgres: Postgres) -> None:
    _, name = tracked.acknowledged("run")
    _, run, *_ = tracked.acknowledged("metric")
    _, path, _ = tracked.acknowledged("artifact")
    _, model, description = tracked.acknowledged("version")
    database = tracked.server.env["PGDATABASE"]
    postgres.query("DELETE FROM metrics WHERE run_uuid = %s AND key = 'loss' AND step = 0", database, [run])
    postgres.query("DELETE FROM tags WHERE run_uuid = %s AND key = 'team'", database, [run])
    postgres.query("UPDATE params SET value = 'other' WHERE run_uuid = %s AND key = 'rate'", database, [run])
    experiment = (tracked.folder / "experiment").read_text()
    again = {"experiment_id": experiment, "run_name": name, "start_time": 1}
    requests.post(f"{tracked.api}/runs/create", json=again, timeout=60).raise_for_status()
    source = f"mlflow-artifacts:/{experiment}/{run}/artifacts"
    version = {"name": model, "source": source, "run_id": run, "description": description}
    requests.post(f"{tracked.api}/model-versions/create", json=version, timeout=60).raise_for_status()
    files = f"{tracked.server.url}/api/2.0/mlflow-artifacts/artifacts"
    requests.put(f"{files}/{path}", data=b"other", timeout=60).raise_for_status()
    tracked.forget(["run", "never there"], ["version", model, "never there"])

    found = tracked.found()

    other = hashlib.sha256(b"other").hexdigest()
    assert {each.split("'")[1] for each in found["lost"]} == {
        "metric", "param", "tag", "artifact", "run", "version",
    }  # fmt: skip
    assert len(found["lost"]) == 6
    assert found["doubled"] == sorted(map(str, [("run", name), ("version", model, description)]))
    assert found["stray"] == sorted(map(str, [("artifact", path, other), ("param", run, "rate", "other")]))
