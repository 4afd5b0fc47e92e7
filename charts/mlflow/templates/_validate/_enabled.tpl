{{- /* Lines: a release that an umbrella chart should have left out. Takes `.`. */}}
{{- define "mlflow.validate.enabled" -}}
{{- if not .Values.enabled -}}
{{- include "mlflow.says" (dict
  "path" "enabled"
  "wrong" "is false, and it only has an effect in an umbrella chart"
  "instead" "set it in an umbrella chart, or remove it") -}}
{{- end -}}
{{- end }}
