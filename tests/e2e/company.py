"""What a company has around MLflow: a database and an object store of its own CA, behind a proxy."""

from pathlib import Path
from typing import Any

import yaml
from cli.certificates import Authority
from kubernetes import utils

from e2e.kube import Kube, client_pod

MANIFESTS = Path(__file__).parent / "manifests"
DOMAIN = "company.example.com"
PASSWORD = "a company's password"


class Company:
    """It is in the namespace of its MLflow; pods know its names by `host_aliases`, as by a DNS."""

    def __init__(self, kube: Kube, namespace: str, store: str) -> None:
        """Make it; `store` is the address of the S3 that stands behind the proxy."""
        self.kube, self.namespace = kube, namespace
        self._authority = Authority("Company CA")
        kube.secret(namespace, "company-ca", {"ca.crt": self._authority.certificate.decode()})
        kube.secret(namespace, "mlflow-postgres-secret", {"password": PASSWORD})
        self._database()
        self._proxy(store)
        for app in ("postgres", "proxy"):
            kube.wait_ready(namespace, 1, selector=f"app={app}")

    def host_aliases(self) -> list[dict[str, Any]]:
        """Of the database and of the proxy; the object store is known to the proxy alone."""
        services = {
            each: self.kube.core.read_namespaced_service(each, self.namespace)
            for each in ("postgres", "proxy")
        }
        return [
            {"ip": found.spec.cluster_ip, "hostnames": [f"{name}.{DOMAIN}"]}
            for name, found in services.items()
        ]

    def asked_of_the_proxy(self) -> set[str]:
        """What clients have asked it for."""
        return set(self.kube.logs(self.namespace, "proxy").splitlines())

    def _database(self) -> None:
        """The managed PostgreSQL of the environments, with a certificate of this CA."""
        self.kube.secret(self.namespace, "postgres", {"password": PASSWORD})
        self.kube.secret(self.namespace, "postgres-tls", self._authority.issue(f"postgres.{DOMAIN}"))
        for each in yaml.safe_load_all((MANIFESTS / "outside.yaml").read_text()):
            if each["kind"] != "Certificate":
                utils.create_from_dict(self.kube.api, each, namespace=self.namespace)

    def _proxy(self, store: str) -> None:
        core = self.kube.core
        self.kube.secret(self.namespace, "proxy-tls", self._authority.issue(f"s3.{DOMAIN}"))
        script = {"proxy.py": (MANIFESTS / "company_proxy.py").read_text()}
        core.create_namespaced_config_map(self.namespace, {"metadata": {"name": "proxy"}, "data": script})
        pod = client_pod("proxy", ["python", "/proxy/proxy.py", store])
        pod["metadata"]["labels"] = {"app": "proxy"}
        container = pod["spec"]["containers"][0]
        container["readinessProbe"] = {"tcpSocket": {"port": 3128}, "periodSeconds": 1}
        container["volumeMounts"] += [
            {"name": "proxy", "mountPath": "/proxy"},
            {"name": "tls", "mountPath": "/tls"},
        ]
        pod["spec"]["volumes"] += [
            {"name": "proxy", "configMap": {"name": "proxy"}},
            {"name": "tls", "secret": {"secretName": "proxy-tls"}},
        ]
        core.create_namespaced_pod(self.namespace, pod)
        service = {"selector": {"app": "proxy"}, "ports": [{"port": 3128}]}
        core.create_namespaced_service(self.namespace, {"metadata": {"name": "proxy"}, "spec": service})
