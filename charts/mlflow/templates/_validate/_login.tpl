{{- /* Lines: a token as the only way in, over TLS, and libpq's variables that would lead elsewhere. Takes `.`. */}}
{{- define "mlflow.validate.postgresLogin" -}}
{{- $login := .Values.backendStore.postgres.login -}}
{{- $postgres := .Values.backendStore.postgres -}}
{{- with $postgres }}{{ if ne $login "password" -}}
{{- range $key := list "passwordFromSecret" "uriFromSecret" }}{{ if (get $postgres $key).enabled -}}
{{- include "mlflow.says" (dict
  "path" (printf "backendStore.postgres.%s.enabled" $key)
  "wrong" (printf "sets a password beside the token of login: %s" $login)
  "instead" "set it to false, or set backendStore.postgres.login: password") -}}
{{- end }}{{ end -}}
{{- if has .sslMode (list "disable" "allow" "prefer") -}}
{{- include "mlflow.says" (dict
  "path" "backendStore.postgres.sslMode"
  "wrong" (printf "%s may send the token of login: %s in clear text" .sslMode $login)
  "instead" "set require, verify-ca or verify-full") -}}
{{- end -}}
{{- end }}{{ end -}}
{{- if eq $login "awsIam" }}{{ include "mlflow.validate.signingKeys" . }}{{ end -}}
{{- if (include "mlflow.facts" . | fromJson).loginFolder -}}
{{- range $name := list "PGPASSFILE" "PGSERVICE" "PGSERVICEFILE" }}{{ if hasKey $.Values.mlflow.env $name -}}
{{- include "mlflow.says" (dict
  "path" (printf "mlflow.env.%s" $name)
  "wrong" "is a second setting of the login beside backendStore.postgres"
  "instead" "remove it") -}}
{{- end }}{{ end -}}
{{- end -}}
{{- end }}

{{- /* Lines: keys of an object store that AWS does not know, which would sign the token of IAM. Takes `.`. */}}
{{- define "mlflow.validate.signingKeys" -}}
{{- $stores := dict "artifactStore.s3" .Values.artifactStore.s3 -}}
{{- $backups := (include "mlflow.backup.store" . | fromJson).s3 -}}
{{- if .Values.backup.enabled }}{{ $_ := set $stores "backup" $backups }}{{ end -}}
{{- range $path, $s3 := $stores -}}
{{- $keys := and $s3.enabled $s3.credentialsFromSecret.enabled -}}
{{- if and $keys (not (include "mlflow.network.amazon" $s3.endpoint)) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.credentialsFromSecret.enabled" $path)
  "wrong" (printf "the keys of %s would sign the token of login: awsIam, and AWS does not accept them" $s3.endpoint)
  "instead" "use Amazon S3, or set backendStore.postgres.login: password") -}}
{{- end -}}
{{- end -}}
{{- end }}
