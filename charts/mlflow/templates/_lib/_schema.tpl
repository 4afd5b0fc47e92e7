{{- /* Predicate: the schema step makes a backup before it migrates. Takes `.`. */}}
{{- define "mlflow.schema.backup" -}}
{{- if and .Values.backup.enabled .Values.backup.beforeMigration }}true{{ end -}}
{{- end }}

{{- /*
List lines: the init containers of the schema step. PostgreSQL's programs for the backup are beside it, so they are a
container that starts before it and stays as long as the pod. Takes `.`.
*/}}
{{- define "mlflow.schema.containers" -}}
{{- $step := list . "schema" -}}
{{- if include "mlflow.schema.backup" . -}}
{{- /* Between migrations, which are months apart, it sleeps: a node need not keep room for a dump. */}}
{{- $idle := merge (dict "requests" (dict "cpu" "10m" "memory" "32Mi")) (pick .Values.backup.resources "limits") -}}
{{- $step = concat $step (include "mlflow.backup.options" . | fromYamlArray) (list "--exchange=/exchange") -}}
- name: postgres
  restartPolicy: Always
  {{- include "mlflow.backup.postgres" (list . "stay") | nindent 2 }}
  {{- include "mlflow.backup.limits" (list . $idle "exchange") | nindent 2 }}
{{ end -}}
- name: schema
  {{- include "mlflow.container.start" $step | nindent 2 }}
  {{- include "mlflow.container.limits" . | nindent 2 }}
  {{- if include "mlflow.schema.backup" . }}
    - name: exchange
      mountPath: /exchange
    {{- with and (include "mlflow.backup.own" .) (include "mlflow.backup.volumeMounts" . | trim) }}
    {{- . | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end }}

{{- /* List lines: the volumes that only the schema step mounts. Takes `.`. */}}
{{- define "mlflow.schema.volumes" -}}
{{- if include "mlflow.schema.backup" . }}
{{- include "mlflow.backup.exchange" . }}
{{- if include "mlflow.backup.own" . }}{{ include "mlflow.backup.volumes" . }}{{ end -}}
{{- end }}
{{- end }}
