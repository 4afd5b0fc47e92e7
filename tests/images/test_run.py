"""The images run as a restricted pod would run them: not root, on a read-only root file system."""

import functools
import json
import re
import threading
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from urllib.request import urlopen

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError
from render.chart import SEAWEEDFS
from runtime.network import free_port

from images.archive import Archive
from images.container import Pod, Runner
from testbed.images import Image, recipes

SECRET_KEY = "p@ss:w/rd#%&? +'\"\\é$(x)`id`"

# One of each kind that MLflow loads only when it is used: stores, databases, authentication, flavours.
MODULES = """
azure.identity azure.storage.blob azure.storage.filedatalake boto3 docker flask_wtf
google.cloud.storage gunicorn httptools
kubernetes.client matplotlib.pyplot pandas prometheus_flask_exporter psycopg psycopg2 pyarrow.flight
pyarrow.parquet pymssql pymysql scipy.optimize scipy.stats sklearn.ensemble skops.io tiktoken uvicorn uvloop
mlflow.server mlflow.server.fastapi_app mlflow.server.auth mlflow.sklearn mlflow.gateway.app mlflow.genai
"""
IMPORT = """
import importlib, os, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(os.getuid(), os.path.expanduser("~"))
"""
VERSIONS = """
import importlib.metadata, json
print(json.dumps({each.name: each.version for each in importlib.metadata.distributions()}))
"""
TRAIN = """
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
data = load_iris()
print(LogisticRegression(max_iter=500).fit(data.data, data.target).score(data.data, data.target) > 0.9)
"""


def test_the_server_image_imports_whatever_the_server_may_need(
    runner: Runner, built: dict[str, Image]
) -> None:
    said = runner.run(built["mlflow"], "python", "-c", IMPORT, *MODULES.split())
    assert said.splitlines()[-1] == "10001 /tmp"


def test_the_server_image_has_the_locked_versions(runner: Runner, built: dict[str, Image]) -> None:
    lock = (recipes.FOLDER / "mlflow/requirements.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", lock, re.MULTILINE))
    installed = json.loads(runner.run(built["mlflow"], "python", "-c", VERSIONS))
    assert {re.sub(r"[-_.]+", "-", name).lower(): value for name, value in installed.items()} == locked


def test_the_default_command_serves(runner: Runner, built: dict[str, Image], port: int) -> None:
    image = built["mlflow"]
    args = [*Archive(image).config["Cmd"], f"--port={port}", "--workers=1"]
    env = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # eight processes that this test does not ask
    with runner.start(Pod(image, args=args, env=env, writable=("/tmp", "/mlflow"))) as server:
        answer = server.until(lambda: urlopen(f"http://127.0.0.1:{port}/version").read())
        assert answer.decode() == recipes.recipe("mlflow").tag


def test_the_client_trains_a_model(runner: Runner, built: dict[str, Image]) -> None:
    assert runner.run(built["client"], "python", "-c", TRAIN).split() == ["True"]


def test_the_client_has_a_curl_that_works(
    runner: Runner, built: dict[str, Image], port: int, tmp_path: Path
) -> None:
    (tmp_path / "page").write_text("found")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with HTTPServer(("127.0.0.1", port), handler) as web:
        threading.Thread(target=web.serve_forever).start()
        said = runner.run(built["client"], "curl", "-sf", f"http://127.0.0.1:{port}/page")
        web.shutdown()
    assert said == "found"
    assert "https" in runner.run(built["client"], "curl", "--version")


def s3_client(port: int, key: str = "mlflow", secret: str = SECRET_KEY) -> BaseClient:
    where = {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "us-east-1"}
    return boto3.client("s3", aws_access_key_id=key, aws_secret_access_key=secret, **where)


def seaweedfs(image: Image, args: list[str]) -> tuple[Pod, int]:
    """With these arguments, but ports that are free; and the port of S3."""
    ports = {name: free_port() for name in ("s3", "master", "volume", "filer")}
    keys = {"AWS_ACCESS_KEY_ID": "mlflow", "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    words = [*args, *(f"-{name}.port={port}" for name, port in ports.items())]
    return Pod(image, args=words, env=keys, writable=("/tmp", "/data")), ports["s3"]


def test_seaweedfs_serves_s3_to_its_keys_only(runner: Runner, built: dict[str, Image]) -> None:
    pod, port = seaweedfs(built["seaweedfs"], Archive(built["seaweedfs"]).config["Cmd"])
    own = s3_client(port)
    with runner.start(pod) as server:
        server.until(own.list_buckets)
        own.create_bucket(Bucket="artifacts")
        server.until(lambda: own.put_object(Bucket="artifacts", Key="a/b", Body=b"\x00content"))
        assert own.get_object(Bucket="artifacts", Key="a/b")["Body"].read() == b"\x00content"
        for stranger in (s3_client(port, secret="wrong"), s3_client(port, "other")):
            with pytest.raises(ClientError, match=r"SignatureDoesNotMatch|InvalidAccessKeyId"):
                stranger.list_buckets()
        assert SECRET_KEY not in server.log
    with pytest.raises(EndpointConnectionError):
        own.list_buckets()


def test_seaweedfs_of_the_chart_has_room_for_buckets(runner: Runner, built: dict[str, Image]) -> None:
    """On a volume of half of this machine's memory: each takes seven of its files of 1 GiB, though empty."""
    stateful_set = SEAWEEDFS.render(release="seaweedfs").one("StatefulSet", "seaweedfs")
    (container,) = stateful_set["spec"]["template"]["spec"]["containers"]
    pod, port = seaweedfs(built["seaweedfs"], container["args"])
    own = s3_client(port)
    with runner.start(pod) as server:
        server.until(own.list_buckets)
        for number in range(20):
            place = {"Bucket": f"bucket-{number}"}
            own.create_bucket(**place)
            server.until(functools.partial(own.put_object, Key="a", Body=b"1", **place))
