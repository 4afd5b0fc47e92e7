{{- /* Mapping lines: what selects the operator's pod. Frozen. Takes `.`. */}}
{{- define "monitoring.operator.selectorLabels" -}}
app.kubernetes.io/name: prometheus-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Mapping lines: labels of the operator's objects and pod. Takes `.`. */}}
{{- define "monitoring.operator.labels" -}}
app: prometheus-operator
{{ include "monitoring.operator.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* Mapping lines: labels of Prometheus' objects; its pods get theirs from the operator. Takes `.`. */}}
{{- define "monitoring.prometheus.labels" -}}
app: prometheus
app.kubernetes.io/name: prometheus
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
