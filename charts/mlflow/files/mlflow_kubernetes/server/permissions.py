"""Permissions that MLflow does not ask for: of what background jobs use, of gateway endpoints and of roles.

Jobs read and write without an account. MLflow checks permissions where its UI and its clients start them, but
not on the data set, the prompt and the endpoint. A route for any job takes ids of others' traces and runs.
"""

import importlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

ROUTE = "/ajax-api/3.0/jobs"
DATA_SET = "job_data_set_to_name"  # a name of ours, among the plugin's parsers
Validate = Callable[[str, Any], Awaitable[bool]]


def install() -> None:
    """Check them in MLflow's basic-auth. Call it before its create_app()."""
    from mlflow.server import auth

    _add_to(auth, "validate_can_create_prompt_optimization_job", _can_optimize)
    _add_to(auth, "validate_can_invoke_issue_detection", _can_use_named_endpoint)
    if of_route := getattr(auth, "_get_job_route_validator", None):
        auth._get_job_route_validator = _not_any_job(of_route)
    if of_request := getattr(auth, "_get_role_workspace_from_request", None):
        auth._get_role_workspace_from_request = lambda: _one_workspace(auth, of_request)
    if not_denied := getattr(auth, "_gateway_endpoint_experiment_not_denied", None):
        auth._gateway_endpoint_experiment_not_denied = lambda experiment: (
            not_denied(experiment) and (not experiment or _may(auth, experiment).can_update)
        )


def _add_to(auth: Any, name: str, also: Callable[[Any], bool]) -> None:
    """Let a validator of MLflow ask for more."""
    if validate := getattr(auth, name, None):

        def validate_all() -> bool:
            return bool(validate()) and also(auth)

        validators = auth.BEFORE_REQUEST_VALIDATORS
        validators.update({route: validate_all for route, each in validators.items() if each is validate})


def install_kubernetes(package: str) -> None:
    """Check those of jobs in the plugin mlflow-kubernetes-plugins. Call it before its app is made.

    A prompt optimization needs `get` on its data set and `update` on models, an endpoint of the gateway
    `update` on its experiment; the route for any job is denied.

    Args:
        package: the plugin's package.
    """
    from mlflow.protos.service_pb2 import (
        CreateGatewayEndpoint,
        CreatePromptOptimizationJob,
        UpdateGatewayEndpoint,
    )

    rules: Any = importlib.import_module(f"{package}.auth.rules")
    names: Any = importlib.import_module(f"{package}.auth.resource_names")

    def parse(request: Any) -> tuple[str, ...]:
        if not isinstance(request.json_body, dict):
            raise names.ResourceNameResolutionError("The body is not a JSON object.")
        if data_set := _optimization(request.json_body).config.dataset_id:
            return (names._resolve_dataset_name_from_dataset_id(data_set),)
        raise names.ResourceReferenceNotPresentError("The request names no data set.")

    names.RESOURCE_NAME_PARSERS[DATA_SET] = parse
    table, read = rules.REQUEST_AUTHORIZATION_RULES, {"allow_if_resource_reference_missing": True}
    rule = rules._datasets_rule("get", resource_name_parsers=(DATA_SET,), **read)
    prompts = rules._registered_models_rule("update")
    table[CreatePromptOptimizationJob] = (table[CreatePromptOptimizationJob], rule, prompts)
    named = {"resource_name_parsers": (names.RESOURCE_NAME_PARSER_EXPERIMENT_ID_TO_NAME,), **read}
    writes = rules._experiments_rule("update", **named)  # each call of an endpoint is a trace there
    for kind in (CreateGatewayEndpoint, UpdateGatewayEndpoint):
        table[kind] = (table[kind], writes)
    denied = rules._experiments_rule("update", deny=True, deny_message="Start jobs at MLflow's own routes.")
    rules.PATH_AUTHORIZATION_RULES.update({(path, "POST"): denied for path in (ROUTE, f"{ROUTE}/")})


