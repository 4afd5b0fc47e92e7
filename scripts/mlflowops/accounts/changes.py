"""What makes the accounts of a server those of a file: removals first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from mlflowops.accounts.account_api import LABELS, WORKSPACE, Account, Accounts
from mlflowops.errors import OpsError


@dataclass(frozen=True)
class Change:
    """One change: its kind, in words what it does, and what does it."""

    kind: str
    text: str
    make: Callable[[], None]

    @property
    def removes(self) -> bool:
        """Whether an account may do less than before."""
        return self.kind == "remove"


def plan(
    accounts: Accounts, wanted: list[Account], passwords: Mapping[str, str], caller: str, prune: bool
) -> list[Change]:
    """Return the changes that a server needs, those that remove something first.

    Args:
        accounts: accounts of the server.
        wanted: accounts of the file.
        passwords: passwords of new accounts by their names.
        caller: account that makes the changes, which it neither removes nor changes.
        prune: also remove accounts and grants that the file does not have.

    Raises:
        OpsError: A new account has no password, or a grant names something that does not exist.
    """
    found = {account.name: account for account in accounts.read()}
    _check(accounts, wanted, set(found), passwords)
    changes: list[Change] = []
    for name in sorted(found.keys() - {account.name for account in wanted} - {caller}) if prune else ():
        changes.append(Change("remove", f"remove account {name}", partial(accounts.remove, name)))
    for account in wanted:
        changes += _of(accounts, account, found.get(account.name), passwords, prune, caller)
    return sorted(changes, key=lambda change: not change.removes)


def _check(accounts: Accounts, wanted: list[Account], found: set[str], passwords: Mapping[str, str]) -> None:
    """Find what cannot be done before anything is done."""
    for account in wanted:
        if account.name not in found and not passwords.get(account.name):
            wrong = "is new and has no password"
            raise OpsError(
                f"account {account.name}", wrong, "put a file of its name into the --passwords folder"
            )
    things = {key for account in wanted for key in account.grants}
    known = {("experiment", name) for name in accounts.experiments()}
    known |= {("registered_model", name) for name in accounts.models()}
    if any(kind == WORKSPACE for kind, _ in things):
        known |= {(WORKSPACE, name) for name in accounts.workspaces()}
    for kind, name in sorted(things - known):
        raise OpsError(
            f"{LABELS[kind]} {name}", "there is none of this name", "create it, or correct the file"
        )


def _of(
    accounts: Accounts,
    account: Account,
    before: Account | None,
    passwords: Mapping[str, str],
    prune: bool,
    caller: str,
) -> list[Change]:
    """Return the changes of one account."""
    name, changes = account.name, []
    old = before or Account(name)
    if before is None:
        changes.append(Change("add", f"add account {name}", partial(accounts.add, name, passwords[name])))
    if account.admin != old.admin and name != caller:
        text = f"make {name} an administrator" if account.admin else f"make {name} an ordinary account"
        kind = "add" if account.admin else "remove"
        changes.append(Change(kind, text, partial(accounts.set_admin, name, account.admin)))
    for key, permission in account.grants.items():
        if old.grants.get(key) != permission:
            text = f"grant {name} {permission} on {_thing(key)}"
            make = partial(accounts.grant, name, *key, permission)
            changes.append(Change("grant", text, make))
    for key, permission in old.grants.items():
        # Who makes an experiment or a model may manage it, by a grant as any other.
        given = key[0] == WORKSPACE or permission != "MANAGE"
        if prune and given and key not in account.grants:
            text = f"revoke {permission} of {name} on {_thing(key)}"
            changes.append(Change("remove", text, partial(accounts.revoke, name, *key)))
    return changes


def _thing(key: tuple[str, str]) -> str:
    return f"{LABELS[key[0]]} {key[1]}"
