"""Calls the API of personal tokens, which the plugin of `auth.mode: oidc` adds to MLflow's."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mlflowops import rest
from mlflowops.errors import OpsError

USERS = "/api/2.0/mlflow/users"


@dataclass(frozen=True)
class Tokens:
    """The tokens of one account.

    Args:
        address: address of the server.
        account: name of the account; empty for that of the caller.
    """

    address: str
    account: str = ""

    def owner(self) -> str:
        """Return the name of the account.

        Raises:
            OpsError: The server refuses the login, or has no personal tokens.
        """
        return self.account or str(self._call("GET", "current")["username"])

    def create(self, name: str, expires: str) -> dict[str, Any]:
        """Make a token.

        Args:
            name: its name, unique among the tokens of the account.
            expires: date and time in ISO 8601, at most a year from now.

        Returns:
            Its `id`, `name`, `expires_at` and, this once, the `token` itself.

        Raises:
            OpsError: The server refuses.
        """
        return self._call("POST", self._path(), {"name": name, "expiration": expires})

    def read(self) -> list[dict[str, Any]]:
        """Return the tokens of the account, expired ones too, without their values.

        Raises:
            OpsError: The server refuses.
        """
        found: list[dict[str, Any]] = self._call("GET", self._path())["tokens"]
        return found

    def revoke(self, number: int) -> None:
        """Delete a token by its id.

        Raises:
            OpsError: The server refuses, or there is no such token.
        """
        self._call("DELETE", f"{self._path()}/{number}")

    def _path(self) -> str:
        return f"{quote(self.account, safe='') or 'current'}/tokens"

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        options = {"json": body} if body else {}
        answer = rest.call(self.address, method, f"{USERS}/{path}", **options)
        if not answer.ok:
            raise _refusal(answer.status, answer.detail)
        return answer.data


def connect(account: str = "") -> Tokens:
    """Return the tokens of an account on the server at MLFLOW_TRACKING_URI.

    Raises:
        OpsError: The variable is not set, or the server does not answer.
    """
    return Tokens(rest.connect(), account)


def _refusal(status: int, detail: str) -> OpsError:
    if status == 401:
        wrong = "the server refuses the login"
        instead = "set MLFLOW_TRACKING_TOKEN to a token of the provider"
    elif status == 403 and "interactive" in detail:
        wrong = "a personal token or service account cannot make tokens"
        instead = "set MLFLOW_TRACKING_TOKEN to a token of the provider, without MLFLOW_TRACKING_USERNAME"
    elif status == 403:
        wrong, instead = detail, "log in as an administrator, or leave --account out"
    elif status in (404, 405) and detail.title() in ("Not Found", "Method Not Allowed"):
        wrong, instead = "the server has no personal tokens", "use a server with auth.mode: oidc"
    else:
        wrong, instead = detail, "run `mlflowops token list`"
    return OpsError("token", wrong, instead)
