{{- /* Mapping lines: what selects the pod. Frozen. Takes `.`. */}}
{{- define "seaweedfs.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Mapping lines: labels of an object and of the pod. Takes `.`. */}}
{{- define "seaweedfs.labels" -}}
app: seaweedfs
{{ include "seaweedfs.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: mlflow
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
