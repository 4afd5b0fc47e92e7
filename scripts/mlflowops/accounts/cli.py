"""`mlflowops accounts`: lists, adds, grants and removes accounts, or makes them those of a file."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mlflowops import console
from mlflowops.accounts.account_api import EXPERIMENT, LABELS, MODEL, WORKSPACE, WORKSPACE_ROLES, Accounts
from mlflowops.errors import OpsError
from mlflowops.output import Output, OutputOption

app = typer.Typer(
    help="Accounts of a server with auth.mode: basic, and their permissions.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="Name of the account.")]
Experiment = Annotated[str, typer.Option(help="Name of an experiment.")]
Model = Annotated[str, typer.Option(help="Name of a registered model.")]
Workspace = Annotated[str, typer.Option(help="Name of a workspace.")]


@app.command("list")
def list_(output: OutputOption = Output.table) -> None:
    """List accounts with what was granted to them, in the workspace that MLFLOW_WORKSPACE names.

    Of roles, only those that MLflow creates in each workspace are among them.
    """
    found = Accounts.connect().read()
    grants = {
        account.name: [
            {LABELS[kind]: name, "permission": permission}
            for (kind, name), permission in sorted(account.grants.items())
        ]
        for account in found
    }
    if output is Output.json:
        console.as_json(
            [{"name": each.name, "admin": each.admin, "grants": grants[each.name]} for each in found]
        )
        return
    rows = [
        [each.name, "yes" if each.admin else "", ", ".join(_shown(grant) for grant in grants[each.name])]
        for each in found
    ]
    console.table(["account", "administrator", "granted"], rows)


@app.command()
def add(
    name: Name,
    admin: Annotated[bool, typer.Option("--admin", help="Make it an administrator.")] = False,
    password_file: Annotated[
        Path | None, typer.Option(help="File with the password; default: stdin.")
    ] = None,
) -> None:
    """Add an account without grants. The password is read from stdin or a file, never from an argument.

    mlflowops accounts add anna < password.txt
    """
    password = _password(password_file)
    accounts = Accounts.connect()
    accounts.add(name, password)
    if admin:
        accounts.set_admin(name, True)
    console.out.print(f"added: {name}", highlight=False, soft_wrap=True)


@app.command()
def grant(
    name: Name,
    permission: Annotated[
        str, typer.Argument(help="READ, USE, EDIT, MANAGE or DENY; on a workspace USE or MANAGE.")
    ],
    experiment: Experiment = "",
    model: Model = "",
    workspace: Workspace = "",
) -> None:
    """Grant an account a permission on an experiment, a model or a workspace, or change it.

    On a workspace, USE lets an account read everything and create its own. MANAGE lets it do all.
    """
    kind, thing = _thing(experiment, model, workspace)
    if kind == WORKSPACE and permission not in WORKSPACE_ROLES:
        raise OpsError("permission", f"{permission} is not one of a workspace", "give USE or MANAGE")
    Accounts.connect().grant(name, kind, thing, permission)
    console.out.print(f"granted: {name} {permission} on {thing}", highlight=False, soft_wrap=True)


@app.command()
def revoke(name: Name, experiment: Experiment = "", model: Model = "", workspace: Workspace = "") -> None:
    """Take a grant back. Without workspaces, the account then has auth.basic.defaultPermission."""
    kind, thing = _thing(experiment, model, workspace)
    Accounts.connect().revoke(name, kind, thing)
    console.out.print(f"revoked: {name} on {thing}", highlight=False, soft_wrap=True)


@app.command()
def remove(name: Name) -> None:
    """Remove an account and its grants. Its runs and models stay."""
    Accounts.connect().remove(name)
    console.out.print(f"removed: {name}", highlight=False, soft_wrap=True)


@app.command()
def apply(
    file: Annotated[
        Path, typer.Argument(help="YAML file with `accounts`, each with name, admin and grants.")
    ],
    passwords: Annotated[
        Path | None, typer.Option(help="Folder with a file for each new account, such as a mounted Secret.")
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove accounts and grants that the file does not have.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the changes, but make none.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Make the accounts of a server those of a file. Prints what it removes first, then what it adds.

    Without --prune nothing is removed. With it, a grant of MANAGE stays that the file does not have, as
    MLflow gives it to who creates an experiment or a model. The account that calls is neither removed nor
    changed. The password of an account that exists stays.

        mlflowops accounts apply accounts.yaml --passwords /passwords --prune
    """
    from mlflowops.accounts import changes
    from mlflowops.accounts.file import read

    wanted, accounts = read(file), Accounts.connect()
    planned = changes.plan(accounts, wanted, _passwords(passwords), accounts.caller(), prune)
    if output is Output.json:
        console.as_json([{"kind": each.kind, "change": each.text} for each in planned])
    for each in planned:
        if output is Output.table:
            console.out.print(each.text, highlight=False, soft_wrap=True)
        if not dry_run:
            each.make()
    if not planned and output is Output.table:
        console.out.print("no change", highlight=False)


def _shown(grant: dict[str, str]) -> str:
    kind, name = next(iter(grant.items()))
    return f"{grant['permission']} {kind} {name}"


def _thing(experiment: str, model: str, workspace: str) -> tuple[str, str]:
    given = {EXPERIMENT: experiment, MODEL: model, WORKSPACE: workspace}
    named = [(kind, name) for kind, name in given.items() if name]
    if len(named) != 1:
        wrong = "the thing is not named once"
        raise OpsError("accounts", wrong, "give one of --experiment, --model and --workspace")
    return named[0]


def _password(file: Path | None) -> str:
    """Return a password from a file, a prompt without an echo, or stdin, without the newline at its end."""
    if file:
        return _read(file)
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return _checked(sys.stdin.read())


def _passwords(folder: Path | None) -> dict[str, str]:
    """Return passwords by the names of their files."""
    if folder is None:
        return {}
    if not folder.is_dir():
        raise OpsError(f"--passwords {folder}", "not a folder", "give the folder of a mounted Secret")
    return {file.name: _read(file) for file in folder.iterdir() if file.is_file()}


def _read(file: Path) -> str:
    try:
        return _checked(file.read_text())
    except (OSError, UnicodeError) as error:
        raise OpsError(str(file), f"unreadable ({error})", "give a file with the password") from error


def _checked(password: str) -> str:
    found = password.removesuffix("\n")
    if len(found) < 12 or not found.isascii() or not found.isprintable():
        instead = "give 12 or more characters of printable ASCII"
        raise OpsError("password", "too short, or not printable ASCII", instead)
    return found
