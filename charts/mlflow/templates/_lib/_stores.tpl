{{- /* Predicate: runs are in a database that several pods can share, whichever it is. Takes `.`. */}}
{{- define "mlflow.database.enabled" -}}
{{- if or .Values.backendStore.postgres.enabled .Values.backendStore.uriFromSecret.enabled }}true{{ end -}}
{{- end }}

{{- /* Predicate: something is kept on the volume. Takes `.`. */}}
{{- define "mlflow.volume.enabled" -}}
{{- if not (and (include "mlflow.database.enabled" .) (include "mlflow.artifactStore.kind" .)) }}true{{ end -}}
{{- end }}

{{- /* Predicate: several server pods see the same runs and artifacts. Takes `.`. */}}
{{- define "mlflow.shared.enabled" -}}
{{- $artifacts := or (include "mlflow.artifactStore.kind" .) (has "ReadWriteMany" .Values.persistence.accessModes) -}}
{{- if and (include "mlflow.database.enabled" .) $artifacts }}true{{ end -}}
{{- end }}

{{- /* String: how many requests a worker handles at once. MLflow's own server has 40 threads. Takes `.`. */}}
{{- define "mlflow.requestThreads" -}}
{{- ternary 40 (int .Values.mlflow.threads) (eq .Values.mlflow.launcher "upstream") -}}
{{- end }}

{{- /*
Mapping lines: environment of the backend store, without secrets. PostgreSQL's URI is bare: libpq reads the rest
from PG* variables, so a password needs no encoding. The pool is never as small as the threads, which may need two
connections each. Takes `.`.
*/}}
{{- define "mlflow.backendStore.env" -}}
{{- $postgres := .Values.backendStore.postgres -}}
{{- if $postgres.enabled -}}
MLFLOW_BACKEND_STORE_URI: postgresql+psycopg2://
MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW: {{ int $postgres.maxOverflow }}
MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE: {{ int $postgres.poolRecycle | quote }}
MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: {{ int $postgres.poolSize }}
{{ include "mlflow.postgres.settings" . }}
{{- else if .Values.backendStore.uriFromSecret.enabled -}}
MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW: {{ include "mlflow.requestThreads" . | int }}
MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE: 3600
MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: 5
{{- else -}}
MLFLOW_BACKEND_STORE_URI: sqlite:////mlflow/mlflow.db
MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: {{ add1 (include "mlflow.requestThreads" .) | int }}
{{- end }}
{{- end }}

{{- /* Mapping lines: what libpq reads, without the password. Takes `.`. */}}
{{- define "mlflow.postgres.settings" -}}
{{- $postgres := .Values.backendStore.postgres -}}
PGAPPNAME: {{ include "mlflow.fullname" . | quote }}
PGCONNECT_TIMEOUT: 10
PGDATABASE: {{ $postgres.database | quote }}
PGHOST: {{ $postgres.host | quote }}
PGPORT: {{ int $postgres.port }}
PGSSLMODE: {{ $postgres.sslMode | quote }}
PGUSER: {{ $postgres.username | quote }}
{{- if $postgres.sslRootCertFromSecret.enabled }}
PGSSLROOTCERT: /etc/mlflow/postgres/ca.crt
{{- end }}
{{- end }}

{{- /* List lines: the environment entry with PostgreSQL's password. Takes `.`. */}}
{{- define "mlflow.postgres.password" -}}
{{- with .Values.backendStore.postgres }}
{{- if and .enabled .passwordFromSecret.enabled }}
{{ include "mlflow.envFromSecret" (dict
  "variable" "PGPASSWORD"
  "secret" .passwordFromSecret.name
  "key" .passwordFromSecret.key) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* List lines: environment entries with the credentials of the database. Takes `.`. */}}
{{- define "mlflow.backendStore.secretEnv" -}}
{{- include "mlflow.postgres.password" . }}
{{- with .Values.backendStore.uriFromSecret }}
{{- if .enabled }}
{{ include "mlflow.envFromSecret" (dict "variable" "MLFLOW_BACKEND_STORE_URI" "secret" .name "key" .key) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Predicate: the chart makes the claim for the volume. Takes `.`. */}}
{{- define "mlflow.claim.enabled" -}}
{{- if and (include "mlflow.volume.enabled" .) (not .Values.persistence.existingClaim) }}true{{ end -}}
{{- end }}
