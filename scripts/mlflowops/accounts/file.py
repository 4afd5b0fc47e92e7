"""Reads the accounts that a server shall have from a YAML file.

accounts:
  - name: anna
    grants:
      - {experiment: fraud, permission: EDIT}
      - {model: churn, permission: READ}
      - {workspace: research, permission: USE}
  - name: olga
    admin: true
"""

from pathlib import Path
from typing import Any

import yaml

from mlflowops.accounts.account_api import KINDS, WORKSPACE_ROLES, Account, Grants
from mlflowops.errors import OpsError

LEVELS = ("READ", "USE", "EDIT", "MANAGE", "DENY")


def read(path: Path) -> list[Account]:
    """Return the accounts of a file; every key of it must be known.

    Raises:
        OpsError: The file is unreadable, or says something else than accounts.
    """
    what = str(path)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise OpsError(what, f"unreadable ({error})", "give a YAML file") from error
    listed = data.get("accounts") if isinstance(data, dict) and set(data) == {"accounts"} else None
    if not isinstance(listed, list):
        raise OpsError(what, "not a list of accounts", "write for example `accounts: [{name: anna}]`")
    found = [_account(f"{what}: accounts[{number}]", each) for number, each in enumerate(listed)]
    names = [account.name for account in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise OpsError(what, f"names {', '.join(sorted(twice))} twice", "keep one entry for each account")
    return found


def _account(what: str, data: Any) -> Account:
    _check_keys(what, data, {"name"}, {"admin", "grants"})
    name, admin, grants = data["name"], data.get("admin", False), data.get("grants", [])
    if not isinstance(name, str) or not name or ":" in name or not name.isascii():
        raise OpsError(f"{what}.name", "not a name in ASCII, without a colon", "set for example anna")
    if not isinstance(admin, bool):
        raise OpsError(f"{what}.admin", "neither true nor false", "set one of them")
    if not isinstance(grants, list):
        raise OpsError(f"{what}.grants", "not a list", "write `[{experiment: fraud, permission: EDIT}]`")
    found: Grants = {}
    for number, each in enumerate(grants):
        key, permission = _grant(f"{what}.grants[{number}]", each)
        if key in found:
            raise OpsError(f"{what}.grants[{number}]", "grants the same thing twice", "keep one of the two")
        found[key] = permission
    return Account(name, admin, found)


def _grant(what: str, data: Any) -> tuple[tuple[str, str], str]:
    kinds = [kind for kind in KINDS if isinstance(data, dict) and kind in data]
    if len(kinds) != 1:
        wrong = "does not name exactly one experiment, model or workspace"
        raise OpsError(what, wrong, "name one of them")
    _check_keys(what, data, {kinds[0], "permission"}, set())
    levels = tuple(WORKSPACE_ROLES) if kinds[0] == "workspace" else LEVELS
    if data["permission"] not in levels:
        raise OpsError(f"{what}.permission", "unknown", f"set {', '.join(levels)}")
    return (KINDS[kinds[0]], str(data[kinds[0]])), data["permission"]


def _check_keys(what: str, data: Any, needed: set[str], more: set[str]) -> None:
    if not isinstance(data, dict) or not needed <= set(data) <= needed | more:
        known = ", ".join([*sorted(needed), *sorted(more)])
        raise OpsError(what, "lacks a key, or has an unknown one", f"use {known}")
