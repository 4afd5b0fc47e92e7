{{- /*
Lines: keys of other MLflow charts, and of habit. The schema lets them pass so that a better sentence than
"additional properties not allowed" can be said here. Takes `.`.
*/}}
{{- define "mlflow.validate.renamed" -}}
{{- range $path, $instead := include "mlflow.renamed" . | fromYaml -}}
{{- $found := dict "at" $.Values "there" true -}}
{{- range splitList "." $path -}}
{{- if and $found.there (kindIs "map" $found.at) (hasKey $found.at .) -}}
{{- $_ := set $found "at" (get $found.at .) -}}
{{- else -}}
{{- $_ := set $found "there" false -}}
{{- end -}}
{{- end -}}
{{- if $found.there }}{{ include "mlflow.says" (list $path "is not a key of this chart" $instead) }}{{ end -}}
{{- end -}}
{{- end }}

{{- /* Mapping lines: such a key, and what to do instead. Each is in values.schema.json as `renamed`. */}}
{{- define "mlflow.renamed" -}}
artifactRoot: set artifactStore
artifactStore.s3.accessKeyId: put the keys into a Secret and name it in artifactStore.s3.credentialsFromSecret
artifactStore.s3.awsAccessKeyId: put the keys into a Secret and name it in artifactStore.s3.credentialsFromSecret
artifactStore.s3.awsSecretAccessKey: put the keys into a Secret and name it in artifactStore.s3.credentialsFromSecret
artifactStore.s3.existingSecret: set artifactStore.s3.credentialsFromSecret
artifactStore.s3.secretAccessKey: put the keys into a Secret and name it in artifactStore.s3.credentialsFromSecret
autoscaling.hpa: set autoscaling.enabled, minReplicas and the other keys of autoscaling
backendStore.databaseConnectionCheck: remove it, the schema step of each pod waits for the database
backendStore.databaseMigration: remove it, the schema step of each pod upgrades the database under a lock
backendStore.defaultSqlitePath: remove it, SQLite is on the volume
backendStore.existingDatabaseSecret: set backendStore.postgres.username and backendStore.postgres.passwordFromSecret
backendStore.existingSecret: set backendStore.postgres, or backendStore.uriFromSecret for MySQL
backendStore.mssql: set backendStore.postgres, SQL Server is not supported
backendStore.mysql: put its URI into a Secret and name that in backendStore.uriFromSecret
backendStore.postgres.existingSecret: set backendStore.postgres.passwordFromSecret
backendStore.postgres.password: put it into a Secret and name that in backendStore.postgres.passwordFromSecret
backendStore.postgres.user: set backendStore.postgres.username
backendStoreUri: set backendStore.postgres, or backendStore.uriFromSecret for MySQL
env: set mlflow.env
externalDatabase: set backendStore.postgres, or backendStore.uriFromSecret for MySQL
mysql: bring your own database and set backendStore.uriFromSecret
externalS3: set artifactStore.s3
extraArgs: set mlflow.env, each option of `mlflow server` has a variable
extraDeploy: put those objects into a chart of their own, beside this one in helmfile.yaml
extraEnv: set mlflow.env, or mlflow.envFrom for secrets
extraEnvVars: set mlflow.env, or mlflow.envFrom for secrets
extraFlags: set mlflow.env, each option of `mlflow server` has a variable
extraManifests: put those objects into a chart of their own, beside this one in helmfile.yaml
extraObjects: put those objects into a chart of their own, beside this one in helmfile.yaml
extraSecretNamesForEnvFrom: set mlflow.envFrom
image.name: set image.repository
image.pullSecrets: set imagePullSecrets
initContainers: set extraInitContainers
ingress.hostname: list it in ingress.hosts
ingress.ingressClassName: set ingress.className
log: set mlflow.log
minio: bring your own object store and set artifactStore.s3
pdb: set podDisruptionBudget
persistence.accessMode: set persistence.accessModes
persistence.enabled: remove it, the volume exists as long as a store needs it
persistence.storageClassName: set persistence.storageClass
postgresql: bring your own database and set backendStore.postgres
replicas: set replicaCount
resources: set mlflow.resources
securityContext: set containerSecurityContext, or podSecurityContext
service.port: remove it, the Service has ports 80 and 5000
serviceAccount.automount: remove it, the server needs no token of the Kubernetes API
sidecars: set extraContainers
tracking: set mlflow
updateStrategy: set strategy
{{- end }}
