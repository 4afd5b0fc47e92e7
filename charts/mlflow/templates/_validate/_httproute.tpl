{{- /* Lines: an HTTPRoute that belongs to a Gateway and to hosts. Takes `.`. */}}
{{- define "mlflow.validate.httpRoute" -}}
{{- with .Values.httpRoute -}}
{{- if .enabled -}}
{{- if not .parentRefs -}}
{{- include "mlflow.says" (dict
  "path" "httpRoute.parentRefs"
  "wrong" "is empty"
  "instead" "list the Gateway, as {name: public, namespace: gateways}") -}}
{{- end -}}
{{- if not .hostnames -}}
{{- include "mlflow.says" (dict
  "path" "httpRoute.hostnames"
  "wrong" "is empty, and MLflow accepts only known host names"
  "instead" "list host names such as mlflow.example.com") -}}
{{- end -}}
{{- $seen := list -}}
{{- range .hostnames -}}
{{- include "mlflow.validate.host" (dict "path" "httpRoute.hostnames" "host" . "seen" $seen) -}}
{{- $seen = append $seen . -}}
{{- end -}}
{{- range $ref := .redirectParentRefs -}}
{{- if has $ref $.Values.httpRoute.parentRefs -}}
{{- include "mlflow.says" (dict
  "path" "httpRoute.redirectParentRefs"
  "wrong" (printf "%s is in parentRefs too, so requests would be redirected without end" $ref.name)
  "instead" "set the http listener here and the https listener in parentRefs, by sectionName") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
