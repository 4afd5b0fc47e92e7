{{- /* Lines: an Ingress whose hosts and paths lead to the server. Takes `.`. */}}
{{- define "mlflow.validate.ingress" -}}
{{- with .Values.ingress -}}
{{- if .enabled -}}
{{- if not .hosts -}}
{{- include "mlflow.says" (list "ingress.hosts" "is empty" "list each host with its paths, as {host: mlflow.example.com, paths: [{path: /}]}") -}}
{{- end -}}
{{- include "mlflow.validate.tls" $ -}}
{{- $seen := list -}}
{{- range .hosts -}}
{{- include "mlflow.validate.host" (list "ingress.hosts" .host $seen) -}}
{{- $seen = append $seen .host -}}
{{- $paths := list -}}
{{- range .paths -}}
{{- if has .path $paths -}}
{{- include "mlflow.says" (list "ingress.hosts" (printf "path %s is there twice" .path) "remove one") -}}
{{- end -}}
{{- $paths = append $paths .path -}}
{{- include "mlflow.validate.path" (list $ .path (default "Prefix" .pathType)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: a host name from outside, once. Takes (list key host hosts-before). */}}
{{- define "mlflow.validate.host" -}}
{{- $key := index . 0 -}}
{{- $host := index . 1 -}}
{{- if not $host -}}
{{- include "mlflow.says" (list $key "an empty host means every host, and MLflow answers only to names that it knows" "set the name, such as mlflow.example.com, or a wildcard, such as *.example.com") -}}
{{- else if or (regexMatch "^[0-9.]+$" $host) (not (regexMatch "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$" $host)) -}}
{{- include "mlflow.says" (list $key (printf "%q is not a host name" $host) "write it in lower case, such as mlflow.example.com, without scheme, port and path") -}}
{{- else if has $host (index . 2) -}}
{{- include "mlflow.says" (list $key (printf "%s is there twice" $host) "keep one") -}}
{{- end -}}
{{- end }}

{{- /* Lines: a path that leads to something. Takes (list $ path pathType). */}}
{{- define "mlflow.validate.path" -}}
{{- $prefix := (index . 0).Values.mlflow.staticPrefix -}}
{{- $path := index . 1 -}}
{{- $bare := trimSuffix "/" $path -}}
{{- $covers := hasPrefix (printf "%s/" $bare) (printf "%s/" $prefix) -}}
{{- $below := and $prefix (hasPrefix (printf "%s/" $prefix) $path) -}}
{{- /* Paths that may be led through alone, such as /api for programs without the UI. */ -}}
{{- $known := regexMatch "^/(api|ajax-api|v1|graphql|health|version|metrics|static-files|get-artifact|model-versions)(/|$)" $path -}}
{{- if eq (index . 2) "ImplementationSpecific" -}}
{{- else if contains "*" $path -}}
{{- include "mlflow.says" (list "ingress.hosts" (printf "path %s has a wildcard, which %s takes literally" $path (index . 2)) "set pathType: ImplementationSpecific beside it") -}}
{{- else if not (or $covers $below $known) -}}
{{- include "mlflow.says" (list "ingress.hosts" (printf "path %s leads to nothing, the server is at %s" $path (default "/" $prefix)) (printf "set mlflow.staticPrefix: %s, or path: %s" $bare (default "/" $prefix))) -}}
{{- else if and $covers (eq (index . 2) "Exact") -}}
{{- include "mlflow.says" (list "ingress.hosts" (printf "path %s would be exactly that, without the pages below it" $path) "set pathType: Prefix beside it") -}}
{{- end -}}
{{- end }}

{{- /* Lines: certificates for hosts that are there. Takes `.`. */}}
{{- define "mlflow.validate.tls" -}}
{{- $hosts := list -}}
{{- range .Values.ingress.hosts }}{{ $hosts = append $hosts .host }}{{ $hosts = append $hosts (regexReplaceAll "^[^.]+" .host "*") }}{{ end -}}
{{- range .Values.ingress.tls }}{{ range .hosts }}{{ if not (has . $hosts) -}}
{{- include "mlflow.says" (list "ingress.tls" (printf "%s is not a host of this Ingress" .) "add it to ingress.hosts, or remove it") -}}
{{- end }}{{ end }}{{ end -}}
{{- range $annotation := list "cert-manager.io/cluster-issuer" "cert-manager.io/issuer" -}}
{{- if and (hasKey $.Values.ingress.annotations $annotation) (not $.Values.ingress.tls) -}}
{{- include "mlflow.says" (list "ingress.tls" (printf "is empty, so %s makes no certificate" $annotation) "list a secretName for it and the hosts") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: an HTTPRoute that belongs to a Gateway and to hosts. Takes `.`. */}}
{{- define "mlflow.validate.httpRoute" -}}
{{- with .Values.httpRoute -}}
{{- if .enabled -}}
{{- if not .parentRefs -}}
{{- include "mlflow.says" (list "httpRoute.parentRefs" "is empty" "list the Gateway, as {name: public, namespace: gateways}") -}}
{{- end -}}
{{- if not .hostnames -}}
{{- include "mlflow.says" (list "httpRoute.hostnames" "is empty, and MLflow answers only to names that it knows" "list host names such as mlflow.example.com") -}}
{{- end -}}
{{- $seen := list -}}
{{- range .hostnames -}}
{{- include "mlflow.validate.host" (list "httpRoute.hostnames" . $seen) -}}
{{- $seen = append $seen . -}}
{{- end -}}
{{- range $ref := .redirectParentRefs -}}
{{- if has $ref $.Values.httpRoute.parentRefs -}}
{{- include "mlflow.says" (list "httpRoute.redirectParentRefs" (printf "%s is in parentRefs too, so it would be sent to itself" $ref.name) "name the listener for http here and the one for https there, by sectionName") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
