"""`mlflowops secrets`: generates the Secrets of an environment with its own stores, once."""

import base64
import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from mlflowops import console
from mlflowops.options import Context

if TYPE_CHECKING:
    from mlflowops.kube import ApiClient

app = typer.Typer(help="The Secrets of the local environment.", no_args_is_help=True)

# What each Secret holds. Only values made here: nothing that exists outside of the cluster.
GENERATED = {
    "mlflow-postgres-secret": ("password",),
    "mlflow-s3-secret": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "mlflow-keys-secret": ("flask-secret-key", "kek-passphrase", "webhook-key"),
}
LABELS = {"app.kubernetes.io/part-of": "mlflow", "app.kubernetes.io/managed-by": "mlflowops"}
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@app.callback()
def main() -> None:
    """Keep `ensure` a sub-command although it is the only one."""


@app.command()
def ensure(
    namespace: Annotated[
        str, typer.Option(envvar="MLFLOW_NAMESPACE", help="Namespace of the Secrets.")
    ] = "ml",
    context: Context = None,
) -> None:
    """Create missing Secrets with random values. Never changes a Secret and never prints a value.

    Also creates a missing namespace, which enforces the restricted Pod Security Standard.
    """
    from mlflowops import kube

    api = kube.connect(context)
    with kube.api_errors(f"secrets in namespace {namespace!r}"):
        ensure_namespace(api, namespace)
        for name, keys in GENERATED.items():
            made = ensure_secret(api, namespace, name, keys)
            console.out.print(f"Secret {namespace}/{name}: {'created' if made else 'kept'}", highlight=False)


def ensure_namespace(api: "ApiClient", name: str) -> bool:
    """Create a namespace that enforces restricted pods; return whether it was absent."""
    from mlflowops import kube

    body = {"metadata": {"name": name, "labels": {**LABELS, **RESTRICTED}}}
    return kube.create_namespace(api, body)


def random_key() -> str:
    """Return 32 random bytes in URL-safe Base64 with its padding, without which Fernet takes no key."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def ensure_secret(api: "ApiClient", namespace: str, name: str, keys: tuple[str, ...]) -> bool:
    """Create a Secret with one random value for each key; return whether it was absent."""
    from mlflowops import kube

    body = {
        "metadata": {"name": name, "labels": LABELS},
        "stringData": {key: random_key() for key in keys},
    }
    return kube.create_secret(api, namespace, body)
