{{- /*
JSON: plain environment of what counts, and of what serves the counts; tasks are those that are on, with the seconds
after which their last success is too old. Takes `.`.
*/}}
{{- define "mlflow.env.metrics" -}}
{{- $facts := include "mlflow.facts" . | fromJson -}}
{{- $env := dict
      "MLFLOW_KUBERNETES_LOG_FORMAT" .Values.mlflow.log.format
      "MLFLOW_PORT" (toString $facts.port)
      "PYTHONDONTWRITEBYTECODE" "1" -}}
{{- with .Values.mlflow.staticPrefix }}{{ $_ := set $env "MLFLOW_STATIC_PREFIX" . }}{{ end -}}
{{- with .Values.metrics }}{{ if .enabled -}}
{{- $hosts := list "127.0.0.1" -}}
{{- if $facts.exporter }}{{ $hosts = append $hosts (printf "%s-exporter" (include "mlflow.fullname" $)) }}{{ end -}}
{{- $pages := list -}}
{{- range $hosts }}{{ $pages = append $pages (printf "http://%s:%d/metrics" . (int $.Values.metrics.port)) }}{{ end -}}
{{- $on := dict "retention" $facts.retention "backup" $.Values.backup.enabled "drill" $facts.drill -}}
{{- $tasks := list -}}
{{- range $task := list "retention" "backup" "drill" }}{{ if get $on $task -}}
{{- $hours := get $.Values.prometheusRule.thresholds (printf "%sHours" $task) -}}
{{- $tasks = append $tasks (printf "%s=%d" $task (mul $hours 3600)) -}}
{{- end }}{{ end -}}
{{- with $tasks }}{{ $_ := set $env "MLFLOW_KUBERNETES_TASKS" (join " " .) }}{{ end -}}
{{- $env = merge $env (dict
      "MLFLOW_EXPOSE_PROMETHEUS" "/metrics"
      "MLFLOW_KUBERNETES_METRICS_INTERVAL" (int .storeIntervalSeconds | toString)
      "MLFLOW_KUBERNETES_METRICS_PAGES" (join " " $pages)
      "MLFLOW_KUBERNETES_METRICS_PORT" (int .port | toString)) -}}
{{- end }}{{ end -}}
{{- toJson $env -}}
{{- end }}
