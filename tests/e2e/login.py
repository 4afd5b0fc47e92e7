"""A login by OpenID Connect: the example's oauth2-proxy, a provider with one person, and that person."""

import html
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
import yaml
from mlflowops.paths import REPO

from e2e.kube import Kube
from e2e.platform import SECONDS, Platform
from e2e.up import load_image
from testbed.images import programs

EXAMPLE = REPO / "examples/oidc/oauth2-proxy.yaml"
PROVIDER = "id.example.com"
EMAIL = "anna@example.com"
OAUTH2_PROXY = "app.kubernetes.io/name=oauth2-proxy"


@dataclass
class Site:
    """One MLflow behind a login, at the name `host`."""

    platform: Platform
    host: str
    password: str = field(default_factory=secrets.token_hex, repr=False)
    client_secret: str = field(default_factory=secrets.token_hex, repr=False)

    @contextmanager
    def visitor(self) -> Iterator[requests.Session]:
        """A user with a browser's cookies and no session yet."""
        with self.platform.hosts(self.host, PROVIDER), requests.Session() as session:
            session.trust_env = False  # which would name another authority
            session.verify = self.platform.ca
            yield session

    def log_in(self, session: requests.Session, url: str, password: str) -> requests.Response:
        """Open a page, fill the form that the provider shows instead, and follow to where that leads."""
        form = session.get(url, timeout=SECONDS)
        assert form.url.startswith(f"https://{PROVIDER}/"), form.url
        found = re.search(r'<form method="post" action="([^"]+)"', form.text)
        assert found, form.text
        filled = {"login": EMAIL, "password": password}
        return session.post(urljoin(form.url, html.unescape(found[1])), data=filled, timeout=SECONDS)

    @cached_property
    def token(self) -> str:
        """What the provider gives a program: a signed token for this client."""
        who = {"username": EMAIL, "password": self.password}
        answer = self.platform.request(
            "POST",
            f"https://{PROVIDER}/token",
            data={"grant_type": "password", "scope": "openid email", **who},
            auth=("mlflow", self.client_secret),
            timeout=SECONDS,
        )
        assert answer.ok, answer.text
        return str(answer.json()["id_token"])


def load_images(kubeconfig: Path) -> None:
    load_image("--group login", kubeconfig)


def start_provider(site: Site, kube: Kube, namespace: str) -> None:
    """Where people have their accounts: outside of MLflow's namespace, at a name of its own."""
    kube.secret(namespace, "dex", {"PASSWORD": site.password, "CLIENT_SECRET": site.client_secret})
    words = {"host": PROVIDER, "email": EMAIL, "image": programs.ref("dex")}
    site.platform.apply(namespace, "provider", callback=f"https://{site.host}/oauth2/callback", **words)
    site.platform.served(f"https://{PROVIDER}/.well-known/openid-configuration")


def start_proxy(site: Site, kube: Kube, namespace: str) -> None:
    """The example, as far as it does not depend on the site."""
    secret = {"client-secret": site.client_secret, "cookie-secret": secrets.token_urlsafe(32)}
    kube.secret(namespace, "oauth2-proxy", secret)
    authority = {"metadata": {"name": "local-ca"}, "data": {"ca.crt": Path(site.platform.ca).read_text()}}
    kube.core.create_namespaced_config_map(namespace, authority)
    site.platform.apply_text(namespace, yaml.safe_dump_all(_objects(site, namespace)))
    kube.wait_ready(namespace, 2, selector=OAUTH2_PROXY)


def _objects(site: Site, namespace: str) -> list[dict[str, Any]]:
    """Its image is the one that can be built here, and it finds and trusts the provider of this cluster."""
    text = EXAMPLE.read_text().replace("mlflow.example.com", site.host)
    objects = list(yaml.safe_load_all(text.replace(".ml.svc.", f".{namespace}.svc.")))
    pod = objects[0]["spec"]["template"]["spec"]
    pod["hostAliases"] = [{"ip": site.platform.cluster_address, "hostnames": [PROVIDER]}]
    pod["volumes"] = [{"name": "ca", "configMap": {"name": "local-ca"}}]
    (container,) = pod["containers"]
    container["image"] = programs.ref("oauth2-proxy")
    container["imagePullPolicy"] = "Never"
    container["args"].append("--provider-ca-file=/ca/ca.crt")
    container["volumeMounts"] = [{"name": "ca", "mountPath": "/ca"}]
    return objects
