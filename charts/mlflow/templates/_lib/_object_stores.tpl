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
{{- with .azure.endpoint }}{{ $_ := include "mlflow.literal" (trimSuffix "/" .)
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
{{- $store := get $stores $facts.objectStore | default dict -}}
{{- $azure := eq $facts.objectStore "azure" -}}
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

{{- /* String: whether the server offers presigned addresses, `true` or `false`. Takes `.`. */}}
{{- define "mlflow.presignedUrls" -}}
{{- $stores := .Values.artifactStore -}}
{{- $store := get $stores (include "mlflow.facts" . | fromJson).objectStore | default dict -}}
{{- /* Not urlParse, which ends the rendering in words of its own; what is no address is refused in a sentence. */}}
{{- $host := regexReplaceAll "(?s)^[a-z]+://(.*?)(:[0-9]+)?(/.*)?$" (default "" $store.endpoint) "${1}" -}}
{{- $inside := and $host (or (not (contains "." $host)) (regexMatch "\\.svc(\\.|$)" $host)) -}}
{{- ternary (ternary "false" "true" (not (empty $inside))) (toString $stores.presignedUrls)
      (eq (toString $stores.presignedUrls) "auto") -}}
{{- end }}
