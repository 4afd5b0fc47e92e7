{{- /*
JSON: what a container needs for its stores: plain `env`, `secrets` for the environment, `files` of Secrets to mount;
the `uri` of the object
store, and `own` if its credentials are the backups' own. Takes (dict "ctx" $ "store" .Values.artifactStore),
with "login" true and "keys" true for what servers have in common.
*/}}
{{- define "mlflow.reads" -}}
{{- $database := include "mlflow.database" .ctx | fromJson -}}
{{- $store := include "mlflow.objectStore" .store | fromJson -}}
{{- $secrets := concat $database.secrets $store.secrets | default list -}}
{{- if and .login (include "mlflow.facts" .ctx | fromJson).login -}}
{{- with .ctx.Values.auth.basic.adminFromSecret -}}
{{- $secrets = concat $secrets (list
      (dict "variable" "MLFLOW_AUTH_ADMIN_USERNAME" "secret" .name "key" .usernameKey)
      (dict "variable" "MLFLOW_AUTH_ADMIN_PASSWORD" "secret" .name "key" .passwordKey)) -}}
{{- end -}}
{{- end -}}
{{- with .ctx.Values.keys.fromSecret }}{{ if and .enabled $.keys -}}
{{- $secrets = concat $secrets (list
      (dict "variable" "MLFLOW_CRYPTO_KEK_PASSPHRASE" "secret" .name "key" .kekPassphraseKey)
      (dict "variable" "MLFLOW_FLASK_SERVER_SECRET_KEY" "secret" .name "key" .flaskSecretKey)
      (dict "variable" "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY" "secret" .name "key" .webhookKey)) -}}
{{- end }}{{ end -}}
{{- $files := concat $database.files $store.files | default list -}}
{{- $env := merge $database.env $store.env -}}
{{- dict "env" $env "secrets" $secrets "files" $files "own" $store.own "uri" $store.uri | toJson -}}
{{- end }}

{{- /*
JSON: what a container needs for the database: `env`, `secrets` and `files` as above. PostgreSQL's URI is bare: libpq
reads the rest from PG* variables, so a password needs no encoding. The pool is never as small as the threads, which
may need two connections each. Takes `.`.
*/}}
{{- define "mlflow.database" -}}
{{- $threads := (include "mlflow.facts" . | fromJson).threads | int -}}
{{- $env := dict
      "MLFLOW_BACKEND_STORE_URI" "sqlite:////mlflow/mlflow.db"
      "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE" (add1 $threads | toString) -}}
{{- $secrets := list }}{{ $files := list -}}
{{- with .Values.backendStore.postgres }}{{ if .enabled }}{{ $uri := .uriFromSecret -}}
{{- $libpq := dict
      "PGAPPNAME" (include "mlflow.fullname" $)
      "PGCONNECT_TIMEOUT" "10"
      "PGDATABASE" .database
      "PGHOST" .host
      "PGPORT" (int .port | toString)
      "PGSSLMODE" .sslMode
      "PGUSER" .username -}}
{{- with .sslRootCertFromSecret }}{{ if .enabled -}}
{{- $_ := set $libpq "PGSSLROOTCERT" "/etc/mlflow/postgres/ca.crt" -}}
{{- $files = list (dict "volume" "postgres-ca" "secret" .name "key" .key "folder" "/etc/mlflow/postgres"
      "file" "ca.crt") -}}
{{- end }}{{ end -}}
{{- if $uri.enabled -}}
{{- $libpq = omit $libpq "PGDATABASE" "PGHOST" "PGPORT" "PGUSER" -}}
{{- $secrets = list (dict "variable" "MLFLOW_KUBERNETES_POSTGRES_URI" "secret" $uri.name "key" $uri.key) -}}
{{- end -}}
{{- range $variable, $from := dict
      "PGDATABASE" .databaseFromSecret
      "PGHOST" .hostFromSecret
      "PGPASSWORD" .passwordFromSecret
      "PGPORT" .portFromSecret
      "PGUSER" .usernameFromSecret }}{{ if and $from.enabled (not $uri.enabled) -}}
{{- $_ := unset $libpq $variable -}}
{{- $secrets = append $secrets (dict "variable" $variable "secret" $from.name "key" $from.key) -}}
{{- end }}{{ end -}}
{{- $env = merge (dict) $libpq (dict
      "MLFLOW_BACKEND_STORE_URI" "postgresql+psycopg2://"
      "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW" (int .maxOverflow | toString)
      "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE" (int .poolRecycle | toString)
      "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE" (int .poolSize | toString)) -}}
{{- end }}{{ end -}}
{{- with .Values.backendStore.uriFromSecret }}{{ if .enabled -}}
{{- $env = dict
      "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW" (toString $threads)
      "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE" "3600"
      "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE" "5" -}}
{{- $secrets = append $secrets (dict "variable" "MLFLOW_BACKEND_STORE_URI" "secret" .name "key" .key) -}}
{{- end }}{{ end -}}
{{- dict "env" $env "secrets" $secrets "files" $files | toJson -}}
{{- end }}
