{{- /*
List lines: the init containers of the migration. PostgreSQL's programs for the backup are beside it, so they are a
container that starts before it and stays as long as the pod. Takes (dict "ctx" $ "pod" (dict ...) "reads" (dict ...)
"files" (list ...)): `pod` is that of `mlflow.pod`, the environment follows from `reads`, `files` are those of the pod.
*/}}
{{- define "mlflow.migration" -}}
{{- $facts := include "mlflow.facts" .ctx | fromJson -}}
{{- $first := $facts.backupFirst -}}
{{- with .ctx.Values.backup }}{{ if $first -}}
{{- /* Between migrations, which are months apart, it sleeps: a node need not keep room for a dump. */}}
{{- $idle := merge (dict "requests" (dict "cpu" "10m" "memory" "32Mi")) (pick .resources "limits") -}}
{{- include "mlflow.postgres" (dict "ctx" $.ctx "pod" $.pod "resources" $idle "stays" true) }}
{{ end }}{{ end -}}
- name: schema
  image: {{ $facts.image | quote }}
  imagePullPolicy: {{ .ctx.Values.image.pullPolicy | quote }}
  command:
    - /bin/sh
    - /opt/mlflow-kubernetes/init.sh
    - python
    - /opt/mlflow-kubernetes/mlflow_kubernetes
    - schema
    {{- if $first }}
    - {{ printf "--destination=%s" (.reads.uri | replace "$" "$$") | quote }}
    - {{ printf "--keep=%d" (int .ctx.Values.backup.keep) | quote }}
    - {{ printf "--keep-days=%v" .ctx.Values.backup.keepDays | quote }}
    - {{ printf "--seconds=%d" (int .ctx.Values.backup.deadlineSeconds) | quote }}
    - --exchange=/exchange
    {{- end }}
  env:
    {{- include "mlflow.env" (dict "reads" .reads "given" .pod.env) | trim | nindent 4 }}
  {{- with .pod.envFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .ctx.Values.mlflow.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .pod.containerSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    {{- include "mlflow.mounts" (dict "ctx" .ctx "pod" .pod "files" .files "writes" true) | nindent 4 }}
    {{- if $first }}
    - name: exchange
      mountPath: /exchange
    {{- end }}
{{- end }}

{{- /*
List lines: the container beside the server that serves its metrics. Where a pod of its own reads the stores, this one
only adds up what the workers count, so it gets no secret. Takes (dict "ctx" $
"pod" (dict ...)).
*/}}
{{- define "mlflow.metrics" -}}
{{- $facts := include "mlflow.facts" .ctx | fromJson -}}
{{- $alone := $facts.exporter -}}
{{- $reads := include "mlflow.reads" (dict "ctx" .ctx "store" .ctx.Values.artifactStore) | fromJson -}}
- name: metrics
  image: {{ $facts.image | quote }}
  imagePullPolicy: {{ .ctx.Values.image.pullPolicy | quote }}
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
    {{- $counts := dict "env" (include "mlflow.env.metrics" .ctx | fromJson) }}
    {{- include "mlflow.env" (dict "reads" $counts) | trim | nindent 4 }}
    {{- else }}
    {{- include "mlflow.env" (dict "reads" $reads "given" .pod.env) | trim | nindent 4 }}
  {{- with .pod.envFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
    {{- end }}
  ports:
    - name: metrics
      containerPort: {{ int .ctx.Values.metrics.port }}
  livenessProbe:
    httpGet:
      path: /metrics
      port: metrics
    periodSeconds: 30
    timeoutSeconds: 10
    failureThreshold: 5
  {{- with .ctx.Values.metrics.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .pod.containerSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    {{- if $alone }}
    - name: files
      mountPath: /opt/mlflow-kubernetes
      readOnly: true
    {{- else }}
    {{- include "mlflow.mounts" (dict "ctx" .ctx "pod" .pod "files" $reads.files) | nindent 4 }}
    {{- end }}
    - name: metrics
      mountPath: /metrics
    {{- if not $alone }}
    - name: data
      mountPath: /mlflow
      readOnly: true
    {{- end }}
{{- end }}
