{{- /* Predicate: something is kept on the volume. Takes `.`. */}}
{{- define "mlflow.volume.enabled" -}}
{{- if not (and .Values.backendStore.postgres.enabled .Values.artifactStore.s3.enabled) }}true{{ end -}}
{{- end }}

{{- /* Predicate: several server pods see the same runs and artifacts. Takes `.`. */}}
{{- define "mlflow.shared.enabled" -}}
{{- $artifacts := or .Values.artifactStore.s3.enabled (has "ReadWriteMany" .Values.persistence.accessModes) -}}
{{- if and .Values.backendStore.postgres.enabled $artifacts }}true{{ end -}}
{{- end }}

{{- /* String: how many requests a worker handles at once. MLflow's own server has 40 threads. Takes `.`. */}}
{{- define "mlflow.requestThreads" -}}
{{- ternary 40 (int .Values.mlflow.threads) (eq .Values.mlflow.launcher "upstream") -}}
{{- end }}

{{- /* String: where artifacts go, `s3://bucket/path` or a folder of the volume. Takes `.`. */}}
{{- define "mlflow.artifactsDestination" -}}
{{- with .Values.artifactStore.s3 -}}
{{- if not .enabled }}/mlflow/artifacts{{ else }}s3://{{ .bucket }}{{ with .path }}/{{ . }}{{ end }}{{ end -}}
{{- end -}}
{{- end }}

{{- /*
Mapping lines: environment of the backend store, without secrets. The URI is bare: libpq reads the rest
from PG* variables, so a password needs no encoding. Takes `.`.
*/}}
{{- define "mlflow.backendStore.env" -}}
{{- $postgres := .Values.backendStore.postgres -}}
{{- if $postgres.enabled -}}
MLFLOW_BACKEND_STORE_URI: postgresql+psycopg2://
MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW: {{ int $postgres.maxOverflow }}
MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE: {{ int $postgres.poolRecycle | quote }}
MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: {{ int $postgres.poolSize }}
PGAPPNAME: {{ include "mlflow.fullname" . }}
PGCONNECT_TIMEOUT: 10
PGDATABASE: {{ $postgres.database | quote }}
PGHOST: {{ $postgres.host | quote }}
PGPORT: {{ int $postgres.port }}
PGSSLMODE: {{ $postgres.sslMode }}
PGUSER: {{ $postgres.username | quote }}
{{- if $postgres.sslRootCertFromSecret.enabled }}
PGSSLROOTCERT: /etc/mlflow/postgres/ca.crt
{{- end }}
{{- else -}}
MLFLOW_BACKEND_STORE_URI: sqlite:////mlflow/mlflow.db
MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: {{ add1 (include "mlflow.requestThreads" .) }}
{{- end }}
{{- end }}

{{- /* Mapping lines: environment of the artifact store, without secrets. Takes `.`. */}}
{{- define "mlflow.artifactStore.env" -}}
MLFLOW_ARTIFACTS_DESTINATION: {{ include "mlflow.artifactsDestination" . | quote }}
{{- with .Values.artifactStore.s3 }}
{{- if and .enabled .region }}
AWS_DEFAULT_REGION: {{ .region | quote }}
AWS_REGION: {{ .region | quote }}
{{- end }}
{{- if and .enabled .endpoint }}
MLFLOW_S3_ENDPOINT_URL: {{ .endpoint | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- /* List lines: environment entries that read Secrets. Takes `.`. */}}
{{- define "mlflow.stores.secretEnv" -}}
{{- with .Values.backendStore.postgres }}
{{- if and .enabled .passwordFromSecret.enabled }}
{{ include "mlflow.envFromSecret" (list "PGPASSWORD" .passwordFromSecret.name .passwordFromSecret.key) }}
{{- end }}
{{- end }}
{{- with .Values.artifactStore.s3 }}
{{- if and .enabled .credentialsFromSecret.enabled }}
{{ include "mlflow.envFromSecret" (list "AWS_ACCESS_KEY_ID" .credentialsFromSecret.name .credentialsFromSecret.accessKeyIdKey) }}
{{ include "mlflow.envFromSecret" (list "AWS_SECRET_ACCESS_KEY" .credentialsFromSecret.name .credentialsFromSecret.secretAccessKeyKey) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Predicate: the chart makes the claim for the volume. Takes `.`. */}}
{{- define "mlflow.claim.enabled" -}}
{{- if and (include "mlflow.volume.enabled" .) (not .Values.persistence.existingClaim) }}true{{ end -}}
{{- end }}
