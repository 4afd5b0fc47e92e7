{{- /* Mapping lines: environment of what counts, and of what serves the counts. Takes `.`. */}}
{{- define "mlflow.metrics.env" -}}
{{- if .Values.metrics.enabled -}}
{{- $pages := list "http://127.0.0.1:%d/metrics" -}}
{{- if include "mlflow.exporter.enabled" . -}}
{{- $pages = append $pages (printf "http://%s:%%d/metrics" (include "mlflow.nameWith"
      (dict "ctx" . "suffix" "exporter"))) -}}
{{- end -}}
MLFLOW_EXPOSE_PROMETHEUS: /metrics
MLFLOW_KUBERNETES_METRICS_INTERVAL: {{ int .Values.metrics.storeIntervalSeconds }}
MLFLOW_KUBERNETES_METRICS_PAGES: {{ join " " $pages | replace "%d" (int .Values.metrics.port | toString) | quote }}
MLFLOW_KUBERNETES_METRICS_PORT: {{ int .Values.metrics.port }}
{{- with include "mlflow.tasks" . }}
MLFLOW_KUBERNETES_TASKS: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- /*
Predicate: a pod of its own looks at the stores, once for all servers. SQLite is out of its reach: there the
one server pod's metrics container looks. Takes `.`.
*/}}
{{- define "mlflow.exporter.enabled" -}}
{{- if and .Values.metrics.enabled (include "mlflow.database.enabled" .) }}true{{ end -}}
{{- end }}

{{- /*
List lines: the container beside the server that serves its metrics, if they are on. Where a pod of its own looks at the
stores, this one only adds up what the workers count, so it knows no secret. Takes `.`.
*/}}
{{- define "mlflow.metrics.sidecar" -}}
{{- if .Values.metrics.enabled -}}
{{- $alone := include "mlflow.exporter.enabled" . -}}
{{- $command := list "python" "/opt/mlflow-kubernetes/mlflow_kubernetes" "metrics" "workers" -}}
{{- if not $alone }}{{ $command = append $command "stores" }}{{ end -}}
- name: metrics
  image: {{ include "mlflow.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy | quote }}
  command:
    {{- include "mlflow.command" (dict "words" $command) | nindent 4 }}
  env:
    {{- if $alone }}
    {{- include "mlflow.metrics.workersEnv" . | trim | nindent 4 }}
    {{- else }}
    {{- include "mlflow.env" (dict "ctx" . "role" "metrics") | nindent 4 }}
    {{- end }}
  {{- with and (not $alone) (include "mlflow.envFrom" (dict "ctx" . "role" "metrics") | trim) }}
  envFrom:
    {{- . | nindent 4 }}
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
    {{- include (ternary "mlflow.volumeMounts.files" "mlflow.volumeMounts.common" (eq $alone "true")) . | nindent 4 }}
    - name: metrics
      mountPath: /metrics
    {{- if not $alone }}
    - name: data
      mountPath: /mlflow
      readOnly: true
    {{- end }}
{{- end }}
{{- end }}

{{- /* List lines: the environment of a container that only adds up. Takes `.`. */}}
{{- define "mlflow.metrics.workersEnv" -}}
{{- $env := include "mlflow.metrics.env" . | fromYaml | merge (dict "MLFLOW_PORT" 5000 "PYTHONDONTWRITEBYTECODE" 1) -}}
{{- $_ := set $env "MLFLOW_KUBERNETES_LOG_FORMAT" .Values.mlflow.log.format -}}
{{- with .Values.mlflow.staticPrefix }}{{ $_ := set $env "MLFLOW_STATIC_PREFIX" . }}{{ end -}}
{{- include "mlflow.env.entries" $env }}
{{- end }}
