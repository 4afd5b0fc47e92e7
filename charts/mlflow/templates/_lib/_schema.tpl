{{- /* Predicate: the schema step makes a backup before it migrates. Takes `.`. */}}
{{- define "mlflow.schema.backup" -}}
{{- if and .Values.backup.enabled .Values.backup.beforeMigration }}true{{ end -}}
{{- end }}

{{- /*
List lines: the init containers of the schema step. PostgreSQL's programs for the backup are beside it, so they are a
container that starts before it and stays as long as the pod. Takes `.`.
*/}}
{{- define "mlflow.schema.containers" -}}
{{- $words := list "python" "/opt/mlflow-kubernetes/mlflow_kubernetes" "schema" -}}
{{- if include "mlflow.schema.backup" . -}}
{{- /* Between migrations, which are months apart, it sleeps: a node need not keep room for a dump. */}}
{{- $idle := merge (dict "requests" (dict "cpu" "10m" "memory" "32Mi")) (pick .Values.backup.resources "limits") -}}
{{- $words = concat $words (include "mlflow.backup.options" . | fromYamlArray) (list "--exchange=/exchange") -}}
- name: postgres
  restartPolicy: Always
  image: {{ include "mlflow.backup.image" . | quote }}
  imagePullPolicy: {{ .Values.backup.image.pullPolicy | quote }}
  command:
    {{- $stay := list "/bin/sh" "/opt/mlflow-kubernetes/postgres.sh" "/exchange" "stay" }}
    {{- include "mlflow.command" (dict "words" $stay) | nindent 4 }}
  env:
    {{- include "mlflow.postgres.env" . | trim | nindent 4 }}
  {{- with $idle }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.containerSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: exchange
      mountPath: /tmp
    - name: exchange
      mountPath: /exchange
    {{- include "mlflow.volumeMounts.database" . | nindent 4 }}
{{ end -}}
- name: schema
  image: {{ include "mlflow.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy | quote }}
  command:
    {{- include "mlflow.command" (dict "words" $words) | nindent 4 }}
  env:
    {{- include "mlflow.env" (dict "ctx" . "role" "schema") | nindent 4 }}
  {{- with include "mlflow.envFrom" (dict "ctx" . "role" "schema") | trim }}
  envFrom:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with .Values.mlflow.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.containerSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    {{- include "mlflow.volumeMounts" . | nindent 4 }}
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
