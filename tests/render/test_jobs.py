"""Background jobs: servers only write them down, and one pod runs them."""

import pytest

from render.chart import KEYS, PYTHON, Chart, postgres, s3

JOBS = {**postgres(), **s3(), **KEYS, "auth": {"mode": "basic"}, "jobs": {"enabled": True}}


@pytest.mark.parametrize("on", [True, False])
def test_jobs_follow_their_switch(chart: Chart, on: bool) -> None:
    manifest = chart.render({**JOBS, "jobs": {"enabled": on}})
    assert ("Deployment/mlflow-jobs" in manifest.names()) is on
    env = manifest.env()
    assert env["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == str(on).lower()
    # With MLflow's default engine each server would run what it was asked for.
    assert env.get("MLFLOW_SERVER_JOB_EXECUTION_ENGINE") == ("executor" if on else None)


def test_one_runner_that_a_probe_watches(chart: Chart) -> None:
    spec = chart.render(JOBS).component("Deployment", "jobs")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert "app" not in spec["template"]["metadata"]["labels"], (
        "`kubectl get pods -l app=mlflow` lists servers"
    )
    (box,) = spec["template"]["spec"]["containers"]
    assert box["command"] == [*PYTHON, "jobs"]
    assert "/tmp/heartbeat" in box["livenessProbe"]["exec"]["command"][-1]
    assert box["readinessProbe"]["exec"] == box["livenessProbe"]["exec"]


def test_the_runner_has_the_servers_environment_but_no_login(chart: Chart) -> None:
    """The keys, for a token that the servers' gateway takes from jobs; and the address of that gateway."""
    manifest = chart.render({**JOBS, "mlflow": {"staticPrefix": "/ml"}})
    (box,) = manifest.component("Deployment", "jobs")["spec"]["template"]["spec"]["containers"]
    gateway = {"name": "MLFLOW_GATEWAY_URI", "value": "http://mlflow/ml"}
    login = ("MLFLOW_AUTH_ADMIN_USERNAME", "MLFLOW_AUTH_ADMIN_PASSWORD")
    expected = [each for each in manifest.container()["env"] if each["name"] not in login]
    assert gateway in box["env"]
    assert [each for each in box["env"] if each != gateway] == expected
