"""Wrong values, and what their authors are told. One row per rule: name, values, words."""

from typing import Any

from render.chart import KEYS, Json, azure, gcs, postgres, s3

WIDE = {"backendStore": {"postgres": {"enabled": True, "host": "db"}}, **s3(), **KEYS}


def mlflow(**values: Any) -> Json:
    return {"mlflow": values}


def external(**settings: Any) -> Json:
    """A database whose password comes from a store."""
    return {
        **postgres(),
        "externalSecrets": {"enabled": True, "secretStoreRef": {"name": "vault"}, **settings},
    }


def ingress(*hosts: str, path: Json | None = None, **more: Any) -> Json:
    listed = [{"host": host, "paths": [path or {"path": "/"}]} for host in hosts]
    return {"ingress": {"enabled": True, "hosts": listed, **more}}


def route(**more: Any) -> Json:
    least = {"enabled": True, "parentRefs": [{"name": "public"}], "hostnames": ["mlflow.example.com"]}
    return {"httpRoute": {**least, **more}}


def policy(**more: Any) -> Json:
    return {"networkPolicy": {"enabled": True, **more}}


def by_uri(**more: Any) -> Json:
    """MySQL and an object store."""
    return {"backendStore": {"uriFromSecret": {"enabled": True, "name": "mysql"}}, **s3(), **KEYS, **more}


def backup(store: Json, login: bool = False, **more: Any) -> Json:
    """Backups to that store."""
    auth = {"auth": {"mode": "basic"}, **KEYS} if login else {}
    return {**postgres(), **store, **auth, "backup": {"enabled": True, **more}}


