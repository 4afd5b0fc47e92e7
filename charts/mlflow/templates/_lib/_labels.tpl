{{- /* Mapping lines: what every pod of the release has, and no other. Takes `.`. */}}
{{- define "mlflow.releaseLabels" -}}
app.kubernetes.io/name: {{ include "mlflow.appName" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- /*
Mapping lines: what selects the pods of a component. Frozen: a Deployment's selector cannot change.
Takes (dict "ctx" $ "component" "server").
*/}}
{{- define "mlflow.selectorLabels" -}}
{{ include "mlflow.releaseLabels" .ctx }}
app.kubernetes.io/component: {{ .component | quote }}
{{- end }}

{{- /*
Mapping lines: labels of a pod template. The chart's version is not among them, so that a new chart
alone restarts nothing. Takes (dict "ctx" $ "component" "server").
*/}}
{{- define "mlflow.podLabels" -}}
{{ include "mlflow.selectorLabels" . }}
app.kubernetes.io/version: {{ .ctx.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: mlflow
app.kubernetes.io/managed-by: {{ .ctx.Release.Service | quote }}
{{- with .ctx.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Mapping lines: labels of an object. Takes (dict "ctx" $ "component" "server"). */}}
{{- define "mlflow.labels" -}}
{{ include "mlflow.podLabels" . }}
helm.sh/chart: {{ printf "%s-%s" .ctx.Chart.Name .ctx.Chart.Version | replace "+" "_" | quote }}
{{- end }}
