"""A trace stays in its experiment: only an account that may update that experiment writes to it.

MLflow checks the permission on the experiment that a request names, and then writes to the trace with the
given id, wherever it is: an account could move a trace of others, with its spans, to its own experiment.
"""

import os
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import wraps
from typing import Any

# Account of a request that FastAPI answers. Flask knows its own.
caller: ContextVar[str] = ContextVar("caller", default="")


def install() -> None:
    """Check what MLflow's store of traces writes for requests. Call it before the fork."""
    if not os.environ.get("MLFLOW_KUBERNETES_APP_NAME"):
        return  # no accounts
    _check_before("start_trace", _check_start)
    _check_before("log_spans", _check_spans)
    _check_before("link_traces_to_run", _check_run)
    _check_before("_get_or_create_experiment_id", _check_name)


def _check_before(name: str, check: Callable[..., None]) -> None:
    """Let a method of the store, if this MLflow has it, check its arguments first."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    if method := getattr(SqlAlchemyStore, name, None):

        @wraps(method)
        def checked(self: Any, *arguments: Any, **named: Any) -> Any:
            check(self, *arguments, **named)
            return method(self, *arguments, **named)

        setattr(SqlAlchemyStore, name, checked)


def _check_start(store: Any, trace_info: Any, *_: Any, **__: Any) -> None:
    if hasattr(trace_info, "trace_id"):  # MLflow before 3 has other arguments
        _check_traces(store, [trace_info.trace_id], trace_info.experiment_id)
        _check_assessments(store, trace_info)


def _check_spans(store: Any, location: str, spans: list[Any], *_: Any, **__: Any) -> None:
    _check_traces(store, {span.trace_id for span in spans}, location)


def _experiments(store: Any, trace_ids: Iterable[str]) -> set[str]:
    """The experiments of those traces that exist, in any workspace."""
    from mlflow.store.tracking.dbmodels.models import SqlTraceInfo

    with _session(store) as session:
        found = session.query(SqlTraceInfo.experiment_id).filter(SqlTraceInfo.request_id.in_(list(trace_ids)))
        return {str(experiment) for (experiment,) in found.distinct()}


def _session(store: Any) -> Any:
    """A session with the primary, as a replica may not have the trace yet."""
    replica = getattr(store, "read_engine", None) is not None
    return store.ManagedSessionMaker(**({"read_only": False} if replica else {}))


def _check_traces(store: Any, trace_ids: Iterable[str], experiment_id: str) -> None:
    for other in _experiments(store, trace_ids) - {str(experiment_id)}:
        if not _may_update(other):
            _refuse("trace_id: this trace is in another experiment")


def _check_assessments(store: Any, trace_info: Any) -> None:
    """Refuse ids of assessments that belong to another trace."""
    from mlflow.store.tracking.dbmodels.models import SqlAssessments as Row

    named = {each.assessment_id for each in trace_info.assessments}
    named |= {each.overrides for each in trace_info.assessments}
    if ids := [each for each in named if each]:
        with _session(store) as session:
            others = session.query(Row).filter(
                Row.assessment_id.in_(ids), Row.trace_id != trace_info.trace_id
            )
            if others.count():
                _refuse("assessments: one of them belongs to another trace")


def _check_run(store: Any, trace_ids: list[str], run_id: str) -> None:
    """Refuse a run that a header of OpenTelemetry names. For requests to Flask, MLflow checks permissions."""
    from flask import has_request_context

    if has_request_context():
        return
    experiment = str(store.get_run(run_id).info.experiment_id)
    if experiment not in _experiments(store, trace_ids) and not _may_update(experiment):
        _refuse("run_id: this run is in another experiment")


def _check_name(store: Any, experiment_name: str, *_: Any, **__: Any) -> None:
    """Refuse an existing experiment that an endpoint of the gateway would get by its name."""
    if os.environ["MLFLOW_KUBERNETES_APP_NAME"] == "kubernetes-auth":
        return  # the name is looked up in the namespace
    found = store.get_experiment_by_name(experiment_name)
    if found is not None and not _may_update(found.experiment_id):
        _refuse(f"experiment_id: the experiment {experiment_name!r} exists")


def _may_update(experiment_id: str) -> bool:
    """Whether the account of the request may. RBAC of Kubernetes is for namespaces, so there it may not."""
    app = os.environ.get("MLFLOW_KUBERNETES_APP_NAME")
    if app == "basic-auth":
        return _may_with_basic_auth(experiment_id)
    return app == "oidc-auth" and _may_with_oidc(experiment_id)


def _may_with_basic_auth(experiment_id: str) -> bool:
    from flask import g, has_request_context
    from mlflow.server import auth

    name = (g.get("mlflow_authenticated_user") if has_request_context() else "") or caller.get()
    if not name:
        return False
    if auth.store.get_user(name).is_admin:
        return True
    return bool(auth._get_experiment_permission(experiment_id, name).can_update)


def _may_with_oidc(experiment_id: str) -> bool:
    from mlflow_oidc_auth.bridge.user import get_auth_context
    from mlflow_oidc_auth.utils import effective_experiment_permission

    try:
        account = get_auth_context()
    except Exception:
        return False
    if account.is_admin:
        return True
    return bool(effective_experiment_permission(experiment_id, account.username).permission.can_update)


def _refuse(words: str) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import PERMISSION_DENIED

    raise MlflowException(f"{words}, which the account may not update.", error_code=PERMISSION_DENIED)
