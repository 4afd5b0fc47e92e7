{{- /*
JSON: what a container that runs MLflow reads: plain `env`, `secrets` for the environment, `files` of Secrets to mount;
the `uri` of the object store, and `own` if its credentials are the backups' own. Takes (dict "ctx" $ "store"
.Values.artifactStore), with "login" true and "keys" true for what servers have in common.
*/}}
{{- define "mlflow.reads" -}}
{{- $database := include "mlflow.database" .ctx | fromJson -}}
{{- $store := include "mlflow.objectStore" .store | fromJson -}}
{{- $secrets := concat $database.secrets $store.secrets | default list -}}
{{- $login := dict }}{{ $authority := list -}}
{{- if and .login (eq .ctx.Values.auth.mode "basic") -}}
{{- with .ctx.Values.auth.basic.adminFromSecret -}}
{{- $secrets = concat $secrets (list
      (dict "variable" "MLFLOW_AUTH_ADMIN_USERNAME" "secret" .name "key" .usernameKey)
      (dict "variable" "MLFLOW_AUTH_ADMIN_PASSWORD" "secret" .name "key" .passwordKey)) -}}
{{- end -}}
{{- else if and .login (eq .ctx.Values.auth.mode "oidc") }}{{ with .ctx.Values.auth.oidc -}}
{{- $secrets = append $secrets (merge (dict "variable" "OIDC_CLIENT_SECRET" "secret" .clientSecretFromSecret.name)
      (pick .clientSecretFromSecret "key")) -}}
{{- with .caFromSecret }}{{ if .enabled -}}
{{- $_ := set $login "MLFLOW_KUBERNETES_OIDC_CA" "/etc/mlflow/oidc/ca.crt" -}}
{{- $authority = list (dict "volume" "oidc-ca" "secret" .name "key" .key "folder" "/etc/mlflow/oidc"
      "file" "ca.crt") -}}
{{- end }}{{ end -}}
{{- with .serviceAccounts }}{{ if and .namespaces (eq .keysFrom "apiServer") -}}
{{- $authority = append $authority (dict "volume" "api-server"
      "folder" "/var/run/secrets/kubernetes.io/serviceaccount") -}}
{{- end }}{{ end -}}
{{- end }}{{ else if and .login (eq .ctx.Values.auth.mode "kubernetes") }}{{ $authority = list (dict "volume"
      "api-server" "folder" "/var/run/secrets/kubernetes.io/serviceaccount") }}{{ end -}}
{{- with .ctx.Values.keys.fromSecret }}{{ if and .enabled $.keys -}}
{{- $secrets = concat $secrets (list
      (dict "variable" "MLFLOW_CRYPTO_KEK_PASSPHRASE" "secret" .name "key" .kekPassphraseKey)
      (dict "variable" "MLFLOW_FLASK_SERVER_SECRET_KEY" "secret" .name "key" .flaskSecretKey)
      (dict "variable" "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY" "secret" .name "key" .webhookKey)) -}}
{{- end }}{{ end -}}
{{- $files := concat $database.files $store.files $authority | default list -}}
{{- $env := merge (include "mlflow.env.server" .ctx | fromJson) $database.env $store.env $login -}}
{{- dict "env" $env "secrets" $secrets "files" $files "own" $store.own "uri" $store.uri | toJson -}}
{{- end }}

{{- /*
JSON: what a container needs for the database: `env`, `secrets` and `files` as above. PostgreSQL's URI has no place:
libpq reads that from PG* variables, so a password needs no encoding. It has the options without a variable, which end a
connection to a server that is gone after 15 s. The kernel alone would wait 15 minutes for an answer to what was sent,
and 2 hours where nothing was. The pool is never as small as the threads, which may need two connections each.
Takes `.`.
*/}}
{{- define "mlflow.database" -}}
{{- $threads := (include "mlflow.facts" . | fromJson).threads | int -}}
{{- $env := dict
      "MLFLOW_BACKEND_STORE_URI" "sqlite:////mlflow/mlflow.db"
      "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE" (add1 $threads | toString) -}}
{{- $secrets := list }}{{ $files := list -}}
{{- with .Values.backendStore.postgres }}{{ if .enabled }}{{ $uri := .uriFromSecret -}}
{{- $libpq := ne .login "password" | ternary (dict
      "MLFLOW_KUBERNETES_POSTGRES_LOGIN" .login
      "PGPASSFILE" "/run/mlflow/pgpass") dict | merge (dict
      "PGAPPNAME" (include "mlflow.fullname" $)
      "PGCONNECT_TIMEOUT" "10"
      "PGDATABASE" .database
      "PGHOST" .host
      "PGPORT" (int .port | toString)
      "PGSSLMODE" .sslMode
      "PGUSER" .username) (empty .readReplica.host | ternary dict (dict
      "MLFLOW_KUBERNETES_READ_REPLICA_HOST" .readReplica.host
      "MLFLOW_KUBERNETES_READ_REPLICA_PORT" (int .readReplica.port | toString))) -}}
{{- with .sslRootCertFromSecret }}{{ if .enabled -}}
{{- $_ := set $libpq "PGSSLROOTCERT" "/etc/mlflow/postgres/ca.crt" -}}
{{- $files = list (dict "volume" "postgres-ca" "secret" .name "key" .key "folder" "/etc/mlflow/postgres"
      "file" "ca.crt") -}}
{{- end }}{{ end -}}
{{- if $uri.enabled -}}
{{- $libpq = omit $libpq "PGDATABASE" "PGHOST" "PGPORT" "PGUSER" | merge (dict
      "PGSERVICE" "mlflow"
      "PGSERVICEFILE" "/run/mlflow/pg_service.conf") -}}
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
      "MLFLOW_BACKEND_STORE_URI"
        "postgresql+psycopg2://?keepalives_idle=10&keepalives_interval=5&tcp_user_timeout=15000"
      "MLFLOW_KUBERNETES_INDEXES" (list (ternary "runs" "" .indexes.runs)
        (ternary "latest_metrics" "" .indexes.latestMetrics) | compact | join ",")
      "MLFLOW_KUBERNETES_INDEX_SECONDS" "60"
      "MLFLOW_KUBERNETES_RELEASE" (printf "%s/%s" $.Release.Namespace (include "mlflow.fullname" $))
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

