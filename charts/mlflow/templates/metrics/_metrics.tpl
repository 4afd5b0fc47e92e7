{{- /* Mapping lines: environment of what counts, and of what serves the counts. Takes `.`. */}}
{{- define "mlflow.metrics.env" -}}
{{- if .Values.metrics.enabled -}}
{{- $pages := list "http://127.0.0.1:%d/metrics" -}}
{{- if include "mlflow.exporter.enabled" . -}}
{{- $pages = append $pages (printf "http://%s:%%d/metrics" (include "mlflow.nameWith" (dict "ctx" . "suffix" "exporter"))) -}}
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

{{- /* List lines: the container beside the server, if metrics are on. Takes `.`. */}}
{{- define "mlflow.metrics.sidecar" -}}
{{- if .Values.metrics.enabled -}}
- name: metrics
  {{- if include "mlflow.exporter.enabled" . }}
  {{- include "mlflow.metrics.start" . | nindent 2 }}
  {{- include "mlflow.metrics.serve" (list . "mlflow.volumeMounts.files") | nindent 2 }}
  {{- else }}
  {{- include "mlflow.container.start" (list . "metrics" "workers" "stores") | nindent 2 }}
  {{- include "mlflow.metrics.serve" (list . "mlflow.volumeMounts.common") | nindent 2 }}
  {{- end }}
    - name: metrics
      mountPath: /metrics
    {{- if not (include "mlflow.exporter.enabled" .) }}
    - name: data
      mountPath: /mlflow
      readOnly: true
    {{- end }}
{{- end }}
{{- end }}

{{- /* Mapping lines: start of a container that only adds up what workers count, so it has no secret. Takes `.`. */}}
{{- define "mlflow.metrics.start" -}}
{{- $env := include "mlflow.metrics.env" . | fromYaml | merge (dict "MLFLOW_PORT" 5000 "PYTHONDONTWRITEBYTECODE" 1) -}}
{{- $_ := set $env "MLFLOW_KUBERNETES_LOG_FORMAT" .Values.mlflow.log.format -}}
{{- with .Values.mlflow.staticPrefix }}{{ $_ := set $env "MLFLOW_STATIC_PREFIX" . }}{{ end -}}
image: {{ include "mlflow.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy | quote }}
command:
  {{- include "mlflow.command" (list "python" "/opt/mlflow-kubernetes/mlflow_kubernetes" "metrics" "workers") | nindent 2 }}
env:
  {{- include "mlflow.env.entries" $env | trim | nindent 2 }}
{{- end }}

{{- /* Mapping lines: how a container serves metrics, down to its mounts. Takes (list $ "mlflow.volumeMounts.common"). */}}
{{- define "mlflow.metrics.serve" -}}
{{- $mounts := index . 1 -}}
{{- with index . 0 -}}
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
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.containerSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  {{- include $mounts . | nindent 2 }}
{{- end }}
{{- end }}
