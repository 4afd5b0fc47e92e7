{{- /* Mapping lines: what selects the pod. Frozen. Takes `.`. */}}
{{- define "external-secrets.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Mapping lines: labels of an object and of the pod. Takes `.`. */}}
{{- define "external-secrets.labels" -}}
app: external-secrets
{{ include "external-secrets.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
