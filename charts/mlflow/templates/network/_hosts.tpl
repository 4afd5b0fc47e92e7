{{- /*
String: host names that the server answers to, separated by commas. MLflow's own list is replaced by
this one, so it holds every way by which a request may come in. Takes `.`.
*/}}
{{- define "mlflow.allowedHosts" -}}
{{- $hosts := list -}}
{{- $services := include "mlflow.serviceHosts" . | fromYamlArray -}}
{{- $external := include "mlflow.externalHosts" . | fromYamlArray -}}
{{- range concat $services (list "localhost" "127.0.0.1" "0.0.0.0" "$(POD_IP)") $external
      .Values.mlflow.allowedHosts -}}
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
- {{ $name | quote }}
- {{ printf "%s.%s" $name $namespace | quote }}
- {{ printf "%s.%s.svc" $name $namespace | quote }}
- {{ printf "%s.%s.svc.%s" $name $namespace .Values.clusterDomain | quote }}
- {{ printf "%s.%s.svc.%s." $name $namespace .Values.clusterDomain | quote }}
{{- end }}

{{- /* List lines: host names of Ingress and HTTPRoute. Takes `.`. */}}
{{- define "mlflow.externalHosts" -}}
{{- if .Values.ingress.enabled }}
{{- range .Values.ingress.hosts }}
- {{ .host | quote }}
{{- end }}
{{- end }}
{{- if .Values.httpRoute.enabled }}
{{- range .Values.httpRoute.hostnames }}
- {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- /*
List lines: origins of the server's own pages out there, which browsers name even where page and API are one.
Without a certificate here TLS may still end before the controller, so both schemes are right. Takes `.`.
*/}}
{{- define "mlflow.externalOrigins" -}}
{{- range include "mlflow.externalHosts" . | fromYamlArray }}
{{- if not (include "mlflow.httpsOnly" (dict "ctx" $ "host" .)) }}
- {{ printf "http://%s" . | quote }}
{{- end }}
- {{ printf "https://%s" . | quote }}
{{- end }}
{{- end }}

{{- /* Predicate: the values say that pages of a host come by https. Takes (dict "ctx" $ "host" host). */}}
{{- define "mlflow.httpsOnly" -}}
{{- $values := .ctx.Values -}}
{{- $host := .host -}}
{{- $wildcard := regexReplaceAll "^[^.]+" $host "*" -}}
{{- if and $values.httpRoute.redirectParentRefs (has $host $values.httpRoute.hostnames) }}true{{ end -}}
{{- range $values.ingress.tls }}{{ if or (not .hosts) (has $host .hosts)
      (has $wildcard .hosts) }}true{{ end }}{{ end -}}
{{- end }}

{{- /* String: origins of web pages that may call the API, separated by commas. Takes `.`. */}}
{{- define "mlflow.corsOrigins" -}}
{{- concat (include "mlflow.externalOrigins" . | fromYamlArray) .Values.mlflow.corsAllowedOrigins | uniq | join "," -}}
{{- end }}
