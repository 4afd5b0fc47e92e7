{{- /* Lines: one object store, that clients can reach if they are to write to it. Takes `.`. */}}
{{- define "mlflow.validate.artifactStore" -}}
{{- $kinds := list -}}
{{- range $kind := list "s3" "azure" "gcs" -}}
{{- $store := get $.Values.artifactStore $kind -}}
{{- if $store.enabled -}}
{{- $kinds = append $kinds $kind -}}
{{- if regexMatch "^/|/$|//|://" $store.path -}}
{{- include "mlflow.says" (list (printf "artifactStore.%s.path" $kind) (printf "%q has a slash too many" $store.path) "write it as mlflow/artifacts, without a slash at its ends") -}}
{{- end -}}
{{- if $store.credentialsFromSecret.enabled -}}
{{- include "mlflow.validate.secretName" (list (printf "artifactStore.%s.credentialsFromSecret.name" $kind) $store.credentialsFromSecret.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if gt (len $kinds) 1 -}}
{{- include "mlflow.says" (list "artifactStore" (printf "%s are enabled, a server has one store" (join " and " $kinds)) "leave one of them enabled") -}}
{{- else if and (eq .Values.artifactStore.mode "direct") (not $kinds) -}}
{{- include "mlflow.says" (list "artifactStore.mode" "clients cannot write to the server's volume" "set artifactStore.s3, .azure or .gcs, or artifactStore.mode: proxied") -}}
{{- end -}}
{{- end }}

{{- /* Lines: bucket and service of S3. Takes `.`. */}}
{{- define "mlflow.validate.s3" -}}
{{- with .Values.artifactStore.s3 -}}
{{- if .enabled -}}
{{- include "mlflow.validate.bucket" (list "artifactStore.s3" "bucket" .bucket) -}}
{{- if and .endpoint (not (regexMatch "^https?://[^/]+/?$" .endpoint)) -}}
{{- include "mlflow.says" (list "artifactStore.s3.endpoint" (printf "%q is not the URL of a service" .endpoint) "write it as https://s3.example.com, without a path") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: bucket and service of Google Cloud Storage. Takes `.`. */}}
{{- define "mlflow.validate.gcs" -}}
{{- with .Values.artifactStore.gcs -}}
{{- if .enabled -}}
{{- include "mlflow.validate.bucket" (list "artifactStore.gcs" "bucket" .bucket) -}}
{{- if and .endpoint (not (regexMatch "^https?://[^/]+$" .endpoint)) -}}
{{- include "mlflow.says" (list "artifactStore.gcs.endpoint" (printf "%q is not the URL of a service" .endpoint) "write it as http://gcs.example.com:4443, without a path") -}}
{{- else if and .endpoint .credentialsFromSecret.enabled -}}
{{- include "mlflow.says" (list "artifactStore.gcs.endpoint" "stands for an emulator, to which Google's client sends no credentials" "remove it, or set artifactStore.gcs.credentialsFromSecret.enabled: false") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: account, container and the way into Azure's storage. Takes `.`. */}}
{{- define "mlflow.validate.azure" -}}
{{- with .Values.artifactStore.azure -}}
{{- if .enabled -}}
{{- if not (regexMatch "^[a-z0-9]{3,24}$" .storageAccount) -}}
{{- include "mlflow.says" (list "artifactStore.azure.storageAccount" (printf "%q cannot be the name of a storage account" .storageAccount) "set its name alone, 3 to 24 small letters and digits") -}}
{{- end -}}
{{- include "mlflow.validate.bucket" (list "artifactStore.azure" "container" .container) -}}
{{- if and (eq .scheme "abfss") (or .credentialsFromSecret.enabled .endpoint) -}}
{{- include "mlflow.says" (list "artifactStore.azure.scheme" "MLflow knows no account key and no other endpoint for abfss" "set scheme: wasbs, which reaches Data Lake accounts too, or leave both to the identity of the pod") -}}
{{- else if and .endpoint (not .credentialsFromSecret.enabled) -}}
{{- include "mlflow.says" (list "artifactStore.azure.endpoint" "MLflow takes it only with an account key" "set artifactStore.azure.credentialsFromSecret too, or remove it") -}}
{{- else if and .endpoint (not (regexMatch "^https?://[^/;]+(/[a-z0-9]+)?/?$" .endpoint)) -}}
{{- include "mlflow.says" (list "artifactStore.azure.endpoint" (printf "%q is not the URL of a Blob service" .endpoint) "write it as https://account.privatelink.blob.core.windows.net") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if hasKey .Values.podLabels "azure.workload.identity/use" -}}
{{- include "mlflow.says" (list "podLabels.azure.workload.identity/use" "would miss the pods that watch the store" "set it in commonLabels, which reach every pod") -}}
{{- end -}}
{{- end }}

{{- /* Lines: a bucket's name and nothing else. Takes (list path key name). */}}
{{- define "mlflow.validate.bucket" -}}
{{- $path := printf "%s.%s" (index . 0) (index . 1) -}}
{{- $noun := index . 1 -}}
{{- $name := index . 2 -}}
{{- if not $name -}}
{{- include "mlflow.says" (list $path "is empty" (printf "set the name of the %s" $noun)) -}}
{{- else if contains "/" $name -}}
{{- include "mlflow.says" (list $path (printf "%q is more than a %s" $name $noun) (printf "set only the %s's name here, and the folder in %s.path" $noun (index . 0))) -}}
{{- else if not (regexMatch "^[A-Za-z0-9._-]{3,255}$" $name) -}}
{{- include "mlflow.says" (list $path (printf "%q cannot be the name of a %s" $name $noun) "use 3 or more letters, digits, '-' and '.'") -}}
{{- end -}}
{{- end }}

{{- /* Lines: prefixes of URIs that lead to object stores, and to no backup. Takes `.`. */}}
{{- define "mlflow.validate.allowedSources" -}}
{{- $path := "artifactStore.allowedSources" -}}
{{- if and .Values.artifactStore.allowedSources (eq .Values.artifactStore.mode "direct") -}}
{{- include "mlflow.says" (list $path "clients use their own credentials in mode direct" "remove it, or set artifactStore.mode: proxied") -}}
{{- end -}}
{{- $backups := "" -}}
{{- if and .Values.backup.enabled (include "mlflow.artifactStore.kind" .) -}}
{{- $backups = include "mlflow.source" (include "mlflow.backup.place" .) -}}
{{- end -}}
{{- range .Values.artifactStore.allowedSources -}}
{{- if contains "," . -}}
{{- include "mlflow.says" (list $path (printf "%q holds a comma" .) "list each prefix as an entry of its own") -}}
{{- else if not (regexMatch "^[A-Za-z][A-Za-z0-9+.-]*:/{1,3}[^/]" .) -}}
{{- include "mlflow.says" (list $path (printf "%q has no scheme and place" .) "write it as s3://other-bucket/models") -}}
{{- else if regexMatch "(?i)^(file|local|data):" . -}}
{{- include "mlflow.says" (list $path (printf "%q is on the server's own disk" .) "name a place in an object store") -}}
{{- else if regexMatch "[\\s\\\\%?#[:cntrl:]]|[^:/]//|/[.]{1,2}(/|$)" . -}}
{{- include "mlflow.says" (list $path (printf "%q can be read in more than one way" .) "write it as s3://other-bucket/models, without escapes, query and dots") -}}
{{- else if and $backups (or (hasPrefix (include "mlflow.source" .) $backups) (hasPrefix (printf "%s/" $backups) (printf "%s/" (include "mlflow.source" .)))) -}}
{{- include "mlflow.says" (list $path (printf "%q leads to the backups, which hold every account's data" .) "name a folder without them, or another bucket") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* String: a URI with what several spellings have in common: lower case, one scheme for each kind of store. Takes the URI. */}}
{{- define "mlflow.source" -}}
{{- $uri := lower . | trimSuffix "/" | replace ".dfs." ".blob." -}}
{{- regexReplaceAll "^s3[an]?:/+" (regexReplaceAll "^(abfss?|wasbs?):/+" $uri "wasbs://") "s3://" -}}
{{- end }}
