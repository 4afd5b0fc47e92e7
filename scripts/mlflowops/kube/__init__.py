"""The Kubernetes API: connection, reads, writes, exec, port-forward, waits and errors.

No other module of the package imports the official client. That import takes a second, so commands import
this package in the functions that need it.
"""

from mlflowops.kube.annotations import annotate, annotate_pod_template
from mlflowops.kube.api_errors import FORBIDDEN, NOT_FOUND, ApiError, HTTPError, api_errors
from mlflowops.kube.conditions import condition, true_conditions
from mlflowops.kube.connection import ApiClient, connect, ping
from mlflowops.kube.create import create_job, create_namespace, create_secret
from mlflowops.kube.delete import delete_job
from mlflowops.kube.deployments import is_observed, scale
from mlflowops.kube.pod_exec import ExecOutput, exec_in_pod
from mlflowops.kube.port_forward import forwarded_session
from mlflowops.kube.reader import Json, Reader
from mlflowops.kube.secret import patch_secret, secret_labels
from mlflowops.kube.timestamps import parse_time
from mlflowops.kube.wait import wait_until

__all__ = [
    "FORBIDDEN",
    "NOT_FOUND",
    "ApiClient",
    "ApiError",
    "ExecOutput",
    "HTTPError",
    "Json",
    "Reader",
    "annotate",
    "annotate_pod_template",
    "api_errors",
    "condition",
    "connect",
    "create_job",
    "create_namespace",
    "create_secret",
    "delete_job",
    "exec_in_pod",
    "forwarded_session",
    "is_observed",
    "parse_time",
    "patch_secret",
    "ping",
    "scale",
    "secret_labels",
    "true_conditions",
    "wait_until",
]
