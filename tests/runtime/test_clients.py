"""What MLflow's clients do, done against both launchers with the same outcome."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from runtime import traces
from runtime.compare import Pair, normal
from runtime.server import Server

THREE_MB = os.urandom(3_000_000)
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


def same(pair: Pair, act: Callable[[Server], Any]) -> Any:
    """Act on both servers; the outcomes must be equal but for ids and times."""
    theirs, ours = act(pair.upstream), act(pair.direct)
    assert normal(repr(ours)) == normal(repr(theirs))
    return ours


def test_tracking(pair: Pair) -> None:
    def track(server: Server) -> Any:
        client = MlflowClient(server.url)
        experiment = client.create_experiment("ünï: cödé / 1", tags={"team": "a"})
        runs = [client.create_run(experiment, run_name=f"run {number}") for number in range(3)]
        for number, run in enumerate(runs):
            client.log_param(run.info.run_id, "rate", number / 10)
            client.log_metric(run.info.run_id, "loss", float(number), step=number)
            metrics = [Metric(f"m{each}", float(each), 1, each) for each in range(20)]
            client.log_batch(run.info.run_id, metrics, [Param("p", "ü")], [RunTag("t", "1")])
            client.set_terminated(run.info.run_id)
        found = client.search_runs([experiment], "metrics.loss >= 1", order_by=["metrics.loss DESC"])
        history = client.get_metric_history(runs[2].info.run_id, "m7")
        client.delete_run(runs[0].info.run_id)
        left = len(client.search_runs([experiment]))
        return [(run.data.params, run.data.metrics, run.data.tags, run.info.status) for run in found], (
            [(metric.value, metric.step) for metric in history],
            left,
        )

    found, _ = same(pair, track)
    assert [params["rate"] for params, *_ in found] == ["0.2", "0.1"]


def test_registry(pair: Pair, tmp_path: Path) -> None:
    def register(server: Server) -> Any:
        client = MlflowClient(server.url)
        client.create_registered_model("iris", tags={"a": "b"}, description="flowers")
        run = client.create_run("0", run_name="model")
        version = client.create_model_version("iris", f"runs:/{run.info.run_id}/model", run.info.run_id)
        client.set_registered_model_alias("iris", "champion", version.version)
        client.set_model_version_tag("iris", "1", "gate", "passed")
        champion = client.get_model_version_by_alias("iris", "champion")
        return [champion.tags, champion.source, champion.status], client.search_registered_models()

    champion, _ = same(pair, register)
    assert champion[0] == {"gate": "passed"}


def test_artifacts_of_a_run(pair: Pair, tmp_path: Path) -> None:
    """The client's own way, which asks the server for presigned URLs of the store."""
    (tmp_path / "model.bin").write_bytes(THREE_MB)

    def upload(server: Server) -> Any:
        client = MlflowClient(server.url)
        run = client.create_run("0", run_name="artifacts").info.run_id
        client.log_artifact(run, str(tmp_path / "model.bin"), "model")
        client.log_text(run, "hello", "notes/ünï cödé.txt")
        target = tmp_path / f"down-{server.port}"
        target.mkdir()
        back = Path(client.download_artifacts(run, "model/model.bin", str(target)))
        return [each.path for each in client.list_artifacts(run)], back.read_bytes() == THREE_MB

    assert same(pair, upload) == (["model", "notes"], True)


@pytest.mark.parametrize("name", ["plain.bin", "ünï cödé +&.bin"])
@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
def test_artifacts_through_the_proxy(pair: Pair, name: str, chunked: bool) -> None:
    def pieces() -> Any:
        yield from (THREE_MB[start : start + 100_000] for start in range(0, len(THREE_MB), 100_000))

    def roundtrip(server: Server) -> Any:
        url = f"{server.url}{ARTIFACTS}/folder/{requests.utils.quote(name)}"
        put = requests.put(url, data=pieces() if chunked else THREE_MB, timeout=120)
        got = requests.get(url, timeout=120)
        listed = requests.get(f"{server.url}{ARTIFACTS}", {"path": "folder"}, timeout=120)
        gone = requests.delete(url, timeout=120)
        return put.status_code, got.content == THREE_MB, got.headers["Content-Type"], listed.text, gone.text

    assert same(pair, roundtrip)[:2] == (200, True)


def test_otlp_traces(pair: Pair) -> None:
    request = traces.answer()

    def send(server: Server) -> Any:
        sent = traces.send(server.url, request)
        found = MlflowClient(server.url).search_traces(locations=["0"], include_spans=False)
        return sent.status_code, sent.content, [(trace.info.trace_id, trace.info.state) for trace in found]

    status, _, found = same(pair, send)
    assert status == 200
    assert len(found) == 1


def test_server_info_says_what_the_store_can(pair: Pair) -> None:
    info = same(
        pair, lambda server: requests.get(f"{server.url}/api/3.0/mlflow/server-info", timeout=60).json()
    )
    assert info["multipart_uploads_enabled"] is True
