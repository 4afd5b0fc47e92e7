{{- /* Predicate: old runs are ended by a CronJob. Takes `.`. */}}
{{- define "mlflow.retention.enabled" -}}
{{- if and .Values.backendStore.postgres.enabled .Values.backendStore.postgres.cleanupRunsEnabled }}true{{ end -}}
{{- end }}

{{- /*
String: name of a CronJob, `mlflow-backup`. Kubernetes adds 11 characters for each Job, so there are 52.
Takes (dict "ctx" $ "component" "backup").
*/}}
{{- define "mlflow.task.name" -}}
{{- printf "%s-%s" (include "mlflow.fullname" .ctx | trunc 42 | trimSuffix "-") .component -}}
{{- end }}

{{- /* Mapping lines: when a CronJob makes Jobs and which it keeps. Takes the schedule. */}}
{{- define "mlflow.task.schedule" -}}
schedule: {{ . | quote }}
concurrencyPolicy: Forbid
{{- /* Late is better than never, but not so late that it meets the next one. */}}
startingDeadlineSeconds: 3600
successfulJobsHistoryLimit: 3
failedJobsHistoryLimit: 3
{{- end }}

{{- /*
Mapping lines: what every task's pod is, up to its containers. Takes (dict "ctx" $ "serviceAccount" name).
*/}}
{{- define "mlflow.task.pod" -}}
{{- include "mlflow.pod.identityAs" . }}
{{- with include "mlflow.pod.placement" .ctx | trim }}
{{ . }}
{{- end }}
restartPolicy: Never
{{- with include "mlflow.pod.extra" (dict "ctx" .ctx "key" "extraInitContainers") | trim }}
initContainers:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* Mapping lines: labels and annotations of a task's pod. Takes (dict "ctx" $ "component" "backup"). */}}
{{- define "mlflow.task.podMetadata" -}}
labels:
  {{- include "mlflow.podLabels" . | nindent 2 }}
  {{- with .ctx.Values.tasks.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .ctx.Values.tasks.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* String: the tasks that are on, as `name=<seconds>` after which the last success is too old. Takes `.`. */}}
{{- define "mlflow.tasks" -}}
{{- $hours := .Values.prometheusRule.thresholds -}}
{{- $tasks := list -}}
{{- if include "mlflow.retention.enabled" . }}{{ $tasks = append $tasks (printf "retention=%d"
      (mul $hours.retentionHours 3600)) }}{{ end -}}
{{- if .Values.backup.enabled }}{{ $tasks = append $tasks (printf "backup=%d"
      (mul $hours.backupHours 3600)) }}{{ end -}}
{{- if include "mlflow.drill.enabled" . }}{{ $tasks = append $tasks (printf "drill=%d"
      (mul $hours.drillHours 3600)) }}{{ end -}}
{{- join " " $tasks -}}
{{- end }}

{{- /* List lines: what the retention task is told. Takes `.`. */}}
{{- define "mlflow.retention.options" -}}
- {{ printf "--days=%v" .Values.backendStore.postgres.cleanupRunsDays | quote }}
- {{ printf "--grace-days=%v" .Values.retention.graceDays | quote }}
- {{ printf "--keep-tag=%s" .Values.retention.keepTag | quote }}
- {{ printf "--batch-size=%d" (int .Values.retention.batchSize) | quote }}
- {{ printf "--seconds=%d" (int .Values.retention.deadlineSeconds) | quote }}
{{- if .Values.retention.dryRun }}
- --dry-run
{{- end }}
{{- end }}
