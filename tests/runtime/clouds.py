"""What two clouds say about a token: AWS checks a signature, Entra ID knows which ones it gave out."""

import hashlib
import hmac
import json
import secrets
import ssl
import threading
import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, quote

from runtime.tls import certificate


class Cloud(ABC):
    """It takes tokens until it is told to take newer ones only, which stands for their end of life."""

    def __init__(self) -> None:
        self.accepted: list[str] = []

    def accepts(self, user: str, token: str) -> bool:
        """Whether a role of the database may log in with it."""
        right = self.valid(user, token)
        if right:
            self.accepted.append(token)
        return right

    @abstractmethod
    def valid(self, user: str, token: str) -> bool: ...

    @abstractmethod
    def expire(self) -> None:
        """Refuse all tokens that there are by now."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The variables that it gives to a pod."""


class Aws(Cloud):
    """RDS: `<host>:<port>/?Action=connect&DBUser=...`, signed with the key of an account for one server."""

    REGION = "eu-central-1"

    def __init__(self, port: int, **keys: str) -> None:
        super().__init__()
        self.host = f"127.0.0.1:{port}"
        self.keys = keys
        self.oldest = 0

    def environment(self) -> dict[str, str]:
        account, secret = next(iter(self.keys.items()))
        login = {"AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": secret}
        return {**login, "AWS_DEFAULT_REGION": self.REGION, "MLFLOW_KUBERNETES_POSTGRES_LOGIN": "awsIam"}

    def expire(self) -> None:
        # A token says the second in which it was signed: the next one has to be of a later second.
        self.oldest = int(time.time())
        time.sleep(self.oldest + 1 - time.time())

    def valid(self, user: str, token: str) -> bool:
        host, _, query = token.partition("/?")
        given = dict(parse_qsl(query))
        signed = datetime.strptime(given["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        account, *scope = given["X-Amz-Credential"].split("/")
        signature = given.pop("X-Amz-Signature")
        return (
            (host, given["Action"], given["DBUser"]) == (self.host, "connect", user)
            and scope[1:] == [self.REGION, "rds-db", "aws4_request"]
            and max(self.oldest, time.time() - min(int(given["X-Amz-Expires"]), 900)) < signed
            and hmac.compare_digest(signature, self._sign(account, scope, given))
        )

    def _sign(self, account: str, scope: list[str], given: dict[str, str]) -> str:
        """AWS' signature, version 4, of a GET with its parameters in the query."""
        query = "&".join(f"{quote(name, '')}={quote(given[name], '')}" for name in sorted(given))
        request = f"GET\n/\n{query}\nhost:{self.host}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
        hashed = hashlib.sha256(request.encode()).hexdigest()
        key = f"AWS4{self.keys[account]}".encode()
        text = f"AWS4-HMAC-SHA256\n{given['X-Amz-Date']}\n{'/'.join(scope)}\n{hashed}"
        for part in (*scope, text):
            key = hmac.digest(key, part.encode(), "sha256")
        return key.hex()


class EntraId(Cloud):
    """Its token endpoint, with TLS, for pods that have a workload identity. A token has two seconds."""

    SCOPE = "https://ossrdbms-aad.database.windows.net/.default"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.given: set[str] = set()
        self.assertion = folder / "assertion"
        self.assertion.write_text(secrets.token_urlsafe())
        self.ca, key = certificate(folder)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def environment(self) -> dict[str, str]:
        return {
            "AZURE_TENANT_ID": "tenant",
            "AZURE_CLIENT_ID": "client",
            "AZURE_FEDERATED_TOKEN_FILE": str(self.assertion),
            "AZURE_AUTHORITY_HOST": f"https://127.0.0.1:{self.server.server_port}",
            "REQUESTS_CA_BUNDLE": str(self.ca),
            "MLFLOW_KUBERNETES_POSTGRES_LOGIN": "entra",
        }

    def valid(self, user: str, token: str) -> bool:
        return token in self.given

    def expire(self) -> None:
        self.given.clear()

    def issue(self, form: dict[str, list[str]]) -> dict[str, object] | None:
        """The answer to a request for a token, none to a wrong one."""
        proof = [self.assertion.read_text()]
        if form.get("client_assertion") != proof or self.SCOPE not in form["scope"][0].split():
            return None
        token = secrets.token_urlsafe(1500)
        self.given.add(token)
        return {"access_token": token, "expires_in": 2, "token_type": "Bearer"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                found = cloud.issue(form) if self.path == "/tenant/oauth2/v2.0/token" else None
                body = json.dumps(found or {"error": "invalid_client"}).encode()
                self.send_response(200 if found else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        return Handler
