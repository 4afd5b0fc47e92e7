"""Values of which each string key holds what YAML, Helm or Kubernetes could take for something else."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from render.chart import MLFLOW, NEWEST, Json, UniqueKeys, _helm

# In place of each @ of such values stands a string: a word of its own, or a hostile one, the same everywhere.
HOSTILE = [
    "a #b", "yes", "null", "1e3", "012", "2026-01-01", '"x', "x'", "a: b", "a:", "{a}", "[a", "*x", "!x",
    "@x", "|", "- x", "a\\nb", "a\\", "\nfoo: bar", "x\r\ny: z", "a\tb", " x ", "\u2028x",
    "{{ .Release.Name }}", "$(PGPASSWORD)", "$$x$", "$(", "ключ ü€𝄞",
]  # fmt: skip
SECRET = {"enabled": True, "name": "@", "key": "@"}
RESOURCES = {"requests": {"cpu": "@", "memory": "1@Mi"}, "limits": {"memory": "1@Gi"}}
SECTION: Json = {
    "env": {"ANY": "@"},
    "envFrom": [{"secretRef": {"name": "@"}}],
    "podAnnotations": {"@": "@"},
    "podLabels": {"@": "@"},
    "nodeSelector": {"@": "@"},
    "tolerations": [{"key": "@", "value": "@"}],
    "topologySpreadConstraints": [{"topologyKey": "@"}],
    "priorityClassName": "@",
    "hostAliases": [{"ip": "@", "hostnames": ["@"]}],
    "affinity": {"podAffinity": {"@": "@"}},
    "imagePullSecrets": [{"name": "@"}],
    "schedulerName": "@",
    "runtimeClassName": "@",
    "dnsConfig": {"searches": ["@"]},
    "podSecurityContext": {"seLinuxOptions": {"level": "@"}},
    "containerSecurityContext": {"seLinuxOptions": {"level": "@"}},
    "extraVolumes": [{"name": "more", "secret": {"secretName": "@"}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/@"}],
}
TABLE: dict[str, Json] = {
    "everything": {
        "commonLabels": {"@": "@"},
        "global": {"imageRegistry": "@"},
        "image": {"repository": "@/@", "tag": "@"},
        "imagePullSecrets": [{"name": "@"}],
        "autoscaling": {
            "enabled": True,
            "behavior": {"scaleUp": {"selectPolicy": "@"}},
            "metrics": [{"type": "@"}],
        },
        "mlflow": {
            "staticPrefix": "/@",
            "corsAllowedOrigins": ["https://@.example.com"],
            "env": {"PGOPTIONS": "@", "ANY": "@", "@": "@"},
            "envFrom": [{"secretRef": {"name": "@"}}, {"configMapRef": {"name": "@"}}],
            "resources": RESOURCES,
        },
        "backendStore": {
            "postgres": {
                "enabled": True,
                "host": "@",
                "database": "@",
                "username": "@",
                "passwordFromSecret": SECRET,
                "sslMode": "verify-full",
                "sslRootCertFromSecret": SECRET,
                "cleanupRunsEnabled": True,
            },
        },
        "artifactStore": {
            "allowedSources": ["s3://@/@"],
            "s3": {
                "enabled": True,
                "bucket": "@",
                "path": "@/@",
                "region": "@",
                "endpoint": "https://@.example.com",
                "credentialsFromSecret": {
                    "enabled": True,
                    "name": "@",
                    "accessKeyIdKey": "@",
                    "secretAccessKeyKey": "@",
                },
            },
        },
        "auth": {
            "mode": "basic",
            "basic": {"adminFromSecret": {"name": "@", "usernameKey": "@", "passwordKey": "@"}},
        },
        "keys": {
            "fromSecret": {
                "enabled": True,
                "name": "@",
                "flaskSecretKey": "@",
                "kekPassphraseKey": "@",
                "webhookKey": "@",
            }
        },
        "service": {"annotations": {"@": "@"}},
        "ingress": {
            "enabled": True,
            "className": "@",
            "annotations": {"@": "@"},
            "hosts": [{"host": "@", "paths": [{"path": "/@", "pathType": "ImplementationSpecific"}]}],
            "tls": [{"secretName": "@"}],
        },
        "networkPolicy": {
            "enabled": True,
            "ingress": [
                {"from": [{"namespaceSelector": {"matchLabels": {"@": "@"}}}], "ports": [{"port": "@"}]}
            ],
            "egress": [{"to": [{"podSelector": {"matchLabels": {"@": "@"}}}]}],
            "peers": {
                name: [{"podSelector": {"matchLabels": {"@": "@"}}}]
                for name in (
                    "ingressController",
                    "prometheus",
                    "dns",
                    "database",
                    "objectStore",
                    "backupStore",
                )
            },
        },
        "metrics": {"resources": RESOURCES, "exporter": SECTION},
        "serviceMonitor": {
            "enabled": True,
            "interval": "1@m",
            "scrapeTimeout": "1@s",
            "labels": {"@": "@"},
            "endpoint": {"scheme": "@"},
        },
        "prometheusRule": {"enabled": True, "labels": {"@": "@"}, "runbookUrl": "@"},
        "dashboard": {"enabled": True, "labels": {"@": "@"}, "annotations": {"@": "@"}},
        "retention": {"schedule": "@ 3 * * *", "keepTag": "@", "resources": RESOURCES},
        "backup": {
            "enabled": True,
            "beforeMigration": True,
            "schedule": "@ 2 * * *",
            "bucket": "vault-@",
            "path": "@/@",
            "region": "@",
            "endpoint": "https://vault-@.example.com",
            "credentialsFromSecret": {
                "enabled": True,
                "name": "vault-@",
                "accessKeyIdKey": "@",
                "secretAccessKeyKey": "@",
            },
            "serviceAccount": {
                "create": True,
                "name": "vault-@",
                "annotations": {"@": "@"},
                "labels": {"@": "@"},
            },
            "resources": RESOURCES,
            "image": {"repository": "@", "tag": "@"},
            "drill": {"enabled": True, "schedule": "@ 5 * * *", "database": "@"},
        },
        "jobs": {"enabled": True, "resources": RESOURCES, **SECTION},
        "tasks": SECTION,
        "test": SECTION,
        "tolerations": [{"key": "@", "value": "@"}],
        "nodeSelector": {"@": "@"},
        "affinity": {"podAffinity": {"@": "@"}},
        "topologySpreadConstraints": [{"topologyKey": "@"}],
        "priorityClassName": "@",
        "serviceAccount": {"name": "@", "annotations": {"@": "@"}, "labels": {"@": "@"}},
        "podSecurityContext": {"seLinuxOptions": {"level": "@"}},
        "containerSecurityContext": {"seLinuxOptions": {"level": "@"}},
        "deploymentAnnotations": {"@": "@"},
        "podAnnotations": {"@": "@"},
        "podLabels": {"@": "@"},
        "extraVolumes": [{"name": "more", "configMap": {"name": "@"}}],
        "extraVolumeMounts": [{"name": "more", "mountPath": "/@"}],
        "extraContainers": [{"name": "@", "image": "@"}],
        "extraInitContainers": [{"name": "more", "image": "@"}],
    },
    "azure, direct": {
        "global": {"imagePullSecrets": [{"name": "@"}]},
        "image": {"registry": "@", "digest": "sha256:@"},
        "artifactStore": {
            "mode": "direct",
            "azure": {
                "enabled": True,
                "storageAccount": "@",
                "container": "@",
                "path": "@",
                "endpoint": "https://@.example.com",
                "credentialsFromSecret": SECRET,
            },
        },
        "backendStore": {"uriFromSecret": SECRET},
        "httpRoute": {
            "enabled": True,
            "parentRefs": [{"name": "@", "namespace": "@", "sectionName": "@", "kind": "@", "group": "@"}],
            "hostnames": ["@"],
            "annotations": {"@": "@"},
            "filters": [{"type": "@"}],
            "timeouts": {"request": "1@s"},
            "redirectParentRefs": [{"name": "@"}],
        },
        "serviceAccount": {"create": False, "name": "@"},
    },
    "google": {
        "artifactStore": {
            "gcs": {"enabled": True, "bucket": "@", "path": "@", "credentialsFromSecret": SECRET}
        },
        "persistence": {"size": "1@Gi", "storageClass": "@"},
        "tmp": {"sizeLimit": "1@Gi"},
        "mlflow": {"allowedHosts": ["@", "*.@.example.com"]},
    },
    "audit log": {
        "mlflow": {"audit": {"enabled": True, "file": "/audit/@"}},
        "extraVolumes": [{"name": "audit", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "audit", "mountPath": "/audit"}],
    },
    "login at a provider": {
        "auth": {
            "mode": "oidc",
            "oidc": {
                "issuer": "https://@.example.com/@",
                "clientId": "@",
                "clientSecretFromSecret": {"name": "@", "key": "@"},
                "caFromSecret": SECRET,
                "redirectUri": "https://@.example.com/callback",
                "scopes": ["@"],
                "groupsClaim": "@",
                "allowedGroups": ["@"],
                "adminGroups": ["@"],
                "groups": [{"name": "@", "pattern": "@", "permission": "READ"}],
                "serviceAccounts": {
                    "namespaces": ["@"],
                    "audience": "@",
                    "issuer": "https://@.example.com/cluster/@",
                },
            },
        },
        "keys": {"fromSecret": {"enabled": True}},
        "mlflow": {"launcher": "upstream"},
        "networkPolicy": {
            "enabled": True,
            "peers": {
                "issuer": [{"podSelector": {"matchLabels": {"@": "@"}}}],
                "apiServer": [{"podSelector": {"matchLabels": {"@": "@"}}}],
            },
        },
        "backendStore": {"postgres": {"enabled": True, "host": "db", "poolSize": 10, "maxOverflow": 40}},
        "artifactStore": {"s3": {"enabled": True, "bucket": "models"}},
    },
    "roles of the cluster": {
        "auth": {
            "mode": "kubernetes",
            "kubernetes": {
                "workspaceLabelSelector": "@",
                "excludedNamespaces": ["@"],
                "defaultWorkspace": "@",
                "userHeader": {
                    "enabled": True,
                    "name": "@",
                    "gateway": [{"podSelector": {"matchLabels": {"@": "@"}}}],
                },
            },
        },
        "keys": {"fromSecret": {"enabled": True}},
        "mlflow": {"launcher": "upstream"},
        "networkPolicy": {"enabled": True},
        "backendStore": {"postgres": {"enabled": True, "host": "db", "poolSize": 10, "maxOverflow": 40}},
        "artifactStore": {"s3": {"enabled": True, "bucket": "models"}},
    },
    "emulator, claim": {
        "artifactStore": {"gcs": {"enabled": True, "bucket": "models", "endpoint": "http://@.example.com"}},
        "persistence": {"existingClaim": "@"},
        "prometheusRule": {"enabled": True},
    },
    "backup": {
        "nameOverride": "@",
        "fullnameOverride": "@",
        "clusterDomain": "@",
        "backendStore": {
            "postgres": {"enabled": True, "host": "@.example.com", "readReplica": {"host": "@.example.com"}}
        },
        "artifactStore": {"s3": {"enabled": True, "bucket": "models", "path": "artifacts"}},
        "backup": {"enabled": True, "image": {"registry": "@", "digest": "sha256:@"}},
        "networkPolicy": {"enabled": True},
    },
    "fields of Kubernetes": {
        "mlflow": {"env": {"A": {"valueFrom": {"secretKeyRef": {"name": "@", "key": "@"}}}}},
        "service": {
            "type": "LoadBalancer",
            "clusterIP": "fd00::@",
            "hostnames": ["@.example.com"],
            "loadBalancerClass": "@",
            "loadBalancerSourceRanges": ["fd00::@/64"],
        },
        "schedulerName": "@",
        "runtimeClassName": "@",
        "dnsConfig": {"searches": ["@"]},
        "hostAliases": [{"ip": "@", "hostnames": ["@"]}],
        "test": {"resources": RESOURCES},
    },
    "backup, azure": {
        "backendStore": {"postgres": {"enabled": True, "host": "db"}},
        "artifactStore": {"azure": {"enabled": True, "storageAccount": "models", "container": "mlflow"}},
        "backup": {
            "enabled": True,
            "bucket": "backups",
            "storageAccount": "@",
            "credentialsFromSecret": {"enabled": True, "name": "vault-@", "key": "@"},
        },
    },
    "database from Secrets": {
        "backendStore": {
            "postgres": {
                "enabled": True,
                "hostFromSecret": SECRET,
                "portFromSecret": SECRET,
                "databaseFromSecret": SECRET,
                "usernameFromSecret": SECRET,
            }
        },
        "artifactStore": {"s3": {"enabled": True, "bucket": "models", "path": "artifacts"}},
        "backup": {"enabled": True},
    },
    "database by URI": {
        "backendStore": {"postgres": {"enabled": True, "uriFromSecret": SECRET}},
        "artifactStore": {"s3": {"enabled": True, "bucket": "models", "path": "artifacts"}},
        "backup": {"enabled": True},
    },
    "secrets": {
        "backendStore": {"postgres": {"enabled": True, "host": "db"}},
        "externalSecrets": {
            "enabled": True,
            "secretStoreRef": {"name": "@"},
            "refreshInterval": "1@h",
            "keyPrefix": "@",
            "secrets": {
                "mlflow-postgres-secret": {
                    "data": {"password": {"property": "@", "version": "@"}},
                    "template": {"metadata": {"annotations": {"@": "@"}}},
                }
            },
        },
    },
    "vault": {
        "backendStore": {"postgres": {"enabled": True, "host": "db"}},
        "externalSecrets": {
            "enabled": True,
            "provider": {"vault": {"server": "@", "@": "@"}},
            "secrets": {"mlflow-postgres-secret": {"key": "@"}},
        },
    },
}


class Strict(UniqueKeys):
    """With the numbers of YAML 1.2 too, which the API server's parser knows."""


