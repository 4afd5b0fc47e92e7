{{- /* Mapping lines: what selects the pod. Frozen. Takes `.`. */}}
{{- define "cert-manager.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Mapping lines: labels of an object and of the pod. Takes `.`. */}}
{{- define "cert-manager.labels" -}}
app: cert-manager
{{ include "cert-manager.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
