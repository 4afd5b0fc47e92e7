{{- /* Lines: one object store, that clients can reach if they are to write to it. Takes `.`. */}}
{{- define "mlflow.validate.artifactStore" -}}
{{- $kinds := list -}}
{{- range $kind := list "s3" "azure" "gcs" -}}
{{- $store := get $.Values.artifactStore $kind -}}
{{- if $store.enabled -}}
{{- $kinds = append $kinds $kind -}}
{{- if regexMatch "^/|/$|//|://" $store.path -}}
{{- include "mlflow.says" (dict
  "path" (printf "artifactStore.%s.path" $kind)
  "wrong" (printf "%q has a superfluous slash" $store.path)
  "instead" "write it as mlflow/artifacts, without a slash at the beginning and the end") -}}
{{- end -}}
{{- if $store.credentialsFromSecret.enabled -}}
{{- include "mlflow.validate.secretName" (dict
  "path" (printf "artifactStore.%s.credentialsFromSecret.name" $kind)
  "name" $store.credentialsFromSecret.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if gt (len $kinds) 1 -}}
{{- include "mlflow.says" (dict
  "path" "artifactStore"
  "wrong" (printf "%s are enabled, and a server has one store" (join " and " $kinds))
  "instead" "enable only one of them") -}}
{{- else if and (eq .Values.artifactStore.mode "direct") (not $kinds) -}}
{{- include "mlflow.says" (dict
  "path" "artifactStore.mode"
  "wrong" "clients cannot write to the server's volume"
  "instead" "set artifactStore.s3, .azure or .gcs, or artifactStore.mode: proxied") -}}
{{- end -}}
{{- end }}

{{- /* Lines: bucket and service of S3. Takes `.`. */}}
{{- define "mlflow.validate.s3" -}}
{{- with .Values.artifactStore.s3 -}}
{{- if .enabled -}}
{{- include "mlflow.validate.bucket" (dict "parent" "artifactStore.s3" "key" "bucket" "name" .bucket) -}}
{{- if and .endpoint (not (regexMatch "^https?://(\\[[^]]+]|[^/:;\\s]+)(:[0-9]+)?/?$" .endpoint)) -}}
{{- include "mlflow.says" (dict
  "path" "artifactStore.s3.endpoint"
  "wrong" (printf "%q is not the URL of a service" .endpoint)
  "instead" "write it as https://s3.example.com, without a path") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: bucket and service of Google Cloud Storage. Takes `.`. */}}
{{- define "mlflow.validate.gcs" -}}
{{- with .Values.artifactStore.gcs -}}
{{- if .enabled -}}
{{- include "mlflow.validate.bucket" (dict "parent" "artifactStore.gcs" "key" "bucket" "name" .bucket) -}}
{{- if and .endpoint (not (regexMatch "^https?://(\\[[^]]+]|[^/:;\\s]+)(:[0-9]+)?$" .endpoint)) -}}
{{- include "mlflow.says" (dict
  "path" "artifactStore.gcs.endpoint"
  "wrong" (printf "%q is not the URL of a service" .endpoint)
  "instead" "write it as http://gcs.example.com:4443, without a path") -}}
{{- else if and .endpoint .credentialsFromSecret.enabled -}}
{{- include "mlflow.says" (dict
  "path" "artifactStore.gcs.endpoint"
  "wrong" "is the URL of an emulator, to which Google's client sends no credentials"
  "instead" "remove it, or set artifactStore.gcs.credentialsFromSecret.enabled: false") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /*
Lines: a bucket's name and nothing else. Takes (dict "parent" "artifactStore.s3" "key" "bucket" "name" name).
*/}}
{{- define "mlflow.validate.bucket" -}}
{{- $path := printf "%s.%s" .parent .key -}}
{{- $noun := .key -}}
{{- $name := .name -}}
{{- if not $name -}}
{{- include "mlflow.says" (dict "path" $path "wrong" "is empty" "instead" (printf "set the name of the %s" $noun)) -}}
{{- else if contains "/" $name -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%q is more than a %s" $name $noun)
  "instead" (printf "set only the %s's name here, and the folder in %s.path" $noun .parent)) -}}
{{- else if not (regexMatch "^[A-Za-z0-9._-]{3,255}$" $name) -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%q cannot be the name of a %s" $name $noun)
  "instead" "use 3 or more letters, digits, '-' and '.'") -}}
{{- end -}}
{{- end }}
