"""Calls the API of MLflow's own accounts, as an administrator."""

import os
from dataclasses import dataclass, field
from typing import Any

from mlflowops import rest, tracking
from mlflowops.errors import OpsError

USERS = "/api/2.0/mlflow/users"
PERMISSIONS = "/api/3.0/mlflow/users/permissions"
ROLES = "/api/3.0/mlflow/roles"
WORKSPACES = "/api/3.0/mlflow/workspaces"
EXPERIMENT, MODEL, WORKSPACE = "experiment", "registered_model", "workspace"
KINDS = {"experiment": EXPERIMENT, "model": MODEL, "workspace": WORKSPACE}
LABELS = {kind: label for label, kind in KINDS.items()}
# Roles that MLflow creates in each new workspace, by what they permit there, and what each needs to permit:
# MLflow's `user` lists all, and opens nothing that others have made.
WORKSPACE_ROLES = {"USE": "user", "MANAGE": "admin"}
READABLE = (EXPERIMENT, MODEL, "prompt", "scorer")
ROLE_GRANTS = {
    "USE": [(WORKSPACE, "USE"), *((kind, "READ") for kind in READABLE)],
    "MANAGE": [(WORKSPACE, "MANAGE")],
}

# By kind and name: the permission.
Grants = dict[tuple[str, str], str]


@dataclass
class Account:
    """An account; `grants` are those that it has itself, and those of WORKSPACE_ROLES."""

    name: str
    admin: bool = False
    grants: Grants = field(default_factory=dict)


