{{- /* String: the object store in use, `s3`, `azure` or `gcs`; empty for the volume. Takes `.`. */}}
{{- define "mlflow.artifactStore.kind" -}}
{{- range $kind := list "s3" "azure" "gcs" -}}
{{- if (get $.Values.artifactStore $kind).enabled }}{{ $kind }}{{ end -}}
{{- end -}}
{{- end }}

{{- /* String: where artifacts are kept, a URI of an object store or a folder of the volume. Takes `.`. */}}
{{- define "mlflow.artifactStore.uri" -}}
{{- with .Values.artifactStore -}}
{{- $path := "" -}}
{{- range list .s3 .azure .gcs }}{{ if and .enabled .path }}{{ $path = print "/" .path }}{{ end }}{{ end -}}
{{- if .s3.enabled -}}
s3://{{ .s3.bucket }}{{ $path }}
{{- else if .azure.enabled -}}
{{- $service := ternary "dfs" "blob" (eq .azure.scheme "abfss") -}}
{{ .azure.scheme }}://{{ .azure.container }}@{{ .azure.storageAccount }}.{{ $service }}.{{ .azure.domain }}{{ $path }}
{{- else if .gcs.enabled -}}
gs://{{ .gcs.bucket }}{{ $path }}
{{- else -}}
/mlflow/artifacts
{{- end -}}
{{- end -}}
{{- end }}

{{- /* String: URL of the object store's service; empty for the volume. Takes `.`. */}}
{{- define "mlflow.artifactStore.service" -}}
{{- with .Values.artifactStore -}}
{{- if .s3.enabled }}{{ default "https://s3.amazonaws.com" .s3.endpoint -}}
{{- else if .azure.enabled }}{{ default (printf "https://%s.%s.%s" .azure.storageAccount (ternary "dfs" "blob"
      (eq .azure.scheme "abfss")) .azure.domain) .azure.endpoint -}}
{{- else if .gcs.enabled }}{{ default "https://storage.googleapis.com" .gcs.endpoint }}{{ end -}}
{{- end -}}
{{- end }}

{{- /* Mapping lines: environment of containers that use the object store, without secrets. Takes `.`. */}}
{{- define "mlflow.artifactStore.clientEnv" -}}
{{- with .Values.artifactStore -}}
{{- if and .s3.enabled .s3.region }}
AWS_DEFAULT_REGION: {{ .s3.region | quote }}
AWS_REGION: {{ .s3.region | quote }}
{{- end }}
{{- if and .s3.enabled .s3.endpoint }}
MLFLOW_S3_ENDPOINT_URL: {{ .s3.endpoint | quote }}
{{- end }}
{{- if and .azure.enabled .azure.endpoint }}
{{- $endpoint := include "mlflow.literal" (trimSuffix "/" .azure.endpoint) }}
AZURE_STORAGE_CONNECTION_STRING: {{ printf "AccountName=%s;AccountKey=$(AZURE_STORAGE_ACCESS_KEY);BlobEndpoint=%s"
      .azure.storageAccount $endpoint | quote }}
{{- end }}
{{- if and .gcs.enabled .gcs.endpoint }}
STORAGE_EMULATOR_HOST: {{ .gcs.endpoint | quote }}
{{- end }}
{{- if and .gcs.enabled .gcs.credentialsFromSecret.enabled }}
GOOGLE_APPLICATION_CREDENTIALS: /etc/mlflow/gcs/credentials.json
{{- end }}
{{- end -}}
{{- end }}

{{- /*
Mapping lines: where the server keeps artifacts. Either the server passes artifacts on,
or it tells clients where to write, never half of both. Takes `.`.
*/}}
{{- define "mlflow.artifactStore.env" -}}
{{- if eq .Values.artifactStore.mode "direct" -}}
MLFLOW_DEFAULT_ARTIFACT_ROOT: {{ include "mlflow.artifactStore.uri" . | quote }}
MLFLOW_SERVE_ARTIFACTS: false
{{- else -}}
MLFLOW_ARTIFACTS_DESTINATION: {{ include "mlflow.artifactStore.uri" . | quote }}
{{- end }}
{{- end }}

{{- /* List lines: environment entries with the keys of the object store. Takes `.`. */}}
{{- define "mlflow.artifactStore.secretEnv" -}}
{{- with .Values.artifactStore.s3 }}
{{- if and .enabled .credentialsFromSecret.enabled }}
{{ include "mlflow.envFromSecret" (dict
  "variable" "AWS_ACCESS_KEY_ID"
  "secret" .credentialsFromSecret.name
  "key" .credentialsFromSecret.accessKeyIdKey) }}
{{ include "mlflow.envFromSecret" (dict
  "variable" "AWS_SECRET_ACCESS_KEY"
  "secret" .credentialsFromSecret.name
  "key" .credentialsFromSecret.secretAccessKeyKey) }}
{{- end }}
{{- end }}
{{- with .Values.artifactStore.azure }}
{{- if and .enabled .credentialsFromSecret.enabled }}
{{ include "mlflow.envFromSecret" (dict
  "variable" "AZURE_STORAGE_ACCESS_KEY"
  "secret" .credentialsFromSecret.name
  "key" .credentialsFromSecret.key) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* List lines: the volume with a Google service account's key, if one is used. Takes `.`. */}}
{{- define "mlflow.artifactStore.volumes" -}}
{{- with .Values.artifactStore.gcs }}
{{- if and .enabled .credentialsFromSecret.enabled }}
- name: gcs-credentials
  secret:
    secretName: {{ .credentialsFromSecret.name | quote }}
    items:
      - key: {{ .credentialsFromSecret.key | quote }}
        path: credentials.json
{{- end }}
{{- end }}
{{- end }}

{{- /* List lines: where a container mounts it. Takes `.`. */}}
{{- define "mlflow.artifactStore.volumeMounts" -}}
{{- with .Values.artifactStore.gcs }}
{{- if and .enabled .credentialsFromSecret.enabled }}
- name: gcs-credentials
  mountPath: /etc/mlflow/gcs
  readOnly: true
{{- end }}
{{- end }}
{{- end }}
