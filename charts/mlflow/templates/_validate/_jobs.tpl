{{- /* Lines: how jobs reach their runner, and the runner the stores. Takes `.`. */}}
{{- define "mlflow.validate.jobs" -}}
{{- $path := "jobs.enabled" -}}
{{- if .Values.jobs.enabled -}}
{{- if not .Values.backendStore.postgres.enabled -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "jobs go from pod to pod through PostgreSQL"
  "instead" "set backendStore.postgres.enabled: true too, or remove it") -}}
{{- else if not (include "mlflow.facts" . | fromJson).shared -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "the artifacts are on a volume that one node mounts, which the jobs' pod may not reach"
  "instead" "set an artifactStore, or ReadWriteMany in persistence.accessModes") -}}
{{- end -}}
{{- if eq .Values.mlflow.launcher "upstream" -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "launcher upstream would run the jobs in each server pod too"
  "instead" "set mlflow.launcher: direct, or remove it") -}}
{{- end -}}
{{- end -}}
{{- end }}
