"""Tokens of a cloud in place of PostgreSQL passwords: IAM for RDS and Aurora, Entra ID for Azure Database."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

ENTRA_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"
# The region in an endpoint of RDS, Aurora or RDS Proxy: <name>.<id>.<region>.rds.amazonaws.com
RDS_REGION = re.compile(r"\.([a-z]+(?:-[a-z]+)+-[0-9]+)\.rds\.amazonaws\.com(?:\.cn)?$")


class NoToken(Exception):
    """No token: what is wrong, and what to do."""


class TokenSource(ABC):
    """The identity of the pod, as its cloud's library finds it."""

    package: str
    """Python's package that the image needs."""
    identity: str
    """What gives the pod its identity."""

    @abstractmethod
    def fetch(self) -> str:
        """A token that is valid for some minutes at least. The libraries raise errors of many kinds."""

    def token(self) -> str:
        """A token; raises NoToken."""
        try:
            return self.fetch()
        except Exception as error:
            reason = " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__
            raise NoToken(f"there is no token ({reason}); {self.identity}") from error


class AwsIam(TokenSource):
    """RDS and Aurora. A token is valid for 15 minutes; it is signed here, with no request to AWS."""

    package = "botocore"
    identity = "let the pod's ServiceAccount have an IAM role with rds-db:connect"

    def __init__(self, env: Mapping[str, str]) -> None:
        from botocore.session import Session

        self.host, self.port = env.get("PGHOST", ""), int(env.get("PGPORT") or 5432)
        self.user = env.get("PGUSER", "")
        session = Session()
        found = RDS_REGION.search(self.host)
        region = found.group(1) if found else session.get_config_variable("region")
        if not region:
            raise NoToken(f"the AWS region of {self.host} is not in its name; set AWS_REGION in mlflow.env")
        self.region = region
        self.client: Any = session.create_client("rds", region_name=region)

    def fetch(self) -> str:
        """Sign a token with the credentials of the moment."""
        token: str = self.client.generate_db_auth_token(self.host, self.port, self.user, self.region)
        return token


class Entra(TokenSource):
    """Azure Database for PostgreSQL. The library keeps a token until five minutes before its end."""

    package = "azure-identity"
    identity = "let the pod's ServiceAccount have a workload identity of Azure"

    def __init__(self, env: Mapping[str, str]) -> None:  # noqa: ARG002 - as the others
        from azure.identity import DefaultAzureCredential

        self.credential = DefaultAzureCredential()

    def fetch(self) -> str:
        """Ask for a token."""
        token: str = self.credential.get_token(ENTRA_SCOPE).token
        return token


SOURCES: dict[str, type[TokenSource]] = {"awsIam": AwsIam, "entra": Entra}


def open_source(method: str, env: Mapping[str, str]) -> TokenSource:
    """The source of tokens for `backendStore.postgres.login`; raises NoToken."""
    kind = SOURCES[method]
    try:
        return kind(env)  # type: ignore[call-arg]
    except ImportError as error:
        raise NoToken(
            f"{method} needs Python's package {kind.package}, which the image lacks; use an image with it"
        ) from error
