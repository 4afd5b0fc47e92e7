{{- /*
JSON: how clients name the server. `external` are the host names of Ingress, HTTPRoute and Service. `allowed`,
separated by commas, is all that it answers to; it replaces MLflow's own list, so it holds every way by which a
request may come in. `origins` are those of web pages that may call the API: the server's own pages first, which
browsers name even where page and API are one. Without a certificate here TLS may still end before the controller, so
both schemes are right. Takes `.`.
*/}}
{{- define "mlflow.hosts" -}}
{{- $name := include "mlflow.fullname" . -}}
{{- $inside := printf "%s.%s.svc" $name .Release.Namespace -}}
{{- $domain := printf "%s.%s" $inside .Values.clusterDomain -}}
{{- $names := list $name (trimSuffix ".svc" $inside) $inside $domain (printf "%s." $domain)
      "localhost" "127.0.0.1" "0.0.0.0" "$(POD_IP)" -}}
{{- $redirected := list }}{{ $allowed := list }}{{ $origins := list -}}
{{- $external := include "mlflow.hosts.external" . | fromJsonArray -}}
{{- $service := include "mlflow.hosts.service" . | fromJsonArray -}}
{{- with .Values.httpRoute }}{{ if .redirectParentRefs }}{{ $redirected = .hostnames }}{{ end }}{{ end -}}
{{- range concat $names $external $service .Values.mlflow.allowedHosts -}}
{{- $allowed = append $allowed . -}}
{{- if not (or (contains ":" .) (hasSuffix "*" .)) }}{{ $allowed = append $allowed (printf "%s:*" .) }}{{ end -}}
{{- end -}}
{{- /* In a pattern `[` opens a set of characters, so the bracket of an IPv6 address is written as a set of one. */ -}}
{{- $allowed = concat $allowed (list "[::1]" "[[]::1]:*" "[$(POD_IP)]" "[[]$(POD_IP)]:*") | uniq -}}
{{- range $host := $external -}}
{{- $https := has $host $redirected -}}
{{- range $.Values.ingress.tls -}}
{{- $https = or $https (not .hosts) (has $host .hosts) (has (regexReplaceAll "^[^.]+" $host "*") .hosts) -}}
{{- end -}}
{{- $both := list (printf "http://%s" $host) (printf "https://%s" $host) -}}
{{- $origins = concat $origins (ternary (rest $both) $both $https) -}}
{{- end -}}
{{- $origins = concat $origins .Values.mlflow.corsAllowedOrigins | default list | uniq -}}
{{- dict "external" (default list $external) "allowed" (join "," $allowed) "origins" $origins | toJson -}}
{{- end }}

{{- /* JSON: the host names of the Service: those of the values, and those that external-dns gives it. Takes `.`. */}}
{{- define "mlflow.hosts.service" -}}
{{- $hosts := .Values.service.hostnames -}}
{{- range $annotation := list "hostname" "internal-hostname" -}}
{{- $value := get $.Values.service.annotations (printf "external-dns.alpha.kubernetes.io/%s" $annotation) -}}
{{- range splitList "," $value -}}
{{- with trim . | trimSuffix "." }}{{ $hosts = append $hosts . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- uniq $hosts | toJson -}}
{{- end }}

{{- /*
JSON: the host names that are addresses of the server from outside, of its Ingress first. Names of nodes are none
without their port. Takes `.`.
*/}}
{{- define "mlflow.hosts.external" -}}
{{- $external := list -}}
{{- if .Values.ingress.enabled }}{{ range .Values.ingress.hosts }}{{ $external = append $external
      .host }}{{ end }}{{ end -}}
{{- with .Values.httpRoute }}{{ if .enabled }}{{ $external = concat $external .hostnames }}{{ end }}{{ end -}}
{{- if ne .Values.service.type "NodePort" -}}
{{- $external = concat $external (include "mlflow.hosts.service" . | fromJsonArray) -}}
{{- end -}}
{{- uniq $external | toJson -}}
{{- end }}
