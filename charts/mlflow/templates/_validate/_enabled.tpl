{{- /* Lines: a release that an umbrella chart should have left out. Takes `.`. */}}
{{- define "mlflow.validate.enabled" -}}
{{- if not .Values.enabled -}}
{{- include "mlflow.says" (dict
  "path" "enabled"
  "wrong" "is false, and only the condition of an umbrella chart's dependency reads it"
  "instead" "set that condition, or remove it and the release") -}}
{{- end -}}
{{- end }}