Strict.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
Strict.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def places(node: Any, path: str = "") -> Iterator[str]:
    """Dotted paths of the strings and keys with an @, in order."""
    if isinstance(node, dict):
        for key, below in node.items():
            if "@" in key:
                yield f"{path}{key}="
            yield from places(below, f"{path}{key}.")
    elif isinstance(node, list):
        for index, below in enumerate(node):
            yield from places(below, f"{path}{index}.")
    elif isinstance(node, str) and "@" in node:
        yield path.removesuffix(".")


def filled(node: Any, words: dict[str, str], path: str = "") -> Any:
    """The same values with each @ replaced by the word of its place."""
    if isinstance(node, dict):
        return {
            key.replace("@", words.get(f"{path}{key}=", "@")): filled(below, words, f"{path}{key}.")
            for key, below in node.items()
        }
    if isinstance(node, list):
        return [filled(below, words, f"{path}{index}.") for index, below in enumerate(node)]
    return node.replace("@", words[path.removesuffix(".")]) if isinstance(node, str) and "@" in node else node


def refused(words: str) -> set[str]:
    """The dotted paths that the templates complain about; none if Helm stumbled."""
    paths = re.findall(r"(?m)^mlflow: (.+?): [^\n]+; [^\n]+\.$", words)
    return {re.sub(r"\[(\d+)\]", r".\1", path) for path in paths}


def render(values: Json) -> list[Json]:
    """The objects, as the API server reads them."""
    # YAML reads no pairs of surrogates, and no control characters that are not escaped.
    given = json.dumps(values, ensure_ascii=False)
    given = re.sub("[\x7f-\x9f\u2028\u2029\ufeff]", lambda found: f"\\u{ord(found[0]):04x}", given)
    text = _helm(MLFLOW.folder, given, "mlflow", "ml", NEWEST, "helm", False)
    return [item for item in yaml.load_all(text, Strict) if item]


def concerns(path: str, place: str) -> bool:
    """Whether a complaint about a path is one about a place."""
    own = place.removesuffix("=")
    above = own.rpartition(".")[0] if own.endswith("@") else own
    return f"{own}.".startswith(f"{path}.") or f"{path}.".startswith(f"{above}.")