@dataclass
class Accounts:
    """The accounts of the server at `address`."""

    address: str

    @classmethod
    def connect(cls) -> "Accounts":
        """Return the accounts of the server at MLFLOW_TRACKING_URI.

        Raises:
            OpsError: The variable is not set, or the server does not answer.
        """
        return cls(rest.connect())

    def caller(self) -> str:
        """Return the name of the account that calls."""
        return str(self._call("GET", f"{USERS}/current")["user"]["username"])

    def read(self) -> list[Account]:
        """Return all accounts with their grants, by name. Experiments are named, not numbered."""
        users = self._call("GET", f"{USERS}/list")["users"]
        found = [Account(user["username"], bool(user["is_admin"])) for user in users]
        experiments = {number: name for name, number in self.experiments().items()}
        for account in found:
            listed = self._permissions(account.name)
            for row in _own(listed):
                kind, thing = row["resource_type"], row["resource_pattern"]
                if kind in (EXPERIMENT, MODEL):
                    name = experiments.get(thing, thing) if kind == EXPERIMENT else thing
                    account.grants[kind, name] = row["permission"]
            for row in _memberships(listed):
                if account.grants.get((WORKSPACE, row["workspace"])) != "MANAGE":
                    account.grants[WORKSPACE, row["workspace"]] = row["permission"]
        return sorted(found, key=lambda account: account.name)

    def add(self, name: str, password: str) -> None:
        """Create an account without grants."""
        self._call("POST", f"{USERS}/create", json={"username": name, "password": password})

    def remove(self, name: str) -> None:
        """Delete an account and its grants."""
        self._call("DELETE", f"{USERS}/delete", json={"username": name})

    def set_password(self, name: str, password: str) -> None:
        """Set the password of another account."""
        self._call("PATCH", f"{USERS}/update-password", json={"username": name, "password": password})

    def set_admin(self, name: str, admin: bool) -> None:
        """Make an account an administrator, or an ordinary account again."""
        self._call("PATCH", f"{USERS}/update-admin", json={"username": name, "is_admin": admin})

    def grant(self, name: str, kind: str, thing: str, permission: str) -> None:
        """Grant a permission on a thing, or change it without a moment of none."""
        if kind == WORKSPACE:
            self._join(name, thing, permission)
            return
        pattern = self._pattern(kind, thing)
        for row in _own(self._permissions(name)):
            if (row["resource_type"], row["resource_pattern"]) == (kind, pattern):
                listed = self._call("GET", f"{ROLES}/permissions/list", params={"role_id": row["role_id"]})
                (number,) = [
                    each["id"]
                    for each in listed["role_permissions"]
                    if (each["resource_type"], each["resource_pattern"]) == (kind, pattern)
                ]
                body = {"role_permission_id": number, "permission": permission}
                self._call("PATCH", f"{ROLES}/permissions/update", json=body)
                return
        body = {"username": name, "resource_type": kind, "resource_id": pattern, "permission": permission}
        self._call("POST", f"{PERMISSIONS}/grant", json=body)

    def revoke(self, name: str, kind: str, thing: str) -> None:
        """Take a grant back."""
        if kind == WORKSPACE:
            self._leave(name, thing, _memberships(self._permissions(name)))
            return
        body = {"username": name, "resource_type": kind, "resource_id": self._pattern(kind, thing)}
        self._call("POST", f"{PERMISSIONS}/revoke", json=body)

    def experiments(self) -> dict[str, str]:
        """Return the ids of all experiments by their names."""
        from mlflow.entities import ViewType

        client, token = tracking.client(), None
        found: dict[str, str] = {}
        while True:
            page = client.search_experiments(ViewType.ALL, max_results=1000, page_token=token)
            found |= {each.name: each.experiment_id for each in page}
            token = page.token
            if not token:
                return found

    def models(self) -> set[str]:
        """Return the names of all registered models."""
        client, token = tracking.client(), None
        found: set[str] = set()
        while True:
            page = client.search_registered_models(max_results=1000, page_token=token)
            found |= {each.name for each in page}
            token = page.token
            if not token:
                return found

    def workspaces(self) -> set[str]:
        """Return the names of all workspaces.

        Raises:
            OpsError: The server has no workspaces, or refuses to list them.
        """
        answer = rest.call(self.address, "GET", WORKSPACES)
        if "without workspaces support" in answer.detail:
            raise OpsError("workspaces", "the server has none", "set mlflow.workspaces.enabled: true")
        if not answer.ok:
            raise _refusal(answer)
        return {each["name"] for each in answer.data.get("workspaces", [])}

    def _join(self, name: str, workspace: str, permission: str) -> None:
        """Give an account the role of the permission in a workspace, then take the other one away."""
        if workspace not in self.workspaces():
            raise OpsError(f"workspace {workspace}", "there is none of this name", "check the name")
        role, before = self._role(workspace, permission), _memberships(self._permissions(name))
        if role not in {row["role_id"] for row in before}:
            self._call("POST", f"{ROLES}/assign", json={"username": name, "role_id": role})
        self._leave(name, workspace, [row for row in before if row["role_id"] != role])

    def _leave(self, name: str, workspace: str, memberships: list[dict[str, Any]]) -> None:
        """Take those of these roles away that are of the workspace."""
        for row in memberships:
            if row["workspace"] == workspace:
                body = {"username": name, "role_id": row["role_id"]}
                self._call("DELETE", f"{ROLES}/unassign", json=body)

    def _role(self, workspace: str, permission: str) -> int:
        """Return the id of a role of WORKSPACE_ROLES, after a check of its grants; `default` has none."""
        name = WORKSPACE_ROLES[permission]
        roles = self._call("GET", f"{ROLES}/list", params={"workspace": workspace})["roles"]
        found = [each for each in roles if each["name"] == name]
        body = {"name": name, "workspace": workspace}
        number = int((found or [self._call("POST", f"{ROLES}/create", json=body)["role"]])[0]["id"])
        listed = self._call("GET", f"{ROLES}/permissions/list", params={"role_id": number})
        has = {
            (each["resource_type"], each["permission"])
            for each in listed["role_permissions"]
            if each["resource_pattern"] == "*"
        }
        for kind, level in ROLE_GRANTS[permission]:
            if (kind, level) not in has:
                grant = {"resource_type": kind, "resource_pattern": "*", "permission": level}
                self._call("POST", f"{ROLES}/permissions/add", json={"role_id": number, **grant})
        return number

    def _pattern(self, kind: str, thing: str) -> str:
        """Return what the server knows an experiment or a model by."""
        if kind == MODEL:
            return thing
        found = self.experiments()
        if thing in found:
            return found[thing]
        if thing in found.values():
            return thing
        raise OpsError(f"experiment {thing}", "there is none of this name", "check the name")

    def _permissions(self, name: str) -> list[dict[str, Any]]:
        """Return what the account has by all of its roles, in all workspaces."""
        found = self._call("GET", f"{PERMISSIONS}/list", params={"username": name})["permissions"]
        return list(found)

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = rest.call(self.address, method, path, **options)
        if not answer.ok:
            raise _refusal(answer)
        return answer.data


def _own(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the account's own grants in this workspace: those of the role that MLflow makes for it."""
    here = os.environ.get("MLFLOW_WORKSPACE") or "default"
    return [row for row in rows if row["role_name"].startswith("__user_") and row["workspace"] == here]


def _memberships(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the account has by WORKSPACE_ROLES."""
    return [
        row
        for row in rows
        if (row["resource_type"], row["resource_pattern"]) == (WORKSPACE, "*")
        and row["role_name"] in WORKSPACE_ROLES.values()
    ]


def _refusal(answer: rest.Answer) -> OpsError:
    if answer.status in (404, 405) and answer.detail.title() in ("Not Found", "Method Not Allowed"):
        return OpsError("accounts", "the server has no accounts", "use a server with auth.mode: basic")
    advice = {
        401: "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
        403: "log in as an administrator",
    }
    return OpsError("accounts", answer.detail, advice.get(answer.status, "run `mlflowops accounts list`"))
