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

{{- /*
Mapping lines: spec of the Jobs that back up and restore: Python with the object store, and beside it PostgreSQL's
programs; they share a folder. Takes (dict "ctx" $ "component" "backup" "script" "backup" "options" (list ...)).
*/}}
{{- define "mlflow.backup.job" -}}
{{- /* A second try after a failure would only make a person wait for the news. */ -}}
backoffLimit: 0
activeDeadlineSeconds: {{ int .ctx.Values.backup.deadlineSeconds }}
template:
  metadata:
    {{- include "mlflow.task.podMetadata" . | nindent 4 }}
  spec:
    {{- include "mlflow.task.pod" (list .ctx (include "mlflow.backup.serviceAccountName" .ctx)) | nindent 4 }}
    containers:
      - name: {{ .component | quote }}
        {{- include "mlflow.container.start" (concat (list .ctx .script "--exchange=/exchange") .options) | nindent 8 }}
        {{- include "mlflow.backup.limits" (list .ctx .ctx.Values.backup.resources "tmp") | nindent 8 }}
          {{- with include "mlflow.backup.volumeMounts" .ctx | trim }}
          {{- . | nindent 10 }}
          {{- end }}
      - name: postgres
        {{- include "mlflow.backup.postgres" (list .ctx) | nindent 8 }}
        {{- include "mlflow.backup.limits" (list .ctx .ctx.Values.backup.resources "exchange") | nindent 8 }}
    volumes:
      - name: tmp
        emptyDir:
          sizeLimit: 100Mi
      {{- include "mlflow.backup.exchange" . | nindent 6 }}
      {{- include "mlflow.files.volume" (dict "ctx" .ctx "component" "backup") | nindent 6 }}
      {{- with include "mlflow.volumes.database" .ctx | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with include "mlflow.backup.volumes" .ctx | trim }}
      {{- . | nindent 6 }}
      {{- end }}
{{- end }}

{{- /* Mapping lines: start of the container with PostgreSQL's programs; it knows the database and no more. Takes (list $), and arguments if any. */}}
{{- define "mlflow.backup.postgres" -}}
{{- $ctx := index . 0 -}}
image: {{ include "mlflow.backup.image" $ctx | quote }}
imagePullPolicy: {{ $ctx.Values.backup.image.pullPolicy | quote }}
command:
  {{- include "mlflow.command" (concat (list "/bin/sh" "/opt/mlflow-kubernetes/postgres.sh" "/exchange") (slice . 1)) | nindent 2 }}
env:
  {{- range include "mlflow.backendStore.secretEnv" $ctx | fromYamlArray }}
  {{- if hasPrefix "PG" .name }}
  {{- list . | toYaml | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- $plain := dict "HOME" "/tmp" -}}
  {{- range $name, $value := merge (deepCopy $ctx.Values.mlflow.env) (include "mlflow.backendStore.env" $ctx | fromYaml) }}
  {{- if hasPrefix "PG" $name }}{{ $_ := set $plain $name $value }}{{ end }}
  {{- end }}
  {{- include "mlflow.env.entries" $plain | trim | nindent 2 }}
{{- end }}

{{- /*
Mapping lines: what each of the two may use and see. PostgreSQL's programs have the shared folder for their /tmp: MLflow's
holds its settings and the artifacts on their way. Takes (list $ resources "tmp").
*/}}
{{- define "mlflow.backup.limits" -}}
{{- $ctx := index . 0 -}}
{{- with index . 1 -}}
resources:
  {{- toYaml . | nindent 2 }}
{{ end -}}
{{- with $ctx.Values.containerSecurityContext -}}
securityContext:
  {{- toYaml . | nindent 2 }}
{{ end -}}
volumeMounts:
  - name: {{ index . 2 | quote }}
    mountPath: /tmp
  - name: exchange
    mountPath: /exchange
  {{- include "mlflow.volumeMounts.database" $ctx | nindent 2 }}
{{- end }}

{{- /* Predicate: backups are tried. Takes `.`. */}}
{{- define "mlflow.drill.enabled" -}}
{{- if and .Values.backup.enabled .Values.backup.drill.enabled }}true{{ end -}}
{{- end }}

{{- /* String: the database that a drill restores into. Takes `.`. */}}
{{- define "mlflow.drill.database" -}}
{{- default (printf "%s_drill" .Values.backendStore.postgres.database | trunc 63) .Values.backup.drill.database -}}
{{- end }}
