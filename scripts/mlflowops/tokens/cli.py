"""`mlflowops token`: makes, lists and revokes personal tokens."""

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlflowops import console
from mlflowops.errors import OpsError
from mlflowops.options import Context
from mlflowops.output import Output, OutputOption

if TYPE_CHECKING:
    from mlflowops.tokens.token_api import Tokens

app = typer.Typer(
    help="Personal tokens, by which programs log in with auth.mode: oidc.", no_args_is_help=True
)

Account = Annotated[
    str, typer.Option(help="Account that the token belongs to; default: your own. For administrators.")
]
Namespace = Annotated[
    str, typer.Option("--namespace", "-n", envvar="MLFLOW_NAMESPACE", help="Namespace of the Secret.")
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Name of the token, such as that of the program that uses it.")],
    days: Annotated[int, typer.Option(min=1, max=365, help="Days until it expires.")] = 90,
    account: Account = "",
    secret: Annotated[str, typer.Option(help="Write it to this Secret, and print nothing of it.")] = "",
    namespace: Namespace = "ml",
    context: Context = None,
    output: OutputOption = Output.table,
) -> None:
    """Make a token, and print it once on stdout or write it to a Secret.

    Takes MLFLOW_TRACKING_TOKEN, a token of the provider: a personal token cannot make another one. The
    Secret has the keys MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, for `envFrom` of a pod. A
    Secret that this command wrote before gets the new token; any other one is refused.

        mlflowops token create airflow --days 90 --secret mlflow-token --namespace airflow
    """
    from mlflowops.tokens import token_api, token_secret

    tokens = token_api.connect(account)
    place = token_secret.Place.find(namespace, secret, context) if secret else None
    expires = (datetime.now(timezone.utc) + timedelta(days=days) - timedelta(minutes=1)).isoformat()
    owner = tokens.owner()
    made = tokens.create(name, expires)
    if place:
        _write(place, tokens, owner, made)
        del made["token"]
        made["secret"] = f"{namespace}/{secret}"
    _show(made, owner, output)


@app.command("list")
def list_(account: Account = "", output: OutputOption = Output.table) -> None:
    """List tokens: when they were made and used, and when they expire. Never shows a token."""
    from mlflowops.tokens import token_api

    found = token_api.connect(account).read()
    if output is Output.json:
        console.as_json(found)
        return
    keys = ("id", "name", "token_prefix", "created_at", "last_used_at", "expires_at")
    rows = [[_shown(each.get(key)) for key in keys] for each in found]
    console.table(["id", "name", "begins with", "made", "last used", "expires"], rows)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Name of the token, or its id.")], account: Account = ""
) -> None:
    """Delete a token. It stops working at once, in every pod."""
    from mlflowops.tokens import token_api

    tokens = token_api.connect(account)
    matching = [each for each in tokens.read() if name in (each["name"], str(each["id"]))]
    if len(matching) != 1:
        wrong = "there is no such token" if not matching else "is the name of one token and the id of another"
        raise OpsError(f"token {name}", wrong, "choose one of `mlflowops token list`")
    tokens.revoke(int(matching[0]["id"]))
    console.out.print(f"revoked: {matching[0]['name']}", highlight=False, soft_wrap=True)


def _write(place: Any, tokens: "Tokens", owner: str, made: dict[str, Any]) -> None:
    """Write the token to its Secret; revoke it if that fails."""
    try:
        place.write(owner, str(made["token"]))
    except BaseException:
        tokens.revoke(int(made["id"]))
        raise


def _show(made: dict[str, Any], owner: str, output: Output) -> None:
    if output is Output.json:
        console.as_json({**made, "account": owner})
        return
    console.err.print(
        f"token {made['name']} of {owner}, until {_shown(made['expires_at'])}",
        highlight=False,
        soft_wrap=True,
    )
    if "token" in made:
        print(made["token"])
    else:
        console.out.print(f"Secret {made['secret']}: written", highlight=False, soft_wrap=True)


def _shown(value: Any) -> str:
    """A cell of a table; times without fractions of a second."""
    return "" if value is None else str(value).partition(".")[0].removesuffix("+00:00").replace("T", " ")
