"""A company's directory of people and groups, and the provider by which they log in: OpenLDAP behind dex."""

import json
import secrets
from dataclasses import dataclass, field

from runtime.oidc.provider import PASSWORD
from testbed.images.recipes import recipe

from e2e.kube import Kube, eventually
from e2e.platform import Platform
from testbed.images import programs

HOST = "directory.example.com"
SUFFIX = "dc=example,dc=com"
ADMIN = f"cn=admin,{SUFFIX}"


@dataclass
class Directory:
    """Who is in which group; `client_secret` is that of the provider's one client, `mlflow`."""

    kube: Kube
    platform: Platform
    namespace: str
    groups: dict[str, list[str]]
    client_secret: str = field(default_factory=secrets.token_hex, repr=False)
    _password: str = field(default_factory=secrets.token_hex, repr=False)

    def start(self, mlflow: str) -> "Directory":
        """Start both, for the MLflow at the host `mlflow`."""
        entries = {"password": self._password, "people.ldif": self._entries()}
        self.kube.secret(self.namespace, "directory", entries)
        words = {"suffix": SUFFIX, "image": recipe("openldap").ref}
        self.platform.apply(self.namespace, "directory", **words)
        self.kube.wait_ready(self.namespace, 1, selector="app=directory")
        self._provider(mlflow, "24h")
        return self

    def tokens_last(self, seconds: int, mlflow: str) -> None:
        """Restart the provider, whose tokens are valid for that long then. It has new signing keys."""
        self.kube.core.delete_namespaced_pod("dex", self.namespace, grace_period_seconds=0)
        gone = "the end of the provider"
        eventually(lambda: not self.kube.pods(self.namespace, "app=dex"), 60, gone)
        self._provider(mlflow, f"{seconds}s")

    def token(self, name: str) -> str:
        """What the provider gives a program: a signed token for the client."""
        form = {"grant_type": "password", "scope": "openid email profile groups"}
        answer = self.platform.request(
            "POST",
            f"https://{HOST}/token",
            data={**form, "username": name, "password": PASSWORD},
            auth=("mlflow", self.client_secret),
        )
        assert answer.ok, answer.text
        return str(answer.json()["id_token"])

    def leave(self, name: str, group: str) -> None:
        """Remove a person from a group."""
        entry = f"dn: cn={group},ou=groups,{SUFFIX}"
        change = f"{entry}\nchangetype: modify\ndelete: member\nmember: {_person(name)}\n"
        script = f"echo '{change}' | ldapmodify -H ldap://127.0.0.1:3389 -D {ADMIN} -w \"$LDAP_PASSWORD\""
        said = self.kube.exec(self.namespace, "directory", ["sh", "-c", script])
        assert "modifying entry" in said, said

    def _provider(self, mlflow: str, lifetime: str) -> None:
        known = {"LDAP_CONFIG": json.dumps(self._connector()), "CLIENT_SECRET": self.client_secret}
        self.kube.secret(self.namespace, "dex", {**known, "TOKENS_VALID_FOR": lifetime})
        words = {"host": HOST, "email": "", "image": programs.ref("dex")}
        self.platform.apply(self.namespace, "provider", callback=f"https://{mlflow}/callback", **words)
        self.kube.wait_ready(self.namespace, 1, selector="app=dex")
        self.platform.served(f"https://{HOST}/.well-known/openid-configuration")

    def _connector(self) -> dict[str, object]:
        """The settings of dex's LDAP connector."""
        people = {"baseDN": f"ou=people,{SUFFIX}", "username": "mail", "idAttr": "DN", "emailAttr": "mail"}
        members = [{"userAttr": "DN", "groupAttr": "member"}]
        groups = {"baseDN": f"ou=groups,{SUFFIX}", "nameAttr": "cn", "userMatchers": members}
        return {
            "host": f"directory.{self.namespace}.svc:389",
            "insecureNoSSL": True,
            "bindDN": ADMIN,
            "bindPW": self._password,
            "userSearch": {**people, "nameAttr": "cn"},
            "groupSearch": groups,
        }

    def _entries(self) -> str:
        """All people and groups in LDIF."""
        domain = [f"dn: {SUFFIX}\nobjectClass: domain\ndc: example"]
        units = [f"dn: ou={name},{SUFFIX}\nobjectClass: organizationalUnit" for name in ("people", "groups")]
        names = sorted({name for members in self.groups.values() for name in members})
        people = [
            f"dn: {_person(name)}\nobjectClass: inetOrgPerson\nsn: {name}\n"
            f"mail: {name}\nuserPassword: {PASSWORD}"
            for name in names
        ]
        groups = [
            f"dn: cn={group},ou=groups,{SUFFIX}\nobjectClass: groupOfNames\n"
            + "\n".join(f"member: {_person(name)}" for name in members)
            for group, members in self.groups.items()
        ]
        return "\n\n".join([*domain, *units, *people, *groups]) + "\n"


def _person(name: str) -> str:
    return f"cn={name},ou=people,{SUFFIX}"
