"""Permissions that an account needs to start background jobs. Jobs read and write without an account.

MLflow's UI and its clients start jobs at routes of their own, where MLflow checks permissions, but not on the
data set of a prompt optimization. A route for any job takes the ids of others' traces, runs and data sets.
"""

import importlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

ROUTE = "/ajax-api/3.0/jobs"
DATA_SET = "job_data_set_to_name"  # a name of ours, among the plugin's parsers
Validate = Callable[[str, Any], Awaitable[bool]]


def install() -> None:
    """Check them in MLflow's basic-auth. Call it before its create_app().

    The data set needs the permission to read its experiments; the route for any job, an administrator.
    """
    from mlflow.server import auth

    if validate := getattr(auth, "validate_can_create_prompt_optimization_job", None):

        def validate_all() -> bool:
            return bool(validate()) and _can_read_data_set()

        validators = auth.BEFORE_REQUEST_VALIDATORS
        validators.update({route: validate_all for route, each in validators.items() if each is validate})
    if of_route := getattr(auth, "_get_job_route_validator", None):
        auth._get_job_route_validator = _not_any_job(of_route)


def install_kubernetes(package: str) -> None:
    """Check them in the plugin mlflow-kubernetes-plugins. Call it before its app is made.

    The data set needs `get` on `datasets`; the route for any job is denied.

    Args:
        package: the plugin's package.
    """
    from mlflow.protos.service_pb2 import CreatePromptOptimizationJob

    rules: Any = importlib.import_module(f"{package}.auth.rules")
    names: Any = importlib.import_module(f"{package}.auth.resource_names")

    def parse(request: Any) -> tuple[str, ...]:
        if not isinstance(request.json_body, dict):
            raise names.ResourceNameResolutionError("The body is not a JSON object.")
        if data_set := _data_set(request.json_body):
            return (names._resolve_dataset_name_from_dataset_id(data_set),)
        raise names.ResourceReferenceNotPresentError("The request names no data set.")

    names.RESOURCE_NAME_PARSERS[DATA_SET] = parse
    table, read = rules.REQUEST_AUTHORIZATION_RULES, {"allow_if_resource_reference_missing": True}
    rule = rules._datasets_rule("get", resource_name_parsers=(DATA_SET,), **read)
    table[CreatePromptOptimizationJob] = (table[CreatePromptOptimizationJob], rule)
    denied = rules._experiments_rule("update", deny=True, deny_message="Start jobs at MLflow's own routes.")
    rules.PATH_AUTHORIZATION_RULES.update({(path, "POST"): denied for path in (ROUTE, f"{ROUTE}/")})


def _data_set(body: dict[str, Any]) -> str:
    """Return the data set that MLflow reads from a request for a prompt optimization, or an empty string."""
    from google.protobuf.json_format import ParseError
    from mlflow.protos.service_pb2 import CreatePromptOptimizationJob
    from mlflow.utils.proto_json_utils import parse_dict

    message = CreatePromptOptimizationJob()
    with suppress(ParseError):  # MLflow goes on with what it has read
        parse_dict(body, message)
    return str(message.config.dataset_id)


def _can_read_data_set() -> bool:
    """Return whether the account may read the data set of the request, if there is one."""
    from flask import g
    from mlflow.exceptions import MlflowException
    from mlflow.server import auth, handlers

    data_set = _data_set(handlers._get_normalized_request_json())
    if not data_set:
        return True
    try:
        experiments = handlers._get_tracking_store().get_dataset_experiment_ids(data_set)
    except MlflowException:
        return False
    account = g.mlflow_authenticated_user
    return bool(experiments) and all(
        auth._get_experiment_permission(each, account).can_read for each in experiments
    )


def _not_any_job(of_route: Callable[[str], Validate]) -> Callable[[str], Validate]:
    """Deny the route for any job to accounts without administrator rights, whom MLflow does not ask."""

    def validator(path: str) -> Validate:
        validate, searches = of_route(path), path.rstrip("/") == f"{ROUTE}/search"

        async def validated(username: str, request: Any) -> bool:
            return (request.method != "POST" or searches) and await validate(username, request)

        return validated

    return validator
