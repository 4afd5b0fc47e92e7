"""The grants of auth.oidc.groups: patterns of names, which the plugin keeps in its tables."""

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from mlflow_kubernetes.log import logger
from mlflow_kubernetes.server import oidc_plugin
from mlflow_kubernetes.stores.database import Database

VARIABLE = "MLFLOW_KUBERNETES_OIDC_GROUPS"
# Priority of the first grant. Patterns that an administrator makes have lower numbers, and so come first.
FIRST = 100_000
# What a pattern is about, by the attribute of the plugin's store: its table, and a condition.
KINDS = {
    "experiment_group_regex_repo": "experiment_group_regex_permissions p WHERE true",
    "registered_model_group_regex_repo": "registered_model_group_regex_permissions p WHERE NOT p.prompt",
    "prompt_group_regex_repo": "registered_model_group_regex_permissions p WHERE p.prompt",
    "scorer_group_regex_repo": "scorer_group_regex_permissions p WHERE true",
}
WORKSPACE_KIND = {"workspace_group_regex_permission_repo": "workspace_group_regex_permissions p WHERE true"}

# By kind, group and pattern: priority and permission.
Grants = dict[tuple[str, str, str], tuple[int, str]]
log = logger("schema")


def keep_grants(database: Database, env: Mapping[str, str]) -> None:
    """Make the patterns of groups those of the release, and leave all others. One pod at a time does so.

    Args:
        database: PostgreSQL, with the plugin's tables.
        env: MLFLOW_KUBERNETES_OIDC_GROUPS has the list of auth.oidc.groups, as JSON.
    """
    wanted = _wanted(json.loads(env.get(VARIABLE) or "[]"))
    if _found(database)[0] == wanted:
        return
    with database.lock(lambda: log.info("another pod writes the grants of groups; waiting for it.")):
        _write(*_found(database), wanted)
    log.info("the grants of groups are those of auth.oidc.groups.")


def _wanted(groups: list[dict[str, str]]) -> Grants:
    wanted: Grants = {}
    for number, grant in enumerate(groups):
        workspace = grant.get("workspace")
        pattern = f"{workspace}$" if workspace else grant["pattern"]
        for kind in WORKSPACE_KIND if workspace else KINDS:
            wanted[kind, grant["name"], pattern] = (FIRST + number, grant["permission"])
    return wanted


def _found(database: Database) -> tuple[Grants, dict[tuple[str, str, str], int]]:
    """The grants that a release has made, and their ids."""
    grants, ids = {}, {}
    with database.connection() as connection, closing(connection.cursor()) as cursor:
        for kind, rows in (KINDS | WORKSPACE_KIND).items():
            columns = "p.id, g.group_name, p.regex, p.priority, p.permission"
            cursor.execute(
                f"SELECT {columns} FROM groups g, {rows} AND g.id = p.group_id AND p.priority >= {FIRST}"  # noqa: S608
            )
            for number, group, pattern, *grant in cursor.fetchall():
                grants[kind, group, pattern] = tuple(grant)
                ids[kind, group, pattern] = number
    return grants, ids


def _write(found: Grants, ids: Mapping[tuple[str, str, str], int], wanted: Grants) -> None:
    from mlflow.exceptions import MlflowException

    oidc_plugin.import_kinds()
    from mlflow_oidc_auth.store import store

    store.populate_groups(group_names=sorted({group for _, group, _ in wanted}))
    for kind, group, pattern in found.keys() - wanted.keys():
        getattr(store, kind).revoke(group, ids[kind, group, pattern])
    for key, grant in wanted.items():
        table: Any = getattr(store, key[0])
        try:
            if key not in found:
                table.grant(*key[1:], *grant)
            elif found[key] != grant:
                table.update(ids[key], *key[1:], *grant)
        except MlflowException as error:
            log.warning(f"auth.oidc.groups: {key[1]}, {key[2]!r} for {key[0]}: {error.message}")
