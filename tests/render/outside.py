"""What the pods need from outside the release: every image, and every address by the kind of store.

`cd tests && ../.venv/bin/python -m render.outside` writes the last section of docs/install/air-gapped.md.
"""

from typing import Any

from mlflowops.paths import REPO

from render.chart import MLFLOW, Json, Manifest, merged
from render.expansion import containers

PAGE = REPO / "docs/install/air-gapped.md"
BEGIN = "<!-- `python -m render.outside`, in tests/, writes what follows. -->\n"
POLICY: Json = {"networkPolicy": {"enabled": True}}
POSTGRES: Json = {"backendStore": {"postgres": {"enabled": True, "host": "postgres.example.com"}}}
BUCKET: Json = {"enabled": True, "bucket": "models"}
KEYS: Json = {"credentialsFromSecret": {"enabled": True}}
ROLE: Json = {
    "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/mlflow"}}
}
S3: Json = {"artifactStore": {"s3": {**BUCKET, "region": "eu-central-1"}}}
EVERYTHING: Json = {
    **POSTGRES,
    "artifactStore": {"s3": BUCKET},
    "jobs": {"enabled": True},
    "retention": {"enabled": True},
    "backup": {"enabled": True, "bucket": "backups", "beforeMigration": True, "drill": {"enabled": True}},
}


def login(way: str) -> Json:
    """A login to PostgreSQL by a token."""
    postgres = {"login": way, "passwordFromSecret": {"enabled": False}, "sslMode": "require"}
    return {"backendStore": {"postgres": postgres}}


AZURE: Json = {
    "artifactStore": {"azure": {"enabled": True, "storageAccount": "example", "container": "models"}}
}
WORKLOAD_IDENTITY: Json = {"commonLabels": {"azure.workload.identity/use": "true"}}
# What is chosen, the host names that belong to it, and the values.
WAYS: list[tuple[str, str, Json]] = [
    ("the default values", "none", {}),
    ("PostgreSQL with a password", "`backendStore.postgres.host`", POSTGRES),
    (
        "PostgreSQL by `login: awsIam`",
        "the same; `sts.<region>.amazonaws.com`",
        merged(POSTGRES, login("awsIam")),
    ),
    (
        "PostgreSQL by `login: entra`",
        "the same; `login.microsoftonline.com`",
        merged(POSTGRES, login("entra")),
    ),
    (
        "S3 of AWS with keys",
        "`<bucket>.s3.<region>.amazonaws.com`",
        {"artifactStore": {"s3": {**BUCKET, **KEYS}}},
    ),
    ("S3 of AWS by a role", "the same; `sts.<region>.amazonaws.com`", merged(S3, ROLE)),
    (
        "S3 of another service",
        "`artifactStore.s3.endpoint`",
        {"artifactStore": {"s3": {**BUCKET, **KEYS, "endpoint": "https://s3.example.com:9000"}}},
    ),
    (
        "Azure by Workload Identity",
        "`<account>.blob.core.windows.net`; `login.microsoftonline.com`",
        merged(AZURE, WORKLOAD_IDENTITY),
    ),
    (
        "Google by Workload Identity",
        "`storage.googleapis.com`, `oauth2.googleapis.com`",
        {"artifactStore": {"gcs": BUCKET}},
    ),
]


def images(values: Json) -> dict[str, set[str]]:
    """Each image, and the containers that have it."""
    return images_of(MLFLOW.render(values))


def images_of(manifest: Manifest) -> dict[str, set[str]]:
    """The same for what was rendered."""
    found: dict[str, set[str]] = {}
    for item in manifest.objects:
        for each in containers(item):
            found.setdefault(each["image"], set()).add(each["name"])
    return found


def peer(entry: dict[str, Any]) -> str:
    """One peer of a rule, in short."""
    block = entry.get("ipBlock", {}).get("cidr")
    return {"0.0.0.0/0": "any address", "::/0": "any address"}.get(block, block) or "pods of the cluster"


def rules(values: Json) -> list[str]:
    """Destinations that a policy allows, besides DNS and the release itself."""
    found = []
    for rule in MLFLOW.render(merged(values, POLICY)).one("NetworkPolicy")["spec"]["egress"]:
        ports = sorted({port["port"] for port in rule.get("ports", [])})
        if ports and 53 not in ports:
            where = ", ".join(sorted({peer(each) for each in rule["to"]}))
            found.append(f"{where}, port {', '.join(map(str, ports))}")
    return list(dict.fromkeys(found))


def section() -> str:
    """The tables."""
    lines = ["| image | containers |", "|---|---|"]
    for image, names in sorted(images(EVERYTHING).items()):
        lines.append(f"| `{image}` | {', '.join(f'`{name}`' for name in sorted(names))} |")
    lines += [
        "",
        "Destinations of the pods besides DNS and each other. A NetworkPolicy cannot contain host names: set",
        "`networkPolicy.peers` to the addresses of these hosts in your network.",
        "",
        "| setting | host names | allowed by the NetworkPolicy |",
        "|---|---|---|",
    ]
    for what, names, values in WAYS:
        lines.append(f"| {what} | {names} | {'; '.join(rules(values)) or 'none'} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The page with its last section written again."""
    return PAGE.read_text().partition(BEGIN)[0] + BEGIN + "\n" + section()


if __name__ == "__main__":
    PAGE.write_text(page())
