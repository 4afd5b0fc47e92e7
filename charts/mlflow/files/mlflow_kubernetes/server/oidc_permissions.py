"""Permissions that the plugin mlflow-oidc-auth does not ask for, in GraphQL and in two of its routes."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

SCORER_PERMISSIONS = "/permissions/scorers/"


def install() -> None:
    """Check them. Call it before the plugin's app is made."""
    from mlflow_oidc_auth.graphql import middleware
    from mlflow_oidc_auth.hooks import before_request

    middleware._set_input_attr = _set_in_both
    graphql = middleware.GraphQLAuthorizationMiddleware
    graphql.resolve = _with_readable_versions(graphql.resolve, middleware._get_auth_context)
    validators = before_request.BEFORE_REQUEST_VALIDATORS
    for route, validate in list(validators.items()):
        if str(route[0]).endswith("/gateway/endpoints/bindings/list"):
            validators[route] = _of_an_endpoint(validate)


def is_ambiguous(scope: dict[str, Any]) -> bool:
    """Whether the query names another scorer than the path: the plugin checks one and shows the other.

    Args:
        scope: of an ASGI request.
    """
    return SCORER_PERMISSIONS in scope["path"] and bool(
        {"experiment_id", "scorer_name"} & set(parse_qs(scope["query_string"].decode("latin-1")))
    )


def _set_in_both(given: Any, name: str, value: Any) -> None:
    """Set a field of an input, which MLflow reads as an attribute and the plugin as an item."""
    if isinstance(given, dict):
        given[name] = value
    if given is not None:
        setattr(given, name, value)


def _with_readable_versions(resolve: Callable[..., Any], account: Callable[[], Any]) -> Callable[..., Any]:
    """Leave out versions of models that the account may not read: the plugin looks at the filter only."""

    def resolved(self: Any, next_: Callable[..., Any], root: Any, info: Any, **args: Any) -> Any:
        found = resolve(self, next_, root, info, **args)
        if found is None or info.field_name != "mlflowSearchModelVersions" or account().is_admin:
            return found
        name = account().username
        kept = type(found)()
        kept.model_versions.extend(
            each for each in found.model_versions if self._cached_can_read_model(each.name, name)
        )
        return kept

    return resolved


def _of_an_endpoint(validate: Callable[[str], bool]) -> Callable[[str], bool]:
    """Ask for the endpoint: without it MLflow lists the bindings of all."""

    def validated(username: str) -> bool:
        from flask import request

        return bool(request.args.get("endpoint_id")) and validate(username)

    return validated
