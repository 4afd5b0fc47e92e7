{{- /* Mapping lines: the probes of the server. A number of 0 is Kubernetes' default. Takes `.`. */}}
{{- define "mlflow.probes" -}}
{{- range $name := list "startupProbe" "readinessProbe" "livenessProbe" }}
{{ $name }}:
  httpGet:
    path: {{ printf "%s/health" $.Values.mlflow.staticPrefix | quote }}
    port: http
  {{- range $key, $number := get $.Values $name }}
  {{- with int $number }}
  {{ $key }}: {{ int . }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}