OWN = {"credentialsFromSecret": {"enabled": True}}
ROLE = {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/mlflow"}}
ML = "mlflow.example.com"

# Sentences of _validate*.tpl, whole.
SENTENCES: dict[str, tuple[Json, str]] = {
    "sqlite-replicas": (
        {"replicaCount": 2},
        "mlflow: replicaCount: 2 pods cannot share SQLite on one volume; "
        "set backendStore.postgres and an artifactStore, or replicaCount: 1.",
    ),
    "sqlite-and-s3-replicas": (
        {"replicaCount": 2, **s3()},
        "mlflow: replicaCount: 2 pods cannot share SQLite on one volume; "
        "set backendStore.postgres and an artifactStore, or replicaCount: 1.",
    ),
    "local-artifacts-replicas": (
        {"replicaCount": 3, **postgres()},
        "mlflow: replicaCount: 3 pods cannot share artifacts on a ReadWriteOnce volume; "
        "set an artifactStore, or ReadWriteMany in persistence.accessModes, or replicaCount: 1.",
    ),
    "sqlite-autoscaling": (
        {"autoscaling": {"enabled": True}},
        "mlflow: autoscaling.enabled: several pods cannot share SQLite on one volume; "
        "set backendStore.postgres and an artifactStore, or autoscaling.enabled: false.",
    ),
    "local-artifacts-autoscaling": (
        {"autoscaling": {"enabled": True}, **postgres()},
        "mlflow: autoscaling.enabled: several pods cannot share artifacts on a ReadWriteOnce volume; "
        "set an artifactStore, or ReadWriteMany in persistence.accessModes, or autoscaling.enabled: false.",
    ),
    "autoscaling-upside-down": (
        {"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 4}, **WIDE},
        "mlflow: autoscaling.maxReplicas: 4 is less than minReplicas, 5; set it to minReplicas or more.",
    ),
    "autoscaling-by-nothing": (
        {"autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": 0}, **WIDE},
        "mlflow: autoscaling.metrics: is empty and both targets are 0, so nothing says when to scale; "
        "set autoscaling.targetCPUUtilizationPercentage.",
    ),
    "autoscaling-without-cpu-request": (
        {"autoscaling": {"enabled": True}, **mlflow(resources={"requests": {"cpu": None}}), **WIDE},
        "mlflow: autoscaling.targetCPUUtilizationPercentage: is a percentage of "
        "mlflow.resources.requests.cpu, which is not set; set that, or 0 here.",
    ),
    "autoscaling-without-memory-request": (
        {
            "autoscaling": {"enabled": True, "targetMemoryUtilizationPercentage": 80},
            **mlflow(resources={"requests": {"memory": None}, "limits": {"memory": None}}),
            **WIDE,
        },
        "mlflow: autoscaling.targetMemoryUtilizationPercentage: is a percentage of "
        "mlflow.resources.requests.memory, which is not set; set that, or 0 here.",
    ),
    "budget-twice": (
        {"replicaCount": 3, "podDisruptionBudget": {"minAvailable": 1, "maxUnavailable": 1}, **WIDE},
        "mlflow: podDisruptionBudget.minAvailable: 1 says the same as maxUnavailable, 1, or contradicts it; "
        "keep one of them.",
    ),
    "budget-of-none": (
        {"replicaCount": 3, "podDisruptionBudget": {"maxUnavailable": "0%"}, **WIDE},
        "mlflow: podDisruptionBudget.maxUnavailable: 0% lets no pod go, so no node can be drained; "
        "set 1 or more.",
    ),
    "budget-keeps-all": (
        {"replicaCount": 2, "podDisruptionBudget": {"minAvailable": 2}, **WIDE},
        "mlflow: podDisruptionBudget.minAvailable: 2 of 2 pods lets no pod go, so no node can be drained; "
        "set less, or podDisruptionBudget.maxUnavailable: 1 instead.",
    ),
    "budget-rounds-up-to-all": (
        {
            "autoscaling": {"enabled": True, "minReplicas": 3},
            "podDisruptionBudget": {"minAvailable": "70%"},
            **WIDE,
        },
        "mlflow: podDisruptionBudget.minAvailable: 70% of 3 pods lets no pod go, so no node can be drained; "
        "set less, or podDisruptionBudget.maxUnavailable: 1 instead.",
    ),
    "rolling-update-of-one-volume": (
        {"strategy": {"type": "RollingUpdate"}},
        "mlflow: strategy: a rolling update runs the old and the new pod at once, which cannot share these "
        "stores; set backendStore.postgres and an artifactStore, or remove it.",
    ),
    "json-log-upstream": (
        mlflow(launcher="upstream", log={"format": "json"}),
        "mlflow: mlflow.log.format: json needs the chart's own launcher; "
        "set mlflow.launcher: direct, or text here.",
    ),
    "keys-replicas": (
        {"replicaCount": 2, **postgres(), **s3()},
        "mlflow: keys.fromSecret.enabled: is false, and several pods with a key each cannot read what "
        "another one encrypted; make a Secret (docs/security.md) and set keys.fromSecret.",
    ),
    "keys-autoscaling": (
        {"autoscaling": {"enabled": True}, **postgres(), **s3()},
        "mlflow: keys.fromSecret.enabled: is false, and several pods with a key each cannot read what "
        "another one encrypted; make a Secret (docs/security.md) and set keys.fromSecret.",
    ),
    "keys-auth": (
        {"auth": {"mode": "basic"}},
        "mlflow: keys.fromSecret.enabled: is false, and auth.mode basic needs a key of its own; "
        "make a Secret (docs/security.md) and set keys.fromSecret.",
    ),
    "keys-secret-empty": (
        {"keys": {"fromSecret": {"enabled": True, "name": ""}}},
        "mlflow: keys.fromSecret.name: is empty; set the name of a Secret in the namespace of the release.",
    ),
    "admin-secret-empty": (
        {
            "auth": {"mode": "basic", "basic": {"adminFromSecret": {"name": ""}}},
            "keys": {"fromSecret": {"enabled": True}},
        },
        "mlflow: auth.basic.adminFromSecret.name: is empty; "
        "set the name of a Secret in the namespace of the release.",
    ),
    "host-empty": (
        postgres(host=""),
        "mlflow: backendStore.postgres.host: is empty; set the host name of the PostgreSQL server.",
    ),
    "host-url": (
        postgres(host="postgresql://db/mlflow"),
        'mlflow: backendStore.postgres.host: "postgresql://db/mlflow" is more than a host name; '
        "set only the host here, and port, database and username beside it.",
    ),
    "host-with-user": (
        postgres(host="mlflow@db"),
        'mlflow: backendStore.postgres.host: "mlflow@db" is more than a host name; '
        "set only the host here, and port, database and username beside it.",
    ),
    "host-with-port": (
        postgres(host="db.example.com:5432"),
        'mlflow: backendStore.postgres.host: "db.example.com:5432" holds a port; '
        "set backendStore.postgres.port instead.",
    ),
    "uri-secret-empty": (
        {"backendStore": {"uriFromSecret": {"enabled": True}}},
        "mlflow: backendStore.uriFromSecret.name: is empty; "
        "set the name of a Secret in the namespace of the release.",
    ),
    "two-databases": (
        {"backendStore": {**by_uri()["backendStore"], **postgres()["backendStore"]}},
        "mlflow: backendStore.uriFromSecret.enabled: names a second database beside backendStore.postgres; "
        "set one of the two enabled: false.",
    ),
    "accounts-on-mysql": (
        by_uri(auth={"mode": "basic"}),
        "mlflow: backendStore.uriFromSecret.enabled: is no place for MLflow's accounts, whose tables MySQL "
        "refuses; set auth.mode: none and let the Ingress ask for a login, or use backendStore.postgres.",
    ),
    "policy-without-mysql": (
        by_uri(**policy()),
        "mlflow: networkPolicy.peers.database: is empty, and the database's host is in a Secret; "
        "set where it is; the policy lets pods reach its port 3306.",
    ),
    "jobs-on-mysql": (
        by_uri(jobs={"enabled": True}),
        "mlflow: jobs.enabled: jobs go from pod to pod through PostgreSQL; "
        "set backendStore.postgres.enabled: true too, or remove it.",
    ),
    "backup-of-mysql": (
        by_uri(backup={"enabled": True}),
        "mlflow: backup.enabled: only PostgreSQL is backed up; "
        "set backendStore.postgres.enabled: true too; docs/backup.md says how to back up the volume.",
    ),
    "retention-on-mysql": (
        by_uri(backendStore={**by_uri()["backendStore"], "postgres": {"cleanupRunsEnabled": True}}),
        "mlflow: backendStore.postgres.cleanupRunsEnabled: retention works on PostgreSQL only; "
        "set backendStore.postgres.enabled: true too, or remove it.",
    ),
    "mysql-local-artifacts-replicas": (
        by_uri(replicaCount=2, artifactStore={}),
        "mlflow: replicaCount: 2 pods cannot share artifacts on a ReadWriteOnce volume; "
        "set an artifactStore, or ReadWriteMany in persistence.accessModes, or replicaCount: 1.",
    ),
    "password-secret-empty": (
        postgres(passwordFromSecret={"name": ""}),
        "mlflow: backendStore.postgres.passwordFromSecret.name: is empty; "
        "set the name of a Secret in the namespace of the release.",
    ),
    "password-secret-name": (
        postgres(passwordFromSecret={"name": "My_Secret"}),
        'mlflow: backendStore.postgres.passwordFromSecret.name: "My_Secret" cannot be the name of a Secret; '
        "use lower-case letters, digits, '-' and '.'.",
    ),
    "root-cert-secret-empty": (
        postgres(sslMode="verify-ca", sslRootCertFromSecret={"enabled": True}),
        "mlflow: backendStore.postgres.sslRootCertFromSecret.name: is empty; "
        "set the name of a Secret in the namespace of the release.",
    ),
    "verify-without-ca": (
        postgres(sslMode="verify-full"),
        "mlflow: backendStore.postgres.sslMode: verify-full needs the CA of the database server; "
        "set backendStore.postgres.sslRootCertFromSecret, or mlflow.env.PGSSLROOTCERT to a mounted file.",
    ),
    "no-pre-ping": (
        postgres(poolPrePing=False),
        "mlflow: backendStore.postgres.poolPrePing: false is not possible, "
        "MLflow always pings a connection before it uses it; remove the key.",
    ),
    "pool-below-threads": (
        {**postgres(poolSize=4, maxOverflow=4), **mlflow(threads=8)},
        "mlflow: backendStore.postgres.poolSize: 8 connections with maxOverflow are too few for 8 requests "
        "at a time, which may need two each; set poolSize and maxOverflow to more than 8 together.",
    ),
    "pool-below-upstream-threads": (
        {**postgres(poolSize=10, maxOverflow=30), **mlflow(launcher="upstream")},
        "mlflow: backendStore.postgres.poolSize: 40 connections with maxOverflow are too few for 40 requests "
        "at a time, which may need two each; set poolSize and maxOverflow to more than 40 together.",
    ),
    "bucket-empty": (
        s3(bucket=""),
        "mlflow: artifactStore.s3.bucket: is empty; set the name of the bucket.",
    ),
    "bucket-url": (
        s3(bucket="s3://models"),
        'mlflow: artifactStore.s3.bucket: "s3://models" is more than a bucket; '
        "set only the bucket's name here, and the folder in artifactStore.s3.path.",
    ),
    "bucket-with-folder": (
        s3(bucket="models/mlflow"),
        'mlflow: artifactStore.s3.bucket: "models/mlflow" is more than a bucket; '
        "set only the bucket's name here, and the folder in artifactStore.s3.path.",
    ),
    "bucket-name": (
        s3(bucket="my models"),
        'mlflow: artifactStore.s3.bucket: "my models" cannot be the name of a bucket; '
        "use 3 or more letters, digits, '-' and '.'.",
    ),
    "path-leading-slash": (
        s3(path="/mlflow"),
        'mlflow: artifactStore.s3.path: "/mlflow" has a slash too many; '
        "write it as mlflow/artifacts, without a slash at its ends.",
    ),
    "path-trailing-slash": (
        s3(path="mlflow/"),
        'mlflow: artifactStore.s3.path: "mlflow/" has a slash too many; '
        "write it as mlflow/artifacts, without a slash at its ends.",
    ),
    "endpoint-without-scheme": (
        s3(endpoint="minio:9000"),
        'mlflow: artifactStore.s3.endpoint: "minio:9000" is not the URL of a service; '
        "write it as https://s3.example.com, without a path.",
    ),
    "endpoint-with-path": (
        s3(endpoint="http://minio:9000/models"),
        'mlflow: artifactStore.s3.endpoint: "http://minio:9000/models" is not the URL of a service; '
        "write it as https://s3.example.com, without a path.",
    ),
    "s3-secret-empty": (
        s3(credentialsFromSecret={"enabled": True, "name": ""}),
        "mlflow: artifactStore.s3.credentialsFromSecret.name: is empty; "
        "set the name of a Secret in the namespace of the release.",
    ),
    "two-stores": (
        {"artifactStore": {**s3()["artifactStore"], **gcs()["artifactStore"]}},
        "mlflow: artifactStore: s3 and gcs are enabled, a server has one store; leave one of them enabled.",
    ),
    "direct-to-the-volume": (
        {"artifactStore": {"mode": "direct"}},
        "mlflow: artifactStore.mode: clients cannot write to the server's volume; "
        "set artifactStore.s3, .azure or .gcs, or artifactStore.mode: proxied.",
    ),
    "storage-account": (
        azure(storageAccount="My-Company"),
        'mlflow: artifactStore.azure.storageAccount: "My-Company" cannot be the name of a storage account; '
        "set its name alone, 3 to 24 small letters and digits.",
    ),
    "container-empty": (
        azure(container=""),
        "mlflow: artifactStore.azure.container: is empty; set the name of the container.",
    ),
    "container-with-folder": (
        azure(container="models/mlflow"),
        'mlflow: artifactStore.azure.container: "models/mlflow" is more than a container; '
        "set only the container's name here, and the folder in artifactStore.azure.path.",
    ),
    "azure-path": (
        azure(path="/mlflow"),
        'mlflow: artifactStore.azure.path: "/mlflow" has a slash too many; '
        "write it as mlflow/artifacts, without a slash at its ends.",
    ),
    "azure-secret-empty": (
        azure(credentialsFromSecret={"enabled": True, "name": ""}),
        "mlflow: artifactStore.azure.credentialsFromSecret.name: is empty; "
        "set the name of a Secret in the namespace of the release.",
    ),
    "data-lake-with-key": (
        azure(scheme="abfss", credentialsFromSecret={"enabled": True}),
        "mlflow: artifactStore.azure.scheme: MLflow knows no account key and no other endpoint for abfss; "
        "set scheme: wasbs, which reaches Data Lake accounts too, or leave both to the identity of the pod.",
    ),
    "azure-endpoint-without-key": (
        azure(endpoint="https://blob.example.com"),
        "mlflow: artifactStore.azure.endpoint: MLflow takes it only with an account key; "
        "set artifactStore.azure.credentialsFromSecret too, or remove it.",
    ),
    "azure-endpoint": (
        azure(endpoint="blob.example.com", credentialsFromSecret={"enabled": True}),
        'mlflow: artifactStore.azure.endpoint: "blob.example.com" is not the URL of a Blob service; '
        "write it as https://account.privatelink.blob.core.windows.net.",
    ),
    "azure-label-on-some-pods": (
        {"podLabels": {"azure.workload.identity/use": "true"}},
        "mlflow: podLabels.azure.workload.identity/use: would miss the pods that watch the store; "
        "set it in commonLabels, which reach every pod.",
    ),
    "gcs-bucket-url": (
        gcs(bucket="gs://models"),
        'mlflow: artifactStore.gcs.bucket: "gs://models" is more than a bucket; '
        "set only the bucket's name here, and the folder in artifactStore.gcs.path.",
    ),
    "emulator-with-path": (
        gcs(endpoint="http://gcs:4443/storage"),
        'mlflow: artifactStore.gcs.endpoint: "http://gcs:4443/storage" is not the URL of a service; '
        "write it as http://gcs.example.com:4443, without a path.",
    ),
    "emulator-with-credentials": (
        gcs(endpoint="http://gcs:4443", credentialsFromSecret={"enabled": True}),
        "mlflow: artifactStore.gcs.endpoint: stands for an emulator, to which Google's client sends no "
        "credentials; remove it, or set artifactStore.gcs.credentialsFromSecret.enabled: false.",
    ),
    "claim-without-use": (
        {**WIDE, "persistence": {"existingClaim": "old"}},
        "mlflow: persistence.existingClaim: has no use, runs are in a database and artifacts in an "
        "object store; remove it.",
    ),
    "secret-store-unnamed": (
        external(secretStoreRef={"name": ""}),
        "mlflow: externalSecrets.secretStoreRef.name: is empty; "
        "set the name of a store that is in the cluster, or externalSecrets.provider to make one.",
    ),
    "two-secret-stores": (
        external(provider={"fake": {"data": []}}),
        'mlflow: externalSecrets.provider: makes a store of its own beside ClusterSecretStore "vault"; '
        "set one of provider and secretStoreRef.name.",
    ),
    "no-secret-to-fetch": (
        {"externalSecrets": {"enabled": True, "secretStoreRef": {"name": "vault"}}},
        "mlflow: externalSecrets.enabled: there is no Secret to fetch; "
        "remove it, or let a store read its credentials from a Secret.",
    ),
    "secret-that-nobody-reads": (
        external(secrets={"mlflow-postgres": {"key": "db"}}),
        "mlflow: externalSecrets.secrets.mlflow-postgres: the release reads no such Secret; choose from "
        "mlflow-postgres-secret, or name it in mlflow.envFrom, extraVolumes or imagePullSecrets.",
    ),
    "prefix-without-slash": (
        mlflow(staticPrefix="mlflow"),
        'mlflow: mlflow.staticPrefix: "mlflow" is not a path prefix; '
        "write it as /mlflow, with a slash before it and none behind it.",
    ),
    "prefix-with-slash-behind": (
        mlflow(staticPrefix="/mlflow/"),
        'mlflow: mlflow.staticPrefix: "/mlflow/" is not a path prefix; '
        "write it as /mlflow, with a slash before it and none behind it.",
    ),
    "allowed-host-url": (
        mlflow(allowedHosts=["https://mlflow.example.com"]),
        'mlflow: mlflow.allowedHosts: "https://mlflow.example.com" is not a host name; '
        "list names such as mlflow.example.com, without scheme and path.",
    ),
    "allowed-hosts-in-one": (
        mlflow(allowedHosts=["a.example.com,b.example.com"]),
        'mlflow: mlflow.allowedHosts: "a.example.com,b.example.com" is not a host name; '
        "list names such as mlflow.example.com, without scheme and path.",
    ),
    "cors-without-scheme": (
        mlflow(corsAllowedOrigins=["mlflow.example.com"]),
        'mlflow: mlflow.corsAllowedOrigins: "mlflow.example.com" is not an origin; '
        "list origins such as https://mlflow.example.com, with a scheme and without a path.",
    ),
    "cors-with-path": (
        mlflow(corsAllowedOrigins=["https://mlflow.example.com/"]),
        'mlflow: mlflow.corsAllowedOrigins: "https://mlflow.example.com/" is not an origin; '
        "list origins such as https://mlflow.example.com, with a scheme and without a path.",
    ),
    "grace-too-short": (
        {"preStopSeconds": 30, "terminationGracePeriodSeconds": 30},
        "mlflow: terminationGracePeriodSeconds: 30 leaves no time for requests in flight after 30 s of "
        "preStopSeconds; set 40 or more.",
    ),
    "env-computed": (
        mlflow(env={"MLFLOW_WORKERS": "8"}),
        "mlflow: mlflow.env.MLFLOW_WORKERS: is computed by the chart; set mlflow.workers instead.",
    ),
    "env-name": (
        mlflow(env={"MY-PROXY": "1"}),
        "mlflow: mlflow.env.MY-PROXY: cannot be the name of a variable; use letters, digits and '_'.",
    ),
    "env-secret": (
        mlflow(env={"MY_API_KEY": "x"}),
        "mlflow: mlflow.env.MY_API_KEY: would be readable in the Deployment; "
        "put it into a Secret and name that in mlflow.envFrom.",
    ),
    "release-name": (
        {"fullnameOverride": "", "nameOverride": "ml"},
        'mlflow: fullnameOverride: a Service cannot be called "1st-ml", as the release would have it; '
        "set a name that begins with a letter.",
    ),
    "registry-url": (
        {"image": {"registry": "https://registry.example.com"}},
        'mlflow: image.registry: "https://registry.example.com" is not a registry; '
        "write it as registry.example.com:5000, without scheme and slash.",
    ),
    "global-registry-url": (
        {"global": {"imageRegistry": "registry.example.com/"}},
        'mlflow: global.imageRegistry: "registry.example.com/" is not a registry; '
        "write it as registry.example.com:5000, without scheme and slash.",
    ),
    "container-of-the-chart": (
        {"extraContainers": [{"name": "metrics", "image": "exporter"}]},
        'mlflow: extraContainers: "metrics" is there already; choose another name.',
    ),
    "container-twice": (
        {
            "extraInitContainers": [{"name": "proxy", "image": "proxy"}],
            "extraContainers": [{"name": "proxy", "image": "proxy"}],
        },
        'mlflow: extraContainers: "proxy" is there already; choose another name.',
    ),
    "repository-with-tag": (
        {"image": {"repository": "mlflow/mlflow:v3"}},
        'mlflow: image.repository: "mlflow/mlflow:v3" holds a tag or a digest; '
        "set image.tag or image.digest instead.",
    ),
    "digest": (
        {"image": {"digest": "0123"}},
        'mlflow: image.digest: "0123" is not a digest; write it as sha256: and 64 hexadecimal digits.',
    ),
    "label-of-the-chart": (
        {"podLabels": {"app": "mine"}},
        "mlflow: podLabels.app: is set by the chart; choose another label.",
    ),
    "label-of-the-chart-on-a-task": (
        {"tasks": {"podLabels": {"app": "mine"}}},
        "mlflow: tasks.podLabels.app: is set by the chart; choose another label.",
    ),
    "label-twice": (
        {"commonLabels": {"team": "a"}, "serviceAccount": {"labels": {"team": "b"}}},
        "mlflow: serviceAccount.labels.team: is in commonLabels too; keep one of them.",
    ),
    "annotation-of-the-chart": (
        {"podAnnotations": {"checksum/files": "x"}},
        "mlflow: podAnnotations.checksum/files: is set by the chart; choose another annotation.",
    ),
    "root": (
        {"podSecurityContext": {"runAsUser": 0}},
        "mlflow: podSecurityContext.runAsUser: 0 is root, which runAsNonRoot forbids; set a number above 0.",
    ),
    "account-not-made": (
        {"serviceAccount": {"create": False, "annotations": {"eks.amazonaws.com/role-arn": "arn"}}},
        "mlflow: serviceAccount.create: is false, so annotations and labels reach no ServiceAccount; "
        "set them on yours and remove them here.",
    ),
    "volume-twice": (
        {"extraVolumes": [{"name": "tmp", "emptyDir": {}}]},
        'mlflow: extraVolumes: "tmp" is there already; choose another name.',
    ),
    "mount-without-volume": (
        {"extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca"}]},
        'mlflow: extraVolumeMounts: there is no volume "ca"; add it to extraVolumes.',
    ),
    "mount-taken": (
        {"extraVolumeMounts": [{"name": "tmp", "mountPath": "/mlflow"}]},
        "mlflow: extraVolumeMounts: /mlflow is taken; choose another mountPath.",
    ),
    "retention-on-sqlite": (
        {"backendStore": {"postgres": {"cleanupRunsEnabled": True}}},
        "mlflow: backendStore.postgres.cleanupRunsEnabled: retention works on PostgreSQL only; "
        "set backendStore.postgres.enabled: true too, or remove it.",
    ),
    "retention-of-a-volume": (
        postgres(cleanupRunsEnabled=True),
        "mlflow: backendStore.postgres.cleanupRunsEnabled: the artifacts are on a volume that one node "
        "mounts, which the Job may not reach; "
        "set artifactStore.s3, or ReadWriteMany in persistence.accessModes.",
    ),
    "jobs-on-sqlite": (
        {"jobs": {"enabled": True}},
        "mlflow: jobs.enabled: jobs go from pod to pod through PostgreSQL; "
        "set backendStore.postgres.enabled: true too, or remove it.",
    ),
    "jobs-with-artifacts-on-a-volume": (
        {**postgres(), "jobs": {"enabled": True}},
        "mlflow: jobs.enabled: the artifacts are on a volume that one node mounts, which the jobs' pod may "
        "not reach; set an artifactStore, or ReadWriteMany in persistence.accessModes.",
    ),
    "jobs-in-every-server": (
        {
            **postgres(poolSize=10, maxOverflow=40),
            **s3(),
            "jobs": {"enabled": True},
            "mlflow": {"launcher": "upstream"},
        },
        "mlflow: jobs.enabled: launcher upstream would run the jobs in each server pod too; "
        "set mlflow.launcher: direct, or remove it.",
    ),
    "jobs-by-a-variable": (
        mlflow(env={"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "true"}),
        "mlflow: mlflow.env.MLFLOW_SERVER_ENABLE_JOB_EXECUTION: is computed by the chart; "
        "set jobs.enabled instead.",
    ),
    "backup-of-sqlite": (
        {"backup": {"enabled": True}},
        "mlflow: backup.enabled: only PostgreSQL is backed up; set backendStore.postgres.enabled: true too; "
        "docs/backup.md says how to back up the volume.",
    ),
    "backup-without-object-store": (
        {**postgres(), "backup": {"enabled": True}},
        "mlflow: backup.enabled: backups go to the object store of the artifacts, and there is none; "
        "set artifactStore.s3, .azure or .gcs too.",
    ),
    "backup-path": (
        {**postgres(), **s3(path="artifacts"), "backup": {"enabled": True, "path": "/backups"}},
        'mlflow: backup.path: "/backups" has a slash too many; '
        "write it as backups/mlflow, without a slash at its ends.",
    ),
    "backup-among-the-artifacts": (
        {**postgres(), **s3(), "backup": {"enabled": True}},
        "mlflow: backup.path: is in the folder of the artifacts, where MLflow's users can read and delete "
        "it; set artifactStore.s3.path to another folder of the bucket, or backup.bucket.",
    ),
    "backup-region-of-google": (
        backup(gcs(path="a"), region="europe-west1"),
        "mlflow: backup.region: is not for the store of this release, artifactStore.gcs; remove it.",
    ),
    "backup-storage-account-of-s3": (
        backup(s3(path="a"), storageAccount="backups"),
        "mlflow: backup.storageAccount: is not for the store of this release, artifactStore.s3; remove it.",
    ),
    "backup-endpoint-of-google": (
        backup(gcs(path="a"), endpoint="http://gcs:4443"),
        "mlflow: backup.endpoint: is not for the store of this release, artifactStore.gcs; remove it.",
    ),
    "backup-endpoint-with-bucket": (
        backup(s3(path="a"), endpoint="https://s3.example.com/backups"),
        'mlflow: backup.endpoint: "https://s3.example.com/backups" is not the URL of a service; '
        "write it as https://s3.example.com, without a path.",
    ),
    "backup-endpoint-without-key": (
        backup(azure(path="a"), endpoint="https://blob.example.com"),
        "mlflow: backup.endpoint: needs an account key in Azure; "
        "set backup.credentialsFromSecret too, or remove it.",
    ),
    "backup-storage-account-without-key": (
        backup(azure(path="a", **OWN), storageAccount="backups"),
        "mlflow: backup.storageAccount: the account key of account does not open backups; "
        "set backup.credentialsFromSecret, or backup.serviceAccount.",
    ),
    "backup-secret-empty": (
        backup(s3(path="a"), credentialsFromSecret={"enabled": True, "name": ""}),
        "mlflow: backup.credentialsFromSecret.name: is empty; "
        "set the name of a Secret in the namespace of the release.",
    ),
    "backup-account-not-made": (
        backup(s3(path="a"), serviceAccount={"name": "archive", **ROLE}),
        "mlflow: backup.serviceAccount.create: is false, so annotations and labels reach no ServiceAccount; "
        "set them on yours and remove them here, or set it to true.",
    ),
    "backup-account-twice": (
        backup(s3(path="a"), serviceAccount={"create": True, "name": "mlflow"}),
        'mlflow: backup.serviceAccount.name: "mlflow" is the ServiceAccount of the server; '
        "choose another name.",
    ),
    "backup-account-labels": (
        {"commonLabels": {"a": "b"}, "backup": {"serviceAccount": {"labels": {"a": "c"}}}},
        "mlflow: backup.serviceAccount.labels.a: is in commonLabels too; keep one of them.",
    ),
    "backup-account-in-the-servers-pod": (
        backup(s3(path="a"), beforeMigration=True, serviceAccount={"create": True}),
        "mlflow: backup.beforeMigration: runs in a pod of the server, which cannot have "
        "backup.serviceAccount; set backup.credentialsFromSecret, or beforeMigration: false and make a "
        "backup before each upgrade.",
    ),
    "backup-in-the-bucket-of-accounts": (
        backup(s3(path="a"), login=True, **OWN),
        "mlflow: backup.bucket: is the bucket of the artifacts, which the server reads for its accounts; "
        "set a bucket of its own, to which the server's credentials have no access.",
    ),
    "backup-in-the-container-of-accounts": (
        backup(azure(path="a"), login=True, **OWN),
        "mlflow: backup.bucket: is the container of the artifacts, which the server reads for its accounts; "
        "set a container of its own, to which the server's credentials have no access.",
    ),
    "backup-in-the-storage-account-of-accounts": (
        backup(azure(path="a", **OWN), login=True, bucket="backups", **OWN),
        "mlflow: backup.storageAccount: is that of the artifacts, whose account key opens every container; "
        "set another storage account and backup.credentialsFromSecret.",
    ),
    "backup-with-the-servers-credentials": (
        backup(s3(path="a"), login=True, bucket="backups"),
        "mlflow: backup.credentialsFromSecret: is not enabled, so backups have the credentials with which "
        "the server reads for its accounts; "
        "set backup.credentialsFromSecret, or backup.serviceAccount with a role of its own.",
    ),
    "backup-with-the-servers-secret": (
        backup(
            s3(path="a", **OWN),
            login=True,
            bucket="backups",
            credentialsFromSecret={"enabled": True, "name": "mlflow-s3-secret"},
        ),
        'mlflow: backup.credentialsFromSecret.name: the server reads Secret "mlflow-s3-secret" too; '
        "set a Secret that holds nothing but the backups' credentials.",
    ),
    "backup-with-the-servers-role": (
        backup(s3(path="a"), login=True, bucket="backups", serviceAccount={"create": True, **ROLE})
        | {"serviceAccount": ROLE},
        "mlflow: backup.serviceAccount.annotations: arn:aws:iam::111122223333:role/mlflow is the server's "
        "too; set a role of its own, which alone may read the backups.",
    ),
    "backup-credentials-in-the-server": (
        {"extraVolumeMounts": [{"name": "backup-credentials", "mountPath": "/stolen"}]},
        'mlflow: extraVolumeMounts: there is no volume "backup-credentials"; add it to extraVolumes.',
    ),
    "backup-credentials-volume": (
        {"extraVolumes": [{"name": "backup-credentials", "emptyDir": {}}]},
        'mlflow: extraVolumes: "backup-credentials" is there already; choose another name.',
    ),
    "drill-in-the-real-database": (
        {
            **postgres(),
            **s3(path="artifacts"),
            "backup": {"enabled": True, "drill": {"enabled": True, "database": "mlflow"}},
        },
        "mlflow: backup.drill.database: is MLflow's own database, which a drill would replace; "
        "name another one, or none.",
    ),
    "drill-without-backup": (
        {"backup": {"drill": {"enabled": True}}},
        "mlflow: backup.drill.enabled: there is no backup to try; set backup.enabled: true too.",
    ),
    "backup-before-migration-without-backup": (
        {"backup": {"beforeMigration": True}},
        "mlflow: backup.beforeMigration: a backup has no place to go to; set backup.enabled: true too.",
    ),
    "monitor-without-metrics": (
        {"metrics": {"enabled": False}, "serviceMonitor": {"enabled": True}},
        "mlflow: serviceMonitor.enabled: there are no metrics to read; set metrics.enabled: true too.",
    ),
    "rule-without-metrics": (
        {"metrics": {"enabled": False}, "prometheusRule": {"enabled": True}},
        "mlflow: prometheusRule.enabled: there are no metrics to read; set metrics.enabled: true too.",
    ),
    "dashboard-without-metrics": (
        {"metrics": {"enabled": False}, "dashboard": {"enabled": True}},
        "mlflow: dashboard.enabled: there are no metrics to read; set metrics.enabled: true too.",
    ),
    "scrape-longer-than-interval": (
        {"serviceMonitor": {"enabled": True, "interval": "30s", "scrapeTimeout": "1m"}},
        "mlflow: serviceMonitor.scrapeTimeout: 1m is longer than the interval of 30s, which Prometheus "
        "refuses; set it to serviceMonitor.interval or less.",
    ),
    "endpoint-of-its-own": (
        {"serviceMonitor": {"endpoint": {"interval": "1m"}}},
        "mlflow: serviceMonitor.endpoint: interval is set by the chart; remove it, and set "
        "serviceMonitor.interval, serviceMonitor.scrapeTimeout or metrics.port instead.",
    ),
    "metrics-on-the-servers-port": (
        {"metrics": {"port": 5000}},
        "mlflow: metrics.port: 5000 is the server's port; set another port.",
    ),
    "ingress-without-hosts": (
        ingress(),
        "mlflow: ingress.hosts: is empty; "
        "list each host with its paths, as {host: mlflow.example.com, paths: [{path: /}]}.",
    ),
    "ingress-for-every-host": (
        ingress(""),
        "mlflow: ingress.hosts: an empty host means every host, and MLflow answers only to names that it "
        "knows; set the name, such as mlflow.example.com, or a wildcard, such as *.example.com.",
    ),
    "ingress-host-url": (
        ingress("https://mlflow.example.com"),
        'mlflow: ingress.hosts: "https://mlflow.example.com" is not a host name; '
        "write it in lower case, such as mlflow.example.com, without scheme, port and path.",
    ),
    "ingress-host-with-port": (
        ingress("mlflow.example.com:8443"),
        'mlflow: ingress.hosts: "mlflow.example.com:8443" is not a host name; '
        "write it in lower case, such as mlflow.example.com, without scheme, port and path.",
    ),
    "ingress-address": (
        ingress("10.0.0.5"),
        'mlflow: ingress.hosts: "10.0.0.5" is not a host name; '
        "write it in lower case, such as mlflow.example.com, without scheme, port and path.",
    ),
    "ingress-wildcard-inside": (
        ingress("mlflow.*.com"),
        'mlflow: ingress.hosts: "mlflow.*.com" is not a host name; '
        "write it in lower case, such as mlflow.example.com, without scheme, port and path.",
    ),
    "ingress-host-twice": (
        ingress(ML, ML),
        "mlflow: ingress.hosts: mlflow.example.com is there twice; keep one.",
    ),
    "ingress-path-twice": (
        ingress(hosts=[{"host": ML, "paths": [{"path": "/"}, {"path": "/"}]}]),
        "mlflow: ingress.hosts: path / is there twice; remove one.",
    ),
    "ingress-path-without-prefix": (
        ingress(ML, path={"path": "/mlflow"}),
        "mlflow: ingress.hosts: path /mlflow leads to nothing, the server is at /; "
        "set mlflow.staticPrefix: /mlflow, or path: /.",
    ),
    "ingress-path-beside-the-prefix": (
        {**ingress(ML, path={"path": "/mlflow-2"}), **mlflow(staticPrefix="/mlflow")},
        "mlflow: ingress.hosts: path /mlflow-2 leads to nothing, the server is at /mlflow; "
        "set mlflow.staticPrefix: /mlflow-2, or path: /mlflow.",
    ),
    "ingress-path-wildcard": (
        ingress(ML, path={"path": "/*"}),
        "mlflow: ingress.hosts: path /* has a wildcard, which Prefix takes literally; "
        "set pathType: ImplementationSpecific beside it.",
    ),
    "ingress-path-exact": (
        ingress(ML, path={"path": "/", "pathType": "Exact"}),
        "mlflow: ingress.hosts: path / would be exactly that, without the pages below it; "
        "set pathType: Prefix beside it.",
    ),
    "ingress-tls-for-another-host": (
        ingress(ML, tls=[{"secretName": "tls", "hosts": ["ml.example.com"]}]),
        "mlflow: ingress.tls: ml.example.com is not a host of this Ingress; "
        "add it to ingress.hosts, or remove it.",
    ),
    "ingress-issuer-without-tls": (
        ingress(ML, annotations={"cert-manager.io/cluster-issuer": "letsencrypt-prod"}),
        "mlflow: ingress.tls: is empty, so cert-manager.io/cluster-issuer makes no certificate; "
        "list a secretName for it and the hosts.",
    ),
    "route-without-gateway": (
        route(parentRefs=[]),
        "mlflow: httpRoute.parentRefs: is empty; list the Gateway, as {name: public, namespace: gateways}.",
    ),
    "route-without-hosts": (
        route(hostnames=[]),
        "mlflow: httpRoute.hostnames: is empty, and MLflow answers only to names that it knows; "
        "list host names such as mlflow.example.com.",
    ),
    "route-host-url": (
        route(hostnames=["http://mlflow.example.com"]),
        'mlflow: httpRoute.hostnames: "http://mlflow.example.com" is not a host name; '
        "write it in lower case, such as mlflow.example.com, without scheme, port and path.",
    ),
    "route-sent-to-itself": (
        route(redirectParentRefs=[{"name": "public"}]),
        "mlflow: httpRoute.redirectParentRefs: public is in parentRefs too, so it would be sent to itself; "
        "name the listener for http here and the one for https there, by sectionName.",
    ),
    "policy-shuts-out-the-ingress": (
        {**ingress(ML), **policy(peers={"ingressController": []})},
        "mlflow: networkPolicy.peers.ingressController: is empty, so the Ingress or HTTPRoute would lead to "
        "nothing; list where its controller runs.",
    ),
    "policy-shuts-out-prometheus": (
        {"serviceMonitor": {"enabled": True}, **policy(peers={"prometheus": []})},
        "mlflow: networkPolicy.peers.prometheus: is empty, so the ServiceMonitor would find nothing; "
        "list where Prometheus runs.",
    ),
    "policy-without-dns": (
        policy(peers={"dns": []}),
        "mlflow: networkPolicy.peers.dns: is empty, so the pods would find no name; list who answers DNS.",
    ),
    "policy-shuts-out-the-load-balancer": (
        {"service": {"type": "LoadBalancer"}, **policy()},
        "mlflow: networkPolicy.ingress: lets nobody in through a Service of type LoadBalancer; "
        "list the addresses of its clients as from: [{ipBlock: {cidr: 10.0.0.0/8}}].",
    ),
    "policy-for-the-services-port": (
        policy(ingress=[{"ports": [{"port": 80}]}]),
        "mlflow: networkPolicy.ingress: port 80 is the Service's, and a policy sees the pod's; "
        "set port: 5000.",
    ),
}


# What the schema says: where, and in which words.
SCHEMA: dict[str, tuple[Json, str, str]] = {
    "unknown-key": ({"ingres": {}}, "", "additional properties 'ingres' not allowed"),
    "unknown-key-below": (
        postgres(hots="db"),
        "/backendStore/postgres",
        "additional properties 'hots' not allowed",
    ),
    "replicas-text": ({"replicaCount": "two"}, "/replicaCount", "got string, want integer"),
    "replicas-negative": ({"replicaCount": -1}, "/replicaCount", "minimum: got -1, want 0"),
    "min-replicas": (
        {"autoscaling": {"minReplicas": 0}},
        "/autoscaling/minReplicas",
        "minimum: got 0, want 1",
    ),
    "max-replicas-text": (
        {"autoscaling": {"maxReplicas": "10"}},
        "/autoscaling/maxReplicas",
        "got string, want integer",
    ),
    "target-text": (
        {"autoscaling": {"targetCPUUtilizationPercentage": "80%"}},
        "/autoscaling/targetCPUUtilizationPercentage",
        "got string, want integer",
    ),
    "budget-in-words": (
        {"podDisruptionBudget": {"maxUnavailable": "one"}},
        "/podDisruptionBudget/maxUnavailable",
        "does not match pattern",
    ),
    "container-without-image": (
        {"extraContainers": [{"name": "proxy"}]},
        "/extraContainers/0",
        "missing property 'image'",
    ),
    "launcher": (
        mlflow(launcher="gunicorn"),
        "/mlflow/launcher",
        "value must be one of 'direct', 'upstream'",
    ),
    "auth-mode": ({"auth": {"mode": "oidc"}}, "/auth/mode", "value must be one of 'none', 'basic'"),
    "auth-permission": (
        {"auth": {"basic": {"defaultPermission": "WRITE"}}},
        "/auth/basic/defaultPermission",
        "value must be one of 'READ', 'USE', 'EDIT'",
    ),
    "workers": (mlflow(workers=0), "/mlflow/workers", "minimum: got 0, want 1"),
    "threads": (mlflow(threads=1000), "/mlflow/threads", "maximum: got 1,000, want 256"),
    "log-level": (mlflow(log={"level": "INFO"}), "/mlflow/log/level", "value must be one of 'debug', 'info'"),
    "allowed-hosts-text": (
        mlflow(allowedHosts="a.example.com"),
        "/mlflow/allowedHosts",
        "got string, want array",
    ),
    "env-number": (mlflow(env={"A": 1}), "/mlflow/env/A", "got number, want string"),
    "resources-key": (
        mlflow(resources={"request": {}}),
        "/mlflow/resources",
        "additional properties 'request' not allowed",
    ),
    "resources-unit": (
        mlflow(resources={"limits": {"memory": "2GB"}}),
        "/mlflow/resources/limits/memory",
        "does not match",
    ),
    "port": (postgres(port=70000), "/backendStore/postgres/port", "maximum: got 70,000, want 65,535"),
    "port-text": (postgres(port="5432"), "/backendStore/postgres/port", "got string, want integer"),
    "database": (postgres(database=""), "/backendStore/postgres/database", "minLength: got 0, want 1"),
    "username": (postgres(username=""), "/backendStore/postgres/username", "minLength: got 0, want 1"),
    "secret-key": (
        postgres(passwordFromSecret={"key": "pass word"}),
        "/backendStore/postgres/passwordFromSecret/key",
        "does not match pattern",
    ),
    "pool-size": (postgres(poolSize=0), "/backendStore/postgres/poolSize", "minimum: got 0, want 1"),
    "max-overflow": (postgres(maxOverflow=0), "/backendStore/postgres/maxOverflow", "minimum: got 0, want 1"),
    "pool-recycle": (
        postgres(poolRecycle=-1),
        "/backendStore/postgres/poolRecycle",
        "minimum: got -1, want 1",
    ),
    "ssl-mode": (postgres(sslMode="on"), "/backendStore/postgres/sslMode", "value must be one of 'disable'"),
    "region": (s3(region="EU West"), "/artifactStore/s3/region", "does not match pattern"),
    "secret-store-kind": (
        external(secretStoreRef={"name": "vault", "kind": "Vault"}),
        "/externalSecrets/secretStoreRef/kind",
        "value must be one of 'ClusterSecretStore', 'SecretStore'",
    ),
    "two-providers": (
        {"externalSecrets": {"provider": {"vault": {}, "aws": {}}}},
        "/externalSecrets/provider",
        "maxProperties: got 2, want 1",
    ),
    "refresh-without-unit": (
        {"externalSecrets": {"refreshInterval": "60"}},
        "/externalSecrets/refreshInterval",
        "does not match pattern",
    ),
    "secret-in-the-open": (
        {"externalSecrets": {"secrets": {"mlflow-postgres-secret": {"value": "hunter2"}}}},
        "/externalSecrets/secrets/mlflow-postgres-secret",
        "additional properties 'value' not allowed",
    ),
    "artifact-mode": (
        {"artifactStore": {"mode": "half"}},
        "/artifactStore/mode",
        "value must be one of 'proxied', 'direct'",
    ),
    "azure-scheme": (
        azure(scheme="abfs"),
        "/artifactStore/azure/scheme",
        "value must be one of 'wasbs', 'abfss'",
    ),
    "azure-domain": (
        azure(domain="example.com"),
        "/artifactStore/azure/domain",
        "value must be one of 'core.windows.net', 'core.usgovcloudapi.net', 'core.chinacloudapi.cn'",
    ),
    "access-mode": (
        {"persistence": {"accessModes": ["RWX"]}},
        "/persistence/accessModes/0",
        "value must be one of",
    ),
    "access-modes-empty": (
        {"persistence": {"accessModes": []}},
        "/persistence/accessModes",
        "minItems: got 0, want 1",
    ),
    "size": ({"persistence": {"size": "ten"}}, "/persistence/size", "does not match pattern"),
    "tmp-size": ({"tmp": {"sizeLimit": "2GB"}}, "/tmp/sizeLimit", "does not match pattern"),
    "tag-number": ({"image": {"tag": 3.17}}, "/image/tag", "got number, want string"),
    "pull-policy": (
        {"image": {"pullPolicy": "always"}},
        "/image/pullPolicy",
        "value must be one of 'Always'",
    ),
    "pull-secret-text": ({"imagePullSecrets": ["login"]}, "/imagePullSecrets/0", "got string, want object"),
    "service-type": (
        {"service": {"type": "ExternalName"}},
        "/service/type",
        "value must be one of 'ClusterIP'",
    ),
    "probe-handler": (
        {"livenessProbe": {"tcpSocket": {}}},
        "/livenessProbe",
        "additional properties 'tcpSocket' not allowed",
    ),
    "probe-zero": (
        {"startupProbe": {"failureThreshold": 0}},
        "/startupProbe/failureThreshold",
        "minimum: got 0, want 1",
    ),
    "pre-stop": ({"preStopSeconds": -1}, "/preStopSeconds", "minimum: got -1, want 0"),
    "label-number": ({"podLabels": {"release": 7}}, "/podLabels/release", "got number, want string"),
    "annotation-bool": ({"podAnnotations": {"a": True}}, "/podAnnotations/a", "got boolean, want string"),
    "name-upper-case": ({"fullnameOverride": "MLflow"}, "/fullnameOverride", "does not match pattern"),
    "name-too-long": ({"fullnameOverride": "m" * 54}, "/fullnameOverride", "maxLength: got 54, want 53"),
    "cluster-domain": ({"clusterDomain": "cluster local"}, "/clusterDomain", "does not match pattern"),
    "volume-without-name": (
        {"extraVolumes": [{"emptyDir": {}}]},
        "/extraVolumes/0",
        "missing property 'name'",
    ),
    "mount-without-path": (
        {"extraVolumeMounts": [{"name": "tmp"}]},
        "/extraVolumeMounts/0",
        "missing property 'mountPath'",
    ),
    "cleanup-days": (
        postgres(cleanupRunsDays=0),
        "/backendStore/postgres/cleanupRunsDays",
        "exclusiveMinimum: got 0, want 0",
    ),
    "schedule": ({"retention": {"schedule": "daily"}}, "/retention/schedule", "does not match pattern"),
    "keep-tag": ({"retention": {"keepTag": "a b"}}, "/retention/keepTag", "does not match pattern"),
    "backup-keep": ({"backup": {"keep": 0}}, "/backup/keep", "minimum: got 0, want 1"),
    "backup-digest": (
        {"backup": {"image": {"digest": "x"}}},
        "/backup/image/digest",
        "does not match pattern",
    ),
    "backup-storage-account": (
        {"backup": {"storageAccount": "My-Account"}},
        "/backup/storageAccount",
        "does not match pattern",
    ),
    "backup-password": (
        {"backup": {"credentialsFromSecret": {"secretAccessKey": "x"}}},
        "/backup/credentialsFromSecret",
        "additional properties 'secretAccessKey' not allowed",
    ),
    "backup-account-name": (
        {"backup": {"serviceAccount": {"name": "Archive"}}},
        "/backup/serviceAccount/name",
        "does not match pattern",
    ),
    "metrics-port": ({"metrics": {"port": 80}}, "/metrics/port", "minimum: got 80, want 1,024"),
    "metrics-interval": (
        {"metrics": {"storeIntervalSeconds": 1}},
        "/metrics/storeIntervalSeconds",
        "minimum: got 1, want 5",
    ),
    "scrape-interval": (
        {"serviceMonitor": {"interval": "30"}},
        "/serviceMonitor/interval",
        "does not match pattern",
    ),
    "threshold": (
        {"prometheusRule": {"thresholds": {"errorPercent": 100}}},
        "/prometheusRule/thresholds/errorPercent",
        "exclusiveMaximum: got 100, want 100",
    ),
    "threshold-above-the-last-bucket": (
        {"prometheusRule": {"thresholds": {"latencySeconds": 10}}},
        "/prometheusRule/thresholds/latencySeconds",
        "exclusiveMaximum: got 10, want 10",
    ),
    "runbook-url": (
        {"prometheusRule": {"runbookUrl": "https://wiki.example.com/"}},
        "/prometheusRule/runbookUrl",
        "does not match pattern",
    ),
    "dashboard-label": (
        {"dashboard": {"labels": {"grafana_dashboard": 1}}},
        "/dashboard/labels/grafana_dashboard",
        "got number, want string",
    ),
    "ingress-host-alone": (
        {"ingress": {"hosts": [ML]}},
        "/ingress/hosts/0",
        "got string, want object",
    ),
    "ingress-without-paths": (
        {"ingress": {"hosts": [{"host": ML}]}},
        "/ingress/hosts/0",
        "missing property 'paths'",
    ),
    "ingress-relative-path": (
        ingress(ML, path={"path": "mlflow"}),
        "/ingress/hosts/0/paths/0/path",
        "does not match pattern",
    ),
    "ingress-path-type": (
        ingress(ML, path={"path": "/", "pathType": "prefix"}),
        "/ingress/hosts/0/paths/0/pathType",
        "value must be one of 'Exact'",
    ),
    "route-timeout": (
        route(timeouts={"request": "30 min"}),
        "/httpRoute/timeouts/request",
        "does not match pattern",
    ),
    "route-gateway-text": (
        route(parentRefs=["public"]),
        "/httpRoute/parentRefs/0",
        "got string, want object",
    ),
    "policy-typo-that-would-open-it": (
        policy(ingress=[{"form": [{"podSelector": {}}]}]),
        "/networkPolicy/ingress/0",
        "additional properties 'form' not allowed",
    ),
    "policy-empty-peer": (
        policy(ingress=[{"from": [{}]}]),
        "/networkPolicy/ingress/0/from/0",
        "minProperties: got 0, want 1",
    ),
    "policy-address-without-length": (
        policy(peers={"database": [{"ipBlock": {"cidr": "10.0.0.5"}}]}),
        "/networkPolicy/peers/database/0/ipBlock/cidr",
        "does not match pattern",
    ),
}
