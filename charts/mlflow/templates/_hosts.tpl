{{- /*
String: host names that the server answers to, separated by commas. MLflow's own list is replaced by
this one, so it holds every way by which a request may come in. Takes `.`.
*/}}
{{- define "mlflow.allowedHosts" -}}
{{- $hosts := list -}}
{{- range concat (fromYamlArray (include "mlflow.serviceHosts" .)) (list "localhost" "127.0.0.1" "0.0.0.0" "$(POD_IP)") .Values.mlflow.allowedHosts -}}
{{- $hosts = append $hosts . -}}
{{- if not (or (contains ":" .) (hasSuffix "*" .)) }}{{ $hosts = append $hosts (printf "%s:*" .) }}{{ end -}}
{{- end -}}
{{- /* In a pattern `[` opens a set of characters, so the bracket of an IPv6 address is written as a set of one. */ -}}
{{- range list "::1" "$(POD_IP)" -}}
{{- $hosts = concat $hosts (list (printf "[%s]" .) (printf "[[]%s]:*" .)) -}}
{{- end -}}
{{- join "," (uniq $hosts) -}}
{{- end }}

{{- /* List lines: every name that cluster DNS has for the Service. Takes `.`. */}}
{{- define "mlflow.serviceHosts" -}}
{{- $name := include "mlflow.fullname" . -}}
{{- $namespace := .Release.Namespace -}}
- "{{ $name }}"
- "{{ $name }}.{{ $namespace }}"
- "{{ $name }}.{{ $namespace }}.svc"
- "{{ $name }}.{{ $namespace }}.svc.{{ .Values.clusterDomain }}"
- "{{ $name }}.{{ $namespace }}.svc.{{ .Values.clusterDomain }}."
{{- end }}

{{- /* String: origins of web pages that may call the API, separated by commas. Takes `.`. */}}
{{- define "mlflow.corsOrigins" -}}
{{- join "," (uniq .Values.mlflow.corsAllowedOrigins) -}}
{{- end }}
