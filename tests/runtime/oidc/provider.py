"""A real OpenID provider on a loopback port: dex, with people who have groups."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import requests

from runtime.network import free_port, listens, wait_until
from testbed import tools

CLIENT, SECRET = "mlflow", "a secret of the client, for tests"
PASSWORD = "a password at the provider"


@dataclass
class Provider:
    """It serves one client, whose redirect address is fixed."""

    folder: Path
    callback: str
    port: int = field(default_factory=free_port)

    @property
    def issuer(self) -> str:
        """Its address, as its tokens name it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Provider":
        """Start it and wait until it answers."""
        self.knows({})
        env = {
            "PATH": os.environ["PATH"],
            "ISSUER": self.issuer,
            "LISTEN": f"127.0.0.1:{self.port}",
            "CLIENT_ID": CLIENT,
            "CLIENT_SECRET": SECRET,
            "REDIRECT_URI": self.callback,
            "PEOPLE_FILE": str(self.folder / "people.json"),
        }
        with (self.folder / "dex.log").open("wb") as log:
            self.process = subprocess.Popen([tools.ensure("dex")], env=env, stdout=log, stderr=log)
        wait_until("dex", lambda: listens(self.port))
        return self

    def knows(self, people: dict[str, list[str]]) -> None:
        """Change who has an account, and the groups of each, from the next login on."""
        known = [{"email": name, "password": PASSWORD, "groups": groups} for name, groups in people.items()]
        written = self.folder / "people.json.new"
        written.write_text(json.dumps(known))
        written.rename(self.folder / "people.json")

    def token(self, name: str) -> str:
        """What the provider gives a program: a signed token for the client."""
        who = {"username": name, "password": PASSWORD}
        form = {"grant_type": "password", "scope": "openid email profile groups", **who}
        answer = requests.post(f"{self.issuer}/token", data=form, auth=(CLIENT, SECRET), timeout=60)
        answer.raise_for_status()
        return str(answer.json()["id_token"])

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
