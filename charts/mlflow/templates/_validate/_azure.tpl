{{- /* Lines: account, container and the way into Azure's storage. Takes `.`. */}}
{{- define "mlflow.validate.azure" -}}
{{- with .Values.artifactStore.azure -}}
{{- if .enabled -}}
{{- if not (regexMatch "^[a-z0-9]{3,24}$" .storageAccount) -}}
{{- include "mlflow.says" (dict
  "path" "artifactStore.azure.storageAccount"
  "wrong" (printf "%q cannot be the name of a storage account" .storageAccount)
  "instead" "set only its name, 3 to 24 lower-case letters and digits") -}}
{{- end -}}
{{- include "mlflow.validate.bucket" (dict "parent" "artifactStore.azure" "key" "container" "name" .container) -}}
{{- if and (eq .scheme "abfss") (or .credentialsFromSecret.enabled .endpoint) -}}
{{- include "mlflow.says" (dict
  "path" "artifactStore.azure.scheme"
  "wrong" "MLflow supports no account key and no other endpoint for abfss"
  "instead" "set scheme: wasbs, which also works for Data Lake, or remove both and use the pod's identity") -}}
{{- else if and .endpoint (not .credentialsFromSecret.enabled) -}}
{{- include "mlflow.says" (dict
  "path" "artifactStore.azure.endpoint"
  "wrong" "MLflow supports it only with an account key"
  "instead" "set artifactStore.azure.credentialsFromSecret too, or remove it") -}}
{{- else if and .endpoint (not (regexMatch "^https?://(\\[[^]]+]|[^/:;\\s]+)(:[0-9]+)?(/[a-z0-9]+)?/?$" .endpoint)) -}}
{{- include "mlflow.says" (dict
  "path" "artifactStore.azure.endpoint"
  "wrong" (printf "%q is not the URL of a Blob service" .endpoint)
  "instead" "write it as https://account.privatelink.blob.core.windows.net") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if hasKey .Values.podLabels "azure.workload.identity/use" -}}
{{- include "mlflow.says" (dict
  "path" "podLabels.azure.workload.identity/use"
  "wrong" "does not reach the pods of tasks"
  "instead" "set it in commonLabels, which apply to every pod") -}}
{{- end -}}
{{- range $path, $labels := dict "jobs" .Values.jobs.podLabels "metrics.exporter" .Values.metrics.exporter.podLabels -}}
{{- if hasKey $labels "azure.workload.identity/use" -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.podLabels.azure.workload.identity/use" $path)
  "wrong" "gives this pod another identity than the other pods"
  "instead" "set it in commonLabels, which apply to every pod") -}}
{{- end -}}
{{- end -}}
{{- end }}
