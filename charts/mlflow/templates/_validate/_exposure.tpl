{{- /* Lines: an Ingress whose hosts and paths lead to the server. Takes `.`. */}}
{{- define "mlflow.validate.ingress" -}}
{{- with .Values.ingress -}}
{{- if .enabled -}}
{{- if not .hosts -}}
{{- include "mlflow.says" (dict
  "path" "ingress.hosts"
  "wrong" "is empty"
  "instead" "list each host with its paths, as {host: mlflow.example.com, paths: [{path: /}]}") -}}
{{- end -}}
{{- include "mlflow.validate.tls" $ -}}
{{- $seen := list -}}
{{- range .hosts -}}
{{- include "mlflow.validate.host" (dict "path" "ingress.hosts" "host" .host "seen" $seen) -}}
{{- $seen = append $seen .host -}}
{{- $paths := list -}}
{{- range .paths -}}
{{- if has .path $paths -}}
{{- include "mlflow.says" (dict
  "path" "ingress.hosts"
  "wrong" (printf "path %s is listed twice" .path)
  "instead" "remove one") -}}
{{- end -}}
{{- $paths = append $paths .path -}}
{{- include "mlflow.validate.path" (dict "ctx" $ "path" .path "type" (default "Prefix" .pathType)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: a host name from outside, once. Takes (dict "path" "ingress.hosts" "host" host "seen" (list ...)). */}}
{{- define "mlflow.validate.host" -}}
{{- $key := .path -}}
{{- $host := .host -}}
{{- if not $host -}}
{{- include "mlflow.says" (dict
  "path" $key
  "wrong" "an empty host means every host, and MLflow accepts only known host names"
  "instead" "set the name, such as mlflow.example.com, or a wildcard, such as *.example.com") -}}
{{- else if or (regexMatch "^[0-9.]+$" $host) (not (regexMatch
      "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$" $host)) -}}
{{- include "mlflow.says" (dict
  "path" $key
  "wrong" (printf "%q is not a host name" $host)
  "instead" "write it in lower case, such as mlflow.example.com, without scheme, port and path") -}}
{{- else if has $host .seen -}}
{{- include "mlflow.says" (dict "path" $key "wrong" (printf "%s is listed twice" $host) "instead" "keep one") -}}
{{- end -}}
{{- end }}

{{- /* Lines: a path that leads to something. Takes (dict "ctx" $ "path" "/mlflow" "type" "Prefix"). */}}
{{- define "mlflow.validate.path" -}}
{{- $prefix := .ctx.Values.mlflow.staticPrefix -}}
{{- $path := .path -}}
{{- $bare := trimSuffix "/" $path -}}
{{- $covers := hasPrefix (printf "%s/" $bare) (printf "%s/" $prefix) -}}
{{- $below := and $prefix (hasPrefix (printf "%s/" $prefix) $path) -}}
{{- /* Paths that may be led through alone, such as /api for programs without the UI. */ -}}
{{- $known := regexMatch
      "^/(api|ajax-api|v1|graphql|health|version|metrics|static-files|get-artifact|model-versions)(/|$)" $path -}}
{{- if eq .type "ImplementationSpecific" -}}
{{- else if contains "*" $path -}}
{{- include "mlflow.says" (dict
  "path" "ingress.hosts"
  "wrong" (printf "path %s has a wildcard, which pathType %s does not support" $path .type)
  "instead" "set pathType: ImplementationSpecific") -}}
{{- else if not (or $covers $below $known) -}}
{{- include "mlflow.says" (dict
  "path" "ingress.hosts"
  "wrong" (printf "path %s is not below mlflow.staticPrefix, %s" $path (default "/" $prefix))
  "instead" (printf "set mlflow.staticPrefix: %s, or path: %s" $bare (default "/" $prefix))) -}}
{{- else if and $covers (eq .type "Exact") -}}
{{- include "mlflow.says" (dict
  "path" "ingress.hosts"
  "wrong" (printf "path %s would match only this path, not the pages below it" $path)
  "instead" "set pathType: Prefix") -}}
{{- end -}}
{{- end }}

{{- /* Lines: certificates for hosts that are there. Takes `.`. */}}
{{- define "mlflow.validate.tls" -}}
{{- $hosts := list -}}
{{- range .Values.ingress.hosts }}{{ $hosts = append $hosts .host }}{{ $hosts = append $hosts
      (regexReplaceAll "^[^.]+" .host "*") }}{{ end -}}
{{- range .Values.ingress.tls }}{{ range .hosts }}{{ if not (has . $hosts) -}}
{{- include "mlflow.says" (dict
  "path" "ingress.tls"
  "wrong" (printf "%s is not a host of this Ingress" .)
  "instead" "add it to ingress.hosts, or remove it") -}}
{{- end }}{{ end }}{{ end -}}
{{- range $annotation := list "cert-manager.io/cluster-issuer" "cert-manager.io/issuer" -}}
{{- if and (hasKey $.Values.ingress.annotations $annotation) (not $.Values.ingress.tls) -}}
{{- include "mlflow.says" (dict
  "path" "ingress.tls"
  "wrong" (printf "is empty, so %s creates no certificate" $annotation)
  "instead" "list a secretName and the hosts") -}}
{{- end -}}
{{- end -}}
{{- end }}