def _optimization(body: Any) -> Any:
    """Return a request for a prompt optimization as MLflow reads it."""
    from google.protobuf.json_format import ParseError
    from mlflow.protos.service_pb2 import CreatePromptOptimizationJob
    from mlflow.utils.proto_json_utils import parse_dict

    message = CreatePromptOptimizationJob()
    with suppress(ParseError):  # MLflow goes on with what it has read
        parse_dict(body, message)
    return message


def _can_optimize(auth: Any) -> bool:
    """Return whether the account may read the data set, update the prompt and use the endpoint."""
    from mlflow.server import handlers

    message = _optimization(handlers._get_normalized_request_json())
    if not _can_read_data_set(auth, message.config.dataset_id):
        return False
    names = auth._source_prompt_names(message.source_prompt_uri) if message.source_prompt_uri else []
    prompts = _permissions(auth._get_registered_model_or_prompt_permission, *names)
    if not prompts or not all(each.can_update for each in prompts):
        return False
    endpoint = auth._optimizer_gateway_endpoint(message.config.optimizer_config_json)
    return not endpoint or _can_use_endpoint(auth, endpoint)


def _can_read_data_set(auth: Any, data_set: str) -> bool:
    """Return whether the account may read all experiments of a data set, if there is one."""
    from mlflow.exceptions import MlflowException
    from mlflow.server import handlers

    if not data_set:
        return True
    try:
        experiments = handlers._get_tracking_store().get_dataset_experiment_ids(data_set)
    except MlflowException:
        return False
    return bool(experiments) and all(_may(auth, each).can_read for each in experiments)


def _can_use_named_endpoint(auth: Any) -> bool:
    """Return whether the account may use the endpoint that a request to find issues names, if any."""
    from mlflow.server import handlers

    endpoint = handlers._get_normalized_request_json().get("endpoint_name")
    return not endpoint or _can_use_endpoint(auth, str(endpoint))


def _can_use_endpoint(auth: Any, name: str) -> bool:
    from mlflow.server import handlers

    def permission(name: str) -> Any:
        endpoint = handlers._get_tracking_store().get_gateway_endpoint(name=name)
        return auth._get_gateway_endpoint_permission(endpoint.endpoint_id)

    return any(each.can_use for each in _permissions(permission, name))


def _permissions(get: Callable[[str], Any], *names: str) -> list[Any]:
    """Return the permissions on those of the things that exist."""
    from mlflow.exceptions import MlflowException

    found = []
    for name in names:
        with suppress(MlflowException):
            found.append(get(name))
    return found


def _may(auth: Any, experiment_id: str) -> Any:
    """Return the permission of the account of the request on an experiment."""
    from flask import g

    return auth._get_experiment_permission(experiment_id, g.mlflow_authenticated_user)


def _one_workspace(auth: Any, of_request: Callable[[], str | None]) -> str | None:
    """Return the workspace of all roles that a request names, or None, which MLflow denies.

    MLflow asks for rights on the workspace of one role, and may change another one.
    """
    from mlflow.exceptions import MlflowException

    params, found = auth._request_params(), {of_request()}
    if "role_permission_id" in params:
        try:
            permission = auth.store.get_role_permission(int(params["role_permission_id"]))
            found.add(auth.store.get_role(permission.role_id).workspace)
        except (MlflowException, TypeError, ValueError):
            return None
    if "workspace" in params:
        found.add(params["workspace"])
    return found.pop() if len(found) == 1 else None


def _not_any_job(of_route: Callable[[str], Validate]) -> Callable[[str], Validate]:
    """Deny the route for any job to accounts without administrator rights, whom MLflow does not ask."""

    def validator(path: str) -> Validate:
        validate, searches = of_route(path), path.rstrip("/") == f"{ROUTE}/search"

        async def validated(username: str, request: Any) -> bool:
            return (request.method != "POST" or searches) and await validate(username, request)

        return validated

    return validator
