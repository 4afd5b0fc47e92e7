{{- /* String: where backups are, `s3://bucket/path` and the like. Takes `.`. */}}
{{- define "mlflow.backup.place" -}}
{{- $kind := include "mlflow.artifactStore.kind" . -}}
{{- $store := get (include "mlflow.backup.context" . | fromYaml).Values.artifactStore $kind | default dict -}}
{{- if eq $kind "azure" -}}
wasbs://{{ $store.container }}@{{ $store.storageAccount }}.blob.{{ $store.domain }}
{{- else -}}
{{ ternary "gs" "s3" (eq $kind "gcs") }}://{{ $store.bucket }}
{{- end -}}
/{{ default (printf "backups/%s/%s" .Release.Namespace (include "mlflow.fullname" .)) .Values.backup.path }}
{{- end }}

{{- /* List lines: what a backup is told, but for the folder that it shares with PostgreSQL's programs. Takes `.`. */}}
{{- define "mlflow.backup.options" -}}
- {{ printf "--destination=%s" (include "mlflow.backup.place" .) | quote }}
- {{ printf "--keep=%d" (int .Values.backup.keep) | quote }}
- {{ printf "--keep-days=%v" .Values.backup.keepDays | quote }}
- {{ printf "--seconds=%d" (int .Values.backup.deadlineSeconds) | quote }}
{{- end }}

{{- /* String: `registry/repository:tag@digest` of the image with PostgreSQL's programs. Takes `.`. */}}
{{- define "mlflow.backup.image" -}}
{{- $image := .Values.backup.image -}}
{{- with default $image.registry .Values.global.imageRegistry }}{{ . }}/{{ end -}}
{{- printf "%s:%s" $image.repository $image.tag -}}
{{- with $image.digest }}@{{ . }}{{ end -}}
{{- end }}

{{- /* Predicate: backups are tried. Takes `.`. */}}
{{- define "mlflow.drill.enabled" -}}
{{- if and .Values.backup.enabled .Values.backup.drill.enabled }}true{{ end -}}
{{- end }}

{{- /* String: the database that a drill restores into. Takes `.`. */}}
{{- define "mlflow.drill.database" -}}
{{- default (printf "%s_drill" .Values.backendStore.postgres.database | trunc 63) .Values.backup.drill.database -}}
{{- end }}
