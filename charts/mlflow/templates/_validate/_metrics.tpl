{{- /* Lines: what reads metrics needs them, in time and on a port of their own. Takes `.`. */}}
{{- define "mlflow.validate.metrics" -}}
{{- range $reader := list "serviceMonitor" "prometheusRule" "dashboard" -}}
{{- if and (get $.Values $reader).enabled (not $.Values.metrics.enabled) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.enabled" $reader)
  "wrong" "there are no metrics to read"
  "instead" "set metrics.enabled: true too") -}}
{{- end -}}
{{- end -}}
{{- with .Values.serviceMonitor -}}
{{- if gt (include "mlflow.milliseconds" .scrapeTimeout | int64) (include "mlflow.milliseconds" .interval | int64) -}}
{{- include "mlflow.says" (dict
  "path" "serviceMonitor.scrapeTimeout"
  "wrong" (printf "%s is longer than the interval of %s, which Prometheus refuses" .scrapeTimeout .interval)
  "instead" "set it to serviceMonitor.interval or less") -}}
{{- end -}}
{{- range $key := list "interval" "path" "port" "scrapeTimeout" "targetPort" -}}
{{- if hasKey $.Values.serviceMonitor.endpoint $key -}}
{{- include "mlflow.says" (dict
  "path" "serviceMonitor.endpoint"
  "wrong" (printf "%s is set by the chart" $key)
  "instead" "remove it, and set serviceMonitor.interval, serviceMonitor.scrapeTimeout or metrics.port instead") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $port := int (include "mlflow.facts" . | fromJson).port -}}
{{- if eq (int .Values.metrics.port) $port -}}
{{- include "mlflow.says" (dict
  "path" "metrics.port"
  "wrong" (printf "%d is the server's port" $port)
  "instead" "set another port") -}}
{{- end -}}
{{- end }}

{{- /* String: a duration of Prometheus, such as `30s`, in milliseconds. Takes the duration. */}}
{{- define "mlflow.milliseconds" -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- mul (trimSuffix $unit . | int64) (get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000) $unit) -}}
{{- end }}
