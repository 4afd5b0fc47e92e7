"""The Secret that a token is written to."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlflowops.errors import OpsError

if TYPE_CHECKING:
    from mlflowops.kube import ApiClient

LABEL = "app.kubernetes.io/managed-by"
LABELS = {"app.kubernetes.io/part-of": "mlflow", LABEL: "mlflowops"}


@dataclass(frozen=True)
class Place:
    """A Secret that this command may write: it is absent, or this command wrote it before."""

    api: "ApiClient"
    namespace: str
    name: str
    exists: bool

    @classmethod
    def find(cls, namespace: str, name: str, context: str | None) -> "Place":
        """Return the place of a Secret.

        Raises:
            OpsError: There is no cluster, or another program or person made the Secret.
        """
        from mlflowops import kube

        api = kube.connect(context)
        with kube.api_errors(f"Secret {namespace}/{name}"):
            labels = kube.secret_labels(api, namespace, name)
        if labels is not None and labels.get(LABEL) != LABELS[LABEL]:
            wrong = "is there, and this command did not write it"
            raise OpsError(f"--secret {name}", wrong, "choose another name, or delete the Secret")
        return cls(api, namespace, name, labels is not None)

    def write(self, account: str, token: str) -> None:
        """Write the account and its token.

        Raises:
            OpsError: Kubernetes refuses.
        """
        from mlflowops import kube

        data = {"MLFLOW_TRACKING_USERNAME": account, "MLFLOW_TRACKING_PASSWORD": token}
        body = {"metadata": {"name": self.name, "labels": LABELS}, "stringData": data}
        with kube.api_errors(f"Secret {self.namespace}/{self.name}"):
            if self.exists:
                kube.patch_secret(self.api, self.namespace, self.name, body)
            elif not kube.create_secret(self.api, self.namespace, body):
                wrong = "another program made it in the meantime"
                raise OpsError(f"--secret {self.name}", wrong, "run the command again")
