{{- /* Lines: how jobs reach their runner, and the runner the stores. Takes `.`. */}}
{{- define "mlflow.validate.jobs" -}}
{{- $path := "jobs.enabled" -}}
{{- if .Values.jobs.enabled -}}
{{- if not .Values.backendStore.postgres.enabled -}}
{{- include "mlflow.says" (list $path "jobs go from pod to pod through PostgreSQL" "set backendStore.postgres.enabled: true too, or remove it") -}}
{{- else if not (include "mlflow.shared.enabled" .) -}}
{{- include "mlflow.says" (list $path "the artifacts are on a volume that one node mounts, which the jobs' pod may not reach" "set an artifactStore, or ReadWriteMany in persistence.accessModes") -}}
{{- end -}}
{{- if eq .Values.mlflow.launcher "upstream" -}}
{{- include "mlflow.says" (list $path "launcher upstream would run the jobs in each server pod too" "set mlflow.launcher: direct, or remove it") -}}
{{- end -}}
{{- end -}}
{{- end }}
