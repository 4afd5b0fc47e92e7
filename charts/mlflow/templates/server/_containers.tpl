{{- /*
List lines: the init containers of the migration. PostgreSQL's programs for the backup are beside it, so they are a
container that starts before it and stays as long as the pod. Takes (dict "ctx" $ "reads" (dict ...) "files" (list
...)): the environment follows from `reads`, `files` are those of the pod.
*/}}
{{- define "mlflow.migration" -}}
{{- $first := (include "mlflow.facts" .ctx | fromJson).backupFirst -}}
{{- with .ctx.Values.backup }}{{ if $first -}}
{{- /* Between migrations, which are months apart, it sleeps: a node need not keep room for a dump. */}}
{{- $idle := merge (dict "requests" (dict "cpu" "10m" "memory" "32Mi")) (pick .resources "limits") -}}
{{- include "mlflow.postgres" (dict "ctx" $.ctx "resources" $idle "stays" true) }}
{{ end }}{{ end -}}
- name: schema
  image: {{ include "mlflow.image" (dict "ctx" .ctx "image" .ctx.Values.image) | quote }}
  imagePullPolicy: {{ .ctx.Values.image.pullPolicy | quote }}
  command:
    - /bin/sh
    - /opt/mlflow-kubernetes/init.sh
    - python
    - /opt/mlflow-kubernetes/mlflow_kubernetes
    - schema
    {{- if $first }}
    - {{ printf "--destination=%s" (include "mlflow.literal" .reads.uri) | quote }}
    - {{ printf "--keep=%d" (int .ctx.Values.backup.keep) | quote }}
    - {{ printf "--keep-days=%v" .ctx.Values.backup.keepDays | quote }}
    - {{ printf "--seconds=%d" (int .ctx.Values.backup.deadlineSeconds) | quote }}
    - --exchange=/exchange
    {{- end }}
  env:
    {{- include "mlflow.env" (dict "ctx" .ctx "reads" .reads) | nindent 4 }}
  {{- with .ctx.Values.mlflow.envFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .ctx.Values.mlflow.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .ctx.Values.containerSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    {{- include "mlflow.volumeMounts" (dict "ctx" .ctx "files" .files "writes" true) | nindent 4 }}
    {{- if $first }}
    - name: exchange
      mountPath: /exchange
    {{- end }}
{{- end }}

{{- /*
List lines: the container beside the server that serves its metrics. Where a pod of its own reads the stores, this one
only adds up what the workers count, so it knows no secret. Takes `.`.
*/}}
{{- define "mlflow.metrics" -}}
{{- $alone := (include "mlflow.facts" . | fromJson).exporter -}}
{{- $reads := include "mlflow.reads" (dict "ctx" . "store" .Values.artifactStore) | fromJson -}}
- name: metrics
  image: {{ include "mlflow.image" (dict "ctx" . "image" .Values.image) | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy | quote }}
  command:
    - /bin/sh
    - /opt/mlflow-kubernetes/init.sh
    - python
    - /opt/mlflow-kubernetes/mlflow_kubernetes
    - metrics
    - workers
    {{- if not $alone }}
    - stores
    {{- end }}
  env:
    {{- if $alone }}
    {{- $plain := include "mlflow.env.metrics" . | fromJson }}
    {{- include "mlflow.env.entries" (dict "plain" $plain) | trim | nindent 4 }}
    {{- else }}
    {{- include "mlflow.env" (dict "ctx" . "reads" $reads) | nindent 4 }}
  {{- with .Values.mlflow.envFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
    {{- end }}
  ports:
    - name: metrics
      containerPort: {{ int .Values.metrics.port }}
  livenessProbe:
    httpGet:
      path: /metrics
      port: metrics
    periodSeconds: 30
    timeoutSeconds: 10
    failureThreshold: 5
  {{- with .Values.metrics.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.containerSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    {{- if $alone }}
    - name: files
      mountPath: /opt/mlflow-kubernetes
      readOnly: true
    {{- else }}
    {{- include "mlflow.volumeMounts" (dict "ctx" . "files" $reads.files) | nindent 4 }}
    {{- end }}
    - name: metrics
      mountPath: /metrics
    {{- if not $alone }}
    - name: data
      mountPath: /mlflow
      readOnly: true
    {{- end }}
{{- end }}
