"""Sends HTTP requests to a port of a pod, as `kubectl port-forward` does, without kubectl."""

import socket
from typing import Any

import requests
from kubernetes import client
from kubernetes.stream import portforward
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection

from mlflowops.kube.api_errors import ApiError
from mlflowops.kube.reader import Json


def forwarded_session(api: client.ApiClient, pod: Json, port: int) -> requests.Session:
    """Return a session whose requests to http://localhost, at any port, go to one port of a pod.

    Args:
        api: Client of the cluster.
        pod: The pod object.
        port: Number of the port in the pod.
    """
    session = requests.Session()
    session.mount("http://localhost", _PortForwardAdapter(api, pod["metadata"], port))
    return session


class _PortForwardAdapter(HTTPAdapter):
    """Sends requests over connections that the Kubernetes API forwards."""

    def __init__(self, api: client.ApiClient, pod: Json, port: int) -> None:
        super().__init__()

        class Connection(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _open(api, pod, port)

        self._pool = HTTPConnectionPool("localhost")
        self._pool.ConnectionCls = Connection

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        """Return the one pool: all connections go to the same port."""
        return self._pool

    def request_url(self, request: requests.PreparedRequest, *_: Any) -> str:
        """Return the path without the host: proxies of the environment do not apply."""
        return request.path_url

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


def _open(api: client.ApiClient, pod: Json, port: int) -> socket.socket:
    connect = client.CoreV1Api(api).connect_get_namespaced_pod_portforward
    try:
        forwarded = portforward(connect, pod["name"], pod["namespace"], ports=str(port))
    except ApiError as error:
        raise OSError(f"the Kubernetes API forwards no port of {pod['name']}: {error.reason}") from error
    opened: socket.socket = forwarded.socket(port)
    return opened
