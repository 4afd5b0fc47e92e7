{{- /* Lines: how jobs reach their runner, and the runner the stores. Takes `.`. */}}
{{- define "mlflow.validate.jobs" -}}
{{- $path := "jobs.enabled" -}}
{{- if .Values.jobs.enabled -}}
{{- if not .Values.backendStore.postgres.enabled -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "background jobs need PostgreSQL, which all pods share"
  "instead" "set backendStore.postgres.enabled: true too, or remove it") -}}
{{- else if not (include "mlflow.facts" . | fromJson).shared -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "the artifacts are on a ReadWriteOnce volume, which the pod of the jobs cannot mount on another node"
  "instead" "set an artifactStore, or ReadWriteMany in persistence.accessModes") -}}
{{- end -}}
{{- if eq .Values.mlflow.launcher "upstream" -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "launcher upstream runs background jobs in each server pod too"
  "instead" "set mlflow.launcher: direct, or remove it") -}}
{{- end -}}
{{- end -}}
{{- end }}
