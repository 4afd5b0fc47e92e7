"""A way into a pod without a Service or an Ingress: what `kubectl port-forward` does, without kubectl."""

import socket
from typing import Any

import requests
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import portforward
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection

from mlflowops.health.objects import Json


def session(api: client.ApiClient, pod: Json, port: int) -> requests.Session:
    """Requests to http://localhost, whatever their port, go to this port of this pod."""
    session = requests.Session()
    session.mount("http://localhost", _ThroughApi(api, pod["metadata"], port))
    return session


class _ThroughApi(HTTPAdapter):
    """Sends requests over connections that the Kubernetes API forwards."""

    def __init__(self, api: client.ApiClient, pod: Json, port: int) -> None:
        super().__init__()

        class Connection(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _open(api, pod, port)

        self._pool = HTTPConnectionPool("localhost")
        self._pool.ConnectionCls = Connection

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        """All connections are alike."""
        return self._pool

    def request_url(self, request: requests.PreparedRequest, *_: Any) -> str:
        """No proxy of the environment is in between."""
        return request.path_url

    def close(self) -> None:
        """Hang up."""
        self._pool.close()


def _open(api: client.ApiClient, pod: Json, port: int) -> socket.socket:
    ask = client.CoreV1Api(api).connect_get_namespaced_pod_portforward
    try:
        forwarded = portforward(ask, pod["name"], pod["namespace"], ports=str(port))
    except ApiException as error:
        raise OSError(f"the Kubernetes API forwards no port of {pod['name']}: {error.reason}") from error
    opened: socket.socket = forwarded.socket(port)
    return opened