{{- /*
JSON: what a container needs for an object store: `env`, `secrets` and `files` as in `mlflow.reads`, and the `uri` of
its folder; without a store, a folder of the volume. Takes `Values.artifactStore`, or it as `mlflow.backup.store` gives
it.
*/}}
{{- define "mlflow.objectStore" -}}
{{- $name := ternary "backup" "gcs" (hasKey . "own") -}}
{{- $uri := "/mlflow/artifacts" -}}
{{- $env := dict }}{{ $secrets := list }}{{ $files := list -}}
{{- if .s3.enabled -}}
{{- $uri = compact (list (printf "s3://%s" .s3.bucket) .s3.path) | join "/" -}}
{{- with .s3.region }}{{ $env = dict "AWS_DEFAULT_REGION" . "AWS_REGION" . }}{{ end -}}
{{- with .s3.endpoint }}{{ $_ := set $env "MLFLOW_S3_ENDPOINT_URL" . }}{{ end -}}
{{- with .s3.credentialsFromSecret }}{{ if .enabled }}{{ $secrets = list
      (dict "variable" "AWS_ACCESS_KEY_ID" "secret" .name "key" .accessKeyIdKey)
      (dict "variable" "AWS_SECRET_ACCESS_KEY" "secret" .name "key" .secretAccessKeyKey) }}{{ end }}{{ end -}}
{{- else if .azure.enabled -}}
{{- $host := printf "%s.%s.%s" .azure.storageAccount (ternary "dfs" "blob" (eq .azure.scheme "abfss")) .azure.domain -}}
{{- $uri = compact (list (printf "%s://%s@%s" .azure.scheme .azure.container $host) .azure.path) | join "/" -}}
{{- with .azure.endpoint }}{{ $_ := trimSuffix "/" . | replace "$" "$$"
      | printf "AccountName=%s;AccountKey=$(AZURE_STORAGE_ACCESS_KEY);BlobEndpoint=%s" $.azure.storageAccount
      | set $env "AZURE_STORAGE_CONNECTION_STRING" }}{{ end -}}
{{- with .azure.credentialsFromSecret }}{{ if .enabled }}{{ $secrets = list
      (dict "variable" "AZURE_STORAGE_ACCESS_KEY" "secret" .name "key" .key) }}{{ end }}{{ end -}}
{{- else if .gcs.enabled -}}
{{- $uri = compact (list (printf "gs://%s" .gcs.bucket) .gcs.path) | join "/" -}}
{{- with .gcs.endpoint }}{{ $_ := set $env "STORAGE_EMULATOR_HOST" . }}{{ end -}}
{{- with .gcs.credentialsFromSecret }}{{ if .enabled -}}
{{- $_ := set $env "GOOGLE_APPLICATION_CREDENTIALS" (printf "/etc/mlflow/%s/credentials.json" $name) -}}
{{- $files = list (dict "volume" (printf "%s-credentials" $name) "secret" .name "key" .key
      "folder" (printf "/etc/mlflow/%s" $name) "file" "credentials.json") -}}
{{- end }}{{ end -}}
{{- end -}}
{{- dict "uri" $uri "env" $env "secrets" $secrets "files" $files "own" (hasKey . "own") | toJson -}}
{{- end }}

{{- /*
JSON: `Values.artifactStore` as backups have it: what `backup` says about the store takes the place of what
`artifactStore` says. It has `own` if the credentials are the backups' own. Takes `.`.
*/}}
{{- define "mlflow.backup.store" -}}
{{- $facts := include "mlflow.facts" . | fromJson -}}
{{- $backup := .Values.backup -}}
{{- $stores := deepCopy .Values.artifactStore -}}
{{- $store := get $stores $facts.backupStore | default dict -}}
{{- $azure := eq $facts.backupStore "azure" -}}
{{- if $backup.store }}{{ $_ := set $store "enabled" true }}{{ end -}}
{{- if $facts.backupOwn -}}
{{- $_ := set $stores "own" true -}}
{{- $key := default (ternary "AZURE_STORAGE_ACCESS_KEY" "credentials.json" $azure) $backup.credentialsFromSecret.key -}}
{{- $_ := set $store "credentialsFromSecret" (merge (dict "key" $key) $backup.credentialsFromSecret) -}}
{{- end -}}
{{- /* A private name leads to one account, and is taken with a key only. */}}
{{- if and $azure (or $facts.otherAccount (not $store.credentialsFromSecret.enabled)) -}}
{{- $_ := set $store "endpoint" "" -}}
{{- end -}}
{{- $path := default (printf "backups/%s/%s" .Release.Namespace (include "mlflow.fullname" .)) $backup.path -}}
{{- $given := dict "bucket" $backup.bucket "container" $backup.bucket "scheme" (ternary "wasbs" "" $azure) -}}
{{- range $name, $value := merge $given (dict "path" $path) (pick $backup "region" "endpoint" "storageAccount") -}}
{{- if $value }}{{ $_ := set $store $name $value }}{{ end -}}
{{- end -}}
{{- toJson $stores -}}
{{- end }}
